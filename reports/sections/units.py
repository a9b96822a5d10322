"""One block for each unit that carries a finding: whom it answers to, and with what effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.results import (
    AuditResult,
    ContributionRecord,
    FindingRecord,
    LeadRecord,
    UnitPageRecord,
)
from reports.blocks import NOTHING, THE_RESULT, Cell, Column, Table, table, text
from reports.charts import with_range
from reports.messages import N_, _, ngettext, pgettext
from reports.names import Names
from reports.panels import PanelChart, SpreadChart
from reports.pictures import Gallery, gallery
from reports.quantities import (
    interval,
    listed,
    number,
    percent,
    signed,
    together,
    undefined,
)
from reports.sections.findings import FULL_IN_PAGES as FINDINGS_IN_PAGES
from reports.sections.findings import FULL_ON_SCREEN as FINDINGS_ON_SCREEN
from reports.sections.unit_charts import (
    CURVES_IN_PAGES,
    CURVES_NOTE,
    CURVES_SHOWN,
    SPREAD_NOTE,
    curve_chart,
    curve_table,
    histogram_chart,
    histogram_table,
    spread_charts,
    spread_table,
)
from reports.sections.unit_examples import (
    EXAMPLES_NOTE,
    Drawn,
    ShotRow,
    drawn_pictures,
    shot_rows,
    wanted_pictures,
)
from reports.sections.unit_kinship import kinship
from reports.sections.unit_words import (
    ARM_NAMES,
    FULL_IN_PAGES,
    FULL_ON_SCREEN,
    Link,
    arm_in_text,
    asked_for,
    finding_links,
    finding_title,
    unit_anchor,
    unit_id,
)

LEADS_SHOWN = 5
"""Concepts of one arm in the table of a unit; pages show fewer."""

LEADS_IN_PAGES = 3
LEAD = N_(
    "What single units answer to, and what they add to a found link. This describes a finding; it "
    "decides none. The interval of each lead is its own: the first of many units looks stronger "
    "than it is."
)
CONTRIBUTIONS_NOTE = N_(
    "Exact contributions: group’s pictures minus the rest of its family, towards the harm, with "
    "attention and norms held; neutral 0. Units can cancel: shares need not add up to 100 %."
)
LEADS_NOTE = N_(
    "Leads in photos and rendered words: correlation with the concept on cluster means, 95 % "
    "interval, and lift of average precision over chance; neutral 0 and 1. Text weights: how much "
    "the concept’s prompts ask for the unit, in standard deviations over all concepts; neutral 0."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitView:
    """Everything that the report says about one unit."""

    anchor: str
    title: str
    name: str
    """Sentence on its published name; empty where there is none."""

    findings: tuple[Link, ...]
    story: tuple[str, ...]
    leads: Table | None
    kinship: str
    """Whether arms agree, and the family that the unit belongs to."""

    examples: tuple[ShotRow, ...]
    drawn: tuple[Drawn, ...]
    curves: PanelChart | None
    curves_table: Table | None
    curves_in_pages: PanelChart | None
    curves_table_in_pages: Table | None
    more_in_pages: str
    """What the single page draws of this unit beyond the pages."""

    spreads: tuple[SpreadChart, ...]
    spreads_table: Table | None
    histogram: PanelChart | None
    histogram_table: Table | None
    contributions: Table | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsView:
    """The section about units."""

    lead: str
    none: str
    """Why there is nothing; empty where there is something."""

    reading: tuple[str, ...]
    """How to read what every block shows, told once."""

    pictures_note: str
    overview: Table | None
    units: tuple[UnitView, ...]
    units_in_pages: tuple[UnitView, ...]
    more: str
    more_in_pages: str


def units_view(
    result: AuditResult,
    ordered: Sequence[FindingRecord],
    pictures: Mapping[str, bytes],
    names: Names,
) -> UnitsView:
    """Describe the units of an audit; ``ordered`` has the findings, worst first."""
    pages = result.unit_pages[:FULL_ON_SCREEN]
    wanted = [name for page in pages for name in wanted_pictures(page, names)]
    shown = gallery(wanted, pictures)
    units = tuple(_unit(page, ordered, names, shown) for page in pages)
    total = len(result.unit_pages)
    return UnitsView(
        lead=_(LEAD),
        none="" if units else no_units(result),
        reading=tuple(
            _(note)
            for note in (CONTRIBUTIONS_NOTE, LEADS_NOTE, EXAMPLES_NOTE, CURVES_NOTE, SPREAD_NOTE)
        ),
        pictures_note=_missing(wanted, pictures),
        overview=_overview(result.unit_pages, names),
        units=units,
        units_in_pages=units[:FULL_IN_PAGES],
        more=_in_full(len(units), total),
        more_in_pages=_in_full(len(units[:FULL_IN_PAGES]), total),
    )


def no_units(result: AuditResult) -> str:
    """Say why no unit is described."""
    if result.model.kind != "model":
        return _none_of_scores(result)
    if not result.findings:
        return _("Nothing was found, so there is no link whose units could be told.")
    if asked_for(result, "units", "pages") == 0:
        return _("The plan asks for no pages of units.")
    return _("No unit was traced for these findings: their evidence tells why.")


def _none_of_scores(result: AuditResult) -> str:
    if not result.model.layers:
        return _("No weights were seen and no responses of units were given, so there are none.")
    if any(finding.units for finding in result.findings):
        return _(
            "No weights were seen, so units have no pages; those that carry a finding, from the "
            "responses given, stand with it."
        )
    return _(
        "No weights were seen, so units have no pages; what the units given answer to is in "
        "measurements.parquet."
    )


def _in_full(shown: int, total: int) -> str:
    if shown >= total:
        return ""
    return _(
        "The first {shown} of {total} units are told in full; result.json has them all.",
        shown=shown,
        total=total,
    )


def _missing(wanted: Sequence[str], pictures: Mapping[str, bytes]) -> str:
    if not wanted or pictures:
        return ""
    return ngettext(
        "The result names {n} picture, and pictures.zip was not there when this report was made: "
        "their places are empty.",
        "The result names {n} pictures, and pictures.zip was not there when this report was made: "
        "their places are empty.",
        len(set(wanted)),
    )


def _overview(pages: Sequence[UnitPageRecord], names: Names) -> Table | None:
    if len(pages) < 2:
        return None
    arms = [arm for arm in ARM_NAMES if any(lead.arm == arm for p in pages for lead in p.leads)]
    return table(
        "units-table",
        _("Units that carry findings"),
        [
            Column(head=_("Unit")),
            Column(head=pgettext("of a unit", "Carries")),
            *(Column(head=_("Leads in {arm}", arm=arm_in_text(arm)), width="name") for arm in arms),
            Column(head=_("Share of the link (place)"), align="number"),
        ],
        (
            (
                text(unit_id(page.layer, page.unit), names.sentence(page.name)),
                text(", ".join(page.findings) or NOTHING),
                *(_first_lead(page, arm, names) for arm in arms),
                _share(page),
            )
            for page in pages
        ),
        screen_limit=200,
        print_limit=24,
        note=_(
            "Share: the unit’s exact contribution to the first of its findings, over the link on "
            "the same pictures; place 1 contributes most in its layer."
        ),
        compact=True,
        lies_in=THE_RESULT,
    )


def _first_lead(page: UnitPageRecord, arm: str, names: Names) -> Cell:
    lead = next((lead for lead in page.leads if lead.arm == arm), None)
    return text(names.concept(lead.concept), number(lead.value, 2)) if lead else text(NOTHING)


def _share(page: UnitPageRecord) -> Cell:
    if not page.contributions:
        return text(NOTHING)
    first = page.contributions[0]
    return text(with_range(percent(first.share), str(first.place)))


def _unit(
    page: UnitPageRecord, ordered: Sequence[FindingRecord], names: Names, shown: Gallery
) -> UnitView:
    groups = {finding.identity for finding in ordered if finding.id in page.findings}
    return UnitView(
        anchor=unit_anchor(page),
        title=unit_id(page.layer, page.unit),
        name=_published(page, names),
        findings=finding_links(page, ordered[:FINDINGS_ON_SCREEN], FINDINGS_IN_PAGES, names),
        story=tuple(names.sentence(words) for words in page.story),
        leads=_leads(page, names),
        kinship=together(kinship(page, names)),
        examples=shot_rows(page, names, shown),
        drawn=drawn_pictures(page, shown),
        curves=curve_chart(page, names),
        curves_table=curve_table(page, names),
        curves_in_pages=curve_chart(page, names, CURVES_IN_PAGES),
        curves_table_in_pages=curve_table(page, names, CURVES_IN_PAGES),
        more_in_pages=_only_on_screen(page),
        spreads=spread_charts(page, names, groups),
        spreads_table=spread_table(page, names),
        histogram=histogram_chart(page),
        histogram_table=histogram_table(page),
        contributions=_contributions(page, ordered, names),
        notes=tuple(names.sentence(words) for words in page.notes),
    )


def _only_on_screen(page: UnitPageRecord) -> str:
    curves = len(page.curves[CURVES_IN_PAGES:CURVES_SHOWN])
    spreads = len({(spread.arm, spread.family) for spread in page.spreads}) - 1
    parts = [
        ngettext("{n} further curve", "{n} further curves", curves) if curves else "",
        ngettext("{n} further chart of groups", "{n} further charts of groups", spreads)
        if spreads > 0
        else "",
        _("the histogram") if page.histograms else "",
    ]
    told = listed([part for part in parts if part])
    return _("The HTML report has {parts}.", parts=told) if told else ""


def _published(page: UnitPageRecord, names: Names) -> str:
    if not page.name:
        return ""
    name = names.hidden_within(page.name)
    return _("Published as “{name}”; the name was verified on these weights.", name=name)


def _leads(page: UnitPageRecord, names: Names) -> Table | None:
    by_arm = {
        arm: [lead for lead in page.leads if lead.arm == arm][:LEADS_SHOWN] for arm in ARM_NAMES
    }
    known = {arm: leads for arm, leads in by_arm.items() if leads}
    if not known:
        return None
    places = range(max(len(leads) for leads in known.values()))
    return table(
        f"{unit_anchor(page)}-leads",
        _("{unit}: concepts that lead, by arm", unit=unit_id(page.layer, page.unit)),
        [
            Column(head=pgettext("in an order", "Place"), width="slim"),
            *(Column(head=_("In {arm}", arm=arm_in_text(arm)), width="wide") for arm in known),
        ],
        (
            (
                text(str(place + 1)),
                *(
                    _lead(leads[place], names) if place < len(leads) else text(NOTHING)
                    for leads in known.values()
                ),
            )
            for place in places
        ),
        print_limit=LEADS_IN_PAGES,
        compact=True,
        lies_in=THE_RESULT,
    )


def _lead(lead: LeadRecord, names: Names) -> Cell:
    limits = interval(lead.low, lead.high, 2)
    value = with_range(signed(lead.value, 2), limits) if limits else signed(lead.value, 2)
    concept, lift = names.concept(lead.concept), number(lead.ap_lift)
    if undefined(lead.ap_lift):
        return text(_("{concept}: {value}", concept=concept, value=value))
    return text(_("{concept}: {value}, lift {lift}", concept=concept, value=value, lift=lift))


def _contributions(
    page: UnitPageRecord, ordered: Sequence[FindingRecord], names: Names
) -> Table | None:
    if not page.contributions:
        return None
    known = {finding.id: finding for finding in ordered}
    return table(
        f"{unit_anchor(page)}-contributions",
        _("{unit}: exact contributions to found links", unit=unit_id(page.layer, page.unit)),
        [
            Column(head=_("Finding"), width="name"),
            Column(head=_("Contribution, cosine"), align="number", width="span"),
            Column(head=_("Share of the link"), align="number"),
            Column(head=_("Place in its layer"), align="number"),
            Column(head=_("Drop when it alone is silenced"), align="number"),
        ],
        (_contribution(record, known.get(record.finding), names) for record in page.contributions),
        compact=True,
        lies_in=THE_RESULT,
    )


def _contribution(
    record: ContributionRecord, finding: FindingRecord | None, names: Names
) -> tuple[Cell, ...]:
    about = finding_title(finding, names) if finding else ""
    return (
        text(record.finding, about),
        text(signed(record.value, 4), interval(record.low, record.high, 4)),
        text(percent(record.share)),
        text(str(record.place)),
        text(signed(record.alone, 4)),
    )
