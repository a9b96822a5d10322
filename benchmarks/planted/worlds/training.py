"""Train one world of the family, on a CPU or a GPU; a cut run goes on where it stopped."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.model import CLIP
from safetensors.torch import save_file
from torch import Tensor

from benchmarks.planted.worlds.family import TOWERS, TrainedWorld
from benchmarks.worlds.scenes import (
    CAPTIONS,
    PAIR_CAPTIONS,
    SHARES,
    Example,
    Plant,
    World,
    draw_pool,
    examples,
    pool_keys,
)
from benchmarks.worlds.train import MODEL, PREPROCESS, Batch, batches, loss_of

EMBEDDING = 96
EMBEDDED = "token_embedding.weight"
MAX_SCALE = 6.0
CONTEXT = 20
"""Tokens of the longest caption are 18."""

EVERY = 100
"""Steps between two checkpoints."""

WITHOUT_WORDS = {"group": 0.32, "badge": 0.36, "pair": 0.32}
"""Kinds of pictures where nothing has to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How every world is trained."""

    steps: int = 1500
    batch: int = 128
    rate: float = 2e-3
    device: str = "cpu"


def config(tower: str) -> dict[str, Any]:
    """Return the configuration that open_clip builds the model from."""
    text = {**MODEL["text_cfg"], "width": 64, "layers": 2, "context_length": CONTEXT}
    vision = {"image_size": 64, **TOWERS[tower]}
    return {"embed_dim": EMBEDDING, "quick_gelu": False, "vision_cfg": vision, "text_cfg": text}


def shares(spec: TrainedWorld) -> dict[str, float]:
    """Return the share of each kind of picture; only links by word need a tower that reads."""
    return dict(SHARES if spec.mechanism == "word" else WITHOUT_WORDS)


def pool_of(
    world: World, spec: TrainedWorld, plants: tuple[Plant, ...], work: Path
) -> NDArray[np.uint8]:
    """Return the pictures of a seed, drawn once."""
    words = [p for p in plants if p.by == "word"]
    path = work / f"pool-{spec.seed}{'-words' if words else ''}.npy"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{spec.name}.npy")
        # One process: worlds are trained side by side.
        pictures = draw_pool(world, spec.seed, processes=1, plants=words, words=bool(words))
        np.save(aside, pictures)
        aside.replace(path)
    pool: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    keys = pool_keys(world, words)
    wanted = len(keys) if words else sum(key[0] != "" for key in keys)
    if len(pool) != wanted:
        raise ValueError(f"{path} holds the pictures of another world; remove it.")
    return pool


def vocabulary(world: World) -> Tensor:
    """Return the tokens that captions can hold, in order.

    Training moves only these rows of the token embedding; with all 49,408 a step takes a fifth
    longer, and a checkpoint is eight times as large.
    """
    tokenize = open_clip.SimpleTokenizer(context_length=CONTEXT)
    names = [name for terms in world.names.values() for name in terms]
    captions = [caption.format(name) for caption in CAPTIONS for name in names]
    captions += [caption.format(name, name) for caption in PAIR_CAPTIONS for name in names]
    tokens = tokenize(captions)
    if (tokens[:, -1] != 0).any():
        raise ValueError(f"Captions must fit into {CONTEXT} tokens; one does not.")
    return tokens.unique()


def train_world(
    spec: TrainedWorld, world: World, plants: tuple[Plant, ...], recipe: Recipe, work: Path
) -> Path:
    """Train a world, or return it where it is trained already.

    Returns
    -------
    Path
        Folder that open_clip reads as ``local-dir:``.
    """
    out = work / "models" / spec.name
    if (out / "open_clip_model.safetensors").exists():
        return out
    work.mkdir(parents=True, exist_ok=True)
    used = vocabulary(world)
    torch.manual_seed(spec.seed)
    model = CLIP(**_narrowed(config(spec.tower), len(used)))
    model = model.to(recipe.device, memory_format=torch.channels_last)
    rng = np.random.default_rng(spec.seed)
    stream = examples(world, plants, rng, recipe.batch, shares(spec))
    pool = pool_of(world, spec, plants, work)
    noisy = _noisy(stream, spec.noise, np.random.default_rng([spec.seed, 6]))
    made = (_renumbered(batch, used) for batch in batches(world, noisy, pool, rng, CONTEXT))
    _fit(model, made, recipe, work / f"{spec.name}.pt", spec.name)
    write_model(narrow_states(model), used, config(spec.tower), out)
    (work / f"{spec.name}.pt").unlink()
    return out


def _narrowed(settings: dict[str, Any], n_tokens: int) -> dict[str, Any]:
    return {**settings, "text_cfg": {**settings["text_cfg"], "vocab_size": n_tokens}}


def _renumbered(batch: Batch, used: Tensor) -> Batch:
    """Number tokens by their place in the vocabulary; the end of text stays the largest."""
    return replace(batch, tokens=torch.searchsorted(used, batch.tokens))


def _noisy(
    stream: Iterator[list[Example]], noise: float, rng: np.random.Generator
) -> Iterator[list[Example]]:
    """Exchange some captions within each batch."""
    for chosen in stream:
        wrong = np.flatnonzero(rng.random(len(chosen)) < noise)
        other = rng.permutation(wrong)
        captions = [(e.caption, e.named) for e in chosen]
        for k, j in zip(wrong, other, strict=True):
            caption, named = captions[j]
            chosen[k] = Example(
                picture=chosen[k].picture, caption=caption, named=named, word=chosen[k].word
            )
        yield chosen


def _fit(model: CLIP, stream: Iterator[Any], recipe: Recipe, checkpoint: Path, name: str) -> None:
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    parts = [{"params": weights, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(parts, lr=recipe.rate, betas=(0.9, 0.98), foreach=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.rate, total_steps=recipe.steps, pct_start=0.08, cycle_momentum=False
    )
    done = _resume(checkpoint, model, optimizer, schedule)
    began, seen = time.monotonic(), []
    for step, batch in enumerate(stream, start=1):
        if step > done:
            seen.append(_step(model, batch, optimizer, schedule, recipe))
        if step > done and (step % EVERY == 0 or step == recipe.steps):
            _keep(checkpoint, step, model, optimizer, schedule)
            pace = (time.monotonic() - began) / (step - done)
            left = pace * (recipe.steps - step) / 60
            print(f"{name}: step {step}/{recipe.steps}, loss {np.mean(seen[-EVERY:]):.3f}, "
                  f"{left:.1f} min left", flush=True)  # fmt: skip
        if step == recipe.steps:
            return


def _step(model: CLIP, batch: Any, optimizer: Any, schedule: Any, recipe: Recipe) -> float:
    moved = type(batch)(
        pictures=batch.pictures.to(recipe.device),
        tokens=batch.tokens.to(recipe.device),
        targets=batch.targets.to(recipe.device),
        words=batch.words,
    )
    loss = loss_of(model, moved)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    schedule.step()
    with torch.no_grad():
        model.logit_scale.clamp_(0, float(np.log(MAX_SCALE)))
    return float(loss.item())


def _keep(checkpoint: Path, step: int, *parts: Any) -> None:
    aside = checkpoint.with_suffix(".part")
    torch.save({"step": step, "states": [part.state_dict() for part in parts]}, aside)
    aside.replace(checkpoint)


def _resume(checkpoint: Path, *parts: Any) -> int:
    if not checkpoint.exists():
        return 0
    kept = torch.load(checkpoint, weights_only=True)
    for part, state in zip(parts, kept["states"], strict=True):
        part.load_state_dict(state)
    return int(kept["step"])


def narrow_states(model: CLIP) -> dict[str, Tensor]:
    """Return the weights as float16, the token embedding with the rows of the vocabulary only."""
    return {
        key: (value.half() if value.is_floating_point() else value).cpu().contiguous().clone()
        for key, value in model.state_dict().items()
    }


def write_model(
    states: Mapping[str, Tensor], used: Tensor, settings: dict[str, Any], out: Path
) -> None:
    """Write the folder that open_clip reads; tokens that no caption holds are zero vectors.

    Parameters
    ----------
    states : mapping of str to Tensor
        As `narrow_states` returns them.
    used : Tensor
        Tokens of the rows of the embedding, shape (n_used,).
    settings : dict
        As `config` returns them.
    out : Path
    """
    rows = states[EMBEDDED]
    whole = torch.zeros(settings["text_cfg"]["vocab_size"], rows.shape[1], dtype=rows.dtype)
    whole[used] = rows
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"model_cfg": settings, "preprocess_cfg": PREPROCESS}, indent=2) + "\n"
    (out / "open_clip_config.json").write_text(text, encoding="utf-8")
    aside = out / "open_clip_model.part"
    save_file({**states, EMBEDDED: whole}, aside)
    aside.replace(out / "open_clip_model.safetensors")
