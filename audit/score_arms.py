"""Arms of ``score``: pictures against labels, and identity labels against the others."""

import numpy as np
from numpy.typing import NDArray

from audit.errors import ScoreInputError
from audit.evidence import Arm
from audit.plan import ArmRole
from audit.score_inputs import ScoreInputs, Terms, minor_terms, pool_texts, term_cosines
from audit.score_packs import Packs
from audit.score_tables import Groups, Label
from audit.scoring import Source, build_arm, embedded
from probes.arms import Embeddings, ScoreTable

Array = NDArray[np.float64]


def photo_arm(inputs: ScoreInputs, terms: Terms, packs: Packs, role: ArmRole) -> Arm | None:
    """Cross the groups of every column with harm and control packs."""
    cosines = term_cosines(inputs, terms)
    if cosines is None or inputs.groups is None or role == "off":
        return None
    rows, codes, is_minor = _row_clusters(inputs.groups, inputs.is_minor)
    slots = terms.slots if len(terms.slots) > 1 else ()
    by_slot = {slot: term_cosines(inputs, terms, slot) for slot in slots}
    values = _mean_rows(cosines, codes)
    slot_values = {s: _mean_rows(v, codes) for s, v in by_slot.items() if v is not None}
    lengths = _lengths(inputs, codes)
    index = np.array([position for _, position in packs.members], dtype=np.intp)
    names = tuple(terms.names[i] for i in index)
    concepts = tuple(pack for pack, _ in packs.members)

    def table(chosen: NDArray[np.intp], columns: NDArray[np.intp]) -> ScoreTable:
        at = np.ix_(chosen, index[columns])
        return ScoreTable(
            scores=values[at],
            by_template={slot: v[at] for slot, v in slot_values.items()},
            row_names=tuple(rows[i][1] for i in chosen),
            row_concepts=tuple(rows[i][0] for i in chosen),
            column_names=tuple(names[i] for i in columns),
            column_concepts=tuple(concepts[i] for i in columns),
            row_lengths=None if lengths is None else lengths[chosen],
        )

    return build_arm(
        "photo",
        "Pictures of each group against label texts",
        role,
        Source([concept for concept, _ in rows], concepts, table),
        families=_families(inputs.groups),
        controls=packs.controls,
        dealt=packs.dealt,
        sexual=terms.sexual,
        is_minor=is_minor,
    )


def pack_embeddings(
    terms: Terms, packs: Packs, values: Array, by_slot: dict[str, Array]
) -> Embeddings:
    """Lay the embeddings of terms out by the packs that they belong to."""
    index = np.array([position for _, position in packs.members], dtype=np.intp)
    return Embeddings(
        names=tuple(terms.names[i] for i in index),
        concepts=tuple(pack for pack, _ in packs.members),
        pooled=values[index],
        by_template={slot: slot_values[index] for slot, slot_values in by_slot.items()},
    )


def _families(groups: Groups) -> dict[str, tuple[str, ...]]:
    return {
        column: tuple(f"{column}/{value}" for value in sorted(set(values) - {""}))
        for column, values in groups.columns.items()
    }


def _row_clusters(
    groups: Groups, is_minor: NDArray[np.bool_]
) -> tuple[list[tuple[str, str]], list[NDArray[np.intp]], NDArray[np.bool_]]:
    """Concept and cluster of every row, the images behind it, and whether it may be a minor."""
    members: dict[tuple[str, str], list[int]] = {}
    for column, values in groups.columns.items():
        one_value_per_cluster(column, values, groups)
        for image, (value, cluster) in enumerate(zip(values, groups.clusters, strict=True)):
            if value:
                members.setdefault((f"{column}/{value}", cluster), []).append(image)
    codes = [np.array(images, dtype=np.intp) for images in members.values()]
    return list(members), codes, np.array([is_minor[c].any() for c in codes], dtype=bool)


def one_value_per_cluster(column: str, values: tuple[str, ...], groups: Groups) -> None:
    """Refuse a column in which a cluster lies in two groups.

    Raises
    ------
    ScoreInputError
        Naming cluster and image.
    """
    seen: dict[str, str] = {}
    for image, (value, cluster) in enumerate(zip(values, groups.clusters, strict=True)):
        if value and seen.setdefault(cluster, value) != value:
            raise ScoreInputError(
                f"A cluster must lie in one group of a column; cluster {cluster!r} has "
                f"{seen[cluster]!r} and, in image {groups.ids[image]!r}, {value!r} in column "
                f"{column!r}. Correct the row or split the cluster."
            )


def _mean_rows(values: Array, codes: list[NDArray[np.intp]]) -> Array:
    if not codes:
        return np.empty((0, values.shape[1]))
    if all(len(images) == 1 for images in codes):
        return np.asarray(values[np.concatenate(codes)], dtype=np.float64)
    return np.stack([values[images].mean(axis=0) for images in codes])


def _lengths(inputs: ScoreInputs, codes: list[NDArray[np.intp]]) -> Array | None:
    """Length of every cluster's mean image embedding; None where only scores were given."""
    if inputs.cosines is not None or inputs.images is None or inputs.texts is None:
        return None
    return np.asarray(np.linalg.norm(_mean_rows(inputs.images, codes), axis=1))


def text_arm(inputs: ScoreInputs, terms: Terms, packs: Packs, role: ArmRole) -> Arm | None:
    """Cross identity labels with harm and control packs, where text embeddings are given."""
    identity = terms.of("identity")
    if inputs.texts is None or not len(identity) or role == "off":
        return None
    slots = terms.slots if len(terms.slots) > 1 else ()
    pooled = pool_texts(inputs.texts, terms)
    by_slot = {slot: pool_texts(inputs.texts, terms, slot) for slot in slots}
    concepts = [identity_ref(terms.labels[terms.members[i][0]]) for i in identity]
    rows = Embeddings(
        names=tuple(terms.names[i] for i in identity),
        concepts=tuple(concepts),
        pooled=pooled[identity],
        by_template={slot: values[identity] for slot, values in by_slot.items()},
    )
    families: dict[str, dict[str, None]] = {}
    for i, concept in zip(identity, concepts, strict=True):
        families.setdefault(terms.families[i], {})[concept] = None
    return build_arm(
        "text",
        "Identity labels against the other label texts",
        role,
        embedded(rows, pack_embeddings(terms, packs, pooled, by_slot)),
        families={family: tuple(members) for family, members in families.items()},
        controls=packs.controls,
        dealt=packs.dealt,
        sexual=terms.sexual,
        is_minor=minor_terms(terms)[identity],
    )


def identity_ref(label: Label) -> str:
    """Name the group that an identity label stands for."""
    return f"{label.family}/{label.concept}"
