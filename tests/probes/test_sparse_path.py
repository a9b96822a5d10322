"""The estimator keeps scikit-learn's promises, and its paths those of weights and gaps."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from probes.sparse_path import SparseLogisticPath, posed, standardised
from probes.sparse_solvers import SOLVERS

NOT_MEANT = {
    "check_sample_weight_equivalence_on_dense_data": "32-bit solvers stop before 9 equal digits",
}


@parametrize_with_checks(
    [SparseLogisticPath(n_lambdas=4, solver="liblinear")],
    expected_failed_checks=lambda _: NOT_MEANT,
)
def test_the_estimator_keeps_the_promises_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_weight_counts_as_so_many_rows(solver):
    if solver == "adelie":
        pytest.importorskip("adelie")
    rng = np.random.default_rng(0)
    values, times = rng.normal(size=(60, 12)), rng.integers(0, 4, 60)
    labels = values[:, 0] + rng.normal(size=60) > 0

    weighted = SparseLogisticPath(n_lambdas=5, solver=solver, tolerance=1e-4).fit(
        values, labels, sample_weight=times
    )
    rows = np.repeat(np.arange(60), times)
    repeated = SparseLogisticPath(n_lambdas=5, solver=solver, tolerance=1e-4).fit(
        values[rows], labels[rows]
    )

    np.testing.assert_allclose(weighted.lambdas_, repeated.lambdas_, rtol=1e-5)
    np.testing.assert_allclose(weighted.coef_path_, repeated.coef_path_, atol=1e-3)


def test_squares_computed_once_change_nothing():
    rng = np.random.default_rng(1)
    values, labels = rng.normal(size=(40, 9)), np.arange(40) < 15
    design, ratios = standardised(values).design, np.array([1.0, 0.5])

    plain = posed(design, labels, np.full(40, 1 / 40), ratios)
    shared = posed(design, labels, np.full(40, 1 / 40), ratios, squares=design**2)

    np.testing.assert_array_equal(shared.factors, plain.factors)
    np.testing.assert_array_equal(shared.lambdas, plain.lambdas)


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_estimator_carries_the_gap_of_every_fit_and_reaches_what_is_asked(solver):
    if solver == "adelie":
        pytest.importorskip("adelie")
    rng = np.random.default_rng(2)
    values = rng.normal(size=(80, 60))
    labels = values[:, :3].sum(axis=1) + rng.normal(size=80) > 0

    fitted = SparseLogisticPath(n_lambdas=6, solver=solver, tolerance=2e-5).fit(values, labels)

    assert fitted.duality_gaps_.shape == (6,)
    assert fitted.duality_gaps_.max() <= 2e-5
