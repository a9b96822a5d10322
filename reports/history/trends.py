"""Geometry of trend charts: effects with intervals over audits that share one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import anchor
from reports.charts import Marker, Scale, Tick, ticks

WIDTH, HEIGHT = 360, 176
LEFT, RIGHT, TOP, BOTTOM = 34, 350, 20, 136
EDGE = 14
"""Pixels that the first and the last audit keep from the frame."""

MOST_STOPS = 30
"""Audits that a chart has room for: the latest."""

LABEL = 76
"""Pixels that one date needs."""

MARKERS: dict[str, Marker] = {
    "found": "found",
    "not_found": "not_found",
    "insufficient": "insufficient",
    "described": "described",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One audit on the time axis."""

    label: str
    """Its date."""

    new_weights: bool
    """Whether its weights differ from those of the audit before."""

    new_plan: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An effect in one of the audits."""

    stop: int
    """Place of the audit on the axis."""

    verdict: str
    effect: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTick:
    """A date under the chart."""

    at: float
    label: str
    side: Literal["start", "middle", "end"]
    """From which side it is written, so that none leaves the chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A drawn effect."""

    value: float
    """Where it stands across; named as the markers of the reports have it."""

    y: float
    low: float | None
    high: float | None
    beyond_low: bool
    beyond_high: bool
    marker: Marker


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendChart:
    """One small chart of a trend."""

    id: str
    title: str
    desc: str
    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    zero: float
    x_ticks: tuple[DateTick, ...]
    y_ticks: tuple[Tick, ...]
    dots: tuple[Dot, ...]
    lines: tuple[tuple[tuple[float, float], ...], ...]
    """Runs of effects under one plan."""

    changes: tuple[float, ...]
    """Where the weights changed."""


def left_out(amount: int) -> str:
    """Say which audits the charts leave out; empty where they show all.

    Examples
    --------
    >>> left_out(40), left_out(3)
    ('The charts show the latest 30 of 40 audits.', '')
    """
    if amount <= MOST_STOPS:
        return ""
    return f"The charts show the latest {MOST_STOPS} of {amount} audits."


def effect_scale(measured: Sequence[Measured]) -> Scale:
    """Return the scale that charts of one page share, so that heights can be compared.

    It holds 0 and every effect; limits far outside are drawn as arrows.
    """
    values = [0.0, *(point.effect for point in measured)]
    ends = [v for point in measured for v in (point.low, point.high) if v is not None]
    inner_low, inner_high = min(values), max(values)
    room = 0.6 * (inner_high - inner_low) or 1.0
    low = max(min([inner_low, *ends]), inner_low - room)
    high = min(max([inner_high, *ends]), inner_high + room)
    pad = 0.06 * (high - low) or 1.0
    return Scale(low=low - pad, high=high + pad, start=BOTTOM, end=TOP)


def trend_chart(
    id: str,
    title: str,
    desc: str,
    stops: Sequence[Stop],
    measured: Sequence[Measured],
    down: Scale,
) -> TrendChart:
    """Lay out effects over audits.

    Parameters
    ----------
    stops : sequence of Stop
        Every audit of the axis, also those that did not ask.
    measured : sequence of Measured
        Effects, in the order of the audits.
    down : Scale
        From `effect_scale`, shared by the charts of a page.
    """
    across = _across(len(stops))
    return TrendChart(
        id=anchor(id),
        title=title,
        desc=desc,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        top=TOP,
        bottom=BOTTOM,
        zero=down.at(0.0),
        x_ticks=_dates(stops, across),
        y_ticks=ticks(down),
        dots=tuple(_dot(point, across, down) for point in measured),
        lines=tuple(_lines(stops, measured, across, down)),
        changes=tuple(across[n] for n, stop in enumerate(stops) if stop.new_weights),
    )


def _across(amount: int) -> tuple[float, ...]:
    """Return the place of each audit: one step apart, as plans and not clocks decide."""
    if amount == 1:
        return ((LEFT + RIGHT) / 2,)
    scale = Scale(low=0, high=amount - 1, start=LEFT + EDGE, end=RIGHT - EDGE)
    return tuple(scale.at(n) for n in range(amount))


def _dates(stops: Sequence[Stop], across: Sequence[float]) -> tuple[DateTick, ...]:
    """Label the last audit, and before it as many as have room."""
    chosen: list[DateTick] = []
    for stop, at in reversed(tuple(zip(stops, across, strict=True))):
        tick = DateTick(at=at, label=stop.label, side=_side(at))
        if not chosen or end_of(tick) <= start_of(chosen[-1]):
            chosen.append(tick)
    return tuple(reversed(chosen))


def start_of(tick: DateTick) -> float:
    """Return where the room of a date begins."""
    return tick.at - {"start": 0.0, "middle": 0.5, "end": 1.0}[tick.side] * LABEL


def end_of(tick: DateTick) -> float:
    """Return where the room of a date ends."""
    return start_of(tick) + LABEL


def _side(at: float) -> Literal["start", "middle", "end"]:
    if at < LEFT + LABEL / 2:
        return "start"
    return "end" if at > RIGHT - LABEL / 2 else "middle"


def _dot(point: Measured, across: Sequence[float], down: Scale) -> Dot:
    return Dot(
        value=across[point.stop],
        y=down.at(point.effect),
        low=None if point.low is None else down.at(point.low),
        high=None if point.high is None else down.at(point.high),
        beyond_low=point.low is not None and point.low < down.low,
        beyond_high=point.high is not None and point.high > down.high,
        marker=MARKERS.get(point.verdict, "plain"),
    )


def _lines(
    stops: Sequence[Stop], measured: Sequence[Measured], across: Sequence[float], down: Scale
) -> list[tuple[tuple[float, float], ...]]:
    """Join effects; a new plan asks another question, so the line breaks there."""
    runs: list[list[tuple[float, float]]] = [[]]
    before = -1
    for point in measured:
        if any(stop.new_plan for stop in stops[before + 1 : point.stop + 1]) and runs[-1]:
            runs.append([])
        runs[-1].append((across[point.stop], down.at(point.effect)))
        before = point.stop
    return [tuple(run) for run in runs if len(run) > 1]
