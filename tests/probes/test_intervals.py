import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probes.bootstrap import MIN_RESAMPLED, cluster_bootstrap
from probes.errors import MeasureError
from probes.intervals import (
    area_interval,
    clopper_pearson,
    delong_variance,
    difference,
    exact_binomial_p,
    fisher_z,
    newcombe,
    normal_quantile,
    t_interval,
    t_quantile,
    welch_freedom,
    wilson,
)

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=50, deadline=None)


@pytest.mark.parametrize(("ours", "theirs"), [(wilson, "wilson"), (clopper_pearson, "exact")])
@quick
@given(count=counts, confidence=st.sampled_from([0.8, 0.95, 0.999]))
def test_intervals_of_a_proportion_equal_those_of_scipy(ours, theirs, count, confidence):
    hits, n = count

    interval = ours(hits, n, confidence=confidence)

    oracle = stats.binomtest(hits, n).proportion_ci(confidence, method=theirs)
    assert interval.low == pytest.approx(oracle.low, abs=1e-10)
    assert interval.high == pytest.approx(oracle.high, abs=1e-10)


@quick
@given(count=counts)
def test_the_proportion_lies_in_its_interval(count):
    hits, n = count
    for interval in (wilson(hits, n), clopper_pearson(hits, n)):
        assert 0 <= interval.low <= hits / n <= interval.high <= 1


@quick
@given(count=counts)
def test_counting_failures_mirrors_the_interval(count):
    hits, n = count

    one, other = wilson(hits, n), wilson(n - hits, n)

    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


def test_no_trials_are_undefined_not_zero():
    for interval in (wilson([0, 1], [0, 2]), clopper_pearson([0, 1], [0, 2])):
        assert np.isnan(interval.low[0])
        assert np.isnan(interval.high[0])
        assert np.isfinite(interval.low[1])


@pytest.mark.parametrize(("hits", "n"), [(5, 4), (-1, 4), (0, -1)])
def test_impossible_counts_are_refused(hits, n):
    with pytest.raises(MeasureError, match=f"got {hits} of {n}"):
        wilson(hits, n)


def test_newcombe_reproduces_his_published_table():
    # Newcombe 1998, table II, method 10
    for (a, m, b, n), (low, high) in {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (5, 56, 0, 29): (-0.0381, 0.1926),
        (10, 10, 0, 10): (0.6075, 1.0000),
    }.items():
        interval = newcombe(a, m, b, n)
        assert interval.low == pytest.approx(low, abs=5e-5)
        assert interval.high == pytest.approx(high, abs=5e-5)


@quick
@given(one=counts, other=counts)
def test_swapping_the_sides_of_a_difference_mirrors_it(one, other):
    here, there = newcombe(*one, *other), newcombe(*other, *one)

    assert here.low == pytest.approx(-there.high, abs=1e-12)
    assert here.low - 1e-12 <= one[0] / one[1] - other[0] / other[1] <= here.high + 1e-12


def test_a_difference_from_something_certain_keeps_the_width():
    interval = difference(0.5, wilson(5, 10), 0.2, type(wilson(1, 2))(np.array(0.2), np.array(0.2)))

    assert interval.high - interval.low == pytest.approx(np.ptp(wilson(5, 10)))


@quick
@given(seed=seeds, n=st.integers(4, 50))
def test_fisher_equals_scipy(seed, n):
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    result = stats.pearsonr(x, y)

    interval = fisher_z(result.statistic, n, confidence=0.9)

    oracle = result.confidence_interval(0.9)
    assert tuple(map(float, interval)) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


def test_fisher_needs_more_than_three_clusters():
    assert np.isnan(fisher_z(0.5, 3).low)


@quick
@given(seed=seeds, n=st.integers(2, 30))
def test_t_equals_scipy(seed, n):
    values = np.random.default_rng(seed).normal(size=(n, 2))

    interval = t_interval(values)

    oracle = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose(interval.low, oracle.low)
    np.testing.assert_allclose(interval.high, oracle.high)


def test_one_cluster_has_no_interval():
    assert np.isnan(t_interval(np.ones((1, 3))).low).all()


@pytest.mark.parametrize("freedom", [4, 4.7, 7, 19, 400.5, 1e9])
@pytest.mark.parametrize(("confidence", "within"), [(0.8, 1e-4), (0.95, 1e-3), (0.99, 6e-3)])
def test_the_fast_t_quantile_is_close_to_the_exact_one(freedom, confidence, within):
    exact = stats.t.ppf((1 + confidence) / 2, freedom)

    assert t_quantile(freedom, confidence=confidence) == pytest.approx(exact, rel=within)


