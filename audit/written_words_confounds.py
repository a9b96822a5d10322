"""Whether the units of findings answer without text: photos against rendered words."""

from collections.abc import Sequence

import numpy as np

from audit.gathered import Gathered
from audit.results import CausalRecord, ConfoundRecord, FindingRecord
from audit.typography import confound_record
from audit.unit_tables import UnitTable
from probes.attribution import unit_double_difference
from probes.encoder import Pooling, Reading
from probes.text_confound import Effect


def confounds_of(
    gathered: Gathered, findings: Sequence[FindingRecord], causal: Sequence[CausalRecord]
) -> tuple[ConfoundRecord, ...]:
    """Compare photos and rendered words on the units that carry each finding.

    Parameters
    ----------
    gathered : Gathered
    findings : sequence of FindingRecord
    causal : sequence of CausalRecord
        The units that were silenced are looked at; where none were, the strongest.

    Returns
    -------
    tuple of ConfoundRecord
        One per finding and unit; none for findings whose group was not shown in both arms.
    """
    silenced = {record.finding: record for record in causal if record.units}
    made: list[ConfoundRecord] = []
    for finding in findings:
        tables = _tables(gathered, finding)
        if tables is not None:
            units = _units(finding, silenced.get(finding.id), gathered.plan.causal.units)
            made += _records(gathered, finding, units, tables)
    return tuple(made)


def with_confounds(
    findings: Sequence[FindingRecord], confounds: Sequence[ConfoundRecord]
) -> tuple[FindingRecord, ...]:
    """Tell in the counter-evidence where units answer to rendered words only."""
    made = []
    for finding in findings:
        own = [record for record in confounds if record.finding == finding.id]
        read = [record for record in own if record.kind == "read"]
        if read:
            said = (*finding.counter_evidence, _sentence(len(read), len(own)))
            finding = finding.model_copy(update={"counter_evidence": said})
        made.append(finding)
    return tuple(made)


def _sentence(read: int, looked_at: int) -> str:
    return (
        f"Text in pictures: of {looked_at} units that carry the link, {read} answer more to this "
        "group's rendered words than to those of its family, and on photos no such difference "
        "stands out. So far the link may rest on text in pictures."
    )


Named = tuple[Reading, int]


def _units(finding: FindingRecord, causal: CausalRecord | None, most: int) -> list[Named]:
    if causal is not None:
        reading = Reading(layer=causal.layer, pooling=Pooling(causal.pooling))
        return [(reading, unit) for unit in causal.units]
    return [
        (Reading(layer=unit.layer, pooling=Pooling(unit.pooling)), unit.unit)
        for unit in finding.units[:most]
    ]


def _tables(gathered: Gathered, finding: FindingRecord) -> tuple[UnitTable, UnitTable] | None:
    """Return units on photos and on rendered words, of adults where the harm sexualises."""
    found = [_table(gathered, finding, arm) for arm in ("photo", "rendered")]
    return (found[0], found[1]) if found[0] is not None and found[1] is not None else None


def _table(gathered: Gathered, finding: FindingRecord, arm: str) -> UnitTable | None:
    members = set(gathered.families.get(finding.family, ()))
    for table in (*gathered.tables, *gathered.group_tables):
        usable = table.adults() if finding.harm in gathered.selection.sexual else table
        shown = members.intersection(usable.concepts)
        if usable.arm == arm and finding.identity in shown and len(shown) > 1:
            return usable
    return None


def _records(
    gathered: Gathered,
    finding: FindingRecord,
    units: Sequence[Named],
    tables: tuple[UnitTable, UnitTable],
) -> list[ConfoundRecord]:
    family = gathered.families[finding.family]
    made: list[ConfoundRecord] = []
    for reading in dict.fromkeys(reading for reading, _ in units):
        own = [unit for other, unit in units if other == reading]
        if all(reading in table.readings for table in tables):
            pairs = zip(*(_effects(t, reading, own, finding, family) for t in tables), strict=True)
            made += [
                confound_record(finding.id, reading.layer, unit, photo, word)
                for unit, (photo, word) in zip(own, pairs, strict=True)
            ]
    return made


def _effects(
    table: UnitTable,
    reading: Reading,
    units: Sequence[int],
    finding: FindingRecord,
    family: Sequence[str],
) -> list[Effect]:
    """Double difference of each unit: the group less the mean of the shown rest of its family."""
    code = {name: index for index, name in enumerate(dict.fromkeys(table.concepts))}
    found = unit_double_difference(
        table.readings[reading][:, list(units)],
        np.arange(len(table.concepts)),
        np.array([code[name] for name in table.concepts]),
        identity=code[finding.identity],
        family=[code[member] for member in family if member in code],
    )
    ends = zip(found.value.tolist(), found.low.tolist(), found.high.tolist(), strict=True)
    return [Effect(value=value, low=low, high=high) for value, low, high in ends]
