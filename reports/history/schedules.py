"""Schedules: what ran last, what is due, and what is overdue."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.blocks import Column, Table, table
from reports.history.addresses import SCHEDULES, to_audit
from reports.history.cells import Entry, Line, line
from reports.history.facts import RunFact, ScheduleFact, StoreFact, Tone
from reports.history.pages import Page, draw
from reports.history.words import care_of, minute
from reports.quantities import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One schedule, told."""

    id: str
    anchor: str
    word: str
    tone: Tone
    facts: tuple[Line, ...]
    runs: Table | None


def schedules_page(store: StoreFact, schedules: Sequence[ScheduleFact]) -> bytes:
    """Render the schedules, the overdue first."""
    ordered = sorted(schedules, key=lambda s: (not s.enabled, not s.stale, s.id))
    said = {
        "listed": _listed(ordered) if ordered else None,
        "told": [_told(schedule, n, store) for n, schedule in enumerate(ordered)],
        "given": store.schedules_given,
    }
    return draw(Page(template="schedules", heading="Schedules",
                     title="Schedules · clip-audit history", current=SCHEDULES, said=said),
                store)  # fmt: skip


def state_of(schedule: ScheduleFact) -> tuple[str, Tone]:
    """Say in a word how a schedule stands."""
    if not schedule.enabled:
        return "Off", "none"
    return ("Overdue", "bad") if schedule.stale else ("Fresh", "good")


def _listed(schedules: Sequence[ScheduleFact]) -> Table:
    columns = (
        Column(head="Schedule", width="name"), Column(head="State"),
        Column(head="Last run", width="name"), Column(head="Next", width="name"),
        Column(head="Freshness", width="wide"),
    )  # fmt: skip
    rows = []
    for schedule in schedules:
        word, tone = state_of(schedule)
        rows.append((
            Entry(text=schedule.id, note=schedule.timing),
            Entry(text=word, tone=tone),
            _last(schedule),
            Entry(text=schedule.due if schedule.enabled else "off"),
            Entry(text=schedule.freshness),
        ))  # fmt: skip
    return table("standing", "How each schedule stands, the overdue first", columns, rows,
                 lies_in="the schedule file")  # fmt: skip


def _last(schedule: ScheduleFact) -> Entry:
    if not schedule.runs:
        return Entry(text="Never", tone="none")
    run = schedule.runs[0]
    link = to_audit(run.audit) if run.audit else ""
    return Entry(text=run.state.capitalize(), tone=run.tone, link=link, note=run.shown)


def _told(schedule: ScheduleFact, number: int, store: StoreFact) -> Told:
    word, tone = state_of(schedule)
    runs = [_run(run, schedule, store) for run in schedule.runs]
    left = schedule.n_runs - len(schedule.runs)
    columns = (
        Column(head="Due", width="name"), Column(head="State", width="name"),
        Column(head="Tries", align="number"), Column(head="Exit", align="number"),
        Column(head="Why", width="wide"), Column(head="Audit"),
    )  # fmt: skip
    return Told(
        id=schedule.id,
        anchor=f"schedule-{number}",
        word=word,
        tone=tone,
        facts=(
            line("When", schedule.timing),
            line("Freshness", schedule.freshness),
            line("Next", schedule.due if schedule.enabled else "off"),
            line("Owner", schedule.owner),
            line("Further tries after an error that may pass", str(schedule.retries)),
        ),
        runs=table(
            f"runs-{number}", f"Runs of {schedule.id}, the latest first", columns, runs,
            note=f"{plural(left, 'earlier run')} not shown." if left else "",
        ) if runs else None,
    )  # fmt: skip


def _run(run: RunFact, schedule: ScheduleFact, store: StoreFact) -> tuple[Entry, ...]:
    return (
        Entry(text=run.shown, note=f"ended {minute(run.finished)}" if run.finished else ""),
        Entry(text=run.state.capitalize(), tone=run.tone, note=run.meaning),
        Entry(text=f"{run.attempts} of {schedule.retries + 1}",
              note=f"again {run.retry}" if run.retry else ""),
        Entry(text="·" if run.exit_code is None else str(run.exit_code)),
        Entry(text=care_of(store).within(run.why) or "·"),
        Entry(text="Open", link=to_audit(run.audit)) if run.audit else Entry(text="·"),
    )  # fmt: skip
