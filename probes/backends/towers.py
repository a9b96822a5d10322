"""Where units lie in the image towers of open_clip, how they are pooled, what they feed.

Units are read with hooks: ``forward_intermediates`` of open_clip gives block outputs only, and
its early stop is inverted for ResNets; sub-modules of attention never fire.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from probes.encoder import Layer, Pooling, Reading

CONV: Mapping[Pooling, Callable[[Tensor], Tensor]] = {
    Pooling.PREACT_MAX: lambda maps: maps.amax(dim=(2, 3)),
    Pooling.PREACT_MEAN: lambda maps: maps.mean(dim=(2, 3)),
    Pooling.RELU_MEAN: lambda maps: maps.relu().mean(dim=(2, 3)),
}
"""Poolings of maps of shape (n_pictures, n_units, height, width)."""

TOKENS: Mapping[Pooling, Callable[[Tensor], Tensor]] = {
    Pooling.CLS: lambda tokens: tokens[:, 0].clone(),
    Pooling.TOKEN_MAX: lambda tokens: tokens.flatten(1, -2).amax(dim=1),
    Pooling.TOKEN_MEAN: lambda tokens: tokens.flatten(1, -2).mean(dim=1),
}
"""Poolings of tokens of shape (n_pictures, n_tokens, n_units), or with rows and columns."""

WITH_CLASS = (Pooling.CLS, Pooling.TOKEN_MAX, Pooling.TOKEN_MEAN)
WITHOUT_CLASS = (Pooling.TOKEN_MAX, Pooling.TOKEN_MEAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A layer and the module whose input holds its units."""

    layer: Layer
    module: nn.Module
    batch_first: bool = True


def taps_of(visual: nn.Module) -> tuple[Tap, ...]:
    """Return the readable layers of an image tower; none where its kind is not known.

    ResNets are read before the last ReLU of each stage, transformers at the hidden units that
    each MLP hands to its second linear map.
    """
    if isinstance(visual, ModifiedResNet):
        return tuple(_resnet_taps(visual))
    if isinstance(visual, VisionTransformer):
        return tuple(_vit_taps(visual))
    if isinstance(visual, TimmModel):
        return tuple(_timm_taps(visual.trunk))
    return ()


def _resnet_taps(visual: ModifiedResNet) -> Iterator[Tap]:
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        blocks = getattr(visual, stage)
        layer = Layer(
            name=f"visual.{stage}.{len(blocks) - 1}",
            n_units=blocks[-1].bn3.num_features,
            kind="conv",
            poolings=tuple(CONV),
        )
        yield Tap(layer=layer, module=blocks[-1].act3)


def _vit_taps(visual: VisionTransformer) -> Iterator[Tap]:
    by_class = visual.attn_pool is None and visual.pool_type == "tok"
    poolings = WITH_CLASS if by_class else (*WITHOUT_CLASS, Pooling.CLS)
    for i, block in enumerate(visual.transformer.resblocks):
        layer = Layer(
            name=f"visual.transformer.resblocks.{i}.mlp",
            n_units=block.mlp.c_proj.in_features,
            kind="mlp",
            poolings=poolings,
        )
        first = bool(getattr(visual.transformer, "batch_first", True))
        yield Tap(layer=layer, module=block.mlp.c_proj, batch_first=first)


def _timm_taps(trunk: nn.Module) -> Iterator[Tap]:
    """Blocks of a timm transformer, or of the last stage of a timm ConvNeXt."""
    blocks, where = getattr(trunk, "blocks", None), "blocks"
    if blocks is None and isinstance(stages := getattr(trunk, "stages", None), nn.Sequential):
        blocks, where = getattr(stages[-1], "blocks", None), f"stages.{len(stages) - 1}.blocks"
    if not isinstance(blocks, nn.Sequential | nn.ModuleList):
        return
    poolings: tuple[Pooling, ...] = WITHOUT_CLASS
    if getattr(trunk, "cls_token", None) is not None:
        by_class = getattr(trunk, "global_pool", "") == "token"
        poolings = WITH_CLASS if by_class else (*WITHOUT_CLASS, Pooling.CLS)
    for i, block in enumerate(blocks):
        second = getattr(getattr(block, "mlp", None), "fc2", None)
        if isinstance(second, nn.Linear):
            layer = Layer(
                name=f"visual.trunk.{where}.{i}.mlp",
                n_units=second.in_features,
                kind="mlp",
                poolings=poolings,
            )
            yield Tap(layer=layer, module=second)


