"""SoftWPMI of every unit and concept, against the loop over units of CLIP-Dissect."""

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.planted.methods.dissect import (
    FIRST,
    LAMBDA,
    LAST,
    LEAST,
    SHARPNESS,
    TOP,
    soft_wpmi,
)
from benchmarks.speed.measure import Row, in_turn, row

PICTURES, UNITS, CONCEPTS = 2_000, 2_560, 1_000

Array = NDArray[np.floating]


def measure() -> list[Row]:
    """Time both on the same responses and cosines, in 32 bits."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    responses = rng.standard_normal((PICTURES, UNITS)).astype(np.float32)
    cosines = rng.uniform(-0.1, 0.4, (PICTURES, CONCEPTS)).astype(np.float32)
    ours, theirs = soft_wpmi(responses, cosines), looped(responses, cosines)
    timed = in_turn(
        lambda: soft_wpmi(responses, cosines), lambda: looped(responses, cosines), rounds=3
    )
    same = np.mean(ours.argmax(axis=1) == theirs.argmax(axis=1))
    return [
        row(
            timed,
            path=f"soft-WPMI, {PICTURES:,} x {UNITS:,} x {CONCEPTS:,}, top {TOP}",
            against=f"loop over units as in CLIP-Dissect (torch {torch.__version__})",
            goal=10,
            difference=f"at most {np.abs(ours - theirs).max():.0e}; best concept equal for "
            f"{same:.2%} of units",
            note="the loop is written anew from the published formula, gather included. Factors in "
            "products and logs in 64 bits are bound by memory; a compiled loop (numba) would be "
            "needed for more, not worth a dependency for a method that audits do not run",
        )
    ]


def looped(responses: Array, cosines: Array, top: int = TOP) -> Array:
    """Return SoftWPMI unit by unit."""
    with torch.no_grad():
        shares = torch.softmax(SHARPNESS * torch.from_numpy(cosines), dim=1)
        strongest = torch.topk(torch.from_numpy(responses), dim=0, k=top)[1]
        weights = (FIRST - torch.arange(top) / top * (FIRST - LAST)).unsqueeze(1)
        found = []
        for unit in range(responses.shape[1]):
            rows = strongest[:, unit : unit + 1].expand(-1, shares.shape[1])
            likely = 1 + weights * (shares.gather(0, rows) - 1)
            found.append(torch.log(likely + LEAST).sum(dim=0, keepdim=True))
        explained = torch.cat(found)
        chance = torch.logsumexp(explained, dim=0, keepdim=True) - np.log(len(explained))
        return np.asarray((explained - LAMBDA * chance).numpy())
