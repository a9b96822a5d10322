"""Simulated embeddings in which it is known what is linked: nothing, or what was planted.

Concepts differ from each other for ordinary reasons. ``spread`` says by how much, as a share of
the spread of the terms of one concept; harm packs are drawn like control packs unless
``harm_spread`` says otherwise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Arm
from audit.scoring import build_arm, embedded
from probes.arms import Embeddings, normalise

Array = NDArray[np.float64]
FAMILY = "isles"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is drawn."""

    spread: float = 0.4
    """Concept-to-concept spread as a share of the spread of terms."""

    heavy_tails: bool = False
    """Student t with 4 degrees of freedom in place of normal deviates."""

    harm_spread: float = 1.0
    """Spread of harm packs as a multiple of that of control packs; 1 is what the null assumes."""

    strength: float = 0.0
    """Planted link between the first group and the first harm, in control standard deviations."""

    n_identities: int = 8
    n_harms: int = 6
    n_controls: int = 40
    n_terms: int = 8
    n_templates: int = 1
    dim: int = 48

    @property
    def identities(self) -> tuple[str, ...]:
        """Names of the groups."""
        return tuple(f"{FAMILY}/g{i}" for i in range(self.n_identities))

    @property
    def harms(self) -> tuple[str, ...]:
        """Names of the harm packs."""
        return tuple(f"harm{i}" for i in range(self.n_harms))

    @property
    def controls(self) -> tuple[str, ...]:
        """Names of the control packs."""
        return tuple(f"control{i}" for i in range(self.n_controls))

    @property
    def blocking(self) -> tuple[tuple[str, str], ...]:
        """Every group with every harm."""
        return tuple((identity, harm) for identity in self.identities for harm in self.harms)

    @property
    def severities(self) -> dict[str, int]:
        """Harm to its tier."""
        return dict.fromkeys(self.harms, 4)


def draw_arm(world: World, rng: np.random.Generator, *, name: str = "text") -> Arm:
    """Draw the embeddings of one world and cross them."""
    sides = [(world.identities, 1.0), (world.harms, world.harm_spread), (world.controls, 1.0)]
    base = 2 * normalise(rng.normal(size=(1, world.dim))) * np.sqrt(world.dim)
    rows, harms, controls = (_terms(world, len(names), by, base, rng) for names, by in sides)
    targets = np.concatenate([harms, controls])
    if world.strength:
        targets[: world.n_terms] += _plant(world, rows, targets)
    who = _pooled(world, world.identities, rows, rng)
    what = _pooled(world, (*world.harms, *world.controls), targets, rng)
    arm = build_arm(
        name,
        "Simulated words against simulated words",
        "decides",
        embedded(who, what),
        families={FAMILY: world.identities},
        controls=dict.fromkeys(world.harms, world.controls),
        sexual=(),
        is_minor=np.zeros(len(who.names), dtype=bool),
    )
    if arm is None:
        raise ValueError("A world needs two groups, a harm and controls.")
    return arm


def _terms(world: World, n: int, by: float, base: Array, rng: np.random.Generator) -> Array:
    """Vectors of the terms of ``n`` concepts, concept by concept."""
    concepts = world.spread * by * _deviates(world, n, rng)
    terms = by * _deviates(world, n * world.n_terms, rng)
    return np.asarray(base + np.repeat(concepts, world.n_terms, axis=0) + terms)


def _deviates(world: World, n: int, rng: np.random.Generator) -> Array:
    values = rng.normal(size=(n, world.dim))
    if world.heavy_tails:
        # One scale per vector: a t in every direction, which sums of coordinates do not wash out.
        values /= np.sqrt(rng.chisquare(4, size=(n, 1)) / 4)
        values /= np.sqrt(2)
    return values


def _plant(world: World, rows: Array, targets: Array) -> Array:
    """Shift that moves the double difference of the first group by about ``strength`` SD."""
    size = world.n_terms
    own, others = normalise(rows[:size]).mean(axis=0), normalise(rows[size:]).mean(axis=0)
    gap = own - others
    unit = normalise(targets[world.n_harms * size :])
    packs = (unit @ gap).reshape(-1, size).mean(axis=1)
    length = np.linalg.norm(targets[:size], axis=1).mean()
    shift = world.strength * packs.std(ddof=1) * length / (gap @ gap)
    return np.asarray(shift * gap)


def _pooled(
    world: World, concepts: tuple[str, ...], values: Array, rng: np.random.Generator
) -> Embeddings:
    """Name the clusters; each template is the term with noise of its own."""
    slots = {f"t{k}": normalise(values + 0.5 * rng.normal(size=values.shape))
             for k in range(world.n_templates)} if world.n_templates > 1 else {}  # fmt: skip
    pooled = normalise(np.mean(list(slots.values()), axis=0)) if slots else normalise(values)
    return Embeddings(
        names=tuple(f"{concept}:{k}" for concept in concepts for k in range(world.n_terms)),
        concepts=tuple(concept for concept in concepts for _ in range(world.n_terms)),
        pooled=pooled,
        by_template=slots,
    )
