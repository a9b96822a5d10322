"""What the model answers for each group: rates with intervals, worst first."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.results import AuditResult, RateRecord
from reports.blocks import Cell, Column, Table, table, text
from reports.charts import Estimate, RowChart, estimate_of_rate, row_chart
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    percent,
    percent_interval,
    plural,
    points,
)
from reports.sections.rate_grids import GRID_NOTE, rate_grids
from reports.sections.rate_names import (
    column_name,
    group_name,
    severity_of,
    surely_above,
    target_name,
)

BARS = 14
"""Rows of the chart of the largest differences."""

LABELS = 100
"""Labels that the report lists; measurements.csv has all."""

FAMILIES = 300
"""Family rows that the report lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesView:
    """Behaviour, from the strongest difference to the full tables."""

    lead: str
    bars: RowChart | None
    worst: Table | None
    grids: tuple[Table, ...]
    families: Table | None
    labels: Table | None
    grid_note: str
    undefined: str


def rates_view(result: AuditResult, names: Names) -> RatesView | None:
    """Describe the behaviour of the model; None where no rates were taken."""
    if not result.rates:
        return None
    families = worst_first([rate for rate in result.rates if rate.target_kind == "family"])
    single = [rate for rate in result.rates if rate.target_kind == "label"]
    labels = worst_first([rate for rate in single if severity_of(rate, names)] or single)
    main = families or labels
    above = [rate for rate in main if surely_above(rate)]
    return RatesView(
        lead=_lead(families, single),
        bars=_bars(above[:BARS], names),
        worst=rate_table(
            "rates-worst",
            "Largest differences between a group and everybody else",
            above[:BARS],
            names,
        ),
        grids=tuple(rate_grids(families, names)),
        families=rate_table(
            "rates-families", "Every harm family and group", families, names, FAMILIES, 30
        ),
        labels=rate_table(
            "rates-labels",
            "Single harmful labels with the largest differences",
            labels,
            names,
            LABELS,
            20,
        ),
        grid_note=GRID_NOTE,
        undefined=_undefined(result.rates),
    )


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
    return table(
        id,
        caption,
        [
            Column(head="Group", width="name"),
            Column(head="Answer", width="name"),
            Column(head="Rate", align="number"),
            Column(head="Difference, points", align="number"),
            Column(head="n", align="number"),
        ],
        (_row(rate, names) for rate in rates),
        screen_limit=screen_limit,
        print_limit=print_limit,
        note=(
            "Rate: share of the group's images for which this is the model's first answer, with "
            "95 % Wilson interval. Difference: rate minus the rate of everybody else, in "
            "percentage points, with 95 % interval; neutral value 0. n: images, then clusters."
        ),
        compact=True,
    )


def _row(rate: RateRecord, names: Names) -> tuple[Cell, ...]:
    return (
        text(group_name(rate), column_name(rate)),
        Cell(text=target_name(rate, names), severity=severity_of(rate, names)),
        text(percent(rate.rate), rate.reason or percent_interval(rate.low, rate.high)),
        Cell(
            text=points(rate.difference),
            note=_difference_interval(rate),
            strong=surely_above(rate),
        ),
        text(count(rate.n), f"{count(rate.clusters)} clusters"),
    )


def _difference_interval(rate: RateRecord) -> str:
    low, high = defined(rate.difference_low), defined(rate.difference_high)
    if low is None or high is None:
        return ""
    return f"{points(low)} to {points(high)}"


def _lead(families: Sequence[RateRecord], labels: Sequence[RateRecord]) -> str:
    rows = len(families) + len(labels)
    return (
        f"How often a harmful label is the model's first answer for a group: {count(rows)} rates, "
        f"{count(len(families))} of whole harm families and {count(len(labels))} of single labels. "
        "Intervals are for one rate at a time: of so many, about one in twenty misses its true "
        "value, so single rows of small groups are leads, not findings. Rates describe; they do "
        "not decide the verdict."
    )


def _bars(rates: Sequence[RateRecord], names: Names) -> RowChart | None:
    if not rates:
        return None
    return row_chart(
        "rates-bars",
        "bars",
        "Largest differences in rate between a group and everybody else",
        "Bar: rate of the group with its 95 % Wilson interval. Upright stroke: rate of everybody "
        "else. The numbers are in the table below.",
        "share of images with this first answer",
        [_estimate(rate, names) for rate in rates],
        percentages=True,
    )


def _estimate(rate: RateRecord, names: Names) -> Estimate:
    value, difference = defined(rate.rate), defined(rate.difference)
    others = None if value is None or difference is None else value - difference
    label = f"{group_name(rate)} · {target_name(rate, names)}"
    return estimate_of_rate(label, rate.rate, rate.low, rate.high, others)


def _undefined(rates: Sequence[RateRecord]) -> str:
    missing = [rate for rate in rates if defined(rate.rate) is None]
    if not missing:
        return ""
    reasons = sorted({rate.reason for rate in missing if rate.reason})
    return f"{plural(len(missing), 'rate')} could not be had: {'; '.join(reasons[:3])}"
