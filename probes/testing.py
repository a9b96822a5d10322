"""The promises of an encoder, as one function that anybody can call on theirs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from probes.encoder import Encoder, Layer, Reading

TEXTS = ("a photo of a baker", "rain", "a photo of a baker", "a long red train near the old sea")


def check_encoder(encoder: Encoder, *, tolerance: float = 1e-4) -> None:
    """Check the promises of `Encoder`.

    Parameters
    ----------
    encoder : Encoder
        The model to check; all of its layers and poolings are read.
    tolerance : float
        Largest difference allowed between a value computed alone and in a batch, as a share of
        the largest value of its kind.

    Raises
    ------
    AssertionError
        Naming the first broken promise.
    """
    _check_identity(encoder)
    _check_rows(encoder.encode_texts(TEXTS), encoder.encode_texts(TEXTS[1:2]), tolerance, "texts")
    readings = [
        Reading(layer=layer.name, pooling=pooling)
        for layer in encoder.layers
        for pooling in layer.poolings
    ]
    _check_pictures(encoder, readings, tolerance)
    for layer in encoder.layers:
        _check_readout(encoder, layer)


def sample_pictures(side: int = 48) -> tuple[Image.Image, ...]:
    """Four plain pictures, the first and third alike."""
    ramp = np.linspace(0, 255, side, dtype=np.uint8)
    across = np.stack([np.tile(ramp, (side, 1))] * 3, axis=2)
    down = np.stack([across[..., 0].T, across[..., 0], 255 - across[..., 0]], axis=2)
    checks = (np.indices((side, side)).sum(axis=0) // 6 % 2 * 255).astype(np.uint8)
    board = np.stack([checks, checks, checks // 2], axis=2)
    return tuple(Image.fromarray(pixels) for pixels in (across, down, across, board))


def _promise(kept: bool | np.bool_, broken: str) -> None:
    if not kept:
        raise AssertionError(f"Broken promise of the encoder: {broken}.")


def _check_identity(encoder: Encoder) -> None:
    identity = encoder.identity
    _promise(bool(identity.name), "identity has a name")
    _promise(identity.weights_digest.startswith("sha256:"), "the weights digest is sha256:...")
    _promise(identity == encoder.identity, "the identity does not change")
    names = [layer.name for layer in encoder.layers]
    _promise(len(set(names)) == len(names), "layer names are unique")


def _check_rows(
    whole: NDArray[np.float32], alone: NDArray[np.float32], tolerance: float, what: str
) -> None:
    """Rows are float32, in input order, equal for equal input, whatever else is in the batch."""
    _promise(whole.dtype == np.float32, f"{what} give float32")
    _promise(whole.ndim == 2 and len(whole) == 4, f"{what} give one row each, in input order")
    _promise(np.isfinite(whole).all(), f"{what} give finite numbers")
    room = tolerance * max(float(np.abs(whole).max()), 1e-6)
    _promise(np.allclose(whole[0], whole[2], atol=room, rtol=0), f"equal {what}, equal rows")
    _promise(np.allclose(whole[1], alone[0], atol=room, rtol=0), f"batching leaves {what} alone")


def _check_pictures(encoder: Encoder, readings: Sequence[Reading], tolerance: float) -> None:
    pictures = sample_pictures()
    whole = encoder.encode_pictures(pictures, readings)
    alone = encoder.encode_pictures(pictures[1:2], readings)
    _check_rows(whole.embeddings, alone.embeddings, tolerance, "pictures")
    size = encoder.identity.embedding_size
    _promise(whole.embeddings.shape[1] == size, "embeddings have the size that identity states")
    _promise(set(whole.units) == set(readings), "units come for the readings asked for")
    units = {layer.name: layer.n_units for layer in encoder.layers}
    for reading in readings:
        where = f"units of {reading.layer}:{reading.pooling}"
        _check_rows(whole.units[reading], alone.units[reading], tolerance, where)
        _promise(whole.units[reading].shape[1] == units[reading.layer], f"n_units of {where}")
    bare = encoder.encode_pictures(pictures)
    _promise(not bare.units, "no units come unless asked for")
    moved = np.abs(bare.embeddings - whole.embeddings).max() / np.abs(bare.embeddings).max()
    _promise(moved < 1e-5, "reading units leaves the embeddings alone")


def _check_readout(encoder: Encoder, layer: Layer) -> None:
    readout = encoder.readout(layer.name)
    if readout is None:
        return
    shape = (layer.n_units, encoder.identity.embedding_size)
    _promise(readout.shape == shape, f"the readout of {layer.name} has shape (n_units, size)")
    _promise(readout.dtype == np.float32, f"the readout of {layer.name} is float32")
    _promise(np.isfinite(readout).all(), f"the readout of {layer.name} is finite")
