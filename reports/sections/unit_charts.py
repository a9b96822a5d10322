"""Charts of one unit: what a band of its activation shows, and how groups differ in it."""

from audit.results import (
    CurveRecord,
    SpreadRecord,
    Undefined,
    UnitPageRecord,
)
from reports.blocks import NOTHING, THE_RESULT, Cell, Column, Table, table, text
from reports.charts import with_range
from reports.messages import N_, _, ngettext, pgettext
from reports.names import Names
from reports.panels import PanelChart, Spread, SpreadChart, Steps, panel_chart, spread_chart
from reports.quantities import count, defined, interval, number, percent, percent_interval
from reports.sections.unit_examples import edges_in_words
from reports.sections.unit_words import arm_in_text, arm_words, unit_anchor, unit_id

CURVES_SHOWN = 6
"""Curves of one unit that the single page draws; the result document has all."""

CURVES_IN_PAGES = 3
"""The same for the paged edition: one row of panels."""

CURVES_NOTE = N_(
    "Bands of activation: share of a concept among the stimuli of each band, with 95 % Wilson "
    "intervals. Dashed: its share among all, which every band has if the unit does not care."
)
SPREAD_NOTE = N_(
    "Groups: the line holds 5 to 95 % of the stimuli of a group, the bar the middle half; the dot "
    "is the median, with its 95 % interval at the end of the row. Diamond: a finding is about it."
)
AXIS = N_("activation, standard deviations from zero")
NOT_GIVEN = Undefined(undefined="not among the quantiles of the result")


def curve_chart(page: UnitPageRecord, names: Names, most: int = CURVES_SHOWN) -> PanelChart | None:
    """Draw how often a concept is shown in each band of activation; None without curves."""
    curves = page.curves[:most]
    if not curves:
        return None
    return panel_chart(
        f"{unit_anchor(page)}-curves",
        "steps",
        _("{unit}: what a band of activation shows", unit=unit_id(page.layer, page.unit)),
        ngettext(
            "{n} panel: share of a concept among the stimuli of each band, with 95 % Wilson "
            "intervals; the dashed line is its share among all. The numbers are in the table "
            "below.",
            "{n} panels: share of a concept among the stimuli of each band, with 95 % Wilson "
            "intervals; the dashed line is its share among all. The numbers are in the table "
            "below.",
            len(curves),
        ),
        _(AXIS),
        [
            Steps(
                title=_curve_title(curve, names),
                edges=curve.edges,
                shares=curve.shares,
                low=curve.low,
                high=curve.high,
                overall=curve.overall,
            )
            for curve in curves
        ],
    )


def _curve_title(curve: CurveRecord, names: Names) -> str:
    return _("{concept}, {arm}", concept=names.concept(curve.concept), arm=arm_in_text(curve.arm))


def curve_table(page: UnitPageRecord, names: Names, most: int = CURVES_SHOWN) -> Table | None:
    """Lay out the curves: a row for each band, a column for each curve."""
    curves = page.curves[:most]
    bands = dict.fromkeys(band for curve in curves for band in edges_in_words(curve.edges))
    if not bands:
        return None
    rows = [(text(band), *(_band(curve, band) for curve in curves)) for band in bands]
    overall = (text(_("All stimuli")), *(text(percent(curve.overall)) for curve in curves))
    return table(
        f"{unit_anchor(page)}-curves-table",
        _(
            "{unit}: share of a concept by band of activation, SD",
            unit=unit_id(page.layer, page.unit),
        ),
        [
            Column(head=_("Band")),
            *(Column(head=_curve_title(curve, names), width="wide") for curve in curves),
        ],
        [*rows, overall],
        note=_("In brackets: 95 % Wilson interval, and clusters."),
        compact=True,
        lies_in=THE_RESULT,
    )


def _band(curve: CurveRecord, band: str) -> Cell:
    bands = edges_in_words(curve.edges)
    place = bands.index(band) if band in bands else -1
    if not 0 <= place < min(map(len, (curve.shares, curve.low, curve.high, curve.clusters))):
        return text(NOTHING)
    limits = percent_interval(curve.low[place], curve.high[place])
    n = count(curve.clusters[place])
    inside = pgettext("between clauses", "; ").join(filter(None, [limits, n]))
    return text(with_range(percent(curve.shares[place]), inside))


