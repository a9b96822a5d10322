"""From an address to a page: one row for each, and a way back where there is none."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from audit.cli.serve_facts import events_of, life_of, lives_of, models_of, waivers_of
from audit.cli.serve_kept import content_of, files_of, told_by
from audit.cli.serve_sources import Looked, Sources, look, store_fact
from audit.errors import OutputError, ResultError
from audit.store.place import INDEX
from audit.store.reading import models_with
from audit.store.remembered import KeptAudit
from reports.history.addresses import (
    AUDIT,
    AUDITS,
    FILE,
    FINDING,
    MODEL,
    OVERVIEW,
    SCHEDULES,
    WAIVERS,
)
from reports.history.audits import audits_page, previous_of
from reports.history.facts import EventFact, FileFact, StoreFact
from reports.history.finding import finding_page
from reports.history.message import message_page
from reports.history.model import MOST_TRENDS, model_page
from reports.history.one_audit import audit_page
from reports.history.overview import overview
from reports.history.schedules import schedules_page
from reports.history.waivers import waivers_page

HTML = "text/html; charset=utf-8"
KINDS = {".html": HTML, ".json": "application/json", ".csv": "text/csv; charset=utf-8",
         ".pdf": "application/pdf"}  # fmt: skip
SHOWN = {".html"}
"""Kinds of files that open in the browser; all others are handed over as downloads."""

AGAIN = 3
"""How often a page is made again where a writer was at work meanwhile."""

FIELDS = 20
"""Names that a query may have."""

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back."""

    status: int
    content: bytes
    kind: str = HTML
    download: str = ""
    """Name under which it is saved; empty for what is shown."""

    is_file: bool = False
    """Whether somebody else wrote it: a file of an audit."""


class MissingError(Exception):
    """Nothing is at an address; the sentence says what is not there."""


def answer(sources: Sources, target: str) -> Answer:
    """Answer a request for an address; it reads the store anew.

    Parameters
    ----------
    sources : Sources
        What is shown.
    target : str
        Path and query, as they stand in the request.

    Returns
    -------
    Answer
        404 where nothing is there, 409 for a file that was changed, and 500 where the store
        cannot be read, each with a page that says what to do.
    """
    parts = urlsplit(target)
    fact = store_fact(sources, sources.clock())
    try:
        query = {k: v[0] for k, v in parse_qs(parts.query, max_num_fields=FIELDS).items()}
    except ValueError:
        return _message(fact, 400, f"A query must have at most {FIELDS} names.")
    page = PAGES.get(parts.path) if not parts.netloc else None
    if page is None:
        return _message(fact, 404, f"Nothing is at {parts.path}.")
    try:
        return _steady(sources, lambda looked: page(looked, query))
    except MissingError as error:
        return _message(fact, 404, str(error))
    except (ResultError, OutputError) as error:
        return _message(fact, 500, str(error))


def _message(fact: StoreFact, status: int, *sentences: str) -> Answer:
    return Answer(status=status, content=message_page(fact, status, sentences))


def _steady(sources: Sources, made: Callable[[Looked], Answer]) -> Answer:
    """Make a page from a store that nobody wrote meanwhile.

    A reader without the right to write takes no lock: where the index changed under it, what it
    read may not belong together.
    """
    for _ in range(AGAIN - 1):
        before = _stamp(sources.place)
        with suppress(ResultError):
            told = _looked(sources, made)
            if _stamp(sources.place) == before:
                return told
            continue
        if _stamp(sources.place) == before:
            break
    return _looked(sources, made)


def _looked(sources: Sources, made: Callable[[Looked], Answer]) -> Answer:
    with look(sources) as looked:
        return made(looked)


def _stamp(place: Path) -> tuple[tuple[int, int], ...]:
    found = []
    for name in (INDEX, f"{INDEX}-wal"):
        with suppress(OSError):
            seen = (place / name).stat()
            found.append((seen.st_mtime_ns, seen.st_size))
    return tuple(found)


def _overview(looked: Looked, query: Query) -> Answer:
    events: tuple[EventFact, ...] = ()
    with suppress(ResultError):  # A chain that does not hold is told among the troubles.
        events = events_of(looked)
    timetable = looked.timetable
    return Answer(
        status=200,
        content=overview(
            looked.fact, models_of(looked), timetable.schedules if timetable else (),
            waivers_of(looked), events,
        ),
    )  # fmt: skip


