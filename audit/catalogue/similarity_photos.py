"""Association of photos: who stands close to which harm, and who is seen as alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from audit.catalogue.opposites import Opposite, opposite
from audit.catalogue.similarity_readings import row
from audit.material import Array, Indices, Material, Pictures
from probes.clusters import cluster_means
from probes.errors import MeasureError
from probes.groupings import Grouping, group_by
from probes.measurement import Estimate, Measurement, undefined
from probes.similarity.cross_modal import centre, modality_mean
from probes.similarity.group_association import group_association
from probes.similarity.self_similarity import self_similarity_estimates
from probes.similarity.vectors import SAME
from probes.similarity.weat import Attributes, weat_columns
from probes.subset_sums import BRISK

DRAWS = 999
"""Arrangements behind every p that is drawn."""

BOUNDED_SIDE = 40
"""Persons on the smaller side up to which the association test is exact or bounded: beyond, bounds
that a tenth of a second buys are wider than the spread of drawing."""

MIN_SEVERITY = 3
"""Tier from which a harm is also held against its opposite, and not only where fixed beforehand."""

PAIR_DRAWS = 399
"""Relabellings behind the p of a gap in self-similarity, each of which meets every picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Pictures that may meet some harm packs, and what they are compared by."""

    rows: Indices
    packs: Mapping[str, tuple[Indices, Indices, Opposite]]
    """Harm to its terms, those of its opposite, and what that is."""

    tested: tuple[str, ...]
    """Harms that are also held against their opposites."""


def photo_measurements(
    material: Material, pictures: Pictures, rng: np.random.Generator
) -> Iterator[Measurement]:
    """Yield the association of every group of every column with every harm pack.

    Pictures of unknown group are left out of a column. Packs that sexualise meet pictures of
    adults only; a group without such pictures has no row.
    """
    columns = {name: group_by(name, values) for name, values in pictures.columns.items()}
    texts = _centred_texts(material, pictures)
    for part in _parts(material, pictures):
        for grouping in columns.values():
            yield from _column_rows(pictures, part, grouping, texts, rng)
    if pictures.embeddings is not None:
        for grouping in columns.values():
            yield from _alike_rows(pictures, pictures.embeddings, grouping, rng)


def _parts(material: Material, pictures: Pictures) -> Iterator[_Part]:
    """Harm packs that the same pictures may meet, together."""
    present, fixed = set(pictures.concepts), {harm for _, harm in material.blocking}
    together: dict[tuple[int, ...], dict[str, tuple[Indices, Indices, Opposite]]] = {}
    for harm in material.of_role("harm"):
        if harm not in present:
            continue
        other = opposite(material, harm, present)
        terms, opposed = _of_any(pictures, (harm,)), _of_any(pictures, other.packs)
        rows = pictures.rows_for(np.concatenate([terms, opposed]))
        key = tuple(rows.tolist())
        together.setdefault(key, {})[harm] = terms, opposed, other
    for key, packs in together.items():
        if key:
            tested = tuple(h for h in packs if h in fixed or material.severities[h] >= MIN_SEVERITY)
            yield _Part(rows=np.array(key, dtype=np.intp), packs=packs, tested=tested)


def _of_any(pictures: Pictures, concepts: tuple[str, ...]) -> Indices:
    return np.concatenate([np.empty(0, dtype=np.intp), *(pictures.of(c) for c in concepts)])


def _centred_texts(material: Material, pictures: Pictures) -> Array | None:
    """Embeddings of the pictures' terms without the mean of them all; None where there are none."""
    if material.texts is None or pictures.embeddings is None:
        return None
    texts = material.texts
    place = {pair: i for i, pair in enumerate(zip(texts.concepts, texts.names, strict=True))}
    rows = [place.get(pair) for pair in zip(pictures.concepts, pictures.terms, strict=True)]
    known = [row for row in rows if row is not None]
    if len(known) < len(rows) or texts.pooled.shape[1] != pictures.embeddings.shape[1]:
        return None
    values = texts.pooled[known]
    try:
        return centre(values, modality_mean(terms=values), "Terms")
    except MeasureError:
        return None


