"""Exact contributions of units of an image tower to dot products of its embedding."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from probes.backends.attribute_resnet import resnet_modules, resnet_parts
from probes.backends.attribute_timm import timm_modules, timm_parts
from probes.backends.attribute_vit import vit_modules, vit_parts
from probes.backends.frozen import (
    BESIDE,
    Readout,
    Side,
    Units,
    recorded,
    unit_maps,
    unit_parts,
    units_along,
)
from probes.errors import MeasureError, ModelError
from probes.inspectable import Attributed

Floats = NDArray[np.floating[Any]]

AT_ONCE = 16
"""Pictures taken apart at a time: their hidden units are all kept."""

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-9}
"""Largest gap between the parts and the product, as a share of the parts' absolute sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a tower is taken apart at one layer."""

    modules: Mapping[str, tuple[nn.Module, Side]]
    """What is recorded while the tower runs."""

    solve: Callable[[Mapping[str, Tensor], Tensor], tuple[Readout, Units]]
    """From what was recorded and directions to the read-out and the units."""


def opening_of(visual: nn.Module, layer: str) -> Opening:
    """Return how a tower is taken apart.

    Raises
    ------
    ModelError
        If no closed form is known; the message says what is.
    """
    if isinstance(visual, ModifiedResNet):
        return Opening(
            modules=resnet_modules(visual, layer),
            solve=lambda found, rows: resnet_parts(visual, found, rows),
        )
    if isinstance(visual, VisionTransformer):
        return Opening(
            modules=vit_modules(visual, layer),
            solve=lambda found, rows: vit_parts(visual, layer, found, rows),
        )
    if isinstance(visual, TimmModel):
        return Opening(
            modules=timm_modules(visual, layer),
            solve=lambda found, rows: timm_parts(visual, layer, found, rows),
        )
    raise ModelError(
        "Exact contributions are known for ResNets with attention pooling and for vision "
        f"transformers; this image tower is a {type(visual).__name__}."
    )


@torch.inference_mode()
def attribute_tower(
    visual: nn.Module,
    batch: Tensor,
    directions: Floats,
    *,
    layer: str,
    maps: Sequence[int] = (),
    double: bool = False,
    along: Floats | None = None,
) -> Attributed:
    """Take dot products of embeddings apart.

    Attention and norms are held at their own values for each picture, so the parts add up
    exactly; they say what made the product, not what it would be without a unit.

    Parameters
    ----------
    visual : Module
        The image tower, in evaluation mode.
    batch : Tensor of shape (n_pictures, 3, height, width)
        Preprocessed pictures.
    directions : ndarray of shape (n_directions, embedding_size)
    layer : str
        Name of a readable layer.
    maps : sequence of int
        Units wanted position by position.
    double : bool
        Compute in float64, on a copy of the tower.
    along : ndarray of shape (n_along, n_units), optional
        Directions of length 1 that stand where units stand; what they leave of the layer, or
        count twice, is the part ``rest of the layer``.

    Raises
    ------
    ModelError
        If no closed form is known for this tower, or the one known does not give what it computes.
    MeasureError
        If there are no pictures or directions, or shapes or units do not exist.
    """
    kind = torch.float64 if double else torch.float32
    tower = deepcopy(visual).double() if double else visual
    rows = _rows(directions, batch, kind)
    opening = opening_of(tower, layer)
    beside = None if along is None else torch.as_tensor(along, dtype=kind, device=batch.device)
    done = [
        _take_apart(tower, opening, part.to(kind), rows, maps, beside)
        for part in torch.split(batch, AT_ONCE)
    ]
    return _joined(done, layer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    units: Tensor
    others: Mapping[str, Tensor]
    constant: Tensor
    products: Tensor
    lengths: Tensor
    maps: Tensor | None


def _take_apart(
    tower: nn.Module,
    opening: Opening,
    batch: Tensor,
    rows: Tensor,
    asked: Sequence[int],
    along: Tensor | None,
) -> _Batch:
    with recorded(opening.modules) as found:
        output = tower(batch)
    embeddings: Tensor = output[0] if isinstance(output, tuple) else output
    readout, units = opening.solve(found, rows)
    others = dict(readout.parts)
    if along is not None:
        whole = unit_parts(readout, units).sum(dim=2)
        units = units_along(units, along)
        others[BESIDE] = whole - unit_parts(readout, units).sum(dim=2)
    _check_asked(asked, units)
    for name, tokens in units.parts.items():
        others[name] = others.get(name, 0) + readout.of(tokens)
    result = _Batch(
        units=unit_parts(readout, units),
        others=others,
        constant=readout.constant.expand(len(batch), -1),
        products=embeddings @ rows.T,
        lengths=embeddings.norm(dim=1),
        maps=unit_maps(readout, units, list(asked)) if len(asked) else None,
    )
    _check_sum(result)
    return result


def _check_sum(result: _Batch) -> None:
    """Refuse a closed form that is not that of this tower."""
    others = sum(result.others.values(), result.constant)
    missed = (result.units.sum(dim=2) + others - result.products).abs()
    size = result.units.abs().sum(dim=2) + result.constant.abs()
    size = size + sum(part.abs() for part in result.others.values())
    if not bool((missed <= TOLERANCE[missed.dtype] * size).all()):
        raise ModelError(
            "Contributions must add up to what the model computes, and miss it by "
            f"{float((missed / size).max()):.1e} of their size; this image tower reads out in a "
            "way that is not known here. Silence units instead to see what they do."
        )


def _rows(directions: Floats, batch: Tensor, kind: torch.dtype) -> Tensor:
    if directions.ndim != 2 or not len(directions) or not len(batch):
        raise MeasureError(
            "Contributions need at least 1 picture and directions of shape (n_directions, "
            f"embedding_size), at least 1; got {len(batch)} pictures and shape {directions.shape}."
        )
    return torch.from_numpy(np.ascontiguousarray(directions)).to(batch.device, kind)


def _check_asked(asked: Sequence[int], units: Units) -> None:
    count = units.responses.shape[-1]
    if any(not 0 <= unit < count for unit in asked):
        raise MeasureError(f"Maps are of units 0 to {count - 1}; got {list(asked)}.")


def _joined(parts: Sequence[_Batch], layer: str) -> Attributed:
    return Attributed(
        layer=layer,
        units=_array([part.units for part in parts]),
        others={name: _array([part.others[name] for part in parts]) for name in parts[0].others},
        constant=_array([part.constant for part in parts]),
        products=_array([part.products for part in parts]),
        lengths=_array([part.lengths for part in parts]),
        maps=_array([part.maps for part in parts if part.maps is not None])
        if parts[0].maps is not None
        else None,
    )


def _array(tensors: Sequence[Tensor]) -> Floats:
    array: Floats = torch.cat(list(tensors)).to("cpu").contiguous().numpy()
    return array
