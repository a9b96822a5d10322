"""Linear directions where units stand: a probe, or a feature of a sparse autoencoder, as a layer.

Only poolings that are linear in the units are offered (the class token, means over positions),
so a response along a direction is exactly the pooled units times its row. A maximum over
positions of a direction is not known from the maxima of units.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from probes.activations import Activations
from probes.encoder import EncodedPictures, Encoder, EncoderIdentity, Layer, Pooling, Reading
from probes.errors import MeasureError
from probes.readings import check_readings, find_layer

Array = NDArray[np.float64]

KIND = "direction"
"""``Layer.kind`` of a layer whose units are directions."""

MARK = "@"
"""Between the name of a layer and of the file that holds its directions."""

MOST = 4096
"""Directions of one layer in one file."""

LINEAR = (Pooling.CLS, Pooling.TOKEN_MEAN, Pooling.RELU_MEAN, Pooling.PREACT_MEAN)
"""Poolings under which a sum of units answers with the sum of their responses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionSet:
    """Directions of one layer; made by `direction_set`."""

    layer: str
    """The layer whose units they combine."""

    file: str
    """Name of the file that they came from, without folder and ending."""

    rows: Array
    """Shape (n_directions, n_units), rows of length 1."""

    names: tuple[str, ...]
    """What the file calls them; empty where it does not say."""

    source: str = ""
    """``sha256:`` of the file."""

    @property
    def name(self) -> str:
        """Name of the layer that they make, e.g. ``visual.layer4.2@features``."""
        return f"{self.layer}{MARK}{self.file}"


def direction_set(
    layer: str,
    file: str,
    rows: NDArray[Any],
    names: Sequence[str] = (),
    *,
    source: str = "",
) -> DirectionSet:
    """Check directions and divide each by its length.

    Parameters
    ----------
    layer, file : str
        As in `DirectionSet`.
    rows : ndarray of shape (n_directions, n_units)
        Finite numbers of any length but 0; at most `MOST` rows.
    names : sequence of str
        One for each row, or none.
    source : str

    Raises
    ------
    MeasureError
        If rows are not such a matrix, or names do not fit.

    Examples
    --------
    >>> direction_set("mlp", "probe", np.array([[3.0, 4.0]])).rows
    array([[0.6, 0.8]])
    """
    where = f"Directions of {layer!r} in {file!r}"
    if rows.ndim != 2 or rows.dtype.kind not in "fiu" or not rows.size:
        raise MeasureError(
            f"{where} must be a matrix of numbers with a row for each direction; "
            f"got shape {rows.shape} and type {rows.dtype}."
        )
    if len(rows) > MOST:
        raise MeasureError(
            f"{where} must be at most {MOST:,}; got {len(rows):,}. Keep those that you ask about."
        )
    values = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    wrong = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0))[:, 0])
    if len(wrong):
        raise MeasureError(
            f"{where} must be finite and not all 0; row {wrong[0]} is not. Leave it out."
        )
    if names and len(names) != len(rows):
        raise MeasureError(
            f"{where} must have one name each, or none; got {len(names)} names for {len(rows)}."
        )
    return DirectionSet(
        layer=layer, file=file, rows=values / lengths, names=tuple(names), source=source
    )


