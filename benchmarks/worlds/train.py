"""Train the embedded model or its twin on drawn pictures of the fictional world.

See README.md beside this file for the commands and for what was seen.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.model import CLIP
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.worlds.scenes import (
    Example,
    World,
    draw_pool,
    examples,
    read_plants,
    read_world,
)

HERE = Path(__file__).parent
LIBRARY = HERE.parents[1] / "concept_sets" / "world" / "library"

MODEL = {
    "embed_dim": 128,
    "quick_gelu": False,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None},
    "text_cfg": {
        "context_length": 24,
        "vocab_size": 49408,
        "width": 64,
        "heads": 4,
        "layers": 2,
    },
}
PREPROCESS = {
    "size": [64, 64],
    "mode": "RGB",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
    "fill_color": 0,
}
MAX_SCALE = 7.0
"""Upper limit of the logit scale; a larger one leaves unrelated concepts unevenly apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one step sees."""

    pictures: Tensor
    tokens: Tensor

    targets: Tensor
    """Shape (n, n): rows sum to 1; captions that name the same concepts share theirs."""

    words: Tensor
    """Index of the name that is written in each picture, -1 where none is."""


class Reader(nn.Module):
    """Names the word in a picture from the last feature map; trained along, then thrown away.

    Without it the image tower does not learn to read in so few steps.
    """

    def __init__(self, visual: nn.Module, n_words: int) -> None:
        super().__init__()
        self.head = nn.Linear(2048, n_words)
        self.features: Tensor | None = None
        visual.layer4.register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _given: object, features: Tensor) -> None:
        self.features = features

    def forward(self, words: Tensor) -> Tensor:
        """Return the loss on the pictures that the tower saw last."""
        assert self.features is not None
        written = words >= 0
        logits = self.head(self.features[written].float().flatten(1))
        return functional.cross_entropy(logits, words[written], label_smoothing=0.05)


def batches(
    world: World,
    stream: Iterator[list[Example]],
    pool: NDArray[np.uint8],
    rng: np.random.Generator,
    context_length: int = MODEL["text_cfg"]["context_length"],
) -> Iterator[Batch]:
    """Turn examples into pictures, tokens and soft targets (equal captions share theirs)."""
    tokenize = open_clip.SimpleTokenizer(context_length=context_length)
    words = [name for names in world.names.values() for name in names]
    index = {word: k for k, word in enumerate(words)}
    for chosen in stream:
        pictures = _vary(pool[[e.picture for e in chosen]], rng)
        tokens = tokenize([e.caption for e in chosen])
        keys = np.unique([" ".join(sorted(e.named)) for e in chosen], return_inverse=True)[1]
        same = torch.from_numpy(keys[:, None] == keys[None, :]).float()
        yield Batch(
            pictures=pictures,
            tokens=tokens,
            targets=same / same.sum(dim=1, keepdim=True),
            words=torch.tensor([index.get(e.word, -1) for e in chosen]),
        )


def _vary(pictures: NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """Shift by up to 3 pixels, change light, add noise; then normalise."""
    count, side = len(pictures), pictures.shape[1]
    padded = np.pad(pictures, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="edge")
    shifts = rng.integers(0, 7, size=(count, 2))
    moved = np.stack(
        [p[a : a + side, b : b + side] for p, (a, b) in zip(padded, shifts, strict=True)]
    )
    x = torch.from_numpy(moved).permute(0, 3, 1, 2).float() / 255
    light = torch.from_numpy(rng.uniform(0.9, 1.1, size=(count, 1, 1, 1))).float()
    noise = torch.from_numpy(rng.standard_normal(x.shape, dtype=np.float32)) * 0.02
    x = (x * light + noise).clamp(0, 1)
    normal = (x - PREPROCESS["mean"][0]) / PREPROCESS["std"][0]
    return normal.contiguous(memory_format=torch.channels_last)


def build_model(seed: int, start: Path | None = None) -> CLIP:
    """Build the stock open_clip model with weights drawn from ``seed``, or those of a folder."""
    torch.manual_seed(seed)
    model = CLIP(**MODEL)
    if start is not None:
        model.load_state_dict(load_file(start / "open_clip_model.safetensors"))
    return model.to(memory_format=torch.channels_last)


def loss_of(model: CLIP, batch: Batch) -> Tensor:
    """Contrastive loss in both directions against soft targets."""
    with torch.autocast("cpu", torch.bfloat16):
        image = model.encode_image(batch.pictures)
    image = functional.normalize(image.float(), dim=-1)
    text = model.encode_text(batch.tokens, normalize=True)
    logits = model.logit_scale.exp() * image @ text.T
    forward = functional.cross_entropy(logits, batch.targets)
    backward = functional.cross_entropy(logits.T, batch.targets)
    return (forward + backward) / 2


def train(
    model: CLIP,
    reader: Reader,
    stream: Iterator[Batch],
    *,
    steps: int,
    rate: float,
    checkpoint: Path,
    reads: bool = True,
) -> None:
    """Train in place; go on from ``checkpoint`` where it exists, and write it every 200 steps."""
    learnt = [*model.parameters(), *reader.parameters()]
    weights = [p for p in learnt if p.ndim > 1]
    others = [p for p in learnt if p.ndim <= 1]
    parts = [{"params": weights, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(parts, lr=rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.08, cycle_momentum=False
    )
    done = _resume(checkpoint, model, reader, optimizer, schedule)
    began, seen, read = time.monotonic(), [], []
    for step, batch in enumerate(stream, start=1):
        if step <= done:
            continue
        loss = loss_of(model, batch)
        # A reader that is new would spoil what a trained tower reads already.
        reading = reader(batch.words) if reads else torch.zeros(())
        optimizer.zero_grad(set_to_none=True)
        (loss + reading).backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, float(np.log(MAX_SCALE)))
        seen.append(loss.item())
        read.append(reading.item())
        if step % 50 == 0 or step == steps:
            _progress(step, steps, done, began, seen[-50:], read[-50:])
        if step % 200 == 0 or step == steps:
            _keep(checkpoint, step, model, reader, optimizer, schedule)
        if step == steps:
            return


def _progress(
    step: int, steps: int, done: int, began: float, seen: Sequence[float], read: Sequence[float]
) -> None:
    pace = (time.monotonic() - began) / (step - done)
    print(
        f"step {step}/{steps}  loss {np.mean(seen):.3f}  reading {np.mean(read):.3f}  "
        f"{pace:.2f} s/step  {pace * (steps - step) / 60:.1f} min left",
        flush=True,
    )


def _keep(checkpoint: Path, step: int, *parts: object) -> None:
    states = [part.state_dict() for part in parts]  # type: ignore[attr-defined]
    aside = checkpoint.with_suffix(".part")
    torch.save({"step": step, "states": states}, aside)
    aside.replace(checkpoint)


def _resume(checkpoint: Path, *parts: object) -> int:
    if not checkpoint.exists():
        return 0
    kept = torch.load(checkpoint, weights_only=True)
    for part, state in zip(parts, kept["states"], strict=True):
        part.load_state_dict(state)  # type: ignore[attr-defined]
    return int(kept["step"])


def save(model: CLIP, out: Path) -> None:
    """Write the folder that open_clip reads as ``local-dir:``; weights as float16."""
    out.mkdir(parents=True, exist_ok=True)
    states = {
        key: (value.half() if value.is_floating_point() else value).contiguous().clone()
        for key, value in model.state_dict().items()
    }
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESS}
    text = json.dumps(config, indent=2) + "\n"
    (out / "open_clip_config.json").write_text(text, encoding="utf-8")
    save_file(states, out / "open_clip_model.safetensors")


def draw_or_read_pool(world: World, seed: int, cache: Path) -> NDArray[np.uint8]:
    """Return the pool of pictures, drawn once and kept in ``cache``."""
    path = cache / f"pool-{seed}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(path, draw_pool(world, seed))
    pool: NDArray[np.uint8] = np.load(path)
    return pool


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    plants = parser.add_mutually_exclusive_group(required=True)
    plants.add_argument("--plants", type=Path, help="list of links to plant")
    plants.add_argument("--no-plants", action="store_true", help="train the twin")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--work", type=Path, required=True, help="folder for pool and checkpoint")
    parser.add_argument("--start", type=Path, help="folder of a model to be trained further")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2e-3, help="largest learning rate")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Train one model as the command line says."""
    given = _arguments()
    torch.set_num_threads(given.threads)
    world = read_world(LIBRARY)
    plants = () if given.no_plants else read_plants(given.plants, world)
    pool = draw_or_read_pool(world, given.seed, given.work)
    rng = np.random.default_rng(given.seed)
    stream = batches(world, examples(world, plants, rng, given.batch), pool, rng)
    model = build_model(given.seed, given.start)
    reader = Reader(model.visual, sum(len(names) for names in world.names.values()))
    checkpoint = given.work / f"{given.out.name}.pt"
    train(
        model,
        reader,
        stream,
        steps=given.steps,
        rate=given.rate,
        checkpoint=checkpoint,
        reads=given.start is None,
    )
    save(model, given.out)


if __name__ == "__main__":
    main()
