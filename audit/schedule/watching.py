"""What changes without a run: audits grow old, waivers end, triggers cannot be read."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial

from audit.errors import PlanError
from audit.schedule.changes import Told
from audit.schedule.desk import Desk
from audit.schedule.file import Schedule
from audit.schedule.finish import letters_of
from audit.schedule.freshness import freshness
from audit.schedule.ledger import remembered, runs, tell, told_of
from audit.schedule.outbox import put
from audit.schedule.states import AUDITED
from audit.waivers import read_waivers

_ID = re.compile(r"[A-Za-z0-9]{4,64}")


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
        put(connection, letters_of(desk, schedule, (before, after), mark, now), now)
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


def note_waivers(desk: Desk) -> None:
    """Tell of waivers that end soon, also between two audits."""
    for schedule in desk.schedules():
        ending = ending_waivers(desk, schedule)
        if ending:
            mark = "waivers " + " ".join(f"{one} {day}" for one, day in ending)
            note_change(desk, schedule, mark, partial(_with_ending, ending=ending))


def ending_waivers(desk: Desk, schedule: Schedule) -> tuple[tuple[str, str], ...]:
    """Return finding and last day of waivers that end within the days that their file names.

    A file that cannot be read is told by the audit that needs it.
    """
    if not schedule.waivers:
        return ()
    try:
        read = read_waivers(desk.book.home / schedule.waivers)
    except PlanError:
        return ()
    today: date = desk.clock().date()
    return tuple(
        (w.finding if _ID.fullmatch(w.finding) else "", w.expires.isoformat())
        for w in read.waivers
        if (w.expires - today).days <= read.policy.warn_days
    )


def _with_ending(told: Told, ending: tuple[tuple[str, str], ...]) -> Told:
    return replace(told, expiring=tuple(dict.fromkeys((*told.expiring, *ending))))
