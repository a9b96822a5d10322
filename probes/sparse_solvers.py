"""Solvers of L1 logistic regression along a path of penalties (`probes.sparse_problem`).

A solver whose duality gap stays above what is asked gives no answer.
"""

from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from probes.sparse_problem import (
    LARGEST_GAP,
    Design,
    Floats,
    NotConverged,
    Path,
    Problem,
    duality_gaps,
    largest_lambda,
    objective,
)

__all__ = [
    "LARGEST_GAP",
    "SOLVERS",
    "Design",
    "NotConverged",
    "Path",
    "Problem",
    "default_solver",
    "duality_gaps",
    "largest_lambda",
    "objective",
    "solve_adelie",
    "solve_dense",
    "solve_liblinear",
]

_ATTEMPTS: tuple[tuple[float, tuple[type[np.floating[Any]], ...]], ...] = (
    (1e-7, (np.float32, np.float64)),
    (1e-10, (np.float32, np.float64)),
    (1e-13, (np.float64,)),
)
"""adelie's own tolerance, which is not a gap, and the precisions tried at it."""

_LIBLINEAR_ATTEMPTS = ((1e-5, 1e3), (1e-7, 1e4), (1e-9, 1e4))
"""Tolerance, and scaling of the intercept: liblinear penalises it, a large one makes that small."""


def solve_adelie(problem: Problem) -> Path:
    """Solve with adelie: the whole path in one warm-started call, more exactly where it must be.

    Raises
    ------
    NotConverged
        If it fails in 32 and in 64 bits, or the duality gap stays above the problem's tolerance.
    """
    tries = (_adelie_in_enough_bits(problem, *attempt) for attempt in _ATTEMPTS)
    return _near_enough(problem, tries, "adelie")


def _near_enough(problem: Problem, tries: Iterable[Path], solver: str) -> Path:
    """Return the first of several tries whose gap is small enough, with its gaps."""
    gap = float("nan")
    for path in tries:
        gaps = duality_gaps(problem, path)
        gap = float(gaps.max())
        if gap <= problem.tolerance:
            return path._replace(gaps=gaps)
    raise NotConverged(
        f"the duality gap must be at most {problem.tolerance:.1g}; {solver} came to {gap:.1g}"
    )


def _adelie_in_enough_bits(
    problem: Problem, tolerance: float, kinds: tuple[type[np.floating[Any]], ...]
) -> Path:
    for kind in kinds:
        try:
            return _adelie(problem, kind, tolerance)
        except RuntimeError:
            continue
    raise NotConverged("adelie did not converge in 32 or 64 bits")


def _adelie(problem: Problem, kind: type[np.floating[Any]], tolerance: float) -> Path:
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
        tol=tolerance,
        irls_tol=tolerance,
        progress_bar=False,
    )
    if len(state.intercepts) != len(problem.lambdas):
        raise RuntimeError("adelie ended the path early")
    return Path(state.betas.toarray().astype(np.float64), np.array(state.intercepts, np.float64))


def solve_liblinear(problem: Problem) -> Path:
    """Solve with scikit-learn, one penalty after the other: exact, and some 80 times slower.

    Raises
    ------
    NotConverged
        If the duality gap is above the problem's tolerance.
    """
    tries = (_liblinear(problem, *attempt) for attempt in _LIBLINEAR_ATTEMPTS)
    return _near_enough(problem, tries, "liblinear")


def _liblinear(problem: Problem, tolerance: float, scaling: float) -> Path:
    # where no unit is used the intercept is known, and the solver would look for it for ever
    empty = problem.lambdas >= largest_lambda(problem) * (1 - 1e-6)
    share = problem.weights @ problem.labels
    path = Path(
        np.zeros((len(empty), problem.design.shape[1])),
        np.full(len(empty), np.log(share / (1 - share))),
    )
    options = {"l1_ratio": 1, "solver": "liblinear", "intercept_scaling": scaling, "tol": tolerance}
    for at in np.flatnonzero(~empty):
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
