"""One block of evidence for each finding."""

from dataclasses import dataclass

from audit.results import (
    AuditResult,
    ContrastRecord,
    FindingRecord,
    UnitRecord,
)
from reports.blocks import Cell, Column, Table, anchor, table, text
from reports.charts import RowChart, estimate_in_sd, row_chart, with_range
from reports.contrast_wording import would_change
from reports.messages import _, ngettext, pgettext
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    interval,
    listed,
    listed_plainly,
    number,
    sentence,
    signed,
    undefined,
)
from reports.sections.causal import CausalView, causal_view
from reports.sections.contrasts import (
    AXIS,
    MARKERS,
    contrast_row,
    contrast_table,
    effect_or,
    limits_of,
)
from reports.sections.finding_behaviour import AnswerView, answers_of
from reports.sections.probes import probe_table
from reports.sections.stability import stability_chart, stability_table
from reports.sections.transfers import transfer_table
from reports.sections.unit_words import Link, unit_links
from reports.wording import (
    GRADE_NAMES,
    GRADES,
    MARK_NAMES,
    MARKS,
    arm_name,
    finding_sentence,
    standing,
)

FULL_ON_SCREEN = 25
"""Findings with a block of evidence on the single page; the table lists all."""

FULL_IN_PAGES = 6
"""Findings with a block of evidence in the paged edition."""

UNITS_SHOWN = 10
"""Units in the report; the result document keeps 50."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """Everything that the report says about one finding."""

    id: str
    anchor: str
    """Name of the block, to be linked to."""

    fingerprint: str
    severity: int
    title: str
    lead: str
    standing: str
    grade: str
    marks: tuple[str, ...]
    effects: RowChart | None
    effects_table: Table | None
    answers: tuple[AnswerView, ...]
    """What the model answers, where that is part of the finding."""

    stability: tuple[RowChart, ...]
    stability_table: Table | None
    evidence: tuple[str, ...]
    counter_evidence: tuple[str, ...]
    would_change: tuple[str, ...]
    units: Table | None
    units_note: str
    unit_pages: tuple[Link, ...]
    """Links to the blocks of those units that have one."""

    causal: CausalView | None
    """What silencing them did; None where nothing was silenced."""

    transfers: Table | None

    probes: Table | None


def worst_first(result: AuditResult) -> list[FindingRecord]:
    """Order blocking findings first, then by severity, then by effect."""

    def rank(finding: FindingRecord) -> tuple[bool, int, float, str]:
        lead = lead_contrast(arms_of(finding, result), finding)
        strength = abs(effect_or(lead, 0.0)) if lead else 0.0
        return not finding.blocking, -finding.severity, -strength, finding.id

    return sorted(result.findings, key=rank)


def findings_table(ordered: list[FindingRecord], result: AuditResult, names: Names) -> Table | None:
    """List all findings, worst first; None where there are fewer than two."""
    if len(ordered) < 2:
        return None
    return table(
        "findings-table",
        _("All findings, worst first"),
        [
            Column(head=_("Finding")),
            Column(head=_("Group"), width="name"),
            Column(head=_("Harm"), width="name"),
            Column(head=_("Effect, control SD"), align="number"),
            Column(head=_("Found in"), width="name"),
            Column(head=_("Grade")),
            Column(head=_("Named beforehand")),
        ],
        (_overview(finding, result, names) for finding in ordered),
        screen_limit=300,
        print_limit=40,
        note=_("Effect: the strongest kind of evidence that found it, with limits; 0 is neutral."),
        compact=True,
    )


def _overview(finding: FindingRecord, result: AuditResult, names: Names) -> tuple[Cell, ...]:
    lead = lead_contrast(arms_of(finding, result), finding)
    kinds = [arm_name(arm, result.model.kind) for arm in finding.arms]
    return (
        text(finding.id),
        text(names.concept(finding.identity), names.family(finding.family)),
        Cell(text=names.concept(finding.harm), severity=finding.severity),
        text(number(lead.effect_sd), interval(lead.low_sd, lead.high_sd)) if lead else text(""),
        text(sentence(listed(kinds))),
        text(
            pgettext("grade", GRADE_NAMES[finding.grade]),
            listed_plainly([pgettext("mark", MARK_NAMES[mark]) for mark in finding.marks]),
        ),
        text(_("yes") if finding.blocking else _("no, exploratory")),
    )


def how_many_in_full(shown: int, everything: int) -> str:
    """Say that evidence is told for some findings only; empty where it is told for all."""
    if shown >= everything:
        return ""
    return ngettext(
        "Evidence is told in full for the first {shown} of {n} findings; result.json has it for "
        "all.",
        "Evidence is told in full for the first {shown} of {n} findings; result.json has it for "
        "all.",
        everything,
        shown=count(shown),
    )


def arms_of(finding: FindingRecord, result: AuditResult) -> tuple[ContrastRecord, ...]:
    """Return the contrasts of a finding's identity and harm, in every arm."""
    return tuple(
        contrast
        for contrast in result.contrasts
        if (contrast.identity, contrast.harm) == (finding.identity, finding.harm)
    )


def lead_contrast(
    contrasts: tuple[ContrastRecord, ...], finding: FindingRecord
) -> ContrastRecord | None:
    """Choose the arm that the sentence quotes: the strongest of those that found it."""
    found = [contrast for contrast in contrasts if contrast.arm in finding.arms]
    return max(found or contrasts, key=lambda c: abs(effect_or(c, 0.0)), default=None)


