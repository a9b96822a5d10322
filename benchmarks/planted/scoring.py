"""From flags and scores to recall, precision, false alarms and power: pure, with intervals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from probes.bootstrap import MIN_RESAMPLED, cluster_bootstrap
from probes.errors import MeasureError
from probes.intervals import Interval, t_interval, wilson
from probes.ranks import average_precision as precision_of_places
from probes.ranks import places

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

FIRST = 3
"""Among so many first units the planted one must be."""

POWER = 0.8
NORMAL = 1.959964
STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one method said of one world, beside the truth."""

    method: str
    world: str
    setting: str
    """Worlds of one kind, that are counted together."""

    seed: int
    """Worlds of one seed are one draw, whatever their strengths."""

    strength: float
    """Of a twin, that of its planted partner."""

    twin: bool
    pairs: tuple[tuple[str, str], ...]
    values: tuple[float | None, ...]
    """One for each pair; None where the method cannot say."""

    flagged: tuple[bool, ...]
    planted: tuple[bool, ...]
    places: tuple[int, ...] = ()
    """Place of the planted unit of each link that has one; empty where units are not ranked."""

    note: str = ""

    def __post_init__(self) -> None:
        sizes = {len(self.pairs), len(self.values), len(self.flagged), len(self.planted)}
        if len(sizes) != 1 or (self.twin and any(self.planted)):
            raise MeasureError(
                f"{self.method} on {self.world} must have one score, flag and truth for each pair, "
                "and a twin must have no planted pair."
            )

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def from_json(row: Mapping[str, Any]) -> Result:
    """Read what `Result.as_json` wrote."""
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    pairs = tuple((str(group), str(harm)) for group, harm in row["pairs"])
    return Result(**{**row, **lists, "pairs": pairs})


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A count with Wilson's interval; NaN where there is nothing to count."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        """Hits over n."""
        return self.hits / self.n if self.n else float("nan")

    @property
    def interval(self) -> Interval:
        """Of 95 %; supposes that what is counted is independent."""
        if not self.n:
            return Interval(np.array(np.nan), np.array(np.nan))
        return wilson(self.hits, self.n)


def _count(hits: Iterable[bool]) -> Share:
    listed = list(hits)
    return Share(hits=sum(map(bool, listed)), n=len(listed))


def recall(results: Sequence[Result]) -> Share:
    """Count the planted links that were flagged, at the method's nominal 5 % over each world."""
    return _count(f for r in results for f, p in zip(r.flagged, r.planted, strict=True) if p)


def first_places(results: Sequence[Result]) -> Share:
    """Count the planted units among the first `FIRST`, of links that a unit carries."""
    return _count(place <= FIRST for r in results for place in r.places)


def false_alarms(results: Sequence[Result]) -> Share:
    """Count the twins in which anything was flagged: the family-wise error."""
    return _count(any(r.flagged) for r in results if r.twin)


def listed_alarms(results: Sequence[Result]) -> list[tuple[str, tuple[str, str]]]:
    """Name world and pair of everything that was flagged in twins, to be looked at one by one."""
    twins = [r for r in results if r.twin]
    return [(r.world, pair) for r in twins for pair, f in zip(r.pairs, r.flagged, strict=True) if f]


