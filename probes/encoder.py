"""The one seam to a model: everything above it sees arrays and names, never torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image


class Pooling(StrEnum):
    """How positions of one picture become one number per unit; part of every result key."""

    PREACT_MAX = "preact-max"
    PREACT_MEAN = "preact-mean"
    RELU_MEAN = "relu-mean"
    CLS = "cls"
    TOKEN_MAX = "token-max"
    TOKEN_MEAN = "token-mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A place where units can be read."""

    name: str
    """Stable name within the model, e.g. ``visual.layer4.2``."""

    n_units: int
    kind: str
    """``conv`` (channels over positions) or ``mlp`` (hidden units over tokens)."""

    poolings: tuple[Pooling, ...]
    """The poolings that make sense here, the default first."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Reading:
    """A layer read with a pooling."""

    layer: str
    pooling: Pooling


KERNEL, TEXT_KERNEL = "image kernel", "text kernel"
"""Names, among the libraries, of what computes pictures and prompts in place of the plain
network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderIdentity:
    """Which model this is; written into every result."""

    name: str
    """As the user asked for it, e.g. ``RN50x4-quickgelu/openai``."""

    backend: str
    architecture: str
    pretrained: str
    """Tag, hub name, or file name of the weights."""

    weights_digest: str
    """``sha256:`` over names, shapes, types and bytes of every parameter and buffer, as they
    compute (float32): equal for one checkpoint in any file format."""

    config_digest: str = ""
    """``sha256:`` of the resolved configuration: heads, activation and pooling, which the
    weights alone do not fix."""

    activation: str
    """Resolved activation functions of image and text tower, e.g. ``relu/quickgelu``."""

    preprocessing: str
    """Canonical description of resize, crop, mean and standard deviation."""

    embedding_size: int
    image_size: int
    n_parameters: int
    logit_scale: float
    libraries: Mapping[str, str]
    """Name and version of what computed it."""


def kernels_of(identity: EncoderIdentity) -> dict[str, str]:
    """Return what computes pictures and prompts in place of the plain network, by name."""
    names = (KERNEL, TEXT_KERNEL)
    return {name: identity.libraries[name] for name in names if name in identity.libraries}


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPictures:
    """What one pass over pictures gives."""

    embeddings: NDArray[np.float32]
    """Shape (n_pictures, embedding_size), not normalised."""

    units: Mapping[Reading, NDArray[np.float32]]
    """For each reading asked for, shape (n_pictures, n_units)."""


class Encoder(Protocol):
    """A model under audit."""

    @property
    def identity(self) -> EncoderIdentity:
        """Which model this is."""
        ...

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers of the image tower that can be read, the default last."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return embeddings of shape (n_texts, embedding_size), in input order."""
        ...

    def encode_pictures(
        self, pictures: Sequence[Image], readings: Sequence[Reading] = ()
    ) -> EncodedPictures:
        """Return embeddings and pooled unit responses, in input order."""
        ...

    def readout(self, layer: str) -> NDArray[np.float32] | None:
        """Linearised effect of each unit on the image embedding.

        Returns
        -------
        ndarray of shape (n_units, embedding_size), or None
            Row u is the change of the un-normalised embedding per unit of activation, up to one
            positive constant per layer, with attention and normalisation frozen; None where no
            closed form is known.
        """
        ...
