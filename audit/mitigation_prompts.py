"""Prompts that name every group of a family in turn, so that an average favours none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from audit.gather import Instruments
from audit.mitigation_world import World
from audit.selection import Selection
from concept_sets.concept import Concept, PartOfSpeech, Status, Term
from concept_sets.grammar import plural
from concept_sets.minors import concept_denotes_minor
from concept_sets.prompts import expand
from concept_sets.stimulus import Stimulus
from probes.arms import normalise
from probes.extract import extract_texts

CARRIES = {PartOfSpeech.NOUN, PartOfSpeech.MASS, PartOfSpeech.ADJECTIVE}
"""Parts of speech before which the word for a group can stand."""

STANDS = (PartOfSpeech.ADJECTIVE, PartOfSpeech.NOUN)
"""Parts of speech of words for groups that can stand before another, the better first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """Prompts with a group in them, and the prompt that each belongs to."""

    rows: NDArray[np.intp]
    """Position of the prompt among those of the audit, shape (n_composed,)."""

    stimuli: tuple[Stimulus, ...]


def group_words(selection: Selection, families: Sequence[str]) -> tuple[str, ...]:
    """Return one current word for every group of some families.

    Parameters
    ----------
    selection : Selection
    families : sequence of str

    Returns
    -------
    tuple of str
        The first adjective of each concept, else its first noun; none for concepts that have
        neither, and none that denotes somebody under 20: a product's labels may sexualise.
    """
    words = [
        _word(concept, selection) for concept in selection.identities if concept.family in families
    ]
    return tuple(word for word in words if word)


def _word(concept: Concept, selection: Selection) -> str:
    if concept_denotes_minor(concept):
        return ""
    usable = [
        term
        for pos in STANDS
        for term in concept.terms
        if term.pos is pos
        and term.status is Status.CURRENT
        and (concept.ref, term.surface) not in selection.minors
    ]
    return usable[0].surface if usable else ""


def composed_prompts(world: World, words: Sequence[str]) -> Composed:
    """Put each word before the terms of all harm and control packs, in their own templates.

    Parameters
    ----------
    world : World
    words : sequence of str
        From `group_words`.

    Returns
    -------
    Composed
        The words of one prompt stand together, in order; prompts of places and phrases are left.
    """
    selection, templates = world.selection, world.library.templates
    terms = {
        (concept.ref, term.surface): term
        for concept in (*selection.harms, *selection.controls)
        for term in concept.terms
        if term.pos in CARRIES
    }
    rows: list[int] = []
    stimuli: list[Stimulus] = []
    for row, stimulus in enumerate(world.responses.texts.stimuli):
        term = terms.get((stimulus.concept, stimulus.cluster))
        if term is None:
            continue
        template = templates.texts[term.pos][stimulus.template]
        for word in words:
            text = expand(with_group(term, word), template)
            digest = sha256(text.encode()).hexdigest()
            stimuli.append(replace(stimulus, content=text, digest=digest))
            rows.append(row)
    return Composed(rows=np.array(rows, dtype=np.intp), stimuli=tuple(stimuli))


def with_group(term: Term, word: str) -> Term:
    """Return a term with the word for a group before it.

    Examples
    --------
    >>> from concept_sets.concept import Visibility
    >>> clerk = Term(surface="honest clerk", pos=PartOfSpeech.NOUN, status=Status.CURRENT,
    ...     visible=Visibility.YES, sources=("usage",), article="an")
    >>> expand(with_group(clerk, "Brinam"), "a photo of {a} {t}")
    'a photo of a Brinam honest clerk'
    """
    if term.pos is PartOfSpeech.NOUN:
        several = f"{word} {term.plural or plural(term.surface)}"
        return replace(term, surface=f"{word} {term.surface}", article=None, plural=several)
    return replace(term, surface=f"{word} {term.surface}", article=None, plural=None)


def balanced(
    composed: Composed, n_words: int, tools: Instruments
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Encode composed prompts and average over the groups.

    Returns
    -------
    rows : int ndarray of shape (n_prompts,)
        Prompts of the audit that have an average.
    averages : ndarray of shape (n_prompts, embedding_size)
    """
    done = extract_texts(
        tools.encoder, composed.stimuli, cache=tools.cache, progress=tools.progress
    )
    each = normalise(done.embeddings.values)
    averages = each.reshape(-1, n_words, each.shape[1]).mean(axis=1)
    return composed.rows[::n_words], averages
