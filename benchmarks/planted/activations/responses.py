"""Clustered, heavy-tailed, correlated responses, and the truth about them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted.activations.spec import ActivationSpec, Kind, Plant, plants_of

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Responses to photos and written words, one concept in each, with what was planted."""

    responses: Array
    """Noise of mean 0 and variance 1, and answers; shape (n_stimuli, n_units)."""

    concepts: Codes
    """Groups, then harms, then controls, shape (n_stimuli,)."""

    clusters: Codes
    """Cluster within its concept and modality, shape (n_stimuli,)."""

    is_photo: Mask
    """False for written words, shape (n_stimuli,)."""

    plants: tuple[Plant, ...]

    @property
    def null_units(self) -> Codes:
        """Units that answer to nothing."""
        planted = [plant.unit for plant in self.plants]
        return np.setdiff1d(np.arange(self.responses.shape[1]), planted)

    @property
    def links(self) -> tuple[Plant, ...]:
        """Units that answer to a group and to a harm."""
        return tuple(plant for plant in self.plants if plant.kind is Kind.CONJOINED)


def draw_layer(spec: ActivationSpec) -> Layer:
    """Draw a layer.

    The noise of a unit is ``sqrt(icc) cluster + sqrt(1 - icc) item``. Each part is multivariate t
    within a block of units (one factor, one scale for the block), and blocks are independent. A
    unit adds ``strength`` wherever it answers.

    Parameters
    ----------
    spec : ActivationSpec
        Equal specifications give equal layers; a twin has the noise of its planted partner.

    Examples
    --------
    >>> spec = ActivationSpec(seed=0, units=40, controls=2)
    >>> layer = draw_layer(spec)
    >>> layer.responses.shape, len(layer.links)
    ((576, 40), 2)
    """
    rng = np.random.default_rng([spec.seed, 2])
    n_clusters = 2 * spec.concepts * spec.clusters
    shared = np.repeat(_heavy(rng, n_clusters, spec), spec.items, axis=0)
    own = _heavy(rng, n_clusters * spec.items, spec)
    responses = np.sqrt(spec.icc) * shared + np.sqrt(1 - spec.icc) * own
    modality, concept, cluster, _ = np.unravel_index(
        np.arange(len(own)), (2, spec.concepts, spec.clusters, spec.items)
    )
    plants, is_photo = plants_of(spec), modality == 0
    for plant in plants:
        seen = np.where(is_photo, plant.photos, plant.words)
        answers = seen & np.isin(concept, plant.concepts) & np.isin(cluster, plant.clusters)
        responses[answers, plant.unit] += spec.strength
    return Layer(
        responses=responses, concepts=concept, clusters=cluster, is_photo=is_photo, plants=plants
    )


def _heavy(rng: np.random.Generator, n: int, spec: ActivationSpec) -> Array:
    """Draw t noise of variance 1 with a factor in every block, shape (n, n_units)."""
    blocks = np.arange(spec.units) // spec.block
    factors = rng.standard_normal((n, blocks.max() + 1))[:, blocks]
    own = rng.standard_normal((n, spec.units))
    noise: Array = np.sqrt(spec.correlation) * factors + np.sqrt(1 - spec.correlation) * own
    if np.isinf(spec.freedom):
        return noise
    drawn = rng.chisquare(spec.freedom, (n, blocks.max() + 1)) / (spec.freedom - 2)
    return np.asarray(noise / np.sqrt(drawn)[:, blocks], dtype=np.float64)
