"""How strongly each unit goes with each concept: four effect sizes for all pairs at once.

The rows are clusters, never stimuli (see ``probes.clusters``). One pass of moments and one sort
per unit serve every concept. Correlation and average-precision lift rank units; Glass's delta
gives the size in the article's unit; the area under the curve is shown, but cannot tell a unit
that is specific to a concept from one that answers to a ten times larger set.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from probes.clusters import MIN_CLUSTERS
from probes.encoder import Reading
from probes.errors import MeasureError
from probes.intervals import Interval, area_interval, t_quantile, welch_freedom, wilson
from probes.ranks import Places, chance_precision, places, scores_by_class

ASSOCIATIONS = ("correlation", "ap_lift", "glass_delta", "auroc")
"""Names of the measures of this module, as in ``probes.measures.MEASURES``."""

_CELLS_AT_ONCE = 8_000_000
"""Clusters times units that are sorted together; about 0.4 GB at the peak."""

Floats = NDArray[np.float64]
Responses = NDArray[np.floating[Any]]


class Why(IntEnum):
    """Why a value is undefined; stored as one byte per unit and concept."""

    DEFINED = 0
    FEW_WITH = 1
    FEW_WITHOUT = 2
    CONSTANT = 3
    REFERENCE_CONSTANT = 4


_REASONS = {
    Why.DEFINED: "",
    Why.FEW_WITH: f"fewer than {MIN_CLUSTERS} clusters with the concept",
    Why.FEW_WITHOUT: f"fewer than {MIN_CLUSTERS} clusters without the concept",
    Why.CONSTANT: "the unit gives the same response to every cluster",
    Why.REFERENCE_CONSTANT: "the unit gives the same response to every cluster without the concept",
}


def reason(code: int) -> str:
    """Return the sentence for a code of ``Estimates.why``; empty where the value is defined.

    Examples
    --------
    >>> reason(3)
    'the unit gives the same response to every cluster'
    """
    return _REASONS[Why(code)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """One measure for all units and concepts; every array has shape (n_units, n_concepts)."""

    value: Floats
    low: Floats
    high: Floats
    why: NDArray[np.uint8]
    """``Why`` of each value that is NaN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Associations:
    """The four measures of this module for a block of units."""

    estimates: Mapping[str, Estimates]
    """One entry per name in ``ASSOCIATIONS``."""

    n_with: NDArray[np.int64]
    """Clusters with each concept, shape (n_concepts,)."""

    n_clusters: int
    ap_lift_ceiling: Floats
    """Largest possible lift of each concept, 1 / base rate."""

    ap_lift_chance: Floats
    """Mean lift of a unit that knows nothing; above 1 where clusters are few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationBlock:
    """Associations of some neighbouring units of one reading."""

    reading: Reading
    first_unit: int
    associations: Associations


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """What the measures share about one block of units."""

    centred: Floats
    """Values minus the unit's mean, shape (n_units, n_clusters)."""

    places: Places
    """Of every cluster in the order of every unit."""

    labels: Floats
    """1 where the cluster has the concept, shape (n_clusters, n_concepts)."""

    n_with: Floats
    """Shape (n_concepts,)."""

    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """Moments of the clusters with and without each concept, shape (n_units, n_concepts)."""

    gap: Floats
    """Mean with minus mean without the concept."""

    variance: Floats
    """Of the clusters with the concept, ddof 1."""

    reference: Floats
    """Variance of the clusters without it, ddof 1; 0 where they do not vary."""

    n_with: Floats
    """Shape (n_concepts,)."""

    n_without: Floats
    quantile: Floats
    """Of Student's t with Welch's degrees of freedom."""


