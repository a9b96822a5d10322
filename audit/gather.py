"""Stimuli go through the encoder and come back as embeddings and units of their clusters."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.plan import AuditPlan
from audit.results import StimuliRecord, canonical_json
from audit.selection import Selection
from concept_sets.catalog import Library
from concept_sets.concept import Concept
from concept_sets.photos import PhotoSet
from concept_sets.pictures import load_picture
from concept_sets.prompts import prompts_for
from concept_sets.rendered import DEFAULT_RENDERINGS, rendered_words
from concept_sets.stimulus import Modality, Rendering, Stimulus
from probes.activations import BadPicture, Extraction
from probes.arms import Embeddings, pool_clusters
from probes.cache import ActivationCache
from probes.encoder import Encoder, Reading
from probes.extract import extract_pictures, extract_texts
from probes.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One modality: what was shown, and what came back."""

    stimuli: tuple[Stimulus, ...]
    """The stimuli that have rows, in order."""

    extraction: Extraction

    def embeddings(self, *, keep_templates: bool) -> Embeddings:
        """Pool the embeddings by (concept, cluster)."""
        return pool_clusters(
            self.extraction.embeddings.values,
            [s.concept for s in self.stimuli],
            [s.cluster for s in self.stimuli],
            [s.template for s in self.stimuli],
            keep_templates=keep_templates,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What every extraction needs."""

    encoder: Encoder
    cache: ActivationCache | None
    progress: Progress
    readings: tuple[Reading, ...]


def show_texts(
    concepts: Sequence[Concept], library: Library, plan: AuditPlan, tools: Instruments
) -> Shown:
    """Encode every term of every concept in every template slot."""
    slots = plan.slots or None
    stimuli = tuple(s for c in concepts for s in prompts_for(c, library.templates, slots))
    extraction = extract_texts(tools.encoder, stimuli, cache=tools.cache, progress=tools.progress)
    return Shown(stimuli=stimuli, extraction=extraction)


def show_rendered(concepts: Sequence[Concept], n_renderings: int, tools: Instruments) -> Shown:
    """Draw every term as a picture, several times, and encode it."""
    renderings = choose_renderings(n_renderings)
    stimuli = tuple(s for c in concepts for s in rendered_words(c, renderings=renderings))
    return _show_pictures(stimuli, tools, 0.0)


def show_photos(photos: PhotoSet, max_unreadable: float, tools: Instruments) -> Shown:
    """Encode the photos of a manifest, tree or archive.

    Pictures that were listed and cannot be used count as unreadable, and no name holds a path of
    this machine.

    Raises
    ------
    ExtractionError
        If more than ``max_unreadable`` of them cannot be read.
    """
    bad = [BadPicture(content=one.path, reason=one.reason) for one in photos.bad]
    return _show_pictures(named_photos(photos), tools, max_unreadable, bad, photos.root)


def named_photos(photos: PhotoSet) -> tuple[Stimulus, ...]:
    """Return the photos by what results call them, relative to their root."""
    return tuple(replace(s, content=photos.name(s.content)) for s in photos.stimuli)


def _show_pictures(
    stimuli: Sequence[Stimulus],
    tools: Instruments,
    max_unreadable: float,
    bad: Sequence[BadPicture] = (),
    root: Path | None = None,
) -> Shown:
    extraction = extract_pictures(
        tools.encoder,
        stimuli,
        load_picture=partial(load_picture, root=root),
        readings=tools.readings,
        cache=tools.cache,
        progress=tools.progress,
        max_bad_fraction=max_unreadable,
        bad=bad,
    )
    return Shown(stimuli=tuple(stimuli[i] for i in extraction.kept), extraction=extraction)


def choose_renderings(n: int) -> Mapping[str, Rendering]:
    """Take renderings so that fonts come before sizes and positions."""
    by_font: dict[str, list[str]] = {}
    for name, rendering in DEFAULT_RENDERINGS.items():
        by_font.setdefault(rendering.font, []).append(name)
    depth = max(len(names) for names in by_font.values())
    order = [names[i] for i in range(depth) for names in by_font.values() if i < len(names)]
    return {name: DEFAULT_RENDERINGS[name] for name in order[:n]}


def tested_concepts(selection: Selection) -> tuple[Concept, ...]:
    """Return every concept that is shown, identities first."""
    return (*selection.identities, *selection.harms, *selection.controls)


def minor_rows(rows: Embeddings, minors: frozenset[tuple[str, str]]) -> NDArray[np.bool_]:
    """Mark the clusters that denote somebody under 20."""
    return np.array(
        [pair in minors for pair in zip(rows.concepts, rows.names, strict=True)], dtype=bool
    )


def describe(shown: Shown, *, source: str, licence: str) -> StimuliRecord:
    """Return what the document says of one modality."""
    stimuli = shown.stimuli
    modality = stimuli[0].modality if stimuli else Modality.PHOTO
    digest = hashlib.sha256(canonical_json(sorted(s.digest for s in stimuli))).hexdigest()
    return StimuliRecord(
        modality=modality.value,
        n_stimuli=len(stimuli),
        n_distinct=len({s.digest for s in stimuli}),
        n_clusters=len({(s.concept, s.cluster) for s in stimuli}),
        source=source,
        licence=licence,
        digest=f"sha256:{digest}",
        unreadable=tuple((bad.content, bad.reason) for bad in shown.extraction.bad),
    )
