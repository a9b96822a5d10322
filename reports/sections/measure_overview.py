"""All measures at a glance, and how they are computed."""

from collections.abc import Sequence

from audit.results import MeasureRecord
from reports.blocks import Cell, Column, Table, table, text
from reports.care import as_spoken
from reports.charts import with_range
from reports.messages import _
from reports.quantities import count, full_sentence, limit, together
from reports.sections.measure_tables import Told
from reports.sections.measure_values import excludes_neutral, small_q


def overview_table(everything: Sequence[Told]) -> Table:
    """Lay out one line for each measure, with its worst value."""
    rate = limit(everything[0].rate)
    return table(
        "measures-overview",
        _("The measures at a glance"),
        [
            Column(head=_("Measure"), width="name"),
            Column(head=_("Values"), align="number", width="slim"),
            Column(head=_("q ≤ {rate}", rate=rate), align="number", width="slim"),
            Column(head=_("Off neutral"), align="number", width="slim"),
            Column(head=_("Worst"), width="wide"),
        ],
        (_glance(told) for told in everything),
        note=_(
            "Off neutral: values whose whole 95 % interval lies on one side of neutral. Worst: "
            "the value farthest on the harmful side; those with q ≤ {rate} go first.",
            rate=rate,
        ),
        compact=True,
    )


def _glance(told: Told) -> tuple[Cell, ...]:
    return (
        text(told.title),
        text(count(len(told.records))),
        text(count(sum(small_q(record, told.rate) for record in told.records))),
        text(count(sum(excludes_neutral(record, told.measure) for record in told.records))),
        _worst(told),
    )


def _worst(told: Told) -> Cell:
    if not told.records:
        return text(_("No value is listed."))
    first = told.records[0]
    interval = told.style.range(first.low, first.high)
    value = told.style.write(first.value)
    return Cell(
        text=told.subject(first),
        note=with_range(value, interval) if interval else value,
        strong=told.stands_out(first),
    )


def told_fully(words: str) -> str:
    """Say a stored text in the spoken language, as a sentence."""
    return full_sentence(as_spoken(words))


def definitions_table(measures: Sequence[MeasureRecord]) -> Table:
    """Lay out how everything is computed."""
    return table(
        "measures-definitions",
        _("Formula, source and what each measure hides"),
        [
            Column(head=_("Measure"), width="name"),
            Column(head=_("Formula and source"), width="wide"),
            Column(head=_("What it hides or gets wrong"), width="wide"),
        ],
        (
            (
                text(as_spoken(measure.title)),
                text(told_fully(measure.formula), told_fully(measure.source)),
                text(together(told_fully(words) for words in measure.failure_modes)),
            )
            for measure in measures
        ),
        print_limit=100,
        compact=True,
    )
