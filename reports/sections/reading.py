"""Whether the model reads where it should look: ink or word, and units that only read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from audit.results import AuditResult, ShareRecord, StroopRecord, StroopRowRecord
from reports.blocks import NOTHING, THE_RESULT, Cell, Column, Table, table, text
from reports.charts import with_range
from reports.messages import N_, _, ngettext, pgettext, stored
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    interval,
    listed,
    number,
    percent,
    percent_interval,
    sentence,
    together,
)
from reports.sections.unit_words import asked_for, unit_id

KINDS = {
    "congruent": N_("Word and ink agree"),
    "incongruent": N_("Word and ink differ"),
    "neutral": N_("Word names no colour"),
}
HEADS = {
    "ink": N_("Names the ink"),
    "word": N_("Names the word"),
    "neither": N_("Names neither"),
}
NAMED = {"ink": N_("the model names the ink"), "word": N_("the model names the word")}

CONFOUNDS = ("seen and read", "seen", "read", "opposed", "neither", "unknown")
"""In the order in which they are counted."""

ORDER = ("read", "opposed", "seen and read", "seen", "neither", "unknown")
"""What casts most doubt on a finding first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingView:
    """Stroop cards, and units that read."""

    stroop_told: str
    stroop: Table | None
    confounds_told: str
    confounds: Table | None


def reading_view(result: AuditResult, names: Names) -> ReadingView:
    """Describe both; each says why where there is nothing."""
    return ReadingView(
        stroop_told=_stroop_told(result),
        stroop=_stroop_table(result.stroop) if result.stroop else None,
        confounds_told=_confounds_told(result),
        confounds=_confounds_table(result, names),
    )


def _stroop_told(result: AuditResult) -> str:
    record = result.stroop
    if record is None:
        return _no_stroop(result)
    rates: dict[str, ShareRecord] = {
        row.by: row.rate for row in record.rows if row.kind == "incongruent"
    }
    if not {"ink", "word"} <= set(rates) or defined(rates["ink"].value) is None:
        return _("Cards on which word and ink differ could not be scored.")
    return _(
        "Where both differ, {named}: the ink in {ink} and the word in {word}, of {cards} cards.",
        named=_named_surely(rates),
        ink=_share(rates["ink"]),
        word=_share(rates["word"]),
        cards=count(rates["ink"].n),
    )


def _named_surely(rates: Mapping[str, ShareRecord]) -> str:
    """Say which of the two the model names; neither, where that leads or intervals overlap."""
    order = sorted(rates, key=lambda by: -(defined(rates[by].value) or 0.0))
    if order[0] == "neither":
        return _("it mostly names neither, so these cards tell little of this model")
    first, second = [by for by in order if by != "neither"]
    low, high = defined(rates[first].low), defined(rates[second].high)
    if low is None or high is None or low <= high:
        return _("it names neither of the two surely more often")
    return _(NAMED[first])


def _share(rate: ShareRecord) -> str:
    return with_range(percent(rate.value), percent_interval(rate.low, rate.high))


def _no_stroop(result: AuditResult) -> str:
    if result.model.kind != "model":
        return _("No cards were shown: no weights were seen.")
    checks = (asked_for(result, "typography", key) for key in ("check", "stroop"))
    if any(check is False for check in checks):
        return _("No cards were shown: the plan leaves them out.")
    return _("No cards with names of colours were shown.")


def _stroop_table(record: StroopRecord) -> Table:
    cells: dict[tuple[str, str], StroopRowRecord] = {(row.kind, row.by): row for row in record.rows}
    kinds = dict.fromkeys(row.kind for row in record.rows)
    return table(
        "stroop",
        _("Names of colours in other colours"),
        [
            Column(head=_("Cards"), width="name"),
            *(Column(head=_(head), align="number", width="value") for head in HEADS.values()),
        ],
        (
            (text(_(KINDS.get(kind, kind))), *(_named(cells.get((kind, by))) for by in HEADS))
            for kind in kinds
        ),
        note=_(
            "Asked: “{prompt}”, the blank being a colour. Share of cards with Wilson interval, "
            "cards, and mean probability of the answer.",
            prompt=record.prompt,
        ),
        compact=True,
        lies_in=THE_RESULT,
    )


def _named(row: StroopRowRecord | None) -> Cell:
    if row is None:
        return text(NOTHING)
    parts = [
        percent_interval(row.rate.low, row.rate.high),
        _("{cards} cards", cards=count(row.rate.n)),
        _("mean {share}", share=percent(row.probability)),
    ]
    between = pgettext("between clauses", "; ")
    return text(percent(row.rate.value), between.join(filter(None, parts)))


def _confounds_told(result: AuditResult) -> str:
    if not result.confounds:
        return _no_confounds(result)
    kinds: Counter[str] = Counter(record.kind for record in result.confounds)
    told = _(
        "Of {units} of findings, {counts}.",
        units=ngettext("{n} unit", "{n} units", len(result.confounds)),
        counts=listed([_counted(kind, kinds[kind]) for kind in CONFOUNDS if kinds[kind]]),
    )
    warning = _(
        "Where a unit only reads, a found link may be about the written name and not the people."
    )
    return together([told, warning if kinds["read"] else ""])


def _counted(kind: str, n: int) -> str:
    """Say how many units answer in one way."""
    return {
        "seen and read": ngettext(
            "{n} answers to photos and to written words alike",
            "{n} answer to photos and to written words alike",
            n,
        ),
        "seen": ngettext(
            "{n} answers to photos and not to written words",
            "{n} answer to photos and not to written words",
            n,
        ),
        "read": ngettext(
            "{n} answers to written words only", "{n} answer to written words only", n
        ),
        "opposed": ngettext(
            "{n} answers to photos and to written words in opposite directions",
            "{n} answer to photos and to written words in opposite directions",
            n,
        ),
        "neither": ngettext(
            "{n} answers to neither beyond their uncertainty",
            "{n} answer to neither beyond their uncertainty",
            n,
        ),
        "unknown": ngettext("{n} could not be told apart", "{n} could not be told apart", n),
    }[kind]


def _no_confounds(result: AuditResult) -> str:
    if result.model.kind != "model":
        return _("No weights were seen, so no unit was shown written words to compare with photos.")
    if not result.findings:
        return _("Nothing was found, so there is no unit to compare.")
    return _("No unit of a finding was shown both photos and written words.")


def _confounds_table(result: AuditResult, names: Names) -> Table | None:
    if not result.confounds:
        return None
    return table(
        "confounds",
        _("Do units of findings answer without text?"),
        [
            Column(head=_("Finding")),
            Column(head=_("Unit"), width="name"),
            Column(head=_("Answers to")),
            Column(head=_("Photos over words"), align="number", width="span"),
            Column(head=_("In words"), width="wide"),
        ],
        (
            (
                text(record.finding),
                text(unit_id(record.layer, record.unit)),
                text(sentence(stored(record.kind))),
                text(number(record.ratio, 2), interval(record.low, record.high, 2)),
                text(names.sentence(record.sentence)),
            )
            for record in sorted(result.confounds, key=lambda r: ORDER.index(r.kind))
        ),
        print_limit=10,
        note=_(
            "Photos over words: the unit’s double difference on photos over that on rendered "
            "words; 1 means alike, 0 that photos do nothing."
        ),
        compact=True,
        lies_in=THE_RESULT,
    )
