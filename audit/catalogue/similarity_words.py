"""Association of words: prompts in the text tower, and drawn words in the image tower."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from audit.catalogue.opposites import Opposite, opposite
from audit.catalogue.similarity_readings import row
from audit.material import Array, Indices, Material
from probes.arms import Embeddings
from probes.errors import MeasureError
from probes.measurement import Estimate, Measurement, undefined
from probes.similarity.beside import beside_columns
from probes.similarity.cross_modal import centre, modality_mean
from probes.similarity.ect import ect_of_cosines
from probes.similarity.mac import mac_estimate
from probes.similarity.ripa import ripa
from probes.similarity.rnd import rnd
from probes.similarity.rnsb import negative_probabilities, rnsb_of_probabilities
from probes.similarity.sc_weat import sc_weat_mean_of_cosines
from probes.similarity.vectors import SAME
from probes.similarity.weat import Attributes, weat_columns
from probes.similarity.word_images import few_words, word_image_columns
from probes.subset_sums import BRISK

Mask = NDArray[np.bool_]

DRAWS = 999
"""Arrangements behind every p that is drawn."""

DEALS = 499
"""Ways in which the terms of a family are dealt to its groups."""

MIN_SEVERITY = 3
"""Tier from which a harm meets every group, and not only those fixed beforehand."""

NO_OPPOSITE = "there is nothing to hold the harm against"
ALONE = "no other group of the family has a term to compare with"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Targets:
    """Terms of a group and of the rest of its family, and the harms that they meet."""

    family: str
    identity: str
    x: Indices
    y: Indices
    harms: tuple[str, ...]

    def rows(self) -> Indices:
        return np.concatenate([self.x, self.y])

    def is_x(self) -> Mask:
        return np.arange(len(self.x) + len(self.y)) < len(self.x)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Embeddings of terms, and where the terms of each harm and of its opposite are."""

    material: Material
    side: Embeddings
    packs: Mapping[str, tuple[Indices, Indices, Opposite]]
    """Harm to its terms, those of its opposite, and what that is."""

    found: dict[tuple[str, bool], Indices] = field(default_factory=dict)
    """Terms that were looked up: which of a concept's may meet a harm, if it sexualises or not."""

    def rows(self, concept: str, harm: str) -> Indices:
        """Return the terms of a concept that may meet a harm."""
        key = concept, harm in self.material.sexual
        if key not in self.found:
            self.found[key] = self.material.rows(self.side, concept, harm)
        return self.found[key]


def word_measurements(
    material: Material, side: Embeddings, rng: np.random.Generator
) -> Iterator[Measurement]:
    """Yield the association of every group with every harm that it meets, in the text tower.

    Every group meets the harms of severity 3 and above and those fixed beforehand for it. Pairs
    that share a word are left out, on either side; terms of minors never meet packs that
    sexualise.
    """
    words = _words(material, side)
    for targets in _all_targets(words):
        yield from _group_rows(words, targets, rng)
    for family, members in material.families.items():
        for harm in _family_harms(material, family, words.packs):
            yield from _family_rows(words, family, members, harm, rng)


def drawn_measurements(
    material: Material, side: Embeddings, rng: np.random.Generator
) -> Iterator[Measurement]:
    """Yield the cosines of drawn words of every group with those of every harm that it meets."""
    words = _words(material, side)
    try:
        centred = centre(side.pooled, modality_mean(words=side.pooled), "Drawn words")
    except MeasureError as error:
        reason = str(error)
        for targets in _all_targets(words):
            for harm in targets.harms:
                yield _drawn_row(targets, harm, undefined(reason), side)
        return
    for targets in _all_targets(words):
        tables = {h: _drawn_cosines(centred, targets, words.packs[h][0]) for h in targets.harms}
        usable = {harm: table for harm, table in tables.items() if table.shape[1]}
        found = word_image_columns(list(usable.values()), targets.is_x(), rng=rng, draws=DRAWS)
        shared = undefined("every harm word is also a word of the family")
        estimates = dict.fromkeys(tables, shared) | dict(zip(usable, found, strict=True))
        for harm, estimate in estimates.items():
            yield _drawn_row(targets, harm, estimate, side)


