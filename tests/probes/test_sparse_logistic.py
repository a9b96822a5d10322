import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV

import probes.sparse_solvers as solvers
from probes.errors import MeasureError
from probes.held_out import (
    area,
    balanced_accuracy,
    cross_validate,
    deal_folds,
    gap,
    sparsest,
)
from probes.measurement import Estimate
from probes.sparse_logistic import fit_sparse_probe
from probes.sparse_path import SparseLogisticPath, posed, standardised
from probes.sparse_solvers import (
    SOLVERS,
    NotConverged,
    default_solver,
    largest_lambda,
    objective,
    solve_adelie,
    solve_liblinear,
)

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=10, deadline=None)
both_solvers = pytest.mark.parametrize("solver", SOLVERS)


@pytest.fixture(autouse=True)
def _adelie_where_it_is(request):
    if "adelie" in request.node.name:
        pytest.importorskip("adelie")


def planted(seed, n_clusters=60, n_with=15, n_units=40, strength=2.0, repeats=3):
    """Units 3 and 7 know the concept; 3 rises and 7 falls."""
    rng = np.random.default_rng(seed)
    own = np.arange(n_clusters) < n_with
    clusters = np.repeat(np.arange(n_clusters), repeats)
    values = rng.normal(size=(n_clusters, n_units))[clusters]
    values += rng.normal(size=values.shape) / 2
    values[:, 3] += strength * own[clusters]
    values[:, 7] -= strength * own[clusters]
    return values * rng.uniform(0.5, 4, n_units) + rng.normal(size=n_units), own[clusters], clusters


def problem(seed, n=80, n_units=30):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) < n // 3
    values = np.maximum(
        rng.normal(size=(n, n_units)) + labels[:, None] * (np.arange(n_units) < 3), 0
    )
    weights = rng.uniform(0.5, 2, n) * (rng.random(n) < 0.8)
    return posed(
        standardised(values).design, labels, weights / weights.sum(), np.geomspace(1, 0.1, 6)
    )


@quick
@given(seed=seeds)
def test_adelie_and_liblinear_find_the_same_optimum(seed):
    pytest.importorskip("adelie")
    posed_problem = problem(seed)

    one, other = (
        objective(posed_problem, solve(posed_problem)) for solve in (solve_adelie, solve_liblinear)
    )

    np.testing.assert_allclose(one, other, rtol=1e-4)


@both_solvers
def test_the_largest_penalty_uses_no_unit_and_the_next_does(solver):
    posed_problem = problem(1)
    top = largest_lambda(posed_problem)
    nearby = posed_problem._replace(lambdas=top * np.array([1.001, 0.95]))

    coefficients = SOLVERS[solver](nearby).coefficients

    assert (np.abs(coefficients) > 1e-6).sum(axis=1).tolist()[0] == 0
    assert (np.abs(coefficients) > 1e-6).sum(axis=1).tolist()[1] >= 1


@both_solvers
def test_rows_of_weight_zero_have_no_say(solver):
    posed_problem = problem(2)
    spoiled = posed_problem.design.copy(order="F")
    spoiled[posed_problem.weights == 0] *= -1

    one = SOLVERS[solver](posed_problem)
    other = SOLVERS[solver](posed_problem._replace(design=spoiled))

    np.testing.assert_allclose(other.coefficients, one.coefficients, atol=1e-3)


@both_solvers
def test_the_estimator_agrees_with_scikit_learn_on_standardised_units(solver):
    values, labels, _ = planted(4, repeats=1)
    path = SparseLogisticPath(n_lambdas=5, solver=solver).fit(values, labels)

    units = (values - values.mean(axis=0)) / values.std(axis=0)
    oracle = LogisticRegression(
        l1_ratio=1,
        solver="saga",
        C=1 / (path.lambdas_[-1] * len(values)),
        tol=1e-7,
        max_iter=20_000,
    ).fit(units, labels)

    np.testing.assert_allclose(path.coef_path_[-1] * path.scale_, oracle.coef_[0], atol=5e-3)
    np.testing.assert_allclose(
        path.decision_function(values), oracle.decision_function(units), atol=2e-2
    )


