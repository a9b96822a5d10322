"""Checkpoints of the small family lie beside this file; the rest are trained."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from benchmarks.planted.worlds.family import TrainedWorld
from benchmarks.planted.worlds.training import EMBEDDED, config, write_model

KEPT = Path(__file__).parent / "kept"
TOKENS = "tokens"
"""Key of the token numbers whose embeddings are kept; captions hold no others."""


def keep(spec: TrainedWorld, model: Path, folder: Path = KEPT) -> Path:
    """Write the weights of a trained world without the rows of tokens that no caption holds.

    Parameters
    ----------
    spec : TrainedWorld
    model : Path
        Folder that `train_world` returned.
    folder : Path

    Returns
    -------
    Path
        About 0.9 MB, an eighth of the whole checkpoint.
    """
    states = load_file(model / "open_clip_model.safetensors")
    used = torch.nonzero(states[EMBEDDED].abs().sum(dim=1)).squeeze(1)
    small = {**states, EMBEDDED: states[EMBEDDED][used].contiguous(), TOKENS: used}
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{spec.name}.safetensors"
    save_file(small, out)
    return out


def unpacked(spec: TrainedWorld, work: Path, folder: Path = KEPT) -> Path | None:
    """Return a kept world as a folder that open_clip reads; None where it is not kept."""
    source, out = folder / f"{spec.name}.safetensors", work / "models" / spec.name
    if (out / "open_clip_model.safetensors").exists():
        return out
    if not source.is_file():
        return None
    states = load_file(source)
    used = states.pop(TOKENS)
    write_model(states, used, config(spec.tower), out)
    return out
