"""How many operations a second this core can do at most: the limit that kernels run into."""

from collections.abc import Callable
from functools import cache

import torch

from benchmarks.speed.measure import seconds
from probes.backends.kernels import direct_linear

SIDE = 2_048
ROUNDS = 9

GFLOP = {"RN50": 12.2, "ViT-B-32": 8.8}
"""Operations for one picture; open_clip's docs/model_profile.csv, a product and a sum being two."""


@cache
def peaks() -> dict[str, float]:
    """Measure the best of square products: by torch, by oneDNN, in bfloat16; GFLOP/s."""
    left, bias = torch.randn(SIDE, SIDE), torch.zeros(SIDE)
    half = left.bfloat16()
    ways: dict[str, Callable[[], object]] = {
        "torch": lambda: left @ left,
        "onednn": lambda: direct_linear(left, left, bias),
        "bf16": lambda: half @ half,
    }
    return {name: _best(work) for name, work in ways.items()}


def _best(work: Callable[[], object]) -> float:
    work()
    return 2 * SIDE**3 / min(seconds(work) for _ in range(ROUNDS)) / 1e9


def limit(name: str, n: int, ours: float, *, halved: bool) -> str:
    """Say how near a tower comes to the peak of its kind of product.

    Parameters
    ----------
    name : str
        Of the architecture, in `GFLOP`.
    n : int
        Pictures of one pass.
    ours : float
        Seconds of it.
    halved : bool
        Whether weights are bfloat16.
    """
    found = peaks()
    best = found["bf16"] if halved else max(found["torch"], found["onednn"])
    return (
        f"{GFLOP[name] * n / ours:.0f} GFLOP/s; products reach {best:.0f} "
        f"(torch's own in 32 bits {found['torch']:.0f})"
    )
