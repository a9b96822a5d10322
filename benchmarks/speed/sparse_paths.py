"""Whole paths of sparse logistic probes against scikit-learn's liblinear, at equal objective.

Responses are rectified, correlated and synthetic, labels balanced. liblinear fits a few penalties
of one concept, spread evenly over the path, each at the loosest tolerance that comes within one in
ten thousand of our objective; its time is multiplied. It is given its matrix in 64 bits beforehand.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.speed.measure import Row, in_turn, row
from probes.sparse_batched import posed_all, solve_all
from probes.sparse_path import standardised
from probes.sparse_problem import Path, Problem, objective
from probes.sparse_solvers import default_solver

LAMBDAS, NEAR = 20, 1e-4
TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
Floats = NDArray[np.float64]


class Shape(NamedTuple):
    """How much is computed."""

    rows: int
    units: int
    concepts: int
    end: float
    """Last penalty as a share of the first."""
    compared: tuple[int, ...]
    """Penalties that liblinear fits, of one concept."""


class Material(NamedTuple):
    """Shared responses and a label per concept."""

    design: NDArray[np.float32]
    labels: NDArray[np.bool_]
    ratios: Floats


def measure() -> list[Row]:
    """Compare on few and on many rows."""
    few = Shape(2_000, 2_560, 100, 0.03, (2, 10, 18))
    many = Shape(20_000, 2_560, 20, 0.1, (10,))
    return [compared(few), compared(many)]


def material(shape: Shape) -> Material:
    """Draw rectified responses of 40 latent directions, and balanced labels that depend on them."""
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((shape.rows, 40), dtype=np.float32)
    values = latent @ rng.standard_normal((40, shape.units), dtype=np.float32) / np.sqrt(40)
    values += 0.7 * rng.standard_normal(values.shape, dtype=np.float32)
    scores = latent @ rng.normal(size=(40, shape.concepts))
    scores += np.sqrt(10) * rng.normal(size=scores.shape)
    return Material(
        standardised(np.maximum(values, 0)).design,
        scores > np.median(scores, axis=0),
        np.geomspace(1, shape.end, LAMBDAS),
    )


def ours(given: Material) -> list[Path]:
    """Pose and solve every path, each with its duality gaps."""
    weights = np.full(given.labels.shape, 1 / len(given.labels))
    problems = posed_all(given.design, given.labels, weights, given.ratios)
    return list(solve_all(problems, default_solver()))


def liblinear(problem: Problem, scaled: Floats, at: int, tolerance: float) -> Path:
    """Fit one penalty; ``scaled`` is the design by ``problem.factors``, in 64 bits."""
    strength = 1 / (problem.lambdas[at] * len(scaled))
    model = LogisticRegression(
        C=strength, l1_ratio=1, solver="liblinear", intercept_scaling=10, tol=tolerance,
        max_iter=1000, random_state=0,
    )  # fmt: skip
    model.fit(scaled, problem.labels)
    return Path(model.coef_ / problem.factors, model.intercept_)


def excess(problem: Problem, path: Path, best: float, at: int) -> float:
    """Return by what share of the best objective a fit of one penalty lies above it."""
    one = problem._replace(lambdas=problem.lambdas[at : at + 1])
    return float(objective(one, path)[0] / best - 1)


def loosest(problem: Problem, scaled: Floats, best: Floats, at: int) -> float:
    """Return the loosest tolerance of liblinear that comes near enough."""
    for tolerance in TOLERANCES:
        if excess(problem, liblinear(problem, scaled, at, tolerance), best[at], at) <= NEAR:
            return tolerance
    return TOLERANCES[-1]


def compared(shape: Shape, rounds: int = 3) -> Row:
    """Time all of ours and a share of theirs in turn."""
    given = material(shape)
    one = given._replace(labels=given.labels[:, :1])
    (path,) = ours(one)
    weights = np.full((shape.rows, 1), 1 / shape.rows)
    (problem,) = posed_all(given.design, one.labels, weights, given.ratios)
    best = objective(problem, path)
    scaled = given.design.astype(np.float64) / problem.factors
    tolerances = [loosest(problem, scaled, best, at) for at in shape.compared]
    found: list[Path] = []

    def theirs() -> Sequence[Path]:
        pairs = zip(shape.compared, tolerances, strict=True)
        return [liblinear(problem, scaled, at, tolerance) for at, tolerance in pairs]

    def whole() -> None:
        found[:] = ours(given)

    share = len(shape.compared) / (shape.concepts * LAMBDAS)
    timed = in_turn(whole, theirs, rounds=rounds, warm=0, share=share)
    apart = [
        excess(problem, p, best[at], at) for at, p in zip(shape.compared, theirs(), strict=True)
    ]
    return row(
        timed,
        path=f"L1 paths, {shape.concepts} concepts x {LAMBDAS} penalties to {shape.end:g} of the "
        f"largest at {shape.rows:,} x {shape.units:,}, with gaps",
        against=f"scikit-learn {version('scikit-learn')} liblinear",
        goal=50,
        difference=f"liblinear's objective {min(apart):+.1e} to {max(apart):+.1e} of ours; our "
        f"largest duality gap {max(p.gap for p in found):.1e}",
        note=f"{default_solver()}; liblinear extrapolated from {len(shape.compared)} of "
        f"{shape.concepts * LAMBDAS:,} fits at tolerance "
        f"{', '.join(f'{t:g}' for t in tolerances)}",
    )
