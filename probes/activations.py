"""Responses of a model to stimuli, as every measure reads them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.encoder import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Activations:
    """Responses of the units of one layer, or of the embedding, to stimuli."""

    values: NDArray[np.float32]
    """Shape (n_stimuli, n_units)."""

    stimuli: tuple[str, ...]
    """``Stimulus.id`` of each row."""

    layer: str
    """Layer name, or ``embedding``."""

    pooling: str
    """Pooling, or empty for embeddings."""

    encoder: str
    """``EncoderIdentity.weights_digest``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadPicture:
    """A picture that could not be read."""

    content: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """Everything that one pass over stimuli of one modality gave."""

    embeddings: Activations
    units: Mapping[Reading, Activations]
    kept: tuple[int, ...]
    """Indices of the stimuli that have rows, in order; pictures that failed are missing."""

    bad: tuple[BadPicture, ...]
    encoded: int
    """Distinct stimuli that went through the model now."""

    reused: int
    """Distinct stimuli that came from the cache."""

    set_aside: tuple[str, ...] = ()
    """Names of damaged cache files that were renamed and computed again."""
