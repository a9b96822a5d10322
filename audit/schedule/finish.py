"""How a run ends: state, retry, what is told, in one transaction; then the store."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from audit.errors import OutputError, ResultError
from audit.schedule.changes import Told, after_run, changes
from audit.schedule.child import Ended
from audit.schedule.desk import Desk
from audit.schedule.file import Schedule
from audit.schedule.freshness import freshness
from audit.schedule.ledger import Run, end, find_run, remembered, runs, tell, told_of
from audit.schedule.notices import body_of
from audit.schedule.outbox import PING, Letter, put
from audit.schedule.outcome import Audited
from audit.schedule.states import AUDITED, OF_CODE, State
from audit.schedule.tables import RUNS
from audit.schedule.transient import wait_before

GOES_ON = (State.WAITING, State.INTERRUPTED)
PENDING, KEPT = "pending", "kept"


def finish(
    desk: Desk, schedule: Schedule | None, run: Run, ended: Ended, audit: Audited | None
) -> tuple[Run, ...]:
    """Write down how a try ended, with the notices of what changed.

    Parameters
    ----------
    desk : Desk
    schedule : Schedule or None
        None where the file has it no more.
    run : Run
        As it stood while it ran.
    ended : Ended
    audit : Audited or None
        What it left.

    Returns
    -------
    tuple of Run
        The run as it stands now; none where another tick had taken it over.
    """
    now = desk.clock()
    state = _state(schedule, run, ended, audit)
    values: dict[str, Any] = {
        "finished": now,
        "exit_code": ended.code,
        "error": ended.error,
        "why": ended.why or ("" if audit is not None else _NO_AUDIT),
        "folder": str(audit.folder) if audit is not None else "",
        "stored": PENDING if audit is not None and desk.keep is not None else "",
        "retry_at": _retry_at(desk, schedule, run, state, now),
    }
    owner = run.lease.owner.name if run.lease is not None else desk.owner.name
    with desk.base.write() as connection:
        if not end(connection, run.id, owner, state, values):
            return ()
        if schedule is not None and state not in GOES_ON:
            before = told_of(connection, schedule.id)
            after = after_run(before, state, audit)
            about = {"state": state, "error": ended.error, "audit": audit}
            letters = _letters(desk, schedule, (before, after), f"run {run.id}", now, **about)
            put(connection, [*letters, *_ping(schedule, run, state)], now)
            tell(connection, schedule.id, after)
        return (find_run(connection, run.id),)


_NO_AUDIT = "It ended without a whole audit folder; its log lies beside where that would be."


def _state(schedule: Schedule | None, run: Run, ended: Ended, audit: Audited | None) -> State:
    if audit is not None:
        return OF_CODE.get(ended.code, OF_CODE.get(audit.code, State.FAILED))
    if schedule is None or not ended.transient or run.attempts > schedule.retries:
        return State.FAILED
    return State.INTERRUPTED if ended.interrupted else State.WAITING


def _retry_at(
    desk: Desk, schedule: Schedule | None, run: Run, state: State, now: datetime
) -> datetime | None:
    if schedule is None or state not in GOES_ON:
        return None
    if state is State.INTERRUPTED:
        return now
    return now + wait_before(run.attempts, schedule.retry_after, desk.rng)


def _letters(
    desk: Desk, schedule: Schedule, told: tuple[Told, Told], mark: str, now: datetime, **about: Any
) -> list[Letter]:
    wanted = {one.id: one.on for one in desk.book.channels if one.id in schedule.notify}
    return [
        Letter(
            key=f"{schedule.id} {mark} {event.kind} {name}",
            schedule=schedule.id,
            channel=name,
            event=event.kind,
            body=body_of(event, schedule, now, **about),
        )
        for event in changes(*told)
        for name, kinds in wanted.items()
        if event.kind in kinds
    ]


def _ping(schedule: Schedule, run: Run, state: State) -> list[Letter]:
    if state not in AUDITED or not (schedule.ping_env or schedule.ping_file):
        return []
    key = f"{schedule.id} run {run.id} {PING}"
    return [Letter(key=key, schedule=schedule.id, channel=PING, event=PING, body="")]


def note_change(desk: Desk, schedule: Schedule, mark: str, change: Callable[[Told], Told]) -> None:
    """Tell of a change that no run brought, if it is one.

    Parameters
    ----------
    desk : Desk
    schedule : Schedule
    mark : str
        Names the occasion, so that it is told once.
    change : callable
        From what was told to how it is now.
    """
    with desk.base.read() as connection:
        before = told_of(connection, schedule.id)
    if change(before) == before:
        return
    now = desk.clock()
    with desk.base.write() as connection:
        remembered(connection, schedule, now)
        before = told_of(connection, schedule.id)
        after = change(before)
        put(connection, _letters(desk, schedule, (before, after), mark, now), now)
        tell(connection, schedule.id, after)


def note_staleness(desk: Desk) -> None:
    """Tell of schedules whose audits have become too old, or are recent again."""
    for schedule in desk.schedules():
        now = desk.clock()
        with desk.base.write() as connection:
            seen = remembered(connection, schedule, now).first_seen
        audited = runs(desk.base, states=AUDITED, schedule=schedule.id)
        found = freshness(schedule, audited, seen, now)
        mark = f"stale since {found.last or seen:%Y-%m-%dT%H:%M:%S} {found.stale}"
        note_change(desk, schedule, mark, partial(replace, stale=found.stale))


def keep_finished(desk: Desk) -> None:
    """Put finished audits into the store; what cannot be put now is tried by the next tick."""
    if desk.keep is None:
        return
    with desk.base.read() as connection:
        waiting = connection.execute(
            select(RUNS.c.id, RUNS.c.schedule, RUNS.c.folder).where(RUNS.c.stored == PENDING)
        ).all()
    for row in waiting:
        try:
            where = desk.keep(Path(row.folder))
        except (OutputError, ResultError) as error:
            desk.say(f"{row.schedule}: the audit is not in the store yet: {error}")
            continue
        with desk.base.write() as connection:
            connection.execute(
                update(RUNS).where(RUNS.c.id == row.id).values(stored=KEPT, folder=str(where))
            )
