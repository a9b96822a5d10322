"""Whether a probe of a finding's harm also finds its group, and the other way round."""

from audit.results import AuditResult, FindingRecord, TransferRecord
from reports.blocks import Cell, Column, Table, table, text
from reports.names import Names
from reports.quantities import interval, number, sentence, signed
from reports.wording import arm_name

UNITS_NAMED = 3


def transfer_table(finding: FindingRecord, result: AuditResult, names: Names) -> Table | None:
    """Lay out the transfers of one finding; None where no probe was read elsewhere."""
    records = [record for record in result.transfers if record.finding == finding.id]
    if not records:
        return None
    return table(
        f"transfer-{finding.id}",
        f"{finding.id}: probes of one question read on the other",
        [
            Column(head="Learnt on, read on"),
            Column(head="Pictures", width="name"),
            Column(head="AUROC", align="number", width="span"),
            Column(head="Selectivity", align="number"),
            Column(head="Strongest units (weight)", width="wide"),
        ],
        (_row(record, result.model.kind, names) for record in records),
        note=(
            "A line of evidence, no verdict. AUROC on clusters of the other question, with 95 % "
            "interval: 0.5 is neutral, above it the probe of one points to the other. Selectivity: "
            "less the mean of probes learnt on shuffled labels; neutral 0."
        ),
        compact=True,
    )


def _row(record: TransferRecord, kind: str, names: Names) -> tuple[Cell, ...]:
    units = ", ".join(
        f"{unit} ({signed(weight, 2)})" for unit, weight in record.units[:UNITS_NAMED]
    )
    return (
        text(sentence(record.direction)),
        text(sentence(arm_name(record.arm, kind)), f"{record.layer}, {record.pooling}"),
        text(number(record.auroc, 2), interval(record.low, record.high, 2)),
        text(signed(record.selectivity, 2)),
        text(units or "none", names.sentence(record.reason)),
    )