def test_the_estimator_follows_scikit_learn():
    values, labels, _ = planted(5, repeats=1)
    names = np.where(labels, "shown", "hidden")

    search = GridSearchCV(
        SparseLogisticPath(n_lambdas=4, solver="liblinear"), {"chosen": [0, 1, 2, 3]}, cv=3
    ).fit(values, names)

    assert search.best_params_["chosen"] > 0
    assert search.score(values, names) > 0.9
    assert set(search.predict(values)) == {"shown", "hidden"}
    assert clone(search.best_estimator_).get_params() == search.best_estimator_.get_params()


@pytest.mark.parametrize("labels", [np.zeros(9), np.arange(9) % 3], ids=["one", "three"])
def test_the_estimator_wants_two_classes(labels):
    with pytest.raises(MeasureError, match="exactly 2 classes"):
        SparseLogisticPath().fit(np.ones((9, 2)), labels)


def test_the_estimator_wants_a_label_per_row_and_weight_on_both_classes():
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[9, 8\]"):
        SparseLogisticPath().fit(np.ones((9, 2)), np.arange(8) % 2)
    with pytest.raises(MeasureError, match="class 1 is left without one"):
        SparseLogisticPath().fit(np.eye(4), [0, 1, 0, 1], sample_weight=[1, 0, 1, 0])


@both_solvers
def test_a_planted_concept_is_found_held_out_and_by_its_units(solver):
    probe = fit_sparse_probe(*planted(6), rng=np.random.default_rng(0), n_lambdas=10, solver=solver)

    assert set(probe.units[:2]) == {3, 7}
    assert len(probe.units) < 15
    signs = dict(zip(probe.units.tolist(), np.sign(probe.weights), strict=True))
    assert (signs[3], signs[7]) == (1, -1)
    assert probe.auroc.low > 0.8
    assert probe.balanced_accuracy.value > 0.8
    assert probe.selectivity.low > 0
    assert (probe.solver, probe.n, probe.clusters, probe.folds) == (solver, 180, 60, 5)


def test_solvers_give_the_same_probe_with_adelie():
    one, other = (
        fit_sparse_probe(*planted(8), rng=np.random.default_rng(3), n_lambdas=8, solver=solver)
        for solver in ("adelie", "liblinear")
    )

    assert one.units.tolist() == other.units.tolist()
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-3)
    assert one.auroc.value == pytest.approx(other.auroc.value, abs=0.02)


def test_where_there_is_nothing_to_find_the_score_is_near_one_half_on_average():
    scores = [
        fit_sparse_probe(
            *planted(seed, strength=0.0, n_units=15), rng=np.random.default_rng(seed), n_lambdas=6
        )
        for seed in range(25)
    ]

    assert np.mean([probe.auroc.value for probe in scores]) == pytest.approx(0.5, abs=0.06)
    assert np.mean([probe.selectivity.value for probe in scores]) == pytest.approx(0, abs=0.06)
    assert np.mean([probe.auroc.low > 0.5 for probe in scores]) < 0.15


def test_choosing_among_many_penalties_does_not_flatter_the_score():
    rng = np.random.default_rng(1)
    values = []
    for _ in range(60):
        labels = np.arange(40) < 10
        noise = rng.normal(size=(40, 30))
        held_out = cross_validate(lambda training, n=noise: n, labels, deal_folds(labels, 5, rng))
        values.append(balanced_accuracy(held_out.scores, labels).value)

    assert np.mean(values) < 0.53


def test_the_same_generator_gives_the_same_probe():
    one, other = (
        fit_sparse_probe(*planted(9), rng=np.random.default_rng(5), n_lambdas=6) for _ in range(2)
    )

    np.testing.assert_array_equal(one.weights, other.weights)
    assert (one.auroc, one.selectivity) == (other.auroc, other.selectivity)


def test_order_and_repeats_of_stimuli_inside_clusters_do_not_matter():
    values, labels, clusters = planted(10)
    rows = np.random.default_rng(0).permutation(np.tile(np.arange(len(values)), 2))

    one = fit_sparse_probe(values, labels, clusters, rng=np.random.default_rng(5), n_lambdas=6)
    other = fit_sparse_probe(
        values[rows], labels[rows], clusters[rows], rng=np.random.default_rng(5), n_lambdas=6
    )

    assert one.units.tolist() == other.units.tolist()
    assert other.auroc.value == pytest.approx(one.auroc.value, abs=1e-3)


