"""The first page: what a reader must know who reads nothing else."""

from dataclasses import dataclass

from audit.results import AuditResult, FindingRecord, ModelRecord, NotTested, Verdict
from reports.blocks import Hold, anchor
from reports.contrast_wording import rate_sentence, undecided
from reports.controls import control_sentences
from reports.messages import N_, _, ngettext
from reports.names import Names
from reports.quantities import cut, day, sentence, small, without_stop
from reports.sections.contrasts import effect_or, strongest_first
from reports.sections.findings import arms_of, lead_contrast
from reports.sections.rate_names import group_name, is_crossed, surely_above, target_name
from reports.sections.rates import worst_first as rates_worst_first
from reports.sections.sensitivity import hold_of
from reports.wording import (
    content_note,
    exploratory_sentence,
    finding_sentence,
    gate_headline,
    grade_note,
    headline,
    limits,
    seen_in,
    verdict_sentence,
)

WORST = 5
"""Findings told on the first page; one fewer where differences in behaviour need the room."""

NOT_TESTED = 4
"""Omissions told on the first page."""

OMISSION_LETTERS = 220
"""Letters of one reason on the first page."""

UNDECIDED = 3
"""Undecided contrasts told on the first page."""

ANSWERS = 3
"""Differences in behaviour told on the first page; fewer where findings need the room."""

SEVERE = 3
"""Severity from which a difference in behaviour goes before milder ones."""

