"""What silencing the units of a finding did, and what other units did in their place."""

from dataclasses import dataclass

from audit.results import AuditResult, CausalRecord, DoseRecord, FindingRecord, Number
from reports.blocks import Column, Table, table, text
from reports.charts import Estimate, RowChart, row_chart, with_range
from reports.messages import _, pgettext, stored
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
    return table(
        f"causal-{record.finding}",
        _("{finding}: its units silenced", finding=record.finding),
        [Column(head=_("What"), width="name"), Column(head=_("Result"), width="wide")],
        ((text(what), text(told)) for what, told in _silencing(record)),
        compact=True,
    )


def _silencing(record: CausalRecord) -> list[tuple[str, str]]:
    units = ", ".join(f"{unit}" for unit in record.units[:UNITS_NAMED])
    matched = record.matched
    return [
        (
            _("Silenced together"),
            _(
                "units {units} of {layer}, held at their {how}",
                units=units,
                layer=record.layer,
                how=stored(record.how),
            ),
        ),
        (
            _("Measured on"),
            _(
                "{pictures} pictures that did not choose them, {clusters} clusters of the group",
                pictures=count(record.pictures),
                clusters=count(record.clusters),
            ),
        ),
        (_("Effect there, cosine"), number(record.effect, 4)),
        (
            _("Drop when silenced, cosine"),
            _(
                "{drop}, {share} of the effect; neutral 0",
                drop=with_range(number(record.drop, 4), interval(record.low, record.high, 4)),
                share=percent(record.share),
            ),
        ),
        (
            _("Drop of matched sets of other units"),
            _(
                "median {median}, 95th percentile {high}, {sets} sets",
                median=number(matched.drop, 4),
                high=number(matched.drop_high, 4),
                sets=count(matched.sets),
            ),
        ),
        *_consequences(record),
    ]


def _consequences(record: CausalRecord) -> list[tuple[str, str]]:
    return [
        (
            "p",
            _(
                "{p}, the largest of three: link on this half {link}, against matched sets "
                "{matched}, over clusters and terms {clusters}; Holm {holm}",
                p=p_value(record.p),
                link=p_value(record.p_link),
                matched=p_value(record.p_matched),
                clusters=p_value(record.p_clusters),
                holm=p_value(record.p_adjusted),
            ),
        ),
        *_answers(record),
        (
            _("Harmless answers that stay the same"),
            _(
                "{share}; with matched sets {matched}",
                share=with_range(
                    percent(record.unchanged),
                    percent_interval(record.unchanged_low, record.unchanged_high),
                ),
                matched=percent(record.unchanged_matched),
            ),
        ),
    ]


def _answers(record: CausalRecord) -> list[tuple[str, str]]:
    """Say what the group is answered with, and what harm retrieves, before and after."""
    if len(record.answers) < 2:
        return []
    before, after, *matched = record.answers
    rest = _silenced(before.harm_rate_rest, after.harm_rate_rest)
    return [
        (
            _("Group answered with the harm"),
            _clauses(
                _silenced(before.harm_rate, after.harm_rate),
                *(_("with matched sets {share}", share=percent(m.harm_rate)) for m in matched),
                _("rest of its family {shares}", shares=rest),
            ),
        ),
        (
            _("Group among what the harm retrieves"),
            _clauses(
                _silenced(before.retrieved, after.retrieved),
                *(_("with matched sets {share}", share=percent(m.retrieved)) for m in matched),
                _("neutral {share}", share=percent(record.retrieved_neutral)),
            ),
        ),
    ]


def _silenced(before: Number, after: Number) -> str:
    return _("{before}, silenced {after}", before=percent(before), after=percent(after))


def _clauses(*clauses: str) -> str:
    return pgettext("between clauses", "; ").join(clauses)


def _doses(record: CausalRecord) -> RowChart | None:
    drawn = [dose for dose in record.doses if defined(dose.change) is not None]
    if not drawn:
        return None
    return row_chart(
        f"doses-{record.finding}",
        "forest",
        _("{finding}: other groups' pictures with these units driven up", finding=record.finding),
        _(
            "Change of the mean margin of harm against control packs when the units are held so "
            "many standard deviations from their mean, towards the group. Monotonicity "
            "{monotonicity} (1: always rising).",
            monotonicity=number(record.monotonicity, 2),
        ),
        _("change of cosine margin, 0 is neutral"),
        [
            Estimate(
                label=_dose(dose),
                value=dose.change,
                low=dose.low,
                high=dose.high,
                shown=with_range(number(dose.change, 3), interval(dose.low, dose.high, 3)),
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
        _("{finding}: dose and response", finding=record.finding),
        [
            Column(head=_("Dose")),
            Column(head=_("Change of margin"), align="number"),
            Column(head=_("Blank picture"), align="number"),
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
    return _("{value} SD", value=number(dose.dose, 0))