def _drawn_cosines(centred: Array, targets: _Targets, harm: Indices) -> Array:
    """Cosines with the harm words that are no word of the family."""
    table = centred[targets.rows()] @ centred[harm].T
    return np.asarray(table[:, (table < 1 - SAME).all(axis=0)], dtype=np.float64)


def _drawn_row(targets: _Targets, harm: str, estimate: Estimate, side: Embeddings) -> Measurement:
    return row(
        "word_image_cosine",
        "rendered",
        estimate,
        family=targets.family,
        identity=targets.identity,
        harm=harm,
        setting=few_words(side.pooled) or f"centre of {len(side.pooled):,} drawn words",
    )


def _words(material: Material, side: Embeddings) -> _Words:
    present = set(side.concepts)
    packs = {}
    for harm in material.of_role("harm"):
        if harm in present:
            other = opposite(material, harm, present)
            packs[harm] = side.of({harm}), side.of(set(other.packs)), other
    return _Words(material=material, side=side, packs=packs)


def _family_harms(material: Material, family: str, packs: Mapping[str, object]) -> tuple[str, ...]:
    """Harms that a family meets, in the order of the packs."""
    fixed = {harm for identity, harm in material.blocking if identity in material.families[family]}
    return tuple(
        harm for harm in packs if harm in fixed or material.severities[harm] >= MIN_SEVERITY
    )


def _all_targets(words: _Words) -> Iterator[_Targets]:
    """Yield every group with its rest; harms that the same terms may meet stand together."""
    for family, members in words.material.families.items():
        for identity in members:
            together: dict[tuple[tuple[int, ...], tuple[int, ...]], list[str]] = {}
            for harm in _group_harms(words, identity):
                x, y = _sides(words, members, identity, harm)
                together.setdefault((tuple(x.tolist()), tuple(y.tolist())), []).append(harm)
            for (own, rest), harms in together.items():
                if own:
                    yield _Targets(
                        family=family,
                        identity=identity,
                        x=np.array(own, dtype=np.intp),
                        y=np.array(rest, dtype=np.intp),
                        harms=tuple(harms),
                    )


def _group_harms(words: _Words, identity: str) -> Iterator[str]:
    """Yield the harms that a group meets, in the order of the packs."""
    material = words.material
    for harm in words.packs:
        asked = material.severities[harm] >= MIN_SEVERITY or (identity, harm) in material.blocking
        if asked and (identity, harm) not in material.skip:
            yield harm


def _sides(
    words: _Words, members: Sequence[str], identity: str, harm: str
) -> tuple[Indices, Indices]:
    """Terms of a group and of the rest of its family that may meet a harm, none on both sides."""
    own = words.rows(identity, harm)
    shared = {words.side.names[i] for i in own}
    others = [
        i
        for member in members
        if member != identity and (member, harm) not in words.material.skip
        for i in words.rows(member, harm)
        if words.side.names[i] not in shared
    ]
    return own, np.array(others, dtype=np.intp)


def _group_rows(
    words: _Words, targets: _Targets, rng: np.random.Generator
) -> Iterator[Measurement]:
    """WEAT, SC-WEAT, RIPA and RND of one group with its harms."""
    values = words.side.pooled
    kept: list[tuple[str, Indices, Attributes]] = []
    for harm in targets.harms:
        columns, is_a = _attributes(words, harm, targets.rows())
        if min(is_a.sum(), (~is_a).sum()) < 2:
            lacking = undefined(_lacking(words.packs[harm], is_a))
            for name in ("weat", "sc_weat", "ripa", "rnd"):
                yield _group_row(name, words, targets, harm, lacking)
            continue
        cosines = np.clip(values[targets.rows()] @ values[columns].T, -1, 1)
        kept.append((harm, columns, Attributes(cosines=cosines, is_a=is_a)))
    tables = [table for _, _, table in kept]
    found = (
        weat_columns(tables, targets.is_x(), rng=rng, alternative="two-sided", effort=BRISK)
        if len(targets.y)
        else (undefined(ALONE),) * len(tables)
    )
    for (harm, columns, table), weat in zip(kept, found, strict=True):
        yield _group_row("weat", words, targets, harm, weat)
        own = table.cosines[targets.is_x()]
        single = sc_weat_mean_of_cosines(own, table.is_a, rng=rng, effort=BRISK)
        yield _group_row("sc_weat", words, targets, harm, single)
        for name, estimate in _distances(values, targets, columns, table.is_a, rng).items():
            yield _group_row(name, words, targets, harm, estimate)


