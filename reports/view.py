"""From the result document to what a reader sees: order, rounding and every sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from audit.results import AuditResult
from reports.blocks import Fact, Table
from reports.crosswalk.view import CrosswalkView, crosswalk_view
from reports.editions import FULL, Edition
from reports.formats import NO_PICTURES
from reports.messages import N_, _
from reports.names import Names
from reports.sections.change import ChangeView, change_view
from reports.sections.closing import ClosingView, closing_view
from reports.sections.contrasts import ContrastsView, contrasts_views
from reports.sections.decisions import DecisionsView, decisions_view
from reports.sections.findings import (
    FULL_IN_PAGES,
    FULL_ON_SCREEN,
    FindingView,
    finding_view,
    findings_table,
    how_many_in_full,
    worst_first,
)
from reports.sections.gate import GateView, gate_view
from reports.sections.inputs import (
    InputsView,
    inputs_view,
    measurement_files,
    reproducibility_facts,
    system_facts,
)
from reports.sections.measures import NO_MEASURES, MeasuresView, measures_view
from reports.sections.probes import probe_table
from reports.sections.public import PublicView, public_view
from reports.sections.rates import RatesView, rates_view
from reports.sections.reading import ReadingView, reading_view
from reports.sections.reliability import ReliabilityView, reliability_views
from reports.sections.replication import OtherModelView, other_model_view
from reports.sections.summary import Summary, summary_of
from reports.sections.text_units import TextUnitsView, text_units_view
from reports.sections.typography import TypographyView, typography_view
from reports.sections.units import UnitsView, units_view


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Head of one section, for the text and the table of contents."""

    id: str
    number: int
    title: str


TITLES = {
    "findings": N_("Findings"),
    "contrasts": N_("All contrasts"),
    "behaviour": N_("Behaviour: rates by group"),
    "units": N_("Units"),
    "text-units": N_("What prompts ask of units"),
    "probes": N_("Sparse probes"),
    "typography": N_("Words on pictures"),
    "second-model": N_("Second model"),
    "measures": N_("Measures"),
    "reliability": N_("Reliability of this audit"),
    "change": N_("Change since an earlier audit"),
    "gate": N_("Gate, baseline and waivers"),
    "scope": N_("Scope and intended purpose"),
    "inputs": N_("Inputs"),
    "method": N_("Method"),
    "limits": N_("Limits and what was not tested"),
    "system": N_("System under audit"),
    "decisions": N_("Decisions and signatures"),
    "reproducibility": N_("Reproducibility"),
    "crosswalk": N_("Crosswalk to rules and standards"),
    "glossary": N_("Glossary"),
}
"""Sections in order; each is there even when it has nothing to tell, and then says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """Everything that a report says, in order, without any layout."""

    language: str
    audience: str
    contents: dict[str, Section]
    """Heads of the sections by id, in order."""

    summary: Summary
    public: PublicView
    findings_table: Table | None
    findings: tuple[FindingView, ...]
    """Blocks of evidence for the single page, worst first."""

    findings_in_pages: tuple[FindingView, ...]
    """The worst of them, for the paged edition."""

    more_findings: str
    more_findings_in_pages: str
    contrasts: tuple[ContrastsView, ...]
    rates: RatesView | None
    deployment: RatesView | None
    """The same under the product's own labels."""

    units: UnitsView
    text_units: TextUnitsView
    typography: TypographyView
    reading: ReadingView
    second_model: OtherModelView
    measures: MeasuresView | None
    no_measures: str
    reliability: tuple[ReliabilityView, ...]
    probes: Table | None
    no_probes: str
    """Why there are none, for where there are none."""

    change: ChangeView
    gate: GateView
    decisions: DecisionsView
    inputs: InputsView
    closing: ClosingView
    system: tuple[Fact, ...]
    reproducibility: tuple[Fact, ...]
    crosswalk: CrosswalkView
    measurements: Table | None


def build_view(
    result: AuditResult, pictures: Mapping[str, bytes] = NO_PICTURES, edition: Edition = FULL
) -> ReportView:
    """Word, order and round a result for every rendering.

    Parameters
    ----------
    result : AuditResult
        The document; nothing else is read, no clock, file or setting.
    pictures : mapping
        Name to JPEG, as the audit folder has them.
    edition : Edition
        Language and audience; the caller speaks the language (`reports.messages.speaking`).

    Returns
    -------
    ReportView
        Plain data. Text from the document is not yet escaped: that is the template's work.
    """
    names = Names(inputs=result.inputs)
    shown = pictures if edition.audience == "full" else NO_PICTURES
    inputs = inputs_view(result, names)
    ordered = worst_first(result)
    blocks = tuple(finding_view(f, result, names) for f in ordered[:FULL_ON_SCREEN])
    return ReportView(
        language=edition.language,
        audience=edition.audience,
        contents={
            id: Section(id=id, number=number, title=_(title))
            for number, (id, title) in enumerate(TITLES.items(), start=1)
        },
        summary=summary_of(result, names, ordered),
        public=public_view(result, names),
        findings_table=findings_table(ordered, result, names),
        findings=blocks,
        findings_in_pages=blocks[:FULL_IN_PAGES],
        more_findings=how_many_in_full(len(blocks), len(ordered)),
        more_findings_in_pages=how_many_in_full(len(blocks[:FULL_IN_PAGES]), len(ordered)),
        contrasts=contrasts_views(result, names),
        rates=rates_view(result, names),
        deployment=rates_view(result, names, "deployment"),
        units=units_view(result, ordered, shown, names),
        text_units=text_units_view(result, ordered, names),
        typography=typography_view(result, names),
        reading=reading_view(result, names),
        second_model=other_model_view(result, names),
        measures=measures_view(result, names),
        no_measures=NO_MEASURES,
        reliability=reliability_views(result, names),
        probes=probe_table("probes", _("Sparse probes"), result.probes, names),
        no_probes=(
            _("No probes were trained: this run read no units, or the plan did not ask for probes.")
            if result.model.kind == "model"
            else _("No probes were trained: no weights were seen, so there are no units to read.")
        ),
        change=change_view(result, edition.changes, names),
        gate=gate_view(result, names),
        decisions=decisions_view(edition.governance),
        inputs=inputs if edition.audience == "full" else replace(inputs, terms=()),
        closing=closing_view(result, names),
        system=system_facts(result),
        reproducibility=reproducibility_facts(result),
        crosswalk=crosswalk_view(
            result, edition.governance, attached=("history",) if edition.changes else ()
        ),
        measurements=measurement_files(result),
    )
