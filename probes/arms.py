"""Scores of one arm, laid out so that any part of its stimuli can be left out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.contrast import family_differences, jackknife_se

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """Unit-length embeddings of clusters (terms, persons), one per template and one pooled."""

    names: tuple[str, ...]
    """Cluster names, shape (n_clusters,)."""

    concepts: tuple[str, ...]
    """Concept of each cluster; a cluster may stand once for each of several families."""

    pooled: Array
    """Templates averaged and renormalised, shape (n_clusters, dim)."""

    by_template: Mapping[str, Array]
    """Template slot to shape (n_clusters, dim); empty where there is one reading only."""

    def take(self, index: Indices) -> "Embeddings":
        """Return the clusters at ``index``."""
        return Embeddings(
            names=tuple(self.names[i] for i in index),
            concepts=tuple(self.concepts[i] for i in index),
            pooled=self.pooled[index],
            by_template={slot: values[index] for slot, values in self.by_template.items()},
        )

    def of(self, concepts: Collection[str]) -> Indices:
        """Return the positions of the clusters of some concepts."""
        return np.flatnonzero([concept in concepts for concept in self.concepts])


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmScores:
    """Cosines of identity clusters with target terms in one arm."""

    arm: str
    scores: Array
    """Templates pooled, shape (n_rows, n_columns)."""

    by_template: Mapping[str, Array]
    """Template slot to scores of the same shape; may be empty."""

    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    identities: Mapping[str, Indices]
    """Identity concept to its rows."""

    families: Mapping[str, tuple[str, ...]]
    """Family to its identity concepts, at least two each."""

    packs: Mapping[str, Indices]
    """Harm or control pack to its columns."""

    controls: Mapping[str, tuple[str, ...]]
    """Harm pack to the control packs that carry its null."""

    dealt: Mapping[str, int]
    """Harm pack to its size, where its controls are single labels that make up packs of it."""

    row_lengths: Array | None = None
    """As in `ScoreTable`."""

    def n_controls(self, harm: str) -> int:
        """Count the control packs of a harm pack, or those that its single labels make up."""
        return len(self.controls[harm]) // self.dealt.get(harm, 1)

    def means(self, family: str, packs: Sequence[str], scores: Array | None = None) -> Array:
        """Return mean scores of shape (n_concepts of the family, n_packs)."""
        values = self.scores if scores is None else scores
        by_row = np.stack([values[:, self.packs[p]].mean(axis=1) for p in packs], axis=1)
        rows = [self.identities[concept] for concept in self.families[family]]
        return np.stack([by_row[index].mean(axis=0) for index in rows])

    def differences(self, family: str, packs: Sequence[str], scores: Array | None = None) -> Array:
        """Return family differences of shape (n_concepts, n_packs)."""
        return family_differences(self.means(family, packs, scores))

    def centred(self, family: str, identity: str, pack: str) -> Array:
        """Return the scores of one cell less the rest of the family, column by column.

        Shape (rows of the identity, terms of the pack); its mean is the family difference.
        """
        columns = self.packs[pack]
        others = [c for c in self.families[family] if c != identity]
        rest = np.mean(
            [self.scores[np.ix_(self.identities[c], columns)].mean(axis=0) for c in others], axis=0
        )
        cell: Array = self.scores[np.ix_(self.identities[identity], columns)] - rest
        return cell

    def floor(self, family: str, harms: Sequence[str]) -> Array:
        """Return the jackknife floor where a harm pack has fewer terms than its controls."""
        concepts = self.families[family]
        out = np.full((len(concepts), len(harms)), np.nan)
        for column, harm in enumerate(harms):
            typical = np.median([len(self.packs[c]) for c in self.controls[harm]])
            if len(self.packs[harm]) < typical * self.dealt.get(harm, 1):
                out[:, column] = [jackknife_se(self.centred(family, c, harm)) for c in concepts]
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable:
    """Cosines of row clusters with target terms."""

    scores: Array
    """Shape (n_rows, n_columns), in [-1, 1]."""

    by_template: Mapping[str, Array]
    """Template slot to scores of the same shape; may be empty."""

    row_names: tuple[str, ...]
    row_concepts: tuple[str, ...]
    column_names: tuple[str, ...]
    column_concepts: tuple[str, ...]
    row_lengths: Array | None = None
    """Length of every row's embedding, shape (n_rows,); None where only scores are known."""


