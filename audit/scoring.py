"""Tables of cosines become arms; terms that denote minors never meet a sexualising pack."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Arm
from probes.arms import ArmScores, Embeddings, ScoreTable, cross, score_arm

Families = Mapping[str, tuple[str, ...]]
Indices = NDArray[np.intp]


class Source:
    """Rows and columns that can be crossed in part: what is not asked for is never computed."""

    def __init__(
        self,
        row_concepts: Sequence[str],
        column_concepts: Sequence[str],
        table: Callable[[Indices, Indices], ScoreTable],
    ) -> None:
        self.row_concepts = row_concepts
        self.column_concepts = column_concepts
        self.table = table
        """Positions of rows and of columns to their table of cosines."""


def embedded(rows: Embeddings, columns: Embeddings) -> Source:
    """Return a source that multiplies embeddings of the rows and columns asked for."""
    return Source(
        rows.concepts, columns.concepts, lambda r, c: cross(rows.take(r), columns.take(c))
    )


def build_arm(
    name: str,
    title: str,
    role: Literal["decides", "describes"],
    source: Source,
    *,
    families: Families,
    controls: Mapping[str, tuple[str, ...]],
    sexual: Collection[str],
    is_minor: NDArray[np.bool_],
    dealt: Mapping[str, int] | None = None,
) -> Arm | None:
    """Cross identity clusters with target terms, once or twice.

    Parameters
    ----------
    name, title, role
        As in `Arm`.
    source : Source
        Identity clusters as rows; terms of harm and control packs as columns.
    families : mapping
        Family to identity concepts.
    controls : mapping
        Harm pack to the control packs of its null.
    sexual : collection of str
        Harm packs that sexualise: they meet only rows that are not minors.
    is_minor : bool ndarray of shape (n_rows,)
        Rows that denote, or may denote, somebody under 20.
    dealt : mapping, optional
        As in `ArmScores`.

    Returns
    -------
    Arm or None
        None where no family keeps two concepts with rows.
    """
    everybody, adults = np.arange(len(is_minor)), np.flatnonzero(~is_minor)
    asked = (
        (everybody, _only(controls, sexual, inside=False)),
        (adults, _only(controls, sexual, inside=True)),
    )
    tables = [_scores(name, source, rows, families, packs, dealt or {}) for rows, packs in asked]
    kept = tuple(table for table in tables if table is not None)
    return Arm(name=name, title=title, role=role, scores=kept) if kept else None


def _only(
    controls: Mapping[str, tuple[str, ...]], sexual: Collection[str], *, inside: bool
) -> dict[str, tuple[str, ...]]:
    return {harm: packs for harm, packs in controls.items() if (harm in sexual) is inside}


def _scores(
    name: str,
    source: Source,
    rows: Indices,
    families: Families,
    controls: Mapping[str, tuple[str, ...]],
    dealt: Mapping[str, int],
) -> ArmScores | None:
    present = set(source.column_concepts)
    tested = {
        harm: tuple(p for p in packs if p in present)
        for harm, packs in controls.items()
        if harm in present
    }
    kept = with_rows(families, [source.row_concepts[i] for i in rows])
    if not tested or not kept:
        return None
    wanted = {*tested, *(pack for packs in tested.values() for pack in packs)}
    members = {c for concepts in kept.values() for c in concepts}
    used = rows[[source.row_concepts[i] in members for i in rows]]
    columns = np.flatnonzero([concept in wanted for concept in source.column_concepts])
    table = source.table(used, columns)
    return score_arm(name, table, families=kept, controls=tested, dealt=dealt)


def with_rows(families: Families, concepts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Keep the concepts that have rows, in families that keep two of them."""
    present = set(concepts)
    kept = {f: tuple(c for c in members if c in present) for f, members in families.items()}
    return {family: members for family, members in kept.items() if len(members) > 1}
