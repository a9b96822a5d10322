"""Geometry of harm against benign accuracy: one curve for each treatment."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.results import BenignRecord, EffectRecord, MitigationRecord, Number, PointRecord
from reports.charts import WIDTH, Scale, Tick, ticks
from reports.mitigation_words import SHOWN, TREATMENTS, accuracy, headline, largest
from reports.quantities import defined, limit

SHAPES = {"mean-ablate": "diamond", "project": "circle", "balanced-prompts": "square"}
"""Every treatment has a shape of its own, so that none rests on colour."""

DASHES = {"mean-ablate": "", "project": "7 4", "balanced-prompts": "2 4"}
INKS = {"mean-ablate": "found", "project": "plain", "balanced-prompts": "unsure"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One state in the chart."""

    x: float
    y: float
    left: float | None
    right: float | None
    upper: float | None
    lower: float | None
    label: str
    dominated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One treatment from strength 0 on."""

    name: str
    shape: str
    dash: str
    ink: str
    path: str
    dots: tuple[Dot, ...]
    legend_x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeChart:
    """Harm against benign accuracy."""

    id: str
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
    start: Dot | None
    curves: tuple[Curve, ...]


LEFT, TOP, SIDE, LEGEND = 54.0, 34.0, 330.0, 12.0


def trade_chart(record: MitigationRecord) -> TradeChart | None:
    """Lay out benign accuracy to the right and the largest held-out effect upwards."""
    states = [record.baseline, *record.points]
    placed = [(p, largest(p), accuracy(p, record.benign_axis)) for p in states]
    known = [(p, e, b) for p, e, b in placed if e is not None and b is not None]
    if len(known) < 2 or known[0][0] is not record.baseline:
        return None
    across = _scale([(b.value, b.low, b.high) for _, _, b in known], LEFT, WIDTH - 24.0)
    down = _scale(
        [(e.held_out_sd, e.held_out_low_sd, e.held_out_high_sd) for _, e, _ in known] + [(0.0,)],
        TOP + SIDE,
        TOP,
    )
    dots = {p.name: _dot(p, e, b, across, down) for p, e, b in known}
    start = dots[record.baseline.name]
    names = list(dict.fromkeys(p.treatment for p in record.points))
    curves = [_curve(record, name, dots, start, i) for i, name in enumerate(names)]
    return TradeChart(
        id="trade",
        title="Measured effect against benign accuracy",
        desc=(
            f"{len(dots)} states. Down and to the right is better. The table below holds every "
            f"number. {headline(record)}."
        ),
        x_axis=f"share told apart, {SHOWN[record.benign_axis]}",
        y_axis="largest held-out effect, control SD",
        width=WIDTH,
        height=int(TOP + SIDE + 44),
        left=LEFT,
        right=WIDTH - 24.0,
        top=TOP,
        bottom=TOP + SIDE,
        x_ticks=ticks(across, percentages=True),
        y_ticks=ticks(down),
        start=start,
        curves=tuple(curve for curve in curves if curve.dots),
    )


def _scale(values: Sequence[Sequence[Number]], start: float, end: float) -> Scale:
    found = [v for entry in values for one in entry if (v := defined(one)) is not None]
    low, high = min(found), max(found)
    pad = 0.05 * (high - low) or 0.05
    return Scale(low=low - pad, high=high + pad, start=start, end=end)


def _dot(
    point: PointRecord, effect: EffectRecord, benign: BenignRecord, across: Scale, down: Scale
) -> Dot:
    def at(scale: Scale, value: Number) -> float | None:
        found = defined(value)
        return None if found is None else scale.at(found)

    return Dot(
        x=at(across, benign.value) or 0.0,
        y=at(down, effect.held_out_sd) or 0.0,
        left=at(across, benign.low),
        right=at(across, benign.high),
        upper=at(down, effect.held_out_high_sd),
        lower=at(down, effect.held_out_low_sd),
        label=limit(point.strength),
        dominated=point.dominated,
    )


def _curve(
    record: MitigationRecord, name: str, dots: dict[str, Dot], start: Dot, place: int
) -> Curve:
    own = [dots[p.name] for p in record.points if p.treatment == name and p.name in dots]
    return Curve(
        name=TREATMENTS[name],
        shape=SHAPES[name],
        dash=DASHES[name],
        ink=INKS[name],
        path=" ".join(f"{dot.x} {dot.y}" for dot in (start, *own)),
        dots=tuple(own),
        legend_x=LEFT + LEGEND + 190.0 * place,
    )
