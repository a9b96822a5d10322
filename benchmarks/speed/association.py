"""Every unit with every concept: ours in matrix products, theirs pair by pair."""

import numpy as np
import scipy
import sklearn
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score

from benchmarks.speed.measure import Row, in_turn, row
from probes.association import associate
from probes.pair_scores import PairScores, pair_scores

CLUSTERS, UNITS, CONCEPTS = 2_000, 2_560, 100
PAIRS = 300
"""Pairs that the loops visit; their time is scaled up to all of them."""

Values = NDArray[np.float32]
Mask = NDArray[np.bool_]


def measure() -> list[Row]:
    """Time the scores alone, and the scores with all intervals, against the loops."""
    values, labels = planted(np.random.default_rng(0), (CLUSTERS, UNITS, CONCEPTS))
    pairs = some_pairs(np.random.default_rng(1), UNITS, CONCEPTS, PAIRS)
    share = PAIRS / (UNITS * CONCEPTS)
    difference = worst(pair_scores(values, labels), values, labels, pairs)
    note = f"loops over {PAIRS} pairs, scaled up to {UNITS * CONCEPTS:,}"
    against = f"loops of scikit-learn {sklearn.__version__} and scipy {scipy.__version__}"
    rows = [
        row(
            in_turn(work, lambda: looped(values, labels, pairs), rounds=3, warm=1, share=share),
            path=f"{what}: {CLUSTERS:,} x {UNITS:,} x {CONCEPTS}",
            against=against,
            goal=goal,
            difference=difference,
            note=note,
        )
        for what, goal, work in (
            ("AUROC, d, r, Welch", 500.0, lambda: pair_scores(values, labels)),
            (
                "the tables of an audit: AUROC with DeLong, average precision, r and d, with "
                "intervals",
                100.0,
                lambda: associate(values, labels),
            ),
        )
    ]
    return rows


def planted(rng: np.random.Generator, size: tuple[int, int, int]) -> tuple[Values, Mask]:
    """Draw correlated units that are often exactly 0, as after a ReLU, and labels."""
    n, units, concepts = size
    shared = rng.standard_normal((n, 20)) @ rng.standard_normal((20, units)) * 0.2
    values = np.maximum(rng.standard_normal((n, units)) + shared, 0)
    return values.astype(np.float32), rng.random((n, concepts)) < rng.uniform(0.02, 0.3, concepts)


def some_pairs(
    rng: np.random.Generator, units: int, concepts: int, n: int
) -> list[tuple[int, int]]:
    """Draw pairs of a unit and a concept."""
    drawn = rng.integers(0, units, n), rng.integers(0, concepts, n)
    return list(zip(*(side.tolist() for side in drawn), strict=True))


def looped(values: Values, labels: Mask, pairs: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Score one pair after the other; columns as the fields of `PairScores`."""
    found = []
    for unit, concept in pairs:
        response, shown = values[:, unit].astype(np.float64), labels[:, concept]
        here, there = response[shown], response[~shown]
        n = len(here), len(there)
        within = (n[0] - 1) * here.var(ddof=1) + (n[1] - 1) * there.var(ddof=1)
        found.append(
            (
                roc_auc_score(shown, response),
                (here.mean() - there.mean()) / np.sqrt(within / (sum(n) - 2)),
                stats.pointbiserialr(shown, response).statistic,
                stats.ttest_ind(here, there, equal_var=False).statistic,
            )
        )
    return np.array(found)


def worst(ours: PairScores, values: Values, labels: Mask, pairs: list[tuple[int, int]]) -> str:
    """Say how far ours lie from the loops at most."""
    at = tuple(np.array(side) for side in zip(*pairs, strict=True))
    gaps = np.abs(np.stack([score[at] for score in ours], 1) - looped(values, labels, pairs))
    return ", ".join(
        f"{name} {gap:.0e}" for name, gap in zip(ours._fields, gaps.max(axis=0), strict=True)
    )
