"""What prompts ask of units, and how far that linear reading goes."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.results import (
    AskedRecord,
    AuditResult,
    FidelityRecord,
    FindingRecord,
    RegionIndexRecord,
    TextUnitsRecord,
)
from reports.blocks import THE_RESULT, Cell, Column, Table, table, text
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    interval,
    number,
    percent,
    percent_interval,
    plural,
    sentence,
    signed,
)
from reports.sections.unit_words import asked_for
from reports.wording import arm_name

UNITS_NAMED = 6

LEAD = (
    "A prompt can be written as weights on the units of the last layer: how much it asks for each. "
    "This is a linear reading of a model that is not linear, so its fidelity comes first: how "
    "well the reading goes with the model’s own scores over pictures."
)

READINGS = (
    (0.9, "close: the weights may be read nearly as the model’s own."),
    (0.7, "useful: most of the order of pictures comes from what the weights say."),
    (0.4, "loose: the weights are hints, and single units below need other evidence."),
    (-1.0, "poor: the weights say little about this model and carry no conclusion."),
)
"""Median correlation from which a reading is called so."""

HOW = {
    "head-blind": "all attention heads alike",
    "head-weighted": "attention heads weighted as pictures use them",
    "second-order": "second-order effects of units",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextUnitsView:
    """The section about what prompts ask for."""

    lead: str
    none: str
    told: tuple[str, ...]
    """How much the reading says, one sentence for each layer."""

    fidelity: Table | None
    asked: Table | None
    more: str
    note: str
    regions: tuple[str, ...] = ()
    """How many units have nothing but places on top, one sentence for each layer and arm."""


def text_units_view(
    result: AuditResult, ordered: Sequence[FindingRecord], names: Names
) -> TextUnitsView:
    """Describe linearised text; ``ordered`` has the findings, worst first."""
    record = result.text_units or TextUnitsRecord()
    wanted = dict.fromkeys(ref for f in ordered for ref in (f.harm, f.identity))
    asked = [a for ref in wanted for a in record.asked if a.concept == ref]
    left = len(record.asked) - len(asked)
    empty = not record.fidelity and not record.asked
    return TextUnitsView(
        lead=LEAD,
        none=_none(result, names) if empty else "",
        told=tuple(_told(record.fidelity)),
        fidelity=_fidelity_table(record.fidelity, names),
        asked=_asked_table(asked, names),
        more=f"result.json has the same for {plural(left, 'further concept')}." if left else "",
        note=names.sentence(record.note),
        regions=tuple(_region_sentence(one) for one in record.regions),
    )


def _none(result: AuditResult, names: Names) -> str:
    if result.model.kind != "model":
        return "No weights were seen, so what prompts ask of units cannot be told."
    if result.text_units and result.text_units.note:
        return ""
    if asked_for(result, "units", "pages") == 0:
        return "The plan asks for no pages of units, so prompts were not read as weights on them."
    return "No layer that was read has a linear reading of prompts."


def _told(fidelity: Sequence[FidelityRecord]) -> list[str]:
    """Say of each layer how much its best reading tells."""
    best: dict[str, tuple[float, FidelityRecord]] = {}
    for record in fidelity:
        median = defined(record.median)
        if median is not None and median > best.get(record.layer, (-2.0, record))[0]:
            best[record.layer] = median, record
    return [_reading(median, record) for median, record in best.values()]


def _reading(median: float, record: FidelityRecord) -> str:
    called = next(words for least, words in READINGS if median >= least)
    squared = f", about {percent(median * median, 0)} of the variance" if median > 0 else ""
    return (
        f"At {record.layer} the reading ({HOW.get(record.how, record.how)}) has a median "
        f"correlation of {number(median, 2)} with the scores of {plural(record.texts, 'prompt')} "
        f"over pictures{squared}: {called}"
    )


def _region_sentence(record: RegionIndexRecord) -> str:
    where = f"{record.layer} ({record.pooling})" if record.pooling else record.layer
    leads = "prompts ask for" if record.arm == "text" else "drawn words drive"
    ends = percent_interval(record.low, record.high)
    chance = defined(record.by_chance)
    beside = "" if chance is None else f"; blind draws would give {percent(chance)}"
    return (
        f"Region index of {where}: {percent(record.share)} of {plural(record.units, 'unit')}"
        f"{f' ({ends})' if ends else ''} have places alone among the five concepts whose {leads} "
        f"them most, of {count(record.concepts)} with {count(record.places)} places{beside}."
    )


def _fidelity_table(fidelity: Sequence[FidelityRecord], names: Names) -> Table | None:
    if not fidelity:
        return None
    return table(
        "fidelity",
        "How well the linear reading goes with the model’s own scores",
        [
            Column(head="Layer", width="name"),
            Column(head="Reading", width="name"),
            Column(head="Pictures"),
            Column(head="Prompts", align="number"),
            Column(head="Median correlation", align="number", width="span"),
            Column(head="Lowest", align="number"),
            Column(head="Clusters", align="number"),
        ],
        (_fidelity_row(record, names) for record in fidelity),
        note="Correlation over pictures, one prompt at a time: 1 is perfect, 0 is none. 95 % "
        "interval of the prompt with the median.",
        compact=True,
        lies_in=THE_RESULT,
    )


def _fidelity_row(record: FidelityRecord, names: Names) -> tuple[Cell, ...]:
    return (
        text(record.layer),
        text(sentence(record.how), names.sentence(record.reason)),
        text(sentence(arm_name(record.arm))),
        text(count(record.texts)),
        text(number(record.median, 2), interval(record.low, record.high, 2)),
        text(number(record.lowest, 2)),
        text(count(record.clusters)),
    )


def _asked_table(asked: Sequence[AskedRecord], names: Names) -> Table | None:
    if not asked:
        return None
    return table(
        "asked",
        "Units that prompts of the findings’ concepts ask for most",
        [
            Column(head="Concept", width="name"),
            Column(head="Layer"),
            Column(head="Units (weight, SD over all concepts)", width="wide"),
        ],
        ((text(names.concept(a.concept)), text(a.layer), text(_units(a.units))) for a in asked),
        print_limit=24,
        note="Neutral value 0. A harm and a group that ask for the same unit share its evidence.",
        compact=True,
        lies_in=THE_RESULT,
    )


def _units(units: Sequence[tuple[int, float]]) -> str:
    return ", ".join(f"{unit} ({signed(weight)})" for unit, weight in units[:UNITS_NAMED])
