"""One look at the clock: what is due is run once, what was left behind is taken up."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import update

from audit.errors import OutputError
from audit.schedule.arguments import run_arguments
from audit.schedule.child import Beat, Ended, Order
from audit.schedule.decision import decide
from audit.schedule.desk import Desk
from audit.schedule.errors import LostLeaseError, TriggerError
from audit.schedule.file import Schedule
from audit.schedule.finish import finish
from audit.schedule.keeping import keep_finished
from audit.schedule.lease import birth_of
from audit.schedule.ledger import (
    Run,
    apply,
    beat,
    end,
    find_run,
    open_runs,
    remembered,
    runs,
)
from audit.schedule.outcome import Audited, finished_audit, read_or_none
from audit.schedule.states import State
from audit.schedule.tables import RUNS
from audit.schedule.watching import note_change, note_staleness, note_waivers


def run_due(desk: Desk, *, forced: bool = False) -> tuple[Run, ...]:
    """Run what is due, once, however many do this at once and however long nobody did.

    Parameters
    ----------
    desk : Desk
    forced : bool
        Whether to run whatever the hour.

    Returns
    -------
    tuple of Run
        The runs that this tick ended, as they stand now.

    Raises
    ------
    OutputError
        If the database cannot be written; the next tick goes on from what was written.
    """
    ended = list(take_up(desk))
    for schedule in desk.schedules():
        run = _claim(desk, schedule, forced)
        if run is not None:
            desk.say(f"{schedule.id}: running the audit of {shown(run.slot, schedule)}")
            ended += _run(desk, schedule, run)
            desk.post()
    keep_finished(desk)
    note_staleness(desk)
    note_waivers(desk)
    desk.post()
    return tuple(ended)


def take_up(desk: Desk) -> tuple[Run, ...]:
    """End runs whose owner died: their audit counts if it was finished, else they go on later."""
    known = {one.id: one for one in desk.book.schedules}
    ended: list[Run] = []
    for run in runs(desk.base, states=[State.RUNNING]):
        if run.lease is None or not desk.left_behind(run.lease):
            continue
        desk.stop(run.lease, desk.owner.place)
        audit = _audit_of(desk, run)
        ended += finish(desk, known.get(run.schedule), run, _DIED, audit)
    return tuple(ended)


_DIED = Ended(
    code=-9,
    error="died",
    why="Its process ended before it could write down how the audit went.",
    transient=True,
    interrupted=True,
)


def _claim(desk: Desk, schedule: Schedule, forced: bool) -> Run | None:
    """Decide and take the lease in one transaction: of many ticks, one gets the run."""
    seen = _seen(desk, schedule)
    with desk.base.write() as connection:
        now = desk.clock()
        decision = decide(
            schedule,
            remembered(connection, schedule, now),
            open_runs(connection, schedule.id),
            now,
            fingerprint=seen,
            forced=forced,
        )
        number = apply(connection, schedule, decision, desk.owner, now)
        if number is None:
            return None
        slot = find_run(connection, number).slot
        out = desk.out(schedule) / folder_of(slot)
        connection.execute(update(RUNS).where(RUNS.c.id == number).values(out=str(out)))
        return find_run(connection, number)


def _seen(desk: Desk, schedule: Schedule) -> str:
    """Return what the trigger sees; one that cannot be read runs nothing and is told."""
    if not schedule.trigger:
        return ""
    try:
        return desk.watch(schedule, desk.book.home)
    except TriggerError as error:
        desk.say(f"{schedule.id}: {error}")
        mark = f"trigger {desk.clock():%Y-%m-%dT%H:%M:%S}"
        note_change(desk, schedule, mark, partial(replace, failing=True))
        return ""


def _run(desk: Desk, schedule: Schedule, run: Run) -> tuple[Run, ...]:
    """Run one try, whatever happens to it."""
    before = _audit_of(desk, run)
    if before is not None:
        return finish(desk, schedule, run, Ended(code=before.code), before)
    try:
        ended = desk.runner(_order(desk, schedule, run), _beat(desk, run))
    except LostLeaseError as error:
        desk.say(f"{schedule.id}: {error} The audit was stopped here.")
        return ()
    except OutputError as error:
        ended = Ended(code=3, error="OutputError", why=str(error), transient=True)
    except BaseException:
        _let_go(desk, run)
        raise
    return finish(desk, schedule, run, ended, _audit_of(desk, run))


def _order(desk: Desk, schedule: Schedule, run: Run) -> Order:
    out = Path(run.out)
    return Order(
        arguments=run_arguments(schedule, out),
        home=desk.book.home,
        out=out,
        attempt=run.attempts,
        timeout=schedule.timeout,
    )


def _beat(desk: Desk, run: Run) -> Beat:
    def renew(child: int | None) -> None:
        values: dict[str, Any] = {}
        if child is not None:
            values = {"child": child, "child_birth": birth_of(child)}
        try:
            beat(desk.base, run.id, desk.owner, desk.clock(), values)
        except OutputError as error:
            # A database that is busy or full now may not be at the next beat: the audit goes on.
            desk.say(f"{run.schedule}: {error}")

    return renew


def _let_go(desk: Desk, run: Run) -> None:
    """Leave a run that somebody stopped to the next tick; a try that was stopped does not count."""
    values = {
        "error": "stopped",
        "why": "It was stopped from outside; the next tick goes on.",
        "retry_at": desk.clock(),
        "finished": desk.clock(),
        "attempts": max(run.attempts - 1, 0),
    }
    try:
        with desk.base.write() as connection:
            end(connection, run.id, desk.owner.name, State.INTERRUPTED, values)
    except OutputError as error:
        desk.say(f"{run.schedule}: {error}")


def _audit_of(desk: Desk, run: Run) -> Audited | None:
    if not run.out:
        return None
    return read_or_none(desk.read, finished_audit(Path(run.out)), desk.clock().date())


def folder_of(slot: datetime) -> str:
    """Name the folder of a slot.

    Examples
    --------
    >>> folder_of(datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
    '20260329T010000Z'
    """
    return f"{slot.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def shown(moment: datetime, schedule: Schedule) -> str:
    """Write a moment as the clocks of the schedule's zone show it."""
    return f"{moment.astimezone(schedule.zone):%Y-%m-%d %H:%M %Z}"