def _audits(looked: Looked, query: Query) -> Answer:
    asked = {name: query.get(name, "") for name in ("model", "plan", "gate")}
    return Answer(status=200, content=audits_page(looked.fact, looked.rows, **asked))


def _model(looked: Looked, query: Query) -> Answer:
    name, plan = query.get("name", ""), query.get("plan", "")
    own = [row for row in looked.rows if row.model == name and plan in {"", row.plan}]
    if not own:
        by_plan = f" by the plan {plan}" if plan else ""
        raise MissingError(f"The store has no audit of the model {name}{by_plan}.")
    states = [m for m in models_of(looked) if m.model == name and plan in {"", m.plan}]
    plans = dict.fromkeys(row.plan for row in looked.rows if row.model == name)
    return Answer(
        status=200,
        content=model_page(
            looked.fact, own, lives_of(looked, name, plan, drawn=MOST_TRENDS), states,
            plan=plan, plans=tuple(plans),
        ),
    )  # fmt: skip


def _finding(looked: Looked, query: Query) -> Answer:
    model, id, plan = (query.get(name, "") for name in ("model", "id", "plan"))
    life = life_of(looked, model, id, plan)
    if life is None:
        raise MissingError(f"No audit of the model {model} has this finding.")
    own = [row for row in looked.rows if row.model == model and plan in {"", row.plan}]
    waivers = [
        waiver
        for waiver in waivers_of(looked)
        if any((c.model, c.fingerprint) == (model, id) for c in waiver.covers)
    ]
    there = models_with(looked.store.database, id)
    others = tuple(name for name in there if name != model)
    return Answer(status=200, content=finding_page(looked.fact, life, own, waivers, others))


def _audit(looked: Looked, query: Query) -> Answer:
    audit = _kept(looked, query.get("name", ""))
    before = previous_of(looked.rows)[audit.id]
    told = told_by(looked.store, audit)
    row = next(row for row in looked.rows if row.id == audit.id)
    return Answer(
        status=200,
        content=audit_page(
            looked.fact, row, before=before, findings=lives_of(looked, audit.model),
            files=files_of(looked.store, audit), gate=told.gate if told else None,
        ),
    )  # fmt: skip


def _file(looked: Looked, query: Query) -> Answer:
    audit, name = _kept(looked, query.get("audit", "")), query.get("name", "")
    found = content_of(looked.store, audit, name)
    if found is None:
        raise MissingError(f"The audit {audit.folder} was kept without a file {name}.")
    if isinstance(found, FileFact):
        state = "is missing" if found.state == "missing" else "was changed"
        return _message(
            looked.fact, 409, f"{name} of the audit {audit.folder} {state} after it was kept, so "
            "it is not handed out. `clip-audit store verify` says what is wrong; restore the "
            "folder from a backup.",
        )  # fmt: skip
    ending = Path(name).suffix
    download = "" if ending in SHOWN else quote(f"{audit.folder}-{name}", safe="")
    return Answer(
        status=200, content=found, kind=KINDS.get(ending, "application/octet-stream"),
        download=download, is_file=True,
    )  # fmt: skip


def _kept(looked: Looked, folder: str) -> KeptAudit:
    found = next((audit for audit in looked.kept if audit.folder == folder), None)
    if found is None:
        raise MissingError(f"The store has no audit {folder}.")
    return found


def _schedules(looked: Looked, query: Query) -> Answer:
    told = looked.timetable.schedules if looked.timetable else ()
    return Answer(status=200, content=schedules_page(looked.fact, told))


def _waivers(looked: Looked, query: Query) -> Answer:
    return Answer(status=200, content=waivers_page(looked.fact, waivers_of(looked)))


PAGES: dict[str, Callable[[Looked, Query], Answer]] = {
    OVERVIEW: _overview,
    AUDITS: _audits,
    MODEL: _model,
    FINDING: _finding,
    AUDIT: _audit,
    FILE: _file,
    SCHEDULES: _schedules,
    WAIVERS: _waivers,
}
"""Address to the function that answers it."""
