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
from reports.charts import with_range
from reports.messages import N_, _, ngettext, pgettext, stored
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    interval,
    number,
    percent,
    percent_interval,
    sentence,
    signed,
    without_stop,
)
from reports.sections.unit_words import asked_for
from reports.wording import arm_name

UNITS_NAMED = 6

LEAD = N_(
    "A prompt can be written as weights on the units of the last layer: how much it asks for each. "
    "This is a linear reading of a model that is not linear, so its fidelity comes first: how "
    "well the reading goes with the model’s own scores over pictures."
)

READINGS = (
    (0.9, N_("close: the weights may be read nearly as the model’s own.")),
    (0.7, N_("useful: most of the order of pictures comes from what the weights say.")),
    (0.4, N_("loose: the weights are hints, and single units below need other evidence.")),
    (-1.0, N_("poor: the weights say little about this model and carry no conclusion.")),
)
"""Median correlation from which a reading is called so."""

HOW = {
    "head-blind": N_("all attention heads alike"),
    "head-weighted": N_("attention heads weighted as pictures use them"),
    "second-order": N_("second-order effects of units"),
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
        lead=_(LEAD),
        none=_none(result, names) if empty else "",
        told=tuple(_told(record.fidelity)),
        fidelity=_fidelity_table(record.fidelity, names),
        asked=_asked_table(asked, names),
        more=ngettext(
            "result.json has the same for {n} further concept.",
            "result.json has the same for {n} further concepts.",
            left,
        )
        if left
        else "",
        note=names.sentence(record.note),
        regions=tuple(_region_sentence(one) for one in record.regions),
    )


def _none(result: AuditResult, names: Names) -> str:
    if result.model.kind != "model":
        return _("No weights were seen, so what prompts ask of units cannot be told.")
    if result.text_units and result.text_units.note:
        return ""
    if asked_for(result, "units", "pages") == 0:
        return _(
            "The plan asks for no pages of units, so prompts were not read as weights on them."
        )
    return _("No layer that was read has a linear reading of prompts.")


def _told(fidelity: Sequence[FidelityRecord]) -> list[str]:
    """Say of each layer how much its best reading tells."""
    best: dict[str, tuple[float, FidelityRecord]] = {}
    for record in fidelity:
        median = defined(record.median)
        if median is not None and median > best.get(record.layer, (-2.0, record))[0]:
            best[record.layer] = median, record
    return [_reading(median, record) for median, record in best.values()]


def _reading(median: float, record: FidelityRecord) -> str:
    about = {
        "layer": record.layer,
        "how": _(HOW[record.how]) if record.how in HOW else record.how,
        "median": number(median, 2),
        "prompts": ngettext("{n} prompt", "{n} prompts", record.texts),
        "called": _(next(words for least, words in READINGS if median >= least)),
    }
    if median <= 0:
        return _(
            "At {layer} the reading ({how}) has a median correlation of {median} with the scores "
            "of {prompts} over pictures: {called}",
            **about,
        )
    return _(
        "At {layer} the reading ({how}) has a median correlation of {median} with the scores of "
        "{prompts} over pictures, about {share} of the variance: {called}",
        share=percent(median * median, 0),
        **about,
    )


def _region_sentence(record: RegionIndexRecord) -> str:
    where = f"{record.layer} ({record.pooling})" if record.pooling else record.layer
    about = {
        "where": where,
        "share": _share(record),
        "concepts": count(record.concepts),
        "places": count(record.places),
    }
    told = (
        _(
            "Region index of {where}: {share} have places alone among the five concepts whose "
            "prompts ask for them most, of {concepts} with {places} places.",
            **about,
        )
        if record.arm == "text"
        else _(
            "Region index of {where}: {share} have places alone among the five concepts whose "
            "drawn words drive them most, of {concepts} with {places} places.",
            **about,
        )
    )
    chance = defined(record.by_chance)
    if chance is None:
        return told
    return _(
        "{told}; blind draws would give {chance}.",
        told=without_stop(told),
        chance=percent(chance),
    )


def _share(record: RegionIndexRecord) -> str:
    units = ngettext("{n} unit", "{n} units", record.units)
    told = _("{share} of {units}", share=percent(record.share), units=units)
    ends = percent_interval(record.low, record.high)
    return with_range(told, ends) if ends else told


def _fidelity_table(fidelity: Sequence[FidelityRecord], names: Names) -> Table | None:
    if not fidelity:
        return None
    return table(
        "fidelity",
        _("How well the linear reading goes with the model’s own scores"),
        [
            Column(head=_("Layer"), width="name"),
            Column(head=pgettext("of prompts", "Reading"), width="name"),
            Column(head=_("Pictures")),
            Column(head=_("Prompts"), align="number"),
            Column(head=_("Median correlation"), align="number", width="span"),
            Column(head=_("Lowest"), align="number"),
            Column(head=_("Clusters"), align="number"),
        ],
        (_fidelity_row(record, names) for record in fidelity),
        note=_(
            "Correlation over pictures, one prompt at a time: 1 is perfect, 0 is none. 95 % "
            "interval of the prompt with the median."
        ),
        compact=True,
        lies_in=THE_RESULT,
    )


def _fidelity_row(record: FidelityRecord, names: Names) -> tuple[Cell, ...]:
    return (
        text(record.layer),
        text(sentence(stored(record.how)), names.sentence(record.reason)),
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
        _("Units that prompts of the findings’ concepts ask for most"),
        [
            Column(head=_("Concept"), width="name"),
            Column(head=_("Layer")),
            Column(head=_("Units (weight, SD over all concepts)"), width="wide"),
        ],
        ((text(names.concept(a.concept)), text(a.layer), text(_units(a.units))) for a in asked),
        print_limit=24,
        note=_(
            "Neutral value 0. A harm and a group that ask for the same unit share its evidence."
        ),
        compact=True,
        lies_in=THE_RESULT,
    )


def _units(units: Sequence[tuple[int, float]]) -> str:
    return ", ".join(f"{unit} ({signed(weight)})" for unit, weight in units[:UNITS_NAMED])
