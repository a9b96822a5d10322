"""Stimuli are nested: fonts of a word, templates of a term, photos of a person.

Everything is described, tested and resampled by cluster, because stimuli of one cluster are not
independent of each other: tests on stimuli reject true nulls in 20 to 60 % of cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError

MIN_CLUSTERS = 5
"""Clusters needed on a side before anything is estimated from it."""

_UNITS_AT_ONCE = 4096

Responses = NDArray[np.floating[Any]]
Codes = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Which cluster each stimulus belongs to."""

    names: tuple[str, ...]
    """Distinct clusters, sorted."""

    codes: NDArray[np.intp]
    """Index into ``names``, shape (n_stimuli,)."""


def clusters_of(names: Sequence[str]) -> Clusters:
    """Return which cluster each stimulus belongs to, from the names of the clusters.

    Parameters
    ----------
    names : sequence of str
        ``Stimulus.cluster`` of every stimulus; prefix the concept where clusters of different
        concepts may share a name.

    Examples
    --------
    >>> clusters_of(["weaver", "baker", "weaver"]).codes
    array([1, 0, 1])
    """
    distinct, codes = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
    return Clusters(names=tuple(distinct.tolist()), codes=codes.astype(np.intp))


def cluster_sizes(codes: Codes) -> NDArray[np.int64]:
    """Return how many stimuli each cluster has, shape (n_clusters,).

    Raises
    ------
    MeasureError
        If the codes are negative or leave a cluster empty.
    """
    if codes.ndim != 1 or codes.size == 0 or codes.min() < 0:
        raise MeasureError(
            "Cluster codes must be one non-negative whole number per stimulus; "
            f"got shape {codes.shape} with smallest {codes.min() if codes.size else 'none'}."
        )
    sizes = np.bincount(codes).astype(np.int64)
    if (sizes == 0).any():
        raise MeasureError(
            f"Every cluster needs a stimulus; {int((sizes == 0).sum())} of {sizes.size} codes "
            "are not used. Number the clusters 0, 1, 2, ... without gaps."
        )
    return sizes


def cluster_means(
    values: Responses,
    codes: Codes,
    *,
    weights: Responses | None = None,
) -> NDArray[np.float64]:
    """Average stimuli within their cluster.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli, n_units)
        Responses, in the units the layer emits.
    codes : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus, 0 to n_clusters - 1 without gaps.
    weights : ndarray of shape (n_stimuli,), optional
        Weight of a stimulus within its cluster, e.g. to count a font once however many sizes it
        was drawn in. Default: all alike.

    Returns
    -------
    ndarray of shape (n_clusters, n_units)
        NaN where a cluster holds a NaN.

    Raises
    ------
    MeasureError
        If shapes disagree or a cluster has no weight.

    Examples
    --------
    >>> cluster_means(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1]))
    array([[2.],
           [5.]])
    """
    sizes = cluster_sizes(codes)
    share = _shares(codes, sizes, weights)
    if values.ndim != 2 or len(values) != len(codes):
        raise MeasureError(
            "Values must have one row per stimulus and one column per unit; "
            f"got shape {values.shape} for {len(codes)} stimuli."
        )
    # a stable sort keeps the stimuli of a cluster together, so that one pass sums them
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    means = np.empty((len(sizes), values.shape[1]))
    for left in range(0, values.shape[1], _UNITS_AT_ONCE):
        block = slice(left, left + _UNITS_AT_ONCE)
        weighted = values[order, block].astype(np.float64) * share[order, None]
        np.add.reduceat(weighted, starts, axis=0, out=means[:, block])
    return means


def _shares(
    codes: Codes, sizes: NDArray[np.int64], weights: Responses | None
) -> NDArray[np.float64]:
    """Weight of each stimulus, adding up to 1 within a cluster."""
    if weights is None:
        equal: NDArray[np.float64] = 1.0 / sizes[codes]
        return equal
    if weights.shape != codes.shape or not (np.isfinite(weights) & (weights >= 0)).all():
        raise MeasureError(
            "Weights must be one finite number of at least 0 per stimulus; "
            f"got shape {weights.shape} for {len(codes)} stimuli."
        )
    total = np.bincount(codes, weights=weights)
    if (total <= 0).any():
        raise MeasureError(
            f"Every cluster needs a stimulus with weight; {int((total <= 0).sum())} have none."
        )
    given: NDArray[np.float64] = weights / total[codes]
    return given


def cluster_labels(labels: NDArray[np.bool_], codes: Codes) -> NDArray[np.bool_]:
    """Return the label that all stimuli of a cluster share.

    Parameters
    ----------
    labels : bool ndarray of shape (n_stimuli,) or (n_stimuli, n_concepts)
        True where the stimulus shows the concept.
    codes : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus.

    Returns
    -------
    bool ndarray of shape (n_clusters,) or (n_clusters, n_concepts)

    Raises
    ------
    MeasureError
        If a cluster carries both labels: it could then fall on both sides of one comparison.

    Examples
    --------
    >>> cluster_labels(np.array([True, True, False]), np.array([1, 1, 0]))
    array([False,  True])
    """
    sizes = cluster_sizes(codes)
    if len(labels) != len(codes):
        raise MeasureError(
            f"Labels must have one row per stimulus; got {len(labels)} for {len(codes)} stimuli."
        )
    wide = labels.reshape(len(labels), -1)
    with_label = np.zeros((len(sizes), wide.shape[1]), dtype=np.int64)
    np.add.at(with_label, codes, wide)
    mixed = (with_label > 0) & (with_label < sizes[:, None])
    if mixed.any():
        cluster, concept = (int(index) for index in np.argwhere(mixed)[0])
        raise MeasureError(
            "All stimuli of a cluster must carry the same label; "
            f"cluster {cluster} has concept {concept} in {with_label[cluster, concept]} of "
            f"{sizes[cluster]} stimuli ({int(mixed.sum())} such cases). "
            "Split the cluster, or leave it out of the comparison."
        )
    return (with_label > 0).reshape(len(sizes), *labels.shape[1:])
