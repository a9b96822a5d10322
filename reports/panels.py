"""Geometry of charts of one unit: shares by band of activation, and distributions by group."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.results import Number
from reports.blocks import anchor
from reports.charts import AXIS_ROOM, WIDTH, Scale, Tick, shortened, ticks
from reports.quantities import defined, limit

PER_ROW = 3
"""Panels side by side."""

Y_ROOM = 44
"""Left of each row of panels, for the common axis."""

GAP = 14
SMALLEST = 0.01
"""Shares below it do not stretch an axis."""

PANEL_HEIGHT = {"steps": 92, "bars": 44}
TITLE_ROOM = 20
EDGE_ROOM = 22
"""Pixels that the label of one edge needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandShape:
    """One band: its place along the axis, its share and the interval of it."""

    start: float
    end: float
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelShape:
    """One small chart among others that share its axes."""

    title: str
    left: float
    right: float
    top: float
    bottom: float
    bands: tuple[BandShape, ...]
    reference: float | None
    """Place of the share among all stimuli."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    first: bool
    """Whether the panel begins a row, and so writes the numbers of the common axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelChart:
    """Small charts side by side over common axes."""

    id: str
    kind: str
    """``steps`` with intervals, or ``bars``."""

    title: str
    desc: str
    axis: str
    width: int
    height: int
    panels: tuple[PanelShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Shares of one thing in bands of activation, to be drawn as one panel."""

    title: str
    edges: tuple[float, ...]
    """Labelled places: between bands, or around all of them."""

    shares: tuple[Number, ...]
    low: tuple[Number, ...] = ()
    high: tuple[Number, ...] = ()
    overall: Number | None = None


def panel_chart(
    id: str, kind: str, title: str, desc: str, axis: str, drawn: Sequence[Steps]
) -> PanelChart:
    """Lay out shares by band, one panel for each of ``drawn``, over common axes.

    Parameters
    ----------
    kind : str
        ``steps``: lines with intervals; ``bars``: bars from 0.
    axis : str
        What the bands measure, with the unit.
    """
    columns = min(PER_ROW, len(drawn))
    width = (WIDTH - Y_ROOM - GAP * (columns - 1)) / columns
    step = TITLE_ROOM + PANEL_HEIGHT[kind] + 20
    top = _highest(drawn)
    rows = -(-len(drawn) // columns)
    panels = []
    for place, steps in enumerate(drawn):
        row, column = divmod(place, columns)
        left = round(Y_ROOM + column * (width + GAP), 1)
        upper = row * step + TITLE_ROOM
        across = Scale(low=0, high=len(steps.shares) or 1, start=left, end=round(left + width, 1))
        down = Scale(low=0, high=top, start=upper + PANEL_HEIGHT[kind], end=upper)
        panels.append(_panel(kind, steps, across, down, first=column == 0))
    return PanelChart(
        id=anchor(id),
        kind=kind,
        title=title,
        desc=desc,
        axis=axis,
        width=WIDTH,
        height=rows * step + AXIS_ROOM - 18,
        panels=tuple(panels),
    )


def _highest(drawn: Sequence[Steps]) -> float:
    values = [v for steps in drawn for v in (*steps.shares, *steps.high, steps.overall or 0.0)]
    highest = max((v for value in values if (v := defined(value)) is not None), default=0.0)
    return min(1.0, max(SMALLEST, 1.08 * highest))


def _panel(kind: str, steps: Steps, across: Scale, down: Scale, *, first: bool) -> PanelShape:
    room = across.end - across.start
    return PanelShape(
        title=shortened(steps.title, room),
        left=across.start,
        right=across.end,
        top=down.end,
        bottom=down.start,
        bands=tuple(_band(steps, place, across, down) for place in range(len(steps.shares))),
        reference=None if steps.overall is None else _at(down, steps.overall),
        x_ticks=_edges(steps, across) if kind == "steps" else _values(steps, across),
        y_ticks=ticks(down, percentages=True),
        first=first,
    )


def _band(steps: Steps, place: int, across: Scale, down: Scale) -> BandShape:
    return BandShape(
        start=across.at(place),
        end=across.at(place + 1),
        share=_at(down, steps.shares[place]),
        low=_at(down, steps.low[place]) if place < len(steps.low) else None,
        high=_at(down, steps.high[place]) if place < len(steps.high) else None,
    )


def _edges(steps: Steps, across: Scale) -> tuple[Tick, ...]:
    """Label edges; every second or third where there is no room for all."""
    offset = 1 if len(steps.edges) < len(steps.shares) else 0
    room = across.end - across.start
    every = max(1, -(-len(steps.edges) * EDGE_ROOM // max(1, int(room))))
    return tuple(
        Tick(at=across.at(place + offset), label=limit(edge))
        for place, edge in enumerate(steps.edges)
        if place % every == 0
    )


def _values(steps: Steps, across: Scale) -> tuple[Tick, ...]:
    """Label round values under bars that lie evenly between the outer edges."""
    if len(steps.edges) < 2 or steps.edges[0] >= steps.edges[-1]:
        return ()
    low, high = steps.edges[0], steps.edges[-1]
    return ticks(Scale(low=low, high=high, start=across.start, end=across.end))


def _at(scale: Scale, value: Number) -> float | None:
    known = defined(value)
    return None if known is None else scale.at(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Distribution in one group, to be drawn as one row."""

    label: str
    outer: tuple[Number, Number]
    inner: tuple[Number, Number]
    median: Number
    shown: str
    marked: bool
    """Whether a finding is about the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadShape:
    """One drawn distribution."""

    label: str
    y: float
    outer: tuple[float, float] | None
    inner: tuple[float, float] | None
    median: float | None
    shown: str
    marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadChart:
    """Distributions by group, one row each, over a common axis."""

    id: str
    title: str
    desc: str
    axis: str
    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    zero: float
    ticks: tuple[Tick, ...]
    rows: tuple[SpreadShape, ...]


SPREAD_HEIGHT = 16
LABEL_ROOM, SHOWN_ROOM = 150, 122


def spread_chart(
    id: str, title: str, desc: str, axis: str, spreads: Sequence[Spread]
) -> SpreadChart:
    """Lay out distributions as rows over a common axis that holds 0."""
    values = [v for s in spreads for v in (*s.outer, *s.inner, s.median)]
    known = [0.0, *(v for value in values if (v := defined(value)) is not None)]
    pad = 0.04 * (max(known) - min(known)) or 1.0
    scale = Scale(
        low=min(known) - pad, high=max(known) + pad, start=LABEL_ROOM, end=WIDTH - SHOWN_ROOM
    )
    top = 8
    bottom = top + SPREAD_HEIGHT * len(spreads)
    return SpreadChart(
        id=anchor(id),
        title=title,
        desc=desc,
        axis=axis,
        width=WIDTH,
        height=bottom + AXIS_ROOM,
        left=LABEL_ROOM,
        right=WIDTH - SHOWN_ROOM,
        top=top,
        bottom=bottom,
        zero=scale.at(0.0),
        ticks=ticks(scale),
        rows=tuple(
            _spread(spread, scale, top + SPREAD_HEIGHT * (place + 0.5))
            for place, spread in enumerate(spreads)
        ),
    )


def _spread(spread: Spread, scale: Scale, y: float) -> SpreadShape:
    return SpreadShape(
        label=shortened(spread.label, LABEL_ROOM - 12),
        y=round(y, 1),
        outer=_pair(spread.outer, scale),
        inner=_pair(spread.inner, scale),
        median=_at(scale, spread.median),
        shown=spread.shown,
        marked=spread.marked,
    )


def _pair(ends: tuple[Number, Number], scale: Scale) -> tuple[float, float] | None:
    low, high = (_at(scale, end) for end in ends)
    return None if low is None or high is None else (low, high)
