"""Responses in 16 bits: only 65,536 different ones, so that tables take the place of searching."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.ranks import first_of_ties
from probes.shard_format import Values
from probes.streaming.rank_sketch import ROUNDING, Bounded, Floats, Singles

Halves = NDArray[np.float16]
Codes = NDArray[np.uint16]
Sizes = NDArray[np.intp]

MOST_ROWS = 2**16 - 1
"""Of `half_ranks`: places are counted in 16 bits."""

_PATTERNS = np.arange(2**16, dtype=np.uint16)
_DOUBLES = _PATTERNS.view(np.float16).astype(np.float64)
# whole numbers that rise as the values do; both zeros are one
_RISING = np.where(_PATTERNS & 0x8000, ~_PATTERNS, _PATTERNS | 0x8000).astype(np.uint16)
_RISING[0x8000] = _RISING[0]
_FINITE = _PATTERNS[np.isfinite(_DOUBLES)]
_BY_VALUE = _FINITE[np.argsort(_DOUBLES[_FINITE], kind="stable")]
_SORTED = _DOUBLES[_BY_VALUE].astype(np.float32)

_PLACES_AT_ONCE = 2**19

_COUNTED_FROM = 2**14
"""Rows beyond which counting every code is cheaper than sorting."""


def doubles(by_unit: Values) -> Floats:
    """Return a copy in 64 bits; halves are looked up, four times as fast as converting them.

    Examples
    --------
    >>> doubles(np.array([[1.5, -2.0]], np.float16))
    array([[ 1.5, -2. ]])
    """
    if by_unit.dtype == np.float16:
        return np.take(_DOUBLES, by_unit.view(np.uint16))
    return by_unit.astype(np.float64)


def half_bins(edges: Singles) -> NDArray[np.int32]:
    """Return the bin of every half for each unit, as searching the edges would give it.

    Parameters
    ----------
    edges : ndarray of shape (n_units, n_bins - 1)
        From `probes.streaming.rank_sketch.edges_of`.

    Returns
    -------
    int ndarray of shape (n_units, 65,536)
        By the bits of the half; 0 for what is not finite.
    """
    bins = np.zeros((len(edges), 2**16), np.int32)
    for row, begins in zip(bins, edges, strict=True):
        steps = np.bincount(np.searchsorted(_SORTED, begins), minlength=len(_SORTED) + 1)
        row[_BY_VALUE] = np.cumsum(steps[:-1])
    return bins


def half_ranks(by_unit: Halves, labels: NDArray[np.bool_]) -> tuple[Bounded, Bounded]:
    """Return the area under the curve and the average precision, without error.

    Each unit is sorted or counted once as whole numbers, and the place of a value is looked up.

    Parameters
    ----------
    by_unit : ndarray of shape (n_units, n_rows)
        Finite responses, of at most `MOST_ROWS` rows.
    labels : bool ndarray of shape (n_rows, n_concepts)

    Returns
    -------
    tuple of Bounded
        Neutral are 1/2 and the concept's share of the rows. The error is that of the arithmetic.

    Examples
    --------
    >>> area, precision = half_ranks(
    ...     np.array([[1.0, 2, 3, 4]], np.float16), np.array([[0], [1], [0], [1]], bool))
    >>> float(area.value[0, 0]), float(precision.value[0, 0].round(4))
    (0.75, 0.8333)
    """
    columns = [np.flatnonzero(column) for column in labels.T]
    step = max(1, _PLACES_AT_ONCE // max(1, sum(map(len, columns))))
    found = [
        _block(by_unit[first : first + step], columns) for first in range(0, len(by_unit), step)
    ]
    return _bounded([one[0] for one in found]), _bounded([one[1] for one in found])


def _block(by_unit: Halves, columns: list[NDArray[np.intp]]) -> tuple[Floats, Floats]:
    n = by_unit.shape[1]
    below, upto = _looked_up(by_unit, np.concatenate(columns))
    areas, precisions = [], []
    # places of several concepts fit side by side in 16 bits, and one sort orders all of them
    most, end = max(1, 2**16 // n), 0
    for first in range(0, len(columns), most):
        sizes = np.array([len(column) for column in columns[first : first + most]])
        part = slice(end, end := end + int(sizes.sum()))
        areas.append(_areas(below[:, part], upto[:, part], sizes, n))
        precisions.append(_precisions(below[:, part], sizes, n))
    return np.concatenate(areas, axis=1), np.concatenate(precisions, axis=1)


def _areas(below: Codes, upto: Codes, sizes: Sizes, n: int) -> Floats:
    ranks = (_sums(below, sizes) + _sums(upto, sizes)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        areas: Floats = (ranks - sizes**2 / 2) / (sizes.astype(np.float64) * (n - sizes))
    return areas


def _precisions(below: Codes, sizes: Sizes, n: int) -> Floats:
    """Average precision of neighbouring concepts, see `probes.ranks.average_precision`."""
    offset = np.repeat(np.arange(len(sizes)) * n, sizes)
    rising = below + offset.astype(np.uint16)
    rising.sort(axis=1, kind="stable")
    # columns from the first of its ties to the last of its concept respond at least as much
    left = np.repeat(np.cumsum(sizes), sizes).astype(np.int32) - first_of_ties(rising)
    terms = left / ((offset + n).astype(np.int32) - rising)
    with np.errstate(invalid="ignore"):
        precisions: Floats = _sums(terms, sizes) / sizes
    return precisions


def _sums(values: NDArray[Any], sizes: Sizes) -> Floats:
    """Sum neighbouring columns, as many as each concept has."""
    ends = np.cumsum(sizes).tolist()
    parts = [values[:, end - size : end] for end, size in zip(ends, sizes.tolist(), strict=True)]
    return np.stack([part.sum(axis=1, dtype=np.float64) for part in parts], axis=1)


def _looked_up(by_unit: Halves, rows: NDArray[np.intp]) -> tuple[Codes, Codes]:
    """How many of all rows respond less, and no more, than each of some rows."""
    below, upto = (np.empty((len(by_unit), len(rows)), np.uint16) for _ in range(2))
    codes = np.take(_RISING, by_unit.view(np.uint16))
    ranked = _by_counting if by_unit.shape[1] > _COUNTED_FROM else _by_sorting
    for unit, (first, last) in enumerate(ranked(codes)):
        # of what numpy offers this looks up fastest; no code is beyond the tables
        picked = codes[unit].take(rows).astype(np.intp)
        first.take(picked, out=below[unit], mode="clip")
        last.take(picked, out=upto[unit], mode="clip")
    return below, upto


def _by_counting(by_unit: Codes) -> Iterator[tuple[Codes, Codes]]:
    """Yield how many respond less, and no more, by code: a cost for every code that there is."""
    for codes in by_unit:
        counts = np.bincount(codes, minlength=2**16)
        upto = np.cumsum(counts)
        yield (upto - counts).astype(np.uint16), upto.astype(np.uint16)


def _by_sorting(by_unit: Codes) -> Iterator[tuple[Codes, Codes]]:
    """Yield the same for few rows: only codes that occur are written, into tables used again."""
    places = np.arange(by_unit.shape[1] + 1, dtype=np.uint16)
    rising, falling = places[1:], places[:-1][::-1]
    first, last = np.zeros(2**16, np.uint16), np.zeros(2**16, np.uint16)
    # of 16 bits numpy's stable sort is by radix: ten times as fast as comparing
    for ranked in np.sort(by_unit, axis=1, kind="stable").astype(np.intp):
        # of equal values the one that is written last stays
        last[ranked] = rising
        first[ranked[::-1]] = falling
        yield first, last


def _bounded(blocks: list[Floats]) -> Bounded:
    value = np.concatenate(blocks)
    return Bounded(value=value, error=np.where(np.isnan(value), np.nan, ROUNDING))
