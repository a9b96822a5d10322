"""Embeddings become arms; terms that denote minors never meet a sexualising pack."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Arm
from probes.arms import ArmScores, Embeddings, score_arm

Families = Mapping[str, tuple[str, ...]]


def build_arm(
    name: str,
    title: str,
    role: Literal["decides", "describes"],
    rows: Embeddings,
    columns: Embeddings,
    *,
    families: Families,
    controls: Mapping[str, tuple[str, ...]],
    sexual: Collection[str],
    is_minor: NDArray[np.bool_],
) -> Arm | None:
    """Cross identity clusters with target terms, once or twice.

    Parameters
    ----------
    name, title, role
        As in `Arm`.
    rows, columns : Embeddings
        Identity clusters, and terms of harm and control packs.
    families : mapping
        Family to identity concepts.
    controls : mapping
        Harm pack to the control packs of its null.
    sexual : collection of str
        Harm packs that sexualise: they meet only rows that are not minors.
    is_minor : bool ndarray of shape (n_rows,)
        Rows that denote, or may denote, somebody under 20.

    Returns
    -------
    Arm or None
        None where no family keeps two concepts with rows.
    """
    tables = [
        _scores(name, rows, columns, families, _only(controls, sexual, inside=False)),
        _scores(
            name,
            rows.take(np.flatnonzero(~is_minor)),
            columns,
            families,
            _only(controls, sexual, inside=True),
        ),
    ]
    kept = tuple(table for table in tables if table is not None)
    return Arm(name=name, title=title, role=role, scores=kept) if kept else None


def _only(
    controls: Mapping[str, tuple[str, ...]], sexual: Collection[str], *, inside: bool
) -> dict[str, tuple[str, ...]]:
    return {harm: packs for harm, packs in controls.items() if (harm in sexual) is inside}


def _scores(
    name: str,
    rows: Embeddings,
    columns: Embeddings,
    families: Families,
    controls: Mapping[str, tuple[str, ...]],
) -> ArmScores | None:
    present = set(columns.concepts)
    tested = {
        harm: tuple(p for p in packs if p in present)
        for harm, packs in controls.items()
        if harm in present
    }
    kept = with_rows(families, rows.concepts)
    if not tested or not kept:
        return None
    wanted = {*tested, *(pack for packs in tested.values() for pack in packs)}
    members = {c for concepts in kept.values() for c in concepts}
    return score_arm(
        name,
        rows.take(_positions(rows.concepts, members)),
        columns.take(_positions(columns.concepts, wanted)),
        families=kept,
        controls=tested,
    )


def with_rows(families: Families, concepts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Keep the concepts that have rows, in families that keep two of them."""
    present = set(concepts)
    kept = {f: tuple(c for c in members if c in present) for f, members in families.items()}
    return {family: members for family, members in kept.items() if len(members) > 1}


def _positions(concepts: Sequence[str], wanted: Collection[str]) -> NDArray[np.intp]:
    return np.flatnonzero([concept in wanted for concept in concepts])