@pytest.mark.parametrize("change", [lambda v: 3 * v + 7, lambda v: v / 100 - 2])
def test_shift_and_scale_of_units_do_not_matter(change):
    values, labels, clusters = planted(10)

    one = fit_sparse_probe(values, labels, clusters, rng=np.random.default_rng(5), n_lambdas=6)
    other = fit_sparse_probe(
        change(values), labels, clusters, rng=np.random.default_rng(5), n_lambdas=6
    )

    assert one.units.tolist() == other.units.tolist()
    np.testing.assert_allclose(other.weights, one.weights, atol=1e-3)


def test_swapping_the_labels_turns_the_weights_over():
    values, labels, clusters = planted(11, n_with=30)

    one = fit_sparse_probe(values, labels, clusters, rng=np.random.default_rng(5), n_lambdas=6)
    other = fit_sparse_probe(values, ~labels, clusters, rng=np.random.default_rng(5), n_lambdas=6)

    signs = [dict(zip(p.units.tolist(), np.sign(p.weights), strict=True)) for p in (one, other)]
    assert signs[0][3] == -signs[1][3] == 1


def test_units_that_never_vary_are_undefined_not_neutral():
    values, labels, clusters = planted(12)

    probe = fit_sparse_probe(values * 0 + 0.1, labels, clusters, rng=np.random.default_rng(0))

    assert np.isnan([probe.auroc.value, probe.selectivity.value]).all()
    assert probe.reason == "no unit varies over the clusters"


def test_a_solver_that_fails_leaves_the_probe_undefined(monkeypatch):
    def fail(_):
        raise NotConverged("no answer in 64 bits")

    monkeypatch.setitem(SOLVERS, "stubborn", fail)

    probe = fit_sparse_probe(*planted(12), rng=np.random.default_rng(0), solver="stubborn")

    assert np.isnan(probe.auroc.value)
    assert probe.reason == "no answer in 64 bits"


def test_adelie_tries_again_in_64_bits_and_then_says_so(monkeypatch):
    tried = []

    def fail(_, kind, tolerance):
        tried.append(kind)
        raise RuntimeError

    monkeypatch.setattr(solvers, "_adelie", fail)

    with pytest.raises(NotConverged, match="32 or 64 bits"):
        solve_adelie(problem(1))
    assert tried == [np.float32, np.float64]


def test_without_adelie_scikit_learn_is_used(monkeypatch):
    def missing(_):
        raise ImportError

    monkeypatch.setattr(solvers, "import_module", missing)
    default_solver.cache_clear()

    assert default_solver() == "liblinear"
    default_solver.cache_clear()


def test_the_dense_baseline_reads_what_is_spread_over_many_units():
    rng = np.random.default_rng(0)
    labels = np.arange(80) < 40
    values = rng.normal(size=(80, 60)) + labels[:, None] * 0.5

    probe = fit_sparse_probe(
        values, labels, np.arange(80), rng=rng, n_lambdas=5, dense=True, solver="liblinear"
    )

    assert probe.dense_auroc.value > 0.85


@pytest.mark.parametrize("n_with", [4, 56])
def test_too_few_clusters_on_a_side_are_refused(n_with):
    with pytest.raises(MeasureError, match="at least 5 clusters on each side"):
        fit_sparse_probe(*planted(1, n_with=n_with), rng=np.random.default_rng(0))


def test_five_clusters_are_enough():
    values, labels, clusters = planted(1, n_with=5, strength=4.0)

    probe = fit_sparse_probe(values, labels, clusters, rng=np.random.default_rng(0), folds=9)

    assert probe.folds == 5
    assert probe.auroc.value > 0.8


def test_a_cluster_with_both_labels_and_a_nan_are_refused():
    values, labels, clusters = planted(1)
    with pytest.raises(MeasureError, match="same label"):
        fit_sparse_probe(values, np.roll(labels, 1), clusters, rng=np.random.default_rng(0))
    values[0, 2] = np.nan
    with pytest.raises(MeasureError, match=r"in units \[2\]"):
        fit_sparse_probe(values, labels, clusters, rng=np.random.default_rng(0))