def finding_view(finding: FindingRecord, result: AuditResult, names: Names) -> FindingView:
    """Describe one finding."""
    contrasts = arms_of(finding, result)
    lead = lead_contrast(contrasts, finding)
    kind = result.model.kind
    return FindingView(
        id=finding.id,
        anchor=anchor(finding.id),
        fingerprint=finding.fingerprint,
        severity=finding.severity,
        title=_(
            "{group} and {harm}",
            group=names.concept(finding.identity),
            harm=names.concept(finding.harm),
        ),
        lead=finding_sentence(finding, lead.effect_sd, names) if lead else "",
        standing=standing(finding, result.plan),
        grade=_(GRADES[finding.grade]),
        marks=tuple(_(MARKS[mark]) for mark in finding.marks),
        effects=_effects(finding, contrasts, result, kind),
        effects_table=_arms_table(finding, contrasts, names, kind),
        answers=answers_of(finding, result, names),
        stability=tuple(
            stability_chart(finding, contrast, contrast.stability, names, kind)
            for contrast in contrasts
            if contrast.stability and contrast.arm in finding.arms
        ),
        stability_table=stability_table(finding, contrasts, names, kind),
        evidence=tuple(names.sentence(words) for words in finding.evidence),
        counter_evidence=tuple(names.sentence(words) for words in finding.counter_evidence),
        would_change=tuple(would_change(lead, result.plan, names)) if lead else (),
        units=_units(finding),
        units_note=names.sentence(finding.units_note),
        unit_pages=unit_links(finding, result),
        causal=causal_view(finding, result, names),
        transfers=transfer_table(finding, result, names),
        probes=probe_table(
            f"probes-{finding.id}",
            _("Sparse probes around {finding}", finding=finding.id),
            finding.probes,
            names,
        ),
    )


def _effects(
    finding: FindingRecord, contrasts: tuple[ContrastRecord, ...], result: AuditResult, kind: str
) -> RowChart | None:
    drawn = [contrast for contrast in contrasts if defined(contrast.effect_sd) is not None]
    if not drawn:
        return None
    return row_chart(
        f"effects-{finding.id}",
        "forest",
        _("{finding}: effect in each kind of evidence", finding=finding.id),
        _("The numbers are in the table below."),
        _(AXIS),
        [
            estimate_in_sd(
                sentence(arm_name(contrast.arm, kind)),
                contrast.effect_sd,
                contrast.low_sd,
                contrast.high_sd,
                MARKERS[contrast.verdict],
            )
            for contrast in drawn
        ],
        label_room=130,
        guides=limits_of(result),
    )


def _arms_table(
    finding: FindingRecord, contrasts: tuple[ContrastRecord, ...], names: Names, kind: str
) -> Table | None:
    plain = contrast_table(
        f"arms-{finding.id}",
        _("{finding} in each kind of evidence", finding=finding.id),
        contrasts,
        names,
    )
    if plain is None:
        return None
    return table(
        plain.id,
        plain.caption,
        [
            Column(head=_("Evidence")),
            *plain.columns[2:-1],
            Column(head=_("Verdict and rule"), width="wide"),
        ],
        (
            (
                text(sentence(arm_name(contrast.arm, kind))),
                *contrast_row(contrast, names)[2:-1],
                Cell(
                    text=contrast_row(contrast, names)[-1].text,
                    note=names.sentence(contrast.reason),
                    strong=contrast.arm in finding.arms,
                ),
            )
            for contrast in contrasts
        ),
        note=plain.note,
        compact=True,
    )


def _units(finding: FindingRecord) -> Table | None:
    if not finding.units:
        return None
    shown = finding.units[:UNITS_SHOWN]
    return table(
        f"units-{finding.id}",
        ngettext(
            "The {n} unit that carry most of {finding}, of {kept} kept",
            "The {n} units that carry most of {finding}, of {kept} kept",
            len(shown),
            finding=finding.id,
            kept=count(len(finding.units)),
        ),
        [
            Column(head=_("Unit")),
            Column(head=_("Pooling")),
            Column(head=_("Contribution"), align="number"),
            Column(head=_("Double difference"), align="number"),
            Column(head=_("Weight"), align="number"),
            Column(head=_("Correlation"), align="number"),
            Column(head=_("AP lift (chance, ceiling)"), align="number", width="span"),
        ],
        (_unit_row(unit) for unit in shown),
        note=_(
            "Units describe a finding, they do not decide it. Contribution: the unit's double "
            "difference times its weight on the harm; neutral value 0. AP lift: beside "
            "what chance gives and its ceiling. Correlation on cluster means: neutral value 0."
        ),
        compact=True,
    )


def _unit_row(unit: UnitRecord) -> tuple[Cell, ...]:
    return (
        text(f"{unit.layer}:{unit.unit}"),
        text(unit.pooling),
        text(signed(unit.contribution, 4)),
        text(signed(unit.double_difference, 3)),
        text(signed(unit.weight, 4)),
        text(signed(unit.correlation, 2)),
        text(with_range(number(unit.ap_lift, 1), _bounds(unit))),
    )


def _bounds(unit: UnitRecord) -> str:
    """Write what chance gives, where it is known, and the most that can be had."""
    known = [value for value in (unit.ap_chance, unit.ap_ceiling) if not undefined(value)]
    return listed_plainly([number(value, 1) for value in known]) or _("unknown")
