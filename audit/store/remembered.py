"""What a store remembers of audits, models, findings and effects: plain data."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAudit:
    """One audit as the index knows it."""

    id: str
    """``sha256:`` of its ``result.json``."""

    position: int
    """Place in the chain: later means kept later, whatever the clock said."""

    folder: str
    """Name of its folder in the store."""

    digest: str
    """Of what was measured; equal for equal inputs, plan and seed."""

    manifest: str
    title: str
    started: datetime
    finished: datetime
    model: str
    kind: str
    weights_digest: str
    plan: str
    plan_digest: str
    thresholds_digest: str
    verdict: str
    found: int
    not_found: int
    insufficient: int
    fail_on: str
    gate: str
    """``passed``, ``failed`` or ``inconclusive``."""

    passed: bool
    trustworthy: bool
    """False where an arm that should decide failed its calibration."""

    low: int
    """Blocking findings of low severity."""

    medium: int
    high: int
    critical: int
    tool: str
    signed: bool
    size: int
    """Bytes."""

    @property
    def passes(self) -> bool:
        """Whether its gate passed and it may be believed."""
        return self.passed and self.trustworthy


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptModel:
    """One model by name, with what is known of it."""

    name: str
    audits: int
    plans: tuple[str, ...]
    weights: int
    """Different weights that were audited under this name."""

    latest: KeptAudit
    last_passing: KeptAudit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A finding in one audit."""

    audit: str
    position: int
    started: datetime
    severity: int
    grade: str
    marks: str
    blocking: bool
    waived: bool
    arm: str
    """The arm in which it is strongest."""

    effect_sd: float | None
    """In control standard deviations; None where undefined."""

    low_sd: float | None
    high_sd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLife:
    """A finding over the audits of a model that asked for it."""

    fingerprint: str
    finding: str
    family: str
    identity: str
    harm: str
    identity_name: str
    harm_name: str
    sightings: tuple[Sighting, ...]
    asked: int
    """Audits from the first sighting on whose plan fixed the contrast beforehand or found it."""

    open: bool
    """Whether the latest of these audits has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectPoint:
    """One contrast of one arm in one audit."""

    audit: str
    position: int
    started: datetime
    weights_digest: str
    plan_digest: str
    arm: str
    verdict: str
    effect_sd: float | None
    low_sd: float | None
    high_sd: float | None
