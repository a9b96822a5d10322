"""Waivers: what a person accepted, and which of it has ended or is about to."""

from collections.abc import Sequence

from reports.blocks import Column, Table, table
from reports.history.addresses import WAIVERS, to_finding
from reports.history.cells import Entry
from reports.history.facts import StoreFact, Tone, WaiverFact, WaiverState
from reports.history.pages import Page, draw
from reports.history.words import care_of, in_days
from reports.quantities import plural

STATES: dict[WaiverState, tuple[str, Tone, str]] = {
    "expired": ("Expired", "bad", "Its last day is past: the finding counts again."),
    "expiring": ("Ends soon", "care", "It holds, and its last day is near."),
    "not yet valid": ("Not yet in force", "care", "Its first day is still to come."),
    "active": ("In force", "good", "The finding is accepted until its last day."),
    "unused": ("Unused", "none", "No latest audit of its model has the finding: remove it, or "
               "correct it."),
}  # fmt: skip

CATEGORIES = {
    "false_positive": "False positive",
    "accepted_risk": "Accepted risk",
    "mitigated_downstream": "Mitigated downstream",
    "not_applicable": "Not applicable",
}


def waivers_page(store: StoreFact, waivers: Sequence[WaiverFact]) -> bytes:
    """Render the waivers, those that ended first."""
    told = sorted(waivers, key=_order)
    groups = [
        (STATES[state][0], STATES[state][2],
         waivers_table([w for w in told if w.state == state], store, id=f"waivers-{number}"))
        for number, state in enumerate(STATES)
        if any(w.state == state for w in told)
    ]  # fmt: skip
    said = {"groups": groups, "given": store.waivers_given}
    return draw(Page(template="waivers", heading="Waivers", title="Waivers · clip-audit history",
                     current=WAIVERS, said=said), store)  # fmt: skip


def _order(waiver: WaiverFact) -> tuple[int, int, str]:
    return (list(STATES).index(waiver.state), waiver.days_left, waiver.finding)


def waivers_table(waivers: Sequence[WaiverFact], store: StoreFact, *, id: str = "waivers") -> Table:
    """List waivers with the findings that they are about."""
    columns = (
        Column(head="Finding", width="name"), Column(head="State"),
        Column(head="Last day", width="day"), Column(head="Why", width="wide"),
        Column(head="Who", width="name"), Column(head="For the model", width="name"),
    )  # fmt: skip
    care = care_of(store)
    rows = []
    for waiver in sorted(waivers, key=_order):
        word, tone, _ = STATES[waiver.state]
        rows.append((
            _covered(waiver),
            Entry(text=word, tone=tone),
            Entry(text=waiver.expires.isoformat(), note=in_days(waiver.days_left)),
            Entry(text=care.within(waiver.reason),
                  note=f"{CATEGORIES.get(waiver.category, waiver.category)}, since "
                  f"{waiver.created}{_ticket(waiver)}"),
            Entry(text=waiver.owner, note=f"approved by {waiver.approved_by}"),
            Entry(text=waiver.model, code=waiver.model.startswith("sha256:"), note=waiver.file),
        ))  # fmt: skip
    states = dict.fromkeys(STATES[waiver.state][0].lower() for waiver in waivers)
    caption = f"{plural(len(waivers), 'waiver')}: {', '.join(states)}"
    return table(id, caption, columns, rows, lies_in="the waiver file")


def _ticket(waiver: WaiverFact) -> str:
    # Printed and not linked: a page of a store leads nowhere else.
    return f", {waiver.link}" if waiver.link else ""


def _covered(waiver: WaiverFact) -> Entry:
    if not waiver.covers:
        return Entry(text=waiver.finding, code=True)
    first, *rest = (
        Entry(text=covered.name, link=to_finding(covered.model, covered.fingerprint),
              note=f"{covered.finding}, {covered.model}")
        for covered in waiver.covers
    )  # fmt: skip
    return Entry(text=first.text, link=first.link, note=first.note, more=tuple(rest))