def associate(
    values: Responses, labels: NDArray[np.bool_], *, confidence: float = 0.95
) -> Associations:
    """Measure how strongly every unit goes with every concept.

    Parameters
    ----------
    values : ndarray of shape (n_clusters, n_units)
        Cluster means, in the units the layer emits.
    labels : bool ndarray of shape (n_clusters, n_concepts)
        True where the cluster shows the concept; the others are its reference.
    confidence : float
        Coverage of the intervals, each on its own.

    Returns
    -------
    Associations
        ``correlation``: point-biserial, 0 is neutral; interval on Fisher's scale that allows the
        two sides to differ in spread (NaN where they separate without any spread).
        ``ap_lift``: average precision over base rate; 1 is neutral, but see ``ap_lift_chance``.
        Interval: Wilson's with one trial per cluster that has the concept.
        ``glass_delta``: difference of means in standard deviations of the clusters without the
        concept, Hedges-corrected, with an interval that allows unequal spread; 0 is neutral.
        ``auroc``: probability that a cluster with the concept responds more than one without,
        with DeLong's variance on the logit scale; 1/2 is neutral.
        All intervals but that of ``ap_lift`` use Student's t with Welch's degrees of freedom.
        NaN, with a reason, where a unit does not vary or fewer than ``MIN_CLUSTERS`` clusters
        are on a side.

    Raises
    ------
    MeasureError
        If shapes disagree or a value is not finite.

    References
    ----------
    Oikarinen, Yan & Weng (2025), arXiv 2506.05774, for what each can be trusted with;
    Bonett (2008), Psychological Methods 13, 99-109; DeLong et al. (1988), Biometrics 44, 837-845.

    Examples
    --------
    >>> values = np.array([[0.0], [1], [2], [3], [4], [4], [5], [6], [7], [8]])
    >>> labels = np.arange(10)[:, None] >= 5
    >>> float(associate(values, labels).estimates["auroc"].value[0, 0])
    0.98
    """
    check_responses(values, labels)
    sample = _sample(values, labels, confidence)
    n = len(labels)
    total = sample.n_with
    with np.errstate(divide="ignore", invalid="ignore"):
        by_order, sides = _ordered(sample), _two_sides(sample)
        found = {
            "correlation": _correlation(sample, sides),
            "ap_lift": by_order["ap_lift"],
            "glass_delta": _glass_delta(sides),
            "auroc": by_order["auroc"],
        }
        chance = chance_precision(n, total) * n / total
        ceiling = n / total
    why = _why(sample)
    return Associations(
        estimates={name: _masked(*found[name], why) for name in ASSOCIATIONS},
        n_with=total.astype(np.int64),
        n_clusters=n,
        ap_lift_ceiling=ceiling,
        ap_lift_chance=chance,
    )


