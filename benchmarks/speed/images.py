"""Image towers by our kernels against open_clip as it comes, random weights, batches of 16."""

import statistics
from collections.abc import Callable
from typing import Any

import open_clip
import torch
from torch import Tensor

from benchmarks.speed.measure import Row, in_turn, row
from benchmarks.speed.peaks import limit
from probes.backends.fast_images import FastTower, fast_tower
from probes.backends.kernel_choice import centred_distance
from probes.backends.kernels import KERNELS, exact_kernel
from probes.backends.towers import taps_of

BATCH = 16
GOALS = {("RN50", "exact"): 1.7, ("RN50", "fast"): 4, ("ViT-B-32", "exact"): 2.3,
         ("ViT-B-32", "fast"): 4}  # fmt: skip


def measure(batch: int = BATCH, rounds: int = 3) -> list[Row]:
    """Time exact and fast towers of both architectures."""
    return [_row(name, mode, batch, rounds) for name, mode in GOALS]


def network(name: str) -> Any:
    """Build a network with random weights whose embeddings differ between pictures."""
    torch.manual_seed(0)
    return open_clip.create_model(name, load_weights=False).eval()


def waves(n: int, side: int) -> Tensor:
    """Return pictures as a tower takes them, plainly different from each other."""
    maker = torch.Generator().manual_seed(1)
    coarse = torch.randn(n, 3, 7, 7, generator=maker)
    return torch.nn.functional.interpolate(coarse, side, mode="bilinear") * 1.5


def tower_of(visual: Any, mode: str) -> tuple[str, FastTower]:
    """Name the kernel that the machine lets us use, and build it."""
    kernel = "bf16" if mode == "fast" else exact_kernel(visual, "cpu")
    copy = KERNELS[kernel](visual) if kernel in KERNELS else visual
    return kernel, fast_tower(visual, copy, taps_of(visual))


def _row(name: str, mode: str, n: int, rounds: int) -> Row:
    visual = network(name).visual
    kernel, tower = tower_of(visual, mode)
    side = visual.image_size
    batch = waves(n, int(side[0] if isinstance(side, tuple) else side))
    ours = _without_gradients(lambda: tower.embed(batch)[0].float())
    timed = in_turn(ours, lambda: visual(batch), rounds=rounds)
    distance = centred_distance(ours(), visual(batch).detach())
    return row(
        timed,
        path=f"{name}, {n} pictures, {mode} ({kernel})",
        against=f"open_clip {open_clip.__version__}, eager, with gradients",
        goal=GOALS[name, mode],
        limit=limit(name, n, statistics.median(timed.ours), halved=mode == "fast"),
        difference=f"centred cosine distance {distance:.1g}",
        note=NOTES[name, mode],
    )


def _without_gradients(work: Callable[[], Tensor]) -> Callable[[], Tensor]:
    def run() -> Tensor:
        with torch.inference_mode():
            return work()

    return run


ROOM = "kernels run near the peak of this processor's products, and torch's own is nearly as fast"
NOTES = {
    ("ViT-B-32", "exact"): f"{ROOM}. The goal comes from a processor where torch's product runs at "
    "half speed",
    ("ViT-B-32", "fast"): f"{ROOM}: bfloat16 has twice the speed of 32 bits",
    ("RN50", "exact"): ROOM,
    ("RN50", "fast"): f"{ROOM}: bfloat16 has twice the speed of 32 bits. Embeddings of random "
    "weights lie close together, so centring magnifies the distance",
}
