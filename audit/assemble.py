"""Pieces become the document, and the document becomes a folder."""

import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from audit import __version__
from audit.conclude import Conclusion
from audit.gate import GateOrder, Judgement, decide_gate
from audit.plan import AuditPlan
from audit.results import (
    AuditResult,
    ContrastRecord,
    FindingRecord,
    InputsRecord,
    Mark,
    MeasurementFile,
    MeasurementRecord,
    MeasureRecord,
    ModelRecord,
    NotTested,
    PlanRecord,
    ProbeRecord,
    RateRecord,
    RunRecord,
    ToolRecord,
    Undefined,
    UndefinedRecord,
)
from audit.sensitivity import behaviour_sentence, stands_out
from audit.unit_evidence import UnitEvidence

LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "adelie", "torch",
             "open_clip_torch", "timm", "pillow", "weasyprint")  # fmt: skip
"""Distributions whose version can change a number or a page."""

PRODUCT = "the product's own labels"

ALWAYS_UNTESTED = (
    NotTested(
        what="Languages other than English",
        why="the built-in concept sets and templates are English",
    ),
    NotTested(
        what="The product around the model: prompts, thresholds, people and decisions",
        why="an association inside a model is not by itself a harm in use; a person must judge it",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything of a result but the tables' digests, the gate and the clock."""

    title: str
    model: ModelRecord
    inputs: InputsRecord
    plan: AuditPlan
    blocking: tuple[tuple[str, str], ...]
    conclusion: Conclusion
    findings: tuple[FindingRecord, ...]
    units: UnitEvidence | None = None
    """None where no model was opened."""

    probes: tuple[ProbeRecord, ...] = ()
    rates: tuple[RateRecord, ...] = ()
    measures: tuple[MeasureRecord, ...] = ()
    catalogue: tuple[MeasurementRecord, ...] = ()
    undefined: tuple[UndefinedRecord, ...] = ()
    not_tested: tuple[NotTested, ...] = ()
    notes: tuple[str, ...] = ()
    kernels: Mapping[str, str] = field(default_factory=dict)
    """What computed pictures and prompts in place of the plain network, by name."""

    @property
    def contrasts(self) -> tuple[ContrastRecord, ...]:
        """Every contrast with its verdict."""
        return tuple(item.record for item in self.conclusion.judged)


def assemble(
    draft: Draft, measurements: tuple[MeasurementFile, ...], order: GateOrder, run: RunRecord
) -> AuditResult:
    """Put the document together.

    Parameters
    ----------
    draft : Draft
        What was measured and judged.
    measurements : tuple of MeasurementFile
        The tables beside it.
    order : GateOrder
        What the caller wants the gate to fail on.
    run : RunRecord
        When and where.

    Returns
    -------
    AuditResult
        Its digest covers everything but ``run`` and ``gate``.
    """
    judgement = Judgement(
        findings=draft.findings,
        contrasts=draft.contrasts,
        verdict=draft.conclusion.verdict,
        model=draft.model,
        thresholds_digest=draft.plan.thresholds_digest,
    )
    return AuditResult(
        title=draft.title,
        tool=tool_record(draft.kernels),
        model=draft.model,
        inputs=draft.inputs,
        plan=_plan_record(draft),
        verdict=draft.conclusion.verdict,
        gate=decide_gate(judgement, order, run.finished.date()),
        arms=draft.conclusion.arms,
        contrasts=draft.contrasts,
        findings=draft.findings,
        probes=draft.probes,
        **_units(draft.units),
        rates=draft.rates,
        measures=draft.measures,
        catalogue=draft.catalogue,
        undefined=(*draft.undefined, *undefined_contrasts(draft.contrasts)),
        not_tested=(*draft.not_tested, *_without_causes(draft), *ALWAYS_UNTESTED),
        measurements=measurements,
        notes=draft.notes,
        run=run,
    )


def _without_causes(draft: Draft) -> tuple[NotTested, ...]:
    """Say that nothing was silenced, where nothing was."""
    if draft.units is not None and draft.units.causal:
        return ()
    why = "there was no finding whose units could have been silenced"
    if draft.findings:
        why = "no unit was silenced, so no finding is marked causal"
    return (NotTested(what="Causes: whether silencing units lowers an association", why=why),)


def _units(units: UnitEvidence | None) -> dict[str, Any]:
    """Return the fields of the document that tell of units."""
    if units is None:
        return {}
    return {
        "causal": units.causal,
        "text_units": units.text_units,
        "unit_pages": units.pages,
        "transfers": units.transfers,
        "other_model": units.other_model,
        "typography": units.typography,
        "stroop": units.stroop,
        "confounds": units.confounds,
    }


def tool_record(kernels: Mapping[str, str] | None = None) -> ToolRecord:
    """Name the tool and what it computed with; kernels beside the libraries if not the plain."""
    libraries = {**library_versions(), **(kernels or {})}
    return ToolRecord(name="clip-audit", version=__version__, libraries=libraries)


def library_versions() -> dict[str, str]:
    """Return installed versions; Python first."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _plan_record(draft: Draft) -> PlanRecord:
    plan = draft.plan
    return PlanRecord(
        name=plan.name,
        digest=plan.digest,
        seed=plan.seed,
        alpha=plan.limits.alpha,
        false_discovery_rate=plan.limits.false_discovery_rate,
        delta0=plan.limits.delta0,
        delta1=plan.limits.delta1,
        thresholds_digest=plan.thresholds_digest,
        blocking=draft.blocking,
        n_exploratory=sum(not c.blocking for c in draft.contrasts),
        arms=tuple(arm.arm for arm in draft.conclusion.arms),
        resolved=plan.resolved(),
    )


def undefined_contrasts(contrasts: Sequence[ContrastRecord]) -> tuple[UndefinedRecord, ...]:
    """List contrasts without a number, one line per arm and reason."""
    counts = Counter(
        (c.arm, c.effect.undefined) for c in contrasts if isinstance(c.effect, Undefined)
    )
    return tuple(
        UndefinedRecord(what=f"{n} contrasts of the {arm} arm", why=why)
        for (arm, why), n in sorted(counts.items())
    )


def mark_behaviour(
    findings: Sequence[FindingRecord],
    rates: Sequence[RateRecord],
    false_discovery_rate: float,
) -> tuple[FindingRecord, ...]:
    """Mark findings whose group the model names as harmful more often than everybody else.

    Parameters
    ----------
    findings : sequence of FindingRecord
        Findings; the identity is ``column/value`` or a concept with that group.
    rates : sequence of RateRecord
        Rates of single group columns, with q and sensitivity.
    false_discovery_rate : float
        Largest q of a difference that counts.

    Returns
    -------
    tuple of FindingRecord
        Marked *behavioural* where under the standard labels or under the product's own the lower
        limit of the difference to the rest is above 0, q is small, and other wording and other
        labels do not undo it; the evidence then says so. A difference that is undone is told in
        the counter-evidence.
    """
    known: dict[tuple[str, str, str], RateRecord] = {
        (f"{r.column}/{r.group}", r.target, r.labels): r
        for r in rates
        if stands_out(r, false_discovery_rate)
    }
    return tuple(_with_behaviour(finding, known) for finding in findings)


def _with_behaviour(
    finding: FindingRecord, known: Mapping[tuple[str, str, str], RateRecord]
) -> FindingRecord:
    for labels, said in (("standard", "the standard labels"), ("deployment", PRODUCT)):
        rate = known.get((finding.identity, finding.harm, labels))
        if rate is None:
            continue
        fragile = rate.sensitivity is not None and rate.sensitivity.fragile
        place = "counter_evidence" if fragile else "evidence"
        sentences = (*getattr(finding, place), behaviour_sentence(rate, said))
        finding = finding.model_copy(update={place: sentences})
        if not fragile and Mark.BEHAVIOURAL not in finding.marks:
            finding = finding.model_copy(update={"marks": (*finding.marks, Mark.BEHAVIOURAL)})
    return finding


def run_record(
    started: datetime,
    finished: datetime,
    *,
    device: Literal["cpu", "cuda"] | str,
    encoded: dict[str, int],
    reused: dict[str, int],
    command: str,
) -> RunRecord:
    """Say when and where; outside the digest."""
    return RunRecord(
        started=started,
        finished=finished,
        host=platform.node(),
        device=device,
        threads=os.cpu_count() or 1,
        encoded=encoded,
        reused=reused,
        command=command,
    )
