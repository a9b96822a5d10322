"""Small checkpoints of every architecture, made here, in every public layout."""

import importlib.util
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch

SPECIMENS = Path(__file__).parents[2] / "specimens" / "checkpoints.py"
_spec = importlib.util.spec_from_file_location("specimen_checkpoints", SPECIMENS)
made_here = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made_here)
CONFIGS, WRITERS = made_here.CONFIGS, made_here.WRITERS
make, write_config = made_here.make_model, made_here.write_config


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], torch.nn.Module]:
    """Architecture name to a model; made once, not to be changed."""
    made: dict[str, torch.nn.Module] = {}

    def get(name: str) -> torch.nn.Module:
        if name not in made:
            made[name] = make(CONFIGS[name], tmp_path_factory.mktemp(name))
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
            made_here.save_safetensors(
                models(name).state_dict(), folder / "open_clip_model.safetensors"
            )
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
    return make
