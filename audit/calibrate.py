"""Each arm's own error rates, and whether it may decide (decision.md, step 7)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Arm, NullGroup, null_groups, widths_of
from audit.numbers import number, plain, rounded
from audit.plan import LimitsSection
from audit.results import (
    ArmRecord,
    CalibrationRecord,
    Number,
    QuantilePoint,
    RecallPoint,
    Undefined,
)
from probes.arms import ArmScores
from probes.calibration import (
    NOMINAL,
    STRENGTHS,
    PseudoHarms,
    dealt_pseudo_harms,
    join,
    quantiles,
    recall,
    rejection_rate,
    relabelled_rejections,
    smallest_seen,
    widened,
    widened_pseudo_harms,
    widths_as_harms,
)
from probes.contrast import MIN_CONTROLS
from probes.multiplicity import critical_value
from probes.plants import plant_in_embeddings, seen_in
from probes.widths import Widths

Array = NDArray[np.float64]

MIN_RECALL = 0.8
"""Plants at delta1 that must be found, else nothing may be called absent."""


def calibrate_arms(
    arms: Sequence[Arm], limits: LimitsSection, n_blocking: int, rng: np.random.Generator
) -> tuple[ArmRecord, ...]:
    """Measure each arm's error rates on its own scores.

    Parameters
    ----------
    arms : sequence of Arm
        Arms with their scores.
    limits : LimitsSection
        Thresholds of the plan.
    n_blocking : int
        Blocking tests of the whole audit: they set the critical value of the plants.
    rng : numpy.random.Generator
        For the shuffles of the relabelling check.

    Returns
    -------
    tuple of ArmRecord
        One per arm, in order.
    """
    return tuple(_calibrate(arm, limits, n_blocking, rng) for arm in arms)


def _calibrate(
    arm: Arm, limits: LimitsSection, n_blocking: int, rng: np.random.Generator
) -> ArmRecord:
    n_controls = max((g.n_controls for s in arm.scores for g in null_groups(s)), default=0)
    n_clusters = len({int(i) for rows in arm.scores[0].identities.values() for i in rows})
    made = [
        _calibration(scores, limits, n_blocking, rng)
        for scores in arm.scores
        if large_groups(scores)
    ]
    # The arm is as good as its worst table: adults alone may be fewer, and less even.
    calibration = min(made, key=lambda record: (record.passed, _sees(record)), default=None)
    if calibration is not None:
        calibration = calibration.model_copy(update=_widest(made))
    decides, reason = _decision(arm.role, n_controls, calibration)
    return ArmRecord(
        arm=arm.name,
        title=arm.title,
        role=arm.role,
        decides=decides,
        reason=reason,
        n_controls=n_controls,
        n_identity_clusters=n_clusters,
        calibration=calibration,
    )


def _decision(
    role: str, n_controls: int, calibration: CalibrationRecord | None
) -> tuple[bool, str]:
    if role != "decides":
        return False, "The plan lets this arm describe, not decide."
    if calibration is None:
        return False, (
            f"It has {n_controls} control packs; at least {MIN_CONTROLS} are needed to decide."
        )
    if not calibration.tests:
        return False, "The scores of its control packs do not vary, so there is no null."
    if not calibration.passed:
        return False, (
            f"Harmless control packs were rejected in {calibration.rejections} of "
            f"{calibration.tests} tests at nominal {calibration.nominal:.0%}: the null does not "
            "hold here, so this arm cannot decide."
        )
    return True, "The plan lets it decide and its control packs calibrate."


def _widest(made: Sequence[CalibrationRecord]) -> dict[str, Number]:
    """Return the widths of the table whose harm packs lie widest."""
    widest = max(made, key=lambda record: plain(record.harm_width))
    return {"harm_width": widest.harm_width, "pack_weight": widest.pack_weight}


def _sees(record: CalibrationRecord) -> bool:
    share = record.recall_at_delta1
    return not isinstance(share, Undefined) and share >= MIN_RECALL


def large_groups(scores: ArmScores) -> list[NullGroup]:
    """Return the groups whose null is large enough to carry a verdict, largest first."""
    groups = [g for g in null_groups(scores) if g.n_controls >= MIN_CONTROLS]
    return sorted(groups, key=lambda group: group.n_controls, reverse=True)


Null = tuple[NullGroup, Widths]


def harmless_tests(
    scores: ArmScores, nulls: Sequence[Null], rng: np.random.Generator
) -> PseudoHarms:
    """Test every control pack of every family as a pseudo-harm."""
    return join([_group_tests(scores, group, widths, rng) for group, widths in nulls])


def _group_tests(
    scores: ArmScores, group: NullGroup, widths: Widths, rng: np.random.Generator
) -> PseudoHarms:
    differences = {f: scores.differences(f, group.controls) for f in scores.families}
    if group.pack_size > 1:
        dealt = [dealt_pseudo_harms(d, group.pack_size, rng) for d in differences.values()]
        return join(dealt)
    return widened_pseudo_harms(differences, widths)


def plants_on(harmless: PseudoHarms, scores: ArmScores, nulls: Sequence[Null]) -> PseudoHarms:
    """Return the tests that plants are added to: each judged as wide as a harm pack in its place.

    Harm packs lie wider than control packs where their common width is above 1; a plant that was
    judged by the controls' width would be found more easily than a link.
    """
    factors = [_wider(scores, group, widths) for group, widths in nulls]
    return widened(harmless, np.concatenate(factors))


def _wider(scores: ArmScores, group: NullGroup, widths: Widths) -> Array:
    """Width of harm packs over that of pseudo-harms, in the order of `harmless_tests`."""
    if group.pack_size > 1:
        n_packs = len(group.controls) // group.pack_size
        n_tests = sum(len(members) for members in scores.families.values()) * n_packs
        return np.full(n_tests, widths.common)
    wide = widths_as_harms(widths)
    return np.concatenate([(wide[f] / widths.controls[f]).T.ravel() for f in scores.families])


def _calibration(
    scores: ArmScores, limits: LimitsSection, n_blocking: int, rng: np.random.Generator
) -> CalibrationRecord:
    nulls = [(group, widths_of(scores, group)) for group in large_groups(scores)]
    harmless = harmless_tests(scores, nulls, rng)
    widths = nulls[0][1]
    rate = rejection_rate(harmless.t, harmless.df)
    critical = critical_value(limits.alpha, n_blocking, float(harmless.df.min()))
    ground = plants_on(harmless, scores, nulls)
    shares = recall(ground, critical=critical, delta0=limits.delta0)
    at_delta1 = recall(ground, critical=critical, delta0=limits.delta0, strengths=(limits.delta1,))[
        0
    ]
    seen = smallest_seen(ground, critical=critical, delta0=limits.delta0)
    embedded = _embedded(scores, nulls[0], critical, limits.delta0)
    plot = quantiles(harmless.t, harmless.df)
    relabelled = _relabelled(scores, rng)
    return CalibrationRecord(
        tests=rate.tests,
        rejections=rate.rejections,
        nominal=NOMINAL,
        low=rounded(rate.low),
        high=rounded(rate.high),
        p_value=number(rate.p_value, "no test could be made"),
        passed=rate.passed,
        quantiles=tuple(
            QuantilePoint(expected=rounded(e), observed=rounded(o))
            for e, o in zip(plot.expected, plot.observed, strict=True)
        ),
        recall=tuple(
            RecallPoint(effect_sd=s, found=round(share * rate.tests), planted=rate.tests)
            for s, share in zip(STRENGTHS, shares, strict=True)
            if rate.tests
        ),
        recall_at_delta1=number(float(at_delta1), "no plant could be made"),
        relabelled=relabelled,
        harm_width=number(widths.common, "there is no null"),
        pack_weight=number(widths.weight, "there is no null"),
        seen_sd=number(seen, "no plant could be made"),
        embedded=embedded.points,
        embedded_seen_sd=embedded.seen_sd,
    )


SCORES_ONLY = "only scores are known, no embeddings that a link could be written into"
DEALT = "control packs are dealt from single labels, and links are planted into packs that stay"
NEVER = "plants of no strength that could be written are found with 80 % probability"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Embedded:
    """What plants in a copy of the embeddings showed."""

    points: tuple[RecallPoint, ...]
    seen_sd: Number


def _embedded(scores: ArmScores, null: Null, critical: float, delta0: float) -> _Embedded:
    """Plant into a copy of the embeddings, where there are some."""
    group, widths = null
    if scores.row_lengths is None or group.pack_size > 1:
        why = SCORES_ONLY if scores.row_lengths is None else DEALT
        return _Embedded(points=(), seen_sd=Undefined(undefined=why))
    plants = plant_in_embeddings(
        scores, group.controls, widths_as_harms(widths), critical=critical, delta0=delta0
    )
    points = zip(plants.strengths, plants.found.tolist(), plants.planted.tolist(), strict=True)
    return _Embedded(
        points=tuple(
            RecallPoint(effect_sd=s, found=found, planted=planted)
            for s, found, planted in points
            if planted
        ),
        seen_sd=number(seen_in(plants), NEVER),
    )


def _relabelled(scores: ArmScores, rng: np.random.Generator) -> float | Undefined:
    packs = [group.controls for group in large_groups(scores) if group.pack_size == 1]
    if not packs:
        return Undefined(undefined="packs dealt from single labels are shuffled as they are")
    share = relabelled_rejections(scores, dict.fromkeys(scores.families, packs[0]), rng)
    return number(share, "no test could be made")


def sees_delta1(record: ArmRecord) -> bool:
    """Whether the arm finds at least 80 % of plants at delta1."""
    return record.calibration is not None and _sees(record.calibration)
