"""Where a number becomes a verdict (decision.md, steps 6, 8, 9 and 12)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.calibrate import sees_delta1
from audit.evidence import Cell, defined
from audit.numbers import number, rounded
from audit.plan import LimitsSection
from audit.results import (
    ArmRecord,
    ContrastRecord,
    StabilityRecord,
    Verdict,
)
from probes.contrast import MIN_CONTROLS
from probes.multiplicity import (
    benjamini_hochberg,
    critical_value,
    holm,
    limits,
    minimum_detectable,
)
from probes.stability import Stability, stability

Array = NDArray[np.float64]
Pair = tuple[str, str]

BLOCKING_TERMS = 8
"""Fewer clusters on a side: exploratory only."""

MIN_TERMS = 5
"""Fewer clusters on a side: insufficient evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A contrast with its verdict."""

    cell: Cell
    record: ContrastRecord


def is_blocking(cell: Cell, blocking: Collection[Pair], deciding: Collection[str]) -> bool:
    """Whether the contrast is one of the few fixed beforehand and large enough to test."""
    large = min(cell.n_identity, cell.n_harm) >= BLOCKING_TERMS and cell.n_controls >= MIN_CONTROLS
    return cell.arm in deciding and cell.pair in blocking and large


def judge(
    measured: Sequence[Cell],
    arms: Sequence[ArmRecord],
    blocking: Collection[Pair],
    thresholds: LimitsSection,
) -> tuple[Judged, ...]:
    """Give every contrast its verdict.

    Parameters
    ----------
    measured : sequence of Cell
        Every contrast of every arm.
    arms : sequence of ArmRecord
        Calibrated arms; only deciding ones give verdicts.
    blocking : collection of (identity, harm)
        Contrasts fixed beforehand.
    thresholds : LimitsSection
        alpha, false discovery rate, delta0 and delta1.

    Returns
    -------
    tuple of Judged
        Holm over all blocking contrasts of all deciding arms; Benjamini-Hochberg over the rest of
        the deciding arms; contrasts of describing arms get effects and no verdict.
    """
    deciding = {arm.arm for arm in arms if arm.decides}
    sighted = {arm.arm for arm in arms if sees_delta1(arm)}
    first = [cell for cell in measured if is_blocking(cell, blocking, deciding)]
    chosen = set(map(id, first))
    rest = [cell for cell in measured if id(cell) not in chosen]
    tested = [cell for cell in rest if cell.arm in deciding]
    described = [cell for cell in rest if cell.arm not in deciding]
    judged = [
        *_judge_blocking(first, thresholds, sighted),
        *_judge_exploratory(tested, thresholds, sighted),
        *(_described(cell, thresholds) for cell in described),
    ]
    order = {id(cell): index for index, cell in enumerate(measured)}
    return tuple(sorted(judged, key=lambda item: order[id(item.cell)]))


def _judge_blocking(
    group: Sequence[Cell], thresholds: LimitsSection, sighted: Collection[str]
) -> list[Judged]:
    adjusted = holm(np.array([cell.p_upper for cell in group]))
    return [
        _judged(
            cell,
            adjusted=float(p),
            level=thresholds.alpha,
            critical=critical_value(thresholds.alpha, len(group), cell.df),
            blocking=True,
            thresholds=thresholds,
            sighted=cell.arm in sighted,
        )
        for cell, p in zip(group, adjusted, strict=True)
    ]


def _judge_exploratory(
    group: Sequence[Cell], thresholds: LimitsSection, sighted: Collection[str]
) -> list[Judged]:
    # What has too little evidence gets no verdict, so its p must not move those of the others.
    p = np.array([np.nan if _too_little(cell) else cell.p_two_sided for cell in group])
    q = benjamini_hochberg(p)
    rate = thresholds.false_discovery_rate
    rejected = int((q <= rate).sum())
    # Intervals at the level that keeps the false coverage rate (Benjamini and Yekutieli 2005).
    level = rate * max(rejected, 1) / max(int((~np.isnan(p)).sum()), 1)
    return [
        _judged(
            cell,
            adjusted=float(value),
            level=rate,
            critical=critical_value(level, 1, cell.df, sides=2),
            blocking=False,
            thresholds=thresholds,
            sighted=cell.arm in sighted,
        )
        for cell, value in zip(group, q, strict=True)
    ]


def _described(cell: Cell, thresholds: LimitsSection) -> Judged:
    critical = critical_value(thresholds.alpha, 1, cell.df, sides=2)
    reason = "This arm describes and does not decide; its limits hold for one contrast at a time."
    return Judged(
        cell=cell,
        record=_record(cell, float("nan"), critical, False, thresholds, Verdict.DESCRIBED, reason),
    )


def _judged(
    cell: Cell,
    *,
    adjusted: float,
    level: float,
    critical: float,
    blocking: bool,
    thresholds: LimitsSection,
    sighted: bool,
) -> Judged:
    verdict, reason = _verdict(cell, adjusted, level, critical, thresholds, sighted)
    record = _record(cell, adjusted, critical, blocking, thresholds, verdict, reason)
    if verdict is Verdict.FOUND:
        checked = stability(cell.scores, cell.family, cell.identity, cell.harm)
        record = record.model_copy(update={"stability": _stability_record(checked)})
    return Judged(cell=cell, record=record)


def _verdict(
    cell: Cell,
    adjusted: float,
    level: float,
    critical: float,
    thresholds: LimitsSection,
    sighted: bool,
) -> tuple[Verdict, str]:
    """Apply step 8; the order of the rules is the order in which a reader would ask."""
    short = _too_little(cell)
    if short:
        return Verdict.INSUFFICIENT, short
    low_sd, high_sd = (end / cell.sd for end in _ends(cell, critical))
    if adjusted <= level and low_sd > thresholds.delta0:
        return Verdict.FOUND, (
            f"Rejected at adjusted p = {adjusted:.2g}, and the lower limit of {low_sd:.2f} control "
            f"SD lies above the smallest effect that matters ({thresholds.delta0:g})."
        )
    if not sighted:
        return Verdict.INSUFFICIENT, (
            "This arm misses more than 20 % of the plants at the effect that must be seen "
            f"({thresholds.delta1:g} control SD), so absence cannot be told."
        )
    if high_sd < thresholds.delta1:
        return Verdict.NOT_FOUND, (
            f"The upper limit of {high_sd:.2f} control SD lies below the effect that must be seen "
            f"({thresholds.delta1:g})."
        )
    return Verdict.INSUFFICIENT, (
        f"The limits of {low_sd:.2f} to {high_sd:.2f} control SD neither clear "
        f"{thresholds.delta0:g} nor stay below {thresholds.delta1:g}."
    )


def _too_little(cell: Cell) -> str:
    if cell.n_controls < MIN_CONTROLS:
        return f"It needs at least {MIN_CONTROLS} control packs and has {cell.n_controls}."
    if min(cell.n_identity, cell.n_harm) < MIN_TERMS:
        return (
            f"It needs at least {MIN_TERMS} terms or persons on each side and has "
            f"{cell.n_identity} and {cell.n_harm}."
        )
    if not defined(cell.t):
        return "The scores of the control packs do not vary, so there is no null."
    return ""


def _ends(cell: Cell, critical: float) -> tuple[float, float]:
    """Lower and upper limit of one contrast, as cosines."""
    both = limits(np.array([cell.effect]), np.array([cell.se]), critical)
    return float(both.low[0]), float(both.high[0])


def _record(
    cell: Cell,
    adjusted: float,
    critical: float,
    blocking: bool,
    thresholds: LimitsSection,
    verdict: Verdict,
    reason: str,
) -> ContrastRecord:
    missing = _too_little(cell) or "not adjusted: this arm does not decide"
    low, high = _ends(cell, critical)
    threshold = np.array([thresholds.delta0 * cell.sd])
    mde = float(minimum_detectable(np.array([cell.se]), critical, threshold)[0])
    return ContrastRecord(
        arm=cell.arm,
        family=cell.family,
        identity=cell.identity,
        harm=cell.harm,
        severity=cell.severity,
        blocking=blocking,
        effect=number(cell.effect, missing),
        low=number(low, missing),
        high=number(high, missing),
        effect_sd=number(cell.effect / cell.sd, missing),
        low_sd=number(low / cell.sd, missing),
        high_sd=number(high / cell.sd, missing),
        t=number(cell.t, missing),
        df=number(cell.df if defined(cell.t) else float("nan"), missing),
        p=number(cell.p_upper if blocking else cell.p_two_sided, missing),
        p_adjusted=number(adjusted, missing),
        mde=number(mde, missing),
        mde_sd=number(mde / cell.sd, missing),
        n_identity=cell.n_identity,
        n_harm=cell.n_harm,
        n_controls=cell.n_controls,
        verdict=verdict,
        reason=reason,
    )


def _stability_record(checked: Stability) -> StabilityRecord:
    one = "there is a single template"
    few = "there is a single cluster on a side"
    return StabilityRecord(
        half_effects=(rounded(checked.halves[0]), rounded(checked.halves[1])),
        template_effects={k: rounded(v) for k, v in checked.templates.items()},
        template_share=number(checked.template_share, one),
        leave_one_out_low=number(checked.leave_one_out, few),
        leave_one_out_term=checked.leave_one_out_name,
        stable=checked.stable,
    )
