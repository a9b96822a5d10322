import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probes.errors import MeasureError
from probes.groupings import cross, group_by, groupings
from probes.intervals import newcombe
from probes.rates import (
    argmax_rates,
    argmax_shares,
    count_ties,
    family_shares,
    gaps_to_rest,
    group_rates,
)

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=30, deadline=None)


def sample(seed, n=60, n_labels=5, n_groups=3):
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(n_groups), rng.integers(-1, n_groups, n - n_groups)])
    return rng.normal(size=(n, n_labels)).round(1), groups, rng


@quick
@given(seed=seeds)
def test_every_picture_is_shared_out_completely(seed):
    scores, _, _ = sample(seed)
    shares = argmax_shares(scores)

    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert ((shares > 0) == (scores == scores.max(axis=1, keepdims=True))).all()
    assert count_ties(scores) == (shares.max(axis=1) < 1).sum()


@quick
@given(seed=seeds)
def test_order_of_labels_does_not_matter_even_with_ties(seed):
    scores, _, rng = sample(seed)
    order = rng.permutation(5)

    np.testing.assert_array_equal(argmax_shares(scores[:, order]), argmax_shares(scores)[:, order])


@quick
@given(seed=seeds)
def test_any_rising_rescaling_of_a_picture_chooses_the_same(seed):
    scores, _, rng = sample(seed)

    rescaled = scores * 4 + rng.integers(0, 9, (60, 1))
    np.testing.assert_array_equal(argmax_shares(rescaled.round(1)), argmax_shares(scores))


def test_families_add_up_their_labels():
    shares = np.array([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])

    np.testing.assert_allclose(
        family_shares(shares, np.array([1, -1, 1])), [[0.0, 0.75], [0.0, 1.0]]
    )


@quick
@given(seed=seeds)
def test_rates_without_clusters_are_wilsons(seed):
    scores, groups, _ = sample(seed)
    hits = (scores[:, :1] > 0).astype(float)

    rates = group_rates(hits, groups, 3)

    for group in range(3):
        inside = hits[groups == group]
        oracle = stats.binomtest(int(inside.sum()), len(inside)).proportion_ci(method="wilson")
        assert rates.value[group, 0] == pytest.approx(inside.mean())
        assert rates.low[group, 0] == pytest.approx(oracle.low)
        assert rates.high[group, 0] == pytest.approx(oracle.high)
        assert rates.n[group] == rates.clusters[group] == len(inside)


@quick
@given(seed=seeds)
def test_gaps_without_clusters_are_newcombes(seed):
    scores, groups, _ = sample(seed)
    hits = (scores[:, :1] > 0).astype(float)

    gaps = gaps_to_rest(hits, groups, 3)

    for group in range(3):
        here, rest = hits[groups == group], hits[(groups != group) & (groups >= 0)]
        oracle = newcombe(here.sum(), len(here), rest.sum(), len(rest))
        assert gaps.value[group, 0] == pytest.approx(here.mean() - rest.mean(), abs=1e-12)
        assert gaps.low[group, 0] == pytest.approx(oracle.low)
        assert gaps.high[group, 0] == pytest.approx(oracle.high)


@pytest.mark.parametrize("measure", [group_rates, gaps_to_rest])
@quick
@given(seed=seeds)
def test_showing_every_picture_of_a_cluster_twice_changes_nothing_but_n(measure, seed):
    scores, groups, rng = sample(seed)
    shares, clusters = argmax_shares(scores), rng.integers(0, 25, 60)

    one = measure(shares, groups, 3, clusters=clusters)
    two = measure(
        np.vstack([shares] * 2), np.hstack([groups] * 2), 3, clusters=np.tile(clusters, 2)
    )

    for field in ("value", "low", "high", "clusters"):
        np.testing.assert_allclose(getattr(two, field), getattr(one, field), atol=1e-12)
    np.testing.assert_array_equal(two.n, 2 * one.n)


@pytest.mark.parametrize("measure", [group_rates, gaps_to_rest])
@quick
@given(seed=seeds)
def test_order_of_pictures_and_names_of_clusters_do_not_matter(measure, seed):
    scores, groups, rng = sample(seed)
    shares, clusters = argmax_shares(scores), rng.integers(0, 25, 60)
    order, names = rng.permutation(60), rng.permutation(25)

    one = measure(shares, groups, 3, clusters=clusters)
    other = measure(shares[order], groups[order], 3, clusters=names[clusters[order]])

    for field in ("value", "low", "high", "n", "clusters"):
        np.testing.assert_allclose(getattr(other, field), getattr(one, field), atol=1e-12)


def test_a_person_with_many_pictures_has_one_vote():
    shares = np.array([[1.0]] * 8 + [[0.0]] * 2)
    clusters = np.array([0] * 8 + [1, 2])

    rates = group_rates(shares, np.zeros(10, int), 1, clusters=clusters)

    assert rates.value[0, 0] == pytest.approx(1 / 3)
    assert (rates.n[0], rates.clusters[0]) == (10, 3)
    assert rates.high[0, 0] - rates.low[0, 0] > 0.7


