"""Inputs of ``score`` lined up: images with groups on one side, terms of packs on the other."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.errors import ScoreInputError
from audit.score_arrays import read_array, unit_rows
from audit.score_files import ScoreFiles
from audit.score_tables import Groups, Label, file_sha, read_groups, read_labels, read_scores
from audit.score_units import GivenUnits, read_units
from concept_sets.ages import is_age_column, minor_age_group, minor_group
from concept_sets.entry import near
from concept_sets.minors import denotes_minor, sexualises
from probes.arms import normalise

Array = NDArray[np.float64]

CLIP_SCALE = 100.0
"""Largest factor on cosines that CLIP is trained with, and where its training ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Labels pooled over templates: what the images are compared with."""

    names: tuple[str, ...]
    families: tuple[str, ...]
    roles: tuple[str, ...]
    severities: Mapping[str, int]
    """Harm family to its tier."""

    members: tuple[tuple[int, ...], ...]
    """Rows of the label table behind each term."""

    labels: tuple[Label, ...]

    @property
    def slots(self) -> tuple[str, ...]:
        """Templates that every term has, in order; fewer than two mean no template stability."""
        sets = [{self.labels[i].template for i in member} for member in self.members]
        common = set.intersection(*sets) - {""} if sets else set()
        order = dict.fromkeys(label.template for label in self.labels)
        return tuple(slot for slot in order if slot in common)

    def of(self, *roles: str) -> NDArray[np.intp]:
        """Return positions of the terms with one of the roles."""
        return np.flatnonzero([role in roles for role in self.roles])

    @property
    def sexual(self) -> frozenset[str]:
        """Harm families that sexualise, by their name or by the lemmas of their labels."""
        return frozenset(
            label.family
            for label in self.labels
            if label.role == "harm"
            and any(map(sexualises, (label.label, label.concept, label.family.replace("_", " "))))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreInputs:
    """Everything that ``score`` measures."""

    files: dict[str, str]
    """File name to digest."""

    groups: Groups | None
    terms: Terms | None
    cosines: Array | None
    """Images x labels as given by ``--scores``, in the order of ``groups``."""

    images: Array | None
    texts: Array | None
    is_minor: NDArray[np.bool_]
    """Images that denote, or may denote, somebody under 20; shape (n_images,)."""

    units: tuple[GivenUnits, ...]
    """Unit responses in the order of ``groups``; () where none were given."""

    scale: float
    """What the model multiplies cosines by; CLIP's 100 where the caller does not say."""

    n_unknown_age: int
    """Images left out of sexualisation because no column tells that they show adults."""

    notes: tuple[str, ...]


def read_inputs(files: ScoreFiles, *, unknown_ages_are_adults: bool = False) -> ScoreInputs:
    """Read, check and line up all inputs.

    Parameters
    ----------
    files : ScoreFiles
        Paths.
    unknown_ages_are_adults : bool
        What the caller vouches for: that nobody of unknown age is under 20.

    Returns
    -------
    ScoreInputs
        Lined up row by row.

    Raises
    ------
    ScoreInputError
        If a file cannot be used or two of them do not fit together.
    """
    files.check()
    labels = read_labels(Path(files.labels)) if files.labels else ()
    groups = read_groups(Path(files.groups)) if files.groups else None
    texts = _array(files.texts, len(labels), "--texts", "--labels", files.labels)
    images = _array(files.images, len(groups.ids) if groups else 0, "--images", "--groups",
                    files.groups)  # fmt: skip
    notes: list[str] = []
    listed = groups.ids if groups else ()
    cosines, groups = _cosines(files, labels, groups, images, texts, notes)
    n_images = len(groups.ids) if groups else 0
    size = None if texts is None else texts.shape[1]
    units = read_units(files, listed, groups.ids if groups else (), size)
    known = _minors(groups, n_images)
    is_minor = np.array([k is True or (k is None and not unknown_ages_are_adults) for k in known])
    terms = pool_terms(labels) if labels else None
    if groups is not None and not groups.clustered:
        notes.append(
            "No cluster column was given, so every image counts as independent; photos of one "
            "person would make the intervals too narrow."
        )
    return ScoreInputs(
        files={f"--{k} {Path(v.partition('::')[0]).name}": file_sha(v)
               for k, v in files.paths()},
        groups=groups,
        terms=terms,
        cosines=cosines,
        images=images,
        texts=texts,
        is_minor=is_minor.astype(bool),
        units=units,
        scale=files.scale if files.scale != 1 else CLIP_SCALE,
        n_unknown_age=0 if unknown_ages_are_adults else sum(k is None for k in known),
        notes=tuple(notes),
    )  # fmt: skip


def _array(path: str, n_rows: int, what: str, table: str, table_path: str) -> Array | None:
    if not path:
        return None
    array = read_array(path, what)
    if len(array) != n_rows:
        raise ScoreInputError(
            f"{what} must have one row per row of {table}, in its order; {path} has {len(array)} "
            f"rows and {table_path} has {n_rows}. Bring them to the same rows."
        )
    return unit_rows(array, path, what)


def _cosines(
    files: ScoreFiles,
    labels: tuple[Label, ...],
    groups: Groups | None,
    images: Array | None,
    texts: Array | None,
    notes: list[str],
) -> tuple[Array | None, Groups | None]:
    if files.scores and groups is not None:
        scores = read_scores(Path(files.scores), labels, files.scale)
        if scores.ignored:
            notes.append(
                f"{len(scores.ignored)} columns of the scores are no label and were not used: "
                f"{', '.join(scores.ignored[:8])}{' ...' if len(scores.ignored) > 8 else ''}."
            )
        return scores.values, _matched(scores.ids, groups, files.groups)
    if images is None or texts is None:
        return None, groups
    if images.shape[1] != texts.shape[1]:
        raise ScoreInputError(
            f"--images and --texts must come from one model and have equal width; got "
            f"{images.shape[1]} and {texts.shape[1]}. Encode both with the same model."
        )
    return None, groups


