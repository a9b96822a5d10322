"""Means and spreads of both sides of every concept, from any number of pieces in any order."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError

Floats = NDArray[np.float64]

_NO_SPREAD = 1e-7
"""Spread, as a share of a unit's range, below which rounding made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Running mean and spread of the rows on one side of each concept."""

    n: Floats
    """Rows, shape (n_concepts,)."""

    mean: Floats
    """Shape (n_units, n_concepts); 0 where there is no row."""

    squares: Floats
    """Sum of squared deviations from the mean, shape (n_units, n_concepts)."""

    def merge(self, other: Self) -> Self:
        """Combine with the same side of other rows (Chan, Golub & LeVeque, 1979)."""
        n = self.n + other.n
        share = other.n / np.maximum(n, 1)
        gap = other.mean - self.mean
        return type(self)(
            n=n,
            mean=self.mean + gap * share,
            squares=self.squares + other.squares + gap**2 * self.n * share,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Effect sizes of every unit and concept, each of shape (n_units, n_concepts).

    NaN where a side has fewer than two rows, or nothing varies.
    """

    d: Floats
    """Cohen's d with the pooled standard deviation; 0 is neutral, positive prefers the concept."""

    correlation: Floats
    """Point-biserial; 0 is neutral."""

    t: Floats
    """Welch's t; 0 is neutral."""

    freedom: Floats
    """Welch's degrees of freedom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideMoments:
    """Moments of the rows with and without each concept; merges exactly across pieces."""

    shown: Side
    hidden: Side
    low: Floats
    """Smallest response, shape (n_units,)."""

    high: Floats

    @classmethod
    def of(cls, by_unit: NDArray[np.floating[Any]], labels: NDArray[np.bool_]) -> Self:
        """Start from one piece.

        Parameters
        ----------
        by_unit : ndarray of shape (n_units, n_rows)
            Responses; at least one row.
        labels : bool ndarray of shape (n_rows, n_concepts)
            True where the row shows the concept.

        Raises
        ------
        MeasureError
            If shapes disagree.
        """
        if by_unit.ndim != 2 or labels.ndim != 2 or not 0 < by_unit.shape[1] == len(labels):
            raise MeasureError(
                "Responses must be (n_units, n_rows) and labels (n_rows, n_concepts), with a row; "
                f"got shapes {by_unit.shape} and {labels.shape}."
            )
        wide = by_unit.astype(np.float64, copy=False)
        middle = wide.mean(axis=1, keepdims=True)
        low, high = wide.min(axis=1), wide.max(axis=1)
        values = wide - middle
        picked = labels.astype(np.float64)
        sums, total = values @ picked, values.sum(axis=1, keepdims=True)
        np.square(values, out=values)
        squares, all_squares = values @ picked, values.sum(axis=1, keepdims=True)
        n = picked.sum(axis=0)
        return cls(
            shown=_side(n, sums, squares, middle),
            hidden=_side(len(labels) - n, total - sums, all_squares - squares, middle),
            low=low,
            high=high,
        )

    def merge(self, other: Self) -> Self:
        """Combine with the moments of other rows of the same units and concepts."""
        return type(self)(
            shown=self.shown.merge(other.shown),
            hidden=self.hidden.merge(other.hidden),
            low=np.minimum(self.low, other.low),
            high=np.maximum(self.high, other.high),
        )

    def effects(self) -> Effects:
        """Return the effect sizes of all rows that were seen.

        References
        ----------
        Welch (1947), Biometrika 34, 28-35; Cohen (1988), Statistical Power Analysis, 2.2.

        Examples
        --------
        >>> seen = SideMoments.of(np.array([[3.0, 5, 1, 3]]), np.array([[1], [1], [0], [0]], bool))
        >>> float(seen.effects().d[0, 0].round(4))
        1.4142
        """
        a, b = self.shown, self.hidden
        gap = a.mean - b.mean
        floor = ((self.high - self.low) * _NO_SPREAD)[:, None] ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            pooled = (a.squares + b.squares) / (a.n + b.n - 2)
            within = np.where((pooled > floor) & (a.n > 1) & (b.n > 1), pooled, np.nan)
            weight = a.n * b.n / (a.n + b.n)
            whole = a.squares + b.squares + weight * gap**2
            correlation = gap * np.sqrt(weight / np.where(whole > floor, whole, np.nan))
            errors = [side.squares / (side.n - 1) / side.n for side in (a, b)]
            error = errors[0] + errors[1]
            freedom = error**2 / (errors[0] ** 2 / (a.n - 1) + errors[1] ** 2 / (b.n - 1))
            defined = np.isfinite(within)
            return Effects(
                d=gap / np.sqrt(within),
                correlation=np.where((a.n > 1) & (b.n > 1), correlation, np.nan),
                t=np.where(defined, gap / np.sqrt(error), np.nan),
                freedom=np.where(defined, freedom, np.nan),
            )


def _side(n: Floats, sums: Floats, squares: Floats, middle: Floats) -> Side:
    """One side of a piece, from sums about the piece's mean."""
    mean = sums / np.maximum(n, 1)
    return Side(
        n=n,
        mean=np.where(n > 0, mean + middle, 0.0),
        squares=np.maximum(squares - n * mean**2, 0),
    )
