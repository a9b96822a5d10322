"""Units of the audited model that carry a finding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.numbers import number
from audit.results import FindingRecord, UnitRecord
from audit.unit_tables import UnitTable
from probes.arms import Embeddings
from probes.association import associate
from probes.attribution import (
    STRONGEST,
    harm_direction,
    strongest,
    unit_contributions,
    unit_double_difference,
)
from probes.encoder import Encoder, Reading

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """What is needed to rank the units of a found link."""

    encoder: Encoder
    tables: tuple[UnitTable, ...]
    texts: Embeddings
    """Pooled text embeddings of all terms."""

    families: Mapping[str, tuple[str, ...]]
    controls: tuple[str, ...]
    sexual: frozenset[str] = frozenset()
    """Harm packs that sexualise: they meet no cluster of minors."""


def add_units(findings: Sequence[FindingRecord], carriers: Carriers) -> tuple[FindingRecord, ...]:
    """Attach to each finding the units whose response and weight carry it most.

    Parameters
    ----------
    findings : sequence of FindingRecord
        Found contrasts.
    carriers : Carriers
        Units, text embeddings and families.

    Returns
    -------
    tuple of FindingRecord
        With the 50 units of largest contribution; photos are preferred to rendered words.
    """
    return tuple(_with_units(finding, carriers) for finding in findings)


def _with_units(finding: FindingRecord, carriers: Carriers) -> FindingRecord:
    table = best_table(finding, carriers)
    if table is None:
        note = "No picture or rendered word of this group and its family was shown."
        return finding.model_copy(update={"units_note": note})
    units: list[UnitRecord] = []
    for reading in table.readings:
        units += _ranked(finding, reading, table, carriers)
    units.sort(key=lambda u: -(u.contribution if isinstance(u.contribution, float) else 0.0))
    shown = "photos" if table.arm == "photo" else "rendered words"
    note = (
        f"Ranked on {shown} by double difference of activation times the harm direction's "
        "linearised weight on the unit. They describe the link; they do not decide it."
    )
    if not units:
        note = "No closed form from units to the embedding is known for the layers that were read."
    return finding.model_copy(update={"units": tuple(units[:STRONGEST]), "units_note": note})


def best_table(finding: FindingRecord, carriers: Carriers) -> UnitTable | None:
    """Return the pictures on which the units of a link are ranked, photos first.

    Parameters
    ----------
    finding : FindingRecord
    carriers : Carriers

    Returns
    -------
    UnitTable or None
        Clusters of adults alone where the harm sexualises; None where the group and another of
        its family were not shown together.
    """
    members = carriers.families.get(finding.family, ())
    sexual = finding.harm in carriers.sexual
    tables = [table.adults() if sexual else table for table in carriers.tables]
    usable = [t for t in tables if len(set(members) & set(t.concepts)) > 1
              and finding.identity in t.concepts]  # fmt: skip
    return next((t for t in usable if t.arm == "photo"), usable[0] if usable else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Each unit's part in a link; every array has shape (n_units,)."""

    contribution: Array
    """Double difference times weight; NaN where the unit gives every cluster the same response."""

    double_difference: Array
    weight: Array


def shares_of(
    finding: FindingRecord, reading: Reading, table: UnitTable, carriers: Carriers
) -> Shares | None:
    """Return each unit's part in a link by the linearised read-out.

    Parameters
    ----------
    finding : FindingRecord
    reading : Reading
        Layer and pooling, one of the table's.
    table : UnitTable
        From `best_table`.
    carriers : Carriers

    Returns
    -------
    Shares or None
        None where no closed form from units to the embedding is known.
    """
    readout = carriers.encoder.readout(reading.layer)
    if readout is None:
        return None
    doubled = _doubled(finding, reading, table, carriers)
    texts = carriers.texts
    direction = harm_direction(
        texts.pooled[texts.of({finding.harm})],
        [texts.pooled[texts.of({pack})] for pack in carriers.controls],
    )
    return Shares(
        contribution=unit_contributions(doubled, readout, direction),
        double_difference=doubled,
        weight=readout.astype(np.float64) @ direction,
    )


def _ranked(
    finding: FindingRecord, reading: Reading, table: UnitTable, carriers: Carriers
) -> list[UnitRecord]:
    shares = shares_of(finding, reading, table, carriers)
    if shares is None:
        return []
    found = associate(table.readings[reading], table.labels([finding.identity]))
    why = "the unit gives the same response to every cluster"
    return [
        UnitRecord(
            layer=reading.layer,
            pooling=reading.pooling.value,
            unit=u,
            contribution=number(float(shares.contribution[u]), why),
            double_difference=number(float(shares.double_difference[u]), why),
            weight=number(float(shares.weight[u]), why),
            correlation=number(float(found.estimates["correlation"].value[u, 0]), why),
            ap_lift=number(float(found.estimates["ap_lift"].value[u, 0]), why),
            ap_ceiling=number(float(found.ap_lift_ceiling[0]), why),
            ap_chance=number(float(found.ap_lift_chance[0]), why),
        )
        for u in (c.unit for c in strongest(shares.contribution))
    ]


def _doubled(
    finding: FindingRecord, reading: Reading, table: UnitTable, carriers: Carriers
) -> Array:
    """Mean response to the group less the mean over the shown rest of its family."""
    names = list(dict.fromkeys(table.concepts))
    code = {name: index for index, name in enumerate(names)}
    return unit_double_difference(
        table.readings[reading],
        np.arange(len(table.concepts)),
        np.array([code[name] for name in table.concepts]),
        identity=code[finding.identity],
        family=[code[c] for c in carriers.families[finding.family] if c in code],
        controls=[code[c] for c in carriers.controls if c in code],
    ).value
