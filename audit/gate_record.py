"""Part of the result document that tells what the exit code rests on."""

from datetime import date
from typing import Literal

from audit.inputs import Number, Record, Undefined

Outcome = Literal["passed", "failed", "inconclusive"]


class GateRuleRecord(Record):
    """One rule that was asked for, and what came out."""

    name: Literal[
        "fail-on", "fail-on-new", "fail-on-worse", "min-coverage", "on-inconclusive", "strict"
    ]
    asked: str
    """What the caller gave, as it is written on the command line."""

    outcome: Outcome
    sentence: str
    findings: tuple[str, ...] = ()
    """Ids of the findings that made it fail."""


class FindingStateRecord(Record):
    """How one blocking finding stands to the baseline and to the waivers."""

    finding: str
    """Id of the finding."""

    baseline: Literal["new", "known", "worse", "not compared"] = "not compared"
    change_sd: Number = Undefined(undefined="no baseline was given")
    """Effect now minus effect in the baseline, in control standard deviations."""

    low: Number = Undefined(undefined="no baseline was given")
    high: Number = Undefined(undefined="no baseline was given")
    waived: bool = False


class WaiverRecord(Record):
    """One waiver as it stood on the day of the audit; none hides a finding."""

    finding: str
    state: Literal["active", "expired", "not yet valid", "other model", "unused"]
    category: str
    reason: str
    owner: str
    approved_by: str
    created: date
    expires: date
    link: str = ""


class GateRecord(Record):
    """The decision that the exit code tells."""

    fail_on: Literal["none", "low", "medium", "high", "critical"]
    passed: bool
    rule: str
    """The rule in a sentence, with what it counted."""

    counts: dict[str, int]
    """Findings by severity name."""

    outcome: Outcome | Literal[""] = ""
    """Empty in results of earlier formats: then ``passed`` tells all there is."""

    rules: tuple[GateRuleRecord, ...] = ()
    findings: tuple[FindingStateRecord, ...] = ()
    waivers: tuple[WaiverRecord, ...] = ()
    warnings: tuple[str, ...] = ()
    waivers_digest: str = ""
    baseline_digest: str = ""
