"""Linearised effects of units on the embedding: head by head, and through later attention.

Everything is built on the frozen read-outs of `probes.backends.frozen`: the rows of a read-out know
no picture, and what its shares do to a unit on the average is estimated once on a reference set.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from probes.backends.attribute import attribute_tower, opening_of
from probes.backends.frozen import Readout, Units, recorded, unit_rows
from probes.backends.second_order import Strongest, principal, relay_modules, relayed
from probes.errors import MeasureError, ModelError
from probes.linear_text import HeadTables, UnitDirections
from probes.progress import Progress, SilentProgress

Floats = NDArray[np.floating[Any]]

AT_ONCE = 16
"""Pictures in one forward pass."""

ROWS_AT_ONCE = 64
"""Embedding dimensions pulled back at a time."""

KEPT = 100
"""Strongest pictures of a unit that give its direction, as published."""


class Opened(Protocol):
    """An encoder that hands out its image tower."""

    def opened(self, pictures: Sequence[Image.Image]) -> tuple[nn.Module, Tensor]:
        """Return the image tower, and pictures as it takes them."""
        ...


@torch.inference_mode()
def head_tables(
    encoder: Opened,
    pictures: Sequence[Image.Image],
    directions: Floats,
    *,
    layer: str,
    progress: Progress | None = None,
) -> HeadTables:
    """Return what each head of the pooling makes of each unit, for some texts.

    Parameters
    ----------
    encoder : OpenClipEncoder
    pictures : sequence of PIL.Image.Image
        The reference set.
    directions : ndarray of shape (n_texts, embedding_size)
    layer : str
        The last block of a ResNet; any block of a transformer (its direct path).
    progress : Progress, optional
        Told of every batch of pictures.

    Returns
    -------
    HeadTables
        A share is the slope, through the origin and over the reference set, of what a head passes
        on of a unit against the unit's mean over positions (its class token, where that alone is
        read). Scales of norms are part of it.

    Raises
    ------
    ModelError
        If no closed form is known for this tower.
    MeasureError
        If there are no pictures.
    """
    both: Tensor | None = None
    own: Tensor | None = None
    effects: Tensor | None = None
    for visual, batch in _batches(encoder, pictures, progress):
        readout, units = _open(visual, batch, layer, _tensor(directions, batch))
        passed = readout.shares @ units.responses
        mean = _pooled(readout, units)
        both = _add(both, (passed * mean[:, None]).sum(dim=0))
        own = _add(own, (mean**2).sum(dim=0))
        effects = unit_rows(readout, units) if effects is None else effects
    if both is None or own is None or effects is None:
        raise MeasureError("Head tables need at least 1 picture of a reference set; got none.")
    return HeadTables(
        layer=layer,
        effects=_array(effects),
        shares=_array(torch.where(own > 0, both / own, torch.nan)),
        pictures=len(pictures),
    )


@torch.inference_mode()
def mean_responses(
    encoder: Opened,
    pictures: Sequence[Image.Image],
    *,
    layer: str,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Return what `head_tables` take as the response of a unit, shape (n_pictures, n_units).

    The mean over positions after rectification, or the class token where that alone is read.
    """
    found: list[Tensor] = []
    size = 0
    for visual, batch in _batches(encoder, pictures, progress):
        size = size or int(_embedding(visual(batch[:1])).shape[1])
        found.append(_pooled(*_open(visual, batch, layer, torch.ones(1, size).to(batch))))
    if not found:
        raise MeasureError("Responses need at least 1 picture; got none.")
    return _array(torch.cat(found))


@torch.inference_mode()
def head_blind_readout(encoder: Opened, *, layer: str) -> NDArray[np.float64]:
    """Return the linearised effect of each unit with all positions alike.

    The same as ``Encoder.readout`` where that is known; also for CoCa and SigLIP (without its
    pooling MLP), and for the direct path of earlier blocks.

    Returns
    -------
    ndarray of shape (n_units, embedding_size)
        Up to one positive constant per layer, the scales of norms.

    Raises
    ------
    ModelError
        If no closed form is known for this tower.
    """
    grey = Image.new("RGB", (64, 64), (127, 127, 127))
    visual, batch = encoder.opened([grey])
    opening = opening_of(visual, layer)
    with recorded(opening.modules) as found:
        size = int(_embedding(visual(batch)).shape[1])
    basis = torch.eye(size).to(batch)
    parts = [
        unit_rows(*opening.solve(found, rows)).sum(dim=1)
        for rows in torch.split(basis, ROWS_AT_ONCE)
    ]
    return _array(torch.cat(parts).T)


