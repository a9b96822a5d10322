"""Treatments tried on the findings of an audit, each judged again as the audit judged."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from audit.assemble import tool_record
from audit.errors import PlanError, UntrustworthyError
from audit.mitigation_cost import Harmless, ShownAs, benign_records, collateral, harmless
from audit.mitigation_fits import Fitted, Soften, fit_treatment
from audit.mitigation_measure import Links, effects, treated_rates
from audit.mitigation_record import (
    TREATMENTS,
    AuditedModelRecord,
    MitigationRecord,
    PointRecord,
    TreatedFindingRecord,
    TreatmentName,
    TreatmentRecord,
)
from audit.mitigation_world import Say, State, World, judged_state
from audit.numbers import plain
from audit.results import AuditResult, FindingRecord, NotTested
from probes.treatments import dominated

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)

SAME = 1e-3
"""Effects, as cosines, that differ by more from the audit's are of another model or machine."""

NOT_TESTED = (
    NotTested(
        what="Groups, harms and uses that the audit did not look at",
        why="a link that was not measured can be left, or made, without being seen",
    ),
    NotTested(
        what="Accuracy in your own product",
        why="benign accuracy is of the control concepts of this audit alone",
    ),
    NotTested(
        what="Treatments one after another, and training",
        why="each was tried alone, on the model as it is",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationOrder:
    """What is to be tried."""

    findings: tuple[str, ...] = ()
    """Ids; empty means all."""

    treatments: tuple[TreatmentName, ...] = TREATMENTS
    strengths: tuple[float, ...] = STRENGTHS

    @property
    def tried(self) -> tuple[float, ...]:
        """Return the strengths above 0, the smallest first."""
        return tuple(sorted({s for s in self.strengths if s > 0}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigated:
    """The record, and what can be written into weights."""

    record: MitigationRecord
    fitted: dict[TreatmentName, Fitted] = field(default_factory=dict)


def chosen_findings(result: AuditResult, wanted: Sequence[str]) -> tuple[FindingRecord, ...]:
    """Return the findings that are asked for, all of them where none is named.

    Raises
    ------
    PlanError
        If an audit saw no weights, or has no such finding.
    """
    if result.model.kind != "model":
        raise PlanError(
            "Treatments are tried on a model; this audit is of "
            f"{result.model.kind} that somebody else computed, so there are no weights to treat. "
            "Run `clip-audit run` on the model itself."
        )
    known = {finding.id: finding for finding in result.findings}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise PlanError(
            f"The audit has no finding {unknown[0]!r}; it has {', '.join(known) or 'none'}. "
            "Name one of them, or leave --finding out for all."
        )
    return tuple(known[name] for name in dict.fromkeys(wanted or known))


def check_strengths(strengths: Sequence[float]) -> tuple[float, ...]:
    """Return strengths from 0 to 1, at least one above 0.

    Raises
    ------
    PlanError
        If one is another number, or none is above 0.
    """
    wrong = [s for s in strengths if not 0 <= s <= 1]
    if wrong or not any(s > 0 for s in strengths):
        got = ", ".join(f"{s:g}" for s in strengths) or "none"
        raise PlanError(
            f"Strengths must be numbers from 0 to 1, at least one above 0; got {got}. "
            "For example: --strengths 0,0.25,0.5,0.75,1"
        )
    return tuple(strengths)


def mitigate(
    result: AuditResult, world: World, order: MitigationOrder, soften: Soften, say: Say
) -> Mitigated:
    """Try treatments and judge each state as the audit judged the model.

    Parameters
    ----------
    result : AuditResult
        The audit; its findings are treated together.
    world : World
        Its stimuli, with the model's responses.
    order : MitigationOrder
    soften : callable
        Holds units while pictures are encoded.
    say : callable
        Told in a line what happens next.

    Returns
    -------
    Mitigated

    Raises
    ------
    UntrustworthyError
        If the model as it is does not give the audit's effects.
    """
    findings = chosen_findings(result, order.findings)
    before = judged_state(world, world.responses)
    require_same_numbers(result, before)
    scene = _Scene.of(world, before, findings)
    points: list[PointRecord] = []
    fitted: dict[TreatmentName, Fitted] = {}
    told: list[TreatmentRecord] = []
    for name in order.treatments:
        fit = fit_treatment(name, world, before, findings, result.causal, soften)
        if isinstance(fit, TreatmentRecord):
            say(f"{name} was not tried: {fit.why_not}")
            told.append(fit)
            continue
        told.append(fit.record)
        fitted[name] = fit
        for strength in order.tried:
            say(f"{name} at {strength:g}")
            points.append(scene.point(name, strength, judged_state(world, fit.apply(strength))))
    return Mitigated(record=_record(result, scene, order, told, points), fitted=fitted)


def require_same_numbers(result: AuditResult, state: State) -> None:
    """Refuse a model that does not give the effects of the audit.

    Raises
    ------
    UntrustworthyError
        Naming how far the farthest is off.
    """
    known = {(c.arm, c.identity, c.harm): plain(c.effect) for c in result.contrasts}
    own = {
        (j.record.arm, j.record.identity, j.record.harm): plain(j.record.effect)
        for j in state.conclusion.judged
    }
    if set(own) != set(known):
        raise UntrustworthyError(
            f"The audit has {len(known)} contrasts and the same order gives {len(own)} now; "
            "use the version of clip-audit that made it, or run it again."
        )
    off = max((abs(known[k] - own[k]) for k in known if math.isfinite(known[k])), default=0.0)
    if off > SAME:
        raise UntrustworthyError(
            f"The model as it is must give the effects of the audit, but one is off by {off:.2g}. "
            "Its weights, libraries or device are others: run the audit again here."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """The model as it is, which every point is held against."""

    world: World
    before: State
    links: Links
    harmless: dict[ShownAs, Harmless]
    findings: tuple[FindingRecord, ...]

    @classmethod
    def of(cls, world: World, before: State, findings: tuple[FindingRecord, ...]) -> "_Scene":
        return cls(
            world=world,
            before=before,
            links=Links(state=before, findings=findings),
            harmless=harmless(world, before),
            findings=findings,
        )

    def baseline(self) -> PointRecord:
        return PointRecord(
            treatment="none",
            strength=0.0,
            effects=effects(self.links, self.links),
            rates=treated_rates(self.findings, self.before.rates),
            benign=benign_records(self.world, self.harmless, None),
            calibrated=self.before.conclusion.trustworthy,
        )

    def point(self, name: TreatmentName, strength: float, state: State) -> PointRecord:
        links = Links(state=state, findings=self.findings)
        treated = {(f.identity, f.harm) for f in self.findings}
        return PointRecord(
            treatment=name,
            strength=strength,
            effects=effects(links, self.links),
            rates=treated_rates(self.findings, state.rates),
            benign=benign_records(self.world, harmless(self.world, state), self.harmless),
            collateral=collateral(self.before, state, treated),
            calibrated=state.conclusion.trustworthy,
        )


def _record(
    result: AuditResult,
    scene: _Scene,
    order: MitigationOrder,
    treatments: Sequence[TreatmentRecord],
    points: Sequence[PointRecord],
) -> MitigationRecord:
    baseline = scene.baseline()
    axis = costliest(baseline, points)
    marked = _marked([baseline, *points])
    return MitigationRecord.model_validate(
        {
            "tool": tool_record(),
            "audit": AuditedModelRecord(
                result_digest=result.digest,
                title=result.title,
                model=result.model.name,
                weights_digest=result.model.weights_digest,
            ),
            "seed": scene.world.plan.seed,
            "findings": tuple(_finding(f) for f in scene.findings),
            "treatments": tuple(treatments),
            "strengths": (0.0, *order.tried),
            "benign_axis": axis,
            "baseline": marked[0],
            "points": tuple(marked[1:]),
            "best": _best(marked, lambda point: True),
            "best_without_loss": _best(marked, lambda point: not _lost(point)),
            "names": _names(result, scene.findings, points),
            "not_tested": (*NOT_TESTED, *_untested(result, treatments)),
        }
    )


def _finding(finding: FindingRecord) -> TreatedFindingRecord:
    return TreatedFindingRecord(
        id=finding.id,
        family=finding.family,
        identity=finding.identity,
        harm=finding.harm,
        severity=finding.severity,
        arms=finding.arms,
    )


def held_out_harms(point: PointRecord) -> list[float]:
    """Return the held-out effects of the arms in which links were found, in control SD.

    An effect below 0 ties the group to the harm less than its family is tied: that is no harm of
    this kind, and going further is no gain, so it counts as 0.
    """
    found = [plain(effect.held_out_sd) for effect in point.effects if effect.found]
    return [value if math.isnan(value) else max(0.0, value) for value in found]


def accuracies(point: PointRecord) -> dict[str, float]:
    """Return benign accuracy by how control concepts are shown."""
    return {b.shown: plain(b.value) for b in point.benign if b.measure == "accuracy"}


def costliest(baseline: PointRecord, points: Sequence[PointRecord]) -> str:
    """Return where benign accuracy falls most at any point; empty where it is not measured.

    Where nothing falls it is photos, else drawn words, else prompts, as far as there are any.
    """
    before = accuracies(baseline)
    falls = {
        shown: max((value - accuracies(p).get(shown, value) for p in points), default=0.0)
        for shown, value in before.items()
    }
    return max(falls, key=falls.__getitem__, default="")


def _lost(point: PointRecord) -> bool:
    """Whether benign accuracy certainly fell somewhere, or is not known."""
    own = [b for b in point.benign if b.measure == "accuracy"]
    # Without an interval no cluster is answered otherwise, or all of them fell alike.
    ends = [plain(b.change if math.isnan(plain(b.change_high)) else b.change_high) for b in own]
    return not ends or min(ends) < 0


def _marked(points: Sequence[PointRecord]) -> list[PointRecord]:
    """Mark the points that another one beats in everything."""
    harms = np.array([held_out_harms(point) for point in points], dtype=np.float64)
    benefits = np.array([list(accuracies(point).values()) for point in points], dtype=np.float64)
    if not harms.shape[1] or not benefits.shape[1]:
        return list(points)
    return [
        point
        if by < 0
        else point.model_copy(update={"dominated": True, "dominated_by": points[by].name})
        for point, by in zip(points, dominated(harms, benefits).tolist(), strict=True)
    ]


def _best(points: Sequence[PointRecord], allowed: Callable[[PointRecord], bool]) -> str:
    """Name the point whose largest held-out effect is smallest, if it lowers that of the model."""
    largest = {p.name: max(held_out_harms(p), default=float("nan")) for p in points}
    first = largest[points[0].name]
    lower = [p.name for p in points[1:] if allowed(p) and largest[p.name] < first]
    return min(lower, key=largest.__getitem__, default="")


def _names(
    result: AuditResult, findings: Sequence[FindingRecord], points: Sequence[PointRecord]
) -> dict[str, str]:
    """Return display names of what is mentioned; what has none goes by the end of its name."""
    sets = result.inputs.concept_sets
    known = {c.ref: c.name for s in sets for c in s.concepts} | {s.id: s.name for s in sets}
    worst = [p.collateral for p in points if p.collateral is not None]
    mentioned = [ref for f in findings for ref in (f.family, f.identity, f.harm)]
    mentioned += [ref for c in worst for ref in (c.identity, c.harm) if ref]
    return {ref: known.get(ref) or ref.rpartition("/")[2] or ref for ref in sorted({*mentioned})}


def _untested(result: AuditResult, treatments: Sequence[TreatmentRecord]) -> tuple[NotTested, ...]:
    out = [
        NotTested(what=f"The treatment {t.name}", why=t.why_not) for t in treatments if not t.tried
    ]
    deployed = result.plan.resolved.get("deployment") or {}
    if deployed.get("labels"):
        why = "rates are those under the audit's standard labels"
        out.append(NotTested(what="The product's own labels", why=why))
    return tuple(out)