def spread_charts(page: UnitPageRecord, names: Names, groups: set[str]) -> tuple[SpreadChart, ...]:
    """Draw a unit's activation by group: one chart for each arm and family."""
    kinds = dict.fromkeys((spread.arm, spread.family) for spread in page.spreads)
    charts = []
    for place, (arm, family) in enumerate(kinds):
        rows = _strongest_first([s for s in page.spreads if (s.arm, s.family) == (arm, family)])
        charts.append(
            spread_chart(
                f"{unit_anchor(page)}-spread-{place}",
                _(
                    "{unit} in {arm}, by group of “{family}”",
                    unit=unit_id(page.layer, page.unit),
                    arm=arm_in_text(arm),
                    family=names.family(family),
                ),
                _(SPREAD_NOTE),
                _(AXIS),
                [_drawn(row, names, groups) for row in rows],
            )
        )
    return tuple(charts)


def _strongest_first(spreads: list[SpreadRecord]) -> list[SpreadRecord]:
    def rank(spread: SpreadRecord) -> tuple[bool, float, str]:
        median = defined(spread.median)
        return median is None, -(median or 0.0), spread.concept

    return sorted(spreads, key=rank)


def _drawn(spread: SpreadRecord, names: Names, groups: set[str]) -> Spread:
    at = dict(zip(spread.quantiles, spread.values, strict=False))
    ends = (min(at, default=0.0), max(at, default=0.0))
    return Spread(
        label=names.concept(spread.concept),
        outer=(at.get(ends[0], NOT_GIVEN), at.get(ends[1], NOT_GIVEN)),
        inner=(at.get(0.25, NOT_GIVEN), at.get(0.75, NOT_GIVEN)),
        median=spread.median,
        shown=with_range(number(spread.median, 2), interval(spread.low, spread.high, 2))
        if interval(spread.low, spread.high)
        else number(spread.median, 2),
        marked=spread.concept in groups,
    )


def spread_table(page: UnitPageRecord, names: Names) -> Table | None:
    """Lay out the same distributions in numbers; None where there are none."""
    if not page.spreads:
        return None
    levels = page.spreads[0].quantiles
    return table(
        f"{unit_anchor(page)}-spread-table",
        _(
            "{unit}: activation by group, standard deviations from zero",
            unit=unit_id(page.layer, page.unit),
        ),
        [
            Column(head=_("Group"), width="name"),
            Column(head=_("Arm")),
            *(Column(head=percent(level, 0), align="number") for level in levels),
            Column(head=_("Median"), align="number", width="span"),
            Column(head=_("Clusters"), align="number"),
        ],
        (
            (
                text(names.concept(s.concept), names.family(s.family)),
                text(arm_words(s.arm)),
                *(text(_level(s, level)) for level in levels),
                text(number(s.median, 2), interval(s.low, s.high, 2)),
                text(count(s.clusters)),
            )
            for s in _strongest_first(list(page.spreads))
        ),
        compact=True,
        lies_in=THE_RESULT,
    )


def _level(spread: SpreadRecord, level: float) -> str:
    values = dict(zip(spread.quantiles, spread.values, strict=False))
    return number(values[level], 2) if level in values else NOTHING


def histogram_chart(page: UnitPageRecord) -> PanelChart | None:
    """Draw how often each activation occurs; None where that was not counted."""
    if not page.histograms:
        return None
    return panel_chart(
        f"{unit_anchor(page)}-histogram",
        "bars",
        _("{unit}: how often each activation occurs", unit=unit_id(page.layer, page.unit)),
        _(
            "One panel for each kind of picture: shares of the stimuli, one vote per cluster. The "
            "numbers are in the table below."
        ),
        _(AXIS),
        [Steps(title=arm_words(h.arm), edges=h.edges, shares=h.shares) for h in page.histograms],
    )


def histogram_table(page: UnitPageRecord) -> Table | None:
    """Lay out the same shares in numbers."""
    if not page.histograms:
        return None
    return table(
        f"{unit_anchor(page)}-histogram-table",
        _("{unit}: shares of stimuli by activation, SD", unit=unit_id(page.layer, page.unit)),
        [Column(head=_("Arm")), Column(head=_("Bin")), Column(head=_("Share"), align="number")],
        (
            (
                text(arm_words(h.arm)),
                text(interval(low, high, 2)),
                text(percent(share)),
            )
            for h in page.histograms
            for low, high, share in zip(h.edges, h.edges[1:], h.shares, strict=False)
        ),
        compact=True,
        lies_in=THE_RESULT,
    )