def test_welch_freedom_equals_scipy():
    rng = np.random.default_rng(3)
    one, other = rng.normal(size=9), rng.normal(size=31) * 3

    freedom = welch_freedom(one.var(ddof=1) / 9, 9, other.var(ddof=1) / 31, 31)

    assert freedom == pytest.approx(stats.ttest_ind(one, other, equal_var=False).df)


def slow_delong(shown, hidden):
    wins = [[(x > y) + (x == y) / 2 for y in hidden] for x in shown]
    rows = [sum(row) / len(hidden) for row in wins]
    columns = [sum(column) / len(shown) for column in zip(*wins, strict=True)]
    return np.var(rows, ddof=1) / len(rows), np.var(columns, ddof=1) / len(columns)


@quick
@given(seed=seeds, ties=st.booleans())
def test_delong_equals_a_loop_over_pairs(seed, ties):
    rng = np.random.default_rng(seed)
    shown, hidden = rng.normal(0.5, 1, 6), rng.normal(size=9)
    if ties:
        shown, hidden = shown.round(), hidden.round()

    assert delong_variance(shown, hidden) == pytest.approx(slow_delong(shown, hidden))


def test_one_cluster_on_a_side_has_no_delong_variance():
    assert np.isnan(delong_variance(np.ones(1), np.arange(5.0))).all()


def test_complete_separation_does_not_claim_certainty():
    low, high = area_interval([1.0, 0.0], ([0.0, 0.0], [0.0, 0.0]), 8, 100)

    assert low[0] == pytest.approx(0.025 ** (1 / 8))
    assert (high[0], low[1], high[1]) == pytest.approx((1, 0, 1 - 0.025 ** (1 / 8)))


def test_an_undefined_area_has_no_interval():
    low, high = area_interval(np.nan, (np.nan, np.nan), 8, 100)

    assert np.isnan(low)
    assert np.isnan(high)


def test_the_bootstrap_agrees_with_scipy_and_covers_several_statistics_at_once():
    values = np.random.default_rng(5).gamma(2, size=40)

    for method, corrected in (("BCa", True), ("percentile", False)):
        ours = cluster_bootstrap(
            lambda rows: np.array([values[rows].mean(), values[rows].std()]),
            40,
            rng=np.random.default_rng(1),
            draws=4000,
            corrected=corrected,
        )
        for at, statistic in enumerate((np.mean, np.std)):
            oracle = stats.bootstrap(
                (values,), statistic, n_resamples=4000, method=method, rng=2
            ).confidence_interval
            assert ours.low[at] == pytest.approx(oracle.low, abs=0.06)
            assert ours.high[at] == pytest.approx(oracle.high, abs=0.06)


def test_the_bootstrap_draws_within_strata():
    strata = np.repeat([0, 1], [15, 30])
    seen = []

    cluster_bootstrap(
        lambda rows: seen.append((strata[rows] == 0).sum()) or 0.0,
        45,
        rng=np.random.default_rng(0),
        strata=strata,
        draws=20,
        corrected=False,
    )

    assert set(seen) == {15}


def test_the_same_generator_gives_the_same_interval():
    values = np.random.default_rng(5).normal(size=20)
    one, other = (
        cluster_bootstrap(
            lambda rows: values[rows].mean(), 20, rng=np.random.default_rng(9), draws=50
        )
        for _ in range(2)
    )

    assert one == other


def test_too_few_clusters_to_resample_give_no_interval():
    interval = cluster_bootstrap(
        lambda rows: float(len(rows)), MIN_RESAMPLED - 1, rng=np.random.default_rng(0)
    )

    assert np.isnan(interval.low)


def test_a_statistic_that_cannot_be_had_from_some_draws_has_no_interval():
    interval = cluster_bootstrap(
        lambda rows: np.nan if 0 in rows else 1.0, 20, rng=np.random.default_rng(0), draws=50
    )

    assert np.isnan(interval.low)


def test_strata_that_do_not_fit_are_refused():
    with pytest.raises(MeasureError, match=r"got shape \(3,\) for 20 clusters"):
        cluster_bootstrap(len, 20, rng=np.random.default_rng(0), strata=np.zeros(3, int))


def test_the_exact_binomial_p_equals_a_sum_of_probabilities():
    tail = sum(stats.binom.pmf(k, 40, 0.05) for k in range(6, 41))

    assert exact_binomial_p(6, 40, 0.05) == pytest.approx(tail)
    with pytest.raises(MeasureError, match="got 7 of 6"):
        exact_binomial_p(7, 6, 0.05)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_a_confidence_is_a_share(confidence):
    with pytest.raises(MeasureError, match="between 0 and 1"):
        normal_quantile(confidence)
