"""Holm, Benjamini-Hochberg and the limits that go with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probes.multiplicity import (
    benjamini_hochberg,
    critical_value,
    holm,
    limits,
    minimum_detectable,
)

rules = settings(deadline=None, max_examples=60)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


def slow_holm(p):
    """Step down: the smallest p times n, the next times n - 1, never falling."""
    adjusted, highest = [0.0] * len(p), 0.0
    for step, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, p[index] * (len(p) - step)))
        adjusted[index] = highest
    return adjusted


@rules
@given(p=p_values)
def test_holm_is_that_of_the_slow_version(p):
    np.testing.assert_allclose(holm(p), slow_holm(p))


@rules
@given(p=p_values)
def test_holm_never_lowers_a_p_and_keeps_their_order(p):
    adjusted = holm(p)

    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@rules
@given(p=p_values, seed=st.integers(0, 1000))
def test_the_order_of_tests_does_not_matter(p, seed):
    order = np.random.default_rng(seed).permutation(len(p))

    np.testing.assert_allclose(holm(p[order]), holm(p)[order])
    np.testing.assert_allclose(benjamini_hochberg(p[order]), benjamini_hochberg(p)[order])


@rules
@given(p=p_values)
def test_q_is_that_of_scipy_and_never_above_holm(p):
    q = benjamini_hochberg(p)

    np.testing.assert_allclose(q, stats.false_discovery_control(p, method="bh"))
    assert (q <= holm(p) + 1e-12).all()


def test_a_test_that_could_not_be_made_still_counts_for_holm():
    np.testing.assert_allclose(holm(np.array([0.01, np.nan, 0.2])), [0.03, np.nan, 0.4])


def test_a_test_that_could_not_be_made_does_not_count_for_q():
    np.testing.assert_allclose(
        benjamini_hochberg(np.array([0.01, np.nan, 0.2])), [0.02, np.nan, 0.2]
    )


def test_no_test_at_all_is_no_error():
    assert holm(np.array([])).size == 0
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


@pytest.mark.parametrize("sides", [1, 2])
def test_the_critical_value_shares_alpha_among_the_tests(sides):
    critical = critical_value(0.05, 48, 39, sides=sides)

    assert sides * 48 * stats.t(39).sf(critical) == pytest.approx(0.05)


def test_limits_stay_apart_by_twice_the_critical_value():
    low, high = limits(np.array([0.1]), np.array([0.02]), 3.0)

    assert (low[0], high[0]) == pytest.approx((0.04, 0.16))


def test_the_minimum_detectable_effect_is_found_four_times_in_five():
    se, critical, threshold = 0.02, critical_value(0.05, 48, 39), 0.01
    effect = minimum_detectable(np.array([se]), critical, np.array([threshold]))[0]
    draws = np.random.default_rng(0).normal(effect, se, size=100_000)

    assert (draws - critical * se > threshold).mean() == pytest.approx(0.8, abs=0.005)