def cross(rows: Embeddings, columns: Embeddings) -> ScoreTable:
    """Multiply embeddings; where one side has no templates its pooled form meets each of them.

    Examples
    --------
    >>> one = Embeddings(names=("a",), concepts=("c",), pooled=np.array([[0.6, 0.8]]),
    ...     by_template={})
    >>> cross(one, one).scores
    array([[1.]])
    """
    slots = list(columns.by_template) or list(rows.by_template)
    by_template = {
        slot: rows.by_template.get(slot, rows.pooled)
        @ columns.by_template.get(slot, columns.pooled).T
        for slot in slots
    }
    return ScoreTable(
        scores=rows.pooled @ columns.pooled.T,
        by_template=by_template if len(slots) > 1 else {},
        row_names=rows.names,
        row_concepts=rows.concepts,
        column_names=columns.names,
        column_concepts=columns.concepts,
        row_lengths=np.linalg.norm(rows.pooled, axis=1),
    )


def score_arm(
    arm: str,
    table: ScoreTable,
    *,
    families: Mapping[str, tuple[str, ...]],
    controls: Mapping[str, tuple[str, ...]],
    dealt: Mapping[str, int] | None = None,
) -> ArmScores:
    """Index a table of cosines by identity concept and pack.

    Parameters
    ----------
    arm : str
        Name of the arm.
    table : ScoreTable
        Rows are identity clusters, columns terms of harm and control packs.
    families, controls, dealt : mapping
        As in `ArmScores`; by default nothing is dealt.

    Returns
    -------
    ArmScores
        Ready for contrasts.
    """
    identities = sorted({concept for members in families.values() for concept in members})
    return ArmScores(
        arm=arm,
        scores=table.scores,
        by_template=table.by_template,
        row_names=table.row_names,
        column_names=table.column_names,
        identities={c: _positions(table.row_concepts, c) for c in identities},
        families=families,
        packs={p: _positions(table.column_concepts, p) for p in sorted({*table.column_concepts})},
        controls=controls,
        dealt=dealt or {},
        row_lengths=table.row_lengths,
    )


def _positions(concepts: Sequence[str], concept: str) -> Indices:
    return np.flatnonzero(np.array(concepts, dtype=object) == concept)


def pool_clusters(
    values: NDArray[np.floating[Any]],
    concepts: Sequence[str],
    clusters: Sequence[str],
    templates: Sequence[str],
    *,
    keep_templates: bool = True,
) -> Embeddings:
    """Average the embeddings of a cluster's stimuli, template by template, and renormalise.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli, dim)
        Embeddings, of any length; each is normalised first.
    concepts, clusters, templates : sequence of str, each of length n_stimuli
        What every row shows; a cluster is one (concept, cluster) pair.
    keep_templates : bool
        Whether templates are slots that the other side has too (prompts), or mere repeats (fonts,
        photos of one person).

    Returns
    -------
    Embeddings
        Clusters in order of first appearance.
    """
    unit = normalise(values)
    keys = list(dict.fromkeys(zip(concepts, clusters, strict=True)))
    code = {key: index for index, key in enumerate(keys)}
    codes = np.array([code[key] for key in zip(concepts, clusters, strict=True)])
    names = np.array(templates, dtype=object)
    slots = list(dict.fromkeys(templates)) if keep_templates else []
    by_template = {
        slot: normalise(_means(unit[names == slot], codes[names == slot], len(keys)))
        for slot in slots
    }
    return Embeddings(
        names=tuple(cluster for _, cluster in keys),
        concepts=tuple(concept for concept, _ in keys),
        pooled=normalise(_means(unit, codes, len(keys))),
        by_template=by_template,
    )


def normalise(values: NDArray[np.floating[Any]]) -> Array:
    """Scale rows to unit length, in float64; a row of zeros becomes NaN."""
    wide = np.asarray(values, dtype=np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(wide / np.where(length > 0, length, np.nan), dtype=np.float64)


def _means(values: Array, codes: Indices, n_codes: int) -> Array:
    sums = np.zeros((n_codes, values.shape[1]))
    np.add.at(sums, codes, values)
    counts = np.bincount(codes, minlength=n_codes)[:, None]
    return np.asarray(sums / counts, dtype=np.float64)
