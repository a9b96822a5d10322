"""Drops of a double difference when units are silenced, and what they are held against."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probes.causal import (
    Link,
    causal_test,
    cluster_margins,
    dose_response,
    double_difference,
    drop,
)
from probes.errors import MeasureError
from probes.intervals import exact_binomial_p

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=40, deadline=None)


def sample(seed, n_clusters=9, n_terms=4, n_concepts=3):
    """Margins before and after, and the concept of each cluster; every concept has two or more."""
    rng = np.random.default_rng(seed)
    rest = rng.integers(n_concepts, size=n_clusters - 2 * n_concepts)
    concepts = np.concatenate([np.repeat(np.arange(n_concepts), 2), rest])
    before, after = rng.normal(size=(2, n_clusters, n_terms))
    return before, after, concepts


def link(rng, n_pictures=12, size=6):
    return Link(
        clusters=np.arange(n_pictures) // 2,
        concepts=np.array([0, 0, 1, 1, 2, 2]),
        harm=rng.normal(size=(3, size)),
        controls=tuple(rng.normal(size=(k, size)) for k in (2, 4)),
    )


def test_margins_are_cosines_of_pooled_clusters_less_the_mean_over_control_packs():
    rng = np.random.default_rng(0)
    asked, pictures = link(rng), rng.normal(size=(12, 6))

    margins = cluster_margins(pictures, asked)

    for cluster in range(6):
        both = [p / np.linalg.norm(p) for p in pictures[2 * cluster : 2 * cluster + 2]]
        mean = sum(both) / np.linalg.norm(sum(both))
        null = np.mean([np.mean([mean @ t for t in pack]) for pack in asked.controls])
        np.testing.assert_allclose(margins[cluster], [mean @ t - null for t in asked.harm])


@quick
@given(seed=seeds, scale=st.floats(0.1, 50))
def test_lengths_of_embeddings_do_not_matter(seed, scale):
    rng = np.random.default_rng(seed)
    asked, pictures = link(rng), rng.normal(size=(12, 6))

    np.testing.assert_allclose(
        cluster_margins(scale * pictures, asked), cluster_margins(pictures, asked)
    )


@quick
@given(seed=seeds)
def test_a_drop_is_the_difference_of_two_double_differences(seed):
    before, after, concepts = sample(seed)

    found = drop(before, after, concepts)

    expected = double_difference(before, concepts) - double_difference(after, concepts)
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high
    assert found.before == pytest.approx(double_difference(before, concepts))


@quick
@given(seed=seeds, more=st.floats(-5, 5))
def test_what_all_clusters_share_is_no_drop(seed, more):
    before, after, concepts = sample(seed)

    found, moved = drop(before, after, concepts), drop(before, after + more, concepts)

    assert moved.value == pytest.approx(found.value, abs=1e-9)
    assert moved.se == pytest.approx(found.se, rel=1e-6)


@quick
@given(seed=seeds)
def test_a_drop_the_other_way_has_the_other_sign(seed):
    before, after, concepts = sample(seed)

    found, back = drop(before, after, concepts), drop(after, before, concepts)

    assert back.value == pytest.approx(-found.value)
    assert back.se == pytest.approx(found.se)
    assert back.p == pytest.approx(1 - found.p, abs=1e-9)


def test_with_terms_alike_and_two_concepts_the_test_is_welchs():
    rng = np.random.default_rng(3)
    change, concepts = rng.normal(size=10), np.repeat([0, 1], [4, 6])
    before = np.repeat(change[:, None], 2, axis=1)

    found = drop(before, np.zeros((10, 2)), concepts)

    oracle = stats.ttest_ind(change[:4], change[4:], equal_var=False, alternative="greater")
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.df == pytest.approx(oracle.df)
    both_sides = stats.ttest_ind(change[:4], change[4:], equal_var=False)
    np.testing.assert_allclose(
        [found.low, found.high], both_sides.confidence_interval(0.95), rtol=1e-6
    )


def test_limits_cover_a_drop_that_varies_with_clusters_and_terms():
    rng = np.random.default_rng(7)
    concepts, trials = np.repeat([0, 1, 2], 8), 400
    covered = 0
    for _ in range(trials):
        change = rng.normal(size=(24, 1)) + np.where(concepts == 0, 1.0, 0.0)[:, None]
        change = change + np.where(concepts == 0, 1.0, 0.0)[:, None] * rng.normal(size=6)
        found = drop(change, np.zeros_like(change), concepts)
        covered += found.low <= 1.0 <= found.high

    assert exact_binomial_p(trials - covered, trials, 0.05) > 0.001
    assert exact_binomial_p(covered, trials, 0.95) > 0.001


def test_a_concept_with_one_cluster_is_given_the_spread_of_the_others():
    before = np.random.default_rng(1).normal(size=(6, 3))
    found = drop(before, np.zeros((6, 3)), np.array([0, 0, 0, 1, 1, 2]))

    assert np.isfinite([found.se, found.low, found.p]).all()


@pytest.mark.parametrize(
    ("shape", "concepts"), [((3, 4), [0, 1, 1]), ((4, 1), [0, 0, 1, 1])], ids=["cluster", "term"]
)
def test_with_one_cluster_of_the_group_or_one_term_no_spread_is_known(shape, concepts):
    before = np.random.default_rng(1).normal(size=shape)

    found = drop(before, np.zeros(shape), np.array(concepts))

    assert np.isfinite(found.value)
    assert np.isnan([found.se, found.low, found.high, found.p]).all()


def test_where_nothing_changes_there_is_no_p():
    before, _, concepts = sample(0)

    found = drop(before, before, concepts)

    assert found.value == 0
    assert np.isnan(found.p)


def test_a_link_that_is_not_there_has_no_share_to_lose():
    before, after, concepts = sample(0)
    up = before + np.where(concepts == 0, 10.0, 0.0)[:, None]
    down = before - np.where(concepts == 0, 10.0, 0.0)[:, None]

    assert drop(up, 0 * up, concepts).share == pytest.approx(1.0)
    assert np.isnan(drop(down, after, concepts).share)


def test_the_p_of_a_set_is_the_largest_of_three():
    before, _, concepts = sample(0)
    uneven = 5 + np.random.default_rng(1).normal(scale=0.01, size=before.shape)
    found = drop(before + (concepts == 0)[:, None] * uneven, before, concepts)

    lower, higher = found.value - 1, found.value + 1
    assert found.p < 1e-4
    assert causal_test(found, np.full(999, lower), 0.0).p == pytest.approx(0.001)
    assert causal_test(found, np.full(999, higher), 0.0).p == 1
    assert causal_test(found, np.full(999, lower), 0.2).p == 0.2
    mixed = np.r_[np.full(9, higher), np.full(90, lower)]
    tested = causal_test(found, mixed, 0.0)
    assert tested.p_matched == pytest.approx(0.1)
    assert tested.percentile == pytest.approx(90 / 99)


def test_without_a_spread_the_p_is_unknown():
    before, _, concepts = sample(0)

    assert np.isnan(causal_test(drop(before, before, concepts), np.zeros(99), 0.01).p)


@quick
@given(seed=seeds)
def test_dose_response_is_scipys_rank_correlation_and_regression(seed):
    rng = np.random.default_rng(seed)
    doses, changes = [-2.0, -1.0, 0.0, 4.0, 10.0], rng.normal(size=(5, 6))

    found = dose_response(doses, changes)

    means = changes.mean(axis=1)
    assert found.monotonicity == pytest.approx(stats.spearmanr(doses, means).statistic)
    assert found.slope == pytest.approx(stats.linregress(doses, means).slope)
    for point, row in zip(found.points, changes, strict=True):
        interval = stats.ttest_1samp(row, 0).confidence_interval(0.95)
        np.testing.assert_allclose([point.low, point.high], interval)


def test_doses_without_an_effect_have_no_order():
    found = dose_response([0, 1], np.zeros((2, 3)))

    assert np.isnan(found.monotonicity)
    assert found.slope == pytest.approx(0)


def test_a_link_that_compares_nothing_is_refused():
    rng = np.random.default_rng(0)
    whole = link(rng)
    with pytest.raises(MeasureError, match="at least one other concept"):
        Link(
            clusters=np.arange(2),
            concepts=np.zeros(2, int),
            harm=whole.harm,
            controls=whole.controls,
        )
    with pytest.raises(MeasureError, match="at least one other concept"):
        Link(
            clusters=np.arange(2),
            concepts=np.array([1, 2]),
            harm=whole.harm,
            controls=whole.controls,
        )
    with pytest.raises(MeasureError, match="got 3 and 0"):
        Link(clusters=np.arange(2), concepts=np.array([0, 1]), harm=whole.harm, controls=())


def test_margins_and_doses_that_do_not_fit_are_refused():
    before, after, concepts = sample(0)
    with pytest.raises(MeasureError, match="same clusters and terms"):
        drop(before, after[:, :2], concepts)
    with pytest.raises(MeasureError, match="same clusters and terms"):
        drop(before, after, concepts[:-1])
    with pytest.raises(MeasureError, match="got 1 doses"):
        dose_response([1.0, 1.0], np.zeros((2, 3)))
