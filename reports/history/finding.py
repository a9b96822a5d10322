"""A finding's life: when it was first seen, how strong, and who accepted it until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from reports.blocks import Column, Table, table
from reports.history.addresses import OVERVIEW, to_audit, to_finding, to_model
from reports.history.cells import ALL_ROWS_LIE_IN, Entry, Line, line
from reports.history.facts import (
    AuditFact,
    FindingFact,
    PointFact,
    SightingFact,
    StoreFact,
    WaiverFact,
)
from reports.history.model import (
    measured_in,
    name_of,
    points_of,
    seen_in,
    standing_of,
    stops_of,
)
from reports.history.pages import Page, draw
from reports.history.trends import (
    MOST_STOPS,
    TrendChart,
    effect_scale,
    left_out,
    trend_chart,
)
from reports.history.waivers import waivers_table
from reports.history.words import (
    ARMS,
    IN_SD,
    NO_TEST,
    TIERS,
    VERDICTS,
    answer_entry,
    day,
    effect,
    limits,
    short_digest,
)
from reports.quantities import listed, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTrend:
    """The effect in one arm over the audits."""

    arm: str
    chart: TrendChart


def finding_page(
    store: StoreFact,
    life: FindingFact,
    audits: Sequence[AuditFact],
    waivers: Sequence[WaiverFact],
    others: Sequence[str],
) -> bytes:
    """Render a finding's life.

    Parameters
    ----------
    life : FindingFact
    audits : sequence of AuditFact
        Of its model, the earliest kept first; also those that did not ask.
    waivers : sequence of WaiverFact
        Those that name it, whatever their state.
    others : sequence of str
        Other models that the same finding was seen in.
    """
    arms = _arms(life)
    word, tone = standing_of(life)
    said = {
        "severity": life.latest.severity,
        "standing": word,
        "tone": tone,
        "lead": _lead(life, audits),
        "facts": _facts(life, audits),
        "charts": _charts(life, audits, arms),
        "listed": _seen(life, audits, arms),
        "waivers": waivers_table(waivers, store) if waivers else None,
        "waivers_given": store.waivers_given,
        "others": [(name, to_finding(name, life.fingerprint)) for name in others],
        "earlier": left_out(len(audits)),
        "in_sd": IN_SD,
        "no_test": NO_TEST,
    }
    asked = f", plan {life.plan}" if life.plan else ""
    crumbs = (("Overview", OVERVIEW), (life.model, to_model(life.model, life.plan)))
    return draw(Page(template="finding", heading=name_of(life),
                     title=f"Finding {life.finding} in {life.model}{asked} · clip-audit history",
                     crumbs=crumbs, said=said), store)  # fmt: skip


def _arms(life: FindingFact) -> tuple[str, ...]:
    """Return the arms that have numbers, the one in which it was strongest last first."""
    there = dict.fromkeys([life.latest.arm, *(point.arm for point in points_of(life))])
    return tuple(arm for arm in there if arm)


def _lead(life: FindingFact, audits: Sequence[AuditFact]) -> str:
    by_folder = {audit.folder: audit for audit in audits}
    first, last = by_folder[life.sightings[0].audit], by_folder[life.latest.audit]
    seen = f"First seen on {day(first.started)} and {seen_in(life)} since."
    more = "less" if (life.latest.effect or 0.0) < 0 else "more"
    now = ("associates", "does") if life.open else ("associated", "did")
    asked = f"{life.model} {now[0]} “{life.identity_name}” with “{life.harm_name}” {more} than it"
    ended = "" if life.open else f" Last seen on {day(last.started)}; a later audit asked again."
    return f"{asked} {now[1]} the rest of the family. {seen}{ended}"


def _facts(life: FindingFact, audits: Sequence[AuditFact]) -> tuple[Line, ...]:
    by_folder = {audit.folder: audit for audit in audits}
    first, last = by_folder[life.sightings[0].audit], by_folder[life.latest.audit]
    latest = life.latest
    tiers = [TIERS[tier] for tier, _ in groupby(s.severity for s in life.sightings)]
    return (
        Line(label="First seen", entry=Entry(text=day(first.started), link=to_audit(first.folder))),
        Line(label="Last seen", entry=Entry(text=day(last.started), link=to_audit(last.folder))),
        *(() if len(tiers) == 1 else (line("Severity over time", ", then ".join(tiers)),)),
        line("Grade", latest.grade.capitalize(), note=latest.marks and f"Marks: {latest.marks}"),
        line("Counts for the verdict", "Yes: fixed beforehand" if latest.blocking
             else "No: exploratory"),
        line("Family", life.family),
        line("Concepts", f"{life.identity} × {life.harm}", code=True),
        line("Known by", f"{life.finding}, {life.fingerprint}", code=True),
    )  # fmt: skip


def _charts(
    life: FindingFact, audits: Sequence[AuditFact], arms: Sequence[str]
) -> tuple[ArmTrend, ...]:
    stops, latest = stops_of(audits)[-MOST_STOPS:], audits[-MOST_STOPS:]
    drawn = {arm: measured_in(points_of(life), latest, arm) for arm in arms}
    down = effect_scale([point for points in drawn.values() for point in points])
    return tuple(
        ArmTrend(
            arm=ARMS.get(arm, arm),
            chart=trend_chart(
                f"arm-{arm}", f"{ARMS.get(arm, arm)}: effect over the audits",
                f"Effect with 95 % interval in {plural(len(measured), 'audit')}, in control SD; "
                "the table below has the numbers.",
                stops, measured, down,
            ),
        )
        for arm, measured in drawn.items()
        if measured
    )  # fmt: skip


def _seen(life: FindingFact, audits: Sequence[AuditFact], arms: Sequence[str]) -> Table:
    sightings = {sighting.audit: sighting for sighting in life.sightings}
    points = {(point.audit, point.arm): point for point in points_of(life)}
    asked = {point.audit for point in life.points} | set(sightings)
    stops = dict(zip((a.id for a in audits), stops_of(audits), strict=True))
    columns = (
        Column(head="Audit", width="day"), Column(head="Seen", width="name"),
        *(Column(head=f"{ARMS.get(arm, arm)}, SD", align="number") for arm in arms),
        Column(head="Whole audit"),
    )  # fmt: skip
    rows = []
    for audit in reversed(audits):
        new = stops[audit.id].new_weights
        rows.append((
            Entry(text=day(audit.started), link=to_audit(audit.folder),
                  note=listed([f"plan {audit.plan}", *(
                      [f"new weights {short_digest(audit.weights_digest)}"] if new else [])])),
            _state(audit, sightings, asked),
            *(_effect(points, audit, arm) for arm in arms),
            answer_entry(audit),
        ))  # fmt: skip
    return table("seen", f"Every audit of {life.model}, the one kept last first", columns, rows,
                 lies_in=ALL_ROWS_LIE_IN)  # fmt: skip


def _state(audit: AuditFact, sightings: Mapping[str, SightingFact], asked: set[str]) -> Entry:
    sighting = sightings.get(audit.folder)
    if sighting is not None:
        waived = "waived on that day" if sighting.waived else ""
        return Entry(text="Seen", severity=sighting.severity, note=waived)
    if audit.folder in asked:
        return Entry(text="Asked and not seen")
    return Entry(text="Not asked", note="its plan did not fix this contrast")


def _effect(points: Mapping[tuple[str, str], PointFact], audit: AuditFact, arm: str) -> Entry:
    point = points.get((audit.folder, arm))
    if point is None:
        return Entry(text="·")
    verdict = VERDICTS.get(point.verdict, point.verdict)
    note = limits(point.low, point.high)
    return Entry(text=effect(point.effect), note=f"{note}; {verdict.lower()}" if note else verdict)
