"""What a tick does about one schedule: decided from values, applied elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.schedule.file import Schedule
from audit.schedule.slots import latest_slot
from audit.schedule.states import State

LONGEST_WAIT = timedelta(hours=6)
"""Between two tries; a try that lies further ahead was set by a clock that has gone back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered of a schedule."""

    first_seen: datetime
    taken: datetime | None
    """Every slot up to here was taken up; None before the first of an interval."""

    timing: str
    fingerprint: str
    """What a trigger saw when it last fired; empty before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run that has not ended."""

    id: int
    state: State
    retry_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be written, all in one transaction."""

    taken: datetime | None
    fingerprint: str
    slot: datetime | None = None
    """A slot that is taken up."""

    state: State | None = None
    """In which state its run begins."""

    why: str = ""
    resume: int | None = None
    """A run that goes on."""

    superseded: tuple[int, ...] = ()


def decide(
    schedule: Schedule,
    memory: Memory,
    runs: Sequence[OpenRun],
    now: datetime,
    *,
    fingerprint: str = "",
    forced: bool = False,
) -> Decision:
    """Decide what to do about one schedule.

    Parameters
    ----------
    schedule : Schedule
    memory : Memory
        What is remembered.
    runs : sequence of OpenRun
        Its runs that have not ended, the oldest first.
    now : datetime
    fingerprint : str
        What the trigger sees now; empty without one.
    forced : bool
        Whether a person asks for a run whatever the hour.

    Returns
    -------
    Decision
        At most one run begins or goes on.
    """
    taken = _taken(schedule, memory, now)
    slot = now if forced else _due(schedule, memory, taken, now, fingerprint)
    if slot is None:
        return Decision(taken=taken, fingerprint=memory.fingerprint, resume=_ready(runs, now))
    seen = fingerprint or memory.fingerprint
    if schedule.misfire == "skip" and now - slot > schedule.grace:
        why = "It was found later than grace allows, and misfire is skip."
        return Decision(taken=slot, fingerprint=seen, slot=slot, state=State.MISSED, why=why,
                        resume=_ready(runs, now))  # fmt: skip
    if any(run.state is State.RUNNING for run in runs):
        state, why = _overlap(schedule, runs)
        return Decision(taken=slot, fingerprint=seen, slot=slot, state=state, why=why)
    return Decision(
        taken=slot,
        fingerprint=seen,
        slot=slot,
        state=State.RUNNING,
        superseded=tuple(run.id for run in runs),
    )


def _taken(schedule: Schedule, memory: Memory, now: datetime) -> datetime | None:
    """Start afresh where the hours were changed: those of yesterday's file were never asked for."""
    if schedule.cron and (memory.taken is None or memory.timing != schedule.timing):
        return max(now, memory.taken or now)
    return memory.taken


def _due(
    schedule: Schedule, memory: Memory, taken: datetime | None, now: datetime, fingerprint: str
) -> datetime | None:
    if schedule.trigger:
        return now if fingerprint and fingerprint != memory.fingerprint else None
    return now if taken is None else latest_slot(schedule, taken, now)


def _ready(runs: Sequence[OpenRun], now: datetime) -> int | None:
    if any(run.state is State.RUNNING for run in runs):
        return None
    return next((run.id for run in runs if _may_start(run, now)), None)


def _may_start(run: OpenRun, now: datetime) -> bool:
    if run.retry_at is None or run.retry_at <= now:
        return True
    return run.retry_at - now > LONGEST_WAIT


def _overlap(schedule: Schedule, runs: Sequence[OpenRun]) -> tuple[State, str]:
    if schedule.overlap == "forbid":
        return State.SKIPPED, "Another run was under way, and overlap is forbid."
    if any(run.state is State.QUEUED for run in runs):
        return State.SKIPPED, "Another run was under way, and one is queued behind it already."
    return State.QUEUED, "Another run is under way; this one comes next."
