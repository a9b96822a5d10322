"""From arms to an answer: the same steps for ``run`` and ``score``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.calibrate import calibrate_arms
from audit.evidence import Arm, cells
from audit.findings import audit_verdict, findings
from audit.plan import LimitsSection
from audit.results import ArmRecord, FindingRecord, VerdictRecord
from audit.verdicts import Judged, Pair, is_blocking, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """Everything that was judged."""

    arms: tuple[ArmRecord, ...]
    judged: tuple[Judged, ...]
    findings: tuple[FindingRecord, ...]
    verdict: VerdictRecord

    @property
    def trustworthy(self) -> bool:
        """Whether its arms may be believed."""
        return trustworthy(self.arms)


def trustworthy(arms: Sequence[ArmRecord]) -> bool:
    """Return False when an arm that should decide failed its calibration: exit 3, never a pass."""
    wanted = [arm.calibration for arm in arms if arm.role == "decides"]
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
