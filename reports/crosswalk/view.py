"""The crosswalk as a reader sees it: words, order and states, without any layout."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as time_of_day

from audit.results import AuditResult
from reports.blocks import Cell, Column, Fact, Table, table, text
from reports.crosswalk.evidence import EVIDENCE, found_in, is_trusted
from reports.crosswalk.frameworks import Clause, Framework
from reports.crosswalk.human import HUMAN_FIELDS, filled, statement
from reports.crosswalk.parts import PARTS, SECTIONS
from reports.crosswalk.reading import framework_ids, read_framework, read_texts, translated
from reports.crosswalk.states import MEANINGS, STATES, Answer, State, answer
from reports.governance import NOTHING_SAID, Governance
from reports.messages import ENGLISH, N_, _, spoken
from reports.quantities import day, listed, sentence

KINDS = {"law": N_("law"), "standard": N_("standard"), "guidance": N_("guidance")}

LEAD = N_(
    "Which clauses this audit holds evidence for. A state follows from what the audit holds and "
    "from what people filled in; it never says that anything conforms, and it is no legal advice."
)
DISTRUSTED = N_(
    "Evidence of this audit failed its own calibration: nothing here counts as supplied in full."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseView:
    """One clause in words."""

    id: str
    asks: str
    evidence: str
    sections: tuple[str, ...]
    """Keys of `reports.crosswalk.parts.PARTS`."""

    places: tuple["Place", ...]
    """The same as places in the report."""

    state: State
    state_words: str
    reason: str
    """What is there, what is missing, and what people have not filled in."""

    human: str
    """What people must supply whatever the state; empty where nothing."""

    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands in a report."""

    section: str
    """Id of a section; empty for page one, and for what lies beside the report."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkView:
    """One framework in words."""

    id: str
    short: str
    title: str
    about: tuple[Fact, ...]
    """Jurisdiction, status, day, what was not verified, sources."""

    caution: str
    not_verified: str
    clauses: tuple[ClauseView, ...]
    counts: tuple[tuple[State, int], ...]
    """How many clauses have each state; states that no clause has are left out."""

    as_of: str
    caption: str
    untranslated: str
    """Says that English is shown where a reader asked for another language; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrosswalkView:
    """Every framework, and what the states mean."""

    lead: str
    warning: str
    """That the audit failed its own calibration; else empty."""

    legend: tuple[tuple[State, str, str], ...]
    """State, its words, what they mean."""

    frameworks: tuple[FrameworkView, ...]
    overview: Table


def crosswalk_view(
    result: AuditResult,
    governance: Governance | None = None,
    *,
    attached: Collection[str] = (),
    frameworks: Sequence[Framework] | None = None,
) -> CrosswalkView:
    """Tell of every clause whether this audit holds evidence for it, in the spoken language.

    Parameters
    ----------
    result : AuditResult
        The document.
    governance : Governance, optional
        What only people can say; nothing by default.
    attached : collection of str
        What lies beside the result: a selection of `reports.crosswalk.evidence.ATTACHED`.
    frameworks : sequence of Framework, optional
        All that the tool knows by default.

    Returns
    -------
    CrosswalkView
        Plain data, not yet escaped.
    """
    chosen = known_frameworks() if frameworks is None else frameworks
    found, trusted = found_in(result, attached), is_trusted(result)
    views = tuple(_framework(one, found, governance or NOTHING_SAID, trusted) for one in chosen)
    return CrosswalkView(
        lead=_(LEAD),
        warning="" if trusted else _(DISTRUSTED),
        legend=tuple((state, _(STATES[state]), _(MEANINGS[state])) for state in State),
        frameworks=views,
        overview=_overview(views, chosen),
    )


def known_frameworks() -> tuple[Framework, ...]:
    """Return every framework of the tool, laws first and replaced ones last."""
    order = list(KINDS)
    every = (read_framework(id) for id in framework_ids())
    return tuple(sorted(every, key=lambda f: (bool(f.replaced_by), order.index(f.kind), f.short)))


def in_spoken_language(framework: Framework) -> tuple[Framework, str]:
    """Return a framework in the spoken language, and a sentence where it is not translated."""
    language = spoken().language
    texts = read_texts(framework.id, language)
    if language == ENGLISH:
        return framework, ""
    if texts is None:
        return framework, _("This table is not translated; it is shown in English.")
    if texts.of_version != framework.version:
        return framework, _(
            "The translation is of another version of this table; it is shown in English."
        )
    return translated(framework, texts), ""


