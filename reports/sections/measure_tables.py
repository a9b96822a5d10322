"""The values of one measure as a table and, where they have intervals, as a chart."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from audit.results import MeasurementRecord, MeasureRecord, Number, Undefined
from reports.blocks import NOTHING, Cell, Column, Table, table, text
from reports.care import as_spoken
from reports.charts import Estimate, RowChart, row_chart, with_range
from reports.messages import N_, NP_, _, ngettext, pgettext
from reports.quantities import (
    count,
    defined,
    listed_plainly,
    p_value,
    without_stop,
)
from reports.readings import Readings
from reports.sections.measure_values import (
    Style,
    constant,
    excludes_neutral,
    neutral_of,
    small_q,
    style_of,
)
from reports.wording import arm_name

ROWS_UNFOLDED = 12
"""Rows of one measure that the single page shows at once; the others are folded away."""

ROWS_IN_PAGES = 4
"""Rows of one measure that the paged edition shows at most; fewer where little stands out. Some
thirty measures in full would fill as many pages again as everything else."""

QUIET_ROWS_IN_PAGES = 2
ROWS_ON_SCREEN = 100

CHART_ROWS = 8
CHART_NEEDS = 3
"""Values with an interval that a chart needs."""

EVERYBODY = N_("Everybody")
QUOTES = '“”"‘’'


@dataclass(frozen=True, kw_only=True)
class Told:
    """One measure with its values, worst first, and the words for them."""

    measure: MeasureRecord
    records: tuple[MeasurementRecord, ...]
    readings: Readings
    rate: float
    """False discovery rate at which a value is kept."""

    @property
    def title(self) -> str:
        """Name of the measure in the spoken language."""
        return as_spoken(self.measure.title)

    @cached_property
    def style(self) -> Style:
        """How the values are written."""
        return style_of(self.measure, self.records)

    @cached_property
    def shared_setting(self) -> str:
        """The setting of all values; empty where they differ in it."""
        settings = {record.setting for record in self.records}
        return settings.pop() if len(settings) == 1 else ""

    @cached_property
    def shared_lack(self) -> str:
        """Why no value has an interval, where the reason is one; empty where any has one."""
        why = {
            why_no_interval(record) for record in self.records if defined(record.value) is not None
        }
        return why.pop() if len(why) == 1 else ""

    @cached_property
    def several_arms(self) -> bool:
        """Whether the values come from more than one kind of evidence."""
        return len({record.arm for record in self.records}) > 1

    @cached_property
    def neutral(self) -> float | None:
        """The neutral value that all values share; None where they differ in it."""
        known = {neutral_of(record, self.measure) for record in self.records}
        return (
            defined(self.measure.neutral) if not known else known.pop() if len(known) == 1 else None
        )

    def stands_out(self, record: MeasurementRecord) -> bool:
        """Tell whether a value is set in bold."""
        return small_q(record, self.rate) or excludes_neutral(record, self.measure)

    def subject(self, record: MeasurementRecord) -> str:
        """Name who and what a value is about, in one line."""
        return " · ".join(filter(None, [self.who(record), self.what(record)]))

    def who(self, record: MeasurementRecord) -> str:
        """Name the group or identity that a value is about."""
        named = self.readings.name(record.group or record.identity)
        return named or self.readings.all_of(record.family) or _(EVERYBODY)

    def what(self, record: MeasurementRecord) -> str:
        """Name the harm or the label that a value is about; empty where it has neither."""
        return self.readings.harm(record.harm) if record.harm else self.label(record)

    def label(self, record: MeasurementRecord) -> str:
        """Name the label, masked where needed."""
        return f"“{self.readings.phrase(record.label).strip(QUOTES)}”" if record.label else ""

    def setting(self, record: MeasurementRecord) -> str:
        """Tell the choices behind a value where rows differ in them."""
        return "" if self.shared_setting else self.readings.phrase(record.setting)

    def circumstances(self, record: MeasurementRecord) -> str:
        """Tell label, setting and kind of evidence where rows differ in them."""
        parts = [
            self.label(record) if record.harm else "",
            self.setting(record),
            arm_name(record.arm) if self.several_arms else "",
        ]
        return _("; ").join(filter(None, parts))


def measure_tables(told: Told) -> tuple[Table, ...]:
    """Lay out the values of a measure: the worst, then the others; nothing where there are none."""
    cells = [tuple(_cells(record, told)) for record in told.records[:ROWS_ON_SCREEN]]
    marked = sum(told.stands_out(record) for record in told.records)
    parts = (cells[:ROWS_UNFOLDED], cells[ROWS_UNFOLDED:])
    tables = [
        table(
            f"values-{told.measure.name}-{place}",
            caption,
            *_without_empty(_columns(told), rows),
            print_limit=min(ROWS_IN_PAGES, max(QUIET_ROWS_IN_PAGES, marked)),
            compact=True,
        )
        for place, (caption, rows) in enumerate(zip(_captions(told), parts, strict=True), start=1)
        if rows
    ]
    # The first says how many there are, the second how many even it leaves out.
    counted = (len(told.records), len(told.records) - ROWS_UNFOLDED)
    return tuple(replace(t, n_rows=n) for t, n in zip(tables, counted, strict=False))


def _captions(told: Told) -> tuple[str, str]:
    return (
        ngettext(
            "{measure}: {n} value, worst first",
            "{measure}: {n} values, worst first",
            len(told.records),
            measure=told.title,
        ),
        _("{measure}: the others", measure=told.title),
    )


def _columns(told: Told) -> list[Column]:
    return [
        Column(head=_("Who"), width="subject"),
        Column(head=_("What"), width="name"),
        Column(head=told.style.value_head, align="number", width="value"),
        Column(head=_("p, q"), align="number"),
        Column(head=_("n"), align="number"),
        Column(head=_("Would see"), align="number", width="slim"),
        Column(head=_("What it says"), width="reading"),
    ]


def _without_empty(
    columns: list[Column], rows: list[tuple[Cell, ...]]
) -> tuple[list[Column], list[tuple[Cell, ...]]]:
    """Leave out the second column where no row says anything in it."""
    if any(cells[1].text or cells[1].note for cells in rows):
        return columns, rows
    return columns[:1] + columns[2:], [cells[:1] + cells[2:] for cells in rows]


def _cells(record: MeasurementRecord, told: Told) -> Iterator[Cell]:
    harm = told.readings.names.concepts.get(record.harm)
    against = told.readings.name(record.against) if record.against else ""
    yield text(told.who(record), _("against {other}", other=against) if against else "")
    yield Cell(
        text=told.what(record),
        note=told.circumstances(record),
        severity=harm.severity if harm else None,
    )
    yield Cell(
        text=told.style.write(record.value),
        note=_limits(record, told),
        strong=told.stands_out(record),
    )
    yield _test(record, told)
    yield _size(record)
    yield _detectable(record, told)
    own = (record.harm, record.identity, record.against, record.family)
    missing = _why(record.value, told) or told.readings.phrase(record.reason)
    lacking = _("Could not be had: {reason}.", reason=missing)
    reading = told.readings.sentence(record.reading, *own) or lacking
    yield text(reading, _lack(record, told))


def why_no_interval(record: MeasurementRecord) -> str:
    """Return why a value has no interval; empty where it has one."""
    ends = (record.low, record.high)
    lacking = [end.undefined for end in ends if isinstance(end, Undefined)]
    return (record.reason or lacking[0]).rstrip(".") if lacking else ""


def _limits(record: MeasurementRecord, told: Told) -> str:
    """Write the interval, and the neutral value where rows differ in it."""
    if defined(record.value) is None:
        return _why(record.value, told)
    interval = told.style.range(record.low, record.high)
    parts = [interval or ("" if told.shared_lack else _("no interval"))]
    neutral = neutral_of(record, told.measure)
    if told.neutral is None or defined(told.measure.neutral) is None:
        written = told.style.write(neutral) if neutral is not None else ""
        parts.append(_("neutral {value}", value=written) if written else _("neutral unknown"))
    return _("; ").join(filter(None, parts))


def _lack(record: MeasurementRecord, told: Told) -> str:
    """Tell why one value has no interval, where not all lack it for the same reason."""
    if told.shared_lack or defined(record.value) is None:
        return ""
    return told.readings.sentence(why_no_interval(record))


def _test(record: MeasurementRecord, told: Told) -> Cell:
    """Write p, then q and where p comes from."""
    p, q = defined(record.p), defined(record.q)
    if p is None:
        return text(_why(record.p, told))
    adjusted = "" if q is None else _("q {value}", value=p_value(q))
    known = CERTAINTIES.get(record.certainty)
    origin = pgettext("origin of a p-value", known) if known else record.certainty
    return text(p_value(p), listed_plainly(filter(None, [adjusted, origin])))


CERTAINTIES = {
    "exact": NP_("origin of a p-value", "exact"),
    "bounded": NP_("origin of a p-value", "bounded"),
    "sampled": NP_("origin of a p-value", "sampled"),
    "model": NP_("origin of a p-value", "model"),
}


def _size(record: MeasurementRecord) -> Cell:
    clusters = (
        "" if record.clusters is None else ngettext("{n} cluster", "{n} clusters", record.clusters)
    )
    return text(NOTHING if record.n is None else count(record.n), clusters)


def _detectable(record: MeasurementRecord, told: Told) -> Cell:
    if isinstance(record.mde, Undefined):
        return text(_why(record.mde, told))
    return text(told.style.step(record.mde))


def _why(value: Number, told: Told) -> str:
    """Return why a number could not be had; empty where it could."""
    if not isinstance(value, Undefined):
        return ""
    return without_stop(told.readings.phrase(value.undefined))


def measure_chart(told: Told) -> RowChart | None:
    """Draw the worst values that have an interval; None where too few have, or none stands out."""
    drawn = [r for r in told.records if defined(r.value) is not None and defined(r.low) is not None]
    if len(drawn) < CHART_NEEDS or not any(told.stands_out(record) for record in drawn):
        return None
    neutral = told.neutral
    factor = told.style.factor
    line = _("the upright stroke of each row")
    if neutral is not None:
        line = _("the strong line at {value}", value=constant(neutral, told.style))
    unit = listed_plainly(filter(None, [as_spoken(told.measure.unit), told.style.drawn]))
    return row_chart(
        f"chart-{told.measure.name}",
        "forest",
        _("{measure}: the worst values", measure=told.title),
        _(
            "Values with 95 % intervals; {line} is neutral. The numbers are in the table below.",
            line=line,
        ),
        _("{unit}; neutral: {line}", unit=unit, line=line),
        [_estimate(record, told, factor) for record in drawn[:CHART_ROWS]],
        neutral=None if neutral is None else neutral * factor,
    )


def _estimate(record: MeasurementRecord, told: Told, factor: float) -> Estimate:
    own = neutral_of(record, told.measure) if told.neutral is None else None
    return Estimate(
        label=" · ".join(filter(None, [told.subject(record), told.setting(record)])),
        value=_times(record.value, factor),
        low=_times(record.low, factor),
        high=_times(record.high, factor),
        shown=with_range(told.style.write(record.value), told.style.range(record.low, record.high)),
        marker="found" if told.stands_out(record) else "not_found",
        reference=None if own is None else own * factor,
    )


def _times(value: Number, factor: float) -> Number:
    return value if isinstance(value, Undefined) else value * factor
