"""Where units are read: names that users write, checked against the layers of a model."""

from collections.abc import Sequence
from difflib import get_close_matches

from probes.encoder import Layer, Pooling, Reading
from probes.errors import ModelNameError


def default_reading(layers: Sequence[Layer]) -> Reading | None:
    """Return the last layer with its default pooling, or None where no layer can be read."""
    if not layers:
        return None
    return Reading(layer=layers[-1].name, pooling=layers[-1].poolings[0])


def parse_reading(text: str, layers: Sequence[Layer]) -> Reading:
    """Read ``layer`` or ``layer:pooling`` as a user writes it.

    Parameters
    ----------
    text : str
        For example ``visual.layer4.2`` or ``visual.layer4.2:preact-mean``.
    layers : sequence of Layer
        What the model has.

    Raises
    ------
    ModelNameError
        If the model has no such layer, or the layer no such pooling.
    """
    name, _, pooling = text.partition(":")
    layer = find_layer(name, layers)
    if not pooling:
        return Reading(layer=layer.name, pooling=layer.poolings[0])
    if pooling not in layer.poolings:
        raise ModelNameError(
            f"The layer {layer.name!r} can be read with {', '.join(layer.poolings)}; "
            f"got {pooling!r}."
        )
    return Reading(layer=layer.name, pooling=Pooling(pooling))


def find_layer(name: str, layers: Sequence[Layer]) -> Layer:
    """Return the layer called ``name``.

    Raises
    ------
    ModelNameError
        If there is none; the message names the nearest.
    """
    for layer in layers:
        if layer.name == name:
            return layer
    known = [layer.name for layer in layers]
    if not known:
        raise ModelNameError(f"This model has no layer that can be read; got {name!r}.")
    near = get_close_matches(name, known, n=1, cutoff=0)[0]
    raise ModelNameError(f"This model has no layer {name!r}; did you mean {near!r}?")


def check_readings(readings: Sequence[Reading], layers: Sequence[Layer]) -> None:
    """Refuse readings that the model does not have, with `ModelNameError`."""
    for reading in readings:
        parse_reading(f"{reading.layer}:{reading.pooling}", layers)
