"""Places in the order of responses, and the scores that follow from them alone.

Ties are honoured everywhere: a place is a pair, how many respond less and how many respond no
more. Both scores visit only one class, so that small concepts among many clusters are cheap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Counts = NDArray[np.int32]
Joined = NDArray[np.unsignedinteger[Any]]

_UNITS_AT_ONCE = 64
"""Units whose places fit in a processor's cache."""


class ByClass(NamedTuple):
    """What follows from the places alone; every array has shape (n_units, n_concepts)."""

    precision: Floats
    """Average precision, as of `average_precision`."""

    shown_part: Floats
    """What the clusters with the concept add to the variance of the area, see
    `delong_variances`."""

    hidden_part: Floats
    """What those without it add."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where each cluster stands in the order of responses of each unit."""

    below: Counts
    """How many of all clusters respond less, shape (n_units, n_picked)."""

    upto: Counts
    """How many respond less or the same, itself included, shape (n_units, n_picked)."""

    n: int
    """Clusters in the order, of which these are all or some."""

    def middle(self) -> Floats:
        """Mid-ranks, from 1 to ``n``."""
        return (self.below + self.upto + 1) / 2

    def pick(self, picked: NDArray[np.bool_]) -> "Places":
        """Return the places of some clusters, in rising order."""
        return _unjoined(np.take(self.joined(), np.flatnonzero(picked), axis=1), self.n)

    def joined(self) -> Joined:
        """Return both counts in one number, so that one sort puts both in rising order."""
        half = 16 if self.n < 2**16 else 32
        dtype = np.dtype(np.uint32 if half == 16 else np.uint64)
        high = np.left_shift(self.below.astype(dtype), dtype.type(half))
        return np.asarray(high | self.upto.astype(dtype))


def places(by_unit: Floats) -> Places:
    """Order the clusters of every unit.

    Parameters
    ----------
    by_unit : ndarray of shape (n_units, n_clusters)

    Examples
    --------
    >>> places(np.array([[7.0, 2.0, 7.0]])).middle()
    array([[2.5, 1. , 2.5]])
    """
    below, upto = (np.empty(by_unit.shape, dtype=np.int32) for _ in range(2))
    for first in range(0, len(by_unit), _UNITS_AT_ONCE):
        block = slice(first, first + _UNITS_AT_ONCE)
        # models answer in 32 bits: finer differences come from averaging and must not break ties
        order, ranked = _ordered(by_unit[block].astype(np.float32))
        for found, counts in zip((below, upto), _tied(ranked), strict=True):
            np.put_along_axis(found[block], order, counts, axis=1)
    return Places(below=below, upto=upto, n=by_unit.shape[1])


def places_of_classes(by_unit: Singles, labels: NDArray[np.bool_]) -> Iterator[Places]:
    """Yield the places of each class alone, in rising order, from one order of every unit.

    For `average_precision` and whatever else asks only for the class; nothing is sorted twice.

    Parameters
    ----------
    by_unit : ndarray of shape (n_units, n_clusters)
    labels : bool ndarray of shape (n_clusters, n_concepts)

    Examples
    --------
    >>> first, = places_of_classes(
    ...     np.array([[7.0, 2.0, 7.0]], np.float32), np.array([[True], [True], [False]]))
    >>> first.middle()
    array([[1. , 2.5]])
    """
    order, ranked = _ordered(by_unit)
    below, upto = (counts.ravel() for counts in _tied(ranked))
    # eight classes in a byte: looking labels up in the order is dearer than taking bits apart
    packed = np.packbits(labels, axis=1, bitorder="little")
    for concept, count in enumerate(labels.sum(axis=0).tolist()):
        byte, bit = divmod(concept, 8)
        if bit == 0:
            looked_up = packed[:, byte][order]
        where = np.flatnonzero(((looked_up >> bit) & 1).view(np.bool_))
        size = len(by_unit), count
        yield Places(
            below=below[where].reshape(size),
            upto=upto[where].reshape(size),
            n=by_unit.shape[1],
        )


def average_precision(shown: Places) -> Floats:
    """Return the average precision of every unit from the places of one class.

    At each cluster of the class: the share of the class among all that respond at least as much;
    then the mean over the class.

    Parameters
    ----------
    shown : Places
        Of the class alone, in rising order (``Places.pick``).

    Returns
    -------
    ndarray of shape (n_units,)
        ``chance_precision`` is neutral; NaN without a cluster in the class.
    """
    return _precision(shown, first_of_ties(shown.below))


def chance_precision(n: int, n_with: NDArray[np.float64]) -> Floats:
    """Return the mean average precision over all orders of ``n`` clusters, without ties.

    It is above the base rate, and far above it where the class is small.

    References
    ----------
    Bestgen (2015), The Prague Bulletin of Mathematical Linguistics 103, 131-138.

    Examples
    --------
    >>> chance_precision(500, np.array([10.0])).round(4)
    array([0.0314])
    """
    harmonic = special.digamma(n + 1) + np.euler_gamma
    chance: Floats = (harmonic + (n_with - 1) / (n - 1) * (n - harmonic)) / n
    return chance


