"""Checkpoint files: chosen, read without running any code in them, and digested."""

import hashlib
import logging
import re
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 - the exception, not the reader

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from probes.backends.naming import WEIGHT_SUFFIXES
from probes.errors import ModelError

log = logging.getLogger(__name__)

PREFERRED = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
"""The order in which open_clip prefers the weight files of a folder."""

WRAPPERS = ("module.", "_orig_mod.")
"""Prefixes that distributed training and compilation put before every name."""

SAFE_TORCH = (2, 10)
"""Older releases could be made to run code or corrupt memory by a crafted pickle."""


def choose_weights(folder: Path) -> Path:
    """Return the weight file of a folder.

    Raises
    ------
    ModelError
        If there is none, or several and none that open_clip prefers.
    """
    files = sorted(p for p in folder.iterdir() if p.suffix in WEIGHT_SUFFIXES and p.is_file())
    if not files:
        raise ModelError(
            f"The folder {folder.name!r} must hold a weight file ({', '.join(WEIGHT_SUFFIXES)}), "
            "but has none; a model without weights is random and is not audited."
        )
    if len(files) == 1:
        return files[0]
    preferred = [folder / name for name in PREFERRED if folder / name in files]
    if not preferred:
        raise ModelError(
            f"The folder {folder.name!r} holds {len(files)} weight files "
            f"({', '.join(p.name for p in files)}) and none with a usual name; "
            f"name the right one {PREFERRED[0]}, or give that file itself."
        )
    log.info("Of the weight files of %s, %s is taken.", folder.name, preferred[0].name)
    return preferred[0]


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint by name, on the CPU, as stored.

    Raises
    ------
    ModelError
        If the file is damaged, holds code, or holds something else than named tensors.
    """
    if path.suffix == ".safetensors":
        content: object = _read_safetensors(path)
    else:
        content = _read_pickle(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    tensors = _only_tensors(content, path)
    for wrapper in WRAPPERS:
        if all(name.startswith(wrapper) for name in tensors):
            tensors = {name.removeprefix(wrapper): tensor for name, tensor in tensors.items()}
    return tensors


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """Return ``sha256:`` over names, shapes, types and bytes, in the order of the names."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name].detach().cpu().contiguous()
        sha.update(f"{name} {tuple(array.shape)} {array.dtype}\n".encode())
        sha.update(array.numpy().data)
    return f"sha256:{sha.hexdigest()}"


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path, device="cpu")
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path.name} must be a complete safetensors file, but: {error}; fetch it again."
        ) from error


def _read_pickle(path: Path) -> object:
    release = tuple(int(part) for part in re.findall(r"\d+", torch.__version__)[:2])
    if release < SAFE_TORCH:
        raise ModelError(
            f"{path.name} is a pickle, and torch {torch.__version__} cannot read those safely; "
            "install torch 2.10 or later, or save the weights as safetensors."
        )
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        OSError,
        RuntimeError,
        TypeError,
        UnpicklingError,
        ValueError,
        struct.error,
    ) as error:
        raise ModelError(_pickle_sentence(path, str(error))) from error


def _pickle_sentence(path: Path, why: str) -> str:
    code = re.search(r"\bGLOBAL\s+([\w.]+)", why) or re.search(
        r"(?:global:?|function|class)\s+`?([A-Za-z_][\w.]*\.\w+)", why
    )
    if code:
        return (
            f"{path.name} must hold tensors only, but refers to code ({code.group(1)}); "
            "nothing in it was run. Save the weights as safetensors."
        )
    if "TorchScript" in why:
        return (
            f"{path.name} is a TorchScript archive, which holds code; "
            "use the pretrained tag, or save its state dict as safetensors."
        )
    # torch's own text goes on to say how to load such a file unsafely; nobody needs that here.
    own = re.search(r"WeightsUnpickler error: ([^\n]+)", why)
    first = own.group(1) if own else why.splitlines()[0] if why else "it ends too early"
    return f"{path.name} is damaged or not a checkpoint ({first[:200]}); fetch it again."


def _only_tensors(content: object, path: Path) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and content:
        tensors = {k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, Tensor)}
        if len(tensors) == len(content):
            return tensors
    raise ModelError(
        f"{path.name} must hold named tensors, or such under 'state_dict'; it holds something "
        "else, so it is not a checkpoint of a model."
    )
