"""Many sparse paths of one design: every concept, every fold, every half, together.

All share one matrix of responses; what differs is who has the label and what a row weighs. On a
CPU they are solved one after the other. Where a CUDA device is at hand they advance together in
matrix products.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError
from probes.sparse_problem import Design, Floats, Path, Problem
from probes.sparse_solvers import SOLVERS, default_solver

BATCHED = {"torch": "probes.backends.batched_logistic"}
"""Name -> module with ``usable() -> bool`` and ``solve_batch(problems) -> iterator of Path``;
imported only when asked for."""


def posed_all(
    design: Design, labels: NDArray[np.bool_], weights: Floats, ratios: Floats
) -> list[Problem]:
    """Pose one path for each column of labels, all in three matrix products.

    As `probes.sparse_path.posed`, to rounding in 32 bits.

    Parameters
    ----------
    design : ndarray of shape (n_rows, n_units)
        Of `probes.sparse_path.standardised`; shared, never copied.
    labels : bool ndarray of shape (n_rows, n_problems)
    weights : ndarray of shape (n_rows, n_problems)
        Each column adding up to 1; 0 leaves a row out of that problem.
    ratios : ndarray of shape (n_lambdas,)
        Falling, between 0 and 1: penalties as shares of the one at which no unit is used.

    Raises
    ------
    MeasureError
        If shapes disagree, or a column lacks weight on a label.

    Examples
    --------
    >>> design = np.asfortranarray([[1.0], [-1.0], [1.0], [-1.0]], dtype=np.float32)
    >>> labels = np.array([[True], [False], [True], [True]])
    >>> (lone,) = posed_all(design, labels, np.full((4, 1), 0.25), np.array([1.0, 0.5]))
    >>> lone.lambdas
    array([0.25 , 0.125])
    """
    _check(design, labels, weights)
    light = weights.astype(np.float32)
    mean = (design.T @ light).astype(np.float64)
    spread = np.sqrt(np.maximum((design**2).T @ light - mean**2, 0)).astype(np.float64)
    factors = np.where(spread > 1e-3, spread, 1.0)
    share = (weights * labels).sum(axis=0)
    pull = design.T @ (weights * (labels - share)).astype(np.float32)
    tops = (np.abs(pull) / factors).max(axis=0)
    return [
        Problem(
            design=design,
            labels=labels[:, at],
            weights=weights[:, at],
            factors=np.ascontiguousarray(factors[:, at]),
            lambdas=ratios * float(tops[at]),
        )
        for at in range(labels.shape[1])
    ]


def _check(design: Design, labels: NDArray[np.bool_], weights: Floats) -> None:
    if labels.ndim != 2 or labels.shape != weights.shape or len(labels) != len(design):
        raise MeasureError(
            "Paths need one column of labels and one of weights for each problem, and a row of "
            f"both for each row of the design; got labels {labels.shape}, weights {weights.shape} "
            f"and a design of {design.shape}."
        )
    lacking = ~((weights * labels).any(axis=0) & (weights * ~labels).any(axis=0))
    if lacking.any():
        raise MeasureError(
            "Each problem needs rows with weight on both sides of its label; column "
            f"{int(np.flatnonzero(lacking)[0])} has them on one. Leave it out."
        )


def solve_all(problems: Sequence[Problem], solver: str | None = None) -> Iterator[Path]:
    """Solve many paths that share one design, in their order.

    Parameters
    ----------
    problems : sequence of Problem
        All of the same ``design`` (the same array) and number of penalties.
    solver : str, optional
        Name in ``BATCHED`` or in ``probes.sparse_solvers.SOLVERS``; by default
        `default_batch_solver`.

    Yields
    ------
    Path
        With its duality gaps.

    Raises
    ------
    MeasureError
        If the solver is unknown or its device is not there, or problems differ in design or in
        number of penalties.
    NotConverged
        If a gap stays above its problem's tolerance.
    """
    name = solver or default_batch_solver()
    _check_alike(problems)
    yield from _solve_of(name)(problems)


def _solve_of(name: str) -> Callable[[Sequence[Problem]], Iterator[Path]]:
    if name in SOLVERS:
        return lambda problems: map(SOLVERS[name], problems)
    if name not in BATCHED:
        known = sorted({*SOLVERS, *BATCHED})
        raise MeasureError(f"A solver must be one of {', '.join(known)}; got {name!r}.")
    module = import_module(BATCHED[name])
    if not module.usable():
        raise MeasureError(
            f"The solver {name!r} needs a CUDA device, and torch sees none here; "
            f"ask for {default_solver()!r}, which is faster on a CPU."
        )
    solve: Callable[[Sequence[Problem]], Iterator[Path]] = module.solve_batch
    return solve


def _check_alike(problems: Sequence[Problem]) -> None:
    first = problems[0] if problems else None
    for at, problem in enumerate(problems):
        if first and (
            problem.design is not first.design or len(problem.lambdas) != len(first.lambdas)
        ):
            raise MeasureError(
                "Paths that are solved together must share one design and one number of penalties; "
                f"problem {at} differs from the first. Solve it apart."
            )


def default_batch_solver() -> str:
    """Return the fastest solver of many paths that this process can use.

    The batched one only where torch is loaded, as after an extraction, and sees a CUDA device:
    on a CPU it is several times slower than adelie.
    """
    if "torch" in sys.modules and import_module(BATCHED["torch"]).usable():
        return "torch"
    return default_solver()
