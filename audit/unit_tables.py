"""Units by cluster: every unit x every concept, minors apart from what sexualises."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.gather import Shown
from audit.photo_rows import PhotoRows, photo_rows
from audit.tables import complete
from probes.association import AssociationBlock, associate_in_blocks, reason
from probes.clusters import cluster_means, clusters_of
from probes.encoder import Reading

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

    sizes: NDArray[np.intp]
    """Stimuli in each cluster."""

    is_minor: NDArray[np.bool_]
    """Clusters that denote, show or may show somebody under 20."""

    def adults(self) -> "UnitTable":
        """Return the clusters that a sexualising concept may meet."""
        kept = np.flatnonzero(~self.is_minor)
        return UnitTable(
            arm=self.arm,
            readings={reading: values[kept] for reading, values in self.readings.items()},
            concepts=tuple(self.concepts[i] for i in kept),
            sizes=self.sizes[kept],
            is_minor=self.is_minor[kept],
        )

    def labels(self, concepts: Sequence[str]) -> NDArray[np.bool_]:
        """Return shape (n_clusters, n_concepts)."""
        own = np.array(self.concepts, dtype=object)
        return np.stack([own == concept for concept in concepts], axis=1)


def unit_table(shown: Shown, is_minor: NDArray[np.bool_]) -> UnitTable:
    """Average the units of a modality over its clusters.

    Parameters
    ----------
    shown : Shown
        Rendered words or photos.
    is_minor : bool ndarray of shape (n_stimuli,)
        Those that denote, show or may show somebody under 20.
    """
    stimuli = shown.stimuli
    rows = PhotoRows(
        concepts=tuple(s.concept for s in stimuli),
        clusters=tuple(s.cluster for s in stimuli),
        index=np.arange(len(stimuli)),
    )
    return _table(shown, rows, is_minor)


def group_tables(
    photos: Shown, groups: Mapping[str, Sequence[str]], is_minor: NDArray[np.bool_]
) -> tuple[UnitTable, ...]:
    """Average the units of photos over the clusters of every group column, a table for each."""
    tables = []
    for refs in groups.values():
        rows = photo_rows(photos.stimuli, refs)
        if len(rows.index):
            tables.append(_table(photos, rows, is_minor))
    return tuple(tables)


def _table(shown: Shown, rows: PhotoRows, is_minor: NDArray[np.bool_]) -> UnitTable:
    names = [f"{a}\n{b}" for a, b in zip(rows.concepts, rows.clusters, strict=True)]
    clusters = clusters_of(names)
    young = np.bincount(clusters.codes, weights=is_minor[rows.index], minlength=len(clusters.names))
    return UnitTable(
        arm=shown.stimuli[0].modality.value,
        readings={
            reading: cluster_means(activations.values[rows.index], clusters.codes)
            for reading, activations in shown.extraction.units.items()
        },
        concepts=tuple(name.split("\n")[0] for name in clusters.names),
        sizes=np.bincount(clusters.codes, minlength=len(clusters.names)),
        is_minor=young > 0,
    )


def association_frames(
    table: UnitTable, concepts: Sequence[str], sexual: Collection[str] = ()
) -> Iterator[pd.DataFrame]:
    """Yield every unit x every concept, block by block; minors never meet a sexualising one."""
    yield from _frames(table, [c for c in concepts if c not in sexual])
    yield from _frames(table.adults(), [c for c in concepts if c in sexual])


def _frames(table: UnitTable, concepts: Sequence[str]) -> Iterator[pd.DataFrame]:
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
            "n": int(table.sizes.sum()),
            "clusters": len(table.concepts),
            "reason": np.array([reason(code) for code in estimates.why.ravel()], dtype=object),
        }
    )
    return complete(rows)
