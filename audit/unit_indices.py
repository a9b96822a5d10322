"""Two indices of units: how alike the pictures are that drive one, and how many stand for places.

They describe a layer; no verdict, grade or mark reads them.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.gather import Shown, tested_concepts
from audit.gathered import Gathered
from audit.numbers import number
from audit.results import NotTested
from audit.run_replication_shown import Witness
from audit.tables import complete
from audit.text_units_record import RegionIndexRecord
from audit.text_units_weights import ARM as TEXT
from audit.text_units_weights import MEASURE as TEXT_WEIGHT
from audit.unit_tables import UnitTable
from probes.atlas import WORDS, region_index
from probes.clusters import cluster_means, clusters_of
from probes.encoder import Reading
from probes.monosemanticity import mean_likeness, monosemanticity

Floats = NDArray[np.float64]

MONOSEMANTICITY = "monosemanticity"
PLACES = "regions"
"""Id by which a concept set says that its concepts are places."""

FEWEST = 3
"""Clusters below which all pairs of pictures say nothing."""

NO_PREFERENCE = "the unit answers alike to everything, or to a single cluster only"
NO_UNIT = "no unit varies"
NOT_SHOWN = "it is measured on what a second model makes of the pictures, and none was shown any"


def monosemanticity_frames(
    gathered: Gathered, witness: Witness | None
) -> tuple[tuple[pd.DataFrame, ...], tuple[NotTested, ...]]:
    """Measure how alike the pictures are, to a second model, that drive each unit.

    Parameters
    ----------
    gathered : Gathered
    witness : Witness or None
        The second model and what it made of the same pictures; None where there is none, or it
        was shown nothing.

    Returns
    -------
    frames : tuple of DataFrame
        Rows for the table of measurements, one per arm, reading and unit; ``neutral`` is the mean
        likeness of all pairs. Each cluster is one row of responses and embeddings. Pictures of
        concepts that sexualise have no part.
    not_tested : tuple of NotTested
        One where a second model was asked for and has shown nothing.
    """
    if witness is None:
        asked = bool(gathered.plan.replication.name) or gathered.other is not None
        missing = NotTested(what="Monosemanticity of units", why=NOT_SHOWN)
        return (), (missing,) if asked else ()
    sexual = gathered.selection.sexual
    pairs = zip(gathered.responses.pictures, witness.responses.pictures, strict=True)
    return tuple(f for own, other in pairs for f in _likeness_frames(own, other, sexual)), ()


def region_indices(
    gathered: Gathered, text_weights: Sequence[pd.DataFrame]
) -> tuple[RegionIndexRecord, ...]:
    """Count the units whose leading concepts are all places.

    Parameters
    ----------
    gathered : Gathered
        Concepts of the set `PLACES` count; those that sexualise are left out altogether.
    text_weights : sequence of DataFrame
        Rows of the text arm.

    Returns
    -------
    tuple of RegionIndexRecord
        One for each layer in the text arm, by weight, and each reading of rendered words, by the
        mean response to a concept's words. None where fewer than five places were tested.
    """
    sexual = gathered.selection.sexual
    wanted = [c for c in tested_concepts(gathered.selection) if c.ref not in sexual]
    refs, places = [c.ref for c in wanted], {c.ref for c in wanted if c.family == PLACES}
    if len(places) < WORDS:
        return ()
    asked = [_of_text(frames, refs) for frames in _by_layer(text_weights).values()]
    shown = [
        (table.arm, reading.layer, reading.pooling.value, *_of_words(table, values, refs))
        for table in gathered.tables
        if table.arm == "rendered"
        for reading, values in table.readings.items()
    ]
    found = [_region_record(*one, places) for one in (*asked, *shown)]
    return tuple(record for record in found if record is not None)


def _likeness_frames(own: Shown, other: Shown, sexual: frozenset[str]) -> Iterator[pd.DataFrame]:
    """Rows of one kind of picture, for the clusters that both models saw."""
    clusters = clusters_of([f"{s.concept}\n{s.cluster}" for s in own.stimuli])
    theirs = _embeddings(other, sexual)
    rows = [row for row, name in enumerate(clusters.names) if name in theirs]
    if len(rows) < FEWEST:
        return
    embeddings = np.stack([theirs[clusters.names[row]] for row in rows])
    stimuli, neutral = int(np.isin(clusters.codes, rows).sum()), mean_likeness(embeddings)
    arm = own.stimuli[0].modality.value
    for reading, activations in own.extraction.units.items():
        means = cluster_means(activations.values, clusters.codes)[rows]
        values = monosemanticity(means, embeddings)
        yield _likeness_frame(arm, reading, values, neutral, stimuli, len(rows))


def _embeddings(shown: Shown, sexual: frozenset[str]) -> dict[str, Floats]:
    """Direction of each cluster, as far as it has one."""
    found = shown.embeddings(keep_templates=False)
    entries = zip(found.concepts, found.names, found.pooled, strict=True)
    return {
        f"{concept}\n{name}": row
        for concept, name, row in entries
        if concept not in sexual and np.isfinite(row).all()
    }


def _likeness_frame(
    arm: str, reading: Reading, values: Floats, neutral: float, n: int, clusters: int
) -> pd.DataFrame:
    rows = {
        "arm": arm,
        "measure": MONOSEMANTICITY,
        "layer": reading.layer,
        "pooling": reading.pooling.value,
        "unit": np.arange(len(values)),
        "value": values,
        "neutral": neutral,
        "n": n,
        "clusters": clusters,
        "reason": np.where(np.isnan(values), NO_PREFERENCE, ""),
    }
    return complete(pd.DataFrame(rows))


def _by_layer(frames: Sequence[pd.DataFrame]) -> dict[str, list[pd.DataFrame]]:
    found: dict[str, list[pd.DataFrame]] = {}
    for frame in frames:
        own = frame[(frame["arm"] == TEXT) & (frame["measure"] == TEXT_WEIGHT)]
        if len(own):
            found.setdefault(str(own["layer"].iloc[0]), []).append(own)
    return found


def _of_text(
    frames: Sequence[pd.DataFrame], refs: Sequence[str]
) -> tuple[str, str, str, Floats, list[str]]:
    """Weights of one layer, shape (n_units, n_concepts)."""
    rows = pd.concat(frames, ignore_index=True)
    table = rows.pivot(index="unit", columns="concept", values="value")
    known = [ref for ref in refs if ref in table.columns]
    return TEXT, str(rows["layer"].iloc[0]), "", table[known].to_numpy(dtype=np.float64), known


def _of_words(table: UnitTable, values: Floats, refs: Sequence[str]) -> tuple[Floats, list[str]]:
    """Mean response to the drawn words of each concept, shape (n_units, n_concepts)."""
    shown = set(table.concepts)
    known = [ref for ref in refs if ref in shown]
    own = np.array(table.concepts, dtype=object)
    means = [values[own == ref].mean(axis=0) for ref in known]
    return (np.stack(means, axis=1) if means else np.zeros((values.shape[1], 0))), known


def _region_record(
    arm: str, layer: str, pooling: str, profiles: Floats, refs: list[str], places: set[str]
) -> RegionIndexRecord | None:
    """Count units by the places among their leading concepts; ties go to the earlier concept."""
    varies = np.isfinite(profiles).all(axis=1) & (np.ptp(profiles, axis=1) > 0 if refs else False)
    n, geographic = len(refs), len(places.intersection(refs))
    if geographic < WORDS or not varies.any():
        return None
    order = np.argsort(-profiles[varies], axis=1, kind="stable")[:, :WORDS]
    index = region_index([[refs[i] for i in row] for row in order.tolist()], places)
    return RegionIndexRecord(
        arm="text" if arm == TEXT else "rendered",
        layer=layer,
        pooling=pooling,
        concepts=n,
        places=geographic,
        units=int(varies.sum()),
        counts=index.counts,
        share=number(index.share, NO_UNIT),
        low=number(index.low, NO_UNIT),
        high=number(index.high, NO_UNIT),
        by_chance=number(math.comb(geographic, WORDS) / math.comb(n, WORDS), NO_UNIT),
    )
