"""Which units get a page of their own: those that carry findings, in turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from audit.results import CausalRecord, FindingRecord
from probes.encoder import Pooling, Reading

CARRIERS = 10
"""Units that count as carrying a finding where none were silenced: the first of its list."""

Key = tuple[Reading, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageUnit:
    """A unit that gets a page."""

    reading: Reading
    unit: int
    findings: tuple[FindingRecord, ...]
    """Those that it carries, worst first."""

    @property
    def stem(self) -> tuple[str | int, ...]:
        """What names of its pictures begin with."""
        return self.reading.layer, self.reading.pooling.value, self.unit

    def sexual(self, packs: frozenset[str]) -> bool:
        """Whether the harm of one of its findings sexualises."""
        return any(finding.harm in packs for finding in self.findings)


def choose_units(
    findings: Sequence[FindingRecord], causal: Sequence[CausalRecord], count: int
) -> tuple[PageUnit, ...]:
    """Choose the most telling units of findings, each finding in its turn.

    Parameters
    ----------
    findings : sequence of FindingRecord
        Worst first, with their units.
    causal : sequence of CausalRecord
        What silencing did; units that were silenced together come before others.
    count : int
        Units in all.

    Returns
    -------
    tuple of PageUnit
        In the order in which they were chosen. A unit that several findings share gets one page,
        which counts as a turn of each.
    """
    silenced = {record.finding: record for record in causal}
    queues = {f.id: carriers(f, silenced.get(f.id)) for f in findings}
    turns = [key for turn in zip_longest(*queues.values()) for key in turn if key is not None]
    return tuple(
        PageUnit(
            reading=reading,
            unit=unit,
            findings=tuple(f for f in findings if (reading, unit) in queues[f.id]),
        )
        for reading, unit in list(dict.fromkeys(turns))[:count]
    )


def carriers(finding: FindingRecord, record: CausalRecord | None) -> tuple[Key, ...]:
    """Return the units that were silenced for a finding, else the first of its list."""
    if record is not None and record.units:
        reading = Reading(layer=record.layer, pooling=Pooling(record.pooling))
        return tuple((reading, unit) for unit in record.units)
    return tuple(
        (Reading(layer=unit.layer, pooling=Pooling(unit.pooling)), unit.unit)
        for unit in finding.units[:CARRIERS]
    )


def by_layer(units: Sequence[PageUnit]) -> Mapping[Reading, tuple[int, ...]]:
    """Return the chosen units of each reading, in order."""
    return {
        reading: tuple(u.unit for u in units if u.reading == reading)
        for reading in dict.fromkeys(u.reading for u in units)
    }
