"""What differs from an earlier audit, as plain data: whoever compares two audits fills it in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from audit.results import Number

State = Literal["new", "fixed", "worse", "better", "unchanged", "unclear", "not comparable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One contrast of one arm in both audits."""

    arm: str
    identity: str
    harm: str
    severity: int
    finding: str
    state: State
    before_sd: Number
    after_sd: Number
    change: Number
    """Effect after minus effect before, in control standard deviations; 0 is neutral."""

    low: Number
    high: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """One audit against an earlier one."""

    earlier_model: str
    earlier_digest: str
    earlier_weights: str
    earlier_date: datetime
    same_model: bool
    margin: float
    changes: tuple[Change, ...]
    """From what a reader must see first to what needs nothing."""

    incomparable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
