"""How every schedule stands: the last run, what is due next, how recent its audits are."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from audit.schedule.file import Schedule, Schedules
from audit.schedule.freshness import Freshness, freshness
from audit.schedule.ledger import Run, runs
from audit.schedule.slots import next_slot
from audit.schedule.tables import SCHEDULES
from audit.schedule.tick import shown
from audit.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one schedule stands."""

    schedule: Schedule
    last: Run | None
    """The run of its newest slot."""

    due: datetime | None
    """Next slot, in UTC; None for a trigger and for an interval that never ran."""

    freshness: Freshness

    @property
    def last_text(self) -> str:
        """The last run in words."""
        if self.last is None:
            return "never"
        run = self.last
        tries = f", try {run.attempts}" if run.attempts > 1 else ""
        code = f", exit {run.exit_code}" if run.exit_code is not None else ""
        rest = f": {run.why}" if run.why else f": {run.folder}" if run.folder else ""
        return f"{run.state.value} ({shown(run.slot, self.schedule)}{tries}{code}){rest}"

    @property
    def next_text(self) -> str:
        """What is due next, in words."""
        if self.schedule.trigger:
            return f"on new {self.schedule.trigger}"
        return "at once" if self.due is None else shown(self.due, self.schedule)


def standings(base: Database | None, book: Schedules, now: datetime) -> tuple[Standing, ...]:
    """Say how every schedule of a file stands; nothing is written.

    Parameters
    ----------
    base : Database or None
        The schedule's database, from `audit.schedule.tables.open_schedule`; None where there is no
        store, so that nothing ever ran.
    book : Schedules
    now : datetime
    """
    return tuple(_standing(base, one, now) for one in book.schedules)


def _standing(base: Database | None, schedule: Schedule, now: datetime) -> Standing:
    if base is None:
        return _of(schedule, (), None, None, now)
    with base.read() as connection:
        row = connection.execute(select(SCHEDULES).where(SCHEDULES.c.id == schedule.id)).first()
    own = runs(base, schedule=schedule.id)
    seen, taken = (row.first_seen, row.taken) if row is not None else (None, None)
    return _of(schedule, own, seen, taken, now)


def _of(
    schedule: Schedule,
    own: tuple[Run, ...],
    seen: datetime | None,
    taken: datetime | None,
    now: datetime,
) -> Standing:
    start = now if schedule.cron and taken is None else taken
    return Standing(
        schedule=schedule,
        last=own[-1] if own else None,
        due=next_slot(schedule, start) if start is not None else None,
        freshness=freshness(schedule, own, seen, now),
    )
