"""What a unit's activation says about what is shown: concept shares by band of activation.

Activations are counted in standard deviations from zero, not from the mean, so that the sign says
on which side of its resting place a unit is. Every cluster has one vote in all, spread over its
stimuli; intervals count clusters, not stimuli.

A curve shows precision, not recall: that nearly all strong responses show a concept does not say
that the concept is answered to. Read it beside the lift and the distribution of each group.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from probes.clusters import MIN_CLUSTERS
from probes.errors import MeasureError
from probes.intervals import t_quantile, wilson
from probes.measurement import Estimate, undefined

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]
Responses = NDArray[np.floating[Any]]

EDGES = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0)
"""Between bands, in standard deviations from zero; each band includes its upper edge."""


def votes(clusters: Codes) -> Floats:
    """Return the weight of each stimulus: one vote per cluster, shared by its stimuli.

    Examples
    --------
    >>> votes(np.array([4, 4, 9]))
    array([0.5, 0.5, 1. ])
    """
    codes = np.unique(clusters, return_inverse=True)[1]
    shares: Floats = 1.0 / np.bincount(codes)[codes]
    return shares


def from_zero(values: Responses, clusters: Codes, *, deviation: ArrayLike | None = None) -> Floats:
    """Express activations in standard deviations from zero.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli,) or (n_stimuli, n_units)
        Responses, in the units the layer emits.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus; each has one vote in the standard deviation.
    deviation : array_like of shape (n_units,), optional
        Standard deviation of each unit over a neutral reference, if there is one.

    Returns
    -------
    ndarray of the shape of ``values``
        NaN for a unit that does not vary.

    Examples
    --------
    >>> from_zero(np.array([2.0, 4.0]), np.array([0, 1]))
    array([2., 4.])
    """
    _check(values, clusters)
    exact = values.astype(np.float64)
    if deviation is None:
        spread = zero_deviation(exact, clusters)
    else:
        given = np.asarray(deviation, dtype=np.float64)
        spread = np.where(given > 0, given, np.nan)
    scaled: Floats = exact / spread
    return scaled


def zero_deviation(values: Responses, clusters: Codes) -> Floats:
    """Return the standard deviation that `from_zero` counts in, one vote per cluster.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli,) or (n_stimuli, n_units)
        Responses, in the units the layer emits.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus.

    Returns
    -------
    ndarray of shape () or (n_units,)
        NaN for a unit that does not vary.

    Examples
    --------
    >>> float(zero_deviation(np.array([2.0, 4.0]), np.array([0, 1])))
    1.0
    """
    _check(values, clusters)
    exact, weights = values.astype(np.float64), votes(clusters)
    mean = np.average(exact, axis=0, weights=weights)
    spread = np.sqrt(np.average((exact - mean) ** 2, axis=0, weights=weights))
    found: Floats = np.where(spread > 1e-9 * np.abs(mean), spread, np.nan)
    return found


def band_of(deviations: Floats, edges: tuple[float, ...] = EDGES) -> NDArray[np.intp]:
    """Return the band of each activation, 0 to ``len(edges)``; the upper edge belongs to it.

    Examples
    --------
    >>> band_of(np.array([-2.0, -1.9, 6.0, 6.1]))
    array([0, 1, 7, 8])
    """
    if len(edges) == 0 or not (np.diff(edges) > 0).all():
        raise MeasureError(f"Edges of bands must rise; got {list(edges)}.")
    if np.isnan(deviations).any():
        raise MeasureError(
            f"Activations must be numbers; got {int(np.isnan(deviations).sum())} NaN. "
            "A unit that does not vary has no curve."
        )
    return np.searchsorted(np.asarray(edges), deviations, side="left").astype(np.intp)


class BandSample(NamedTuple):
    """Stimuli drawn evenly over bands, and how to get back to all of them."""

    rows: NDArray[np.intp]
    """Indices of the drawn stimuli, rising."""

    weights: Floats
    """Votes that each stands for, shape of ``rows``: its own over the share of its band that was
    drawn. In each band they add up to about the band's votes."""


