"""Where a finished audit uses a unit: findings that it carries, probes that read it."""

from dataclasses import dataclass

from audit.results import AuditResult, FindingRecord, ProbeRecord, UnitRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A finding that names a unit among those that carry it."""

    finding: FindingRecord
    record: UnitRecord
    place: int
    """1 for the unit that carries it most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A probe that reads a unit."""

    probe: ProbeRecord
    weight: float
    place: int
    """1 for the unit of largest weight."""


def findings_of(result: AuditResult, layer: str, unit: int) -> tuple[Carried, ...]:
    """Return the findings that name the unit among those that carry them."""
    return tuple(
        Carried(finding=finding, record=record, place=place)
        for finding in result.findings
        for place, record in enumerate(finding.units, start=1)
        if (record.layer, record.unit) == (layer, unit)
    )


def probes_of(result: AuditResult, layer: str, unit: int) -> tuple[Used, ...]:
    """Return the probes that give the unit one of their largest weights."""
    return tuple(
        Used(probe=probe, weight=weight, place=place)
        for probe in result.probes
        for place, (index, weight) in enumerate(probe.units, start=1)
        if (probe.layer, index) == (layer, unit)
    )