def _column_rows(
    pictures: Pictures,
    part: _Part,
    grouping: Grouping,
    texts: Array | None,
    rng: np.random.Generator,
) -> Iterator[Measurement]:
    rows = part.rows[grouping.codes[part.rows] >= 0]
    codes = grouping.codes[rows]
    packs = list(part.packs)
    scores = np.stack(
        [pictures.cosines[np.ix_(rows, part.packs[h][0])].mean(axis=1) for h in packs], axis=1
    )
    tests = _Tests.of(pictures, part, rows, codes, texts)
    for code in np.unique(codes):
        group = grouping.groups[code]
        shown = codes == code
        found = group_association(
            scores, shown, clusters=_renumbered(pictures.clusters[rows]), rng=rng, draws=DRAWS
        )
        for harm, c_asc, auroc in zip(packs, found.c_asc, found.auroc, strict=True):
            for name, estimate in (("c_asc", c_asc), ("auroc_association", auroc)):
                yield row(name, "photo", estimate, family=grouping.name, group=group, harm=harm)
        for setting, estimates in tests.run(int(code), rng).items():
            for harm, estimate in estimates.items():
                yield row(
                    "cross_modal_eat",
                    "photo",
                    replace(estimate, n=int(shown.sum()), clusters=tests.size(int(code))),
                    family=grouping.name,
                    group=group,
                    harm=harm,
                    against=part.packs[harm][2].name,
                    setting=f"{setting}, pictures and texts",
                )


def _renumbered(clusters: Indices) -> Indices:
    return np.unique(clusters, return_inverse=True)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tests:
    """Cosines of one row per person or scene and group with the words of each harm."""

    codes: Indices
    """Group of each row, shape (n_rows,)."""

    tables: Mapping[str, Mapping[str, Attributes]]
    """``raw`` and, where there are embeddings, ``centred``, to harm and its cosines."""

    @classmethod
    def of(
        cls,
        pictures: Pictures,
        part: _Part,
        rows: Indices,
        codes: Indices,
        texts: Array | None,
    ) -> "_Tests":
        """Average the pictures of each person or scene within each group."""
        width = int(codes.max(initial=0)) + 1
        pairs, joint = np.unique(pictures.clusters[rows] * width + codes, return_inverse=True)
        asked = {h: part.packs[h][:2] for h in part.tested}
        if not (pairs.size and asked):
            return cls(codes=pairs % width, tables={})
        used = np.unique(np.concatenate([np.concatenate(sides) for sides in asked.values()]))
        cosines = {"raw": cluster_means(pictures.cosines[np.ix_(rows, used)], joint)}
        if texts is not None and pictures.embeddings is not None:
            means = cluster_means(pictures.embeddings[rows], joint)
            try:
                centred = centre(means, modality_mean(pictures=means), "Pictures")
            except MeasureError:
                pass
            else:
                cosines["centred"] = centred @ texts[used].T
        tables = {
            setting: {
                harm: _attributes(values, np.searchsorted(used, a), np.searchsorted(used, b))
                for harm, (a, b) in asked.items()
            }
            for setting, values in cosines.items()
        }
        return cls(codes=pairs % width, tables=tables)

    def size(self, code: int) -> int:
        """Persons or scenes of a group."""
        return int((self.codes == code).sum())

    def run(self, code: int, rng: np.random.Generator) -> dict[str, dict[str, Estimate]]:
        """Test a group against all others with every harm pack."""
        is_x = self.codes == code
        out: dict[str, dict[str, Estimate]] = {}
        for setting, tables in self.tables.items():
            usable = {h: t for h, t in tables.items() if min(t.is_a.sum(), (~t.is_a).sum()) > 1}
            try:
                found = weat_columns(
                    list(usable.values()),
                    is_x,
                    rng=rng,
                    alternative="two-sided",
                    draws=None if min(is_x.sum(), (~is_x).sum()) <= BOUNDED_SIDE else DRAWS,
                    effort=BRISK,
                )
            except MeasureError as error:
                found = (undefined(str(error)),) * len(usable)
            lacking = undefined("2 harm words and 2 words to hold them against are needed")
            out[setting] = dict.fromkeys(tables, lacking)
            out[setting] |= dict(zip(usable, found, strict=True))
        return out


def _attributes(cosines: Array, a: Indices, b: Indices) -> Attributes:
    """Cosines with a harm and its opposite, less terms that a picture cannot be told from."""
    columns = np.concatenate([a, b])
    table = cosines[:, columns]
    free = (table <= 1 - SAME).all(axis=0)
    return Attributes(cosines=table[:, free], is_a=(np.arange(len(columns)) < len(a))[free])


def _alike_rows(
    pictures: Pictures, embeddings: Array, grouping: Grouping, rng: np.random.Generator
) -> Iterator[Measurement]:
    found = self_similarity_estimates(
        embeddings,
        grouping.codes,
        pictures.clusters,
        len(grouping.groups),
        rng=rng,
        draws=PAIR_DRAWS,
    )
    for group, own, gap in zip(grouping.groups, found.own, found.gaps, strict=True):
        for name, estimate in (("self_similarity", own), ("self_similarity_gap", gap)):
            yield row(name, "photo", estimate, family=grouping.name, group=group)
