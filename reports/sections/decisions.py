"""What only people can say: scope, grounds, decisions, signatures."""

from dataclasses import dataclass

from reports.blocks import Column, Fact, Table, table, text
from reports.governance import FIELDS, PARTS, Governance
from reports.messages import _, ngettext
from reports.quantities import day_of

FIRST = ("system",)
"""Parts that are told as the scope; the others stand among the decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementsView:
    """One part of the statements."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsView:
    """Statements of people, and their signatures."""

    draft: str
    """Why this is a draft; empty for a report that has everything."""

    scope: tuple[StatementsView, ...]
    lead: str
    parts: tuple[StatementsView, ...]
    signatures: Table | None
    no_signature: str
    file: tuple[Fact, ...]


def decisions_view(governance: Governance) -> DecisionsView:
    """Show every statement that is asked of people; one that is not there says so."""
    return DecisionsView(
        draft=draft_note(governance),
        scope=tuple(_part(part, governance) for part in FIRST),
        lead=_(
            "The tool measures and leaves these to people: what the system is for, which harms "
            "matter, where the thresholds lie, whether a risk is acceptable, and who answers for "
            "it. What nobody stated is shown as not provided."
        ),
        parts=tuple(_part(part, governance) for part in PARTS if part not in FIRST),
        signatures=_signatures(governance),
        no_signature=_("Not signed by anybody."),
        file=_file(governance),
    )


def draft_note(governance: Governance) -> str:
    """Say why a report is a draft; empty where nothing is missing."""
    if governance.complete:
        return ""
    missing = len(governance.missing())
    if not missing:
        return _("Draft: nobody has signed this report.")
    return ngettext(
        "Draft: {n} statement that only people can make is not provided.",
        "Draft: {n} statements that only people can make are not provided.",
        missing,
    )


def _part(part: str, governance: Governance) -> StatementsView:
    return StatementsView(
        title=_(PARTS[part]),
        facts=tuple(
            Fact(label=_(field.label), value=_said(field.path, field.asks, governance))
            for field in FIELDS
            if field.part == part
        ),
    )


def _said(path: str, asks: str, governance: Governance) -> str:
    words = governance.statements.get(path)
    return words or _("NOT PROVIDED. Asked: {asks}", asks=_(asks))


def _signatures(governance: Governance) -> Table | None:
    rows = [(text(s.name), text(s.role), text(day_of(s.date))) for s in governance.signatures]
    columns = (Column(head=_("Name"), width="name"), Column(head=_("Role"), width="name"),
               Column(head=_("Date")))  # fmt: skip
    return table("signatures", _("Signed by"), columns, rows) if rows else None


def _file(governance: Governance) -> tuple[Fact, ...]:
    if not governance.digest:
        return ()
    return (Fact(label=_("Governance file"), value=governance.digest, code=True),)
