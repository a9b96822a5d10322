"""A model whose units are drawn towards fixed values while it encodes pictures."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor, nn

from probes.backends.edits import as_entered, tap_of, units_last
from probes.backends.open_clip import OpenClipEncoder
from probes.backends.towers import Tap, taps_of
from probes.encoder import EncodedPictures, Encoder, EncoderIdentity, Layer, Pooling, Reading
from probes.errors import MeasureError
from probes.treatments import Ablation

Hook = Callable[[nn.Module, tuple[Any, ...]], tuple[Any, ...]]


class SoftenedEncoder:
    """An encoder with an ablation in its image tower; texts go through as they are.

    Parameters
    ----------
    encoder : OpenClipEncoder
    ablation : Ablation

    Raises
    ------
    ModelNameError
        If the model lacks the layer.
    MeasureError
        If a unit is not in the layer, or it has no class token where one is meant.
    """

    def __init__(self, encoder: OpenClipEncoder, ablation: Ablation) -> None:
        self._encoder, self._ablation = encoder, ablation
        visual, _ = encoder.opened(())
        self._visual = visual
        check_ablation(tap_of(taps_of(visual), ablation.layer), ablation)

    @property
    def identity(self) -> EncoderIdentity:
        """That of the model beneath: its weights are not changed."""
        return self._encoder.identity

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers of the image tower that can be read."""
        return self._encoder.layers

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return embeddings of shape (n_texts, embedding_size), as the model gives them."""
        return self._encoder.encode_texts(texts)

    def encode_pictures(
        self, pictures: Sequence[Image], readings: Sequence[Reading] = ()
    ) -> EncodedPictures:
        """Return embeddings and pooled responses with the ablation in place."""
        with softened(self._visual, self._ablation):
            return self._encoder.encode_pictures(pictures, readings)

    def readout(self, layer: str) -> NDArray[np.float32] | None:
        """Linearised effect of each unit, as the model has it."""
        return self._encoder.readout(layer)


def soften(encoder: Encoder, ablation: Ablation) -> Encoder:
    """Return an encoder with an ablation in place.

    Raises
    ------
    MeasureError
        If the tower of the encoder is not at hand, or the ablation does not fit it.
    """
    if not isinstance(encoder, OpenClipEncoder):
        raise MeasureError(
            f"Units of {encoder.identity.name} cannot be held: its tower is not at hand. "
            "Leave the treatment 'mean-ablate' out."
        )
    return SoftenedEncoder(encoder, ablation)


@contextmanager
def softened(visual: nn.Module, ablation: Ablation) -> Iterator[None]:
    """Draw units towards their values while a tower runs; the hook is gone afterwards."""
    tap = tap_of(taps_of(visual), ablation.layer)
    handle = tap.module.register_forward_pre_hook(_hook(tap, ablation))
    try:
        yield
    finally:
        handle.remove()


def check_ablation(tap: Tap, ablation: Ablation) -> None:
    """Refuse units that the layer does not have.

    Raises
    ------
    MeasureError
        Naming the first of them, or that there is no class token.
    """
    wrong = [unit for unit in ablation.units if not 0 <= unit < tap.layer.n_units]
    if wrong:
        raise MeasureError(
            f"Units of {ablation.layer!r} are numbered 0 to {tap.layer.n_units - 1}; "
            f"got {wrong[0]}."
        )
    if ablation.where == "class" and Pooling.CLS not in tap.layer.poolings:
        raise MeasureError(f"The layer {ablation.layer!r} has no class token to hold units at.")


def _hook(tap: Tap, ablation: Ablation) -> Hook:
    chosen, strength = list(ablation.units), ablation.strength

    def draw(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        units: Tensor = units_last(tap, inputs[0]).clone()
        now = units[..., chosen]
        # What is read of a ResNet lies before its ReLU; its next layer sees what lies after.
        now = now.relu() if tap.layer.kind == "conv" else now
        values = torch.tensor(ablation.values, dtype=units.dtype, device=units.device)
        held = (1 - strength) * now + strength * values
        if ablation.where == "class":
            held = torch.cat([held[:, :1], now[:, 1:]], dim=1)
        units[..., chosen] = held
        return as_entered(tap, units).contiguous(), *inputs[1:]

    return draw
