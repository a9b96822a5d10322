"""A model without weights: letter counts and picture statistics, the same answer every time."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from probes.backends.naming import ModelSpec
from probes.encoder import EncodedPictures, EncoderIdentity, Layer, Pooling, Reading
from probes.errors import ModelNameError

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SIZE = len(LETTERS) + 1
"""Embedding size: a count per letter and a constant, so that no embedding is zero."""

SIDE = 16
"""Pictures are shrunk to SIDE x SIDE positions."""

FILTERS = 12
LAYER = Layer(
    name="toy.colours",
    n_units=FILTERS,
    kind="conv",
    poolings=(Pooling.PREACT_MEAN, Pooling.PREACT_MAX, Pooling.RELU_MEAN),
)
POOL: Mapping[Pooling, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    Pooling.PREACT_MEAN: lambda maps: maps.mean(axis=0),
    Pooling.PREACT_MAX: lambda maps: maps.max(axis=0),
    Pooling.RELU_MEAN: lambda maps: np.maximum(maps, 0).mean(axis=0),
}


class ToyEncoder:
    """Letter counts of texts, colour filters of pictures.

    Units are twelve fixed mixtures of red, green and blue over the positions of the picture; its
    embedding is a fixed linear map of their means, so that ``readout`` is exact.

    Examples
    --------
    >>> ToyEncoder().encode_texts(["abba"])[0, :3]
    array([2., 2., 0.], dtype=float32)
    """

    def __init__(self, name: str = "toy/letters") -> None:
        """Make one; every toy encoder is the same."""
        rng = np.random.Generator(np.random.PCG64(0))
        self._filters = rng.standard_normal((3, FILTERS)).astype(np.float32)
        self._readout = rng.standard_normal((FILTERS, SIZE)).astype(np.float32)
        self._name = name

    @property
    def identity(self) -> EncoderIdentity:
        """Which model this is."""
        weights = self._filters.tobytes() + self._readout.tobytes()
        return EncoderIdentity(
            name=self._name,
            backend="toy",
            architecture="toy",
            pretrained="letters",
            weights_digest="sha256:" + hashlib.sha256(weights).hexdigest(),
            activation="none/none",
            preprocessing=f"RGB, box resize to {SIDE}x{SIDE}, scaled to 0..1",
            embedding_size=SIZE,
            image_size=SIDE,
            n_parameters=self._filters.size + self._readout.size,
            logit_scale=1.0,
            libraries={"numpy": np.__version__},
        )

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The one layer of colour filters."""
        return (LAYER,)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Count the letters of each text; the last column is 1."""
        rows = [[text.lower().count(letter) for letter in LETTERS] + [1] for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), SIZE)

    def encode_pictures(
        self, pictures: Sequence[Image.Image], readings: Sequence[Reading] = ()
    ) -> EncodedPictures:
        """Filter the colours of each picture; pool as asked."""
        for reading in readings:
            if reading.layer != LAYER.name or reading.pooling not in LAYER.poolings:
                raise ModelNameError(
                    f"The toy model has the layer {LAYER.name!r} with the poolings "
                    f"{', '.join(LAYER.poolings)}; got {reading.layer}:{reading.pooling}."
                )
        maps = [self._maps(picture) for picture in pictures]
        means = _stacked([POOL[Pooling.PREACT_MEAN](one) for one in maps], FILTERS)
        units = {
            reading: _stacked([POOL[reading.pooling](one) for one in maps], FILTERS)
            for reading in readings
        }
        embeddings = np.zeros((len(maps), SIZE), np.float32)
        for row, mean in zip(embeddings, means, strict=True):
            row[:] = mean @ self._readout
        embeddings[:, -1] += 1
        return EncodedPictures(embeddings=embeddings, units=units)

    def readout(self, layer: str) -> NDArray[np.float32] | None:
        """Effect of each filter's mean on the embedding; exact."""
        return self._readout.copy() if layer == LAYER.name else None

    def _maps(self, picture: Image.Image) -> NDArray[np.float32]:
        """Filter responses of one picture, shape (SIDE * SIDE, FILTERS)."""
        small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
        pixels = np.asarray(small, np.float32).reshape(-1, 3) / 255
        maps: NDArray[np.float32] = pixels @ self._filters
        return maps


def load(spec: ModelSpec, **_: object) -> ToyEncoder:
    """Build the toy that ``spec`` names; options of real models have no meaning here."""
    return ToyEncoder(spec.name)


def _stacked(rows: Sequence[NDArray[np.float32]], width: int) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(len(rows), width)