def average_precision(result: Result) -> float:
    """Return how far the planted links stand above the other contrasts of a world.

    Returns
    -------
    float
        1: all of them first. Ties share the worst place, and a method that cannot say of a pair
        puts it last. NaN where nothing is planted.

    Examples
    --------
    >>> made = Result(method="m", world="w", setting="s", seed=0, strength=1, twin=False,
    ...     pairs=(("g", "a"), ("g", "b"), ("g", "c")), values=(0.1, 0.9, None),
    ...     flagged=(False,) * 3, planted=(True, False, False))
    >>> average_precision(made)
    0.5
    """
    values = [-np.inf if v is None or np.isnan(v) else v for v in result.values]
    # Only the order matters; places round to 32 bits, which may tie scores that differ.
    order = np.unique(values, return_inverse=True)[1].astype(np.float64)
    shown = places(order[None]).pick(np.array(result.planted, dtype=np.bool_))
    return float(precision_of_places(shown)[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Mean of paired differences, with an interval of 95 % over seeds."""

    value: float
    low: float
    high: float
    seeds: int


def paired_difference(
    ours: Sequence[Result], theirs: Sequence[Result], rng: np.random.Generator, *, draws: int = 1999
) -> Difference:
    """Compare average precision on the planted worlds that both methods scored.

    Parameters
    ----------
    ours, theirs : sequence of Result
        Of one method each.
    rng : numpy.random.Generator
    draws : int

    Returns
    -------
    Difference
        Positive: ours is ahead. Worlds are averaged within their seed first. From
        `probes.bootstrap.MIN_RESAMPLED` seeds the interval is a bootstrap over seeds
        (bias-corrected and accelerated), below that Student's t; NaN where neither can be had.
    """
    known = {r.world: average_precision(r) for r in theirs if any(r.planted)}
    by_seed: dict[int, list[float]] = defaultdict(list)
    for r in ours:
        if any(r.planted) and r.world in known:
            by_seed[r.seed].append(average_precision(r) - known[r.world])
    gaps = np.array([np.mean(each) for _, each in sorted(by_seed.items())])
    if not len(gaps):
        return Difference(value=np.nan, low=np.nan, high=np.nan, seeds=0)
    low, high = _mean_interval(gaps, rng, draws)
    return Difference(value=float(gaps.mean()), low=low, high=high, seeds=len(gaps))


def _mean_interval(values: Array, rng: np.random.Generator, draws: int) -> tuple[float, float]:
    if np.ptp(values) == 0:
        return float("nan"), float("nan")
    if len(values) < MIN_RESAMPLED:
        ends = t_interval(values)
    else:
        ends = cluster_bootstrap(
            lambda index: values[index].mean(), len(values), rng=rng, draws=draws
        )
    return float(ends.low), float(ends.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """The strength that is found with 80 % probability, and the curve it is read from."""

    value: float
    """-inf: all that were tried are found more often; inf: none is; NaN: the curve falls through
    80 %, or one strength only was tried."""

    low: float
    high: float
    slope: float
    intercept: float

    def at(self, strength: float) -> float:
        """Return the fitted probability of being found."""
        return float(special.expit(self.intercept + self.slope * strength))


def power_over(strengths: Sequence[float], found: Sequence[bool], *, power: float = POWER) -> Power:
    """Fit a logistic curve to what was found, and read off the smallest strength.

    Parameters
    ----------
    strengths : sequence of float
        Of every planted link; also an effect that training really produced.
    found : sequence of bool
    power : float

    Returns
    -------
    Power
        The fit is Firth's, which exists even where everything above some strength is found and
        nothing below. The interval is Fieller's at 95 % and supposes that links are independent.
        Ends beyond the strengths that were tried are infinite: the curve is not stretched.

    References
    ----------
    Firth (1993), Biometrika 80, 27-38; Fieller (1954), JRSS B 16, 175-185.

    Examples
    --------
    >>> fit = power_over([1.0] * 10 + [2.0] * 10, [False] * 8 + [True] * 2 + [True] * 10)
    >>> round(fit.value, 2)
    1.6
    """
    x, y = np.asarray(strengths, dtype=np.float64), np.asarray(found, dtype=np.float64)
    if len(np.unique(x)) < 2:
        nothing = float("nan")
        return Power(value=nothing, low=nothing, high=nothing, slope=nothing, intercept=nothing)
    centre, scale = x.mean(), x.std()
    line, cover = _firth((x - centre) / scale, y)
    wanted = special.logit(power)
    value, low, high = (
        _within(centre + scale * end, x) for end in _fieller(line, cover, float(wanted))
    )
    slope = line[1] / scale
    if slope <= 0:
        ends = np.array([x.min(), x.max()])
        value = _without_rise(line[0] + slope * (ends - centre), float(wanted))
    return Power(
        value=float(value),
        low=low,
        high=high,
        slope=float(slope),
        intercept=float(line[0] - slope * centre),
    )


def _without_rise(heights: Array, wanted: float) -> float:
    """Return what a flat or falling line says, from its heights at both ends."""
    if (heights >= wanted).all():
        return float("-inf")
    return float("inf") if (heights < wanted).all() else float("nan")


def _within(end: float, tried: Array) -> float:
    if end < tried.min():
        return float("-inf")
    return float("inf") if end > tried.max() else float(end)


def _firth(x: Array, y: Array) -> tuple[Array, Array]:
    """Return intercept and slope with Jeffreys' prior, and their covariance."""
    design = np.column_stack([np.ones_like(x), x])
    line = np.zeros(2)
    for _ in range(STEPS):
        p = special.expit(design @ line)
        weight = p * (1 - p)
        cover = np.linalg.inv(design.T @ (weight[:, None] * design))
        leverage = weight * np.einsum("ij,jk,ik->i", design, cover, design)
        step = cover @ (design.T @ (y - p + leverage * (0.5 - p)))
        line = line + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    return line, cover


def _fieller(line: Array, cover: Array, wanted: float) -> tuple[float, float, float]:
    """Return where the line reaches a height, and the interval of that place."""
    height, slope = line[0] - wanted, line[1]
    value = -height / slope if slope > 0 else float("nan")
    square = slope**2 - NORMAL**2 * cover[1, 1]
    middle = height * slope - NORMAL**2 * cover[0, 1]
    rest = height**2 - NORMAL**2 * cover[0, 0]
    inside = middle**2 - square * rest
    if square <= 0 or slope <= 0 or inside < 0:
        return float(value), float("-inf"), float("inf")
    reach = np.sqrt(inside)
    return float(value), float((-middle - reach) / square), float((-middle + reach) / square)


def power_of(results: Sequence[Result]) -> Power:
    """Fit `power_over` to the planted links of one method."""
    links = [
        (r.strength, f)
        for r in results
        for f, planted in zip(r.flagged, r.planted, strict=True)
        if planted
    ]
    return power_over([strength for strength, _ in links], [found for _, found in links])


def by_method(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Gather results of each method, in order of first appearance."""
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        found[result.method].append(result)
    return dict(found)


def by_strength(results: Iterable[Result]) -> dict[float, list[Result]]:
    """Gather results of planted worlds by strength, weakest first."""
    found: dict[float, list[Result]] = defaultdict(list)
    for result in results:
        if not result.twin:
            found[result.strength].append(result)
    return dict(sorted(found.items()))
