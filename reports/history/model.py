"""A model: its audits, and how strong each of its findings was over them."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.blocks import Column, Table, table
from reports.history.addresses import MODEL, OVERVIEW, to_audit, to_finding, to_model
from reports.history.audits import audits_table, choice, previous_of
from reports.history.cells import Entry, Line, line
from reports.history.facts import AuditFact, FindingFact, ModelFact, PointFact, StoreFact, Tone
from reports.history.pages import Page, draw
from reports.history.trends import (
    MOST_STOPS,
    Measured,
    Stop,
    TrendChart,
    effect_scale,
    left_out,
    trend_chart,
)
from reports.history.words import (
    ARMS,
    IN_SD,
    NO_TEST,
    VERDICTS,
    day,
    effect,
    limits,
    short_digest,
)
from reports.quantities import plural

MOST_TRENDS = 24
"""Findings that are drawn; the table above them has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A finding over the audits of a model."""

    title: str
    link: str
    severity: int
    standing: str
    tone: Tone
    chart: TrendChart | None
    """None where no effect of it is defined."""

    table: Table


def model_page(
    store: StoreFact,
    audits: Sequence[AuditFact],
    findings: Sequence[FindingFact],
    states: Sequence[ModelFact],
    *,
    plan: str,
    plans: Sequence[str],
) -> bytes:
    """Render a model.

    Parameters
    ----------
    audits : sequence of AuditFact
        Of the model, by the plan that was asked for or by all; at least one.
    findings : sequence of FindingFact
        Their lives, those still open and most severe first.
    states : sequence of ModelFact
        How the model stands under each plan shown.
    plan : str
        The plan that was asked for; empty for all.
    plans : sequence of str
        Every plan of the model.
    """
    name = audits[-1].model
    said = {
        "facts": _facts(audits, states),
        "choices": (choice("plan", "Plan", plan, plans),),
        "action": MODEL,
        "fixed": (("name", name),),
        "narrowed": bool(plan),
        "whole": to_model(name),
        "listed": audits_table(audits, store, of_one_model=True),
        "findings": findings_table(findings),
        "trends": trends(findings[:MOST_TRENDS], audits),
        "left_out": max(0, len(findings) - MOST_TRENDS),
        "earlier": left_out(len(audits)),
        "in_sd": IN_SD,
        "no_test": NO_TEST,
        "mixed": len({audit.plan for audit in audits}) > 1,
    }
    asked = f", plan {plan}" if plan else ""
    return draw(Page(template="model", heading=f"{name}{asked}",
                     title=f"Model {name}{asked} · clip-audit history",
                     crumbs=(("Overview", OVERVIEW),), said=said), store)  # fmt: skip


def _facts(audits: Sequence[AuditFact], states: Sequence[ModelFact]) -> tuple[Line, ...]:
    weights = {audit.weights_digest for audit in audits}
    ages = [
        line(f"Age, plan {state.plan}", state.age.sentence,
             tone="bad" if state.age.state == "stale" else None)
        for state in states
    ]  # fmt: skip
    passing = next((a for a in reversed(audits) if a.gate == "passed" and a.trustworthy), None)
    return (
        line("Audits", f"{len(audits)}, the first on {day(audits[0].started)}"),
        line("Weights", f"{plural(len(weights), 'set')} of weights under this name"),
        Line(label="Last that passed its gate", entry=Entry(
            text=day(passing.started) if passing else "None",
            link=to_audit(passing.folder) if passing else "")),
        *ages,
    )  # fmt: skip


def stops_of(audits: Sequence[AuditFact]) -> tuple[Stop, ...]:
    """Return audits as places of a time axis, with changes of weights and plan."""
    before = previous_of(audits)
    return tuple(
        Stop(
            label=day(audit.started),
            new_weights=(b := before[audit.id]) is not None
            and b.weights_digest != audit.weights_digest,
            new_plan=b is not None and b.plan_digest != audit.plan_digest,
        )
        for audit in audits
    )


def measured_in(
    points: Sequence[PointFact], audits: Sequence[AuditFact], arm: str
) -> tuple[Measured, ...]:
    """Return the defined effects of one arm, in the order of the audits."""
    place = {audit.folder: n for n, audit in enumerate(audits)}
    return tuple(
        sorted(
            (
                Measured(stop=place[p.audit], verdict=p.verdict, effect=p.effect, low=p.low,
                         high=p.high)
                for p in points
                if p.arm == arm and p.effect is not None and p.audit in place
            ),
            key=lambda measured: measured.stop,
        )
    )  # fmt: skip


def points_of(life: FindingFact) -> tuple[PointFact, ...]:
    """Return what was measured of a finding: its contrast where fixed, else where it was seen."""
    if life.points:
        return life.points
    return tuple(
        PointFact(audit=s.audit, arm=s.arm, verdict="found", effect=s.effect, low=s.low,
                  high=s.high)
        for s in life.sightings
    )  # fmt: skip


def name_of(life: FindingFact) -> str:
    """Name a finding by its concepts."""
    return f"{life.identity_name} and {life.harm_name}"


def standing_of(life: FindingFact) -> tuple[str, Tone]:
    """Say whether a finding is still there."""
    if not life.open:
        return "Not seen any more", "none"
    if life.latest.waived:
        return "Open, waived", "care"
    return "Open", "bad" if life.latest.blocking else "care"


def seen_in(life: FindingFact) -> str:
    """Say in how many of the audits that asked a finding was seen."""
    return f"in {len(life.sightings)} of {plural(life.asked, 'audit')} that asked"


def findings_table(findings: Sequence[FindingFact]) -> Table | None:
    """List findings, those still open and most severe first."""
    if not findings:
        return None
    columns = (
        Column(head="Finding", width="name"), Column(head="Severity"), Column(head="Standing"),
        Column(head="Latest effect, SD", align="number"), Column(head="Strongest in"),
    )  # fmt: skip
    rows = []
    for life in findings:
        word, tone = standing_of(life)
        last = life.latest
        rows.append((
            Entry(text=name_of(life), link=to_finding(life.model, life.fingerprint, life.plan),
                  note=life.finding if last.blocking else f"{life.finding}, exploratory"),
            Entry(text="", severity=last.severity),
            Entry(text=word, tone=tone, note=seen_in(life)),
            Entry(text=effect(last.effect), note=limits(last.low, last.high)),
            Entry(text=ARMS.get(last.arm, last.arm)),
        ))  # fmt: skip
    return table("findings", "Findings, those still open and most severe first", columns, rows,
                 lies_in="what `clip-audit history --format json` prints")  # fmt: skip


def trends(findings: Sequence[FindingFact], audits: Sequence[AuditFact]) -> tuple[Trend, ...]:
    """Draw findings over the audits, on one scale, each in the arm where it was seen last."""
    stops, latest = stops_of(audits)[-MOST_STOPS:], audits[-MOST_STOPS:]
    drawn = {life.fingerprint: measured_in(points_of(life), latest, life.latest.arm)
             for life in findings}  # fmt: skip
    down = effect_scale([point for points in drawn.values() for point in points])
    told = []
    for number, life in enumerate(findings):
        measured, (word, tone) = drawn[life.fingerprint], standing_of(life)
        arm = ARMS.get(life.latest.arm, life.latest.arm)
        chart = trend_chart(
            f"trend-{number}", f"{name_of(life)}: {arm.lower()}",
            f"Effect with 95 % interval in {plural(len(measured), 'audit')}, in control SD; "
            "the table beside it has the numbers.",
            stops, measured, down,
        ) if measured else None  # fmt: skip
        told.append(Trend(
            title=name_of(life), link=to_finding(life.model, life.fingerprint, life.plan),
            severity=life.latest.severity, standing=f"{word}, {seen_in(life)}", tone=tone,
            chart=chart,
            table=effects_table(f"effects-{number}", f"{name_of(life)}, {arm.lower()}",
                                points_of(life), audits, life.latest.arm),
        ))  # fmt: skip
    return tuple(told)


def effects_table(
    id: str, caption: str, points: Sequence[PointFact], audits: Sequence[AuditFact], arm: str
) -> Table:
    """List the effects of one arm, the latest audit first."""
    own = {point.audit: point for point in points if point.arm == arm}
    new = {a.id: stop.new_weights for a, stop in zip(audits, stops_of(audits), strict=True)}
    rows = [
        (
            Entry(text=day(audit.started), link=to_audit(audit.folder),
                  note=f"new weights {short_digest(audit.weights_digest)}" if new[audit.id]
                  else ""),
            Entry(text=effect(own[audit.folder].effect),
                  note=limits(own[audit.folder].low, own[audit.folder].high)),
            Entry(text=VERDICTS.get(own[audit.folder].verdict, own[audit.folder].verdict)),
        )
        for audit in reversed(audits)
        if audit.folder in own
    ]  # fmt: skip
    columns = (Column(head="Audit", width="day"), Column(head="Effect, SD", align="number"),
               Column(head="Answer"))  # fmt: skip
    return table(id, caption, columns, rows, screen_limit=50, compact=True,
                 lies_in="what `clip-audit history --format json` prints")  # fmt: skip
