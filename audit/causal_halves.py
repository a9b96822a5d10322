"""The two halves of a finding's stimuli: units are chosen on one and silenced on the other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from audit.gather import Shown
from audit.photo_rows import PhotoRows, photo_rows
from audit.results import FindingRecord
from concept_sets.pictures import load_picture
from concept_sets.stimulus import Stimulus
from probes.arms import Embeddings
from probes.causal import Link

Indices = NDArray[np.intp]

MIN_CLUSTERS = 4
"""Clusters of the group that give two to each half."""


class Refused(Exception):
    """Why a finding cannot be tested, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSide:
    """Pictures of one arm, and what they show."""

    stimuli: tuple[Stimulus, ...]
    load: Callable[[Stimulus], Image]
    rows: PhotoRows
    """Each picture once for its concept and once for every group that it is in."""

    is_minor: NDArray[np.bool_]
    """Pictures that denote, show or may show somebody under 20, shape (n_stimuli,)."""


def picture_side(
    shown: Shown,
    is_minor: NDArray[np.bool_],
    families: Mapping[str, Sequence[str]],
    root: Path | None = None,
) -> PictureSide:
    """Make rendered words or photos ready to be encoded again.

    Parameters
    ----------
    shown : Shown
        The modality.
    is_minor : bool ndarray of shape (n_stimuli,)
    families : mapping of str to sequence of str
        Identity families, those of group columns included.
    root : Path, optional
        Folder that paths of photos start from.
    """
    known = {concept for members in families.values() for concept in members}
    return PictureSide(
        stimuli=shown.stimuli,
        load=partial(load_picture, root=root),
        rows=photo_rows(shown.stimuli, known),
        is_minor=is_minor,
    )


class Pictures(Sequence[Image]):
    """Pictures that are opened one by one, when they are asked for."""

    def __init__(self, stimuli: Sequence[Stimulus], load: Callable[[Stimulus], Image]) -> None:
        """Remember what to open, and how."""
        self._stimuli, self._load = tuple(stimuli), load

    @property
    def digests(self) -> tuple[str, ...]:
        """Hex SHA-256 of what each shows, as ``Stimulus.digest``."""
        return tuple(stimulus.digest for stimulus in self._stimuli)

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self._stimuli)

    @overload
    def __getitem__(self, index: int) -> Image: ...

    @overload
    def __getitem__(self, index: slice) -> "Pictures": ...

    def __getitem__(self, index: int | slice) -> "Image | Pictures":
        """Open a picture."""
        if isinstance(index, slice):
            return Pictures(self._stimuli[index], self._load)
        return self._load(self._stimuli[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Every other cluster of pictures and every other term."""

    pictures: Pictures
    link: Link
    """Its concept 0 is the finding's group."""

    @property
    def of_group(self) -> NDArray[np.bool_]:
        """Pictures of the group, shape (n_pictures,)."""
        own: NDArray[np.bool_] = self.link.concepts[self.link.clusters] == 0
        return own


def halves_of(
    finding: FindingRecord,
    side: PictureSide,
    texts: Embeddings,
    *,
    family: Sequence[str],
    controls: Sequence[str],
    adults_only: bool,
    max_pictures: int,
    rng: np.random.Generator,
) -> tuple[Half, Half]:
    """Split pictures by cluster and texts by term, every other one to each half.

    Parameters
    ----------
    finding : FindingRecord
    side : PictureSide
    texts : Embeddings
        Pooled text embeddings of all terms.
    family : sequence of str
        Concepts of the family, the finding's own among them.
    controls : sequence of str
        Control packs.
    adults_only : bool
        Leave out clusters with a picture of somebody under 20.
    max_pictures : int
        For the group, and for the rest of its family together, in each half; more are drawn from.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Half
        With the 1st, 3rd, ... and with the 2nd, 4th, ... clusters and terms.

    Raises
    ------
    Refused
        If a half would have fewer than two clusters of the group, no other concept of the
        family, or fewer than two terms of harm.
    """
    others = [concept for concept in family if concept != finding.identity]
    clusters = [_clusters(concept, side, adults_only) for concept in (finding.identity, *others)]
    _check(clusters, len(texts.of({finding.harm})))
    limits = [max_pictures, *(max(2, max_pictures // max(len(others), 1)) for _ in others)]
    return (
        _half(0, clusters, limits, side, _terms(0, finding.harm, controls, texts), rng),
        _half(1, clusters, limits, side, _terms(1, finding.harm, controls, texts), rng),
    )


def _clusters(concept: str, side: PictureSide, adults_only: bool) -> list[Indices]:
    """Pictures of each cluster of a concept, in order of appearance."""
    found: dict[str, list[int]] = {}
    for own, cluster, index in zip(
        side.rows.concepts, side.rows.clusters, side.rows.index.tolist(), strict=True
    ):
        if own == concept:
            found.setdefault(cluster, []).append(index)
    kept = [np.array(pictures, dtype=np.intp) for pictures in found.values()]
    return [p for p in kept if not (adults_only and side.is_minor[p].any())]


def _check(clusters: Sequence[Sequence[Indices]], n_terms: int) -> None:
    own, others = clusters[0], [rows for rows in clusters[1:] if len(rows) > 1]
    if len(own) < MIN_CLUSTERS or not others:
        raise Refused(
            f"each half needs two clusters of pictures of the group and one of another concept "
            f"of its family; {len(own)} clusters of the group and {len(others)} concepts with two "
            "or more were shown"
        )
    if n_terms < MIN_CLUSTERS:
        raise Refused(f"each half needs two terms of harm; the pack has {n_terms} in all")


def _terms(
    start: int, harm: str, controls: Sequence[str], texts: Embeddings
) -> tuple[NDArray[np.float64], tuple[NDArray[np.float64], ...]]:
    packs = [texts.pooled[texts.of({pack})[start::2]] for pack in controls]
    return texts.pooled[texts.of({harm})[start::2]], tuple(pack for pack in packs if len(pack))


def _half(
    start: int,
    clusters: Sequence[Sequence[Indices]],
    limits: Sequence[int],
    side: PictureSide,
    terms: tuple[NDArray[np.float64], tuple[NDArray[np.float64], ...]],
    rng: np.random.Generator,
) -> Half:
    drawn = [
        (code, pictures)
        for code, (found, limit) in enumerate(zip(clusters, limits, strict=True))
        for pictures in _some(found[start::2], limit, rng)
    ]
    index = np.concatenate([pictures for _, pictures in drawn])
    link = Link(
        clusters=np.repeat(np.arange(len(drawn)), [len(pictures) for _, pictures in drawn]),
        concepts=np.array([code for code, _ in drawn], dtype=np.intp),
        harm=terms[0],
        controls=terms[1],
    )
    return Half(pictures=Pictures([side.stimuli[i] for i in index], side.load), link=link)


def _some(clusters: Sequence[Indices], limit: int, rng: np.random.Generator) -> Iterator[Indices]:
    """Draw clusters, then pictures of each, up to a limit of pictures; order is kept."""
    kept = np.arange(len(clusters))
    if len(clusters) > limit:
        kept = np.sort(rng.choice(len(clusters), size=limit, replace=False))
    each = max(1, limit // max(len(kept), 1))
    for i in kept:
        pictures = clusters[i]
        if len(pictures) > each:
            pictures = np.sort(rng.choice(pictures, size=each, replace=False))
        yield pictures
