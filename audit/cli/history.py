"""``clip-audit history``: models, their audits, and the life of every finding."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from audit.cli.printing import say
from audit.cli.store import store_option, told
from audit.errors import ResultError
from audit.results import Severity
from audit.store.database import Database
from audit.store.history import (
    FindingLife,
    KeptAudit,
    KeptModel,
    Sighting,
    audits,
    findings,
    models,
)
from audit.store.index import open_store

SHOWN = 12
"""Audits and findings of each model that the text shows without ``--all``."""


@click.command()
@store_option
@click.option("--model", default=None, help="Only this one, with everything known of it.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text",
              show_default=True)  # fmt: skip
def history(place: Path, model: str | None, form: str) -> None:
    """Tell what a store remembers of its models: audits, and findings over time.

    The order is that in which audits were kept. Effects are in control standard deviations of
    their own audit.
    """
    with open_store(place) as opened:
        known = [m for m in models(opened.database) if model in {None, m.name}]
        if model is not None and not known:
            raise ResultError(
                f"The store {place} has no audit of {model!r}. `clip-audit history` lists models."
            )
        if form == "json":
            told_of = [_document(opened.database, one) for one in known]
            say(json.dumps(told_of, default=_plain, indent=1, ensure_ascii=False))
            return
        lines = [
            line for one in known for line in _lines(opened.database, one, whole=model is not None)
        ]
    for line in lines or [f"No audits in {place}."]:
        say(line, bold=bool(line) and not line.startswith(" "))


def _document(database: Database, model: KeptModel) -> dict[str, Any]:
    return {
        **asdict(model),
        "history": [asdict(audit) for audit in audits(database, model=model.name)],
        "findings": [asdict(life) for life in findings(database, model.name)],
    }


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot be written: {value!r}")


def _lines(database: Database, model: KeptModel, *, whole: bool) -> Iterator[str]:
    own, lives = audits(database, model=model.name), findings(database, model.name)
    yield f"{model.name}: {model.audits} audits, {model.weights} different weights"
    last = model.last_passing
    yield f"  Last that passed: {last.folder}" if last else "  None of its audits passed."
    yield "  Audits, the last kept first:"
    yield from _some([_audit_line(a) for a in reversed(own)], whole)
    if lives:
        yield "  Findings over these audits:"
        yield from _some([line for life in lives for line in _life_lines(life)], whole)


def _some(lines: Sequence[str], whole: bool) -> Iterator[str]:
    shown = lines if whole else lines[:SHOWN]
    for line in shown:
        yield f"    {line}"
    if len(lines) > len(shown):
        yield f"    ... and {len(lines) - len(shown)} more lines: --model shows them"


def _audit_line(audit: KeptAudit) -> str:
    return f"{audit.started:%Y-%m-%d}  {audit.folder}  {audit.plan}  {told(audit)}"


def _life_lines(life: FindingLife) -> Iterator[str]:
    first, last = life.sightings[0], life.sightings[-1]
    tier = Severity(last.severity).name.lower()
    state = "open" if life.open else "not seen any more"
    kind = "" if last.blocking else ", exploratory"
    waived = ", waived" if last.waived else ""
    yield (
        f"{life.finding}  {tier:<8} {life.identity_name} and {life.harm_name}: {state}{waived}, "
        f"in {len(life.sightings)} of {life.asked} audits, {first.started:%Y-%m-%d} to "
        f"{last.started:%Y-%m-%d}{kind}"
    )
    yield f"    {' -> '.join(_effect(s) for s in life.sightings[-4:])} ({last.arm or 'no arm'})"


def _effect(sighting: Sighting) -> str:
    if sighting.effect_sd is None:
        return "undefined"
    if sighting.low_sd is None or sighting.high_sd is None:
        return f"{sighting.effect_sd:.1f} SD"
    return f"{sighting.effect_sd:.1f} SD [{sighting.low_sd:.1f}, {sighting.high_sd:.1f}]"