def associate_in_blocks(
    readings: Mapping[Reading, Responses],
    labels: NDArray[np.bool_],
    *,
    confidence: float = 0.95,
    block_units: int | None = None,
) -> Iterator[AssociationBlock]:
    """Measure many units of several readings, a bounded amount of memory at a time.

    Parameters
    ----------
    readings : mapping of Reading to ndarray of shape (n_clusters, n_units)
        Cluster means of each layer and pooling.
    labels : bool ndarray of shape (n_clusters, n_concepts)
    confidence : float
    block_units : int, optional
        Units per block; by default as many as fit in memory well.
    """
    size = block_units or max(1, _CELLS_AT_ONCE // max(1, sum(labels.shape)))
    for reading, values in readings.items():
        for first in range(0, values.shape[1], size):
            yield AssociationBlock(
                reading=reading,
                first_unit=first,
                associations=associate(
                    values[:, first : first + size], labels, confidence=confidence
                ),
            )


def check_responses(values: Responses, labels: NDArray[np.bool_]) -> None:
    """Refuse tables that do not have the same clusters, and responses that are not finite."""
    if values.ndim != 2 or labels.ndim != 2 or len(values) != len(labels):
        raise MeasureError(
            "Values must be (n_clusters, n_units) and labels (n_clusters, n_concepts); "
            f"got shapes {values.shape} and {labels.shape}."
        )
    if not np.isfinite(values).all():
        raise MeasureError(
            "Responses must be finite; got NaN or infinity in units "
            f"{np.flatnonzero(~np.isfinite(values).all(axis=0))[:5].tolist()}. "
            "A model that answers so cannot be audited."
        )


def _sample(values: Responses, labels: NDArray[np.bool_], confidence: float) -> _Sample:
    by_unit = np.ascontiguousarray(values.T, dtype=np.float64)
    order = places(by_unit)
    by_unit -= by_unit.mean(axis=1, keepdims=True)
    return _Sample(
        centred=by_unit,
        places=order,
        labels=labels.astype(np.float64),
        n_with=labels.sum(axis=0).astype(np.float64),
        confidence=confidence,
    )


def _why(sample: _Sample) -> NDArray[np.uint8]:
    """Reasons that hold for all four measures, shape (n_units, n_concepts)."""
    n = sample.labels.shape[0]
    constant = sample.places.below.max(axis=1) == 0
    why = np.full((len(sample.centred), len(sample.n_with)), Why.DEFINED, dtype=np.uint8)
    why[constant] = Why.CONSTANT
    why[:, n - sample.n_with < MIN_CLUSTERS] = Why.FEW_WITHOUT
    why[:, sample.n_with < MIN_CLUSTERS] = Why.FEW_WITH
    return why


def _masked(value: Floats, interval: Interval, why: NDArray[np.uint8]) -> Estimates:
    # what is still NaN where everything else is defined has a reference without any spread
    missing = np.isnan(value) & (why == Why.DEFINED)
    why = np.where(missing, np.uint8(Why.REFERENCE_CONSTANT), why)
    undefined = why != Why.DEFINED
    return Estimates(
        value=np.where(undefined, np.nan, value),
        low=np.where(undefined, np.nan, interval.low),
        high=np.where(undefined, np.nan, interval.high),
        why=why,
    )


def _two_sides(sample: _Sample) -> _Sides:
    n_with, n_without = sample.n_with, sample.labels.shape[0] - sample.n_with
    squares = sample.centred**2
    mean, variance = _moments(sample.centred, squares, sample.labels, n_with)
    reference, spread = _moments(sample.centred, squares, 1 - sample.labels, n_without)
    scale = np.abs(sample.centred).max(axis=1, keepdims=True)
    return _Sides(
        gap=mean - reference,
        variance=variance,
        # rounding leaves a little of what should be 0
        reference=np.where(spread > (1e-7 * scale) ** 2, spread, 0.0),
        n_with=n_with,
        n_without=n_without,
        quantile=t_quantile(
            welch_freedom(variance / n_with, n_with, spread / n_without, n_without),
            confidence=sample.confidence,
        ),
    )


def _moments(centred: Floats, squares: Floats, picked: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Mean and variance (ddof 1) over the picked clusters, shape (n_units, n_concepts)."""
    mean = centred @ picked / n
    return mean, np.maximum(squares @ picked - n * mean**2, 0) / (n - 1)


def _correlation(sample: _Sample, sides: _Sides) -> tuple[Floats, Interval]:
    n, share = sample.labels.shape[0], sample.n_with / sample.labels.shape[0]
    length = np.sqrt(np.einsum("uc,uc->u", sample.centred, sample.centred))
    both = np.sqrt(n * share * (1 - share))
    r = np.clip(sample.centred @ sample.labels / length[:, None] / both, -1, 1)
    z, half = np.arctanh(r), sides.quantile * np.sqrt(_z_variance(sides, share))
    return r, Interval(np.tanh(z - half), np.tanh(z + half))


def _z_variance(sides: _Sides, share: Floats) -> Floats:
    """Variance of Fisher's z when the label is given and the two sides differ in spread.

    Fisher's own 1 / (n - 3) supposes a normal pair with one spread: a unit that answers to part
    of a concept, twice as spread there, is then covered in 70 % of cases instead of 95 %.
    """
    rest = 1 - share
    within = share * sides.variance + rest * sides.reference
    between = share * rest * sides.gap**2
    of_gap = sides.variance / sides.n_with + sides.reference / sides.n_without
    of_spread = (share * sides.variance) ** 2 / (sides.n_with - 1) + (
        rest * sides.reference
    ) ** 2 / (sides.n_without - 1)
    variance: Floats = (share * rest * of_gap + between * of_spread / (2 * within**2)) / (
        within + between
    )
    return variance


def _glass_delta(sides: _Sides) -> tuple[Floats, Interval]:
    reference = np.where(sides.reference > 0, sides.reference, np.nan)
    delta = _hedges(sides.n_without - 1) * sides.gap / np.sqrt(reference)
    variance = (
        delta**2 / (2 * (sides.n_without - 1))
        + sides.variance / reference / sides.n_with
        + 1 / sides.n_without
    )
    half = sides.quantile * np.sqrt(variance)
    return delta, Interval(delta - half, delta + half)


def _hedges(freedom: Floats) -> Floats:
    """Exact small-sample correction of a standardised difference."""
    factor: Floats = np.exp(
        special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)
    ) / np.sqrt(freedom / 2)
    return factor


def _ordered(sample: _Sample) -> dict[str, tuple[Floats, Interval]]:
    """Average-precision lift and area under the curve, from places in the order."""
    n, total = sample.labels.shape[0], sample.n_with
    area = (sample.places.middle() @ sample.labels - total * (total + 1) / 2) / (
        total * (n - total)
    )
    precision, *parts = scores_by_class(sample.places, sample.labels > 0)
    ends = wilson(precision * total, total + np.zeros_like(area), confidence=sample.confidence)
    interval = area_interval(
        area, (parts[0], parts[1]), total, n - total, confidence=sample.confidence
    )
    return {
        "ap_lift": (precision * n / total, Interval(ends.low * n / total, ends.high * n / total)),
        "auroc": (area, interval),
    }
