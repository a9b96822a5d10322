"""Small checkpoints of every architecture, made here, in every public layout.

Tests do not form a package, so whoever wants these loads the file.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file

torch.set_num_threads(1)  # such small products are slower on several

TEXT = {"context_length": 32, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}
SIZE = 24

CONFIGS: dict[str, dict[str, Any]] = {
    "resnet": {
        "embed_dim": SIZE,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 64, "layers": [1, 2, 1, 2], "width": 8, "head_width": 32},
        "text_cfg": TEXT,
    },
    "vit": {
        "embed_dim": SIZE,
        "vision_cfg": {
            "image_size": 32,
            "layers": 3,
            "width": 32,
            "head_width": 16,
            "patch_size": 8,
        },
        "text_cfg": TEXT,
    },
    "vit-scaled": {
        "embed_dim": SIZE,
        "vision_cfg": {
            "image_size": 32,
            "layers": 2,
            "width": 32,
            "head_width": 16,
            "patch_size": 8,
            "ls_init_value": 0.5,
            "pool_type": "avg",
        },
        "text_cfg": TEXT,
    },
    "siglip": {
        "embed_dim": 96,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 160,
            "timm_model_name": "test_vit3",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": "none",
        },
        "text_cfg": {
            **TEXT,
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
        },
    },
    "timm-vit": {
        "embed_dim": SIZE,
        "vision_cfg": {
            "image_size": 160,
            "timm_model_name": "test_vit",
            "timm_model_pretrained": False,
            "timm_pool": "token",
            "timm_proj": "linear",
        },
        "text_cfg": TEXT,
    },
    "convnext": {
        "embed_dim": SIZE,
        "vision_cfg": {
            "image_size": 64,
            "timm_model_name": "test_convnext",
            "timm_model_pretrained": False,
            "timm_pool": "",
            "timm_proj": "linear",
        },
        "text_cfg": TEXT,
    },
    "timm-resnet": {
        "embed_dim": SIZE,
        "vision_cfg": {
            "image_size": 64,
            "timm_model_name": "test_resnet",
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
        },
        "text_cfg": TEXT,
    },
    "coca": {
        "embed_dim": SIZE,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 32,
            "layers": 2,
            "width": 32,
            "head_width": 16,
            "patch_size": 8,
            "attentional_pool": True,
            "attn_pooler_heads": 2,
            "attn_pooler_queries": 8,
            "output_tokens": True,
        },
        "text_cfg": {**TEXT, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {**TEXT, "attn_pooler_heads": 2},
    },
}


def make_model(config: dict[str, Any], folder: Path, seed: int = 0) -> torch.nn.Module:
    """A network of a shape, every value moved away from its initial one, as training would."""
    folder.mkdir(parents=True, exist_ok=True)
    write_config(config, folder)
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False).eval()
    noise = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("text_decoder"):  # partly left as uninitialised memory
                parameter.fill_(0.5)
            size = 0.1 if parameter.ndim < 2 else 0.02
            parameter.add_(size * torch.randn(parameter.shape, generator=noise))
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.add_(
                    0.1 * torch.randn(module.running_mean.shape, generator=noise)
                )
                module.weight.add_(0.5)
    return model


def write_config(config: dict[str, Any], folder: Path) -> None:
    preprocessing = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    content = {"model_cfg": config, "preprocess_cfg": preprocessing}
    (folder / "open_clip_config.json").write_text(json.dumps(content))


def save_safetensors(tensors: dict[str, torch.Tensor], path: Path) -> None:
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, path)


def save_state_dict(tensors: dict[str, torch.Tensor], path: Path) -> None:
    torch.save(dict(tensors), path)


def save_legacy(tensors: dict[str, torch.Tensor], path: Path) -> None:
    torch.save(dict(tensors), path, _use_new_zipfile_serialization=False)


def save_training(tensors: dict[str, torch.Tensor], path: Path) -> None:
    wrapped = {f"module.{name}": tensor for name, tensor in tensors.items()}
    torch.save({"epoch": 3, "name": "run", "state_dict": wrapped, "optimizer": {"lr": 0.1}}, path)


WRITERS: dict[str, Callable[[dict[str, torch.Tensor], Path], None]] = {
    "open_clip_model.safetensors": save_safetensors,
    "open_clip_pytorch_model.bin": save_state_dict,
    "model.pth": save_legacy,
    "weights.pt": save_state_dict,
    "epoch_3.pt": save_training,
}
"""File name to the function that writes that layout."""
