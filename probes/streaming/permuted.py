"""Permutation tests of every unit of a table in shards, over cluster means, out of core.

Labels move between clusters, never between stimuli. Beyond ``MAX_CLUSTERS`` clusters a seeded
sample of them is tested, and the result says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.arrangements import arrangements, strata_of
from probes.clusters import cluster_labels
from probes.errors import MeasureError
from probes.permutation import TIE
from probes.shard_format import Values
from probes.shards import ShardTable
from probes.streaming.columns import blocks_of, pieces_of
from probes.streaming.halves import doubles
from probes.studentised import side_differences

MAX_CLUSTERS = 20_000
DRAWS_AT_ONCE = 128

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedTest:
    """What a permutation test of all units of a table says about one concept."""

    statistic: Floats
    """Welch's t over cluster means, shape (n_units,); 0 is neutral."""

    p: Floats
    """Two-sided, of each unit alone."""

    adjusted: Floats
    """For all units together: against the largest of them under each arrangement."""

    clusters: NDArray[np.intp]
    """Codes of the clusters that were tested, rising."""

    n_clusters: int
    """Clusters that there are."""

    exact: bool
    """Whether every arrangement was counted."""

    @property
    def sampled(self) -> bool:
        """Whether only some clusters were tested."""
        return len(self.clusters) < self.n_clusters

    def sentence(self) -> str:
        """Say what was tested."""
        if not self.sampled:
            return f"All {self.n_clusters:,} clusters were tested."
        return (
            f"{len(self.clusters):,} of {self.n_clusters:,} clusters were tested: a seeded "
            "sample, chosen by label and not by response."
        )


def permute_table(
    table: ShardTable,
    shown: Mask,
    codes: Codes,
    *,
    rng: np.random.Generator,
    draws: int = 999,
    max_clusters: int = MAX_CLUSTERS,
) -> StreamedTest:
    """Test every unit of a table for a difference between two sides of clusters.

    Parameters
    ----------
    table : ShardTable
    shown : bool ndarray of shape (n_rows,)
        True where the row shows the concept; the same in all rows of a cluster.
    codes : int ndarray of shape (n_rows,)
        Cluster of each row, 0 to n_clusters - 1 without gaps.
    rng : numpy.random.Generator
    draws : int
        Arrangements that are drawn where there are more.
    max_clusters : int
        Beyond it a sample is tested: of the rarer side up to half of these, then of the other.

    Returns
    -------
    StreamedTest
        The studentised difference of each unit. ``adjusted`` keeps the family-wise error over
        all units (single-step max-T). NaN where a unit does not vary or a side has no cluster.

    Raises
    ------
    MeasureError
        If shapes disagree, or a cluster carries both labels.
    ExtractionError
        If a shard is missing, cut off or damaged.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, 2.3.
    """
    if not shown.shape == codes.shape == (table.n_rows,):
        raise MeasureError(
            f"Labels and clusters must name one for each of the {table.n_rows} rows; "
            f"got shapes {shown.shape} and {codes.shape}."
        )
    by_cluster = cluster_labels(shown, codes)
    kept = sampled_clusters(by_cluster, max_clusters, rng)
    labels = by_cluster[kept]
    n_units = table.key.n_units
    if labels.all() or not labels.any():
        nothing = np.full(n_units, np.nan)
        return StreamedTest(
            statistic=nothing, p=nothing, adjusted=nothing,
            clusters=kept, n_clusters=len(by_cluster), exact=False,
        )  # fmt: skip
    moved = arrangements(labels, rng=rng, max_exact=draws, draws=draws)
    statistic, own = np.full(n_units, np.nan), np.full(n_units, np.nan)
    largest = np.zeros(len(moved.shown))
    groups = strata_of(len(kept), None)
    for first, after in blocks_of(table):
        means = block_means(table, codes, kept, first, after)
        varied = np.flatnonzero(_varies(means))
        means, varied = means[:, varied], first + varied
        drawn = _drawn(means, moved.shown)
        statistic[varied] = side_differences(means, labels[None], groups)[0]
        own[varied] = _share(drawn >= _bar(statistic[varied]), exact=moved.exact)
        largest = np.maximum(largest, drawn.max(axis=1, initial=0))
    together = _share(largest[:, None] >= _bar(statistic), exact=moved.exact)
    return StreamedTest(
        statistic=statistic,
        p=own,
        adjusted=np.where(np.isnan(statistic), np.nan, together),
        clusters=kept,
        n_clusters=len(by_cluster),
        exact=moved.exact,
    )


def sampled_clusters(labels: Mask, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the clusters to test: all, or a sample that keeps the rarer side.

    The choice looks at labels alone, so that they may still be exchanged under the null.

    Examples
    --------
    >>> labels = np.arange(1000) < 3
    >>> sampled_clusters(labels, 10, np.random.default_rng(0))[:3]
    array([0, 1, 2])
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    sides = sorted((np.flatnonzero(labels), np.flatnonzero(~labels)), key=len)
    few = rng.permutation(sides[0])[: most // 2]
    rest = rng.permutation(sides[1])[: most - len(few)]
    return np.sort(np.concatenate([few, rest]))


def block_means(
    table: ShardTable, codes: Codes, kept: NDArray[np.intp], first: int, after: int
) -> Floats:
    """Average neighbouring units within the clusters that are kept.

    Returns
    -------
    ndarray of shape (n_kept, n_units)
    """
    place = np.full(int(codes.max()) + 1, -1, np.intp)
    place[kept] = np.arange(len(kept))
    sums, counts = np.zeros((after - first, len(kept))), np.zeros(len(kept))
    for piece in pieces_of(table, first, after):
        where = place[codes[piece.rows]]
        rows = np.argsort(where, kind="stable")[np.count_nonzero(where < 0) :]
        if len(rows):
            here, starts, sizes = np.unique(where[rows], return_index=True, return_counts=True)
            values = doubles(_rows(piece.by_unit, rows))
            sums[:, here] += np.add.reduceat(values, starts, axis=1)
            counts[here] += sizes
    means: Floats = (sums / counts).T
    return means


def _rows(by_unit: Values, rows: NDArray[np.intp]) -> Values:
    """Return some rows; nothing is copied where they are all of them, in order."""
    everything = np.array_equal(rows, np.arange(by_unit.shape[1]))
    return by_unit if everything else np.take(by_unit, rows, axis=1)


def _varies(means: Floats) -> Mask:
    """Tell which units vary by more than averaging equal numbers leaves."""
    varies: Mask = np.ptp(means, axis=0) > 1e-12 * np.abs(means).max(axis=0)
    return varies


def _drawn(means: Floats, moved: Mask) -> Floats:
    """Size of the difference under each arrangement, shape (n_arrangements, n_units)."""
    groups = strata_of(means.shape[0], None)
    return np.concatenate([np.abs(side_differences(means, some, groups)) for some in _some(moved)])


def _some(moved: Mask) -> Iterator[Mask]:
    for first in range(0, len(moved), DRAWS_AT_ONCE):
        yield moved[first : first + DRAWS_AT_ONCE]


def _bar(statistic: Floats) -> Floats:
    """Size to reach, lowered by the tolerance for ties."""
    size = np.abs(statistic)
    bar: Floats = size - TIE * np.maximum(np.where(np.isfinite(size), size, 0.0), 1.0)
    return bar


def _share(hits: Mask, *, exact: bool) -> Floats:
    """Return p from hits of shape (n_arrangements, n_units)."""
    count, reached = len(hits), hits.sum(axis=0)
    share: Floats = np.maximum(reached, 1) / count if exact else (reached + 1) / (count + 1)
    return share
