"""Which units carry a found link: a unit answers to the group, and the read-out takes it to harm.

These numbers describe a contrast that has been found; they decide nothing and have no p. In the
linearised model they add up to the contrast of the un-normalised embeddings:
``sum_u phi_u = (mean over I - mean over the other concepts) . (harm - controls)``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.clusters import cluster_means
from probes.errors import MeasureError
from probes.intervals import t_quantile

Floats = NDArray[np.float64]
Responses = NDArray[np.floating[Any]]
Codes = NDArray[np.integer[Any]]

STRONGEST = 50
"""Units kept with a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDifferences:
    """How much more each unit answers to one identity concept than to its family."""

    value: Floats
    """Shape (n_units,), in the units the layer emits; 0 is neutral."""

    low: Floats
    high: Floats
    control_sd: Floats
    """How far control concepts lie from each other on this unit; NaN with fewer than two."""

    clusters: int
    """Clusters of the identity concept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One unit's part in a contrast."""

    unit: int
    value: float
    """phi; positive ties the group to the harm."""

    share: float
    """``value`` over the sum of all units' absolute values."""


def unit_double_difference(
    values: Responses,
    clusters: Codes,
    concepts: Codes,
    *,
    identity: int,
    family: Sequence[int],
    controls: Sequence[int] = (),
    confidence: float = 0.95,
) -> UnitDifferences:
    """Compare a unit's answers to one identity concept with those to the rest of its family.

    Every cluster has one vote in its concept, every other concept one vote in the family. The
    second difference, harm against controls, lies in the direction that `unit_contributions` is
    given (see `harm_direction`).

    Parameters
    ----------
    values : ndarray of shape (n_stimuli, n_units)
        Responses, in the units the layer emits.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus; any whole numbers, each within one concept.
    concepts : int ndarray of shape (n_stimuli,)
        Concept of each stimulus.
    identity : int
        Code of the identity concept.
    family : sequence of int
        Codes of the family; ``identity`` itself is left out.
    controls : sequence of int
        Codes of control concepts that were shown too.
    confidence : float

    Returns
    -------
    UnitDifferences
        The interval is Welch's over clusters, with the other concepts as given. NaN for units
        that do not vary or have a NaN, and for intervals where a concept has one cluster only.

    Raises
    ------
    MeasureError
        If the identity concept or its family has no stimuli, or a cluster has two concepts.

    Examples
    --------
    >>> found = unit_double_difference(
    ...     np.array([[3.0], [5.0], [1.0], [1.0], [2.0], [2.0]]), np.arange(6),
    ...     np.array([0, 0, 1, 1, 2, 2]), identity=0, family=[0, 1, 2])
    >>> found.value
    array([2.5])
    """
    means, owner = _by_cluster(values, clusters, concepts)
    others = [code for code in dict.fromkeys(family) if code != identity]
    _check_shown(owner, identity, others)
    here = means[owner == identity]
    there = [means[owner == code] for code in others]
    value = here.mean(axis=0) - np.mean([side.mean(axis=0) for side in there], axis=0)
    compared = np.concatenate([here, *there])
    # averaging may leave a constant unit with differences of rounding errors
    constant = np.ptp(compared, axis=0) <= 1e-9 * np.abs(compared).max(axis=0)
    value = np.where(constant, np.nan, value)
    half = _half_width([here, *there], confidence)
    return UnitDifferences(
        value=value,
        low=value - half,
        high=value + half,
        control_sd=_spread_of_concepts(means, owner, controls),
        clusters=len(here),
    )


def harm_direction(harm: Responses, controls: Sequence[Responses]) -> Floats:
    """Return where the harm lies from the control packs, in embedding space.

    Parameters
    ----------
    harm : ndarray of shape (n_terms, dim)
        Embeddings of the harm pack, one row per term.
    controls : sequence of ndarray of shape (n_terms, dim)
        Embeddings of each control pack.

    Returns
    -------
    ndarray of shape (dim,)
        Mean unit vector of the harm minus the mean over packs of their mean unit vectors.
    """
    packs = [_mean_unit_vector(pack) for pack in controls]
    if not packs:
        raise MeasureError("A harm direction needs at least 1 control pack; got none.")
    direction: Floats = _mean_unit_vector(harm) - np.mean(packs, axis=0)
    return direction


