"""Units of the audited model: every unit x every concept, and those that carry a finding."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.gather import Shown
from audit.numbers import number
from audit.results import FindingRecord, UnitRecord
from audit.tables import complete
from probes.arms import Embeddings
from probes.association import AssociationBlock, associate, associate_in_blocks, reason
from probes.attribution import (
    STRONGEST,
    harm_direction,
    strongest,
    unit_contributions,
    unit_double_difference,
)
from probes.clusters import cluster_means, clusters_of
from probes.encoder import Encoder, Reading

Array = NDArray[np.float64]

ASSOCIATION_MEASURES = ("correlation", "ap_lift", "glass_delta", "auroc")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTable:
    """Cluster means of every reading of one modality."""

    arm: str
    readings: Mapping[Reading, Array]
    """Shape (n_clusters, n_units) each."""

    concepts: tuple[str, ...]
    """Concept of each cluster."""

    n_stimuli: int

    def labels(self, concepts: Sequence[str]) -> NDArray[np.bool_]:
        """Return shape (n_clusters, n_concepts)."""
        own = np.array(self.concepts, dtype=object)
        return np.stack([own == concept for concept in concepts], axis=1)


def unit_table(arm: str, shown: Shown) -> UnitTable:
    """Average the units of a modality over its clusters."""
    names = [f"{s.concept}\n{s.cluster}" for s in shown.stimuli]
    clusters = clusters_of(names)
    return UnitTable(
        arm=arm,
        readings={
            reading: cluster_means(activations.values, clusters.codes)
            for reading, activations in shown.extraction.units.items()
        },
        concepts=tuple(name.split("\n")[0] for name in clusters.names),
        n_stimuli=len(names),
    )


def association_frames(table: UnitTable, concepts: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield every unit x every concept, block by block."""
    present = [c for c in concepts if c in set(table.concepts)]
    if not present:
        return
    for block in associate_in_blocks(table.readings, table.labels(present)):
        for measure in ASSOCIATION_MEASURES:
            yield _block_frame(table, block, measure, present)


def _block_frame(
    table: UnitTable, block: AssociationBlock, measure: str, concepts: Sequence[str]
) -> pd.DataFrame:
    estimates = block.associations.estimates[measure]
    n_units, n_concepts = estimates.value.shape
    units = np.repeat(np.arange(block.first_unit, block.first_unit + n_units), n_concepts)
    rows = pd.DataFrame(
        {
            "arm": table.arm,
            "measure": measure,
            "concept": np.tile(np.array(concepts, dtype=object), n_units),
            "layer": block.reading.layer,
            "pooling": block.reading.pooling.value,
            "unit": units,
            "value": estimates.value.ravel(),
            "low": estimates.low.ravel(),
            "high": estimates.high.ravel(),
            "n": table.n_stimuli,
            "clusters": len(table.concepts),
            "reason": np.array([reason(code) for code in estimates.why.ravel()], dtype=object),
        }
    )
    return complete(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """What is needed to rank the units of a found link."""

    encoder: Encoder
    tables: tuple[UnitTable, ...]
    texts: Embeddings
    """Pooled text embeddings of all terms."""

    families: Mapping[str, tuple[str, ...]]
    controls: tuple[str, ...]


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
    table = _best_table(finding, carriers)
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
        "linearised weight on the unit. They describe the link; they do not decide it, and no "
        "unit was silenced."
    )
    if not units:
        note = "No closed form from units to the embedding is known for the layers that were read."
    return finding.model_copy(update={"units": tuple(units[:STRONGEST]), "units_note": note})


def _best_table(finding: FindingRecord, carriers: Carriers) -> UnitTable | None:
    members = carriers.families.get(finding.family, ())
    usable = [t for t in carriers.tables if len(set(members) & set(t.concepts)) > 1
              and finding.identity in t.concepts]  # fmt: skip
    return next((t for t in usable if t.arm == "photo"), usable[0] if usable else None)


def _ranked(
    finding: FindingRecord, reading: Reading, table: UnitTable, carriers: Carriers
) -> list[UnitRecord]:
    readout = carriers.encoder.readout(reading.layer)
    if readout is None:
        return []
    doubled = _doubled(finding, reading, table, carriers)
    texts = carriers.texts
    direction = harm_direction(
        texts.pooled[_rows(texts, finding.harm)],
        [texts.pooled[_rows(texts, pack)] for pack in carriers.controls],
    )
    contribution = unit_contributions(doubled, readout, direction)
    weights = readout.astype(np.float64) @ direction
    found = associate(table.readings[reading], table.labels([finding.identity]))
    why = "the unit gives the same response to every cluster"
    return [
        UnitRecord(
            layer=reading.layer,
            pooling=reading.pooling.value,
            unit=u,
            contribution=number(float(contribution[u]), why),
            double_difference=number(float(doubled[u]), why),
            weight=number(float(weights[u]), why),
            correlation=number(float(found.estimates["correlation"].value[u, 0]), why),
            ap_lift=number(float(found.estimates["ap_lift"].value[u, 0]), why),
            ap_ceiling=number(float(found.ap_lift_ceiling[0]), why),
            ap_chance=number(float(found.ap_lift_chance[0]), why),
        )
        for u in (c.unit for c in strongest(contribution))
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


def _rows(texts: Embeddings, concept: str) -> NDArray[np.intp]:
    return np.flatnonzero([own == concept for own in texts.concepts])
