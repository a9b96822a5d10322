"""A treatment written into the weights of a checkpoint, so that no hook is needed to apply it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.modified_resnet import AttentionPool2d, ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from safetensors.torch import save
from torch import Tensor, nn

from probes.backends.checkpoint import digest_of
from probes.backends.edits import tap_of
from probes.backends.loading import load_network
from probes.backends.naming import parse_model
from probes.backends.softened import check_ablation
from probes.backends.sources import resolve
from probes.backends.tails import place_of
from probes.backends.towers import taps_of
from probes.errors import MeasureError
from probes.treatments import Ablation, require_strength

SMALLEST_PART = 2.0**-20
"""What is left of a unit whose weights cannot be 0, since positions are scaled by its inverse."""

Write = Callable[[Any], None]
"""Changes a network in place."""


class Baked:
    """A treated checkpoint: its bytes, and what identifies the weights."""

    def __init__(self, content: bytes, weights_digest: str) -> None:
        self.content = content
        self.weights_digest = weights_digest
        """As the strict loader will compute it."""


def baked_checkpoint(
    model: str,
    *,
    pretrained: str | None,
    expected_digest: str | None,
    activation: str | None,
    offline: bool,
    write: Write,
) -> Baked:
    """Load a model strictly, change its weights and return them as safetensors.

    Parameters
    ----------
    model, pretrained, expected_digest, activation, offline
        As in `probes.backends.table.load_encoder`.
    write : callable
        `bake_ablation` or `bake_projection` with everything but the network bound.

    Raises
    ------
    ModelNameError, ModelError
        As the loader.
    MeasureError
        If the treatment cannot be written into this architecture.
    """
    spec = parse_model(model, pretrained)
    if spec.backend != "open_clip":
        raise MeasureError(f"{model} has no weights that a treatment could be written into.")
    found = resolve(spec, offline=offline, activation=activation)
    loaded = load_network(found, expected_digest=expected_digest, activation=activation)
    with torch.no_grad():
        write(loaded.model)
    tensors = {k: v.detach().clone().contiguous() for k, v in loaded.model.state_dict().items()}
    return Baked(save(tensors), digest_of(tensors))


def bake_ablation(model: Any, ablation: Ablation) -> None:
    """Scale what units hand on, and add what they are held at where it is read.

    Parameters
    ----------
    model : CLIP
        Changed in place.
    ablation : Ablation

    Raises
    ------
    MeasureError
        If the architecture does not allow it: only the class token is meant and others are read
        later, or what reads the units is not known.
    """
    visual = model.visual
    tap = tap_of(taps_of(visual), ablation.layer)
    check_ablation(tap, ablation)
    place = place_of(visual, ablation.layer)
    if ablation.where == "class" and (place is None or not place.first_only):
        raise MeasureError(
            f"Units of {ablation.layer!r} are held at the class token alone, while later blocks "
            "read the other positions too: weights are the same for all positions, so this cannot "
            "be written into them."
        )
    if isinstance(visual, ModifiedResNet):
        _bake_resnet(visual, ablation)
    elif isinstance(tap.module, nn.Linear | nn.Conv2d):
        _draw_linear(tap.module, ablation)
    else:
        raise MeasureError(
            f"What reads the units of {ablation.layer!r} is not known for this architecture, so "
            "the ablation cannot be written into its weights."
        )


def bake_projection(model: Any, basis: NDArray[np.float64], strength: float) -> None:
    """Take directions out of the last linear map of both towers.

    Parameters
    ----------
    model : CLIP
        Changed in place.
    basis : ndarray of shape (n_rows, embedding_size)
        Perpendicular rows of length 1.
    strength : float

    Raises
    ------
    MeasureError
        If a tower does not end in a linear map.
    """
    require_strength(strength)
    rows = torch.as_tensor(basis, dtype=torch.float64)
    keep = torch.eye(rows.shape[1], dtype=torch.float64) - strength * rows.T @ rows
    for matrix, bias, rows_are_outputs in (_image_head(model.visual), _text_head(model)):
        wide = matrix.double()
        _set(matrix, keep @ wide if rows_are_outputs else wide @ keep)
        if bias is not None:
            _set(bias, keep @ bias.double())


Head = tuple[Tensor, Tensor | None, bool]


def _image_head(visual: nn.Module) -> Head:
    """Return the last matrix of the image tower, its bias, and whether its rows are outputs."""
    if isinstance(visual, ModifiedResNet):
        pool: Any = visual.attnpool
        return pool.c_proj.weight, pool.c_proj.bias, True
    if isinstance(visual, VisionTransformer) and visual.proj is not None:
        return visual.proj, None, False
    if isinstance(visual, TimmModel):
        last = [m for m in visual.head.modules() if isinstance(m, nn.Linear)]
        if last:
            return last[-1].weight, last[-1].bias, True
    raise MeasureError(
        "The image tower does not end in a linear map, so a projection cannot be written into its "
        "weights; apply it to the embeddings instead."
    )


def _text_head(model: Any) -> Head:
    projection = getattr(getattr(model, "text", model), "text_projection", None)
    if isinstance(projection, nn.Linear):
        return projection.weight, projection.bias, True
    if isinstance(projection, Tensor):
        return projection, None, False
    raise MeasureError(
        "The text tower does not end in a linear map, so a projection cannot be written into its "
        "weights; apply it to the embeddings instead."
    )


def _bake_resnet(visual: ModifiedResNet, ablation: Ablation) -> None:
    stages = [visual.layer1, visual.layer2, visual.layer3, visual.layer4]
    names = [tap.layer.name for tap in taps_of(visual)]
    index = names.index(ablation.layer)
    if index == len(stages) - 1:
        if type(visual.attnpool) is not AttentionPool2d:
            raise MeasureError("This ResNet does not pool by attention; its weights are left.")
        _draw_pool(visual.attnpool, ablation)
        return
    block: Any = stages[index + 1][0]
    _draw_normed(block.conv1, block.bn1, ablation)
    if block.downsample is None:
        raise MeasureError(
            f"What leaves {ablation.layer!r} is also added to the next stage as it is, so its "
            "units cannot be held by weights."
        )
    _draw_normed(block.downsample[1], block.downsample[2], ablation)


def _draw_pool(pool: Any, ablation: Ablation) -> None:
    """Draw channels that attention pooling reads; what they are held at joins the positions."""
    chosen = list(ablation.units)
    kept = max(1 - ablation.strength, SMALLEST_PART)
    held = torch.tensor(ablation.values, dtype=torch.float64)
    places = pool.positional_embedding
    drawn = (places[:, chosen].double() + ablation.strength * held) / kept
    places[:, chosen] = drawn.to(places.dtype)
    for linear in (pool.q_proj, pool.k_proj, pool.v_proj):
        linear.weight[:, chosen] *= kept


def _draw_normed(conv: Any, norm: Any, ablation: Ablation) -> None:
    """Draw channels that a 1 x 1 convolution reads; the constant goes into the norm's mean."""
    shift = _constant(conv.weight[:, :, 0, 0], ablation)
    conv.weight[:, list(ablation.units)] *= 1 - ablation.strength
    _set(norm.running_mean, norm.running_mean.double() - shift)


def _draw_linear(linear: Any, ablation: Ablation) -> None:
    """Draw hidden units that a linear map, or a 1 x 1 convolution, reads."""
    if linear.bias is None:
        raise MeasureError(
            f"What reads the units of {ablation.layer!r} has no bias to hold their values."
        )
    matrix = linear.weight.reshape(linear.weight.shape[0], -1)
    shift = _constant(matrix, ablation)
    linear.weight[:, list(ablation.units)] *= 1 - ablation.strength
    _set(linear.bias, linear.bias.double() + shift)


def _constant(matrix: Tensor, ablation: Ablation) -> Tensor:
    """Return what the held part of the units adds to each output."""
    held = torch.tensor(ablation.values, dtype=torch.float64)
    columns = matrix[:, list(ablation.units)].double()
    return ablation.strength * columns @ held


def _set(parameter: Tensor, value: Tensor) -> None:
    parameter.copy_(value.to(parameter.dtype))
