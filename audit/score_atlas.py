"""Units of ``score``: every unit x every group of pictures, probes, and units of findings."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.concept_probes import add_probes, concept_probes
from audit.gather import Shown
from audit.plan import AuditPlan
from audit.results import FindingRecord, LayerRecord, ProbeRecord
from audit.score_arms import one_value_per_cluster, pack_embeddings
from audit.score_inputs import ScoreInputs, Terms, pool_texts
from audit.score_packs import Packs
from audit.score_tables import Groups
from audit.unit_tables import UnitTable, association_frames, unit_table
from audit.units import Carriers, add_units
from concept_sets.concept import Concept, Role
from concept_sets.minors import sexualises
from concept_sets.stimulus import Modality, Stimulus
from probes.activations import Activations, Extraction
from probes.encoder import Encoder
from probes.progress import Progress

SEED = 61
"""Second word of the seed of the probes: they draw nothing from the verdicts' generator."""

NO_READOUT = (
    "No read-out from units to the embedding was given (--readout), so units are not ranked for "
    "this link."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAtlas:
    """Units by cluster, one table for each group column, and their probes."""

    tables: tuple[UnitTable, ...]
    concepts: tuple[str, ...]
    """``column/value`` of every group."""

    sexual: frozenset[str]
    """Those among them that sexualise: minors never meet them."""

    probes: tuple[ProbeRecord, ...]
    layers: tuple[LayerRecord, ...]

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield every unit x every group."""
        for table in self.tables:
            yield from association_frames(table, self.concepts, self.sexual)


def given_atlas(inputs: ScoreInputs, plan: AuditPlan, progress: Progress) -> GivenAtlas:
    """Average units by cluster and fit the probes.

    Parameters
    ----------
    inputs : ScoreInputs
        With units; without any the atlas is empty.
    plan : AuditPlan
        For its probes and seed.
    progress : Progress
        Told how far the probes are.

    Returns
    -------
    GivenAtlas
        Pictures of one value of a column are told from those of its other values; pictures
        without a value, and columns with a single one, have no part in it.
    """
    columns = _columns(inputs)
    concepts = tuple(f"{c}/{v}" for c, values in columns.items() for v in values)
    sexual = frozenset(ref for ref in concepts if sexualises(ref.replace("_", " ")))
    rng = np.random.default_rng([plan.seed, SEED])
    tables: list[UnitTable] = []
    probes: list[ProbeRecord] = []
    for column, values in columns.items():
        shown, is_minor = _shown(inputs, column)
        tables.append(unit_table(shown, is_minor))
        probes += concept_probes(
            shown,
            [_concept(column, value) for value in values],
            plan.probes,
            rng,
            progress,
            sexual=sexual,
            is_minor=is_minor,
        )
    return GivenAtlas(
        tables=tuple(tables),
        concepts=concepts,
        sexual=sexual,
        probes=tuple(probes),
        layers=_layers(inputs),
    )


def with_units(
    findings: Sequence[FindingRecord],
    atlas: GivenAtlas,
    inputs: ScoreInputs,
    terms: Terms | None,
    packs: Packs | None,
) -> tuple[FindingRecord, ...]:
    """Attach probes, and the units that carry a link where a read-out was given."""
    if not atlas.tables:
        return tuple(findings)
    told = add_probes(findings, atlas.probes)
    readouts = {u.reading.layer: u.readout for u in inputs.units if u.readout is not None}
    if not readouts or inputs.texts is None or terms is None or packs is None:
        return tuple(finding.model_copy(update={"units_note": NO_READOUT}) for finding in told)
    carriers = Carriers(
        # Only its read-outs are asked for.
        encoder=cast(Encoder, _Readouts(readouts)),
        tables=atlas.tables,
        texts=pack_embeddings(terms, packs, pool_texts(inputs.texts, terms), {}),
        families=_families(atlas),
        controls=next(iter(packs.controls.values()), ()),
        sexual=terms.sexual | atlas.sexual,
    )
    return add_units(told, carriers)


@dataclass(frozen=True, slots=True)
class _Readouts:
    """What was given, as `Encoder.readout` returns it."""

    by_layer: dict[str, NDArray[np.float32]]

    def readout(self, layer: str) -> NDArray[np.float32] | None:
        return self.by_layer.get(layer)


def _columns(inputs: ScoreInputs) -> dict[str, tuple[str, ...]]:
    """Return the values of every group column that has two or more of them."""
    if not inputs.units or inputs.groups is None:
        return {}
    known = {c: sorted(set(v) - {""}) for c, v in inputs.groups.columns.items()}
    return {column: tuple(values) for column, values in known.items() if len(values) > 1}


def _families(atlas: GivenAtlas) -> dict[str, tuple[str, ...]]:
    families: dict[str, list[str]] = {}
    for ref in atlas.concepts:
        families.setdefault(ref.partition("/")[0], []).append(ref)
    return {column: tuple(refs) for column, refs in families.items()}


def _concept(column: str, value: str) -> Concept:
    """Describe a group so that its reference is ``column/value``, whatever the two are."""
    ref = f"{column}/{value}"
    return Concept(id=ref, name=value, family=ref, role=Role.IDENTITY, terms=())


def _shown(inputs: ScoreInputs, column: str) -> tuple[Shown, NDArray[np.bool_]]:
    """Return the pictures with a value of a column, and which of them may show minors."""
    groups = cast(Groups, inputs.groups)
    values = groups.columns[column]
    one_value_per_cluster(column, values, groups)
    rows = np.flatnonzero([bool(value) for value in values])
    stimuli = tuple(_stimulus(groups, f"{column}/{values[i]}", i) for i in rows)
    units = {
        given.reading: _activations(
            given.values[rows], stimuli, given.reading.layer, given.reading.pooling.value
        )
        for given in inputs.units
    }
    nothing = _activations(np.zeros((len(rows), 0), np.float32), stimuli, "embedding", "")
    extraction = Extraction(
        embeddings=nothing,
        units=units,
        kept=tuple(range(len(rows))),
        bad=(),
        encoded=0,
        reused=0,
    )
    return Shown(stimuli=stimuli, extraction=extraction), inputs.is_minor[rows]


def _stimulus(groups: Groups, concept: str, index: int) -> Stimulus:
    name = groups.ids[index]
    return Stimulus(
        modality=Modality.PHOTO,
        content=name,
        concept=concept,
        cluster=groups.clusters[index],
        template="",
        # The picture is not at hand; its name is all that is known.
        digest=hashlib.sha256(name.encode()).hexdigest(),
    )


def _activations(
    values: NDArray[np.float32], stimuli: Sequence[Stimulus], layer: str, pooling: str
) -> Activations:
    return Activations(
        values=values,
        stimuli=tuple(s.id for s in stimuli),
        layer=layer,
        pooling=pooling,
        encoder="",
    )


def _layers(inputs: ScoreInputs) -> tuple[LayerRecord, ...]:
    return tuple(
        LayerRecord(
            name=given.reading.layer,
            pooling=given.reading.pooling.value,
            n_units=given.values.shape[1],
        )
        for given in inputs.units
    )