def test_a_cluster_on_both_sides_counts_on_both():
    shares = np.array([[1.0], [0.0], [0.0]])

    gaps = gaps_to_rest(shares, np.array([0, 1, 1]), 2, clusters=np.array([5, 5, 6]))

    assert gaps.value[:, 0] == pytest.approx([1.0, -1.0])
    assert gaps.clusters.tolist() == [1, 2]


def test_swapping_two_groups_turns_the_gap_over():
    scores, groups, _ = sample(3, n_groups=2)
    shares = argmax_shares(scores)

    gaps = gaps_to_rest(shares, groups, 2)

    np.testing.assert_allclose(gaps.value[0], -gaps.value[1], atol=1e-12)
    np.testing.assert_allclose(gaps.low[0], -gaps.high[1], atol=1e-12)


def test_an_empty_group_is_undefined_not_zero():
    shares = argmax_shares(sample(1)[0])
    groups = np.zeros(60, int)

    rates, gaps = group_rates(shares, groups, 2), gaps_to_rest(shares, groups, 2)

    assert np.isnan([rates.value[1], rates.low[1], rates.high[1]]).all()
    assert np.isnan([gaps.value, gaps.low, gaps.high]).all()
    assert rates.n.tolist() == [60, 0]


def test_wilsons_interval_for_photos_of_persons_covers_at_least_what_it_says():
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(400):
        person = rng.beta(1.2, 4.8, 30)
        hits = rng.random((30, 4)) < person[:, None]
        rates = group_rates(
            hits.reshape(-1, 1).astype(float),
            np.zeros(120, int),
            1,
            clusters=np.repeat(np.arange(30), 4),
        )
        covered.append(rates.low[0, 0] <= 0.2 <= rates.high[0, 0])

    assert np.mean(covered) > 0.94


def test_every_column_and_every_crossing_of_two_is_grouped():
    columns = {
        "trade": ["baker", "smith", "baker", ""],
        "town": ["Ost", "Ost", "West", "West"],
        "guild": ["a", "b", "", "a"],
    }

    found = {grouping.name: grouping for grouping in groupings(columns)}

    assert list(found) == [
        "trade", "town", "guild", "trade & town", "trade & guild", "town & guild"
    ]  # fmt: skip
    crossing = found["trade & town"]
    assert crossing.groups == (
        "trade=baker & town=Ost",
        "trade=baker & town=West",
        "trade=smith & town=Ost",
    )
    assert crossing.codes.tolist() == [0, 2, 1, -1]


def test_crossing_with_a_column_that_is_always_missing_has_no_groups():
    empty = cross(group_by("a", ["x", "y"]), group_by("b", ["", ""]))

    assert empty.groups == ()
    assert empty.codes.tolist() == [-1, -1]


def rows(**changes):
    arguments = {
        "labels": ["thief", "liar", "nurse"],
        "families": ["crime", "crime", ""],
        "columns": {"town": ["Ost", "Ost", "West", "West"], "guild": ["a", "b", "a", "b"]},
    } | changes
    scores = np.array([[0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.1, 0.1, 0.9], [0.1, 0.1, 0.9]])
    return list(argmax_rates(scores, **arguments))


def test_rows_tell_what_they_are_of():
    found = {(row.measure, row.group, row.label or row.harm): row for row in rows()}

    assert found["argmax_rate", "town=Ost", "thief"].value == 0.5
    assert found["argmax_rate", "town=Ost", "crime"].value == 1
    assert found["argmax_gap", "town=West", "crime"].value == -1
    assert found["argmax_rate", "town=West & guild=a", "nurse"].n == 1
    assert len(found) == len(rows()) == 2 * (2 + 2 + 4) * 4
    assert {row.arm for row in rows()} == {"behaviour"}


def test_a_column_with_one_group_has_rates_but_no_gap():
    found = rows(columns={"town": ["Ost"] * 4})

    assert all(math.isfinite(row.value) for row in found if row.measure == "argmax_rate")
    gaps = [row for row in found if row.measure == "argmax_gap"]
    assert gaps
    assert all(math.isnan(row.value) for row in gaps)
    assert {row.reason for row in gaps} == {"no other picture to compare this group with"}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: argmax_shares(np.ones((3, 1))), r"at least 2 labels.*got shape \(3, 1\)"),
        (lambda: argmax_shares(np.array([[1, 2], [1, np.nan]])), "1 pictures have NaN.*row 1"),
        (lambda: family_shares(np.ones((2, 3)), np.zeros(2, int)), "for 3 labels"),
        (lambda: group_rates(np.ones((2, 3)), np.zeros(3, int), 1), "for 2 pictures"),
        (lambda: rows(labels=["thief"]), "got 1 and 3 for 3 columns"),
    ],
)
def test_what_does_not_fit_says_what_came(call, sentence):
    with pytest.raises(MeasureError, match=sentence):
        call()
