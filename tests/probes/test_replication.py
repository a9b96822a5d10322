"""Units of two models that answer alike, and whether they carry the same link."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.errors import MeasureError
from probes.replication import match_units, replicate, response_correlations

seeds = st.integers(0, 2**32 - 1)


def two_models(seed, clusters=80, shared=12, own=30, noise=0.5):
    """Models that share some units under other indices; returns responses and where they are."""
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(clusters, shared))
    here = np.hstack([source + noise * rng.normal(size=source.shape),
                      rng.normal(size=(clusters, own))])  # fmt: skip
    there = np.hstack([source + noise * rng.normal(size=source.shape),
                       rng.normal(size=(clusters, own))])  # fmt: skip
    order = rng.permutation(there.shape[1])
    place = np.argsort(order)
    return here, 3 * there[:, order] + 2, place[:shared]


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_correlations_are_numpys(seed):
    a, b = np.random.default_rng(seed).normal(size=(2, 9, 4))

    found = response_correlations(a, b)

    np.testing.assert_allclose(found, np.corrcoef(a.T, b.T)[:4, 4:], atol=1e-12)


def test_shared_units_find_each_other_under_other_indices():
    here, there, place = two_models(1)

    found = match_units(here, there, rng=np.random.default_rng(0))

    assert found.partner[:12].tolist() == place.tolist()
    assert found.matched[:12].all()


def test_units_of_unrelated_models_are_rarely_matched():
    rng = np.random.default_rng(2)
    shares = [match_units(*rng.normal(size=(2, 60, 80)), rng=rng).matched.mean() for _ in range(20)]

    # Both units of a pair are one event: 20 x 80 units are at least 800.
    assert np.mean(shares) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 800)


def test_partners_are_the_same_seen_from_either_model():
    here, there, _ = two_models(3)
    one = match_units(here, there, rng=np.random.default_rng(0))
    two = match_units(there, here, rng=np.random.default_rng(0))

    for unit in np.flatnonzero(one.mutual):
        assert two.partner[one.partner[unit]] == unit
        assert two.mutual[one.partner[unit]]


def test_a_unit_that_never_varies_has_no_partner_and_is_nobodys():
    here, there, _ = two_models(4)
    here[:, 0], there[:, 5] = 7.0, 0.1

    found = match_units(here, there, rng=np.random.default_rng(0))

    assert found.partner[0] == -1
    assert np.isnan(found.correlation[0])
    assert not found.mutual[0]
    assert 5 not in found.partner


def test_a_model_without_a_varying_unit_matches_nothing():
    found = match_units(np.eye(5), np.ones((5, 2)), rng=np.random.default_rng(0))

    assert found.partner.tolist() == [-1] * 5
    assert not found.matched.any()


def two_kinds(seed, gap=0.0, shared=True):
    """Words and photos, 40 clusters each; every unit answers ``gap`` higher to photos."""
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(80, 12))
    there = source + 0.5 * rng.normal(size=source.shape) if shared else rng.normal(size=(80, 12))
    kinds = np.repeat([0, 1], 40)
    return source + gap * kinds[:, None], there + gap * kinds[:, None], kinds


def test_correlations_by_kind_are_the_mean_over_kinds():
    here, there, kinds = two_kinds(9)

    found = match_units(here, there, kinds=kinds, rng=np.random.default_rng(0))

    slow = [np.corrcoef(here[kinds == kind].T, there[kinds == kind].T)[:12, 12:] for kind in (0, 1)]
    np.testing.assert_allclose(found.correlation, np.mean(slow, axis=0).max(axis=1), atol=1e-12)
    assert found.matched.all()


def test_telling_words_from_photos_makes_no_partners():
    here, there, kinds = two_kinds(10, gap=20.0, shared=False)

    pooled = match_units(here, there, rng=np.random.default_rng(0))
    within = match_units(here, there, kinds=kinds, rng=np.random.default_rng(0))

    assert pooled.correlation.min() > 0.95
    assert within.correlation.max() < 0.5
    assert within.matched.sum() <= 2


def test_a_unit_that_varies_in_one_kind_has_half_a_correlation_and_in_none_no_partner():
    here, _, kinds = two_kinds(11)
    there = here.copy()
    here[kinds == 0, 0], here[:, 1] = 3.0, 3.0

    found = match_units(here, there, kinds=kinds, rng=np.random.default_rng(0))

    assert found.partner[0] == 0
    assert found.correlation[0] == pytest.approx(0.5)
    assert found.partner[1] == -1


@pytest.mark.parametrize("kinds", [np.array([0, 0, 0, 1, 1]), np.zeros(4, dtype=int)])
def test_kinds_with_too_few_clusters_or_of_another_length_are_refused(kinds):
    with pytest.raises(MeasureError, match="every kind at least 3 clusters"):
        match_units(np.eye(5), np.eye(5), kinds=kinds, rng=np.random.default_rng(0))


def test_a_link_that_the_partners_carry_replicates():
    here, there, place = two_models(5)
    matches = match_units(here, there, rng=np.random.default_rng(0))
    carried = np.random.default_rng(1).normal(size=there.shape[1]) / 10
    carried[place[:3]] += 1

    found = replicate([0, 1, 2, 40], matches, carried, rng=np.random.default_rng(2))

    assert found.replicates
    assert found.partners[:3] == tuple(place[:3])
    assert found.carried > found.elsewhere
    assert set(found.units) | set(found.without_partner) == {0, 1, 2, 40}


def test_a_link_that_other_units_carry_there_does_not_replicate():
    here, there, place = two_models(5)
    matches = match_units(here, there, rng=np.random.default_rng(0))
    carried = np.random.default_rng(1).normal(size=there.shape[1]) / 10
    carried[place[3:6]] += 1

    found = replicate([0, 1, 2], matches, carried, rng=np.random.default_rng(2))

    assert not found.replicates
    assert found.p > 0.5


def test_links_of_chance_replicate_at_most_as_often_as_stated():
    here, there, _ = two_models(6)
    matches = match_units(here, there, rng=np.random.default_rng(0))
    rng = np.random.default_rng(3)
    matched = np.flatnonzero(matches.matched)

    hits = [
        replicate(
            rng.choice(matched, 3, replace=False),
            matches,
            rng.normal(size=there.shape[1]),
            rng=rng,
            draws=199,
        ).replicates
        for _ in range(200)
    ]

    assert np.mean(hits) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_a_link_whose_units_have_no_partner_says_so_and_has_no_number():
    here, there, _ = two_models(7)
    here[:, 0] = 1.0
    matches = match_units(here, there, rng=np.random.default_rng(0))

    found = replicate([0], matches, np.ones(there.shape[1]), rng=np.random.default_rng(1))

    assert np.isnan(found.carried)
    assert np.isnan(found.p)
    assert not found.replicates
    assert found.reason == "no unit of the link has a partner"


@pytest.mark.parametrize(
    ("here", "there", "sentence"),
    [
        (np.ones((4, 2)), np.ones((5, 2)), "same clusters"),
        (np.ones((2, 2)), np.ones((2, 2)), "at least 3"),
        (np.ones((4, 0)), np.ones((4, 2)), "Both models need a unit; got 0 and 2"),
        (np.full((4, 1), np.nan), np.ones((4, 2)), "finite"),
    ],
)
def test_responses_that_cannot_be_compared_are_refused(here, there, sentence):
    with pytest.raises(MeasureError, match=sentence):
        match_units(here, there, rng=np.random.default_rng(0))


@pytest.mark.parametrize("units", [[], [99], [-1]])
def test_units_that_this_model_lacks_are_refused(units):
    here, there, _ = two_models(8)
    matches = match_units(here, there, rng=np.random.default_rng(0))

    with pytest.raises(MeasureError, match="among the 42 of this model"):
        replicate(units, matches, np.ones(42), rng=np.random.default_rng(0))


def test_missing_contributions_are_refused():
    here, there, _ = two_models(8)
    matches = match_units(here, there, rng=np.random.default_rng(0))

    with pytest.raises(MeasureError, match="finite contribution"):
        replicate([0], matches, np.full(42, np.nan), rng=np.random.default_rng(0))
