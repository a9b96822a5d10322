"""When an audit is due: a function of the schedule, what was already taken up, and now."""

from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from audit.schedule.file import Schedule

LOOK_BACK = timedelta(days=1)
"""How far before the newest slot the search starts; more than any change of the clocks."""


def latest_slot(schedule: Schedule, after: datetime, now: datetime) -> datetime | None:
    """Return the newest slot after one moment and not after another.

    Parameters
    ----------
    schedule : Schedule
        With ``cron`` or ``every``.
    after : datetime
        Everything up to here was taken up.
    now : datetime

    Returns
    -------
    datetime or None
        In UTC. However many slots lie between the two, there is one answer: a week asleep is one
        audit, not seven.

    Examples
    --------
    >>> from audit.schedule.file import Schedule
    >>> daily = Schedule(id="a", owner="o", timezone="Europe/Berlin", cron="30 2 * * *")
    >>> week = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 8, 12, tzinfo=UTC)
    >>> latest_slot(daily, *week).isoformat()
    '2026-01-08T01:30:00+00:00'
    """
    if now <= after:
        return None
    if schedule.every is not None:
        rounds = (now - after) // schedule.every
        return after + rounds * schedule.every if rounds else None
    newest = next(CronSim(schedule.cron, _local(now, schedule) + timedelta(seconds=1), True))
    start = max(after, newest.astimezone(UTC) - LOOK_BACK)
    found = None
    for slot in CronSim(schedule.cron, _local(start, schedule)):
        if slot > now:
            break
        if slot > after:
            found = slot.astimezone(UTC)
    return found


def next_slot(schedule: Schedule, after: datetime) -> datetime | None:
    """Return the first slot after a moment, in UTC; None for a trigger, which has no hour."""
    if schedule.every is not None:
        return after + schedule.every
    if not schedule.cron:
        return None
    return next(CronSim(schedule.cron, _local(after, schedule))).astimezone(UTC)


def _local(moment: datetime, schedule: Schedule) -> datetime:
    return moment.astimezone(schedule.zone)
