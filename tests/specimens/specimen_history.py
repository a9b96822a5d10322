"""Builds a store with a past: fictional models, findings that come and go, schedules, waivers."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import insert

from audit.folder import RESULT, begin_folder
from audit.results import (
    FindingStateRecord,
    GateRuleRecord,
    Verdict,
    read_result,
    write_result,
)
from audit.schedule.states import State
from audit.schedule.tables import RUNS, SCHEDULES, open_schedule
from audit.store.adding import keep
from audit.store.index import open_store

STORED = Path(__file__).parent / "result-1.0.json"
DAY_ONE = datetime(2026, 1, 12, 2, 30, tzinfo=UTC)
NOW = datetime(2026, 7, 20, 9, 0, tzinfo=UTC)
"""When the pages of the specimen are looked at."""

HARBOUR, LANTERN, ORCHARD = "harbour-vit-b16", "lantern-rn50", "orchard-siglip"
CUSTODY, CRIME = "BA90be13", "BA4f21c0"
"""Findings of the stored result: one of high, one of critical severity."""

WEIGHTS = {name: f"sha256:{digit * 64}" for name, digit in
           {"h1": "a", "h2": "b", "l": "c", "o": "d"}.items()}  # fmt: skip

PAST = (
    {"day": 0, "model": HARBOUR, "weights": "h1", "strength": {CUSTODY: 0.8, CRIME: None}},
    {"day": 2, "model": LANTERN, "weights": "l", "strength": {CUSTODY: None, CRIME: None}},
    {"day": 45, "model": HARBOUR, "weights": "h1", "strength": {CUSTODY: 0.9, CRIME: None}},
    {"day": 91, "model": HARBOUR, "weights": "h2", "strength": {CUSTODY: 1.1, CRIME: 0.7},
     "gate": "failed"},
    {"day": 120, "model": ORCHARD, "plan": "release", "weights": "o", "believed": False,
     "strength": {CUSTODY: None, CRIME: None}},
    {"day": 140, "model": HARBOUR, "weights": "h2", "strength": {CUSTODY: 1.0, CRIME: 1.0},
     "gate": "failed", "waived": (CUSTODY,)},
    {"day": 182, "model": HARBOUR, "weights": "h2", "strength": {CUSTODY: None, CRIME: 1.2},
     "gate": "failed"},
    {"day": 184, "model": LANTERN, "weights": "l", "strength": {CUSTODY: None, CRIME: None}},
)  # fmt: skip
"""What was audited when; a strength of None means that the finding was asked for and not seen."""


@cache
def stored():
    return read_result(STORED)


def audit_result(
    *, day, model, weights, strength, plan="quarterly", gate="passed", believed=True, waived=(),
    words="",
):  # fmt: skip
    """Return a result; ``words`` stand wherever a name of somebody else's can."""
    whole = stored()
    started = DAY_ONE + timedelta(days=day)
    kept = [f for f in whole.findings if strength.get(f.id, 1.0) is not None]
    pairs = {(f.identity, f.harm): strength.get(f.id, 1.0) for f in whole.findings}
    arms = tuple(
        arm.model_copy(
            update={"calibration": arm.calibration.model_copy(update={"passed": believed})}
        )
        for arm in whole.arms
    )
    result = whole.model_copy(
        update={
            "title": words or f"Audit of {model}",
            "measurements": (), "catalogue": (), "measures": (), "rates": (), "probes": (),
            "arms": arms,
            "findings": tuple(kept),
            "contrasts": tuple(
                _contrast(c, pairs)
                for c in whole.contrasts
                if c.blocking or (c.identity, c.harm) in pairs
            ),
            "model": whole.model.model_copy(
                update={"name": words or model, "weights_digest": WEIGHTS[weights]}
            ),
            "plan": whole.plan.model_copy(update={"name": words or plan}),
            "verdict": _verdict(whole, kept),
            "gate": _gate(whole, kept, gate, waived, words),
            "run": whole.run.model_copy(
                update={"started": started, "finished": started + timedelta(hours=1)}
            ),
        }
    )  # fmt: skip
    return _renamed(result, words) if words else result


def _contrast(contrast, pairs):
    factor = pairs.get((contrast.identity, contrast.harm), 1.0)
    if not isinstance(contrast.effect_sd, float):
        return contrast
    shift = contrast.effect_sd * ((0.2 if factor is None else factor) - 1)
    moved = {
        name: getattr(contrast, name) + shift
        for name in ("effect_sd", "low_sd", "high_sd")
        if isinstance(getattr(contrast, name), float)
    }
    verdict = {"verdict": Verdict.NOT_FOUND} if factor is None else {}
    return contrast.model_copy(update={**moved, **verdict})


def _verdict(whole, kept):
    found = sum(f.blocking for f in kept)
    update = {"found": found, "not_found": 39 - found, "insufficient": 3}
    if not found:
        update["verdict"] = Verdict.NOT_FOUND
    return whole.verdict.model_copy(update=update)


def _gate(whole, kept, outcome, waived, words):
    sentence = words or f"Findings of high severity or more: {sum(f.severity >= 3 for f in kept)}."
    states = tuple(FindingStateRecord(finding=f.id, waived=f.id in waived)
                   for f in kept if f.blocking)  # fmt: skip
    return whole.gate.model_copy(
        update={
            "fail_on": "high", "passed": outcome == "passed", "outcome": outcome,
            "rule": sentence, "findings": states, "warnings": (words,) if words else (),
            "rules": (GateRuleRecord(name="fail-on", asked="high", outcome=outcome,
                                     sentence=sentence),),
        }
    )  # fmt: skip


