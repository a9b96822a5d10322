"""What a method says of a world, and the thresholds that were frozen before any was scored."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.planted.methods.world import Pair, World
from probes.errors import MeasureError
from probes.multiplicity import holm

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

ALPHA = 0.05
"""Nominal family-wise level at which every method flags, over the contrasts of a world."""

DRAWS = 9_999
"""Arrangements of the permutation tests of WEAT and iEAT."""

UNIT_DRAWS = 1_999
"""Arrangements of step-down max-T."""

Seed = int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How strongly a method ties every group to every harm."""

    values: Array
    """Higher is stronger; NaN where it cannot say, shape (n_groups, n_harms)."""

    flagged: Mask
    """By the method's own rule at `ALPHA`, shape (n_groups, n_harms)."""

    units: Array | None = None
    """Higher: the unit carries more of the link; shape (n_groups, n_harms, n_units).
    None for methods that do not rank units."""

    note: str = ""
    """Why nothing could be flagged, where that is so."""

    def __post_init__(self) -> None:
        if self.values.shape != self.flagged.shape or self.values.ndim != 2:
            raise MeasureError(
                "Scores and flags must both be (n_groups, n_harms); "
                f"got {self.values.shape} and {self.flagged.shape}."
            )

    def place(self, row: int, column: int, unit: int) -> int | None:
        """Return 1 for the unit that carries most of a link; ties take the worse place."""
        if self.units is None:
            return None
        values = np.nan_to_num(self.units[row, column], nan=-np.inf)
        return int((values >= values[unit]).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One row of the table of methods."""

    name: str
    title: str
    ours: bool
    needs: frozenset[str]
    """Of `World.has`."""

    run: Callable[[World, np.random.Generator], Scores]
    source: str
    """Where the formula was published."""


def apply(method: Method, world: World, seed: Seed) -> Scores:
    """Score a world, with draws that depend on seed, method and world alone.

    Raises
    ------
    MeasureError
        If the world lacks what the method looks at.
    """
    missing = sorted(method.needs - world.has)
    if missing:
        raise MeasureError(f"{method.title} needs {' and '.join(missing)}; {world.name} has none.")
    return method.run(world, np.random.default_rng([seed, *f"{method.name} {world.name}".encode()]))


def flags(p: Array, direction: Array | None = None) -> Mask:
    """Flag by Holm over all contrasts of a world.

    Parameters
    ----------
    p : ndarray of shape (n_groups, n_harms)
    direction : ndarray of the same shape, optional
        Flagged only where above 0; for p that have two sides.
    """
    rejected = holm(p.ravel()).reshape(p.shape) <= ALPHA
    return rejected if direction is None else rejected & (direction > 0)


def beside_controls(values: Array, controls: Array) -> Array:
    """Return the upper p of scores among those of harmless packs of the same group.

    For scores that were published without a test: each method gets the null that ours has.

    Parameters
    ----------
    values : ndarray of shape (n_groups, n_harms)
    controls : ndarray of shape (n_groups, n_controls)

    Raises
    ------
    MeasureError
        If there are fewer than three control packs.
    """
    n = controls.shape[1]
    if n < 3:
        raise MeasureError(f"A null of control packs needs 3 at least; got {n}.")
    spread = controls.std(axis=1, ddof=1, keepdims=True) * np.sqrt(1 + 1 / n)
    gap = values - controls.mean(axis=1, keepdims=True)
    t = np.divide(gap, spread, out=np.full_like(gap, np.nan), where=spread > 0)
    return np.asarray(stats.t.sf(t, n - 1), dtype=np.float64)


def grid(world: World, value: Callable[[Pair], float]) -> Array:
    """Return a value of every contrast, shape (n_groups, n_harms)."""
    flat = np.array([value(pair) for pair in world.pairs], dtype=np.float64)
    return flat.reshape(len(world.groups), len(world.harms))
