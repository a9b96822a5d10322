"""L1 logistic regression along a path of penalties: the problem and its answers.

For labels y in {0, 1}, weights w that add up to 1 and penalties per unit f, answers minimise

    sum_i w_i (log(1 + exp(m_i)) - y_i m_i) + lambda sum_u f_u |b_u|,   m_i = a + sum_u x_iu b_u

with the intercept a free. Penalties in proportion to the standard deviation of a unit are the
same as standardising it, without a copy of the data for every fold. How far an answer is from the
optimum is computed from the data and the answer alone: no solver is believed on its word.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, expit

Floats = NDArray[np.float64]
Design = NDArray[np.float32]

LARGEST_GAP = 1e-2
"""Relative duality gap above which an answer is refused. The gap falls with the distance to the
optimum, the shortfall of the objective with its square: at a gap of 2e-3 a shortfall of 7e-7 was
measured."""

_NEAR_ENOUGH = 1e-6
"""Newton step after which the next would be lost in rounding."""

_INTERCEPT_STEPS = 4
"""Newton steps of the dual point's intercept, which starts at the solver's."""


class NotConverged(ArithmeticError):
    """The solver gave no answer; the measure is undefined there."""


class Path(NamedTuple):
    """Solutions for falling penalties."""

    coefficients: Floats
    """Shape (n_lambdas, n_units)."""

    intercepts: Floats
    """Shape (n_lambdas,)."""

    gaps: Floats = np.empty(0)
    """Relative duality gap of each solution, shape (n_lambdas,); empty where none was asked for."""

    @property
    def gap(self) -> float:
        """The largest of ``gaps``; 0 is the optimum, NaN where there are none."""
        return float(self.gaps.max()) if self.gaps.size else float("nan")

    def margins(self, design: Design) -> Floats:
        """Return the log odds of every row, shape (n_rows, n_lambdas)."""
        odds: Floats = (design @ self.coefficients.T.astype(np.float32)).astype(np.float64)
        return odds + self.intercepts


class Problem(NamedTuple):
    """One path to solve."""

    design: Design
    """Shape (n_rows, n_units), in Fortran order, columns of about unit size."""

    labels: NDArray[np.bool_]
    weights: Floats
    """One per row, adding up to 1; 0 leaves a row out."""

    factors: Floats
    """Penalty of each unit relative to the others, shape (n_units,), all above 0."""

    lambdas: Floats
    """Falling."""

    tolerance: float = LARGEST_GAP
    """Largest relative duality gap of an answer."""


def objective(problem: Problem, path: Path) -> Floats:
    """Return what each solution of a path costs, shape (n_lambdas,)."""
    margins = problem.design.astype(np.float64) @ path.coefficients.T + path.intercepts
    loss = np.logaddexp(0, margins) - problem.labels[:, None] * margins
    penalty = problem.lambdas * (np.abs(path.coefficients) @ problem.factors)
    total: Floats = problem.weights @ loss + penalty
    return total


def largest_lambda(problem: Problem) -> float:
    """Return the smallest penalty at which no unit is used."""
    share = problem.weights @ problem.labels
    pull = problem.design.T @ (problem.weights * (problem.labels - share)).astype(np.float32)
    return float(np.max(np.abs(pull) / problem.factors))


def duality_gaps(problem: Problem, path: Path) -> Floats:
    """Bound how far each solution of a path can be from the optimum.

    The gap between what a solution costs and a value below which no solution can get: the dual
    objective at its residuals, made feasible by an exact intercept and by shrinking. It needs
    neither the solver nor the optimum. Products are in 32 bits, sums over rows in 64: gaps below
    1e-6 are rounding.

    Parameters
    ----------
    problem : Problem
    path : Path
        Any answer to it, good or bad.

    Returns
    -------
    ndarray of shape (n_lambdas,)
        Share of the optimal objective by which the solution may exceed it, at most; 0 is the
        optimum, infinity where nothing can be said.

    References
    ----------
    Massias, Vaiter, Gramfort & Salmon (2020), JMLR 21 (234), section 2, for the dual point;
    Boyd & Vandenberghe (2004), Convex Optimization, section 5.5.1, for gaps as a bound.

    Examples
    --------
    >>> design = np.asfortranarray([[1.0], [-1.0], [1.0], [-1.0]], dtype=np.float32)
    >>> labels, weights = np.array([True, False, False, True]), np.full(4, 0.25)
    >>> lone = Problem(design, labels, weights, np.ones(1), np.array([0.1]))
    >>> duality_gaps(lone, Path(np.array([[0.0], [1.0]]), np.zeros(2))).round(3)
    array([0.   , 0.857])
    """
    active = path.coefficients.any(axis=0)
    odds = (problem.design[:, active] @ path.coefficients[:, active].T.astype(np.float32)).astype(
        np.float64
    )
    labels, weights = problem.labels[:, None], problem.weights[:, None]
    margins = odds + path.intercepts
    penalty = problem.lambdas * (np.abs(path.coefficients) @ problem.factors)
    primal = problem.weights @ (_softplus(margins) - labels * margins) + penalty
    chances = expit(odds + _best_intercepts(odds, problem, path.intercepts))
    pull = problem.design.T @ (weights * (labels - chances)).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = problem.lambdas / (np.abs(pull) / problem.factors[:, None]).max(axis=0)
        shrunk = labels + np.minimum(reach, 1) * (chances - labels)
        dual = problem.weights @ (entr(shrunk) + entr(1 - shrunk))
        gaps: Floats = np.maximum(primal - dual, 0) / dual
    return np.where(np.isnan(gaps), np.inf, gaps)


def _best_intercepts(odds: Floats, problem: Problem, start: Floats) -> Floats:
    """Find intercepts at which residuals add up to 0, as the dual wants; shape (n_lambdas,)."""
    share, intercepts = problem.weights @ problem.labels, start
    for _ in range(_INTERCEPT_STEPS):
        chances = expit(odds + intercepts)
        slope = problem.weights @ (chances * (1 - chances))
        step = (share - problem.weights @ chances) / np.maximum(slope, 1e-12)
        intercepts = intercepts + np.clip(step, -2, 2)
        if np.abs(step).max() < _NEAR_ENOUGH:
            break
    return intercepts


def _softplus(margins: Floats) -> Floats:
    """Return ``log(1 + exp(margins))``; a third of the time of ``logaddexp``."""
    value: Floats = np.maximum(margins, 0) + np.log1p(np.exp(-np.abs(margins)))
    return value
