"""The list of audits, which can be narrowed down."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.blocks import Column, Table, table
from reports.history.addresses import AUDITS, to_audit, to_model
from reports.history.cells import ALL_ROWS_LIE_IN, Entry
from reports.history.facts import AuditFact, StoreFact
from reports.history.pages import Page, draw
from reports.history.words import GATES, ago, answer_entry, day, gate_entry, short_digest
from reports.quantities import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One field of a form that narrows a page down."""

    name: str
    label: str
    chosen: str
    options: tuple[str, ...]


def choice(name: str, label: str, chosen: str, options: Iterable[str]) -> Choice:
    """Return a field with everything that can be chosen; what was asked for is among it."""
    known = dict.fromkeys(option for option in options if option)
    return Choice(name=name, label=label, chosen=chosen, options=tuple(sorted(known)))


def audits_table(audits: Sequence[AuditFact], store: StoreFact, *, of_one_model: bool) -> Table:
    """List audits, the one kept last first, with changes of weights and plan marked."""
    before = previous_of(audits)
    columns = (
        Column(head="Audit", width="day"),
        *(() if of_one_model else (Column(head="Model", width="name"),)),
        Column(head="Plan"), Column(head="Weights"), Column(head="Answer", width="name"),
        Column(head="Gate"),
    )  # fmt: skip
    rows = [_row(audit, before[audit.id], store, of_one_model) for audit in reversed(audits)]
    return table("audits", f"{plural(len(audits), 'audit')}, the one kept last first", columns,
                 rows, lies_in=ALL_ROWS_LIE_IN)  # fmt: skip


def previous_of(audits: Sequence[AuditFact]) -> dict[str, AuditFact | None]:
    """Return the audit before each one of the same model and plan."""
    last: dict[tuple[str, str], AuditFact] = {}
    before: dict[str, AuditFact | None] = {}
    for audit in audits:
        key = (audit.model, audit.plan)
        before[audit.id] = last.get(key)
        last[key] = audit
    return before


def _row(
    audit: AuditFact, before: AuditFact | None, store: StoreFact, of_one_model: bool
) -> tuple[Entry, ...]:
    new_weights = before is not None and before.weights_digest != audit.weights_digest
    new_plan = before is not None and before.plan_digest != audit.plan_digest
    named = Entry(text=audit.model, link=to_model(audit.model))
    return (
        Entry(text=day(audit.started), link=to_audit(audit.folder),
              note=ago(audit.finished, store.now)),
        *(() if of_one_model else (named,)),
        Entry(text=audit.plan, note="changed since the audit before" if new_plan else ""),
        Entry(text=short_digest(audit.weights_digest), code=True,
              note="new weights" if new_weights else ""),
        answer_entry(audit),
        gate_entry(audit),
    )  # fmt: skip


def audits_page(
    store: StoreFact, audits: Sequence[AuditFact], *, model: str, plan: str, gate: str
) -> bytes:
    """Render the list of audits, of every model and plan or of those asked for.

    Parameters
    ----------
    audits : sequence of AuditFact
        Every audit of the store, the earliest kept first.
    model, plan, gate : str
        What was asked for; empty for all.
    """
    shown = [
        audit
        for audit in audits
        if model in {"", audit.model} and plan in {"", audit.plan} and gate in {"", audit.gate}
    ]
    asked = ", ".join(word for word in (model, plan and f"plan {plan}", gate and f"gate {gate}")
                      if word)  # fmt: skip
    said = {
        "choices": (
            choice("model", "Model", model, (a.model for a in audits)),
            choice("plan", "Plan", plan, (a.plan for a in audits)),
            choice("gate", "Gate", gate, GATES),
        ),
        "action": AUDITS,
        "narrowed": bool(asked),
        "listed": audits_table(shown, store, of_one_model=False) if shown else None,
        "empty": not audits,
    }
    heading = f"Audits: {asked}" if asked else "Audits"
    return draw(Page(template="audits", heading=heading, title=f"{heading} · clip-audit history",
                     current=AUDITS, said=said), store)  # fmt: skip