def delong_variances(shown: Places) -> tuple[Floats, Floats]:
    """Return DeLong's variance of the area under the curve from the places of one class.

    The other class is never visited: all of its clusters that lie between two neighbours of this
    class share one placement value.

    Parameters
    ----------
    shown : Places
        Of the class alone, in rising order (``Places.pick``).

    Returns
    -------
    tuple of ndarray of shape (n_units,)
        What this class and what the other adds to the variance; NaN below two clusters in either.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    return _variances(shown, *_tied(shown.below))


def scores_by_class(all_places: Places, labels: NDArray[np.bool_]) -> ByClass:
    """Score every unit on every concept, a few units at a time so that they stay in the cache.

    Parameters
    ----------
    all_places : Places
        Of every cluster.
    labels : bool ndarray of shape (n_clusters, n_concepts)

    Examples
    --------
    >>> order = places(np.array([[1.0, 2.0, 3.0, 4.0]]))
    >>> scores_by_class(order, np.array([[False], [True], [False], [True]])).precision
    array([[0.83333333]])
    """
    size = len(all_places.below), labels.shape[1]
    scores = ByClass(*(np.empty(size) for _ in range(3)))
    columns = [(np.flatnonzero(c), np.flatnonzero(~c)) for c in labels.T]
    joined = all_places.joined()
    for start in range(0, size[0], _UNITS_AT_ONCE):
        block = joined[start : start + _UNITS_AT_ONCE]
        for concept, (with_it, without) in enumerate(columns):
            found = _of_a_class(block, with_it, without)
            for array, part in zip(scores, found, strict=True):
                array[start : start + _UNITS_AT_ONCE, concept] = part
    return scores


def _of_a_class(
    block: Joined, with_it: NDArray[np.intp], without: NDArray[np.intp]
) -> tuple[Floats, Floats, Floats]:
    n = len(with_it) + len(without)
    shown = _unjoined(np.take(block, with_it, axis=1), n)
    first, after = _tied(shown.below)
    precision = _precision(shown, first)
    if len(with_it) <= len(without):
        return precision, *_variances(shown, first, after)
    # the same two parts, seen from the smaller class
    hidden_part, shown_part = delong_variances(_unjoined(np.take(block, without, axis=1), n))
    return precision, shown_part, hidden_part


def _precision(shown: Places, first: Counts) -> Floats:
    ours = shown.below.shape[1]
    if ours == 0:
        return np.full(len(shown.below), np.nan)
    precision: Floats = ((ours - first) / (shown.n - shown.below)).mean(axis=1)
    return precision


def _variances(shown: Places, first: Counts, after: Counts) -> tuple[Floats, Floats]:
    below, ours = shown.below, shown.below.shape[1]
    others = shown.n - ours
    if min(ours, others) < 2:
        undefined = np.full(len(below), np.nan)
        return undefined, undefined
    ties = after - first
    tied_others = shown.upto - below - ties
    by_ours = (below - first + tied_others / 2) / others
    squares = _between(shown, first) + tied_others / ties * ((ours - after + ties / 2) / ours) ** 2
    area = by_ours.mean(axis=1)
    by_others = np.maximum(squares.sum(axis=1) - others * area**2, 0) / (others - 1)
    return by_ours.var(axis=1, ddof=1) / ours, by_others / others


def _between(shown: Places, first: Counts) -> Floats:
    """Squared placement values, summed over the other class just below each cluster of this."""
    ours = shown.below.shape[1]
    start = np.zeros((len(first), 1), dtype=np.int32)
    previous = np.hstack([start, shown.upto[:, :-1]])
    squares: Floats = np.maximum(shown.below - previous, 0) * ((ours - first) / ours) ** 2
    return squares


def _unjoined(joined: Joined, n: int) -> Places:
    joined.sort(axis=1)
    half = joined.dtype.type(joined.dtype.itemsize * 4)
    low = joined & joined.dtype.type(2 ** int(half) - 1)
    return Places(below=(joined >> half).astype(np.int32), upto=low.astype(np.int32), n=n)


def _ordered(values: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return which cluster comes where, and the values in rising order.

    A value and its place sort as one whole number, which is four times as fast as by index.
    """
    # the sum makes both zeros one; whole numbers rise as floats do once negative ones are turned
    bits = (values + np.float32(0)).view(np.int32)
    turned = bits ^ ((bits >> 31) & np.int32(2**31 - 1))
    keys = (turned.astype(np.int64) << 32) | np.arange(values.shape[1])
    keys.sort(axis=1)
    order = keys & (2**32 - 1)
    return order, np.take_along_axis(values, order, axis=1)


def first_of_ties(ranked: NDArray[Any]) -> Counts:
    """Return the column of the first of each entry's ties, in rows that rise.

    Parameters
    ----------
    ranked : ndarray of shape (n_rows, n_columns)

    Examples
    --------
    >>> first_of_ties(np.array([[1, 1, 5, 7, 7]]))
    array([[0, 0, 2, 3, 3]], dtype=int32)
    """
    first = np.tile(np.arange(ranked.shape[1], dtype=np.int32), (len(ranked), 1))
    first[:, 1:] *= ranked[:, 1:] != ranked[:, :-1]
    return np.maximum.accumulate(first, axis=1, out=first)


def _tied(ranked: NDArray[np.float32] | Counts) -> tuple[Counts, Counts]:
    """Place of the first of each entry's ties, and the place after the last, in sorted rows."""
    begins = np.ones(ranked.shape, dtype=bool)
    np.greater(ranked[:, 1:], ranked[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=ranked.size)
    place = (starts % max(1, ranked.shape[1])).astype(np.int32)
    first = np.repeat(place, lengths).reshape(ranked.shape)
    after = np.repeat(place + lengths.astype(np.int32), lengths).reshape(ranked.shape)
    return first, after
