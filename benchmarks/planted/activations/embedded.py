"""A simulated layer gets a read-out and a text tower, so that every method can look at it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted.activations.responses import Layer, draw_layer
from benchmarks.planted.activations.spec import ActivationSpec, Kind
from benchmarks.planted.methods.world import Photos, World
from probes.arms import Embeddings, normalise

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSpec:
    """How responses become embeddings, and what texts are like."""

    dimensions: int = 384
    terms: int = 8
    term_noise: float = 0.6
    """Length of what a term has of its own, beside 1 for its concept."""

    link_reach: float = 2.0
    """Length of the read-out of a unit that carries a link."""

    reach: float = 1.0
    """Of a unit that answers to one concept, or to several groups or harms."""

    quiet_reach: float = 0.75
    """Of the others on average, those that answer to most concepts included."""

    lean: float = 0.1
    """How far the texts of a linked group lean to the harm, for each SD of strength."""


def names_of(spec: ActivationSpec) -> tuple[str, ...]:
    """Name concepts in the order of their codes."""
    sizes = {"group": spec.groups, "harm": spec.harms, "control": spec.controls}
    return tuple(f"{role}{index}" for role, size in sizes.items() for index in range(size))


def draw_world(spec: ActivationSpec, embedding: EmbeddingSpec | None = None) -> World:
    """Draw a layer and embed its photos and texts in one space.

    The embedding of a photo is the sum of the read-outs of all units, each times its response.
    A unit that answers to concepts reads out in the direction of their texts, others and those that
    answer to most concepts at random.
    Written words are not part of the world: no method here looks at them.

    Returns
    -------
    World
        With the links as its truth, and the units that carry them; a twin has neither.
    """
    made = embedding or EmbeddingSpec()
    layer = draw_layer(spec)
    rng = np.random.default_rng([spec.seed, 3])
    directions = normalise(rng.standard_normal((spec.concepts, made.dimensions)))
    readout = _readout(layer, directions, made, rng)
    names = names_of(spec)
    links = {
        (names[plant.concepts[0]], names[plant.concepts[1]]): plant.unit for plant in layer.links
    }
    n_askable = spec.groups + spec.harms
    return World(
        name=f"{'planted' if spec.planted else 'twin'}-{spec.strength:g}-seed{spec.seed}",
        groups=names[: spec.groups],
        harms=names[spec.groups : n_askable],
        controls=names[n_askable:],
        texts=_texts(layer, directions, names, made, spec.strength, rng),
        photos=_photos(layer, readout, names, spec.groups),
        truth=frozenset(links),
        units=links,
    )


def _readout(
    layer: Layer, directions: Array, made: EmbeddingSpec, rng: np.random.Generator
) -> Array:
    n_units, size = layer.responses.shape[1], made.dimensions
    rows = made.quiet_reach / np.sqrt(size) * rng.standard_normal((n_units, size))
    for plant in layer.plants:
        if 2 * len(plant.concepts) < len(directions):
            towards = directions[list(plant.concepts)].sum(axis=0)
            reach = made.link_reach if plant.kind is Kind.CONJOINED else made.reach
            rows[plant.unit] = reach * towards / np.linalg.norm(towards)
    return np.asarray(rows)


def _texts(
    layer: Layer,
    directions: Array,
    names: tuple[str, ...],
    made: EmbeddingSpec,
    strength: float,
    rng: np.random.Generator,
) -> Embeddings:
    centres = directions.copy()
    for plant in layer.links:
        group, harm = plant.concepts
        centres[group] += made.lean * strength * directions[harm]
    noise = rng.standard_normal((len(names), made.terms, made.dimensions))
    terms = centres[:, None] + made.term_noise / np.sqrt(made.dimensions) * noise
    concepts = tuple(name for name in names for _ in range(made.terms))
    return Embeddings(
        names=tuple(f"{name}-{index % made.terms}" for index, name in enumerate(concepts)),
        concepts=concepts,
        pooled=normalise(terms.reshape(-1, made.dimensions)),
        by_template={},
    )


def _photos(layer: Layer, readout: Array, names: tuple[str, ...], n_groups: int) -> Photos:
    rows = np.flatnonzero(layer.is_photo)
    shown = [names[code] for code in layer.concepts[rows]]
    of_group = layer.concepts[rows] < n_groups
    pairs = list(zip(shown, of_group, strict=True))
    responses = layer.responses[rows]
    return Photos(
        groups=tuple(name if person else "" for name, person in pairs),
        badges=tuple("" if person else name for name, person in pairs),
        persons=tuple(
            f"{name}-{cluster}" for name, cluster in zip(shown, layer.clusters[rows], strict=True)
        ),
        embeddings=responses @ readout,
        responses=responses,
        readout=readout,
    )