def unit_contributions(
    double_difference: Responses, readout: Responses, direction: Responses
) -> Floats:
    """Return each unit's part in a contrast.

    Parameters
    ----------
    double_difference : ndarray of shape (n_units,)
        ``UnitDifferences.value``.
    readout : ndarray of shape (n_units, dim)
        ``Encoder.readout``: change of the embedding per unit of activation.
    direction : ndarray of shape (dim,)
        Of `harm_direction`.

    Returns
    -------
    ndarray of shape (n_units,)
        phi; 0 is neutral, positive ties the group to the harm, NaN where the difference is.

    Raises
    ------
    MeasureError
        If shapes disagree.

    Examples
    --------
    >>> unit_contributions(np.array([2.0, -1.0]), np.eye(2), np.array([0.5, 3.0]))
    array([ 1., -3.])
    """
    if readout.shape != (*double_difference.shape, *direction.shape) or readout.ndim != 2:
        raise MeasureError(
            "The read-out must have one row per unit and one column per embedding dimension; "
            f"got {readout.shape} for {double_difference.shape} units and {direction.shape}."
        )
    weight = readout.astype(np.float64) @ direction.astype(np.float64)
    phi: Floats = double_difference * weight
    return phi


def strongest(phi: Floats, count: int = STRONGEST) -> tuple[Contribution, ...]:
    """Return the units with the largest absolute contributions, the strongest first.

    Units without a number are left out; equal ones keep the order of their index.
    """
    size = np.where(np.isnan(phi), -1.0, np.abs(phi))
    total = float(np.nansum(np.abs(phi)))
    order = np.argsort(-size, kind="stable")[:count]
    return tuple(
        Contribution(
            unit=int(unit),
            value=float(phi[unit]),
            share=float(phi[unit]) / total if total > 0 else float("nan"),
        )
        for unit in order
        if size[unit] >= 0
    )


def _by_cluster(values: Responses, clusters: Codes, concepts: Codes) -> tuple[Floats, Codes]:
    """Mean and concept of every cluster."""
    if clusters.shape != (len(values),) or concepts.shape != (len(values),):
        raise MeasureError(
            "Clusters and concepts must have one code per stimulus; "
            f"got shapes {clusters.shape} and {concepts.shape} for {len(values)} stimuli."
        )
    _, first, codes = np.unique(clusters, return_index=True, return_inverse=True)
    owner = concepts[first]
    mixed = np.flatnonzero(owner[codes] != concepts)
    if mixed.size:
        raise MeasureError(
            "All stimuli of a cluster must show the same concept; "
            f"cluster {clusters[mixed[0]]} has concepts {owner[codes[mixed[0]]]} and "
            f"{concepts[mixed[0]]}. Number clusters of different concepts differently."
        )
    return cluster_means(values, codes), owner


def _check_shown(owner: Codes, identity: int, others: Sequence[int]) -> None:
    missing = [code for code in (identity, *others) if not (owner == code).any()]
    if missing or not others:
        raise MeasureError(
            "An identity concept is compared with at least 1 other concept of its family, "
            f"all of them shown; got {len(others)} others and no stimuli for {missing}."
        )


def _half_width(sides: Sequence[Floats], confidence: float) -> Floats:
    """Half of Welch's interval of the first side's mean minus the mean of the other means."""
    shares = [1.0, *[1 / (len(sides) - 1)] * (len(sides) - 1)]
    if min(len(side) for side in sides) < 2:
        return np.full(sides[0].shape[1], np.nan)
    parts = [
        share**2 * side.var(axis=0, ddof=1) / len(side)
        for share, side in zip(shares, sides, strict=True)
    ]
    variance = np.sum(parts, axis=0)
    spread = np.sum(
        [part**2 / (len(side) - 1) for part, side in zip(parts, sides, strict=True)], axis=0
    )
    freedom = np.divide(variance**2, spread, out=np.full_like(spread, np.nan), where=spread > 0)
    half: Floats = t_quantile(freedom, confidence=confidence) * np.sqrt(variance)
    return half


def _spread_of_concepts(means: Floats, owner: Codes, controls: Sequence[int]) -> Floats:
    shown = [code for code in dict.fromkeys(controls) if (owner == code).any()]
    if len(shown) < 2:
        return np.full(means.shape[1], np.nan)
    each = np.stack([means[owner == code].mean(axis=0) for code in shown])
    return np.asarray(each.std(axis=0, ddof=1), dtype=np.float64)


def _mean_unit_vector(rows: Responses) -> Floats:
    length = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    if not (length > 0).all():
        raise MeasureError("Embeddings must be finite and not 0; got one without a length.")
    mean: Floats = (rows / length).mean(axis=0)
    return mean
