"""What `compare` says of two audits; a document of its own, read by whoever asks for JSON."""

from datetime import datetime
from typing import Literal

from audit.inputs import Number, Record, Severity, Verdict

State = Literal["new", "fixed", "worse", "better", "unchanged", "unclear", "not comparable"]

STATES: tuple[State, ...] = (
    "new", "worse", "unclear", "not comparable", "unchanged", "better", "fixed"
)  # fmt: skip
"""From what a reader must see first to what needs nothing."""


class ChangeRecord(Record):
    """One contrast of one arm in both audits."""

    arm: str
    family: str
    identity: str
    harm: str
    severity: Severity
    finding: str
    """Id that the finding has, or would have, in either audit."""

    state: State
    before: Verdict | None
    """None where the contrast was not measured."""

    after: Verdict | None
    before_sd: Number
    after_sd: Number
    change: Number
    """Effect after minus effect before, in control standard deviations, paired over stimuli."""

    low: Number
    high: Number
    """Simultaneous over all contrasts that are compared."""

    p: Number
    """Holm over all contrasts that are compared."""

    clusters: int = 0
    terms: int = 0
    sentence: str


class AuditedRecord(Record):
    """One of the two audits."""

    result_digest: str
    model: str
    weights_digest: str
    started: datetime


class CompareRecord(Record):
    """A comparison of two audits."""

    format: Literal["clip-audit comparison 1"] = "clip-audit comparison 1"
    before: AuditedRecord
    after: AuditedRecord
    same_model: bool
    """Whether the weights and the configuration of both are equal."""

    margin: float
    """Changes that certainly lie within so many control standard deviations are none."""

    alpha: float
    changes: tuple[ChangeRecord, ...]
    incomparable: tuple[str, ...]
    """What differs between the inputs of both, and which arms that concerns."""

    notes: tuple[str, ...] = ()

    def count(self, state: State) -> int:
        """Count contrasts in a state."""
        return sum(change.state == state for change in self.changes)
