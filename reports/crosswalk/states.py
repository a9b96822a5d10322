"""The state of a clause, computed from what an audit holds and what people filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reports.crosswalk.frameworks import Rule
from reports.crosswalk.human import denied, filled
from reports.governance import Governance
from reports.messages import N_


class State(StrEnum):
    """How far an audit serves a clause; none of them says that anything conforms."""

    SUPPLIED = "supplied"
    PARTIAL = "partial"
    HUMAN = "human"
    NOT_APPLICABLE = "not_applicable"


STATES = {
    State.SUPPLIED: N_("evidence supplied"),
    State.PARTIAL: N_("partial"),
    State.HUMAN: N_("needs a human"),
    State.NOT_APPLICABLE: N_("not applicable"),
}
"""State to its words."""

MEANINGS = {
    State.SUPPLIED: N_(
        "This audit holds every piece of evidence that the table asks for here. Whether it is "
        "enough is for people to judge."
    ),
    State.PARTIAL: N_("This audit holds some of it; the rest is named."),
    State.HUMAN: N_("This audit holds nothing for it: people must supply it."),
    State.NOT_APPLICABLE: N_("It cannot apply here, for the reason given."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The state of one clause with what it rests on."""

    state: State
    present: tuple[str, ...] = ()
    """Evidence that is there."""

    missing: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """Human fields that are not filled."""

    rest_with_people: bool = False
    """Whether people owe more than the report has fields for."""

    ruled_out_by: str = ""
    """Human field or evidence that makes the clause not applicable."""


def answer(
    rule: Rule,
    found: Mapping[str, bool],
    governance: Governance,
    *,
    applies: str = "",
    trusted: bool = True,
) -> Answer:
    """Compute the state of a clause.

    Parameters
    ----------
    rule : Rule
        What the clause needs.
    found : mapping
        Name of evidence to whether it is there, from `reports.crosswalk.evidence.found_in`.
    governance : Governance
        What people said.
    applies : str
        Human field that decides where the rule names none, as the framework has it.
    trusted : bool
        Whether the audit passed its own calibration; evidence that failed it never counts as
        supplied.

    Returns
    -------
    Answer

    Examples
    --------
    >>> rule = Rule(needs=("has_units", "has_probes"), fields=("decision.measures",))
    >>> answer(rule, {"has_units": True, "has_probes": False}, Governance()).state.value
    'partial'
    """
    asked = rule.applies or applies
    if asked and denied(asked, governance):
        return Answer(state=State.NOT_APPLICABLE, ruled_out_by=asked)
    absent = next((name for name in rule.only_if if not found[name]), "")
    if absent:
        return Answer(state=State.NOT_APPLICABLE, ruled_out_by=absent)
    present = tuple(name for name in rule.needs if found[name])
    missing = tuple(name for name in rule.needs if not found[name])
    waiting = tuple(field for field in rule.fields if not filled(field, governance))
    n_there = len(present) + len(rule.fields) - len(waiting)
    complete = trusted and not missing and not waiting and not rule.rest_with_people
    return Answer(
        state=_state(n_there, complete=complete),
        present=present,
        missing=missing,
        waiting=waiting,
        rest_with_people=rule.rest_with_people,
    )


def _state(n_there: int, *, complete: bool) -> State:
    if not n_there:
        return State.HUMAN
    return State.SUPPLIED if complete else State.PARTIAL
