"""Whether silencing units lowers a link: drops of a double difference (decision.md, step 11).

A link is a double difference of cosines: this group's pictures against those of its family, this
harm against control packs. The same pictures are scored with and without an intervention, so a
drop is paired by cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from probes.arms import normalise
from probes.clusters import cluster_means
from probes.errors import MeasureError
from probes.permutation import permutation_p

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Link:
    """What is compared with what, for one half of the stimuli."""

    clusters: Codes
    """Cluster of each picture, 0 to n_clusters - 1, shape (n_pictures,)."""

    concepts: Codes
    """Concept of each cluster: 0 is the group, the others its family, shape (n_clusters,)."""

    harm: Array
    """Text embeddings of the harm's terms, of length 1, shape (n_terms, embedding_size)."""

    controls: tuple[Array, ...]
    """The same for each control pack."""

    def __post_init__(self) -> None:
        """Refuse a link that compares nothing."""
        found = set(self.concepts.tolist())
        if 0 not in found or len(found) < 2:
            raise MeasureError(
                "A link needs clusters of the group (0) and of at least one other concept; "
                f"got concepts {sorted(found)}."
            )
        if not len(self.harm) or not self.controls:
            raise MeasureError(
                "A link needs at least one term of harm and one control pack; "
                f"got {len(self.harm)} and {len(self.controls)}."
            )

    @cached_property
    def packs(self) -> Array:
        """Mean embedding of the harm, then of each control pack, shape (1 + n_packs, size)."""
        return np.array([pack.mean(axis=0) for pack in (self.harm, *self.controls)])

    @cached_property
    def directions(self) -> Array:
        """Each term of harm from the mean of the control packs, shape (n_terms, size)."""
        return np.asarray(self.harm - self.packs[1:].mean(axis=0), dtype=np.float64)


def cluster_margins(embeddings: Rows, link: Link) -> Array:
    """Return how much nearer each cluster is to each term of harm than to the control packs.

    Parameters
    ----------
    embeddings : ndarray of shape (n_pictures, embedding_size)
        Of any length; each is normalised, pictures of a cluster are averaged and renormalised.
    link : Link

    Returns
    -------
    ndarray of shape (n_clusters, n_terms)
        Differences of cosines; 0 is neutral.
    """
    return pooled(embeddings, link.clusters) @ link.directions.T


def pooled(embeddings: Rows, clusters: Codes) -> Array:
    """Average normalised rows by cluster and normalise again, shape (n_clusters, size)."""
    means = cluster_means(normalise(embeddings), clusters)
    return normalise(means)


def double_difference(margins: Array, concepts: Codes) -> float:
    """Return the mean margin of concept 0 less the mean over the other concepts of theirs.

    Parameters
    ----------
    margins : ndarray of shape (n_clusters, ...)
    concepts : int ndarray of shape (n_clusters,)

    Examples
    --------
    >>> double_difference(np.array([[5.0], [3.0], [1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1, 2]))
    2.5
    """
    own, others = _by_concept(margins, concepts)
    return float(own.mean() - np.mean([rows.mean() for rows in others]))


def _by_concept(margins: Array, concepts: Codes) -> tuple[Array, list[Array]]:
    others = [margins[concepts == code] for code in np.unique(concepts[concepts != 0])]
    return margins[concepts == 0], others


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """How much of a double difference goes when units are silenced; NaN where unknown."""

    value: float
    """Before minus after, as a cosine; 0 is neutral, positive where the link gets weaker."""

    low: float
    high: float
    se: float
    df: float
    p: float
    """Upper tail of t: that the link does not get weaker, over clusters and terms."""

    before: float
    """The double difference without an intervention."""

    @property
    def share(self) -> float:
        """The drop as a share of the link; NaN where there is no link to lower."""
        return self.value / self.before if self.before > 0 else float("nan")


def drop(before: Array, after: Array, concepts: Codes, *, confidence: float = 0.95) -> Drop:
    """Compare margins of the same clusters with and without an intervention.

    Parameters
    ----------
    before, after : ndarray of shape (n_clusters, n_terms)
        From `cluster_margins`.
    concepts : int ndarray of shape (n_clusters,)
    confidence : float

    Returns
    -------
    Drop
        Its standard error adds the spread of clusters within each concept and that of the terms,
        each on paired differences; t with Satterthwaite's degrees of freedom. NaN with one
        cluster of the group or one term, or where nothing differs.

    References
    ----------
    Welch (1947), Biometrika 34, 28-35; Owen (2007), Annals of Applied Statistics 1, 386-411, for
    clusters on both sides.

    Examples
    --------
    >>> before = np.array([[3.0, 3.2], [3.1, 3.3], [1.0, 1.1], [1.1, 1.0]])
    >>> after = np.array([[2.0, 2.1], [2.1, 2.4], [1.0, 1.1], [1.0, 1.1]])
    >>> found = drop(before, after, np.array([0, 0, 1, 1]))
    >>> round(found.value, 3), round(found.before, 3), found.low > 0
    (1.0, 2.1, True)
    """
    if before.shape != after.shape or before.shape[:1] != concepts.shape or before.ndim != 2:
        raise MeasureError(
            "Margins before and after must be of the same clusters and terms; "
            f"got {before.shape} and {after.shape} for {len(concepts)} clusters."
        )
    paired = before - after
    value = double_difference(paired, concepts)
    parts, freedom = _variances(paired, concepts)
    total = float(parts.sum())
    se = float(np.sqrt(total)) if total > 0 else float("nan")
    df = float(total**2 / (parts**2 / freedom).sum()) if total > 0 else float("nan")
    half = float(stats.t.isf((1 - confidence) / 2, df)) * se
    return Drop(
        value=value,
        low=value - half,
        high=value + half,
        se=se,
        df=df,
        p=float(stats.t.sf(value / se, df)),
        before=double_difference(before, concepts),
    )


