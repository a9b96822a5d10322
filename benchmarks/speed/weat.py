"""The exact p of an association test, against listing every arrangement."""

from itertools import chain, combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.measure import Row, in_turn, row, seconds
from probes.subset_sums import subset_p

LISTED, LARGEST, BEYOND = 12, 25, 60
LIMIT = 10.0
"""Seconds that the largest exact test may take."""

Floats = NDArray[np.float64]


def measure() -> list[Row]:
    """Time twelve a side against listing, twenty-five a side, and bounds beyond."""
    small, large = associations(LISTED), associations(LARGEST)
    p = float(subset_p(small[:, None], np.arange(2 * LISTED) < LISTED).p[0])
    found = listed(small, LISTED)
    times = in_turn(lambda: exact(small), lambda: listed(small, LISTED), rounds=3, warm=0)
    ceiling = [seconds(lambda: exact(large)) for _ in range(3)]
    bounds = subset_p(associations(BEYOND)[:, None], np.arange(2 * BEYOND) < BEYOND)
    beyond = seconds(lambda: exact(associations(BEYOND)))
    return [
        row(
            times,
            path=f"exact WEAT p, {LISTED} a side",
            against=f"listing {comb(2 * LISTED, LISTED):,} arrangements (numpy, in blocks)",
            goal=1_000,
            difference=f"p differs by {abs(p - found):.0e}",
        ),
        Row(
            path=f"exact WEAT p, {LARGEST} a side ({comb(2 * LARGEST, LARGEST):.1e} arrangements)",
            against=f"{LIMIT:g} seconds",
            goal=1.0,
            ratios=tuple(LIMIT / each for each in ceiling),
            ours=float(np.median(ceiling)),
            theirs=LIMIT,
            note=f"{BEYOND} a side between {bounds.low[0]:.6f} and {bounds.p[0]:.6f}"
            f" in {beyond:.2f} s",
        ),
    ]


def associations(m: int) -> Floats:
    """Draw how close targets lie to the attributes, X half a deviation higher."""
    drawn = np.random.default_rng(m).standard_normal(2 * m)
    drawn[:m] += 0.5
    return drawn


def exact(values: Floats) -> float:
    """Return the p of the first half being higher."""
    n = len(values)
    return float(subset_p(values[:, None], np.arange(n) < n // 2).p[0])


def listed(values: Floats, m: int, block: int = 50_000) -> float:
    """Return the same p from every choice of ``m``, some at a time."""
    everyone, hits = combinations(range(len(values)), m), 0
    bar = values[:m].sum() - 1e-9
    while chosen := list(islice(everyone, block)):
        rows = np.fromiter(chain.from_iterable(chosen), np.intp, m * len(chosen))
        hits += int((values[rows.reshape(-1, m)].sum(axis=1) >= bar).sum())
    return hits / comb(len(values), m)
