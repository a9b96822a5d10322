"""Family-wise p of all pairs by rearranged labels, against the bare matrix products."""

import numpy as np

from benchmarks.speed.association import planted
from benchmarks.speed.measure import Row, in_turn, row
from probes.max_t_pairs import max_t_pairs

CLUSTERS, UNITS, CONCEPTS, DRAWS = 2_000, 2_560, 100, 1_000
WIDE = 1_600
"""Columns of one bare product; wider ones are no faster."""


def measure() -> list[Row]:
    """Time the whole sweep, and as many bare products in 32 bits."""
    values, labels = planted(np.random.default_rng(0), (CLUSTERS, UNITS, CONCEPTS))
    left = np.ascontiguousarray(values.T)
    right = np.random.default_rng(1).standard_normal((CLUSTERS, WIDE)).astype(np.float32)
    operations = 2 * CLUSTERS * UNITS * CONCEPTS * DRAWS

    def ours() -> object:
        return max_t_pairs(values, labels, rng=np.random.default_rng(2), draws=DRAWS)

    def bare() -> None:
        # in between the sweeps, so that both meet the same weather
        for _ in range(CONCEPTS * DRAWS // WIDE // 4):
            left @ right

    share = (CONCEPTS * DRAWS // WIDE // 4) * WIDE / (CONCEPTS * DRAWS)
    timed = in_turn(ours, bare, rounds=3, warm=0, share=share)
    best = min(timed.theirs)
    return [
        row(
            timed,
            path=f"max-T, {DRAWS:,} permutations of {CLUSTERS:,} x {UNITS:,} x {CONCEPTS}",
            against="as many operations in bare 32-bit matrix products (numpy)",
            goal=0.8,
            limit=f"{operations / best / 1e9:.0f} GFLOP/s of bare products",
            difference="p equal but where 32 bits cannot tell two correlations apart (then larger)",
            note="bare products: a quarter of them, scaled up",
        )
    ]
