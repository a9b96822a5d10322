"""Small towers of three shapes at random weights, and the embedded model, to write a unit into."""

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import load_file, save_file
from timm.models import register_model
from timm.models.vision_transformer import VisionTransformer as TimmTransformer
from torch import Tensor, nn

TEXT = {
    "context_length": 24,
    "vocab_size": 49408,
    "width": 384,
    "heads": 6,
    "layers": 1,
    "mlp_ratio": 0.25,
}
PREPROCESSING = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
SIDE = 64
WIDTH = 384
"""Embedding, and width of the transformers."""

UNITS = 96
"""Units that answer in the layer that is written into."""

WORDS = 0.2
"""Standard deviation of token embeddings: large enough that names differ."""

GAIN_SPREAD = 0.4
"""SD of the logarithm of what scales each unit's response."""

LENGTH_SPREAD = 0.25
"""SD of the logarithm of what scales each unit's output weights."""

TAIL = 4.0
"""How much larger than at their usual initial values the last MLP's output weights are: it then
writes most of what tells groups apart, as the last stage of a ResNet does."""


@register_model
def planted_map(pretrained: bool = False, **options: Any) -> TimmTransformer:
    """Build the image tower of SigLIP, small: tokens without class, attention pooling."""
    sizes: dict[str, Any] = {
        "img_size": SIDE,
        "patch_size": 16,
        "embed_dim": WIDTH,
        "depth": 2,
        "num_heads": 6,
        "mlp_ratio": UNITS / WIDTH,
        "class_token": False,
        "global_pool": "map",
    }
    known = {k: v for k, v in options.items() if k in ("num_classes", "global_pool")}
    return TimmTransformer(**{**sizes, **known})


CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "resnet": {
        "embed_dim": WIDTH,
        "vision_cfg": {"image_size": SIDE, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64},
        "text_cfg": TEXT,
    },
    "vit": {
        "embed_dim": WIDTH,
        "vision_cfg": {
            "image_size": SIDE,
            "layers": 2,
            "width": WIDTH,
            "head_width": 64,
            "patch_size": 16,
            "mlp_ratio": UNITS / WIDTH,
        },
        "text_cfg": TEXT,
    },
    "siglip": {
        "embed_dim": WIDTH,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": SIDE,
            "timm_model_name": "planted_map",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": "none",
        },
        "text_cfg": TEXT,
    },
}
"""Shapes of the random towers, as open_clip reads them."""

TRAINED = "trained"
"""The twin of the embedded model: trained without any planted link."""


def random_network(shape: str, folder: Path, seed: int, pictures: Tensor) -> nn.Module:
    """Make a network of a shape, of random weights.

    Parameters
    ----------
    shape : str
        Row of `CONFIGS`, or `TRAINED`, whose weights do not depend on the seed.
    folder : Path
        Gets ``open_clip_config.json``.
    seed : int
    pictures : Tensor of shape (n_pictures, 3, side, side)
        Preprocessed; batch norms are set to what these give, as training would.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if shape == TRAINED:
        return _embedded(folder)
    content = {"model_cfg": CONFIGS[shape], "preprocess_cfg": PREPROCESSING}
    (folder / "open_clip_config.json").write_text(json.dumps(content))
    torch.manual_seed(seed)
    model: Any = open_clip.create_model(f"local-dir:{folder}", load_weights=False).eval()
    noise = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        _move_norms(model, noise)
        _spell(model)
        _SPREADERS[shape](model, noise)
        if shape == "resnet":
            _settle(model.visual, pictures)
    frozen: nn.Module = model.requires_grad_(False)
    return frozen


def _embedded(folder: Path) -> nn.Module:
    source = Path(str(files("probes") / "embedded" / "twin"))
    text = (source / "open_clip_config.json").read_text()
    (folder / "open_clip_config.json").write_text(text)
    model: Any = open_clip.create_model(f"local-dir:{folder}", load_weights=False).eval()
    model.load_state_dict(load_file(source / "open_clip_model.safetensors"))
    frozen: nn.Module = model.float().requires_grad_(False)
    return frozen


def save_network(model: nn.Module, folder: Path) -> None:
    """Write the weights beside their configuration, to be loaded as a user's checkpoint is."""
    tensors = {name: value.clone().contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, folder / "open_clip_model.safetensors")


