"""Where a finished audit uses a unit as a whole: findings, probes, how alike what drives it is."""

import math
from dataclasses import dataclass
from pathlib import Path

import pyarrow.dataset as ds

from audit.atlas import ARMS
from audit.atlas_table import read_batches
from audit.results import AuditResult, FindingRecord, ProbeRecord, UnitRecord

MONOSEMANTICITY = "monosemanticity"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How alike the pictures are, to a second model, that drive a unit."""

    arm: str
    pooling: str
    value: float
    """NaN where the unit does not prefer anything."""

    neutral: float
    """Of all pairs of clusters."""

    clusters: int


def likeness_of(folder: Path, layer: str, unit: int) -> tuple[Likeness, ...]:
    """Return the monosemanticity of a unit, by arm; none where no second model was shown pictures.

    Raises
    ------
    ResultError
        If the table is missing or damaged.
    """
    wanted = (ds.field("unit") == unit) & (ds.field("layer") == layer)
    columns = ["measure", "arm", "pooling", "value", "neutral", "clusters"]
    rows = [row for batch in read_batches(folder, columns, wanted) for row in batch.to_pylist()]
    found = [
        Likeness(
            arm=row["arm"],
            pooling=row["pooling"],
            value=math.nan if row["value"] is None else row["value"],
            neutral=row["neutral"],
            clusters=row["clusters"],
        )
        for row in rows
        if row["measure"] == MONOSEMANTICITY
    ]
    return tuple(sorted(found, key=lambda one: (ARMS.index(one.arm), one.pooling)))


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
