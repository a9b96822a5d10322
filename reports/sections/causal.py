"""What silencing the units of a finding did, and what other units did in their place."""

from dataclasses import dataclass

from audit.results import AuditResult, CausalRecord, DoseRecord, FindingRecord
from reports.blocks import Column, Table, table, text
from reports.charts import Estimate, RowChart, row_chart
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    interval,
    number,
    p_value,
    percent,
    percent_interval,
)

UNITS_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalView:
    """The causal check of one finding."""

    reason: str
    facts: Table | None
    doses: RowChart | None
    doses_table: Table | None


def causal_view(finding: FindingRecord, result: AuditResult, names: Names) -> CausalView | None:
    """Describe the causal check; None where none was made."""
    record = next((r for r in result.causal if r.finding == finding.id), None)
    if record is None:
        return None
    return CausalView(
        reason=names.sentence(record.reason),
        facts=_facts(record),
        doses=_doses(record),
        doses_table=_doses_table(record),
    )


def _facts(record: CausalRecord) -> Table | None:
    if defined(record.drop) is None:
        return None
    units = ", ".join(f"{unit}" for unit in record.units[:UNITS_NAMED])
    matched = record.matched
    rows = [
        ("Silenced together", f"units {units} of {record.layer}, held at their {record.how}"),
        (
            "Measured on",
            f"{count(record.pictures)} pictures that did not choose them, "
            f"{count(record.clusters)} clusters of the group",
        ),
        ("Effect there, cosine", number(record.effect, 4)),
        (
            "Drop when silenced, cosine",
            f"{number(record.drop, 4)} ({interval(record.low, record.high, 4)}), "
            f"{percent(record.share)} of the effect; neutral 0",
        ),
        (
            "Drop of matched sets of other units",
            f"median {number(matched.drop, 4)}, 95th percentile {number(matched.drop_high, 4)}, "
            f"{count(matched.sets)} sets",
        ),
        (
            "p",
            f"{p_value(record.p)}, the largest of three: link on this half "
            f"{p_value(record.p_link)}, against matched sets {p_value(record.p_matched)}, over "
            f"clusters and terms {p_value(record.p_clusters)}; Holm {p_value(record.p_adjusted)}",
        ),
        *_answers(record),
        (
            "Harmless answers that stay the same",
            f"{percent(record.unchanged)} "
            f"({percent_interval(record.unchanged_low, record.unchanged_high)}); with matched sets "
            f"{percent(record.unchanged_matched)}",
        ),
    ]
    return table(
        f"causal-{record.finding}",
        f"{record.finding}: its units silenced",
        [Column(head="What", width="name"), Column(head="Result", width="wide")],
        ((text(what), text(told)) for what, told in rows),
        compact=True,
    )


def _answers(record: CausalRecord) -> list[tuple[str, str]]:
    """Say what the group is answered with, and what harm retrieves, before and after."""
    if len(record.answers) < 2:
        return []
    before, after, *matched = record.answers
    beside = [f"; with matched sets {percent(one.harm_rate)}" for one in matched]
    found = [f"; with matched sets {percent(one.retrieved)}" for one in matched]
    return [
        (
            "Group answered with the harm",
            f"{percent(before.harm_rate)}, silenced {percent(after.harm_rate)}"
            f"{''.join(beside)}; rest of its family {percent(before.harm_rate_rest)}, silenced "
            f"{percent(after.harm_rate_rest)}",
        ),
        (
            "Group among what the harm retrieves",
            f"{percent(before.retrieved)}, silenced {percent(after.retrieved)}{''.join(found)}; "
            f"neutral {percent(record.retrieved_neutral)}",
        ),
    ]


def _doses(record: CausalRecord) -> RowChart | None:
    drawn = [dose for dose in record.doses if defined(dose.change) is not None]
    if not drawn:
        return None
    return row_chart(
        f"doses-{record.finding}",
        "forest",
        f"{record.finding}: other groups' pictures with these units driven up",
        "Change of the mean margin of harm against control packs when the units are held so many "
        "standard deviations from their mean, towards the group. Monotonicity "
        f"{number(record.monotonicity, 2)} (1: always rising).",
        "change of cosine margin, 0 is neutral",
        [
            Estimate(
                label=_dose(dose),
                value=dose.change,
                low=dose.low,
                high=dose.high,
                shown=f"{number(dose.change, 3)} ({interval(dose.low, dose.high, 3)})",
            )
            for dose in drawn
        ],
        label_room=90,
    )


def _doses_table(record: CausalRecord) -> Table | None:
    if not record.doses:
        return None
    return table(
        f"doses-table-{record.finding}",
        f"{record.finding}: dose and response",
        [
            Column(head="Dose"),
            Column(head="Change of margin", align="number"),
            Column(head="Blank picture", align="number"),
        ],
        (
            (
                text(_dose(dose)),
                text(number(dose.change, 4), interval(dose.low, dose.high, 4)),
                text(number(dose.blank, 4)),
            )
            for dose in record.doses
        ),
        compact=True,
    )


def _dose(dose: DoseRecord) -> str:
    return f"{number(dose.dose, 0)} SD"