KINDS = {
    "model": N_("the model itself"),
    "scores": N_("scores computed elsewhere; no weights"),
    "embeddings": N_("embeddings computed elsewhere; no weights"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstFinding:
    """One finding as the first page tells it."""

    id: str
    anchor: str
    severity: int
    grade: str
    sentence: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One difference between groups in what the model answers."""

    severity: int | None
    sentence: str
    hold: Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Omission:
    """Something that was not looked at."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do next, with a command where there is one."""

    words: str
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The first page."""

    title: str
    model: str
    model_kind: str
    date: str
    digest: str
    tool: str
    content_note: str
    verdict: str
    """Class of the verdict: ``found``, ``not_found`` or ``insufficient``."""

    headline: str
    rule: str
    meaning: tuple[str, ...]
    gate_headline: str
    gate_rule: str
    findings: tuple[WorstFinding, ...]
    more_findings: str
    no_findings: str
    undecided: tuple[str, ...]
    """Contrasts closest to a finding, where there is none and the evidence does not suffice."""

    behaviour: tuple[Answer, ...]
    """Largest differences in what the model answers."""

    notes: tuple[str, ...]
    not_tested: tuple[Omission, ...]
    more_not_tested: str
    controls: str
    """What the audit would have found, and its false-alarm rate."""

    limits: tuple[str, ...]
    next_steps: tuple[Step, ...]


def summary_of(result: AuditResult, names: Names, ordered: list[FindingRecord]) -> Summary:
    """Choose and word what the first page says; ``ordered`` is worst first."""
    behaviour = _behaviour(result, names)
    room = WORST - bool(behaviour)
    return Summary(
        title=result.title,
        model=model_name(result.model),
        model_kind=_(KINDS[result.model.kind]),
        date=day(result.run.finished),
        digest=result.digest,
        tool=f"{result.tool.name} {result.tool.version}",
        content_note=content_note(result, names),
        verdict=result.verdict.verdict.value,
        headline=headline(result),
        rule=names.sentence(result.verdict.rule),
        meaning=tuple(filter(None, [verdict_sentence(result), exploratory_sentence(result)])),
        gate_headline=gate_headline(result.gate),
        gate_rule=names.sentence(result.gate.rule),
        findings=tuple(_worst(finding, result, names) for finding in ordered[:room]),
        more_findings=_more_findings(len(ordered) - room),
        no_findings="" if ordered else _nothing(result),
        undecided=() if ordered else _undecided(result, names),
        behaviour=behaviour,
        notes=tuple(names.sentence(note) for note in result.notes),
        not_tested=omissions(result.not_tested[:NOT_TESTED], names),
        more_not_tested=_more_omissions(len(result.not_tested) - NOT_TESTED),
        controls=control_sentences(result, names),
        limits=tuple(limits(result)),
        next_steps=tuple(next_steps(result, ordered)),
    )


def model_name(model: ModelRecord) -> str:
    """Name the audited system with its pretraining tag, where the name does not say it already."""
    in_folder = model.name.startswith(("embedded:", "local-dir:"))
    tag = model.pretrained and not in_folder and model.pretrained not in model.name
    return f"{model.name} ({model.pretrained})" if tag else model.name


def omissions(entries: tuple[NotTested, ...], names: Names) -> tuple[Omission, ...]:
    """Word what was not looked at; a long list of names goes on in its own section."""
    return tuple(
        Omission(
            what=without_stop(names.sentence(entry.what)),
            why=cut(names.sentence(entry.why), OMISSION_LETTERS),
        )
        for entry in entries
    )


def next_steps(result: AuditResult, ordered: list[FindingRecord]) -> list[Step]:
    """Say what to do and type next, by verdict."""
    steps = []
    if ordered:
        worst = ordered[0]
        steps.append(
            Step(
                words=_(
                    "Read the evidence for {finding} below and decide who acts on it, and by "
                    "when. At a terminal:",
                    finding=worst.id,
                ),
                command=f"clip-audit explain {worst.id} AUDIT_FOLDER",
            )
        )
    if result.verdict.verdict is Verdict.INSUFFICIENT:
        steps.append(
            Step(
                words=_(
                    "Make the audit see more: at least 40 control packs, at least 8 terms or "
                    "persons on each side, fewer blocking contrasts. Section “Reliability” says "
                    "which of these is short; then run it again."
                )
            )
        )
    decided = result.verdict.verdict is not Verdict.INSUFFICIENT
    if decided and result.gate.fail_on == "none" and result.run.command:
        steps.append(
            Step(
                words=_("Make it a gate: a high or critical finding then ends with exit code 1."),
                command=f"{result.run.command} --fail-on high",
            )
        )
    steps.append(
        Step(
            words=_(
                "Keep the audit folder: result.json is the evidence. Repeat the audit when the "
                "model, its data or its use changes."
            )
        )
    )
    return steps


def _worst(finding: FindingRecord, result: AuditResult, names: Names) -> WorstFinding:
    contrasts = arms_of(finding, result)
    found = tuple(contrast for contrast in contrasts if contrast.arm in finding.arms)
    lead = lead_contrast(contrasts, finding)
    return WorstFinding(
        id=finding.id,
        anchor=anchor(finding.id),
        severity=finding.severity,
        grade=grade_note(finding),
        sentence=finding_sentence(finding, lead.effect_sd, names) if lead else finding.id,
        seen=seen_in(found or contrasts, result.model.kind),
    )


def _undecided(result: AuditResult, names: Names) -> tuple[str, ...]:
    open_ones = [
        contrast
        for contrast in strongest_first(result.contrasts)
        if contrast.blocking
        and contrast.verdict is Verdict.INSUFFICIENT
        and effect_or(contrast, 0.0) > 0
    ]
    return tuple(undecided(c, names, result.model.kind) for c in open_ones[:UNDECIDED])


def _behaviour(result: AuditResult, names: Names) -> tuple[Answer, ...]:
    rates = [
        rate
        for rate in rates_worst_first(result.rates)
        if rate.severity and rate.target_kind == "family" and surely_above(rate)
    ]
    single = [rate for rate in rates if not is_crossed(rate)]
    severe = [rate for rate in single if (rate.severity or 0) >= SEVERE]
    return tuple(
        Answer(
            severity=rate.severity,
            sentence=rate_sentence(rate, group_name(rate, names), target_name(rate, names)),
            hold=hold_of(rate),
        )
        for rate in (severe or single or rates)[: max(1, ANSWERS - len(result.findings))]
    )


def _more_findings(amount: int) -> str:
    if amount <= 0:
        return ""
    told = ngettext(
        "{n} further finding: see “{section}”.",
        "{n} further findings: see “{section}”.",
        amount,
        n=small(amount),
        section=_("Findings"),
    )
    return sentence(told)


def _more_omissions(amount: int) -> str:
    if amount <= 0:
        return ""
    told = ngettext(
        "{n} further omission: see “{section}”.",
        "{n} further omissions: see “{section}”.",
        amount,
        n=small(amount),
        section=_("Limits and what was not tested"),
    )
    return sentence(told)


def _nothing(result: AuditResult) -> str:
    if not result.contrasts:
        return _("No contrast between a group and a harm could be tested.")
    return _("No contrast between a listed group and a listed harm was found.")
