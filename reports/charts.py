"""Geometry of the charts: numbers in, places on a canvas out; templates only draw them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal
from unicodedata import east_asian_width

from audit.results import Number, QuantilePoint, RecallPoint
from reports.blocks import anchor
from reports.messages import _, ngettext
from reports.quantities import (
    defined,
    interval,
    limit,
    number,
    percent,
    percent_interval,
    undefined_word,
)

WIDTH = 640
"""Width of every wide chart, the type area of an A4 page in CSS pixels."""

LETTER = 5.7
"""Mean advance of a label letter in pixels, half that of a letter that fills a square, such as
Han ones: labels longer than their room are shortened."""

Marker = Literal["found", "not_found", "insufficient", "described", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps values to pixels along one axis."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value, held within the axis."""
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its limits, to be drawn as one row."""

    label: str
    value: Number
    low: Number
    high: Number
    shown: str
    """The numbers as printed at the end of the row."""

    marker: Marker = "plain"
    reference: float | None = None
    """A second place to compare with, drawn as a short upright stroke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShape:
    """One drawn row."""

    label: str
    y: float
    value: float | None
    low: float | None
    high: float | None
    beyond_low: bool
    beyond_high: bool
    shown: str
    marker: Marker
    reference: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChart:
    """Rows over one common axis: a forest plot, bars with intervals, or a strip of dots."""

    id: str
    kind: Literal["forest", "bars", "dots"]
    title: str
    desc: str
    axis: str
    """What the axis measures, with its unit and neutral value."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    zero: float | None
    """Place of the neutral value; None where every row has its own."""

    guides: tuple[Tick, ...]
    """Upright lines with a meaning, such as the limits of the plan."""

    ticks: tuple[Tick, ...]
    rows: tuple[RowShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One place in a square chart."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SquareChart:
    """Points over two axes: a QQ plot or a recall curve."""

    id: str
    kind: Literal["quantiles", "recall"]
    title: str
    desc: str
    x_axis: str
    y_axis: str
    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    points: tuple[Point, ...]
    guides: tuple[Tick, ...] = ()
    diagonal: tuple[float, float, float, float] | None = None


ROW_HEIGHT = {"forest": 18, "bars": 19, "dots": 15}
AXIS_ROOM = 40
SHOWN_ROOM = 128


def row_chart(
    id: str,
    kind: Literal["forest", "bars", "dots"],
    title: str,
    desc: str,
    axis: str,
    estimates: Sequence[Estimate],
    *,
    label_room: int = 250,
    guides: Sequence[tuple[float, str]] = (),
    percentages: bool = False,
    neutral: float | None = 0.0,
) -> RowChart:
    """Lay out estimates as rows over a common axis.

    Parameters
    ----------
    estimates : sequence of Estimate
        One per row, from top to bottom.
    guides : sequence of (value, label)
        Values that get an upright line, such as delta0 and delta1.
    percentages : bool
        Whether the axis shows shares; it then starts at 0.
    neutral : float or None
        Value that gets a strong line; None where the rows differ in it, as their references tell.
    """
    anchors = [] if neutral is None else [neutral]
    low, high = _domain(estimates, anchors, [value for value, _ in guides], percentages)
    scale = Scale(low=low, high=high, start=label_room, end=WIDTH - SHOWN_ROOM)
    top = 22 if guides else 8
    step = ROW_HEIGHT[kind]
    bottom = top + step * len(estimates)
    return RowChart(
        id=anchor(id),
        kind=kind,
        title=title,
        desc=desc,
        axis=axis,
        width=WIDTH,
        height=bottom + AXIS_ROOM,
        left=label_room,
        right=WIDTH - SHOWN_ROOM,
        top=top,
        bottom=bottom,
        zero=None if neutral is None else scale.at(neutral),
        guides=tuple(Tick(at=scale.at(value), label=label) for value, label in guides),
        ticks=ticks(scale, percentages),
        rows=tuple(
            _row(estimate, scale, top + step * (place + 0.5), label_room)
            for place, estimate in enumerate(estimates)
        ),
    )


def quantile_chart(id: str, title: str, points: Sequence[QuantilePoint]) -> SquareChart:
    """Lay out the QQ plot of the control packs: on the diagonal means as expected."""
    size, left, top = 300, 46, 10
    reach = 1.05 * max([2.0, *(abs(v) for p in points for v in (p.expected, p.observed))])
    across = Scale(low=-reach, high=reach, start=left, end=left + size - 60)
    down = Scale(low=-reach, high=reach, start=top + size - 60, end=top)
    return SquareChart(
        id=anchor(id),
        kind="quantiles",
        title=title,
        desc=ngettext(
            "{n} point; the diagonal is where the control packs would lie if they "
            "followed the t distribution.",
            "{n} points; the diagonal is where the control packs would lie if they "
            "followed the t distribution.",
            len(points),
        ),
        x_axis=_("expected T"),
        y_axis=_("observed T"),
        width=size,
        height=size,
        left=across.start,
        right=across.end,
        top=top,
        bottom=down.start,
        x_ticks=ticks(across),
        y_ticks=ticks(down),
        points=tuple(Point(x=across.at(p.expected), y=down.at(p.observed)) for p in points),
        diagonal=(across.start, down.start, across.end, down.end),
    )


def recall_chart(
    id: str, title: str, points: Sequence[RecallPoint], delta1: float, needed: float = 0.8
) -> SquareChart:
    """Lay out how often plants of growing strength were found."""
    size, left, top = 300, 46, 10
    reach = max([delta1 * 1.1, *(point.effect_sd for point in points)])
    across = Scale(low=0, high=reach, start=left, end=left + size - 60)
    down = Scale(low=0, high=1, start=top + size - 60, end=top)
    shares = [(p.effect_sd, p.found / p.planted, *wilson(p.found, p.planted)) for p in points]
    return SquareChart(
        id=anchor(id),
        kind="recall",
        title=title,
        desc=ngettext(
            "{n} strength; delta1 is {delta1} control standard deviations.",
            "{n} strengths; delta1 is {delta1} control standard deviations.",
            len(points),
            delta1=limit(delta1),
        ),
        x_axis=_("strength of the plant, control SD"),
        y_axis=_("share found"),
        width=size,
        height=size,
        left=across.start,
        right=across.end,
        top=top,
        bottom=down.start,
        x_ticks=ticks(across),
        y_ticks=tuple(
            Tick(at=down.at(v), label=percent(v, 0)) for v in (0.0, 0.25, 0.5, 0.75, 1.0)
        ),
        points=tuple(
            Point(x=across.at(x), y=down.at(y), low=down.at(low), high=down.at(high))
            for x, y, low, high in shares
        ),
        guides=(
            Tick(at=across.at(delta1), label=f"δ₁ = {limit(delta1)}"),
            Tick(at=down.at(needed), label=percent(needed, 0)),
        ),
    )


def wilson(found: int, tried: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % Wilson limits of a share.

    Examples
    --------
    >>> [round(limit, 3) for limit in wilson(8, 10)]
    [0.49, 0.943]
    """
    share, spread = found / tried, z * z / tried
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / tried + spread / (4 * tried)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def shortened(label: str, room: float) -> str:
    """Cut a label to what fits; the table beside the chart has it in full.

    Examples
    --------
    >>> shortened("a very long name indeed", 60)
    'a very lo…'
    """
    letters = max(1, int(room / LETTER))
    ends = list(accumulate(2 if east_asian_width(letter) in "WF" else 1 for letter in label))
    if not ends or ends[-1] <= letters:
        return label
    return label[: sum(end < letters for end in ends)].rstrip() + "…"


