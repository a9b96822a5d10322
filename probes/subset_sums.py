"""The p of a difference of means over every way of choosing a side: exact, or between bounds.

The difference rises with the sum of the chosen values, so that p is a share of subset sums. Up to
about 50 values they are all counted by meeting in the middle: the sums of the subsets of each half
are sorted, and pairs of them counted. Beyond, values are put on a grid and subsets counted by
their whole-number sums; what the grid loses is bounded, and p with it. Nothing is drawn at random.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError
from probes.permutation import TIE, Alternative, check_clusters

MOST_CELLS = 2**18
"""Cells of the grid at most; one row of them is held for each size of a subset."""

_FINE = 2**50
"""Steps between the smallest and the largest value in exact sums; far below the tolerance."""

_QUERIES_AT_ONCE = 1_000_000

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Sample = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Tails = Callable[[Floats, int, float, bool], tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long a p may take."""

    exact_sums: int
    """Sums of half subsets, over all outcomes, up to which all are counted; 0 counts none."""

    grid_work: int
    """Additions on the grid for one outcome at most; more of them make the bounds narrower."""


THOROUGH = Effort(exact_sums=2**26, grid_work=1_000_000_000)
"""One test: exact to 25 a side, in some seconds and half a gigabyte."""

BRISK = Effort(exact_sums=2**20, grid_work=100_000_000)
"""Hundreds of tests, as in an audit: a tenth of a second each, exact to some 19 a side."""


class SumP(NamedTuple):
    """What the subset sums say of several outcomes with the same labels."""

    p: Floats
    """Shape (n_outcomes,); where bounded the upper end, so that p is never too small."""

    low: Floats
    """Lower end; ``p`` where exact."""

    certainty: Literal["", "exact", "bounded"]


def subset_p(
    values: Sample,
    shown: Mask,
    *,
    alternative: Alternative = "greater",
    effort: Effort = THOROUGH,
) -> SumP:
    """Return the p of a difference of means among all ways of choosing as many clusters.

    Parameters
    ----------
    values : ndarray of shape (n_clusters, n_outcomes)
    shown : bool ndarray of shape (n_clusters,)
    alternative : {"greater", "less", "two-sided"}
        "greater": those with the label are higher.
    effort : Effort
        Up to where p is exact, and how narrow its bounds are beyond.

    Returns
    -------
    SumP
        Ties within ``probes.permutation.TIE`` count as extreme. NaN where a side is empty.

    Raises
    ------
    MeasureError
        If shapes disagree, or a value is not finite.

    References
    ----------
    Horowitz & Sahni (1974), Journal of the ACM 21, 277-292, for the two halves; Pagano & Tritchler
    (1983), Journal of the American Statistical Association 78, 435-440, for the grid.

    Examples
    --------
    >>> subset_p(np.array([[5.0], [6.0], [7.0], [1.0], [2.0], [3.0]]), np.arange(6) < 3)
    SumP(p=array([0.05]), low=array([0.05]), certainty='exact')
    """
    check_clusters(values, shown)
    n, k = len(shown), int(shown.sum())
    if not 0 < k < n:
        undefined = np.full(values.shape[1], np.nan)
        return SumP(undefined, undefined, "")
    exact = half_sums(n, k) * values.shape[1] <= effort.exact_sums
    ways = _exact_tails if exact else partial(_grid_tails, work=effort.grid_work)
    bounds = [_bounds(column, shown, alternative, ways) for column in values.T]
    low, high = np.reshape(np.array(bounds, dtype=np.float64), (-1, 2)).T
    return SumP(high, low, "exact" if exact else "bounded")


def half_sums(n: int, k: int) -> int:
    """Return how many sums of half subsets settle how ``k`` of ``n`` can be chosen.

    Examples
    --------
    >>> half_sums(50, 25) == 2 * 2**25
    True
    """
    half, rest = n // 2, n - n // 2
    return sum(math.comb(half, j) + math.comb(rest, k - j) for j in _sizes(n, k))


def _bounds(
    values: Sample, shown: Mask, alternative: Alternative, ways: Tails
) -> tuple[float, float]:
    """Return the smallest and the largest p that can be meant."""
    if alternative not in ("two-sided", "greater", "less"):
        raise MeasureError(
            f'An alternative must be "two-sided", "greater" or "less"; got {alternative!r}.'
        )
    centred = values.astype(np.float64) - values.mean(dtype=np.float64)
    sign = -1.0 if alternative == "less" else 1.0
    both = alternative == "two-sided"
    # the complement of a subset of a centred set has minus its sum: choose the smaller side
    if 2 * shown.sum() > len(shown):
        shown, sign = ~shown, -sign
    centred, k = sign * centred, int(shown.sum())
    observed = float(centred[shown].sum())
    spread = np.ptp(centred) * k * (len(shown) - k) / len(shown)
    limit = (abs(observed) if both else observed) - max(TIE * abs(observed), 1e-12 * spread)
    if both and limit <= 0:
        return 1.0, 1.0
    low, high = ways(centred, k, limit, both)
    return min(low, 1.0), min(high, 1.0)


