"""The gate's rules, the baseline, and what people accepted for a time."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.results import AuditResult
from reports.blocks import Column, Row, Table, table, text
from reports.messages import N_, _, stored
from reports.names import Names
from reports.quantities import interval, signed
from reports.wording import gate_headline

OUTCOMES = {"passed": N_("passed"), "failed": N_("failed"), "inconclusive": N_("inconclusive")}

BASELINES = {
    "new": N_("new"),
    "known": N_("known"),
    "worse": N_("worse"),
    "not compared": N_("not compared"),
}

WAIVER_STATES = {
    "active": N_("active"),
    "expired": N_("expired: the finding counts again"),
    "not yet valid": N_("not yet valid"),
    "other model": N_("made for another model"),
    "unused": N_("unused: no such finding"),
}

CATEGORIES = {
    "false_positive": N_("false positive"),
    "accepted_risk": N_("accepted risk"),
    "mitigated_downstream": N_("mitigated downstream"),
    "not_applicable": N_("not applicable"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """The section of the gate."""

    headline: str
    rule: str
    rules: Table | None
    states: Table | None
    waivers: Table | None
    no_waivers: str
    warnings: tuple[str, ...]


def gate_view(result: AuditResult, names: Names) -> GateView:
    """Tell each rule with its outcome, and every waiver; none hides a finding."""
    gate = result.gate
    return GateView(
        headline=gate_headline(gate),
        rule=names.sentence(stored(gate.rule)),
        rules=_rules(result, names),
        states=_states(result, names),
        waivers=_waivers(result, names),
        no_waivers=(
            _("A waiver file was read; it holds no waiver.")
            if gate.waivers_digest
            else _("No waiver file was given: every finding counts.")
        ),
        warnings=tuple(names.sentence(stored(words)) for words in gate.warnings),
    )


def _rules(result: AuditResult, names: Names) -> Table | None:
    rows: list[Row] = [
        (
            text(rule.name, rule.asked),
            text(_(OUTCOMES[rule.outcome])),
            text(names.sentence(stored(rule.sentence)), ", ".join(rule.findings)),
        )
        for rule in result.gate.rules
    ]
    columns = (Column(head=_("Rule"), width="name"), Column(head=_("Outcome")),
               Column(head=_("Why"), width="reading"))  # fmt: skip
    return table("gate-rules", _("Rules of the gate"), columns, rows) if rows else None


def _states(result: AuditResult, names: Names) -> Table | None:
    """List findings that a baseline or a waiver says something of."""
    found = {finding.id: finding for finding in result.findings}
    counted = [s for s in result.gate.findings if s.waived or s.baseline != "not compared"]
    rows = [
        (
            text(
                _("{group} and {harm}", group=names.concept(found[state.finding].identity),
                  harm=names.concept(found[state.finding].harm)) if state.finding in found
                else state.finding,
                state.finding,
            ),
            text(_(BASELINES[state.baseline])),
            text(signed(state.change_sd), interval(state.low, state.high)),
            text(_("yes") if state.waived else _("no")),
        )
        for state in counted
    ]  # fmt: skip
    columns = (Column(head=_("Finding"), width="subject"), Column(head=_("Against the baseline")),
               Column(head=_("Change in control SD"), align="number", width="span"),
               Column(head=_("Waived")))  # fmt: skip
    return table("gate-findings", _("Findings and how they count"), columns, rows) if rows else None


def _waivers(result: AuditResult, names: Names) -> Table | None:
    rows = list(_waiver_rows(result, names))
    columns = (
        Column(head=_("Finding")),
        Column(head=_("State")),
        Column(head=_("Reason"), width="reading"),
        Column(head=_("Owner and approver"), width="name"),
        Column(head=_("From and until"), width="span"),
    )
    return table("waivers", _("Findings that people accepted"), columns, rows) if rows else None


def _waiver_rows(result: AuditResult, names: Names) -> Iterable[Row]:
    for waiver in result.gate.waivers:
        category = CATEGORIES.get(waiver.category)
        yield (
            text(waiver.finding),
            text(_(WAIVER_STATES[waiver.state])),
            text(names.sentence(waiver.reason), _(category) if category else waiver.category),
            text(waiver.owner, waiver.approved_by),
            text(waiver.created.isoformat(), waiver.expires.isoformat()),
        )