def sample_bands(
    deviations: Floats,
    clusters: Codes,
    *,
    per_band: int,
    rng: np.random.Generator,
    edges: tuple[float, ...] = EDGES,
) -> BandSample:
    """Draw the same number of stimuli from every band, for a person to label.

    Strong responses are rare: without this nearly all labelling goes to the middle.

    Parameters
    ----------
    deviations : ndarray of shape (n_stimuli,)
        Activations of one unit (`from_zero`).
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus.
    per_band : int
        Stimuli per band; bands that hold fewer are taken whole.
    rng : numpy.random.Generator
        Draws them, without replacement.

    References
    ----------
    Horvitz & Thompson (1952), Journal of the American Statistical Association 47, 663-685.
    """
    if per_band < 1:
        raise MeasureError(f"At least 1 stimulus must be drawn per band; got {per_band}.")
    _check(deviations, clusters)
    band = band_of(deviations, edges)
    drawn = [rng.permutation(np.flatnonzero(band == b))[:per_band] for b in np.unique(band)]
    rows = np.sort(np.concatenate(drawn))
    held = np.bincount(band)
    chance = np.minimum(per_band, held)[band[rows]] / held[band[rows]]
    return BandSample(rows, votes(clusters)[rows] / chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationCurve:
    """Shares of concepts in each band of one unit's activation."""

    edges: tuple[float, ...]
    """Between bands, in standard deviations from zero."""

    share: Floats
    """P(concept | band), shape (n_bands, n_concepts); NaN in an empty band."""

    low: Floats
    """Lower end of Wilson's interval, on ``effective`` clusters."""

    high: Floats
    overall: Floats
    """P(concept), shape (n_concepts,): what a band that says nothing would have."""

    occupied: Floats
    """Share of the votes in each band, shape (n_bands,); adds up to 1."""

    effective: Floats
    """Clusters that the votes of a band are worth, shape (n_bands,)."""

    clusters: NDArray[np.int64]
    """Distinct clusters in each band, shape (n_bands,)."""

    n: NDArray[np.int64]
    """Stimuli in each band, shape (n_bands,)."""


def activation_curve(
    deviations: Floats,
    labels: Labels,
    clusters: Codes,
    *,
    edges: tuple[float, ...] = EDGES,
    weights: Floats | None = None,
) -> ActivationCurve:
    """Share of each concept among the stimuli of each band of activation.

    Parameters
    ----------
    deviations : ndarray of shape (n_stimuli,)
        Activations of one unit (`from_zero`).
    labels : bool ndarray of shape (n_stimuli, n_concepts)
        What each stimulus shows; stimuli of a cluster may differ.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus.
    weights : ndarray of shape (n_stimuli,), optional
        Of `sample_bands`, which make ``overall`` and ``occupied`` those of all stimuli again; one
        vote per cluster by default.

    Returns
    -------
    ActivationCurve
        A band's votes are worth ``sum(W)**2 / sum(W**2)`` clusters, with ``W`` the votes of each
        cluster in the band: all of them where their votes are equal, fewer where a few dominate.

    Raises
    ------
    MeasureError
        If shapes disagree, an activation is NaN, a weight is not positive or edges do not rise.

    References
    ----------
    Goh et al. (2021), Distill, doi 10.23915/distill.00030, for the figure; Kish (1965), Survey
    Sampling, for the effective number.

    Examples
    --------
    >>> shown = np.array([[True], [True], [False], [False]])
    >>> z, each = np.array([5.0, 5.5, 5.2, -3.0]), np.arange(4)
    >>> activation_curve(z, shown, each).share[[0, 7], 0].round(2)
    array([0.  , 0.67])
    """
    shares = vote_weights(deviations, clusters, weights)
    if labels.ndim != 2 or len(labels) != len(deviations):
        raise MeasureError(
            "Labels must have one row per stimulus and one column per concept; "
            f"got shape {labels.shape} for {len(deviations)} stimuli."
        )
    band, n_bands = band_of(deviations, edges), len(edges) + 1
    held = np.bincount(band, weights=shares, minlength=n_bands)
    shown = np.zeros((n_bands, labels.shape[1]))
    np.add.at(shown, band, labels * shares[:, None])
    inside = [band == b for b in range(n_bands)]
    effective = np.array([effective_clusters(shares[i], clusters[i]) for i in inside])
    share = np.minimum(shown / np.where(held > 0, held, np.nan)[:, None], 1.0)
    ends = wilson(np.nan_to_num(share) * effective[:, None], effective[:, None])
    return ActivationCurve(
        edges=edges,
        share=share,
        low=ends.low,
        high=ends.high,
        overall=shown.sum(axis=0) / held.sum(),
        occupied=held / held.sum(),
        effective=effective,
        clusters=np.array([len(np.unique(clusters[i])) for i in inside], dtype=np.int64),
        n=np.bincount(band, minlength=n_bands),
    )


def effective_clusters(weights: Floats, clusters: Codes) -> float:
    """Return how many equal clusters the votes of these are worth; 0 without stimuli.

    Examples
    --------
    >>> effective_clusters(np.array([1.0, 1.0, 2.0]), np.array([0, 0, 1]))
    2.0
    """
    if not len(weights):
        return 0.0
    totals = np.bincount(np.unique(clusters, return_inverse=True)[1], weights=weights)
    return float(totals.sum() ** 2 / (totals**2).sum())


def lift(
    deviations: Floats,
    labels: Labels,
    clusters: Codes,
    *,
    threshold: float,
    weights: Floats | None = None,
) -> Estimate:
    """How many times as often a unit responds above a threshold when a concept is shown.

    ``P(z > threshold | concept) / P(z > threshold)``, the latter over all stimuli, those of the
    concept included; the same as ``P(concept | z > threshold) / P(concept)``.

    Parameters
    ----------
    deviations : ndarray of shape (n_stimuli,)
        Activations of one unit (`from_zero`).
    labels : bool ndarray of shape (n_stimuli,)
        True where the concept is shown.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus.
    threshold : float
        In standard deviations from zero.
    weights : ndarray of shape (n_stimuli,), optional
        Of `sample_bands`; one vote per cluster by default.

    Returns
    -------
    Estimate
        1 is neutral; 0 without an interval where the concept never passes; NaN with a reason
        where nothing passes or the concept has fewer than ``MIN_CLUSTERS`` clusters. The interval
        comes from the logarithm, linearised cluster by cluster.
    """
    shares = vote_weights(deviations, clusters, weights)
    band_of(deviations)
    codes = np.unique(clusters, return_inverse=True)[1]
    passes = deviations > threshold
    totals = [
        np.bincount(codes, weights=shares * rows)
        for rows in (passes & labels, passes, labels, np.ones_like(labels))
    ]
    both, passing, shown, everything = (float(t.sum()) for t in totals)
    n, k = len(deviations), int(codes.max()) + 1
    with_it = int((totals[2] > 0).sum())
    if with_it < MIN_CLUSTERS:
        return undefined(
            f"a lift needs {MIN_CLUSTERS} clusters of the concept, not {with_it}", n=n, clusters=k
        )
    if not passing:
        return undefined(f"no stimulus passes {threshold:g} standard deviations", n=n, clusters=k)
    value = both * everything / (passing * shown)
    if not both:
        why = "the concept never passes, so that the interval is unknown"
        return Estimate(value=0.0, neutral=1.0, reason=why, n=n, clusters=k)
    pull = totals[0] / both - totals[1] / passing - totals[2] / shown + totals[3] / everything
    error = np.sqrt(k / (k - 1) * (pull**2).sum())
    freedom = max(int((totals[0] > 0).sum()) - 1, 1)
    reach = float(t_quantile(freedom)) * float(error)
    return Estimate(
        value=value,
        low=float(value * np.exp(-reach)),
        high=float(value * np.exp(reach)),
        neutral=1.0,
        n=n,
        clusters=k,
    )


def vote_weights(deviations: Floats, clusters: Codes, weights: Floats | None) -> Floats:
    """Return given weights if they fit, else one vote per cluster, shape (n_stimuli,).

    Raises
    ------
    MeasureError
        If shapes disagree, there is no stimulus or a weight is not positive.
    """
    _check(deviations, clusters)
    if weights is None:
        return votes(clusters)
    if weights.shape != clusters.shape or not (np.isfinite(weights) & (weights > 0)).all():
        raise MeasureError(
            "Weights must be one finite number above 0 per stimulus; "
            f"got shape {weights.shape} for {len(clusters)} stimuli."
        )
    return weights


def _check(values: Responses, clusters: Codes) -> None:
    if clusters.ndim != 1 or len(values) != len(clusters) or not len(values):
        raise MeasureError(
            "There must be at least one stimulus and one cluster code for each; "
            f"got shape {values.shape} and {len(clusters)} codes."
        )
    if np.isinf(values).any():
        raise MeasureError("Activations must be finite. A model that answers so cannot be audited.")
