"""Four plain scores of every unit with every concept: one sort of each unit, and matrix products.

What `probes.association` reports has intervals, reasons and corrections for small samples; this
is the bare arithmetic, for searches over very many pairs.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.association import check_responses
from probes.ranks import places

Floats = NDArray[np.float64]

_UNITS_AT_ONCE = 256
"""Units whose values stay in the cache."""


class PairScores(NamedTuple):
    """Scores of all pairs; every array has shape (n_units, n_concepts)."""

    auroc: Floats
    """Probability that a cluster with the concept responds more; 1/2 is neutral."""

    cohen_d: Floats
    """Difference of means over the pooled standard deviation; 0 is neutral."""

    correlation: Floats
    """Point-biserial; 0 is neutral."""

    welch_t: Floats
    """Difference of means over its standard error; 0 is neutral."""


def pair_scores(values: NDArray[np.floating[Any]], labels: NDArray[np.bool_]) -> PairScores:
    """Score every unit with every concept.

    Parameters
    ----------
    values : ndarray of shape (n_clusters, n_units)
        Cluster means, in the units the layer emits.
    labels : bool ndarray of shape (n_clusters, n_concepts)
        True where the cluster shows the concept; the others are its reference.

    Returns
    -------
    PairScores
        Positive (AUROC: above 1/2) where clusters with the concept respond more. NaN where the
        unit does not vary or a side is empty; d and Welch's t need two clusters a side.

    Raises
    ------
    MeasureError
        If shapes disagree or a value is not finite.

    Examples
    --------
    >>> values, labels = np.array([[0.0], [1], [2], [3], [4], [4]]), np.arange(6)[:, None] >= 3
    >>> found = pair_scores(values, labels)
    >>> round(float(found.welch_t[0, 0]), 3), float(found.auroc[0, 0])
    (4.0, 1.0)
    """
    check_responses(values, labels)
    picked = labels.astype(np.float64)
    parts = [
        _of_a_block(values[:, first : first + _UNITS_AT_ONCE], picked)
        for first in range(0, values.shape[1], _UNITS_AT_ONCE)
    ]
    if not parts:
        return PairScores(*(np.empty((0, labels.shape[1])) for _ in range(4)))
    return PairScores(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _of_a_block(values: NDArray[np.floating[Any]], picked: Floats) -> tuple[Floats, ...]:
    by_unit = np.ascontiguousarray(values.T, dtype=np.float64)
    n, here = len(picked), picked.sum(axis=0)
    there = n - here
    ranks = places(by_unit).middle() @ picked
    by_unit -= by_unit.mean(axis=1, keepdims=True)
    sums, squares = by_unit @ picked, by_unit**2 @ picked
    total = np.einsum("uc,uc->u", by_unit, by_unit)[:, None]
    # rounding leaves a little of a unit that does not vary
    total = np.where(np.ptp(values, axis=0)[:, None] > 0, total, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sums / here + sums / there
        inside = np.maximum(squares - sums**2 / here, 0)
        outside = np.maximum(total - squares - sums**2 / there, 0)
        area = np.where(np.isnan(total), np.nan, (ranks / here - (here + 1) / 2) / there)
        pooled = np.sqrt((inside + outside) / (n - 2))
        error = np.sqrt(inside / (here - 1) / here + outside / (there - 1) / there)
        r = np.clip(gap * np.sqrt(here * there / n) / np.sqrt(total), -1, 1)
        enough = np.minimum(here, there) >= 2
        d, t = (np.where(enough, gap / spread, np.nan) for spread in (pooled, error))
    return area, d, r, t