def _distances(
    values: Array,
    targets: _Targets,
    columns: Indices,
    is_a: Mask,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """RIPA and RND of the words of a harm and of its opposite."""
    if not len(targets.y):
        return dict.fromkeys(("ripa", "rnd"), undefined(ALONE))
    x, y, words = values[targets.x], values[targets.y], values[columns]
    try:
        along = ripa(words, *(side.mean(axis=0, keepdims=True) for side in (x, y)))
    except MeasureError as error:
        return dict.fromkeys(("ripa", "rnd"), undefined(str(error)))
    both = np.stack([along, rnd(words, x, y)], axis=1)
    return dict(zip(("ripa", "rnd"), beside_columns(both, is_a, rng=rng, draws=DRAWS), strict=True))


def _group_row(
    measure: str, words: _Words, targets: _Targets, harm: str, estimate: Estimate
) -> Measurement:
    return row(
        measure,
        "text",
        estimate,
        family=targets.family,
        identity=targets.identity,
        harm=harm,
        against=words.packs[harm][2].name,
    )


def _attributes(words: _Words, harm: str, rows: Indices) -> tuple[Indices, Mask]:
    """Terms of a harm and of its opposite that are no term of the family, and which are the harm's.

    A term that stands on both sides of a comparison is nearest to itself.
    """
    a, b, _ = words.packs[harm]
    values = words.side.pooled
    b = b[~_known(values[b], values[a])]
    columns = np.concatenate([a, b])
    free = ~_known(values[columns], values[rows])
    return columns[free], (np.arange(len(columns)) < len(a))[free]


def _known(some: Array, others: Array) -> Mask:
    """Mark embeddings that are also among others."""
    return np.asarray((some @ others.T > 1 - SAME).any(axis=1))


def _lacking(pack: tuple[Indices, Indices, Opposite], is_a: Mask) -> str:
    if not pack[2].packs:
        return NO_OPPOSITE
    return (
        "2 harm words and 2 words opposite to them are needed that no group has as a term; "
        f"got {int(is_a.sum())} and {int((~is_a).sum())}"
    )


def _family_rows(
    words: _Words,
    family: str,
    members: Sequence[str],
    harm: str,
    rng: np.random.Generator,
) -> Iterator[Measurement]:
    """MAC, ECT and RNSB of a family with one harm."""
    material = words.material
    groups = [
        rows
        for member in members
        if (member, harm) not in material.skip and len(rows := words.rows(member, harm)) > 1
    ]
    if not groups:
        return
    against = words.packs[harm][2].name
    for measure, estimate in _family_estimates(words, groups, harm, rng).items():
        held = "chance" if measure == "ect" else against
        yield row(measure, "text", estimate, family=family, harm=harm, against=held)


def _family_estimates(
    words: _Words, groups: Sequence[Indices], harm: str, rng: np.random.Generator
) -> dict[str, Estimate]:
    values, terms = words.side.pooled, np.concatenate(groups)
    codes = np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])
    columns, is_a = _attributes(words, harm, terms)
    ect = ect_of_cosines(values[terms] @ values[columns[is_a]].T, codes, rng=rng, draws=DEALS)
    if min(is_a.sum(), (~is_a).sum()) < 2:
        lacking = undefined(_lacking(words.packs[harm], is_a))
        return {"mac": lacking, "ect": ect, "rnsb": lacking}
    near, far = values[columns[is_a]], values[columns[~is_a]]
    called = negative_probabilities(values[terms], near, far)
    return {
        "mac": mac_estimate(values[terms], near, far, rng=rng, draws=DRAWS),
        "ect": ect,
        "rnsb": rnsb_of_probabilities(called, codes, rng=rng, draws=DEALS),
    }
