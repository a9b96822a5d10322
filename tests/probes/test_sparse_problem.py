"""Duality gaps bound what no solver says of itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.special import expit, xlogy

from probes.sparse_logistic import fit_sparse_probe
from probes.sparse_path import posed, standardised
from probes.sparse_problem import NotConverged, Path, duality_gaps, objective
from probes.sparse_solvers import SOLVERS, solve_liblinear
from probes.stability_selection import select_stable

seeds = st.integers(0, 2**32 - 1)


def problem(seed, n=60, n_units=25, n_lambdas=5):
    rng = np.random.default_rng(seed)
    values = np.maximum(rng.normal(size=(n, n_units)), 0)
    labels = values[:, 0] - values[:, 1] + rng.normal(size=n) > 0.2
    weights = rng.uniform(0.5, 2, n) * (rng.random(n) < 0.8)
    ratios = np.geomspace(1, 0.1, n_lambdas)
    return posed(standardised(values).design, labels, weights / weights.sum(), ratios)


def slow_gap(asked, path, at):
    """One penalty in 64 bits: root finding for the intercept, the dual written out."""
    design, y, w = asked.design.astype(float), asked.labels, asked.weights
    odds, penalty = design @ path.coefficients[at], asked.lambdas[at]
    intercept = brentq(lambda a: w @ (y - expit(odds + a)), -60, 60, xtol=1e-13)
    residuals = w * (y - expit(odds + intercept))
    residuals *= min(1, penalty / np.max(np.abs(design.T @ residuals) / asked.factors))
    q = np.where(w > 0, y - residuals / np.where(w > 0, w, 1), 0.5)
    dual = -w @ (xlogy(q, q) + xlogy(1 - q, 1 - q))
    return (objective(asked, path)[at] - dual) / dual


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("seed", range(3))
def test_the_gap_of_every_fit_equals_a_slow_recomputation(solver, seed):
    if solver == "adelie":
        pytest.importorskip("adelie")
    asked = problem(seed)

    path = SOLVERS[solver](asked)

    slow = [slow_gap(asked, path, at) for at in range(len(asked.lambdas))]
    np.testing.assert_allclose(path.gaps, slow, rtol=1e-2, atol=2e-6)
    assert path.gap == path.gaps.max() <= asked.tolerance


@given(seed=seeds, noise=st.floats(0, 2))
@settings(max_examples=25, deadline=None)
def test_the_shortfall_of_any_answer_is_at_most_its_gap(seed, noise):
    asked = problem(seed % 50)
    best = solve_liblinear(asked)
    rng = np.random.default_rng(seed)
    bent = Path(
        best.coefficients + noise * rng.normal(size=best.coefficients.shape),
        best.intercepts + noise * rng.normal(size=best.intercepts.shape),
    )

    optimum, reached = objective(asked, best), objective(asked, bent)

    assert (reached - optimum <= duality_gaps(asked, bent) * optimum + 2e-6).all()


def test_no_general_solver_gets_below_what_the_gap_allows():
    asked = problem(7, n=30, n_units=4, n_lambdas=2)
    path = solve_liblinear(asked)
    cost = objective(asked, path)[-1]

    def smooth(both):
        there = Path((both[:4] - both[4:8])[None], both[8:])
        only = asked._replace(lambdas=asked.lambdas[-1:])
        return float(objective(only, there)[0])

    found = minimize(smooth, np.zeros(9), bounds=[(0, None)] * 8 + [(None, None)], tol=1e-12)

    assert found.fun >= cost * (1 - path.gaps[-1]) - 1e-9
    assert found.fun == pytest.approx(cost, rel=1e-4)


def test_an_answer_made_of_nan_has_no_finite_gap():
    asked = problem(1)
    nothing = Path(np.full((5, 25), np.nan), np.zeros(5))

    assert np.isinf(duality_gaps(asked, nothing)).all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_gap_that_no_attempt_reaches_is_no_answer(solver):
    if solver == "adelie":
        pytest.importorskip("adelie")
    impossible = problem(2)._replace(tolerance=-1.0)

    with pytest.raises(NotConverged, match=f"gap must be at most -1; {solver} came to"):
        SOLVERS[solver](impossible)


def test_a_smaller_gap_is_reached_by_more_steps_and_only_where_it_is_asked():
    pytest.importorskip("adelie")
    asked = problem(3, n=120, n_units=200)

    plain = SOLVERS["adelie"](asked)
    tight = SOLVERS["adelie"](asked._replace(tolerance=plain.gap / 5))

    assert tight.gap <= plain.gap / 5
    np.testing.assert_allclose(objective(asked, tight), objective(asked, plain), rtol=1e-5)


def test_probes_and_stable_units_carry_the_largest_gap():
    rng = np.random.default_rng(0)
    labels = np.arange(60) < 24
    values = rng.normal(size=(60, 20)) + labels[:, None] * (np.arange(20) < 2)

    probe = fit_sparse_probe(values, labels, np.arange(60), rng=rng, n_lambdas=6)
    stable = select_stable(values, labels, np.arange(60), rng=rng, pairs=3)
    flat = fit_sparse_probe(values * 0, labels, np.arange(60), rng=rng, n_lambdas=6)

    assert 0 < probe.duality_gap <= 1e-2
    assert 0 < stable.duality_gap <= 1e-2
    assert np.isnan(flat.duality_gap)
