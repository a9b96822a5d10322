"""What the pages of a history are told: plain data, made where the store is known."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

AgeState = Literal["fresh", "stale", "unknown"]
WaiverState = Literal["expired", "expiring", "not yet valid", "active", "unused"]
Tone = Literal["bad", "care", "good", "none"]
"""How much something asks for a person; the words beside it always say it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFact:
    """One kept audit."""

    id: str
    """``sha256:`` of its ``result.json``."""

    position: int
    """Place in the chain: later means kept later, whatever the clock said."""

    folder: str
    title: str
    started: datetime
    finished: datetime
    model: str
    weights_digest: str
    plan: str
    plan_digest: str
    thresholds_digest: str
    verdict: str
    """``found``, ``not_found`` or ``insufficient``."""

    found: int
    not_found: int
    insufficient: int
    fail_on: str
    gate: str
    """``passed``, ``failed`` or ``inconclusive``."""

    trustworthy: bool
    low: int
    """Blocking findings of low severity."""

    medium: int
    high: int
    critical: int
    digest: str
    tool: str
    signed: bool
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """Whether the latest audit is recent enough."""

    state: AgeState
    """``unknown`` where nothing says how often it should be audited."""

    sentence: str
    schedule: str = ""
    """Schedule that says so; empty where none audits the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFact:
    """One model under one plan: plans ask different questions, so one never answers for another."""

    model: str
    plan: str
    audits: tuple[AuditFact, ...]
    """The earliest kept first; at least one."""

    age: Age

    @property
    def latest(self) -> AuditFact:
        """The audit that was kept last."""
        return self.audits[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFact:
    """One contrast of one arm in one audit."""

    audit: str
    """Name of the audit's folder."""

    arm: str
    verdict: str
    """``found``, ``not_found``, ``insufficient`` or ``described``."""

    effect: float | None
    """In control standard deviations of its own audit, 0 is neutral; None where undefined."""

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingFact:
    """A finding in one audit."""

    audit: str
    severity: int
    grade: str
    marks: str
    blocking: bool
    waived: bool
    """Whether a waiver held for it on the day of the audit."""

    arm: str
    effect: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFact:
    """A finding over the audits of one model."""

    model: str
    plan: str
    """Plan that the audits were narrowed down to; empty for all."""

    fingerprint: str
    finding: str
    family: str
    identity: str
    harm: str
    identity_name: str
    harm_name: str
    open: bool
    """Whether the latest audit that asked for it has it."""

    asked: int
    """Audits from the first sighting on whose plan fixed the contrast beforehand or found it."""

    sightings: tuple[SightingFact, ...]
    """At least one."""

    points: tuple[PointFact, ...]
    """Of the contrast in every audit that fixed it beforehand, by audit and arm."""

    @property
    def latest(self) -> SightingFact:
        """Where it was seen last."""
        return self.sightings[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A finding that a waiver is about, in the latest audit of a model."""

    model: str
    plan: str
    fingerprint: str
    finding: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverFact:
    """One accepted finding, as its file says and as it stands today."""

    file: str
    finding: str
    model: str
    """Digest of weights, or a pattern over names."""

    category: str
    reason: str
    owner: str
    approved_by: str
    created: date
    expires: date
    link: str
    state: WaiverState
    days_left: int
    """Negative where it has ended."""

    covers: tuple[Covered, ...]
    """Open findings that it names; empty where it is unused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFact:
    """One run of a schedule."""

    slot: datetime
    shown: str
    """The slot as the clocks of the schedule's zone show it."""

    state: str
    meaning: str
    attempts: int
    exit_code: int | None
    why: str
    retry: str
    """When it is tried again; empty where it is not."""

    audit: str
    """Folder of the audit that the store kept; empty where there is none."""

    finished: datetime | None
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFact:
    """How one schedule stands."""

    id: str
    owner: str
    timing: str
    enabled: bool
    stale: bool
    freshness: str
    due: str
    retries: int
    """Further tries that a run may have."""

    runs: tuple[RunFact, ...]
    """The newest first."""

    n_runs: int
    """How many there are in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFact:
    """Something that happened."""

    at: datetime
    word: str
    tone: Tone
    sentence: str
    audit: str = ""
    """Folder of the audit that it is about; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """One file of a kept audit."""

    name: str
    size: int
    state: Literal["as kept", "changed", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFact:
    """What an audit's own result says of its gate."""

    rule: str
    rules: tuple[tuple[str, str, str], ...]
    """Name, outcome and sentence of each rule that was asked for."""

    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFact:
    """The store itself, and what could not be read beside it."""

    name: str
    now: datetime
    tool: str
    schedules_given: bool = False
    waivers_given: bool = False
    troubles: tuple[str, ...] = ()
    """Sentences, each about something that was asked for and could not be read."""

    hidden: frozenset[str] = frozenset()
    """Terms that no page shows in full."""

    spoken: frozenset[str] = frozenset()
    """Names of concepts, which stay readable."""
