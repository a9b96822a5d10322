"""How a run ends: state, retry, what is told, in one transaction; then the store."""

from datetime import datetime
from typing import Any

from audit.schedule.changes import Told, after_run, changes
from audit.schedule.child import Ended
from audit.schedule.desk import Desk
from audit.schedule.file import Schedule
from audit.schedule.keeping import KEPT, kept, tidy
from audit.schedule.ledger import Run, end, find_run, tell, told_of
from audit.schedule.notices import body_of
from audit.schedule.outbox import PING, Letter, put
from audit.schedule.outcome import Audited
from audit.schedule.states import AUDITED, OF_CODE, State
from audit.schedule.transient import wait_before

GOES_ON = (State.WAITING, State.INTERRUPTED)


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
    source = audit.folder if audit is not None else None
    audit, stored = kept(desk, audit, run.schedule)
    now = desk.clock()
    state = _state(schedule, run, ended, audit)
    values: dict[str, Any] = {
        "finished": now,
        "exit_code": ended.code,
        "error": ended.error,
        "why": ended.why or ("" if audit is not None else _NO_AUDIT),
        "folder": str(audit.folder) if audit is not None else "",
        "stored": stored,
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
            letters = letters_of(desk, schedule, (before, after), f"run {run.id}", now, **about)
            put(connection, [*letters, *_ping(schedule, run, state)], now)
            tell(connection, schedule.id, after)
        done = find_run(connection, run.id)
    if source is not None and stored == KEPT:
        tidy(desk, source, run.schedule)
    return (done,)


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


def letters_of(
    desk: Desk, schedule: Schedule, told: tuple[Told, Told], mark: str, now: datetime, **about: Any
) -> list[Letter]:
    """Write what changed to everybody who wants to know.

    Parameters
    ----------
    desk : Desk
    schedule : Schedule
    told : tuple of Told
        What was told, and how it is now.
    mark : str
        Names the occasion, so that it is told once.
    now : datetime
    **about
        As `audit.schedule.notices.body_of`.
    """
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
