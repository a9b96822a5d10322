"""Responses in 16 bits: only 65,536 different ones, so that tables take the place of searching."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from probes.ranks import Places, average_precision
from probes.shard_format import Values
from probes.streaming.rank_sketch import ROUNDING, Bounded, Floats, Singles

Halves = NDArray[np.float16]
Codes = NDArray[np.uint16]

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

_PLACES_AT_ONCE = 2**21

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
    ends = np.cumsum([len(column) for column in columns]).tolist()
    areas, precisions = [], []
    for end, column in zip(ends, columns, strict=True):
        ours, part = len(column), slice(end - len(column), end)
        low = below[:, part]
        ranks = (low.sum(axis=1, dtype=np.int64) + upto[:, part].sum(axis=1, dtype=np.int64)) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            areas.append((ranks - ours**2 / 2) / (np.float64(ours) * (n - ours)))
        rising = np.sort(low, axis=1, kind="stable").astype(np.int32)
        precisions.append(average_precision(Places(below=rising, upto=rising, n=n)))
    return np.stack(areas, axis=1), np.stack(precisions, axis=1)


def _looked_up(
    by_unit: Halves, rows: NDArray[np.intp]
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """How many of all rows respond less, and no more, than each of some rows."""
    below, upto = (np.empty((len(by_unit), len(rows)), np.uint16) for _ in range(2))
    ranked = _by_counting if by_unit.shape[1] > _COUNTED_FROM else _by_sorting(by_unit.shape[1])
    for unit, codes in enumerate(np.take(_RISING, by_unit.view(np.uint16))):
        first, last = ranked(codes)
        picked = codes[rows]
        np.take(first, picked, out=below[unit])
        np.take(last, picked, out=upto[unit])
    return below, upto


def _by_counting(codes: Codes) -> tuple[Codes, Codes]:
    """How many respond less, and no more, by code: a cost for every code that there is."""
    counts = np.bincount(codes, minlength=2**16)
    upto = np.cumsum(counts)
    return (upto - counts).astype(np.uint16), upto.astype(np.uint16)


def _by_sorting(n: int) -> Callable[[Codes], tuple[Codes, Codes]]:
    """Return the same for few rows: only codes that occur are written, into tables used again."""
    places = np.arange(n + 1, dtype=np.uint16)
    rising, falling = places[1:], places[:-1][::-1]
    first, last = np.zeros(2**16, np.uint16), np.zeros(2**16, np.uint16)

    def tables(codes: Codes) -> tuple[Codes, Codes]:
        # of 16 bits numpy's stable sort is by radix: ten times as fast as comparing
        ranked = np.sort(codes, kind="stable")
        # of equal values the one that is written last stays
        last[ranked] = rising
        first[ranked[::-1]] = falling
        return first, last

    return tables


def _bounded(blocks: list[Floats]) -> Bounded:
    value = np.concatenate(blocks)
    return Bounded(value=value, error=np.where(np.isnan(value), np.nan, ROUNDING))
