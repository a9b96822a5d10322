"""Sparse probes as a table, each beside what it is to be read against."""

from collections.abc import Sequence

from audit.results import Number, ProbeRecord, StableUnitsRecord, Undefined
from reports.blocks import NOTHING, Cell, Column, Table, table, text
from reports.names import Names
from reports.quantities import defined, interval, number, percent, plural, signed

NAMED = 4
"""Units named in a cell."""

NOTE = (
    "A probe is an L1 logistic classifier with the strongest penalty that is within one standard "
    "error of the best, scored on clusters that it has not seen. AUROC: 0.5 is chance, with 95 % "
    "interval. Shuffled: the same fit with labels shuffled; selectivity is the difference of the "
    "two, neutral value 0."
)
BESIDE = (
    " Few units, all units: probes with so many units, and an L2 classifier on all, on the same "
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
        note=NOTE + (BESIDE if beside else "") + (_stability_note(stable) if stable else ""),
        compact=True,
    )


def _columns(*, beside: bool, stable: bool) -> list[Column]:
    return [
        Column(head="Concept", width="name"),
        Column(head="Read at", width="subject"),
        Column(head="Held-out AUROC", align="number"),
        *([Column(head="Few units", align="number")] if beside else []),
        *([Column(head="All units", align="number")] if beside else []),
        Column(head="Shuffled", align="number"),
        *([Column(head="Stable units (share of halves)", width="value")] if stable else []),
        Column(head="Strongest units (weight)", width="value" if stable else "wide"),
    ]


def _stability_note(stable: StableUnitsRecord) -> str:
    return (
        f" Stable: picked in at least {percent(stable.threshold, 0)} of {2 * stable.pairs} halves "
        "of the clusters; the bound is on how many of them are expected that a half picks no more "
        "often than a random draw would."
    )


def _probe_row(probe: ProbeRecord, names: Names, *, beside: bool, stable: bool) -> tuple[Cell, ...]:
    strongest = ", ".join(f"{unit} ({signed(weight, 2)})" for unit, weight in probe.units[:NAMED])
    return (
        text(names.concept(probe.concept), probe.role),
        text(probe.layer, f"{probe.modality}, {probe.pooling}"),
        _score(probe.auroc, probe.low, probe.high, plural(probe.n_units, "unit")),
        *(_beside(probe) if beside else ()),
        text(number(probe.control_auroc, 2), _selectivity(probe.selectivity)),
        *([_stable(probe.stable, names)] if stable else []),
        text(strongest or "none", names.sentence(probe.reason)),
    )


def _score(value: Number, low: Number, high: Number, units: str = "") -> Cell:
    notes = (interval(low, high, 2), "" if isinstance(value, Undefined) else units)
    return text(number(value, 2), "; ".join(filter(None, notes)))


def _selectivity(value: Number) -> str:
    return "" if isinstance(value, Undefined) else f"selectivity {signed(value, 2)}"


def _beside(probe: ProbeRecord) -> Sequence[Cell]:
    few = probe.fixed
    dense = _score(probe.dense_auroc, probe.dense_low, probe.dense_high)
    if few is None:
        return text(NOTHING), text(NOTHING)
    return _score(few.auroc, few.low, few.high, plural(few.wanted, "unit")), dense


def _stable(found: StableUnitsRecord | None, names: Names) -> Cell:
    if found is None:
        return text(NOTHING)
    if found.reason:
        return text("undefined", names.sentence(found.reason))
    shown = ", ".join(f"{unit} ({number(share, 2)})" for unit, share, _ in found.units[:NAMED])
    more = found.n_units - min(found.n_units, NAMED)
    bound = f"{found.n_units} stable; bound {number(found.expected_false, 1)}"
    return text((shown or "none") + (f" and {more} more" if more else ""), bound)
