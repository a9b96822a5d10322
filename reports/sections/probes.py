"""Sparse probes as a table."""

from audit.results import ProbeRecord
from reports.blocks import Cell, Column, Table, table, text
from reports.names import Names
from reports.quantities import defined, interval, number, signed


def probe_table(
    id: str, caption: str, probes: tuple[ProbeRecord, ...], names: Names
) -> Table | None:
    """Lay out sparse probes, the most selective first; None where there are none."""
    if not probes:
        return None

    def rank(probe: ProbeRecord) -> tuple[float, str, str]:
        selectivity = defined(probe.selectivity)
        return -selectivity if selectivity is not None else 1.0, probe.concept, probe.layer

    return table(
        id,
        caption,
        [
            Column(head="Concept", width="name"),
            Column(head="Role"),
            Column(head="Read at"),
            Column(head="Units", align="number"),
            Column(head="Held-out AUROC", align="number"),
            Column(head="Shuffled", align="number"),
            Column(head="Selectivity", align="number"),
            Column(head="Strongest units (weight)", width="wide"),
        ],
        (_probe_row(probe, names) for probe in sorted(probes, key=rank)),
        screen_limit=300,
        print_limit=40,
        note=(
            "A probe is an L1 logistic classifier, scored on clusters that it has not seen. "
            "AUROC: 0.5 is chance, with 95 % interval. Shuffled: the same fit with labels "
            "shuffled. Selectivity: the difference of the two, neutral value 0."
        ),
        compact=True,
    )


def _probe_row(probe: ProbeRecord, names: Names) -> tuple[Cell, ...]:
    strongest = ", ".join(f"{unit} ({signed(weight, 2)})" for unit, weight in probe.units[:4])
    return (
        text(names.concept(probe.concept)),
        text(probe.role),
        text(probe.layer, f"{probe.modality}, {probe.pooling}"),
        text(str(probe.n_units)),
        text(number(probe.auroc, 2), interval(probe.low, probe.high, 2)),
        text(number(probe.control_auroc, 2)),
        text(signed(probe.selectivity, 2)),
        text(strongest or "none", names.sentence(probe.reason)),
    )
