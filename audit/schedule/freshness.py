"""Whether audits are as recent as their schedule promises; a dead scheduler cannot say it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from audit.schedule.file import Schedule
from audit.schedule.ledger import Run
from audit.schedule.slots import next_slot
from audit.schedule.states import AUDITED


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How recent the audits of a schedule are."""

    schedule: str
    last: datetime | None
    """Slot of the last audit that was finished."""

    until: datetime | None
    """When it is stale without a further one; None for a trigger without ``max_age``."""

    stale: bool
    sentence: str


def freshness(
    schedule: Schedule, runs: Iterable[Run], first_seen: datetime | None, now: datetime
) -> Freshness:
    """Judge a schedule by its own interval.

    It is stale when the slot after the last finished audit is past by more than ``grace`` and
    ``timeout``, or when the audit is older than ``max_age`` where that is given.

    Parameters
    ----------
    schedule : Schedule
    runs : iterable of Run
        Its runs.
    first_seen : datetime or None
        When a tick saw it first; None if none ever did, which is stale.
    now : datetime
    """
    good = [r for r in runs if r.schedule == schedule.id and r.state in AUDITED]
    last = max((r.slot for r in good), default=None)
    if first_seen is None:
        return _told(schedule, None, None, True, "was never looked at: does anything call run-due?")
    if last is not None and last > now:
        return _told(schedule, last, None, True, f"was last audited on {_day(last, schedule)}, "
                     "which is still to come: a clock has gone back. "
                     f"`clip-audit schedule run {schedule.id}` starts afresh.")  # fmt: skip
    until = _until(schedule, last, first_seen)
    stale = until is not None and now > until
    seen = f"was last audited on {_day(last, schedule)}" if last else "was never audited"
    if until is None:
        return _told(schedule, last, until, False, f"{seen}; it has neither hour nor max_age.")
    verb = "was due to be by" if stale else "is fresh until"
    return _told(schedule, last, until, stale, f"{seen}, and {verb} {_day(until, schedule)}.")


def _until(schedule: Schedule, last: datetime | None, first_seen: datetime) -> datetime | None:
    base = last or first_seen
    if schedule.max_age is not None:
        return base + schedule.max_age
    if last is None and schedule.every is not None:
        return first_seen + schedule.grace + schedule.timeout
    due = next_slot(schedule, base)
    return None if due is None else due + schedule.grace + schedule.timeout


def _told(
    schedule: Schedule, last: datetime | None, until: datetime | None, stale: bool, rest: str
) -> Freshness:
    sentence = f"{schedule.id} {rest}"
    return Freshness(schedule=schedule.id, last=last, until=until, stale=stale, sentence=sentence)


def _day(moment: datetime, schedule: Schedule) -> str:
    return f"{moment.astimezone(schedule.zone):%Y-%m-%d %H:%M %Z}"