def _framework(
    source: Framework, found: Mapping[str, bool], governance: Governance, trusted: bool
) -> FrameworkView:
    framework, untranslated = in_spoken_language(source)
    answers = [_answer(framework, c, found, governance, trusted) for c in framework.clauses]
    clauses = tuple(map(_clause, framework.clauses, answers))
    counted = ((state, sum(a.state is state for a in answers)) for state in State)
    return FrameworkView(
        id=framework.id,
        short=framework.short,
        title=framework.title,
        about=about(framework, governance),
        caution=framework.caution,
        not_verified=framework.not_verified,
        clauses=clauses,
        counts=tuple((state, n) for state, n in counted if n),
        as_of=_day(framework),
        caption=_("{framework}, as of {day}", framework=framework.short, day=_day(framework)),
        untranslated=untranslated,
    )


def _answer(
    framework: Framework,
    clause: Clause,
    found: Mapping[str, bool],
    governance: Governance,
    trusted: bool,
) -> Answer:
    if framework.replaced_by:
        return Answer(state=State.NOT_APPLICABLE, ruled_out_by=framework.replaced_by)
    return answer(clause.rule, found, governance, applies=framework.applies, trusted=trusted)


def _clause(clause: Clause, given: Answer) -> ClauseView:
    return ClauseView(
        id=clause.id,
        asks=clause.asks,
        evidence=clause.evidence,
        sections=clause.sections,
        places=_places(clause.sections),
        state=given.state,
        state_words=_(STATES[given.state]),
        reason=_reason(given),
        human=clause.human,
        verified=clause.verified,
    )


def _places(keys: Sequence[str]) -> tuple[Place, ...]:
    places = [Place(section=SECTIONS.get(key, ""), words=_(PARTS[key])) for key in keys]
    return tuple(dict.fromkeys(places))


def _reason(given: Answer) -> str:
    if given.ruled_out_by in HUMAN_FIELDS:
        return _("People answered no under “{what}”.", what=_(HUMAN_FIELDS[given.ruled_out_by]))
    if given.ruled_out_by in EVIDENCE:
        return _("This audit has none: {what}.", what=_(EVIDENCE[given.ruled_out_by].what))
    if given.ruled_out_by:
        return _("Replaced by {framework}.", framework=read_framework(given.ruled_out_by).short)
    noun = {name: row.what for name, row in EVIDENCE.items()} | HUMAN_FIELDS
    parts = (
        (given.present, N_("There: {what}.")),
        (given.missing, N_("Missing: {what}.")),
        (given.waiting, N_("Not filled in by people: {what}.")),
    )
    said = [
        _(words, what="; ".join(_(noun[name]) for name in names)) for names, words in parts if names
    ]
    if given.rest_with_people:
        said.append(_("People owe more than a report has fields for."))
    return " ".join(said) or _("Nothing that an audit of a model could hold.")


def about(framework: Framework, governance: Governance = NOTHING_SAID) -> tuple[Fact, ...]:
    """Say what a framework is, how it stands in law, and how far that was verified."""
    facts = {
        _("Title"): framework.title,
        _("Jurisdiction"): f"{framework.jurisdiction} ({_(KINDS[framework.kind])})",
        _("Status"): framework.status,
        _("Whether it applies"): _applies(framework, governance),
        _("As of"): _day(framework),
        _("Not verified"): framework.not_verified,
        _("Sources"): "; ".join(framework.sources),
        _("Version of this table"): framework.version,
    }
    return tuple(Fact(label=label, value=value) for label, value in facts.items() if value)


def _applies(framework: Framework, governance: Governance) -> str:
    if not framework.applies:
        return ""
    what = _(HUMAN_FIELDS[framework.applies])
    if not filled(framework.applies, governance):
        return _("{what}: nobody has decided", what=what)
    return _("{what}: {answer}", what=what, answer=statement(framework.applies, governance))


def _day(framework: Framework) -> str:
    return day(datetime.combine(framework.as_of, time_of_day(), UTC))


def section_words(keys: Sequence[str]) -> str:
    """Name parts of the report, for a sentence.

    Examples
    --------
    >>> section_words(["R7", "R13"])
    'R7 findings and R13 limits and what was not tested'
    """
    return listed([f"{key} {_(PARTS[key])}" for key in keys])


def count_words(view: FrameworkView) -> str:
    """Tell how many clauses have which state, in words."""
    return ", ".join(f"{n} {_(STATES[state])}" for state, n in view.counts)


def _overview(views: Sequence[FrameworkView], chosen: Sequence[Framework]) -> Table:
    heads = (
        Column(head=_("Framework"), width="name"),
        Column(head=_("Kind")),
        Column(head=_("Status"), width="wide"),
        Column(head=_("As of")),
        Column(head=_("Clauses by state"), width="wide"),
    )
    rows = (
        (
            text(view.short),
            text(sentence(_(KINDS[framework.kind]))),
            text(in_spoken_language(framework)[0].status),
            text(view.as_of),
            Cell(text=count_words(view)),
        )
        for view, framework in zip(views, chosen, strict=True)
    )
    return table("crosswalk-overview", _("Laws, standards and guidance"), heads, rows)
