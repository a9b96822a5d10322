"""A probe with three units has three, by name, and its score is that of clusters it never saw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import probes.fixed_units as fixed_units
from probes.errors import MeasureError
from probes.fixed_units import balanced, by_cluster, few_units, fit_fixed_units, used
from probes.sparse_path import standardised
from probes.sparse_solvers import SOLVERS, NotConverged, default_solver

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=8, deadline=None)


def planted(seed, n_clusters=60, n_with=15, n_units=30, strength=2.0, repeats=2):
    """Units 3 and 7 know the concept; 3 rises and 7 falls."""
    rng = np.random.default_rng(seed)
    own = np.arange(n_clusters) < n_with
    clusters = np.repeat(np.arange(n_clusters), repeats)
    values = rng.normal(size=(n_clusters, n_units))[clusters]
    values[:, 3] += strength * own[clusters]
    values[:, 7] -= strength * own[clusters]
    return values * rng.uniform(0.5, 4, n_units) + rng.normal(size=n_units), own[clusters], clusters


def fit(seed=0, **options):
    return fit_fixed_units(*planted(seed), rng=np.random.default_rng(1), **options)


@quick
@given(seed=seeds, wanted=st.integers(1, 3))
def test_a_probe_has_as_many_units_as_wanted(seed, wanted):
    probe = fit(seed, n_units=wanted, folds=2)

    assert len(probe.units) == wanted
    assert (np.diff(np.abs(probe.weights)) <= 0).all()


def test_where_the_path_ends_before_the_wanted_number_there_are_fewer():
    probe = fit(5, n_units=30, folds=2)

    assert 2 < len(probe.units) < probe.wanted == 30
    assert probe.ratio == pytest.approx(0.1)


def test_the_planted_units_come_first_with_their_signs():
    probe = fit(n_units=2)

    assert set(probe.units.tolist()) == {3, 7}
    signs = dict(zip(probe.units.tolist(), np.sign(probe.weights), strict=True))
    assert (signs[3], signs[7]) == (1, -1)
    assert probe.auroc.low > 0.7


def test_the_fit_is_the_optimum_of_scikit_learn_at_its_penalty():
    values, labels, clusters = planted(3)
    given_rows = by_cluster(values, labels, clusters)
    rows = standardised(given_rows.means)
    weights = balanced(given_rows.labels, np.ones(60, dtype=bool))

    fitted = few_units(rows.design, given_rows.labels, weights, 3)

    units = rows.design.astype(np.float64) / fitted.deviations
    share = weights @ given_rows.labels
    top = np.abs(units.T @ (weights * (given_rows.labels - share))).max()
    oracle = LogisticRegression(
        l1_ratio=1, solver="saga", C=1 / (top * fitted.ratio), tol=1e-8, max_iter=20_000
    ).fit(units, given_rows.labels, sample_weight=weights)
    np.testing.assert_allclose(fitted.coefficients * fitted.deviations, oracle.coef_[0], atol=5e-3)


def test_scores_of_new_rows_are_log_odds_in_the_units_of_the_layer():
    values, labels, clusters = planted(4)

    probe = fit_fixed_units(values, labels, clusters, rng=np.random.default_rng(0))

    by_hand = probe.intercept + sum(
        c * values[:, u] for u, c in zip(probe.units, probe.coefficients, strict=True)
    )
    np.testing.assert_allclose(probe.scores(values), by_hand)
    assert ((probe.scores(values) > 0) == labels).mean() > 0.9


def test_weights_are_per_standard_deviation_of_clusters_both_sides_weighing_the_same():
    values, labels, clusters = planted(4)
    probe = fit_fixed_units(values, labels, clusters, rng=np.random.default_rng(0))

    rows = by_cluster(values, labels, clusters)
    weights = balanced(rows.labels, np.ones(60, dtype=bool))
    mean = weights @ rows.means
    deviations = np.sqrt(weights @ (rows.means - mean) ** 2)[probe.units]

    np.testing.assert_allclose(probe.weights, probe.coefficients * deviations, rtol=1e-4)


@pytest.mark.parametrize("change", [lambda v: 3 * v + 7, lambda v: v / 100 - 2])
def test_shift_and_scale_of_units_change_neither_probe_nor_scores(change):
    values, labels, clusters = planted(5)

    one, other = (
        fit_fixed_units(v, labels, clusters, rng=np.random.default_rng(0))
        for v in (values, change(values))
    )

    assert one.units.tolist() == other.units.tolist()
    np.testing.assert_allclose(other.weights, one.weights, atol=2e-3)
    np.testing.assert_allclose(other.scores(change(values)), one.scores(values), atol=1e-2)


def test_repeating_the_stimuli_of_a_cluster_changes_nothing():
    values, labels, clusters = planted(6)
    rows = np.concatenate([np.arange(len(labels)), np.flatnonzero(clusters == 2)])

    one = fit_fixed_units(values, labels, clusters, rng=np.random.default_rng(0))
    other = fit_fixed_units(
        values[rows], labels[rows], clusters[rows], rng=np.random.default_rng(0)
    )

    assert one.units.tolist() == other.units.tolist()
    np.testing.assert_allclose(other.weights, one.weights, atol=1e-4)


def test_units_that_enter_together_stay_out_together(monkeypatch):
    """No penalty uses exactly one of two equal units, if the solver shares between them."""
    solve = SOLVERS[default_solver()]

    def sharing(problem):
        path = solve(problem)
        twin = path.coefficients[:, [0, 1]].mean(axis=1, keepdims=True)
        path.coefficients[:, [0, 1]] = twin
        return path

    monkeypatch.setitem(SOLVERS, "sharing", sharing)
    values, labels, clusters = planted(7)
    values[:, [0, 1]] = values[:, [3]]

    probe = fit_fixed_units(
        values[:, [0, 1, 2, 4]],
        labels,
        clusters,
        rng=np.random.default_rng(0),
        n_units=1,
        solver="sharing",
    )

    assert len(probe.units) == 0
    assert probe.auroc.value == 0.5


def test_without_anything_to_find_the_held_out_score_is_near_one_half_on_average():
    scores = [
        fit_fixed_units(
            *planted(seed, strength=0.0, n_units=10, repeats=1), rng=np.random.default_rng(seed)
        ).auroc.value
        for seed in range(20)
    ]

    assert np.mean(scores) == pytest.approx(0.5, abs=0.08)


def test_too_few_clusters_and_units_that_never_vary_have_a_reason():
    values, labels, clusters = planted(8)
    few = clusters >= 11

    lacking = fit_fixed_units(
        values[few], labels[few], clusters[few] - 11, rng=np.random.default_rng(0)
    )
    flat = fit_fixed_units(values * 0, labels, clusters, rng=np.random.default_rng(0))

    assert "at least 5 clusters on each side; got 4 with the label and 45" in lacking.reason
    assert np.isnan(lacking.auroc.value)
    assert np.isnan(lacking.scores(values)).all()
    assert "no unit varies" in flat.reason


def test_a_solver_that_fails_leaves_the_probe_undefined(monkeypatch):
    def fail(_):
        raise NotConverged("no answer in 64 bits")

    monkeypatch.setitem(SOLVERS, "stubborn", fail)

    assert fit(solver="stubborn").reason == "no answer in 64 bits"


def test_no_units_wanted_both_labels_and_nan_are_refused():
    values, labels, clusters = planted(9)
    rng = np.random.default_rng(0)
    with pytest.raises(MeasureError, match="at least 1 unit and 2 folds; got 0 and 5"):
        fit(n_units=0)
    with pytest.raises(MeasureError, match="got 3 and 1"):
        fit(folds=1)
    with pytest.raises(MeasureError, match="same label"):
        fit_fixed_units(values, np.roll(labels, 1), clusters, rng=rng)
    values[0, 2] = np.nan
    with pytest.raises(MeasureError, match=r"in units \[2\]"):
        fit_fixed_units(values, labels, clusters, rng=rng)


def test_rounding_errors_are_not_used_units():
    assert used(np.array([[1.0, 1e-9, -0.2], [0.0, 0.0, 0.0]])).tolist() == [
        [True, False, True],
        [False, False, False],
    ]
    assert fixed_units.ARTICLE_UNITS == 3


def test_given_folds_are_the_ones_that_are_left_out():
    values, labels, clusters = planted(8)
    own, means = by_cluster(values, labels, clusters)[::-1]
    fold = np.arange(60) % 4

    probe = fit_fixed_units(values, labels, clusters, rng=np.random.default_rng(0), fold=fold)
    again = fit_fixed_units(values, labels, clusters, rng=np.random.default_rng(9), fold=fold)

    rows, scores = standardised(means), np.empty(60)
    for number in range(4):
        one = few_units(rows.design, own, balanced(own, fold != number), 3)
        scores[fold == number] = (rows.design @ one.coefficients + one.intercept)[fold == number]
    expected = np.mean(scores[own][:, None] > scores[~own][None, :])
    assert probe.auroc.value == pytest.approx(expected, abs=1e-4)
    assert again.auroc == probe.auroc


@pytest.mark.parametrize("fold", [np.zeros(60, int), np.arange(59) % 3])
def test_folds_that_do_not_fit_are_refused(fold):
    with pytest.raises(MeasureError, match="one fold per cluster, of at least 2 folds"):
        fit(fold=fold)