def _exact_tails(values: Floats, k: int, limit: float, both: bool) -> tuple[float, float]:
    """Share of the subsets of ``k`` whose sum reaches the limit (or minus it), twice."""
    step = max(float(np.ptp(values)) / _FINE, float(np.finfo(np.float64).tiny))
    whole, bar = np.rint(values / step).astype(np.int64), math.ceil(limit / step)
    n = len(values)
    first, second = _Half(whole[: n // 2], k), _Half(whole[n // 2 :], k)
    hits = 0
    for j in _sizes(n, k):
        ours, theirs = first.sums(j), second.sums(k - j)
        hits += _pairs_from(ours, theirs, bar)
        if both:
            hits += _pairs_from(-ours[::-1], -theirs[::-1], bar)
    share = max(hits, 1) / math.comb(n, k)
    return share, share


class _Half:
    """Sums of the subsets of a few whole numbers, by size; of ``most`` numbers at most."""

    def __init__(self, numbers: Whole, most: int) -> None:
        self.n, self.total = len(numbers), int(numbers.sum())
        sizes = min(self.n // 2, most) + 1
        sums = [np.zeros(1, dtype=np.int64)]
        for number in numbers:
            longer = [np.concatenate([with_j, fewer + number]) for fewer, with_j in pairwise(sums)]
            sums = [sums[0], *longer, sums[-1] + number][:sizes]
        for of_size in sums:
            of_size.sort()
        self.smaller = sums

    def sums(self, size: int) -> Whole:
        """Return the sums of the subsets of a size, in rising order."""
        if size < len(self.smaller):
            return self.smaller[size]
        left_out = self.smaller[self.n - size]
        return np.asarray(self.total - left_out[::-1], dtype=np.int64)


def _pairs_from(ours: Whole, theirs: Whole, bar: int) -> int:
    """Count the pairs, one of each, whose sum is at least the bar; both rise."""
    many, few = (ours, theirs) if len(ours) >= len(theirs) else (theirs, ours)
    count = len(many) * len(few)
    for first in range(0, len(few), _QUERIES_AT_ONCE):
        # rising queries walk through the sums in order, which the cache rewards
        wanted = bar - few[first : first + _QUERIES_AT_ONCE][::-1]
        count -= int(np.searchsorted(many, wanted).sum())
    return count


def _grid_tails(
    values: Floats, k: int, limit: float, both: bool, *, work: int
) -> tuple[float, float]:
    """Bounds of the share of the subsets of ``k`` whose sum reaches the limit (or minus it)."""
    cells = min(max(1_000, work // (len(values) * k)), MOST_CELLS)
    rising = np.sort(values)
    reach = float(rising[-k:].sum() - rising[:k].sum())
    step = reach / cells
    if not step > 0:
        return 1.0, 1.0
    whole = np.rint((rising - rising[0]) / step).astype(np.int64)
    lost = np.sort(rising - rising[0] - whole * step)
    least, most = float(lost[:k].sum()), float(lost[-k:].sum())
    counts, origin = _counts(whole, k), k * float(rising[0])
    # adding positive numbers loses at most a half unit in the last place at each of n + 64 steps
    rounding = (len(values) + 64) * float(np.finfo(np.float64).eps)
    total = math.comb(len(values), k)
    low = _from(counts, (limit - origin - least) / step, upwards=True)
    high = _from(counts, (limit - origin - most) / step, upwards=True)
    if both:
        low += _from(counts, (-limit - origin - most) / step, upwards=False)
        high += _from(counts, (-limit - origin - least) / step, upwards=False)
    shares = low / total * (1 - rounding), high / total * (1 + rounding)
    return max(shares[0], 1 / total), max(shares[1], 1 / total)


def _counts(whole: Whole, k: int) -> Floats:
    """Subsets of ``k`` by their sum, from 0 to the largest; the numbers rise from 0."""
    n, largest = len(whole), int(whole[-k:].sum())
    # a row of its own for each size: an addition then never reads what it writes
    ways = [np.zeros(largest + 1) for _ in range(k + 1)]
    ways[0][0] = 1.0
    upto = np.concatenate([[0], np.cumsum(whole)])
    for place, number in enumerate(whole.tolist()):
        # sizes that can still become k, and sums that so few of the numbers so far can have
        for size in range(min(place + 1, k), max(0, k - (n - place - 1) - 1), -1):
            end = int(upto[place] - upto[place - size + 1]) + 1
            ways[size][number : number + end] += ways[size - 1][:end]
    return ways[k]


def _from(counts: Floats, bar: float, *, upwards: bool) -> float:
    """Add the counts of sums that are at least, or at most, the bar."""
    # a bar that rounding puts just beside a cell must not move it to the wrong side
    slack = 1e-9 * max(1.0, abs(bar))
    if upwards:
        return float(counts[max(0, math.ceil(bar - slack)) :].sum())
    last = math.floor(bar + slack)
    return float(counts[: last + 1].sum()) if last >= 0 else 0.0


def _sizes(n: int, k: int) -> Iterator[int]:
    """How many of ``k`` the first half can have."""
    return iter(range(max(0, k - (n - n // 2)), min(n // 2, k) + 1))
