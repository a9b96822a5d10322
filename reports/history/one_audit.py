"""One audit as it is kept: its answer, its gate, its findings, and its files."""

from collections.abc import Sequence

from reports.blocks import Column, Table, table
from reports.history.addresses import AUDITS, OVERVIEW, to_audit, to_file, to_finding, to_model
from reports.history.cells import Entry, Line, line
from reports.history.facts import (
    AuditFact,
    FileFact,
    FindingFact,
    GateFact,
    SightingFact,
    StoreFact,
)
from reports.history.pages import Page, draw
from reports.history.words import (
    ARMS,
    GATES,
    answer_entry,
    care_of,
    day,
    effect,
    gate_entry,
    limits,
    minute,
)
from reports.quantities import plural

REPORT = "report.html"


def audit_page(
    store: StoreFact,
    audit: AuditFact,
    *,
    before: AuditFact | None,
    findings: Sequence[FindingFact],
    files: Sequence[FileFact],
    gate: GateFact | None,
) -> bytes:
    """Render one audit as it is kept.

    Parameters
    ----------
    before : AuditFact or None
        The audit before it of the same model and plan.
    findings : sequence of FindingFact
        Lives of the findings of its model; those that this audit saw are listed.
    files : sequence of FileFact
        Of its folder, compared with what was recorded when it was kept.
    gate : GateFact or None
        From its result; None where that cannot be read.
    """
    care = care_of(store)
    seen = [(life, s) for life in findings for s in life.sightings if s.audit == audit.folder]
    seen.sort(key=lambda pair: (not pair[1].blocking, -pair[1].severity, pair[0].finding))
    readable = {file.name for file in files if file.state == "as kept"}
    said = {
        "subject": care.within(audit.title) if audit.title != f"Audit of {audit.model}" else "",
        "answer_kind": audit.verdict if audit.trustworthy else "is-bad",
        "answer": answer_entry(audit),
        "verdict": _verdict(audit),
        "gate": gate_entry(audit),
        "gate_rule": care.within(gate.rule) if gate else "",
        "rules": _rules(gate, store),
        "warnings": [care.within(words) for words in gate.warnings] if gate else [],
        "facts": _facts(audit, before),
        "findings": _findings(seen),
        "files": _files(audit, files),
        "report": to_file(audit.folder, REPORT) if REPORT in readable else "",
        "damaged": [file.name for file in files if file.state != "as kept"],
        "folder": audit.folder,
    }
    heading = f"Audit of {audit.model} on {day(audit.started)}"
    crumbs = (("Overview", OVERVIEW), ("Audits", AUDITS), (audit.model, to_model(audit.model)))
    return draw(Page(template="audit", heading=heading,
                     title=f"Audit {audit.folder} of {audit.model} · clip-audit history",
                     crumbs=crumbs, said=said), store)  # fmt: skip


def _verdict(audit: AuditFact) -> str:
    all_of = audit.found + audit.not_found + audit.insufficient
    return (
        f"Of {plural(all_of, 'contrast')} fixed beforehand, {audit.found} "
        f"{'was' if audit.found == 1 else 'were'} found, {audit.not_found} not found, and "
        f"{audit.insufficient} had insufficient evidence."
    )


def _facts(audit: AuditFact, before: AuditFact | None) -> tuple[Line, ...]:
    changed = before is not None and before.weights_digest != audit.weights_digest
    other_plan = before is not None and before.plan_digest != audit.plan_digest
    return (
        Line(label="Model", entry=Entry(text=audit.model, link=to_model(audit.model))),
        line("Weights", audit.weights_digest or "not seen", code=bool(audit.weights_digest),
             note="Other weights than in the audit before it." if changed else ""),
        line("Plan", audit.plan, link=to_model(audit.model, audit.plan),
             note="Changed since the audit before it." if other_plan else ""),
        line("Plan, digest", audit.plan_digest, code=True),
        line("Thresholds, digest", audit.thresholds_digest, code=True),
        line("Started", minute(audit.started)),
        line("Finished", minute(audit.finished)),
        line("Result, digest", audit.digest, code=True),
        line("Known by", audit.id, code=True),
        line("Record of the chain", str(audit.position)),
        line("Folder", audit.folder, code=True),
        line("Signature", "There is one beside it" if audit.signed else "None"),
        line("Made by", f"clip-audit {audit.tool}"),
        Line(label="Audit before it", entry=Entry(
            text=day(before.started) if before else "None of this model and plan",
            link=to_audit(before.folder) if before else "")),
    )  # fmt: skip


def _rules(gate: GateFact | None, store: StoreFact) -> Table | None:
    if gate is None or not gate.rules:
        return None
    care = care_of(store)
    rows = []
    for name, outcome, sentence in gate.rules:
        word, tone = GATES.get(outcome, (outcome, "care"))
        rows.append((Entry(text=name), Entry(text=word, tone=tone),
                     Entry(text=care.within(sentence))))  # fmt: skip
    columns = (Column(head="Rule"), Column(head="Outcome"), Column(head="Why", width="wide"))
    return table("rules", "Rules that were asked for", columns, rows, lies_in="result.json")


def _findings(seen: Sequence[tuple[FindingFact, SightingFact]]) -> Table | None:
    if not seen:
        return None
    columns = (
        Column(head="Finding", width="name"), Column(head="Severity"), Column(head="Grade"),
        Column(head="Effect, SD", align="number"), Column(head="Strongest in"),
        Column(head="Standing"),
    )  # fmt: skip
    rows = [
        (
            Entry(text=f"{life.identity_name} and {life.harm_name}",
                  link=to_finding(life.model, life.fingerprint), note=life.finding),
            Entry(text="", severity=s.severity),
            Entry(text=s.grade.capitalize(), note=s.marks),
            Entry(text=effect(s.effect), note=limits(s.low, s.high)),
            Entry(text=ARMS.get(s.arm, s.arm)),
            Entry(text=_standing(s), note=_since(life, s)),
        )
        for life, s in seen
    ]  # fmt: skip
    return table("findings", f"{plural(len(rows), 'finding')} of this audit", columns, rows,
                 lies_in="result.json")  # fmt: skip


def _standing(sighting: SightingFact) -> str:
    kind = "Blocking" if sighting.blocking else "Exploratory"
    return f"{kind}, waived" if sighting.waived else kind


def _since(life: FindingFact, sighting: SightingFact) -> str:
    return "first seen here" if life.sightings[0] == sighting else ""


def _files(audit: AuditFact, files: Sequence[FileFact]) -> Table | None:
    if not files:
        return None
    rows = []
    for file in files:
        kept = file.state == "as kept"
        rows.append((
            Entry(text=file.name, link=to_file(audit.folder, file.name) if kept else "", code=True),
            Entry(text=_size(file.size) if file.state != "missing" else "·"),
            Entry(text=file.state.capitalize(), tone="good" if kept else "bad",
                  note="" if kept else "not handed out"),
        ))  # fmt: skip
    columns = (Column(head="File", width="name"), Column(head="Size", align="number"),
               Column(head="State"))  # fmt: skip
    return table("files", "Files, compared with what was recorded when they were kept", columns,
                 rows, lies_in="the folder")  # fmt: skip


def _size(size: int) -> str:
    if size < 1_000:
        return plural(size, "byte")
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