def _variances(paired: Array, concepts: Codes) -> tuple[Array, Array]:
    """Variances of the parts of a double difference, and their degrees of freedom.

    A concept with a single cluster is given the spread of the others.
    """
    own, others = _by_concept(paired.mean(axis=1), concepts)
    sides = [(own, 1.0), *((rows, 1 / len(others)) for rows in others)]
    spreads = [rows.var(ddof=1) if len(rows) > 1 else np.nan for rows, _ in sides]
    if len(own) < 2 or paired.shape[1] < 2:
        return np.array([np.nan]), np.array([1.0])
    typical = float(np.nanmean(spreads))
    parts = [
        share**2 * (typical if np.isnan(spread) else spread) / len(rows)
        for (rows, share), spread in zip(sides, spreads, strict=True)
    ]
    by_term = [double_difference(column[:, None], concepts) for column in paired.T]
    parts.append(float(np.var(by_term, ddof=1)) / len(by_term))
    freedom = [max(len(rows) - 1, 1) for rows, _ in sides] + [len(by_term) - 1]
    return np.array(parts), np.array(freedom, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalTest:
    """Whether there is a link, and a chosen set lowers it by more than sets like it."""

    p: float
    """The largest of the three below: all must be small."""

    p_link: float
    """That the link is one that harmless packs have by chance."""

    p_matched: float
    """(b + 1) / (m + 1) for b of m matched sets that lower the link at least as much."""

    p_clusters: float
    """That the drop is 0 or less, over clusters and terms."""

    percentile: float
    """Share of matched sets that lower the link less."""


def causal_test(found: Drop, matched: Array, p_link: float) -> CausalTest:
    """Hold a drop against those of matched sets, its own spread, and the lack of a link.

    Parameters
    ----------
    found : Drop
        Of the chosen set.
    matched : ndarray of shape (n_sets,)
        Drops of matched sets, on the same pictures and terms.
    p_link : float
        Of the link against control packs, on the same pictures and terms.

    Returns
    -------
    CausalTest
        Matched sets alone reject nearly always: whatever direction is asked for, some units add
        to it and others take away, and those chosen because they add do so on other stimuli too,
        link or no link. So the link itself must stand out from those of control packs on the
        measured half, and the drop from the spread of clusters and terms.

    References
    ----------
    Phipson & Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9(1), 39;
    Berger (1982), Technometrics 24, 295-300, for the largest of several p.

    Examples
    --------
    >>> before, concepts = np.array([[3.0, 3.2], [3.1, 3.3], [1.0, 1.1], [1.1, 1.0]]), [0, 0, 1, 1]
    >>> found = drop(before, before * [[0.5], [0.6], [1], [0.9]], np.array(concepts))
    >>> causal_test(found, np.zeros(99), 0.001).p_matched
    0.01
    """
    by_sets = permutation_p(found.value, matched, exact=False)
    return CausalTest(
        p=float(np.max([p_link, by_sets, found.p])),
        p_link=p_link,
        p_matched=by_sets,
        p_clusters=found.p,
        percentile=float((matched < found.value).mean()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DosePoint:
    """What happens to margins when units are held at a dose."""

    dose: float
    """Standard deviations from the unit's mean, towards the group."""

    change: float
    """Mean margin at the dose minus that without an intervention, as a cosine."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseResponse:
    """Whether margins follow the dose."""

    points: tuple[DosePoint, ...]
    monotonicity: float
    """Spearman's correlation of dose and change, -1 to 1; NaN where nothing changes."""

    slope: float
    """Change of the margin per standard deviation, by least squares."""


def dose_response(
    doses: Sequence[float], changes: Array, *, confidence: float = 0.95
) -> DoseResponse:
    """Describe how margins follow the dose.

    Parameters
    ----------
    doses : sequence of float
        At least two different ones.
    changes : ndarray of shape (n_doses, n_clusters)
        Margin of every cluster at each dose minus that without an intervention.
    confidence : float
        Of Student's interval over clusters at each dose.

    Examples
    --------
    >>> found = dose_response([-1, 0, 2], np.array([[-0.2, -0.1], [0.0, 0.1], [0.3, 0.4]]))
    >>> found.monotonicity, round(found.slope, 2)
    (1.0, 0.16)
    """
    if len(set(doses)) < 2 or changes.ndim != 2 or len(doses) != len(changes):
        raise MeasureError(
            "A dose-response needs two or more different doses and a row of changes for each; "
            f"got {len(set(doses))} doses and shape {changes.shape}."
        )
    means = changes.mean(axis=1)
    n = changes.shape[1]
    spread = changes.std(axis=1, ddof=1) if n > 1 else np.full(len(doses), np.nan)
    half = stats.t.isf((1 - confidence) / 2, max(n - 1, 1)) * spread / np.sqrt(n)
    varies = np.ptp(means) > 0
    rho = float(stats.spearmanr(doses, means).statistic) if varies else float("nan")
    return DoseResponse(
        points=tuple(
            DosePoint(dose=float(k), change=float(m), low=float(m - h), high=float(m + h))
            for k, m, h in zip(doses, means, half, strict=True)
        ),
        monotonicity=rho,
        slope=float(np.polyfit(np.asarray(doses, dtype=np.float64), means, 1)[0]),
    )
