"""The first page: what asks for a person, every model, and what happened lately."""

from collections.abc import Sequence

from reports.blocks import NOTHING, Column, Table, table
from reports.history.addresses import OVERVIEW, to_audit, to_audits, to_model
from reports.history.cells import ALL_ROWS_LIE_IN, Entry
from reports.history.facts import (
    EventFact,
    ModelFact,
    ScheduleFact,
    StoreFact,
    Tone,
    WaiverFact,
)
from reports.history.pages import Page, draw
from reports.history.standing import concerns, headline, worst_first
from reports.history.words import ago, answer_entry, care_of, day, gate_entry, minute
from reports.quantities import plural

AGES: dict[str, tuple[str, Tone]] = {
    "fresh": ("Fresh", "good"),
    "stale": ("Overdue", "bad"),
    "unknown": ("No limit", "none"),
}


def overview(
    store: StoreFact,
    models: Sequence[ModelFact],
    schedules: Sequence[ScheduleFact],
    waivers: Sequence[WaiverFact],
    events: Sequence[EventFact],
) -> bytes:
    """Render the first page.

    Parameters
    ----------
    store : StoreFact
    models : sequence of ModelFact
        Every model under every plan; none in an empty store.
    schedules, waivers : sequence
        Of the files that were named; empty where none was.
    events : sequence of EventFact
        What happened lately, the latest first.
    """
    found = concerns(store, models, schedules, waivers)
    said = {
        "empty": not models,
        "concerns": found,
        "headline": headline(found),
        "tone": next((concern.tone for concern in found), "good"),
        "models": _models(models, store),
        "events": _events(events, store),
        "counted": _counted(models, schedules, waivers, store),
        "all_audits": to_audits(),
    }
    return draw(Page(template="overview", heading=f"History of {store.name}",
                     title=f"Overview of {store.name} · clip-audit history", current=OVERVIEW,
                     said=said), store)  # fmt: skip


def _counted(
    models: Sequence[ModelFact],
    schedules: Sequence[ScheduleFact],
    waivers: Sequence[WaiverFact],
    store: StoreFact,
) -> str:
    audits = sum(len(model.audits) for model in models)
    parts = [
        plural(audits, "audit"), f"of {plural(len({m.model for m in models}), 'model')}",
        f"· {plural(len(schedules), 'schedule')}" if store.schedules_given else "",
        f"· {plural(len(waivers), 'waiver')}" if store.waivers_given else "",
    ]  # fmt: skip
    return " ".join(part for part in parts if part)


def _models(models: Sequence[ModelFact], store: StoreFact) -> Table | None:
    if not models:
        return None
    columns = (
        Column(head="Model and plan", width="name"), Column(head="Last audit", width="day"),
        Column(head="Answer", width="name"), Column(head="Gate"),
        Column(head="Age", width="wide"), Column(head="Audits", align="number"),
    )  # fmt: skip
    return table(
        "models",
        "Models by their last audit, the worst first",
        columns,
        [_model(model, store) for model in worst_first(models)],
        lies_in=ALL_ROWS_LIE_IN,
    )


def _model(model: ModelFact, store: StoreFact) -> tuple[Entry, ...]:
    audit = model.latest
    word, tone = AGES[model.age.state]
    return (
        Entry(text=model.model, link=to_model(model.model, model.plan), note=f"plan {model.plan}"),
        Entry(text=day(audit.started), link=to_audit(audit.folder),
              note=ago(audit.finished, store.now)),
        answer_entry(audit),
        gate_entry(audit),
        Entry(text=word, tone=tone, note=model.age.sentence),
        Entry(text=str(len(model.audits))),
    )  # fmt: skip


def _events(events: Sequence[EventFact], store: StoreFact) -> Table | None:
    if not events:
        return None
    care = care_of(store)
    rows = [
        (
            Entry(text=minute(event.at), note=ago(event.at, store.now)),
            Entry(text=event.word, tone=event.tone),
            Entry(text=care.within(event.sentence)),
            Entry(text="Open the audit", link=to_audit(event.audit)) if event.audit
            else Entry(text=NOTHING),
        )
        for event in events
    ]  # fmt: skip
    columns = (Column(head="When", width="day"), Column(head="What"),
               Column(head="More", width="wide"), Column(head="Where", width="day"))  # fmt: skip
    return table("lately", "The latest first", columns, rows, lies_in=ALL_ROWS_LIE_IN)