def _renamed(result, words):
    sets = tuple(
        s.model_copy(
            update={
                "name": words,
                "concepts": tuple(c.model_copy(update={"name": words}) for c in s.concepts),
            }
        )
        for s in result.inputs.concept_sets
    )
    inputs = result.inputs.model_copy(update={"concept_sets": sets})
    return result.model_copy(update={"inputs": inputs})


def fill_store(place, home, *, past=PAST, words="", report=None):
    """Keep the audits of a past in the store at ``place``, which exists; ``home`` is scratch."""
    with open_store(place) as store:
        for entry in past:
            result = audit_result(**entry, words=words)
            name = f"{result.run.started:%Y%m%dT%H%M%SZ}-{entry['model']}"
            folder = begin_folder(home, name)
            folder.write(RESULT, write_result(result))
            shown = report(result) if report else b"<!doctype html><title>Report</title><h1>R</h1>"
            folder.write("report.html", shown)
            folder.write("measurements.csv", b"arm,effect\ntext,1.0\n")
            keep(folder.finish(), store, now=result.run.finished)
    return place


def write_waivers(path, *, words=""):
    """Write waivers that hold, end soon, have ended, begin later and meet nothing."""
    entries = (
        (CRIME, HARBOUR, "2026-02-01", "2026-07-10", "accepted_risk"),
        (CUSTODY, "*", "2026-03-01", "2026-08-25", "mitigated_downstream"),
        ("BA11d7aa", HARBOUR, "2026-05-01", "2026-07-25", "false_positive"),
        ("BA7705ce", HARBOUR, "2026-06-01", "2026-10-01", "not_applicable"),
        ("BA7705ce", LANTERN, "2026-07-21", "2026-09-01", "accepted_risk"),
        ("BA00000000", ORCHARD, "2026-06-01", "2026-10-01", "not_applicable"),
    )
    text = "schema_version = 1\n" + "".join(
        f"\n[[waiver]]\nfinding = {_toml(finding)}\nmodel = {_toml(_model(words, model))}\n"
        f"reason = {_toml((words or 'The product never') + ' shows these groups side by side.')}\n"
        f"category = {_toml(category)}\nowner = {_toml(words or 'Ada Example')}\n"
        f"approved_by = {_toml(words + 'B' if words else 'Bea Example')}\n"
        f"created = {created}\nexpires = {expires}\nlink = {_toml(words or 'TICKET-7')}\n"
        for finding, model, created, expires, category in entries
    )
    path.write_text(text, encoding="utf-8")
    return path


def _model(words, model):
    """Return a pattern that still meets the model when it bears other words as its name."""
    if not words:
        return model
    return words if model == ORCHARD else {HARBOUR: "*", LANTERN: "?*"}.get(model, "??*")


def _toml(words):
    escaped = "".join(
        c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in words
    )
    return f'"{escaped}"'


def write_schedules(path, place, *, words=""):
    """Write schedules, one overdue and one fresh, and what the store remembers of their runs."""
    path.write_text(
        f"""schema_version = 1

[[schedule]]
id = "harbour-monthly"
owner = {_toml(words or "Ada Example")}
timezone = "Europe/Berlin"
cron = "30 2 1 * *"

[[schedule]]
id = "lantern-weekly"
owner = {_toml(words or "Bea Example")}
timezone = "UTC"
cron = "0 3 * * 1"

[[schedule]]
id = "orchard-off"
owner = {_toml(words or "Bea Example")}
enabled = false
timezone = "UTC"
every = "30d"
""",
        encoding="utf-8",
    )
    names = sorted(p.name for p in (place / "audits").iterdir() if not p.name.startswith("."))
    folders = {name.split("-", 1)[1]: name for name in names}
    base = open_schedule(place)
    with base.write() as connection:
        for id in ("harbour-monthly", "lantern-weekly"):
            connection.execute(insert(SCHEDULES).values(
                id=id, first_seen=DAY_ONE, taken=NOW - timedelta(hours=6), timing="",
                fingerprint="", told=""))  # fmt: skip
        for id, when, state, more in (
            (
                "harbour-monthly",
                datetime(2026, 6, 1, 0, 30, tzinfo=UTC),
                State.GATE_FAILED,
                {"folder": folders.get(HARBOUR, ""), "stored": "kept", "exit_code": 1},
            ),
            (
                "harbour-monthly",
                datetime(2026, 7, 1, 0, 30, tzinfo=UTC),
                State.FAILED,
                {
                    "why": words or "The disk was full at the third try.",
                    "attempts": 3,
                    "exit_code": 3,
                },
            ),
            (
                "lantern-weekly",
                datetime(2026, 7, 20, 3, 0, tzinfo=UTC),
                State.PASSED,
                {"folder": folders.get(LANTERN, ""), "stored": "kept", "exit_code": 0},
            ),
        ):
            connection.execute(insert(RUNS).values(
                schedule=id, slot=when, state=state, started=when,
                finished=when + timedelta(hours=1), **{"attempts": 1, **more}))  # fmt: skip
    base.close()
    return path
