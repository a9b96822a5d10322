"""What a simulated layer is made of; the twin is the same but for the links."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.intp]


class Kind(StrEnum):
    """What a unit answers to."""

    SPECIFIC = "specific"
    """One concept."""

    BROAD = "broad"
    """A superset: several groups, or several harms, or most of all concepts whatever they are.

    The last kind answers to groups and to harms and is no link: it singles nobody out.
    """

    SUBSET = "subset"
    """A part of the clusters of one concept."""

    CONJOINED = "conjoined"
    """A group and a harm: the link."""

    PHOTO_ONLY = "photo only"
    """One concept, in photos and not in written words."""

    WORD_ONLY = "word only"
    """One concept, in written words and not in photos."""

    NULL = "null"
    """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationSpec:
    """Sizes, noise and plants of one simulated layer."""

    seed: int
    groups: int = 8
    harms: int = 4
    controls: int = 32
    clusters: int = 16
    """Persons, scenes or words of every concept in each modality."""

    items: int = 2
    """Pictures of every cluster."""

    units: int = 240
    block: int = 8
    """Neighbouring units that share a factor."""

    correlation: float = 0.4
    """Of two units of a block."""

    icc: float = 0.3
    """Share of the noise that pictures of one cluster have in common."""

    freedom: float = 6.0
    """Degrees of freedom of the t from which noise comes; above 4, infinite for a normal one."""

    strength: float = 2.0
    """Answer to what a unit answers to, in standard deviations of its noise."""

    specific: int = 10
    broad: int = 6
    """Of several groups, of several harms and of most concepts, in turn."""

    subset: int = 4
    conjoined: int = 2
    """Links, each of another group with another harm."""

    one_modality: int = 4
    members: int = 3
    """Groups, or harms, that a broad unit answers to."""

    most: float = 0.6
    """Share of all concepts that the broadest units answer to."""

    part: float = 0.25
    """Share of the clusters that a subset unit answers to."""

    planted: bool = True
    """False for the twin: group and harm of every link are answered by two units."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def twin(self) -> "ActivationSpec":
        """The same noise and the same other units without a link."""
        return replace(self, planted=False)

    @property
    def concepts(self) -> int:
        """Groups, harms and controls, coded in this order."""
        return self.groups + self.harms + self.controls

    @property
    def excess_kurtosis(self) -> float:
        """Excess kurtosis of the noise of a unit: a cluster's part and an item's part are t."""
        of_t = 6 / (self.freedom - 4) if np.isfinite(self.freedom) else 0.0
        return (self.icc**2 + (1 - self.icc) ** 2) * of_t


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """What one unit was made to answer to."""

    unit: int
    kind: Kind
    concepts: tuple[int, ...]
    """Codes of concepts."""

    clusters: tuple[int, ...]
    """Clusters of each of them, out of ``ActivationSpec.clusters``."""

    photos: bool = True
    words: bool = True


def plants_of(spec: ActivationSpec) -> tuple[Plant, ...]:
    """Draw which unit answers to what; units that are not listed answer to nothing.

    Returns
    -------
    tuple of Plant
        Links first. In the twin each link is two specific units, the second one of which answers
        to nothing in the planted layer.
    """
    rng = np.random.default_rng([spec.seed, 1])
    free = iter(rng.permutation(spec.units).tolist())
    every = tuple(range(spec.clusters))
    groups = rng.permutation(spec.groups)[: spec.conjoined].tolist()
    harms = (spec.groups + rng.permutation(spec.harms)[: spec.conjoined]).tolist()
    found: list[Plant] = []
    for group, harm in zip(groups, harms, strict=True):
        found += _link(next(free), next(free), group, harm, every, planted=spec.planted)
    askable = spec.groups + spec.harms
    for _ in range(spec.specific):
        one = (int(rng.integers(askable)),)
        found.append(Plant(unit=next(free), kind=Kind.SPECIFIC, concepts=one, clusters=every))
    for index in range(spec.broad):
        concepts = _several(spec, rng, index % 3)
        found.append(Plant(unit=next(free), kind=Kind.BROAD, concepts=concepts, clusters=every))
    n = max(1, round(spec.part * spec.clusters))
    for _ in range(spec.subset):
        one, some = (int(rng.integers(askable)),), rng.permutation(spec.clusters)[:n]
        chosen = tuple(sorted(some.tolist()))
        found.append(Plant(unit=next(free), kind=Kind.SUBSET, concepts=one, clusters=chosen))
    for index in range(spec.one_modality):
        one, seen = (int(rng.integers(askable)),), index % 2 == 0
        kind = Kind.PHOTO_ONLY if seen else Kind.WORD_ONLY
        plant = Plant(
            unit=next(free), kind=kind, concepts=one, clusters=every, photos=seen, words=not seen
        )
        found.append(plant)
    return tuple(found)


def _link(
    unit: int, other: int, group: int, harm: int, every: tuple[int, ...], *, planted: bool
) -> list[Plant]:
    if planted:
        both = (group, harm)
        return [Plant(unit=unit, kind=Kind.CONJOINED, concepts=both, clusters=every)]
    return [
        Plant(unit=unit, kind=Kind.SPECIFIC, concepts=(group,), clusters=every),
        Plant(unit=other, kind=Kind.SPECIFIC, concepts=(harm,), clusters=every),
    ]


def _several(spec: ActivationSpec, rng: np.random.Generator, flavour: int) -> tuple[int, ...]:
    """Draw what a broad unit answers to: groups, harms, or most concepts."""
    first, size, n = (
        (0, spec.groups, spec.members),
        (spec.groups, spec.harms, spec.members),
        (0, spec.concepts, round(spec.most * spec.concepts)),
    )[flavour]
    return tuple(sorted((first + rng.permutation(size)[:n]).tolist()))


def _check(spec: ActivationSpec) -> None:
    if min(spec.groups, spec.harms, spec.controls, spec.clusters, spec.items) < 2:
        raise ValueError("Groups, harms, controls, clusters and items must be 2 at least.")
    if spec.conjoined > min(spec.groups, spec.harms):
        raise ValueError(
            "Every link needs a group and a harm of its own; got "
            f"{spec.conjoined} links, {spec.groups} groups and {spec.harms} harms."
        )
    wanted = 2 * spec.conjoined + spec.specific + spec.broad + spec.subset + spec.one_modality
    if wanted > spec.units:
        raise ValueError(f"The plants need {wanted} units, and there are {spec.units}.")
    if not 2 <= spec.members < min(spec.groups, spec.harms) + 1:
        raise ValueError("A broad unit answers to two concepts at least, and to no more than are.")
    shares = {"correlation": spec.correlation, "icc": spec.icc}
    parts = {"part": spec.part, "most": spec.most}
    bad = [name for name, share in shares.items() if not 0 <= share < 1]
    bad += [name for name, share in parts.items() if not 0 < share < 1]
    if bad:
        raise ValueError(f"{bad[0]} must lie between 0 and 1; got {getattr(spec, bad[0])}.")
    if not spec.freedom > 4 or not spec.strength >= 0:
        raise ValueError(
            "freedom must be above 4, where kurtosis exists, and strength not below 0; got "
            f"{spec.freedom} and {spec.strength}."
        )
