"""Paths of sparse logistic regressions as a scikit-learn estimator."""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from probes.errors import MeasureError
from probes.sparse_solvers import SOLVERS, Design, Problem, default_solver, largest_lambda

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]

SMALLEST_RATIO = 0.1
"""Where the path ends, as a share of the penalty at which no unit is used."""


class Rows(NamedTuple):
    """Values of clusters in a form that solvers like, and the way back."""

    design: Design
    """Standardised over all rows, which only helps the numbers; shape (n_rows, n_units)."""

    mean: Floats
    scale: Floats


def standardised(values: Floats) -> Rows:
    """Give every unit mean 0 and standard deviation 1; units that do not vary become 0.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_units)
    """
    mean, scale = values.mean(axis=0), values.std(axis=0)
    # averaging may leave a constant unit with a spread of rounding errors
    constant: NDArray[np.bool_] = scale <= 1e-9 * np.abs(values).max(axis=0)
    scale = np.where(constant, 1.0, scale)
    design = np.asfortranarray((values - mean) / scale, dtype=np.float32)
    design[:, constant] = 0
    return Rows(design, mean, scale)


def posed(design: Design, labels: Labels, weights: Floats, ratios: Floats) -> Problem:
    """Pose a path whose penalties are shares of the one at which no unit is used.

    Units are penalised by their spread in the weighted rows, which is to standardise by these rows
    alone: rows of weight 0 have no say.

    Parameters
    ----------
    design : ndarray of shape (n_rows, n_units)
        Of `standardised`.
    labels : bool ndarray of shape (n_rows,)
    weights : ndarray of shape (n_rows,)
        Adding up to 1.
    ratios : ndarray of shape (n_lambdas,)
        Falling, between 0 and 1.
    """
    light = weights.astype(np.float32)
    mean = light @ design
    spread = np.sqrt(np.maximum(light @ design**2 - mean**2, 0)).astype(np.float64)
    problem = Problem(
        design=design,
        labels=labels,
        weights=weights,
        factors=np.where(spread > 1e-3, spread, 1.0),
        lambdas=ratios,
    )
    return problem._replace(lambdas=ratios * largest_lambda(problem))


class SparseLogisticPath(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """L1 logistic regression for a path of penalties, on standardised units.

    Follows scikit-learn's conventions for two classes. Minimises the weighted mean of the
    logistic loss plus ``lambda`` times the sum of absolute weights per standard deviation.

    Parameters
    ----------
    n_lambdas : int
        Penalties, in equal steps of their logarithm.
    min_ratio : float
        Smallest penalty as a share of the one at which no unit is used.
    chosen : int
        Index of the penalty that ``predict`` uses; the last by default.
    solver : str, optional
        Name in ``probes.sparse_solvers.SOLVERS``; the fastest installed by default.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    lambdas_ : ndarray of shape (n_lambdas,)
        Falling.
    coef_path_ : ndarray of shape (n_lambdas, n_units)
        Weights per unit of activation.
    intercept_path_ : ndarray of shape (n_lambdas,)
    scale_ : ndarray of shape (n_units,)
        Standard deviations; ``coef_path_ * scale_`` are weights per standard deviation.

    Examples
    --------
    >>> values = np.array([[0.0, 1.0], [0.2, 0.0], [0.9, 1.0], [1.0, 0.0]])
    >>> path = SparseLogisticPath(n_lambdas=3, solver="liblinear")
    >>> path.fit(values, [0, 0, 1, 1]).predict(values).tolist()
    [0, 0, 1, 1]
    """

    def __init__(
        self,
        *,
        n_lambdas: int = 20,
        min_ratio: float = SMALLEST_RATIO,
        chosen: int = -1,
        solver: str | None = None,
    ) -> None:
        self.n_lambdas = n_lambdas
        self.min_ratio = min_ratio
        self.chosen = chosen
        self.solver = solver

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the whole path."""
        values, labels = np.asarray(X, dtype=np.float64), np.asarray(y)
        self.classes_ = np.unique(labels)
        if values.ndim != 2 or len(values) != len(labels) or len(self.classes_) != 2:
            raise MeasureError(
                "A probe needs one row of values per label and exactly 2 classes; "
                f"got shape {values.shape}, {len(labels)} labels and classes {self.classes_}."
            )
        weights = np.ones(len(values)) if sample_weight is None else np.asarray(sample_weight)
        rows = standardised(values)
        problem = posed(
            rows.design,
            labels == self.classes_[1],
            weights / weights.sum(),
            np.geomspace(1, self.min_ratio, self.n_lambdas),
        )
        path = SOLVERS[self.solver or default_solver()](problem)
        self.lambdas_ = problem.lambdas
        self.scale_ = problem.factors * rows.scale
        self.coef_path_ = path.coefficients / rows.scale
        self.intercept_path_ = path.intercepts - self.coef_path_ @ rows.mean
        self.n_features_in_ = values.shape[1]
        return self

    def decision_path(self, X: ArrayLike) -> Floats:
        """Return log odds of the second class for every penalty, shape (n_rows, n_lambdas)."""
        check_is_fitted(self)
        odds: Floats = np.asarray(X, dtype=np.float64) @ self.coef_path_.T
        return odds + self.intercept_path_

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return log odds of the second class at the chosen penalty, shape (n_rows,)."""
        return self.decision_path(X)[:, self.chosen]

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier class of every row."""
        classes: NDArray[Any] = self.classes_[(self.decision_function(X) > 0).astype(int)]
        return classes
