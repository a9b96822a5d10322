"""Whether the model reads where it should look: ink or word, and units that only read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from audit.results import AuditResult, ShareRecord, StroopRecord, StroopRowRecord
from reports.blocks import NOTHING, THE_RESULT, Cell, Column, Table, table, text
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    interval,
    listed,
    number,
    percent,
    percent_interval,
    plural,
    sentence,
)
from reports.sections.unit_words import asked_for, unit_id

KINDS = {
    "congruent": "Word and ink agree",
    "incongruent": "Word and ink differ",
    "neutral": "Word names no colour",
}
BY = {"ink": "the ink", "word": "the word", "neither": "neither"}
HEADS = {"ink": "Names the ink", "word": "Names the word", "neither": "Names neither"}

CONFOUNDS = {
    "seen and read": "answer to photos and to written words alike",
    "seen": "answer to photos and not to written words",
    "read": "answer to written words only",
    "opposed": "answer to photos and to written words in opposite directions",
    "neither": "answer to neither beyond their uncertainty",
    "unknown": "could not be told apart",
}

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
        return "Cards on which word and ink differ could not be scored."
    told = " and ".join(f"{BY[by]} in {_share(rates[by])}" for by in ("ink", "word"))
    return f"Where both differ, {_named_surely(rates)}: {told}, of {count(rates['ink'].n)} cards."


def _named_surely(rates: Mapping[str, ShareRecord]) -> str:
    """Say which of the two the model names; neither, where that leads or intervals overlap."""
    order = sorted(rates, key=lambda by: -(defined(rates[by].value) or 0.0))
    if order[0] == "neither":
        return "it mostly names neither, so these cards tell little of this model"
    first, second = [by for by in order if by != "neither"]
    low, high = defined(rates[first].low), defined(rates[second].high)
    if low is None or high is None or low <= high:
        return "it names neither of the two surely more often"
    return f"the model names {BY[first]}"


def _share(rate: ShareRecord) -> str:
    return f"{percent(rate.value)} ({percent_interval(rate.low, rate.high)})"


def _no_stroop(result: AuditResult) -> str:
    if result.model.kind != "model":
        return "No cards were shown: no weights were seen."
    checks = (asked_for(result, "typography", key) for key in ("check", "stroop"))
    if any(check is False for check in checks):
        return "No cards were shown: the plan leaves them out."
    return "No cards with names of colours were shown."


def _stroop_table(record: StroopRecord) -> Table:
    cells: dict[tuple[str, str], StroopRowRecord] = {(row.kind, row.by): row for row in record.rows}
    kinds = dict.fromkeys(row.kind for row in record.rows)
    return table(
        "stroop",
        "Names of colours in other colours",
        [
            Column(head="Cards", width="name"),
            *(Column(head=head, align="number", width="value") for head in HEADS.values()),
        ],
        (
            (text(KINDS.get(kind, kind)), *(_named(cells.get((kind, by))) for by in BY))
            for kind in kinds
        ),
        note=f"Asked: “{record.prompt}”, the blank being a colour. Share of cards with Wilson "
        "interval, cards, and mean probability of the answer.",
        compact=True,
        lies_in=THE_RESULT,
    )


def _named(row: StroopRowRecord | None) -> Cell:
    if row is None:
        return text(NOTHING)
    parts = [
        percent_interval(row.rate.low, row.rate.high),
        f"{count(row.rate.n)} cards",
        f"mean {percent(row.probability)}",
    ]
    return text(percent(row.rate.value), "; ".join(filter(None, parts)))


def _confounds_told(result: AuditResult) -> str:
    if not result.confounds:
        return _no_confounds(result)
    kinds: Counter[str] = Counter(record.kind for record in result.confounds)
    told = [_counted(kinds[kind], words) for kind, words in CONFOUNDS.items() if kinds[kind]]
    warning = (
        " Where a unit only reads, a found link may be about the written name and not the people."
        if kinds["read"]
        else ""
    )
    return f"Of {plural(len(result.confounds), 'unit')} of findings, {listed(told)}.{warning}"


def _counted(amount: int, words: str) -> str:
    return f"{amount} {words.replace('answer ', 'answers ') if amount == 1 else words}"


def _no_confounds(result: AuditResult) -> str:
    if result.model.kind != "model":
        return "No weights were seen, so no unit was shown written words to compare with photos."
    if not result.findings:
        return "Nothing was found, so there is no unit to compare."
    return "No unit of a finding was shown both photos and written words."


def _confounds_table(result: AuditResult, names: Names) -> Table | None:
    if not result.confounds:
        return None
    return table(
        "confounds",
        "Do units of findings answer without text?",
        [
            Column(head="Finding"),
            Column(head="Unit", width="name"),
            Column(head="Answers to"),
            Column(head="Photos over words", align="number", width="span"),
            Column(head="In words", width="wide"),
        ],
        (
            (
                text(record.finding),
                text(unit_id(record.layer, record.unit)),
                text(sentence(record.kind)),
                text(number(record.ratio, 2), interval(record.low, record.high, 2)),
                text(names.sentence(record.sentence)),
            )
            for record in sorted(result.confounds, key=lambda r: ORDER.index(r.kind))
        ),
        print_limit=10,
        note="Photos over words: the unit’s double difference on photos over that on rendered "
        "words; 1 means alike, 0 that photos do nothing.",
        compact=True,
        lies_in=THE_RESULT,
    )
