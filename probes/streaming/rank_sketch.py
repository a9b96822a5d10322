"""Areas under the curve and average precisions from counts in bins, with a bound on their error.

A bin that holds one single value (zeros of a ReLU) hides nothing: its rows are tied, and ties are
counted as ties. What is unknown is only the order inside the other bins, and how much that can
change a score follows from the counts themselves: the bound holds for every unit and concept,
whatever the distribution. Counts of different pieces add up.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from probes.errors import MeasureError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Counts = NDArray[np.int64]

ROUNDING = 1e-9
"""Added to every bound for the arithmetic itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """Scores with their largest possible error, each of shape (n_units, n_concepts)."""

    value: Floats
    """NaN where a side has no row."""

    error: Floats
    """The exact score lies within ``value - error`` and ``value + error``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    """Bins in which a concept was met, concept by concept, unit by unit, in rising order."""

    group: NDArray[np.intp]
    """Number of the pair of concept and unit, of each bin; also of the arrays below."""

    shown: Counts
    hidden: Counts
    """Rows of the bin without the concept."""

    shown_above: Counts
    """Rows with the concept in higher bins."""

    hidden_above: Counts
    single: NDArray[np.bool_]
    """Whether the bin can hold one value only."""

    n_shown: Floats
    """Rows with the concept, of each pair."""

    n_hidden: Floats
    n_units: int

    def total(self, by_bin: Floats) -> Floats:
        """Add up the bins of each pair."""
        total: Floats = np.bincount(self.group, weights=by_bin, minlength=len(self.n_shown)).astype(
            np.float64, copy=False
        )
        return total

    def table(self, by_pair: Floats) -> Floats:
        """Lay pairs out, shape (n_units, n_concepts)."""
        return by_pair.reshape(-1, self.n_units).T


@dataclass(frozen=True, slots=True, kw_only=True)
class RankSketch:
    """How many rows lie in each bin of each unit: all, and those with each concept."""

    edges: Singles
    """Where all bins but the first begin, shape (n_units, n_bins - 1); infinite where unused."""

    total: Counts
    """Shape (n_units, n_bins)."""

    shown: Counts
    """Shape (n_concepts, n_units, n_bins)."""

    @classmethod
    def empty(cls, edges: Singles, n_concepts: int) -> Self:
        """Start with no row."""
        n_units, n_bins = len(edges), edges.shape[1] + 1
        return cls(
            edges=edges,
            total=np.zeros((n_units, n_bins), np.int64),
            shown=np.zeros((n_concepts, n_units, n_bins), np.int64),
        )

    def add(
        self,
        by_unit: NDArray[np.floating[Any]],
        labels: NDArray[np.bool_],
        bins: NDArray[np.int32] | None = None,
    ) -> None:
        """Count one piece, in place.

        Parameters
        ----------
        by_unit : ndarray of shape (n_units, n_rows)
            Finite responses.
        labels : bool ndarray of shape (n_rows, n_concepts)
        bins : int ndarray of shape (n_units, 65,536), optional
            From `probes.streaming.halves.half_bins` of these edges, where responses are halves.

        Raises
        ------
        MeasureError
            If shapes disagree with the sketch.
        """
        if by_unit.shape != (len(self.edges), len(labels)) or labels.shape[1] != len(self.shown):
            raise MeasureError(
                f"A sketch of {len(self.edges)} units and {len(self.shown)} concepts takes "
                "responses (n_units, n_rows) and labels (n_rows, n_concepts); "
                f"got shapes {by_unit.shape} and {labels.shape}."
            )
        n_bins = self.total.shape[1]
        place = np.empty(by_unit.shape, np.int64)
        for unit, values in enumerate(by_unit):
            if bins is None:
                place[unit] = np.searchsorted(self.edges[unit], values, side="right")
            else:
                place[unit] = np.take(bins[unit], values.view(np.uint16))
            place[unit] += unit * n_bins
        _count(self.total, place)
        for concept, column in enumerate(labels.T):
            _count(self.shown[concept], place[:, np.flatnonzero(column)])

    def merge(self, other: Self) -> Self:
        """Combine with the counts of other rows under the same edges."""
        if not np.array_equal(self.edges, other.edges):
            raise MeasureError("Sketches must share their edges to be merged; these do not.")
        return replace(self, total=self.total + other.total, shown=self.shown + other.shown)

    def auroc(self) -> Bounded:
        """Return the area under the curve: 1/2 is neutral, above it prefers the concept.

        References
        ----------
        Mann & Whitney (1947), Annals of Mathematical Statistics 18, 50-60, for ties as halves.

        Examples
        --------
        >>> values = np.array([[1.0, 2, 3, 4]], np.float32)
        >>> sketch = RankSketch.empty(edges_of(values, 8), 1)
        >>> sketch.add(values, np.array([[0], [1], [0], [1]], bool))
        >>> float(sketch.auroc().value[0, 0])
        0.75
        """
        return _area(self._met())

    def scores(self) -> tuple[Bounded, Bounded]:
        """Return `auroc` and `average_precision`, the bins looked up once for both."""
        met = self._met()
        return _area(met), _precision(met)

    def average_precision(self) -> Bounded:
        """Return the average precision: the concept's share of all rows is what chance gives.

        At each row of the concept: the share of the concept among all rows that respond at least
        as much; then the mean over the concept.

        Examples
        --------
        >>> values = np.array([[1.0, 2, 3, 4]], np.float32)
        >>> sketch = RankSketch.empty(edges_of(values, 8), 1)
        >>> sketch.add(values, np.array([[0], [1], [0], [1]], bool))
        >>> float(sketch.average_precision().value[0, 0].round(4))
        0.8333
        """
        return _precision(self._met())

    def _met(self) -> "_Met":
        """Look up the bins where a concept was met: often few of all."""
        _, n_units, n_bins = self.shown.shape
        where = np.flatnonzero(self.shown)
        group = where // n_bins
        in_unit = where % (n_units * n_bins)
        shown = self.shown.ravel()[where]
        n_shown = self.shown.sum(axis=2).ravel()
        # a running sum over all groups, less what the groups before added, is one within a group
        upto = np.cumsum(shown) - (np.cumsum(n_shown) - n_shown)[group]
        above = np.cumsum(self.total[:, ::-1], axis=1)[:, ::-1] - self.total
        shown_above = n_shown[group] - upto
        return _Met(
            group=group,
            shown=shown,
            hidden=self.total.ravel()[in_unit] - shown,
            shown_above=shown_above,
            hidden_above=above.ravel()[in_unit] - shown_above,
            single=self._single().ravel()[in_unit],
            n_shown=n_shown.astype(np.float64),
            n_hidden=(self.total.sum(axis=1) - self.shown.sum(axis=2)).ravel().astype(np.float64),
            n_units=n_units,
        )

    def _single(self) -> NDArray[np.bool_]:
        """Whether a bin can hold one value only, shape (n_units, n_bins)."""
        single = np.zeros(self.total.shape, np.bool_)
        single[:, 1:-1] = np.nextafter(self.edges[:, :-1], np.float32(np.inf)) == self.edges[:, 1:]
        return single


def _area(met: _Met) -> Bounded:
    pairs = met.n_shown * met.n_hidden
    inside = (met.shown * met.hidden).astype(np.float64)
    before = met.n_hidden[met.group] - met.hidden_above - met.hidden
    won = met.total(met.shown * before + inside / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = met.total(np.where(met.single, 0.0, inside)) / 2 / pairs + ROUNDING
        return Bounded(value=met.table(won / pairs), error=met.table(error))


def _precision(met: _Met) -> Bounded:
    p, n, first, wrong = met.shown, met.hidden, met.shown_above, met.hidden_above
    tied = p * (first + p) / (first + p + wrong + n)
    most = np.where(met.single, tied, p * (first + p) / (first + p + wrong))
    least = np.where(met.single, tied, _spread_out(p, first, wrong + n))
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = met.total(least) / met.n_shown, met.total(most) / met.n_shown
    error = (high - low) / 2 + ROUNDING
    return Bounded(value=met.table((low + high) / 2), error=met.table(error))


def edges_of(pilot: NDArray[np.floating[Any]], n_bins: int) -> Singles:
    """Choose where the bins of each unit begin, from some of its responses.

    Quantiles; a value that fills two of them gets a bin of its own. Any pilot gives a valid bound,
    one that is like the rest a narrow one.

    Parameters
    ----------
    pilot : ndarray of shape (n_units, n_rows)
        At least one row.
    n_bins : int
        At least 4.

    Returns
    -------
    ndarray of shape (n_units, n_bins - 1)
        Infinite where fewer are needed.
    """
    ranked = np.sort(pilot.astype(np.float32), axis=1)
    wanted = n_bins - 2
    picked = ranked[:, np.linspace(0, ranked.shape[1] - 1, wanted).round().astype(np.intp)]
    edges = np.full((len(pilot), n_bins - 1), np.inf, np.float32)
    for row, quantiles in zip(edges, picked, strict=True):
        begins = np.unique(quantiles)
        # few distinct values get a bin each; else those that fill two quantiles
        full = begins if 2 * len(begins) <= wanted else _repeated(quantiles)
        found = np.union1d(begins, np.nextafter(full, np.float32(np.inf)))
        row[: len(found)] = found
    return edges


def _repeated(ranked: Singles) -> Singles:
    values, counts = np.unique(ranked, return_counts=True)
    repeated: Singles = values[counts > 1]
    return repeated


def _count(into: Counts, place: Counts) -> None:
    into += np.bincount(place.ravel(), minlength=into.size).reshape(into.shape)


def _spread_out(p: Counts, first: Counts, wrong: Counts) -> Floats:
    """Sum of precisions where every row without the concept comes before the ``p`` with it."""
    start = (first + wrong + 1).astype(np.float64)
    rise = special.digamma(start + p) - special.digamma(start)
    least: Floats = p - wrong * rise
    return least
