"""How units, arms and findings are named and linked in the sections about units."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.results import AuditResult, FindingRecord, UnitPageRecord
from reports.blocks import anchor
from reports.messages import N_, _
from reports.names import Names
from reports.quantities import sentence

FULL_ON_SCREEN = 24
"""Units with a block of their own on the single page."""

FULL_IN_PAGES = 3
"""Units with a block of their own in the paged edition; a table lists all."""

ARM_NAMES = {"text": N_("text weights"), "rendered": N_("rendered words"), "photo": N_("photos")}
"""Arms as units see them: of a text tower units see weights only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link to a block that an edition may not have."""

    anchor: str
    label: str
    on_screen: bool
    in_pages: bool


def unit_id(layer: str, unit: int) -> str:
    """Name a unit as the command line does."""
    return f"{layer}:{unit}"


def unit_anchor(page: UnitPageRecord) -> str:
    """Name the block of a unit; the same in every report of the same model."""
    return anchor(f"unit-{page.layer}-{page.pooling}-{page.unit}")


def arm_in_text(arm: str) -> str:
    """Name an arm of a unit in running text."""
    return _(ARM_NAMES[arm]) if arm in ARM_NAMES else arm


def arm_words(arm: str) -> str:
    """Name an arm of a unit at the start of a sentence."""
    return sentence(arm_in_text(arm))


def unit_links(finding: FindingRecord, result: AuditResult) -> tuple[Link, ...]:
    """Return links from a finding to the units that carry it."""
    return tuple(
        Link(
            anchor=unit_anchor(page),
            label=unit_id(page.layer, page.unit),
            on_screen=place < FULL_ON_SCREEN,
            in_pages=place < FULL_IN_PAGES,
        )
        for place, page in enumerate(result.unit_pages)
        if finding.id in page.findings and place < FULL_ON_SCREEN
    )


def finding_links(
    page: UnitPageRecord, findings: Sequence[FindingRecord], in_pages: int, names: Names
) -> tuple[Link, ...]:
    """Return links from a unit to its findings, in the order of the record."""
    places = {finding.id: place for place, finding in enumerate(findings)}
    return tuple(
        Link(
            anchor=anchor(id),
            label=_(
                "{finding}: {title}", finding=id, title=finding_title(findings[places[id]], names)
            )
            if id in places
            else id,
            on_screen=id in places,
            in_pages=places.get(id, in_pages) < in_pages,
        )
        for id in page.findings
    )


def finding_title(finding: FindingRecord, names: Names) -> str:
    """Name a finding by its group and its harm."""
    return _(
        "{group} and {harm}",
        group=names.concept(finding.identity),
        harm=names.concept(finding.harm),
    )


def asked_for(result: AuditResult, section: str, key: str) -> object:
    """Look up what the plan said; None where the document does not tell."""
    part = result.plan.resolved.get(section)
    return part.get(key) if isinstance(part, dict) else None
