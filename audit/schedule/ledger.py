"""What is written down about runs: each step is one transaction, and knows who may take it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from audit.schedule.changes import Told, read_told
from audit.schedule.decision import Decision, Memory, OpenRun
from audit.schedule.errors import LostLeaseError
from audit.schedule.file import Schedule
from audit.schedule.lease import LASTS, Lease, Owner
from audit.schedule.states import OPEN, State
from audit.schedule.tables import RUNS, SCHEDULES
from audit.store.database import Database

NO_LEASE = {
    "owner": "", "place": "", "pid": None, "birth": "", "child": None, "child_birth": "",
    "heartbeat": None, "expires": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as it stands."""

    id: int
    schedule: str
    slot: datetime
    state: State
    attempts: int
    retry_at: datetime | None
    started: datetime | None
    finished: datetime | None
    exit_code: int | None
    error: str
    why: str
    out: str
    folder: str
    stored: str
    lease: Lease | None


def remembered(connection: Connection, schedule: Schedule, now: datetime) -> Memory:
    """Return what is remembered of a schedule; the first time, that it was seen now."""
    row = connection.execute(select(SCHEDULES).where(SCHEDULES.c.id == schedule.id)).first()
    if row is not None:
        return Memory(first_seen=row.first_seen, taken=row.taken, timing=row.timing,
                      fingerprint=row.fingerprint)  # fmt: skip
    connection.execute(
        insert(SCHEDULES).values(
            id=schedule.id, first_seen=now, taken=None, timing=schedule.timing, fingerprint="",
            told="",
        )
    )  # fmt: skip
    return Memory(first_seen=now, taken=None, timing=schedule.timing, fingerprint="")


def told_of(connection: Connection, schedule: str) -> Told:
    """Return what the last notices said."""
    query = select(SCHEDULES.c.told).where(SCHEDULES.c.id == schedule)
    return read_told(connection.execute(query).scalar() or "")


def tell(connection: Connection, schedule: str, told: Told) -> None:
    """Remember what the notices of this transaction say."""
    connection.execute(update(SCHEDULES).where(SCHEDULES.c.id == schedule).values(told=told.text()))


def open_runs(connection: Connection, schedule: str) -> tuple[OpenRun, ...]:
    """Return the runs of a schedule that have not ended, the oldest first."""
    rows = connection.execute(
        select(RUNS.c.id, RUNS.c.state, RUNS.c.retry_at)
        .where(RUNS.c.schedule == schedule, RUNS.c.state.in_(OPEN))
        .order_by(RUNS.c.slot)
    )
    return tuple(OpenRun(id=r.id, state=State(r.state), retry_at=r.retry_at) for r in rows)


def apply(
    connection: Connection, schedule: Schedule, decision: Decision, owner: Owner, now: datetime
) -> int | None:
    """Write a decision down.

    Returns
    -------
    int or None
        The run that its owner must run now.
    """
    connection.execute(
        update(SCHEDULES)
        .where(SCHEDULES.c.id == schedule.id)
        .values(taken=decision.taken, timing=schedule.timing, fingerprint=decision.fingerprint)
    )
    begun = _begin(connection, schedule, decision, now)
    run = begun if decision.state is State.RUNNING else decision.resume
    if begun is not None and decision.state is State.RUNNING:
        for old in decision.superseded:
            connection.execute(
                update(RUNS).where(RUNS.c.id == old).values(state=State.SUPERSEDED, finished=now)
            )
    if run is not None:
        _lease(connection, run, owner, now)
    return run


def _begin(
    connection: Connection, schedule: Schedule, decision: Decision, now: datetime
) -> int | None:
    """Insert the run of a slot; None where it was taken up before, whatever the clock says."""
    if decision.slot is None or decision.state is None:
        return None
    same = select(RUNS.c.id).where(RUNS.c.schedule == schedule.id, RUNS.c.slot == decision.slot)
    if connection.execute(same).first() is not None:
        return None
    ended = now if decision.state not in OPEN else None
    made = connection.execute(
        insert(RUNS).values(
            schedule=schedule.id, slot=decision.slot, state=decision.state, why=decision.why,
            attempts=0, finished=ended, error="", out="", folder="", stored="", owner="",
            place="", birth="", child_birth="",
        )
    )  # fmt: skip
    return int(made.inserted_primary_key[0]) if made.inserted_primary_key else None


def _lease(connection: Connection, run: int, owner: Owner, now: datetime) -> None:
    connection.execute(
        update(RUNS)
        .where(RUNS.c.id == run)
        .values(
            state=State.RUNNING, attempts=RUNS.c.attempts + 1, retry_at=None, started=now,
            finished=None, exit_code=None, error="", why="", owner=owner.name, place=owner.place,
            pid=owner.pid, birth=owner.birth, child=None, child_birth="", heartbeat=now,
            expires=now + LASTS,
        )
    )  # fmt: skip


def beat(base: Database, run: int, owner: Owner, now: datetime, values: dict[str, Any]) -> None:
    """Renew a lease.

    Raises
    ------
    LostLeaseError
        If another tick took the run over.
    """
    with base.write() as connection:
        held = connection.execute(
            update(RUNS)
            .where(RUNS.c.id == run, RUNS.c.state == State.RUNNING, RUNS.c.owner == owner.name)
            .values(heartbeat=now, expires=now + LASTS, **values)
        )
    if held.rowcount != 1:
        raise LostLeaseError(f"Run {run} was taken over by another tick.")


def end(connection: Connection, run: int, owner: str, state: State, values: dict[str, Any]) -> bool:
    """Move a running run into another state and let its lease go; False if it was not held."""
    moved = connection.execute(
        update(RUNS)
        .where(RUNS.c.id == run, RUNS.c.state == State.RUNNING, RUNS.c.owner == owner)
        .values(state=state, **{**NO_LEASE, **values})
    )
    return moved.rowcount == 1


def runs(base: Database, *, states: Sequence[State] = (), schedule: str = "") -> tuple[Run, ...]:
    """Return runs in the order of their slots."""
    query = select(RUNS).order_by(RUNS.c.slot, RUNS.c.id)
    if states:
        query = query.where(RUNS.c.state.in_(list(states)))
    if schedule:
        query = query.where(RUNS.c.schedule == schedule)
    with base.read() as connection:
        return tuple(_run(row) for row in connection.execute(query))


def find_run(connection: Connection, number: int) -> Run:
    """Return one run."""
    return _run(connection.execute(select(RUNS).where(RUNS.c.id == number)).one())


def _run(row: Row[Any]) -> Run:
    lease = None
    if row.owner:
        owner = Owner(name=row.owner, place=row.place, pid=row.pid, birth=row.birth)
        lease = Lease(owner=owner, expires=row.expires, child=row.child,
                      child_birth=row.child_birth)  # fmt: skip
    return Run(
        id=row.id, schedule=row.schedule, slot=row.slot, state=State(row.state),
        attempts=row.attempts, retry_at=row.retry_at, started=row.started, finished=row.finished,
        exit_code=row.exit_code, error=row.error, why=row.why, out=row.out, folder=row.folder,
        stored=row.stored, lease=lease,
    )  # fmt: skip