def known_readout(encoder: Opened, *, layer: str) -> NDArray[np.float32] | None:
    """Return `head_blind_readout`, or None where no closed form is known.

    The closed form is tried on pictures first: where its parts do not add up to what the tower
    computes, it is not that of this tower.
    """
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    visual, batch = encoder.opened([Image.fromarray(pixels) for pixels in noise])
    try:
        with torch.inference_mode():
            size = int(_embedding(visual(batch[:1])).shape[1])
        attribute_tower(visual, batch, np.eye(size, dtype=np.float32)[:2], layer=layer)
        return head_blind_readout(encoder, layer=layer).astype(np.float32)
    except ModelError:
        return None


@torch.inference_mode()
def second_order_directions(
    encoder: Opened,
    pictures: Sequence[Image.Image],
    *,
    layer: str,
    kept: int = KEPT,
    progress: Progress | None = None,
) -> UnitDirections:
    """Return where units push the embedding through the attention of later blocks.

    For vision transformers of open_clip that read a class token or a mean of tokens. Most hidden
    units of earlier blocks act this way, and nearly along one direction each.

    Parameters
    ----------
    encoder : OpenClipEncoder
    pictures : sequence of PIL.Image.Image
        The reference set; more than ``kept``, and of many kinds.
    layer : str
        Any block but the last.
    kept : int
        Strongest pictures per unit that give its direction.
    progress : Progress, optional
        Told of every batch of pictures.

    Returns
    -------
    UnitDirections
        Attention and norms are held at their own values for each picture; MLPs between, and paths
        through several attentions, are left out.

    Raises
    ------
    ModelError
        If the tower is of another kind, or the layer the last.
    MeasureError
        If there are no pictures.

    Notes
    -----
    Cost: the forward passes, and per picture one row of attention and ``n_heads * n_tokens *
    n_units`` products for each later block. Memory: ``kept * n_later * n_heads * n_units`` numbers
    (ViT-B-32, block 8: 44 MB), whatever the number of pictures.

    References
    ----------
    Gandelsman, Efros & Steinhardt (2024), "Interpreting the second-order effects of neurons in
    CLIP", arXiv 2406.04341.
    """
    strongest: Strongest | None = None
    for visual, batch in _batches(encoder, pictures, progress):
        with recorded(relay_modules(visual, layer)) as found:
            size = int(_embedding(visual(batch)).shape[1])
        basis = torch.eye(size).to(batch)
        readout, units = relayed(visual, layer, found, basis)
        if strongest is None:
            strongest = Strongest(unit_rows(readout, units), kept)
        strongest.add(readout.shares @ units.responses)
    if strongest is None:
        raise MeasureError("Directions need at least 1 picture of a reference set; got none.")
    directions, strength, explained = principal(strongest)
    return UnitDirections(
        layer=layer,
        directions=_array(directions),
        strength=_array(strength),
        explained=_array(explained),
        pictures=len(pictures),
    )


def _batches(
    encoder: Opened, pictures: Sequence[Image.Image], progress: Progress | None
) -> Iterator[tuple[nn.Module, Tensor]]:
    told = progress or SilentProgress()
    for start in range(0, len(pictures), AT_ONCE):
        some = pictures[start : start + AT_ONCE]
        yield encoder.opened(some)
        told.advance(len(some))


def _open(visual: nn.Module, batch: Tensor, layer: str, rows: Tensor) -> tuple[Readout, Units]:
    opening = opening_of(visual, layer)
    with recorded(opening.modules) as found:
        visual(batch)
    return opening.solve(found, rows)


def _pooled(readout: Readout, units: Units) -> Tensor:
    if readout.class_only:
        return units.responses[:, 0]
    return units.responses.mean(dim=1)


def _embedding(output: Any) -> Tensor:
    rows: Tensor = output[0] if isinstance(output, tuple) else output
    return rows


def _add(total: Tensor | None, part: Tensor) -> Tensor:
    part = part.to("cpu", torch.float64)
    return part if total is None else total + part


def _tensor(rows: Floats, batch: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rows)).to(batch.device, batch.dtype)


def _array(tensor: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = tensor.to("cpu", torch.float64).contiguous().numpy()
    return array
