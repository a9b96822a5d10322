"""Classes of anybody's pictures as sums of units, and what an audit knows those units answer to."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from audit.atlas import AtlasRow, concepts_of_units
from audit.atlas_table import require_unchanged
from audit.errors import PlanError
from audit.gather import Shown
from audit.results import AuditResult
from concept_sets.ages import minor_group
from concept_sets.minors import denotes_minor, sexualises
from concept_sets.photos import PhotoSet
from probes.clusters import clusters_of
from probes.decomposition import Decomposition, decompose, n_paths
from probes.encoder import EncoderIdentity, Reading
from probes.progress import Progress

ARM_ORDER = ("photo", "rendered")
"""Pictures name units before words do."""

NAMED_BY = 2
"""Concepts that name a unit, at most."""


def require_classes(photos: PhotoSet) -> None:
    """Refuse pictures that cannot, or must not, be told apart by class.

    Raises
    ------
    PlanError
        If a picture has no class, there are fewer than two, or a class sexualises where a class or
        a column of the manifest denotes somebody under 20 or ages are not known.
    """
    without = sum(not photo.concept for photo in photos.stimuli)
    classes = sorted({photo.concept for photo in photos.stimuli})
    if without or len(classes) < 2:
        raise PlanError(
            "Pictures must have two classes or more, one folder each or a column 'concept'; got "
            f"{len(classes) - bool(without)} classes and {without} pictures without one."
        )
    sexual = [name for name in classes if sexualises(_spoken(name))]
    if sexual and not all(_adult(photo.concept, photo.groups) for photo in photos.stimuli):
        raise PlanError(
            f"The class {sexual[0]!r} sexualises, so that all others are held against it; every "
            "picture must then be known to show adults, by an age column of a manifest. Leave the "
            "class out, or give the ages."
        )


def _adult(name: str, groups: Iterable[tuple[str, str]]) -> bool:
    told = [minor_group(column, value) for column, value in groups]
    return not denotes_minor(_spoken(name)) and True not in told and False in told


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def class_sums(
    shown: Shown,
    reading: Reading,
    *,
    mean_units: float,
    rng: np.random.Generator,
    progress: Progress,
) -> Decomposition:
    """Describe each class by the few units that tell it from all others.

    Parameters
    ----------
    shown : Shown
        Pictures whose ``concept`` is their class, accepted by `require_classes`.
    reading : Reading
        Where units were read.
    mean_units : float
        Wanted units per class, on average.
    rng : numpy.random.Generator
        Deals the folds.
    progress : Progress
        Told how many paths are walked.

    Raises
    ------
    MeasureError
        If there are too few clusters or no unit varies.
    """
    labels = [s.concept for s in shown.stimuli]
    clusters = clusters_of([f"{s.concept}\n{s.cluster}" for s in shown.stimuli]).codes
    progress.start(n_paths(labels, clusters), "classes as sums of units")
    try:
        return decompose(
            shown.extraction.units[reading].values,
            labels,
            clusters,
            rng=rng,
            mean_units=mean_units,
            after_each=lambda: progress.advance(1),
        )
    finally:
        progress.finish()


def require_same_model(folder: Path, result: AuditResult, identity: EncoderIdentity) -> None:
    """Refuse an audit of another model: its units carry other numbers.

    Raises
    ------
    PlanError
        If the weights differ.
    ResultError
        If the audit's table is missing or was changed.
    """
    if result.model.weights_digest != identity.weights_digest:
        raise PlanError(
            f"Units are named by an audit of the same weights; {folder} is an audit of "
            f"{result.model.name}, and {identity.name} has others. Give an audit of this model, "
            "or leave --audit out."
        )
    require_unchanged(folder, result)


def strongest_concepts(
    folder: Path, reading: Reading, units: Sequence[int]
) -> Mapping[int, tuple[str, ...]]:
    """Return the concepts that units answer to most, for those that surely answer to one.

    Parameters
    ----------
    folder : Path
        Of an audit of the same model.
    reading : Reading
        Where units were read.
    units : sequence of int

    Returns
    -------
    mapping of int to tuple of str
        ``Concept.ref`` of at most two that lead by correlation and AP lift, in photos where the
        audit showed photos, else in rendered words; only where the interval of the correlation is
        above 0. A reading aid: it is each on its own, and the first of many look stronger than
        they are.

    Raises
    ------
    PlanError
        If the audit did not read the layer.
    """
    found = concepts_of_units(folder, reading.layer, units)
    names = {unit: _leading(rows, reading) for unit, rows in found.items()}
    return {unit: concepts for unit, concepts in names.items() if concepts}


def _leading(rows: Sequence[AtlasRow], reading: Reading) -> tuple[str, ...]:
    own = [row for row in rows if row.pooling == reading.pooling.value]
    for arm in ARM_ORDER:
        seen = [row for row in own if row.arm == arm]
        if seen:
            return tuple(row.concept for row in seen[:NAMED_BY] if _above_zero(row))
    return ()


def _above_zero(row: AtlasRow) -> bool:
    estimate = row.estimates.get("correlation")
    return estimate is not None and estimate.low > 0
