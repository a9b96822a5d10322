"""Solvers of L1 logistic regression along a path of penalties.

All minimise, for labels y in {0, 1}, weights w that add up to 1 and penalties per unit f,

    sum_i w_i (log(1 + exp(m_i)) - y_i m_i) + lambda sum_u f_u |b_u|,   m_i = a + sum_u x_iu b_u

with the intercept a free. Penalties in proportion to the standard deviation of a unit are the
same as standardising it, without a copy of the data for every fold.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Design = NDArray[np.float32]


class NotConverged(ArithmeticError):
    """The solver gave no answer; the measure is undefined there."""


class Path(NamedTuple):
    """Solutions for falling penalties."""

    coefficients: Floats
    """Shape (n_lambdas, n_units)."""

    intercepts: Floats
    """Shape (n_lambdas,)."""

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


def solve_adelie(problem: Problem) -> Path:
    """Solve with adelie: the whole path in one warm-started call, 32 bits, then 64 if it fails."""
    for kind in (np.float32, np.float64):
        try:
            return _adelie(problem, kind)
        except RuntimeError:
            continue
    raise NotConverged("adelie did not converge in 32 or 64 bits")


def _adelie(problem: Problem, kind: type[np.floating[Any]]) -> Path:
    adelie = import_module("adelie")
    state = adelie.grpnet(
        np.asfortranarray(problem.design, dtype=kind),
        adelie.glm.binomial(
            problem.labels.astype(kind), weights=problem.weights.astype(kind), dtype=kind
        ),
        penalty=problem.factors.astype(kind),
        lmda_path=problem.lambdas.astype(kind),
        # otherwise the path ends where adelie thinks that enough is explained
        early_exit=False,
        adev_tol=1,
        ddev_tol=0,
        progress_bar=False,
    )
    if len(state.intercepts) != len(problem.lambdas):
        raise RuntimeError("adelie ended the path early")
    return Path(state.betas.toarray().astype(np.float64), np.array(state.intercepts, np.float64))


def solve_liblinear(problem: Problem) -> Path:
    """Solve with scikit-learn, one penalty after the other: exact, and some 80 times slower."""
    # where no unit is used the intercept is known, and the solver would look for it for ever
    empty = problem.lambdas >= largest_lambda(problem) * (1 - 1e-6)
    share = problem.weights @ problem.labels
    path = Path(
        np.zeros((len(empty), problem.design.shape[1])),
        np.full(len(empty), np.log(share / (1 - share))),
    )
    for at in np.flatnonzero(~empty):
        # liblinear penalises the intercept; a large scaling makes that too small to matter
        options = {"l1_ratio": 1, "solver": "liblinear", "intercept_scaling": 1e3, "tol": 1e-5}
        fitted = _scikit(problem, problem.lambdas[at], max_iter=5000, random_state=0, **options)
        path.coefficients[at], path.intercepts[at] = fitted
    return path


def solve_dense(problem: Problem) -> Path:
    """Solve with an L2 penalty instead: the dense baseline, three strengths of shrinkage."""
    options = {"max_iter": 2000, "tol": 1e-6}
    fitted = [_scikit(problem, penalty, **options) for penalty in problem.lambdas]
    return Path(np.array([c for c, _ in fitted]), np.array([a for _, a in fitted]))


def _scikit(problem: Problem, penalty: float, **options: Any) -> tuple[Floats, float]:
    """Coefficients and intercept of scikit-learn's solution for one penalty."""
    rows = problem.weights > 0
    model = import_module("sklearn.linear_model").LogisticRegression(C=1 / penalty, **options)
    design = problem.design[rows].astype(np.float64) / problem.factors
    model.fit(design, problem.labels[rows], sample_weight=problem.weights[rows])
    coefficients: Floats = model.coef_[0] / problem.factors
    return coefficients, float(model.intercept_[0])


SOLVERS: dict[str, Callable[[Problem], Path]] = {
    "adelie": solve_adelie,
    "liblinear": solve_liblinear,
}
"""Name -> solver of L1 paths; all give the same answer."""


@cache
def default_solver() -> str:
    """Return the fastest solver that this installation has."""
    try:
        import_module("adelie")
    except ImportError:
        return "liblinear"
    return "adelie"
