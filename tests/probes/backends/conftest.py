"""Small checkpoints of every architecture, made here, in every public layout."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import open_clip
import pytest
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


def _make_model(config: dict[str, Any], folder: Path, seed: int = 0) -> torch.nn.Module:
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


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], torch.nn.Module]:
    """Architecture name to a model; made once, not to be changed."""
    made: dict[str, torch.nn.Module] = {}

    def get(name: str) -> torch.nn.Module:
        if name not in made:
            made[name] = _make_model(CONFIGS[name], tmp_path_factory.mktemp(name))
        return made[name]

    return get


@pytest.fixture(scope="session")
def folders(
    tmp_path_factory: pytest.TempPathFactory, models: Callable[[str], torch.nn.Module]
) -> Callable[[str], Path]:
    """Architecture name to a folder with configuration and safetensors; not to be changed."""
    made: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp("folder") / name
            folder.mkdir()
            write_config(CONFIGS[name], folder)
            save_safetensors(models(name).state_dict(), folder / "open_clip_model.safetensors")
            made[name] = folder
        return made[name]

    return get


@pytest.fixture
def tiny(tmp_path: Path, models: Callable[[str], torch.nn.Module]) -> tuple[Path, dict]:
    """A folder with a ViT's configuration and no weights yet, and its tensors."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    write_config(deepcopy(CONFIGS["vit"]), folder)
    return folder, dict(models("vit").state_dict())


@pytest.fixture(scope="session")
def configs() -> dict[str, dict[str, Any]]:
    return CONFIGS


@pytest.fixture(scope="session")
def writers() -> dict[str, Callable[[dict[str, torch.Tensor], Path], None]]:
    return WRITERS


@pytest.fixture(scope="session")
def make_model() -> Callable[[dict[str, Any], Path], torch.nn.Module]:
    return _make_model