class WithDirections:
    """An encoder with a further layer for each set of directions; made by ``with_directions``.

    Parameters
    ----------
    base : Encoder
    sets : sequence of DirectionSet
        Of layers of ``base``; no two of one name.

    Raises
    ------
    ModelNameError
        If the model lacks a layer.
    MeasureError
        If a set has another width than its layer, no linear pooling, or the name of another set.
    """

    def __init__(self, base: Encoder, sets: Sequence[DirectionSet]) -> None:
        self.base = base
        self.sets: Mapping[str, DirectionSet] = {one.name: one for one in sets}
        if len(self.sets) < len(sets):
            raise MeasureError(
                "Files of directions must have different names, since layers are named by them; "
                f"got {', '.join(one.name for one in sets)}. Rename one."
            )
        self._layers = tuple(_with_layers(base.layers, sets))

    @cached_property
    def identity(self) -> EncoderIdentity:
        """The model's; its configuration includes the directions, so that nothing kept mixes."""
        own = self.base.identity
        sha = hashlib.sha256(own.config_digest.encode())
        for name, one in sorted(self.sets.items()):
            sha.update(f"\n{name} {one.rows.shape}\n".encode())
            sha.update(np.ascontiguousarray(one.rows).tobytes())
        return replace(own, config_digest=f"sha256:{sha.hexdigest()}")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The model's layers, each after those of its directions: the default stays last."""
        return self._layers

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return embeddings of shape (n_texts, embedding_size), in input order."""
        return self.base.encode_texts(texts)

    def encode_pictures(
        self, pictures: Sequence[Image], readings: Sequence[Reading] = ()
    ) -> EncodedPictures:
        """Return embeddings and pooled responses, in input order."""
        check_readings(readings, self.layers)
        found = self.base.encode_pictures(pictures, self.beneath(readings))
        return replace(found, units=self.responses(readings, found.units))

    def readout(self, layer: str) -> NDArray[np.float32] | None:
        """Linearised effect on the image embedding of moving along each direction."""
        if layer not in self.sets:
            return self.base.readout(layer)
        rows = self.base.readout(self.sets[layer].layer)
        return None if rows is None else (self.sets[layer].rows @ rows).astype(np.float32)

    def beneath(self, readings: Sequence[Reading]) -> tuple[Reading, ...]:
        """Return the readings of units that responses along directions are made from."""
        return tuple(dict.fromkeys(self.unit_reading(reading) for reading in readings))

    def responses(
        self, readings: Sequence[Reading], units: Mapping[Reading, NDArray[np.float32]]
    ) -> dict[Reading, NDArray[np.float32]]:
        """Return responses of every reading from those of the units beneath.

        Parameters
        ----------
        readings : sequence of Reading
        units : mapping of Reading to ndarray of shape (n_pictures, n_units)
            Has all of `beneath`.
        """
        return {
            reading: self._along(reading, units[self.unit_reading(reading)]) for reading in readings
        }

    def unit_reading(self, reading: Reading) -> Reading:
        """Return the reading of units that a reading is made from: itself, if of units."""
        found = self.sets.get(reading.layer)
        return reading if found is None else replace(reading, layer=found.layer)

    def _along(self, reading: Reading, values: NDArray[np.float32]) -> NDArray[np.float32]:
        found = self.sets.get(reading.layer)
        if found is None:
            return values
        return (values.astype(np.float64) @ found.rows.T).astype(np.float32)


def _with_layers(layers: Sequence[Layer], sets: Sequence[DirectionSet]) -> Iterator[Layer]:
    for one in sets:
        find_layer(one.layer, layers)
    for layer in layers:
        yield from (_layer(one, layer) for one in sets if one.layer == layer.name)
        yield layer


def _layer(found: DirectionSet, layer: Layer) -> Layer:
    count, width = found.rows.shape
    if width != layer.n_units:
        raise MeasureError(
            f"Directions of {layer.name!r} in {found.file!r} must have one column per unit, "
            f"{layer.n_units}; got {width}."
        )
    poolings = tuple(pooling for pooling in layer.poolings if pooling in LINEAR)
    if not poolings:
        raise MeasureError(
            f"Directions need a mean over positions or the class token; {layer.name!r} is read "
            f"with {', '.join(layer.poolings)} alone."
        )
    return Layer(name=found.name, n_units=count, kind=KIND, poolings=poolings)


def beneath(encoder: Encoder, readings: Sequence[Reading]) -> tuple[Encoder, tuple[Reading, ...]]:
    """Return the model itself, and the units of it that readings are made from.

    What is kept between audits are units: a changed file of directions encodes nothing anew.
    """
    if not isinstance(encoder, WithDirections):
        return encoder, tuple(readings)
    return encoder.base, encoder.beneath(readings)


def along(
    encoder: Encoder, readings: Sequence[Reading], units: Mapping[Reading, Activations]
) -> Mapping[Reading, Activations]:
    """Return the activations of readings from those of the units `beneath` them."""
    if not isinstance(encoder, WithDirections):
        return units
    found = encoder.responses(readings, {key: table.values for key, table in units.items()})
    return {
        reading: replace(units[encoder.unit_reading(reading)], values=values, layer=reading.layer)
        for reading, values in found.items()
    }
