"""Sparse probes as a table, each beside what it is to be read against."""

from collections.abc import Sequence

from audit.results import Number, ProbeRecord, StableUnitsRecord, Undefined
from reports.blocks import NOTHING, Cell, Column, Table, table, text
from reports.messages import N_, _, ngettext, pgettext, stored
from reports.names import Names
from reports.quantities import (
    defined,
    interval,
    listed_plainly,
    number,
    percent,
    signed,
    together,
    undefined_word,
)

NAMED = 4
"""Units named in a cell."""

NOTE = N_(
    "A probe is an L1 logistic classifier with the strongest penalty that is within one standard "
    "error of the best, scored on clusters that it has not seen. AUROC: 0.5 is chance, with 95 % "
    "interval. Shuffled: the same fit with labels shuffled; selectivity is the difference of the "
    "two, neutral value 0."
)
BESIDE = N_(
    "Few units, all units: probes with so many units, and an L2 classifier on all, on the same "
    "folds."
)


def probe_table(
    id: str, caption: str, probes: tuple[ProbeRecord, ...], names: Names
) -> Table | None:
    """Lay out sparse probes, the most selective first; None where there are none."""
    if not probes:
        return None

    def rank(probe: ProbeRecord) -> tuple[float, str, str]:
        selectivity = defined(probe.selectivity)
        return -selectivity if selectivity is not None else 1.0, probe.concept, probe.layer

    beside = any(probe.fixed is not None for probe in probes)
    stable = next((p.stable for p in probes if p.stable is not None), None)
    return table(
        id,
        caption,
        _columns(beside=beside, stable=stable is not None),
        (
            _probe_row(probe, names, beside=beside, stable=stable is not None)
            for probe in sorted(probes, key=rank)
        ),
        screen_limit=300,
        print_limit=40,
        note=together(
            [
                _(NOTE),
                _(BESIDE) if beside else "",
                _stability_note(stable) if stable else "",
            ]
        ),
        compact=True,
    )


def _columns(*, beside: bool, stable: bool) -> list[Column]:
    return [
        Column(head=_("Concept"), width="name"),
        Column(head=_("Read at"), width="subject"),
        Column(head=_("Held-out AUROC"), align="number"),
        *([Column(head=_("Few units"), align="number")] if beside else []),
        *([Column(head=_("All units"), align="number")] if beside else []),
        Column(head=_("Shuffled"), align="number"),
        *([Column(head=_("Stable units (share of halves)"), width="value")] if stable else []),
        Column(head=_("Strongest units (weight)"), width="value" if stable else "wide"),
    ]


def _stability_note(stable: StableUnitsRecord) -> str:
    return _(
        "Stable: picked in at least {share} of {halves} halves of the clusters; the bound is on "
        "how many of them are expected that a half picks no more often than a random draw would.",
        share=percent(stable.threshold, 0),
        halves=2 * stable.pairs,
    )


def _probe_row(probe: ProbeRecord, names: Names, *, beside: bool, stable: bool) -> tuple[Cell, ...]:
    strongest = ", ".join(f"{unit} ({signed(weight, 2)})" for unit, weight in probe.units[:NAMED])
    return (
        text(names.concept(probe.concept), stored(probe.role)),
        text(probe.layer, listed_plainly([stored(probe.modality), probe.pooling])),
        _score(probe.auroc, probe.low, probe.high, _units(probe.n_units)),
        *(_beside(probe) if beside else ()),
        text(number(probe.control_auroc, 2), _selectivity(probe.selectivity)),
        *([_stable(probe.stable, names)] if stable else []),
        text(strongest or _none(), names.sentence(probe.reason)),
    )


def _none() -> str:
    return pgettext("units", "none")


def _units(amount: int) -> str:
    return ngettext("{n} unit", "{n} units", amount)


def _score(value: Number, low: Number, high: Number, units: str = "") -> Cell:
    notes = (interval(low, high, 2), "" if isinstance(value, Undefined) else units)
    return text(number(value, 2), "; ".join(filter(None, notes)))


def _selectivity(value: Number) -> str:
    if isinstance(value, Undefined):
        return ""
    return _("selectivity {value}", value=signed(value, 2))


def _beside(probe: ProbeRecord) -> Sequence[Cell]:
    few = probe.fixed
    dense = _score(probe.dense_auroc, probe.dense_low, probe.dense_high)
    if few is None:
        return text(NOTHING), text(NOTHING)
    return _score(few.auroc, few.low, few.high, _units(few.wanted)), dense


def _stable(found: StableUnitsRecord | None, names: Names) -> Cell:
    if found is None:
        return text(NOTHING)
    if found.reason:
        return text(undefined_word(), names.sentence(found.reason))
    shown = ", ".join(f"{unit} ({number(share, 2)})" for unit, share, _ in found.units[:NAMED])
    more = found.n_units - min(found.n_units, NAMED)
    told = _("{units} and {more} more", units=shown or _none(), more=more) if more else shown
    bound = number(found.expected_false, 1)
    return text(
        told or _none(), _("{stable} stable; bound {bound}", stable=found.n_units, bound=bound)
    )
