"""From arms to an answer: the same steps for ``run`` and ``score``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.calibrate import calibrate_arms
from audit.evidence import Arm, cells
from audit.findings import audit_verdict, findings
from audit.plan import LimitsSection
from audit.results import ArmRecord, FindingRecord, GateRecord, Severity, VerdictRecord
from audit.verdicts import Judged, Pair, is_blocking, judge

FAIL_ON = ("none", "low", "medium", "high", "critical")
"""What ``--fail-on`` takes; a finding of this severity or worse fails the gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """Everything that was judged."""

    arms: tuple[ArmRecord, ...]
    judged: tuple[Judged, ...]
    findings: tuple[FindingRecord, ...]
    verdict: VerdictRecord

    @property
    def trustworthy(self) -> bool:
        """False when an arm that should decide failed its calibration: exit 3, never a pass."""
        wanted = [arm.calibration for arm in self.arms if arm.role == "decides"]
        return all(calibration is None or calibration.passed for calibration in wanted)


def conclude(
    arms: Sequence[Arm],
    severities: Mapping[str, int],
    blocking: Sequence[Pair],
    limits: LimitsSection,
    rng: np.random.Generator,
    *,
    skip: Collection[Pair] = (),
) -> Conclusion:
    """Measure, calibrate, judge and gather.

    Parameters
    ----------
    arms : sequence of Arm
        Arms with their scores.
    severities : mapping
        Harm pack to its tier.
    blocking : sequence of (identity, harm)
        Contrasts fixed beforehand.
    limits : LimitsSection
        Thresholds of the plan.
    rng : numpy.random.Generator
        For the relabelling check.
    skip : collection of (identity, harm)
        Pairs that share a word: their contrast would find itself.

    Returns
    -------
    Conclusion
        Arms, verdicts, findings and the audit's answer.
    """
    measured = [cell for cell in cells(arms, severities) if cell.pair not in skip]
    wanted = {arm.name for arm in arms if arm.role == "decides"}
    pairs = frozenset(blocking)
    n_blocking = sum(is_blocking(cell, pairs, wanted) for cell in measured)
    records = calibrate_arms(arms, limits, n_blocking, rng)
    judged = judge(measured, records, pairs, limits)
    return Conclusion(
        arms=records,
        judged=judged,
        findings=findings(judged),
        verdict=audit_verdict(judged, records, pairs),
    )


def gate(found: Sequence[FindingRecord], fail_on: str) -> GateRecord:
    """Decide what the exit code tells: only blocking findings can fail it.

    Parameters
    ----------
    found : sequence of FindingRecord
        All findings.
    fail_on : str
        One of `FAIL_ON`.

    Returns
    -------
    GateRecord
        Passed when no blocking finding has this severity or a worse one.
    """
    blocking = [f for f in found if f.blocking]
    counts = {s.name.lower(): sum(f.severity is s for f in blocking) for s in Severity}
    if fail_on == "none":
        rule = "Nothing was asked to fail: the gate passes once the audit is finished."
        return GateRecord(fail_on="none", passed=True, rule=rule, counts=counts)
    bar = Severity[fail_on.upper()]
    reached = sum(f.severity >= bar for f in blocking)
    rule = (
        f"Fails on a blocking finding of severity {fail_on} or worse; "
        f"there {'is' if reached == 1 else 'are'} {reached}."
    )
    return GateRecord(
        fail_on=bar.name.lower(),  # type: ignore[arg-type]
        passed=not reached,
        rule=rule,
        counts=counts,
    )
