"""Schedules as pages are told them: standings and runs, read without the right to write."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect

from audit.schedule.file import Schedule, read_schedules
from audit.schedule.keeping import KEPT
from audit.schedule.ledger import Run, runs
from audit.schedule.spans import show_span
from audit.schedule.standing import Standing, standings
from audit.schedule.states import MEANING, State
from audit.schedule.tables import DATABASE, TABLES
from audit.schedule.tick import shown
from audit.store.database import Database
from audit.store.place import read_settings
from audit.store.reading import read_database
from reports.history.facts import RunFact, ScheduleFact, Tone

LATEST_RUNS = 10
"""Runs of each schedule that its page lists."""

TONES: dict[State, Tone] = {
    State.PASSED: "good",
    State.GATE_FAILED: "bad",
    State.UNTRUSTED: "bad",
    State.EVIDENCE_MISSING: "bad",
    State.FAILED: "bad",
    State.WAITING: "care",
    State.INTERRUPTED: "care",
    State.MISSED: "care",
    State.SKIPPED: "care",
}
"""What each state asks of a person; of the others, nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """Every schedule of a file, as it stands."""

    schedules: tuple[ScheduleFact, ...]
    audited: dict[str, str]
    """Schedule to the folder of the audit that the store kept of it last."""

    waivers: tuple[Path, ...]
    """Waiver files that the schedules name."""


def read_timetable(path: Path, place: Path, now: datetime) -> Timetable:
    """Read a schedule file, and what a store remembers of its runs.

    Parameters
    ----------
    path : Path
        The schedule file.
    place : Path
        Folder of the store.
    now : datetime

    Raises
    ------
    PlanError
        If the file is wrong.
    ResultError
        If what the store remembers cannot be read.
    """
    book = read_schedules(path)
    base = _database(place)
    try:
        found = standings(base, book, now)
        own = {s.schedule.id: _runs(base, s.schedule) for s in found}
    finally:
        if base is not None:
            base.close()
    return Timetable(
        schedules=tuple(_fact(standing, own[standing.schedule.id]) for standing in found),
        audited={
            id: next(run.audit for run in told if run.audit)
            for id, told in own.items()
            if any(run.audit for run in told)
        },
        waivers=tuple(
            dict.fromkeys(book.home / one.waivers for one in book.schedules if one.waivers)
        ),
    )


def _database(place: Path) -> Database | None:
    """Open what schedules remember; None where nothing ever ran."""
    index = read_settings(place).index
    where: Path | str = index if "://" in index else place / DATABASE
    if isinstance(where, Path) and not where.exists():
        return None
    base = read_database(where)
    with base.read() as connection:
        there = set(inspect(connection).get_table_names())
    if all(table.name in there for table in TABLES):
        return base
    base.close()
    return None


def _runs(base: Database | None, schedule: Schedule) -> tuple[RunFact, ...]:
    """Return the runs of a schedule, the newest first."""
    if base is None:
        return ()
    return tuple(_run(run, schedule) for run in reversed(runs(base, schedule=schedule.id)))


def _fact(standing: Standing, told: tuple[RunFact, ...]) -> ScheduleFact:
    schedule = standing.schedule
    return ScheduleFact(
        id=schedule.id,
        owner=schedule.owner,
        timing=_timing(schedule),
        enabled=schedule.enabled,
        stale=standing.freshness.stale,
        freshness=standing.freshness.sentence,
        due=standing.next_text,
        retries=schedule.retries,
        runs=told[:LATEST_RUNS],
        n_runs=len(told),
    )


def _timing(schedule: Schedule) -> str:
    if schedule.every is None:
        return schedule.timing
    return f"every {show_span(schedule.every)}"


def _run(run: Run, schedule: Schedule) -> RunFact:
    return RunFact(
        slot=run.slot,
        shown=shown(run.slot, schedule),
        state=run.state.value,
        meaning=MEANING[run.state],
        attempts=run.attempts,
        exit_code=run.exit_code,
        why=run.why,
        retry=shown(run.retry_at, schedule) if run.retry_at else "",
        audit=Path(run.folder).name if run.stored == KEPT else "",
        finished=run.finished,
        tone=TONES.get(run.state, "none"),
    )
