"""Spoil labels, weights and claims, so that a score which still looks good gives itself away."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted.activations.responses import Layer
from benchmarks.planted.activations.spec import Kind
from benchmarks.planted.methods.world import Photos, World
from probes.association import associate
from probes.clusters import cluster_means

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rng = np.random.Generator

FALL = 0.1
"""Share of its distance to neutral that a score must lose for a unit to count as fallen."""

PASS = 0.9
"""Share of units that must fall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """What spoilt labels did to a score."""

    units: int
    fell: float
    """Share of units whose score lost `FALL` or more."""

    mean: float
    """Mean loss, as a share of the distance to neutral; below 0 where the score rose."""

    @property
    def passed(self) -> bool:
        """Whether nearly all units fell."""
        return self.fell >= PASS


def missing(labels: Mask, rng: Rng) -> Mask:
    """Drop half of the positives of every column.

    Parameters
    ----------
    labels : bool ndarray of shape (n_clusters, n_units)
    rng : numpy.random.Generator

    Examples
    --------
    >>> missing(np.ones((8, 1), bool), np.random.default_rng(0)).sum().item()
    4
    """
    spoilt = labels.copy()
    for column in spoilt.T:
        shown = np.flatnonzero(column)
        column[rng.permutation(shown)[: len(shown) // 2]] = False
    return spoilt


def extra(labels: Mask, rng: Rng) -> Mask:
    """Add as many false positives to every column as it has true ones.

    Examples
    --------
    >>> extra(np.arange(8)[:, None] < 3, np.random.default_rng(0)).sum().item()
    6
    """
    spoilt = labels.copy()
    for column in spoilt.T:
        column[rng.permutation(np.flatnonzero(~column))[: int(column.sum())]] = True
    return spoilt


def known_units(layer: Layer) -> tuple[Array, Mask]:
    """Return photo clusters of units that answer to one concept, and where it is shown.

    Returns
    -------
    tuple of ndarray
        Cluster means and labels, both of shape (n_clusters, n_known_units).
    """
    known = [p for p in layer.plants if p.kind is Kind.SPECIFIC]
    rows = layer.is_photo
    concepts, clusters = layer.concepts[rows], layer.clusters[rows]
    codes = np.asarray(concepts * (clusters.max() + 1) + clusters)
    values = cluster_means(layer.responses[rows], codes)
    shown = np.unique(codes) // (clusters.max() + 1)
    labels = np.stack([shown == plant.concepts[0] for plant in known], axis=1)
    return np.asarray(values[:, [plant.unit for plant in known]]), labels


def scores(values: Array, labels: Mask) -> dict[str, Array]:
    """Score unit i against column i of the labels, as distance from neutral.

    Returns
    -------
    dict of str to ndarray of shape (n_units,)
        Each association of the report, and average precision before it is divided by its base
        rate; 0 is neutral.
    """
    found: dict[str, list[float]] = {}
    for unit, column in zip(values.T, labels.T, strict=True):
        made = associate(unit[:, None], column[:, None])
        value = {name: float(made.estimates[name].value[0, 0]) for name in made.estimates}
        base, chance = float(column.mean()), float(made.ap_lift_chance[0])
        away = {
            "correlation": value["correlation"],
            "average precision": base * (value["ap_lift"] - chance),
            "AP lift": value["ap_lift"] - chance,
            "Glass's delta": value["glass_delta"],
            "AUROC": value["auroc"] - 0.5,
        }
        for name, distance in away.items():
            found.setdefault(name, []).append(distance)
    return {name: np.array(row) for name, row in found.items()}


def fall(true: Array, spoilt: Array) -> Fall:
    """Compare scores of the same units under true and spoilt labels; 0 is neutral.

    Examples
    --------
    >>> fall(np.array([1.0, 1.0]), np.array([0.5, 1.0])).fell
    0.5
    """
    lost = 1 - spoilt / true
    return Fall(units=len(lost), fell=float((lost >= FALL).mean()), mean=float(lost.mean()))


def shuffled_weights(weights: Mapping[str, NDArray[np.generic]], rng: Rng) -> dict[str, Array]:
    """Permute the values within every tensor: sizes and spreads stay, what was learnt goes."""
    return {
        name: rng.permutation(values.ravel()).reshape(values.shape).copy()
        for name, values in weights.items()
    }


def relabelled(world: World, rng: Rng) -> World:
    """Deal the group terms, and whole persons, out over the groups anew.

    Every group keeps its number of terms and of persons; harms and controls stay.
    """
    rows = [i for i, concept in enumerate(world.texts.concepts) if concept in world.groups]
    concepts = np.array(world.texts.concepts, dtype=object)
    concepts[rows] = rng.permutation(concepts[rows])
    texts = replace(world.texts, concepts=tuple(concepts))
    return replace(world, texts=texts, photos=_dealt(world.need_photos(), rng), truth=frozenset())


def _dealt(photos: Photos, rng: Rng) -> Photos:
    keys = list(zip(photos.groups, photos.persons, strict=True))
    people = [key for key in dict.fromkeys(keys) if key[0]]
    claims = rng.permutation([group for group, _ in people])
    to = {key: str(group) for key, group in zip(people, claims, strict=True)}
    return replace(
        photos,
        groups=tuple(to.get(key, "") for key in keys),
        # Persons of two groups may share a name, and must not become one.
        persons=tuple(f"{group} {person}" for group, person in keys),
    )