def _matched(ids: tuple[str, ...], groups: Groups, path: str) -> Groups:
    """Bring the groups into the order of the scores."""
    position = {value: index for index, value in enumerate(groups.ids)}
    missing = [value for value in ids if value not in position]
    if missing:
        raise ScoreInputError(
            f"Every image of --scores needs a row in --groups; {path} lacks {len(missing)}, the "
            f"first is {missing[0]!r}.{near(missing[0], groups.ids[:2000])} Add the rows."
        )
    order = [position[value] for value in ids]
    return Groups(
        ids=ids,
        columns={k: tuple(v[i] for i in order) for k, v in groups.columns.items()},
        clusters=tuple(groups.clusters[i] for i in order),
        clustered=groups.clustered,
        pairs=tuple(groups.pairs[i] for i in order) if groups.pairs else (),
    )


def _minors(groups: Groups | None, n_images: int) -> list[bool | None]:
    """Tell for every image whether it denotes a minor; None where no column says."""
    if groups is None:
        return []
    verdicts: list[bool | None] = [None] * n_images
    for column, values in groups.columns.items():
        told = {value: minor_group(column, value) for value in set(values)}
        for row, value in enumerate(values):
            verdict = told[value]
            if verdict is True or (verdict is False and is_age_column(column)):
                verdicts[row] = True if verdicts[row] is True else verdict
    return verdicts


def pool_terms(labels: tuple[Label, ...]) -> Terms:
    """Group labels that phrase one concept, so that a term counts once.

    Identity labels name their group in ``concept``, so there the first label of a group in each
    template makes one term, the second another: a phrase in six templates is one term, not six.
    """
    keys = _term_keys(labels)
    order = list(dict.fromkeys(keys))
    members: dict[tuple[str, str, str], list[int]] = {}
    for index, key in enumerate(keys):
        members.setdefault(key, []).append(index)
    first = {key: labels[rows[0]] for key, rows in members.items()}
    return Terms(
        names=tuple(
            first[key].label if first[key].role == "identity" else first[key].concept
            for key in order
        ),
        families=tuple(family for _, family, _ in order),
        roles=tuple(role for role, _, _ in order),
        severities={la.family: la.severity for la in labels if la.severity is not None},
        members=tuple(tuple(members[key]) for key in order),
        labels=labels,
    )


def _term_keys(labels: tuple[Label, ...]) -> list[tuple[str, str, str]]:
    seen: Counter[tuple[str, str, str]] = Counter()
    keys = []
    for label in labels:
        term = label.concept
        if label.role == "identity":
            slot = (label.family, label.concept, label.template)
            seen[slot] += 1
            term = f"{label.concept} #{seen[slot]}"
        keys.append((label.role, label.family, term))
    return keys


def sexual_terms(terms: Terms) -> NDArray[np.bool_]:
    """Mark the terms that sexualise, whatever their role; shape (n_terms,)."""
    return np.array(
        [
            (role == "harm" and family in terms.sexual)
            or any(sexualises(terms.labels[i].label) for i in member)
            for role, family, member in zip(terms.roles, terms.families, terms.members, strict=True)
        ],
        dtype=bool,
    )


def minor_terms(terms: Terms) -> NDArray[np.bool_]:
    """Mark the terms that denote, or may denote, somebody under 20; shape (n_terms,)."""
    return np.array(
        [any(_denotes_minor(terms.labels[i]) for i in member) for member in terms.members],
        dtype=bool,
    )


def _denotes_minor(label: Label) -> bool:
    words = (label.label, label.concept, f"{label.family} {label.concept}".replace("_", " "))
    if any(map(denotes_minor, words)):
        return True
    if label.role != "identity" or not is_age_column(label.family):
        return False
    told = {minor_age_group(label.concept), minor_age_group(label.label)}
    return True in told or False not in told


def term_cosines(inputs: ScoreInputs, terms: Terms, template: str | None = None) -> Array | None:
    """Return cosines of every image with every term, NaN where a minor meets a sexual one.

    Parameters
    ----------
    inputs : ScoreInputs
        With scores, or with image and text embeddings.
    terms : Terms
        Pooled labels.
    template : str, optional
        One template alone; all of them, averaged within the term, by default.

    Returns
    -------
    ndarray of shape (n_images, n_terms), or None
        None where one side is missing.
    """
    if inputs.cosines is not None:
        values = pool_columns(inputs.cosines, terms, template)
    elif inputs.images is not None and inputs.texts is not None:
        values = inputs.images @ pool_texts(inputs.texts, terms, template).T
    else:
        return None
    values[np.ix_(np.flatnonzero(inputs.is_minor), np.flatnonzero(sexual_terms(terms)))] = np.nan
    return values


def pool_columns(values: Array, terms: Terms, template: str | None = None) -> Array:
    """Average label columns within terms; one template's columns where it is named."""
    columns = []
    for member in terms.members:
        chosen = [i for i in member if template is None or terms.labels[i].template == template]
        columns.append(values[:, chosen].mean(axis=1))
    return np.stack(columns, axis=1)


def pool_texts(texts: Array, terms: Terms, template: str | None = None) -> Array:
    """Average label embeddings within terms and renormalise."""
    return normalise(pool_columns(texts.T, terms, template).T)


def group_counts(groups: Groups) -> tuple[tuple[str, str, int], ...]:
    """Return column, value and number of images, of every known group."""
    return tuple(
        (column, value, n)
        for column, values in groups.columns.items()
        for value, n in sorted(Counter(values).items())
        if value
    )