@given(seed=seeds, folds=st.integers(2, 6))
@settings(max_examples=30, deadline=None)
def test_folds_deal_out_each_class_evenly(seed, folds):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(37) < 11)

    fold = deal_folds(labels, folds, rng)

    for side in (labels, ~labels):
        sizes = np.bincount(fold[side], minlength=folds)
        assert sizes.max() - sizes.min() <= 1
        assert len(sizes) == folds


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_scores_equal_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    labels, scores = rng.permutation(np.arange(30) < 8), rng.normal(size=30)

    assert area(scores, labels).value == pytest.approx(roc_auc_score(labels, scores))
    found = balanced_accuracy(scores, labels)
    assert found.value == pytest.approx(balanced_accuracy_score(labels, scores > 0))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_model_that_says_nothing_scores_one_half():
    labels = np.arange(20) < 6

    assert area(np.zeros(20), labels).value == 0.5
    assert np.isnan(area(np.zeros(20), labels).low)
    assert balanced_accuracy(np.zeros(20), labels).value == 0.5


def test_the_sparsest_within_one_standard_error_is_chosen():
    labels = np.arange(100) < 50
    right = np.where(labels, 1.0, -1.0)
    wrong = {count: np.where(np.arange(100) < count, -right, right) for count in (0, 6, 7, 20)}

    def chosen(*counts):
        return sparsest(np.stack([wrong[count] for count in counts], axis=1), labels)

    assert chosen(20, 7, 6) == 1
    assert chosen(20, 7, 0) == 2
    assert chosen(20, 20, 7, 7) == 2


def test_a_gap_keeps_both_intervals_in_mind():
    found = gap(Estimate(value=0.9, low=0.8, high=0.95), Estimate(value=0.5, low=0.4, high=0.6))

    assert found.value == pytest.approx(0.4)
    assert found.low == pytest.approx(0.4 - np.hypot(0.1, 0.1))
    assert found.high == pytest.approx(0.4 + np.hypot(0.05, 0.1))


def test_the_dense_baseline_is_that_of_scikit_learn_on_the_folds_of_the_sparse_probe():
    values, labels, clusters = planted(13, n_units=12)
    probe = fit_sparse_probe(
        values, labels, clusters, rng=np.random.default_rng(0), n_lambdas=6, folds=3, dense=True
    )
    own = np.arange(60) < 15
    means = np.stack([values[clusters == c].mean(axis=0) for c in range(60)])

    margins = np.empty((60, 3))
    for number in range(3):
        inside = probe.fold == number
        weight = np.where(own, 0.5 / own[~inside].sum(), 0.5 / (~own)[~inside].sum())[~inside]
        mean = weight @ means[~inside]
        spread = np.sqrt(weight @ (means[~inside] - mean) ** 2)
        scaled = (means - mean) / spread
        for column, strength in enumerate((1e-1, 1e-3, 1e-5)):
            model = LogisticRegression(C=1 / (12 * strength), max_iter=2000, tol=1e-6)
            model.fit(scaled[~inside], own[~inside], sample_weight=weight)
            margins[inside, column] = model.decision_function(scaled[inside])
    scores = np.empty(60)
    for number in range(3):
        inside = probe.fold == number
        scores[inside] = margins[inside, sparsest(margins[~inside], own[~inside])]

    assert np.bincount(probe.fold[own]).tolist() == [5, 5, 5]
    assert probe.dense_auroc.value == pytest.approx(roc_auc_score(own, scores), abs=0.01)


def test_asking_for_the_baseline_changes_nothing_else():
    one = fit_sparse_probe(*planted(14), rng=np.random.default_rng(2), n_lambdas=6)
    other = fit_sparse_probe(*planted(14), rng=np.random.default_rng(2), n_lambdas=6, dense=True)

    assert np.isnan(one.dense_auroc.value)
    assert one.auroc == other.auroc
    assert one.control_auroc == other.control_auroc
    np.testing.assert_array_equal(one.fold, other.fold)
