"""What changed since somebody was last told: a notice is sent for a change and not for a state."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from audit.schedule.file import EventKind
from audit.schedule.outcome import Audited
from audit.schedule.states import AUDITED, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the last notices said of a schedule."""

    gate: str = ""
    high: tuple[tuple[str, str], ...] = ()
    """Id and severity."""

    expiring: tuple[tuple[str, str], ...] = ()
    """Id and day."""

    failing: bool = False
    stale: bool = False

    def text(self) -> str:
        """Write it for the database."""
        return json.dumps(asdict(self), sort_keys=True)


def read_told(text: str) -> Told:
    """Read what `Told.text` wrote; nothing was told where it is empty."""
    if not text:
        return Told()
    known: dict[str, Any] = json.loads(text)
    for name in ("high", "expiring"):
        known[name] = tuple((str(a), str(b)) for a, b in known[name])
    return Told(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A change that somebody may want to know of."""

    kind: EventKind
    what: str
    """One of a few fixed sentences; nothing of the audit's words is in it."""

    findings: tuple[tuple[str, str], ...] = ()
    """Id and severity, or id and day."""


def after_audit(told: Told, audit: Audited) -> Told:
    """Return what is to be told once an audit was finished."""
    # Waivers are told once for each end: what was told stays, whoever finds it next.
    expiring = tuple(dict.fromkeys((*told.expiring, *audit.expiring)))
    return Told(gate=audit.gate, high=audit.high, expiring=expiring, stale=told.stale)


def after_run(told: Told, state: State, audit: Audited | None) -> Told:
    """Return what is to be told once a run has ended.

    Only an audit that is to be believed changes what is known of gate and findings.
    """
    if audit is not None and state in (*AUDITED, State.EVIDENCE_MISSING):
        return after_audit(told, audit)
    return replace(told, failing=True)


def changes(before: Told, now: Told) -> tuple[Event, ...]:
    """List what is different.

    Examples
    --------
    >>> [e.kind for e in changes(Told(gate="passed"), Told(gate="failed", high=(("BA1", "high"),)))]
    ['finding', 'gate']
    >>> changes(Told(gate="failed"), Told(gate="failed"))
    ()
    """
    return tuple(_changes(before, now))


def _changes(before: Told, now: Told) -> Iterator[Event]:
    new = tuple(f for f in now.high if f not in before.high)
    if new:
        yield Event(kind="finding", what="New blocking findings of high severity or worse.",
                    findings=new)  # fmt: skip
    if now.gate != before.gate and (before.gate or now.gate != "passed"):
        yield Event(kind="gate", what=_GATE[now.gate])
    ending = tuple(w for w in now.expiring if w not in before.expiring)
    if ending:
        yield Event(kind="waiver", what="Waivers end soon or have ended.", findings=ending)
    if now.failing != before.failing:
        yield Event(kind="failure", what=_FAILURE[now.failing])
    if now.stale != before.stale:
        yield Event(kind="stale", what=_STALE[now.stale])


_GATE = {
    "passed": "The gate passes again.",
    "failed": "The gate fails.",
    "inconclusive": "The gate cannot tell.",
}
_FAILURE = {
    True: "An audit could not be finished, or must not be believed.",
    False: "Audits are finished again.",
}
_STALE = {
    True: "No audit was finished for longer than the schedule allows.",
    False: "Audits are recent again.",
}
