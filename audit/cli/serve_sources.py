"""What a served page is made from: the store as it is now, and the files that were named."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path

from audit import __version__
from audit.cli.serve_kept import words_of
from audit.cli.serve_schedules import Timetable, read_timetable
from audit.errors import PlanError, ResultError
from audit.store.history import audits
from audit.store.index import is_up_to_date
from audit.store.place import Store
from audit.store.reading import read_store
from audit.store.remembered import KeptAudit
from audit.waivers import Waivers, read_waivers
from reports.history.facts import AuditFact, StoreFact

Key = tuple[str, str]
"""A model and a plan by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What ``serve`` was asked to show."""

    place: Path
    clock: Callable[[], datetime]
    schedules: Path | None = None
    waivers: tuple[Path, ...] = ()
    max_age: timedelta | None = None
    """How old the last audit of a model may be that no schedule audits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The store and the files at one moment."""

    sources: Sources
    store: Store
    now: datetime
    kept: tuple[KeptAudit, ...]
    """The earliest kept first."""

    timetable: Timetable | None
    waivers: tuple[tuple[str, Waivers], ...]
    """Name of each file, and what it says."""

    fact: StoreFact
    rows: tuple[AuditFact, ...] = field(default=())
    """`kept`, as pages are told."""

    @property
    def by_key(self) -> dict[Key, list[KeptAudit]]:
        """The audits of each model under each plan, the earliest kept first."""
        found: dict[Key, list[KeptAudit]] = {}
        for audit in self.kept:
            found.setdefault((audit.model, audit.plan), []).append(audit)
        return found

    @property
    def latest(self) -> tuple[KeptAudit, ...]:
        """The audit of each model and plan that was kept last."""
        return tuple(own[-1] for own in self.by_key.values())


def audit_fact(audit: KeptAudit) -> AuditFact:
    """Tell an audit in the words of the pages."""
    return AuditFact(**{f.name: getattr(audit, f.name) for f in fields(AuditFact)})


def store_fact(sources: Sources, now: datetime) -> StoreFact:
    """Tell which store it is, where nothing more is known of it."""
    return StoreFact(
        name=sources.place.absolute().name,
        now=now,
        tool=f"clip-audit {__version__}",
        schedules_given=sources.schedules is not None,
        waivers_given=bool(sources.waivers),
    )


@contextmanager
def look(sources: Sources) -> Iterator[Looked]:
    """Open the store without the right to write, and read what every page needs.

    A schedule or waiver file that has become wrong since the start is told on the pages; the rest
    is shown.

    Raises
    ------
    ResultError
        If the store or its index cannot be read.
    """
    now = sources.clock()
    troubles: list[str] = []
    with read_store(sources.place) as store:
        kept = audits(store.database)
        troubles += _behind(store)
        timetable = _timetable(sources, now, troubles)
        files = dict.fromkeys([*sources.waivers, *(timetable.waivers if timetable else ())])
        waivers = tuple(_waivers(files, troubles))
        latest = {(a.model, a.plan): a for a in kept}.values()
        hidden, spoken = words_of(store, latest)
        base = store_fact(sources, now)
        fact = StoreFact(
            name=base.name,
            now=now,
            tool=base.tool,
            schedules_given=base.schedules_given,
            waivers_given=bool(files),
            troubles=tuple(troubles),
            hidden=hidden,
            spoken=spoken,
        )
        yield Looked(
            sources=sources, store=store, now=now, kept=kept, timetable=timetable,
            waivers=waivers, fact=fact, rows=tuple(audit_fact(audit) for audit in kept),
        )  # fmt: skip


def _behind(store: Store) -> list[str]:
    try:
        if is_up_to_date(store):
            return []
    except ResultError as error:
        return [str(error)]
    return [
        "Index and chain of the store do not tell the same, so a page may lack what was kept last. "
        "`clip-audit store list` brings an index up to date, and `clip-audit store verify` says "
        "what is wrong where that does not help."
    ]


def _timetable(sources: Sources, now: datetime, troubles: list[str]) -> Timetable | None:
    if sources.schedules is None:
        return None
    try:
        return read_timetable(sources.schedules, sources.place, now)
    except (PlanError, ResultError) as error:
        troubles.append(str(error))
        return None


def _waivers(files: dict[Path, None], troubles: list[str]) -> Iterator[tuple[str, Waivers]]:
    for path in files:
        try:
            yield path.name, read_waivers(path)
        except PlanError as error:
            troubles.append(str(error))
