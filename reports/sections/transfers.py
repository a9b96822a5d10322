"""Whether a probe of a finding's harm also finds its group, and the other way round."""

from audit.results import AuditResult, FindingRecord, TransferRecord
from reports.blocks import THE_RESULT, Cell, Column, Table, table, text
from reports.messages import _, pgettext, stored
from reports.names import Names
from reports.quantities import interval, listed_plainly, number, p_value, sentence, signed
from reports.wording import arm_name

UNITS_NAMED = 3


def transfer_table(finding: FindingRecord, result: AuditResult, names: Names) -> Table | None:
    """Lay out the transfers of one finding; None where no probe was read elsewhere."""
    records = [record for record in result.transfers if record.finding == finding.id]
    if not records:
        return None
    return table(
        f"transfer-{finding.id}",
        _("{finding}: probes of one question read on the other", finding=finding.id),
        [
            Column(head=_("Learnt on, read on")),
            Column(head=_("Pictures"), width="name"),
            Column(head=_("On its own question"), align="number", width="span"),
            Column(head=_("On the other"), align="number", width="span"),
            Column(head=_("Selectivity"), align="number"),
            Column(head=_("Holm p"), align="number"),
            Column(head=_("Strongest units (weight)"), width="wide"),
        ],
        (_row(record, result.model.kind, names) for record in records),
        note=_(
            "A line of evidence, no verdict. AUROC on held-out clusters of its own question and on "
            "all of the other, with 95 % intervals: 0.5 is neutral, above it the probe of one "
            "points to the other. Selectivity: the second less the mean of probes learnt on "
            "shuffled labels; neutral 0. Bold: Holm p is at most the plan’s alpha and the interval "
            "lies above 0.5."
        ),
        compact=True,
        lies_in=THE_RESULT,
    )


def _pictures(record: TransferRecord, kind: str) -> str:
    group, harm = (arm_name(arm, kind) for arm in (record.arm, record.harm_arm))
    if record.arm == record.harm_arm:
        return sentence(group)
    return _("{group} of groups, {harm} of harms", group=sentence(group), harm=harm)


def _row(record: TransferRecord, kind: str, names: Names) -> tuple[Cell, ...]:
    units = ", ".join(
        f"{unit} ({signed(weight, 2)})" for unit, weight in record.units[:UNITS_NAMED]
    )
    return (
        text(sentence(stored(record.direction))),
        text(_pictures(record, kind), listed_plainly([record.layer, record.pooling])),
        text(number(record.own_auroc, 2), interval(record.own_low, record.own_high, 2)),
        Cell(
            text=number(record.auroc, 2),
            note=interval(record.low, record.high, 2),
            strong=record.holds,
        ),
        text(signed(record.selectivity, 2)),
        text(p_value(record.p_adjusted)),
        text(units or pgettext("units", "none"), names.sentence(record.reason)),
    )