def thinned(points: Sequence[QuantilePoint], most: int = 120) -> tuple[QuantilePoint, ...]:
    """Keep the ends of a long QQ plot and an even choice between them."""
    if len(points) <= most:
        return tuple(points)
    ends = most // 4
    middle = points[ends:-ends]
    step = len(middle) / (most - 2 * ends)
    chosen = [middle[int(place * step)] for place in range(most - 2 * ends)]
    return (*points[:ends], *chosen, *points[-ends:])


def with_range(value: str, limits: str) -> str:
    """Write a value with its limits."""
    return _("{value} ({limits})", value=value, limits=limits)


def estimate_in_sd(
    label: str, value: Number, low: Number, high: Number, marker: Marker = "plain"
) -> Estimate:
    """Describe an effect in control standard deviations."""
    known = defined(value) is not None
    shown = with_range(number(value), interval(low, high)) if known else undefined_word()
    return Estimate(label=label, value=value, low=low, high=high, shown=shown, marker=marker)


def estimate_of_rate(
    label: str, rate: Number, low: Number, high: Number, others: float | None
) -> Estimate:
    """Describe a share with its interval, beside the share of everybody else."""
    shown = with_range(percent(rate), percent_interval(low, high))
    return Estimate(label=label, value=rate, low=low, high=high, shown=shown, reference=others)


def _domain(
    estimates: Sequence[Estimate],
    anchors: Sequence[float],
    guides: Sequence[float],
    percentages: bool,
) -> tuple[float, float]:
    """Cover values and guides; limits far outside are drawn as arrows."""
    values = [*anchors, *(v for e in estimates if (v := defined(e.value)) is not None)]
    values += [e.reference for e in estimates if e.reference is not None]
    limits = [v for e in estimates for v in (defined(e.low), defined(e.high)) if v is not None]
    inner_low, inner_high = min(values, default=0.0), max([*values, *guides], default=0.0)
    room = 0.6 * (inner_high - inner_low) or 1.0
    low = max(min([inner_low, *limits]), inner_low - room)
    high = min(max([inner_high, *limits]), inner_high + room)
    if percentages:
        return 0.0, min(1.0, high * 1.05) or 1.0
    pad = 0.04 * (high - low) or 1.0
    return low - pad, high + pad


def ticks(scale: Scale, percentages: bool = False) -> tuple[Tick, ...]:
    """Choose about five round values along an axis."""
    span = scale.high - scale.low
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(scale.low / step - 1e-9)
    last = math.floor(scale.high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step * (100 if percentages else 1)) + 1e-9))
    values = [place * step for place in range(first, last + 1)]
    return tuple(
        Tick(at=scale.at(v), label=percent(v, digits) if percentages else number(v, digits))
        for v in values
    )


def _row(estimate: Estimate, scale: Scale, y: float, label_room: float) -> RowShape:
    value, low, high = (defined(v) for v in (estimate.value, estimate.low, estimate.high))
    return RowShape(
        label=shortened(estimate.label, label_room - 12),
        y=round(y, 1),
        value=None if value is None else scale.at(value),
        low=None if low is None else scale.at(low),
        high=None if high is None else scale.at(high),
        beyond_low=low is not None and low < scale.low,
        beyond_high=high is not None and high > scale.high,
        shown=estimate.shown,
        marker=estimate.marker,
        reference=None if estimate.reference is None else scale.at(estimate.reference),
    )
