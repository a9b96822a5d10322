"""Which of all pairs of units and concepts stand out, with the family-wise error, in one sweep.

Where `probes.max_t` adjusts one concept after the other by Welch's t, here all concepts share each
rearrangement: a matrix product gives every correlation, and each tile of it is read while it is in
the cache. Products are in 32 bits; what they may lose counts against a pair, never for it.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError

Floats = NDArray[np.float64]
Single = NDArray[np.float32]
Sample = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

_COLUMNS_AT_ONCE = 1_600
"""Columns of one product, concepts times arrangements: wide enough to run at full speed."""

_ROWS_AT_ONCE = 64
"""Units that are looked at while their correlations are in the cache."""

_MOST_ORDERS = 255
"""Arrangements of one product at most: hits among them fit in a byte."""


class PairsP(NamedTuple):
    """What rearranged labels say of every pair; arrays have shape (n_units, n_concepts).

    NaN where the unit does not vary, or every cluster or none shows the concept.
    """

    correlation: Floats
    alone: Floats
    """p of each pair by itself."""

    over_units: Floats
    """p adjusted for all units, for each concept by itself."""

    over_all: Floats | None
    """p adjusted for all units and concepts; None where the nulls are shared."""

    draws: int
    certainty: Literal["sampled"] = "sampled"


def max_t_pairs(
    values: Sample,
    labels: Mask,
    *,
    rng: np.random.Generator,
    share_nulls: bool = False,
    draws: int = 999,
) -> PairsP:
    """Return the p of the correlation of every unit with every concept, both sides.

    Clusters are rearranged, all labels of a cluster together, so that the dependence between units
    and between concepts is kept. The largest absolute correlation of each arrangement is the
    null (single step). Correlation is monotone in the pooled t.

    Parameters
    ----------
    values : ndarray of shape (n_clusters, n_units)
        Cluster means of every unit examined.
    labels : bool ndarray of shape (n_clusters, n_concepts)
        True where the cluster shows the concept.
    rng : numpy.random.Generator
    share_nulls : bool
        Concepts that equally many clusters show have the same null: make it once for all of them.
        Cheaper by as many as share, and just as right for each concept; but then nothing can be
        adjusted over concepts.
    draws : int
        999 cannot show a p below 0.001.

    Returns
    -------
    PairsP
        p is ``(b + 1) / (draws + 1)``. Correlations within ``tolerance`` count as equal, so that
        rounding never makes a p smaller.

    Raises
    ------
    MeasureError
        If shapes disagree, a response is not finite, or there is no draw.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, chapter 2; Phipson & Smyth (2010),
    Statistical Applications in Genetics and Molecular Biology 9(1), 39.

    Examples
    --------
    >>> values, labels = np.arange(20.0)[:, None] * [1, 0], np.arange(20)[:, None] >= 10
    >>> found = max_t_pairs(values, labels, rng=np.random.default_rng(0))
    >>> found.correlation.round(3).tolist(), found.over_units.tolist()
    ([[0.867], [nan]], [[0.002], [nan]])
    """
    _check(values, labels, draws)
    units, varied = _standardised(values)
    shown = labels.sum(axis=0)
    usable = (shown > 0) & (shown < len(labels))
    columns = _columns(labels[:, usable])
    size = values.shape[1], labels.shape[1]
    pairs = np.ix_(varied, usable)
    found = tuple(np.full(size, np.nan) for _ in range(4))
    if varied.any() and usable.any():
        observed = units.astype(np.float64) @ columns
        parts = _swept(units, columns, observed, rng, draws, share_nulls)
        for array, part in zip(found, (observed, *parts), strict=True):
            array[pairs] = part
    over_all = None if share_nulls else found[3]
    return PairsP(np.clip(found[0], -1, 1), found[1], found[2], over_all, draws)


def tolerance(n_clusters: int) -> float:
    """Return how far two correlations may lie apart by the rounding of 32 bits.

    Examples
    --------
    >>> f"{tolerance(2_000):.0e}"
    '2e-05'
    """
    return float(4 * np.finfo(np.float32).eps * np.sqrt(n_clusters))


def _swept(
    units: Single,
    columns: Floats,
    observed: Floats,
    rng: np.random.Generator,
    draws: int,
    share_nulls: bool,
) -> tuple[Floats, Floats, Floats]:
    """Return p alone, over units and over everything."""
    each, null = np.arange(columns.shape[1]), np.arange(columns.shape[1])
    if share_nulls:
        _, each, null = np.unique((columns > 0).sum(axis=0), return_index=True, return_inverse=True)
    limit = np.abs(observed) - tolerance(len(columns))
    hits, largest = np.zeros(limit.shape, dtype=np.int64), []
    shared = columns[:, each].astype(np.float32)
    for orders in _orders(len(columns), shared.shape[1], rng, draws):
        drawn = units @ shared[orders.T].reshape(len(shared), -1)
        largest.append(_read(drawn, limit.astype(np.float32), null, hits))
    by_concept = np.concatenate(largest)[:, null]
    over_units = np.stack([_reached(a, b) for a, b in zip(by_concept.T, limit.T, strict=True)], 1)
    over_all = _reached(by_concept.max(axis=1), limit)
    alone, *adjusted = ((h + 1) / (draws + 1) for h in (hits, over_units, over_all))
    return alone, adjusted[0], adjusted[1]


def _read(drawn: Single, limit: Single, null: NDArray[np.intp], hits: NDArray[np.int64]) -> Single:
    """Count in one go what reaches its limit, and return the largest of each arrangement.

    The result has shape (n_arrangements, n_nulls).
    """
    n_nulls = int(null.max()) + 1
    largest = np.zeros(drawn.shape[1], dtype=np.float32)
    own = np.array_equal(null, np.arange(n_nulls))
    for first in range(0, len(drawn), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        size = np.abs(drawn[rows], out=drawn[rows])
        np.maximum(largest, size.max(axis=0), out=largest)
        tiles = size.reshape(len(size), -1, n_nulls)
        reached = (tiles if own else tiles[:, :, null]) >= limit[rows, None]
        hits[rows] += np.add.reduce(reached.view(np.uint8), axis=1, dtype=np.uint8)
    return largest.reshape(-1, n_nulls)


def _reached(null: Single | Floats, limit: Floats) -> NDArray[np.int64]:
    """How many of the null are at least the limit."""
    return len(null) - np.searchsorted(np.sort(null), limit.astype(np.float32))


def _orders(
    n: int, n_columns: int, rng: np.random.Generator, draws: int
) -> Iterator[NDArray[np.intp]]:
    """Draw rearrangements of the clusters, some at a time, shape (n_arrangements, n_clusters)."""
    size = min(max(1, _COLUMNS_AT_ONCE // n_columns), _MOST_ORDERS)
    for first in range(0, draws, size):
        yield np.stack([rng.permutation(n) for _ in range(min(size, draws - first))])


def _standardised(values: Sample) -> tuple[Single, Mask]:
    """Units that vary, centred and of length 1, shape (n_varied, n_clusters); and which."""
    varied = np.ptp(values, axis=0) > 0
    by_unit = values.T[varied].astype(np.float64)
    by_unit -= by_unit.mean(axis=1, keepdims=True)
    by_unit /= np.linalg.norm(by_unit, axis=1, keepdims=True)
    return by_unit.astype(np.float32), varied


def _columns(labels: Mask) -> Floats:
    """Labels scaled so that their product with a standardised unit is a correlation."""
    share = labels.mean(axis=0)
    return np.asarray(labels / np.sqrt(len(labels) * share * (1 - share)), dtype=np.float64)


def _check(values: Sample, labels: Mask, draws: int) -> None:
    fit = values.ndim == 2 and labels.ndim == 2 and len(values) == len(labels)
    if not fit or labels.dtype != np.bool_ or draws < 1:
        raise MeasureError(
            "Values must be (n_clusters, n_units), labels true or false (n_clusters, n_concepts), "
            f"and draws at least 1; got shapes {values.shape} and {labels.shape} ({labels.dtype}), "
            f"and {draws} draws."
        )
    bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
    if bad.size:
        raise MeasureError(
            f"Responses must be finite; got NaN or infinity in units {bad[:5].tolist()}. "
            "A model that answers so cannot be audited."
        )