@contextmanager
def tapped(taps: Sequence[Tap], readings: Sequence[Reading]) -> Iterator[dict[Reading, Tensor]]:
    """Pool the units asked for while the tower runs; maps are never kept.

    Pooling happens inside a hook *before* the module: the ReLU of ResNets works in place and
    would rectify a tensor that was merely remembered.

    Yields
    ------
    dict of Reading to Tensor
        Filled by each forward pass, of shape (n_pictures, n_units).
    """
    found: dict[Reading, Tensor] = {}
    with ExitStack() as stack:
        for tap in taps:
            here = [reading for reading in readings if reading.layer == tap.layer.name]
            if here:
                handle = tap.module.register_forward_pre_hook(_pooler(tap, here, found))
                stack.callback(handle.remove)
        yield found


def _pooler(
    tap: Tap, readings: Sequence[Reading], found: dict[Reading, Tensor]
) -> Callable[[nn.Module, tuple[Any, ...]], None]:
    pools = CONV if tap.layer.kind == "conv" else TOKENS

    def pool(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        units: Tensor = inputs[0] if tap.batch_first else inputs[0].transpose(0, 1)
        for reading in readings:
            found[reading] = pools[reading.pooling](units)

    return pool


def readout_of(visual: nn.Module, layer: str) -> Tensor | None:
    """Return the linearised effect of each unit on the embedding, shape (n_units, size).

    Known for the last layer of ResNets (attention pooling with all positions alike) and for the
    last MLP of transformers that read out a class token or a mean of tokens through one layer
    norm and one projection; its scale, one positive constant, is left out. Else None: poolings by
    attention are solved by `probes.backends.text_weights.known_readout`.
    """
    taps = taps_of(visual)
    if not taps or taps[-1].layer.name != layer:
        return None
    if isinstance(visual, ModifiedResNet):
        pool: Any = visual.attnpool
        effect: Tensor = pool.v_proj.weight.T @ pool.c_proj.weight.T
        return effect
    if isinstance(visual, VisionTransformer):
        return _vit_readout(visual)
    if isinstance(visual, TimmModel):
        return _timm_readout(visual)
    return None


def _vit_readout(visual: VisionTransformer) -> Tensor | None:
    if visual.attn_pool is not None or visual.pool_type not in ("tok", "avg"):
        return None
    block: Any = visual.transformer.resblocks[-1]
    directions = _scaled(block.mlp.c_proj.weight, block.ls_2)
    rows: Tensor = _centred(directions) * visual.ln_post.weight
    return rows if visual.proj is None else rows @ visual.proj


def _timm_readout(visual: TimmModel) -> Tensor | None:
    trunk: Any = visual.trunk
    pool = getattr(trunk, "global_pool", None)
    if pool not in ("token", "avg") or not hasattr(trunk, "blocks"):
        return None
    norm = trunk.norm if isinstance(trunk.norm, nn.LayerNorm) else getattr(trunk, "fc_norm", None)
    head = [module for module in visual.head if not isinstance(module, nn.Dropout)]
    tail = getattr(trunk, "head", nn.Identity())
    if not isinstance(norm, nn.LayerNorm) or len(head) > 1:
        return None
    block = trunk.blocks[-1]
    rows = _centred(_scaled(block.mlp.fc2.weight, getattr(block, "ls2", nn.Identity())))
    rows = rows * norm.weight
    for linear in (tail, *head):
        if isinstance(linear, nn.Linear):
            rows = rows @ linear.weight.T
        elif not isinstance(linear, nn.Identity):
            return None
    return rows


def _scaled(weight: Tensor, scale: nn.Module) -> Tensor:
    """Columns of a second linear map as rows, times the layer scale where there is one."""
    gamma = getattr(scale, "gamma", None)
    return weight.T if gamma is None else weight.T * gamma


def _centred(rows: Tensor) -> Tensor:
    return rows - rows.mean(dim=1, keepdim=True)
