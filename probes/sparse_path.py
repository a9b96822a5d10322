"""Paths of sparse logistic regressions as a scikit-learn estimator."""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from probes.errors import MeasureError
from probes.sparse_problem import LARGEST_GAP, Design, Problem, largest_lambda
from probes.sparse_solvers import SOLVERS, default_solver

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


def posed(
    design: Design,
    labels: Labels,
    weights: Floats,
    ratios: Floats,
    *,
    squares: Design | None = None,
) -> Problem:
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
    squares : ndarray of shape (n_rows, n_units), optional
        ``design**2``, where many paths of one design are posed.
    """
    light = weights.astype(np.float32)
    mean = light @ design
    power = light @ (design**2 if squares is None else squares)
    spread = np.sqrt(np.maximum(power - mean**2, 0)).astype(np.float64)
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
    tolerance : float
        Largest relative duality gap of an answer; a smaller one is reached by more steps.

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
    duality_gaps_ : ndarray of shape (n_lambdas,)
        Share of the optimal objective by which each fit may exceed it, at most.

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
        tolerance: float = LARGEST_GAP,
    ) -> None:
        self.n_lambdas = n_lambdas
        self.min_ratio = min_ratio
        self.chosen = chosen
        self.solver = solver
        self.tolerance = tolerance

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that there are two classes."""
        tags: Tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the whole path.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_units)
        y : array-like of shape (n_rows,)
            Two classes.
        sample_weight : array-like of shape (n_rows,), optional
            At least 0; rows of weight 0 only help to scale the numbers.

        Raises
        ------
        MeasureError
            If there are not exactly two classes with weight.
        NotConverged
            If the duality gap stays above ``tolerance``.
        """
        values, given = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(given)
        weights = _check_sample_weight(
            sample_weight, values, dtype=np.float64, ensure_non_negative=True
        )
        self.classes_ = np.unique(given)
        labels: Labels = given == self.classes_[-1]
        _check_classes(self.classes_, labels, weights)
        rows = standardised(values)
        ratios = np.geomspace(1, self.min_ratio, self.n_lambdas)
        problem = posed(rows.design, labels, weights / weights.sum(), ratios)
        solve = SOLVERS[self.solver or default_solver()]
        path = solve(problem._replace(tolerance=self.tolerance))
        self.lambdas_ = problem.lambdas
        self.scale_ = problem.factors * rows.scale
        self.coef_path_ = path.coefficients / rows.scale
        self.intercept_path_ = path.intercepts - self.coef_path_ @ rows.mean
        self.duality_gaps_ = path.gaps
        return self

    def decision_path(self, X: ArrayLike) -> Floats:
        """Return log odds of the second class for every penalty, shape (n_rows, n_lambdas)."""
        check_is_fitted(self)
        odds: Floats = validate_data(self, X, dtype=np.float64, reset=False) @ self.coef_path_.T
        return odds + self.intercept_path_

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return log odds of the second class at the chosen penalty, shape (n_rows,)."""
        return self.decision_path(X)[:, self.chosen]

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier class of every row."""
        second = (self.decision_function(X) > 0).astype(int)
        classes: NDArray[Any] = self.classes_[second]
        return classes


def _check_classes(classes: NDArray[Any], labels: Labels, weights: Floats) -> None:
    if len(classes) != 2:
        raise MeasureError(
            "A probe needs exactly 2 classes. Only binary classification is supported. "
            f"Got {len(classes)} class(es): {classes.tolist()[:5]}. Fit one class against the rest."
        )
    if not weights @ labels > 0 or not weights @ ~labels > 0:
        raise MeasureError(
            "A probe needs rows of both classes with a sample weight above 0; class "
            f"{classes[int(weights @ ~labels > 0)]} is left without one."
        )
