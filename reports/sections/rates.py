"""What the model answers for each group: rates with intervals, worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from audit.results import AuditResult, RateRecord, Undefined
from reports.blocks import NOTHING, Cell, Column, Table, table, text
from reports.care import as_spoken
from reports.charts import Estimate, RowChart, estimate_of_rate, row_chart, with_range
from reports.messages import N_, _, ngettext
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    number,
    p_value,
    percent,
    percent_interval,
    points,
    together,
)
from reports.sections.rate_grids import GRID_NOTE, rate_grids
from reports.sections.rate_names import (
    column_name,
    group_name,
    severity_of,
    surely_above,
    target_name,
)
from reports.sections.sensitivity import (
    SensitivityView,
    hold_cell,
    sensitivity_view,
)

BARS = 14
"""Rows of the chart of the largest differences."""

GRIDS_IN_PAGES = 6
"""Shaded grids that the paged edition shows."""

LABELS = 100
"""Labels that the report lists; measurements.csv has all."""

FAMILIES = 300
"""Family rows that the report lists."""


FEW_CLUSTERS = 12
"""Fewer independent clusters make an interval too narrow."""

Labels = Literal["standard", "deployment"]

PREFIXES: dict[Labels, str] = {"standard": "rates", "deployment": "deployment"}
"""First word of the names of tables and charts, so that no two on a page are called the same."""


def _captioned(caption: str, labels: Labels) -> str:
    """Say in a caption, or in a title, whose labels the rates are of."""
    if labels == "standard":
        return caption
    return _("{caption}, product’s own labels", caption=caption)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesView:
    """Behaviour under one choice of labels, from the strongest difference to the full tables."""

    lead: str
    warning: str
    bars: RowChart | None
    worst: Table | None
    sensitivity: SensitivityView | None
    grids: tuple[Table, ...]
    grids_in_pages: tuple[Table, ...]
    families: Table | None
    labels: Table | None
    grid_note: str
    undefined: str


def rates_view(result: AuditResult, names: Names, labels: Labels = "standard") -> RatesView | None:
    """Describe the behaviour of the model; None where no rates were taken with these labels."""
    rates = [rate for rate in result.rates if rate.labels == labels]
    if not rates:
        return None
    prefix = PREFIXES[labels]
    families = worst_first([rate for rate in rates if rate.target_kind == "family"])
    single = [rate for rate in rates if rate.target_kind == "label"]
    harmful = worst_first([rate for rate in single if severity_of(rate, names)] or single)
    main = families or harmful
    above = [rate for rate in main if surely_above(rate)]
    grids = tuple(rate_grids(prefix, families, names))
    return RatesView(
        lead=together([_(LEADS[labels]) if LEADS[labels] else "", _lead(families, single)]),
        warning=_warning(rates),
        bars=_bars(labels, above[:BARS], names),
        worst=rate_table(
            f"{prefix}-worst",
            _captioned(_("Largest differences between a group and everybody else"), labels),
            above[:BARS],
            names,
        ),
        sensitivity=sensitivity_view(prefix, worst_first(rates), names),
        grids=grids,
        grids_in_pages=grids[:GRIDS_IN_PAGES],
        families=rate_table(
            f"{prefix}-families",
            _captioned(_("Every harm family and group"), labels),
            families,
            names,
            FAMILIES,
            30 if labels == "standard" else 15,
        ),
        labels=rate_table(
            f"{prefix}-labels",
            _captioned(_("Single harmful labels with the largest differences"), labels),
            harmful,
            names,
            LABELS,
            20,
        ),
        grid_note=_(GRID_NOTE),
        undefined=_undefined(rates),
    )


LEADS: dict[Labels, str] = {
    "standard": "",
    "deployment": N_(
        "These pictures chose among the labels that the plan names as the product’s own, in its "
        "own wording."
    ),
}


def worst_first(rates: Sequence[RateRecord]) -> list[RateRecord]:
    """Order by the sure part of the difference within severity; undefined ones last.

    The lower limit of the difference ranks, not the difference itself: otherwise the smallest
    groups, whose rates scatter most, would lead every list.
    """

    def rank(rate: RateRecord) -> tuple[float, int, str, str]:
        sure = defined(rate.difference_low)
        return -(sure if sure is not None else -9.0), -(rate.severity or 0), rate.group, rate.target

    return sorted(rates, key=rank)


def rate_table(
    id: str,
    caption: str,
    rates: Sequence[RateRecord],
    names: Names,
    screen_limit: int = 100,
    print_limit: int = 40,
) -> Table | None:
    """Lay out rates as a table; None where there are none."""
    if not rates:
        return None
    tested = any(not isinstance(rate.p, Undefined) for rate in rates)
    held = any(rate.sensitivity is not None for rate in rates)
    columns = [
        Column(head=_("Group"), width="name"),
        Column(head=_("Answer"), width="name"),
        Column(head=_("Rate"), align="number"),
        Column(head=_("Difference, points"), align="number"),
        *(_test_columns() if tested else []),
        Column(head=_("n"), align="number", width="slim" if tested else ""),
        *([Column(head=_("Other words and labels"))] if held else []),
    ]
    return table(
        id,
        caption,
        columns,
        (
            (
                *_row(rate, names)[:4],
                *(_test(rate) if tested else ()),
                *_row(rate, names)[4:],
                *([hold_cell(rate)] if held else ()),
            )
            for rate in rates
        ),
        screen_limit=screen_limit,
        print_limit=print_limit,
        note=together([_(RATE_NOTE), _(TEST_NOTE) if tested else "", _(HOLD_NOTE) if held else ""]),
        compact=True,
    )


def _test_columns() -> list[Column]:
    return [
        Column(head=_("p (q)"), align="number"),
        Column(head=_("Would see"), align="number", width="slim"),
    ]


RATE_NOTE = N_(
    "Rate: share of the group's images for which this is the model's first answer, with 95 % "
    "Wilson interval. Difference: rate minus the rate of everybody else, in percentage points, "
    "with 95 % interval; neutral value 0. n: images, then clusters."
)

TEST_NOTE = N_(
    "p: of the difference, by shuffling clusters between the group and everybody else; q, in "
    "brackets, allows for every difference of harm families. Would see: difference seen with 80 % "
    "power at 5 %, in percentage points."
)

HOLD_NOTE = N_(
    "Holds: the difference survives other wording and other labels. Fragile: it does not. A dot: "
    "nobody looked, because it does not stand out."
)


def _test(rate: RateRecord) -> tuple[Cell, ...]:
    p, q = defined(rate.p), defined(rate.q)
    mde = defined(rate.mde)
    told = NOTHING if p is None else p_value(p)
    return (
        Cell(text=told if p is None or q is None else with_range(told, p_value(q))),
        Cell(text=NOTHING if mde is None else number(100 * mde)),
    )


def _row(rate: RateRecord, names: Names) -> tuple[Cell, ...]:
    return (
        text(group_name(rate, names), column_name(rate)),
        Cell(text=target_name(rate, names), severity=severity_of(rate, names)),
        text(
            percent(rate.rate),
            as_spoken(rate.reason) or percent_interval(rate.low, rate.high),
        ),
        Cell(
            text=points(rate.difference),
            note=_difference_interval(rate),
            strong=surely_above(rate),
        ),
        text(count(rate.n), ngettext("{n} cluster", "{n} clusters", rate.clusters)),
    )


def _difference_interval(rate: RateRecord) -> str:
    low, high = defined(rate.difference_low), defined(rate.difference_high)
    if low is None or high is None:
        return ""
    return _("{low} to {high}", low=points(low), high=points(high))


def _lead(families: Sequence[RateRecord], labels: Sequence[RateRecord]) -> str:
    amount = ngettext(
        "How often a harmful label is the model's first answer for a group: {n} rates, {families} "
        "of whole harm families and {labels} of single labels.",
        "How often a harmful label is the model's first answer for a group: {n} rates, {families} "
        "of whole harm families and {labels} of single labels.",
        len(families) + len(labels),
        families=count(len(families)),
        labels=count(len(labels)),
    )
    return together([amount, _(INTERVALS)])


INTERVALS = N_(
    "Intervals are for one rate at a time: of so many, about one in twenty misses its true "
    "value, so single rows of small groups are leads, not findings. Rates describe; they do "
    "not decide the verdict."
)


def _warning(rates: Sequence[RateRecord]) -> str:
    """Say where intervals hold less than they promise; empty where all have clusters enough."""
    groups = {(rate.column, rate.group): rate.clusters for rate in rates if rate.n}
    few = [clusters for clusters in groups.values() if clusters < FEW_CLUSTERS]
    if not few:
        return ""
    return ngettext(
        "Care with intervals: {few} of {n} group have fewer than {needed} clusters (the fewest: "
        "{fewest}). With so few, the true value is missed more often than one time in twenty.",
        "Care with intervals: {few} of {n} groups have fewer than {needed} clusters (the fewest: "
        "{fewest}). With so few, the true value is missed more often than one time in twenty.",
        len(groups),
        few=count(len(few)),
        needed=FEW_CLUSTERS,
        fewest=min(few),
    )


def _bars(labels: Labels, rates: Sequence[RateRecord], names: Names) -> RowChart | None:
    if not rates:
        return None
    return row_chart(
        f"{PREFIXES[labels]}-bars",
        "bars",
        _captioned(_("Largest differences in rate between a group and everybody else"), labels),
        _(
            "Bar: rate of the group with its 95 % Wilson interval. Upright stroke: rate of "
            "everybody else. The numbers are in the table below."
        ),
        _("share of images with this first answer"),
        [_estimate(rate, names) for rate in rates],
        percentages=True,
    )


def _estimate(rate: RateRecord, names: Names) -> Estimate:
    value, difference = defined(rate.rate), defined(rate.difference)
    others = None if value is None or difference is None else value - difference
    label = f"{group_name(rate, names)} · {target_name(rate, names)}"
    return estimate_of_rate(label, rate.rate, rate.low, rate.high, others)


def _undefined(rates: Sequence[RateRecord]) -> str:
    missing = [rate for rate in rates if defined(rate.rate) is None]
    if not missing:
        return ""
    reasons = sorted({rate.reason for rate in missing if rate.reason})
    return ngettext(
        "{n} rate could not be had: {reasons}",
        "{n} rates could not be had: {reasons}",
        len(missing),
        reasons=_("; ").join(as_spoken(reason) for reason in reasons[:3]),
    )
