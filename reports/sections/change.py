"""What changed since an earlier audit."""

from collections import Counter
from dataclasses import dataclass

from audit.results import AuditResult
from reports.blocks import Cell, Column, Fact, Table, table, text
from reports.changes import Change, Changes
from reports.messages import N_, _, ngettext, stored
from reports.names import Names
from reports.quantities import interval, limit, moment_in_words, number, signed
from reports.wording import arm_name

STATES = {
    "new": N_("new"),
    "worse": N_("worse"),
    "unclear": N_("unclear"),
    "not comparable": N_("not comparable"),
    "unchanged": N_("unchanged"),
    "better": N_("better"),
    "fixed": N_("fixed"),
}
"""State to its word, from what a reader must see first."""

MEANINGS = {
    "new": N_("found now and not before"),
    "worse": N_("certainly stronger"),
    "unclear": N_("neither certainly changed nor certainly the same"),
    "not comparable": N_("measured on other inputs"),
    "unchanged": N_("certainly within the margin"),
    "better": N_("certainly weaker"),
    "fixed": N_("found before and not now"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """The section of what changed."""

    lead: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    counts: Table | None = None
    changes: Table | None = None
    notes: tuple[str, ...] = ()


def change_view(result: AuditResult, changes: Changes | None, names: Names) -> ChangeView:
    """Tell what differs, or that nothing was compared."""
    if changes is None:
        return ChangeView(
            lead=(
                _("No earlier audit was named when this report was rendered, so nothing is said "
                  "of what changed. `clip-audit report AUDIT --since EARLIER` adds it."),
            )
        )  # fmt: skip
    moved = [c for c in changes.changes if c.state not in ("unchanged", "unclear")]
    return ChangeView(
        lead=tuple(_lead(changes, len(moved))),
        facts=tuple(_facts(changes)),
        counts=_counts(changes),
        changes=_table(moved, result, names),
        notes=tuple(names.sentence(stored(w)) for w in (*changes.incomparable, *changes.notes)),
    )


def _lead(changes: Changes, moved: int) -> list[str]:
    same = (
        _("The weights are those of the earlier audit: what differs comes from the inputs or "
          "from chance.")
        if changes.same_model
        else _("The weights differ from those of the earlier audit.")
    )  # fmt: skip
    told = ngettext(
        "{n} contrast is new, fixed, worse, better or not comparable; the others are unchanged "
        "or unclear.",
        "{n} contrasts are new, fixed, worse, better or not comparable; the others are unchanged "
        "or unclear.",
        moved,
    )
    meaning = _(
        "Effects are compared over the same stimuli, cluster by cluster, in control standard "
        "deviations of each audit. Limits hold for all contrasts together; a change that lies "
        "within {margin} certainly counts as none.",
        margin=limit(changes.margin),
    )
    return [same, told, meaning]


def _facts(changes: Changes) -> list[Fact]:
    return [
        Fact(label=_("Earlier audit"), value=moment_in_words(changes.earlier_date)),
        Fact(label=_("Its model"), value=changes.earlier_model),
        Fact(label=_("Its result"), value=changes.earlier_digest, code=True),
        Fact(label=_("Its weights"), value=changes.earlier_weights, code=True),
    ]


def _counts(changes: Changes) -> Table:
    counted: Counter[str] = Counter(change.state for change in changes.changes)
    return table(
        "change-counts",
        _("Contrasts by what became of them"),
        (Column(head=_("State")), Column(head=_("Contrasts"), align="number"),
         Column(head=_("Meaning"), width="wide")),
        [
            (text(_(word)), text(f"{counted[state]:,}"), text(_(MEANINGS[state])))
            for state, word in STATES.items()
        ],
        compact=True,
    )  # fmt: skip


def _table(moved: list[Change], result: AuditResult, names: Names) -> Table | None:
    if not moved:
        return None
    return table(
        "changes",
        _("What changed, with simultaneous limits"),
        (
            Column(head=_("Contrast"), width="subject"),
            Column(head=_("Severity")),
            Column(head=_("State")),
            Column(head=_("Evidence")),
            Column(head=_("Before"), align="number"),
            Column(head=_("Now"), align="number"),
            Column(head=_("Change"), align="number", width="span"),
        ),
        [_row(change, result, names) for change in moved],
    )


def _row(change: Change, result: AuditResult, names: Names) -> tuple[Cell, ...]:
    pair = _("{group} and {harm}", group=names.concept(change.identity),
             harm=names.concept(change.harm))  # fmt: skip
    return (
        text(pair, change.finding),
        Cell(text="", severity=change.severity),
        text(_(STATES[change.state])),
        text(arm_name(change.arm, result.model.kind)),
        text(number(change.before_sd)),
        text(number(change.after_sd)),
        text(signed(change.change), interval(change.low, change.high)),
    )