def _move_norms(model: nn.Module, noise: torch.Generator) -> None:
    """Move what starts at 0 or 1 away from it, as training would."""
    for module in model.modules():
        if isinstance(module, nn.LayerNorm | nn.BatchNorm2d):
            module.weight.add_(0.1 * _normal(module.weight.shape, noise))
            module.bias.add_(0.1 * _normal(module.bias.shape, noise))


def _spell(model: Any) -> None:
    """Let texts differ: wide token embeddings, and maps that keep every direction."""
    tower = getattr(model, "text", model)
    tower.token_embedding.weight.mul_(WORDS / tower.token_embedding.weight.std())
    for block in tower.transformer.resblocks:
        for part in (*block.attn.in_proj_weight.chunk(3), block.attn.out_proj.weight):
            nn.init.orthogonal_(part)
    projection = tower.text_projection
    nn.init.orthogonal_(projection.weight if isinstance(projection, nn.Linear) else projection)


def _spread_resnet(model: Any, noise: torch.Generator) -> None:
    """Prune the last stage to `UNITS` channels, and spread their sizes."""
    block, pool = model.visual.layer4[-1], model.visual.attnpool
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        norm = getattr(model.visual, stage)[-1].bn3
        norm.weight.copy_(1 + 0.1 * _normal(norm.weight.shape, noise))
    gains = _lognormal(block.bn3.num_features, GAIN_SPREAD, noise)
    kept = torch.zeros_like(gains)
    kept[torch.randperm(len(gains), generator=noise)[:UNITS]] = 1
    for norm in (block.bn3, block.downsample[-1]):
        norm.weight.mul_(gains * kept)
        norm.bias.mul_(gains * kept)
    block.bn3.bias.sub_(1 - kept)
    nn.init.orthogonal_(pool.c_proj.weight)
    pool.v_proj.weight.mul_(_lognormal(len(gains), LENGTH_SPREAD, noise))


def _spread_vit(model: Any, noise: torch.Generator) -> None:
    visual = model.visual
    visual.class_embedding.mul_(0.1)
    nn.init.orthogonal_(visual.proj)
    last = visual.transformer.resblocks[-1].mlp
    _spread_mlp(last.c_fc, last.c_proj, noise)


def _spread_siglip(model: Any, noise: torch.Generator) -> None:
    trunk = model.visual.trunk
    for linear in (m for m in trunk.modules() if isinstance(m, nn.Linear)):
        nn.init.orthogonal_(linear.weight)
    last = trunk.blocks[-1].mlp
    _spread_mlp(last.fc1, last.fc2, noise)


def _spread_mlp(first: nn.Linear, second: nn.Linear, noise: torch.Generator) -> None:
    """Draw the last MLP: sizes of responses and of output weights spread as told above."""
    gains = _lognormal(first.out_features, GAIN_SPREAD, noise)
    first.weight.copy_(_normal(first.weight.shape, noise) / first.in_features**0.5)
    first.weight.mul_(gains[:, None])
    first.bias.copy_(0.3 * gains * _normal(gains.shape, noise))
    lengths = _lognormal(first.out_features, LENGTH_SPREAD, noise)
    second.weight.copy_(TAIL * _normal(second.weight.shape, noise) / first.out_features**0.5)
    second.weight.mul_(lengths)
    second.bias.zero_()


_SPREADERS: Mapping[str, Callable[[Any, torch.Generator], None]] = {
    "resnet": _spread_resnet,
    "vit": _spread_vit,
    "siglip": _spread_siglip,
}


def _settle(visual: nn.Module, pictures: Tensor) -> None:
    """Set the running statistics of batch norms to those of the pictures."""
    norms = [module for module in visual.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = 1.0
        norm.train()
    visual(pictures)
    for norm in norms:
        norm.momentum = 0.1
        norm.eval()


def _normal(shape: Sequence[int], noise: torch.Generator) -> Tensor:
    return torch.randn(tuple(shape), generator=noise)


def _lognormal(count: int, spread: float, noise: torch.Generator) -> Tensor:
    return (spread * _normal((count,), noise)).exp()
