"""Text prompts: the terms of a concept in the sentences of the templates."""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from concept_sets.concept import Concept, PartOfSpeech, Term
from concept_sets.entry import near
from concept_sets.errors import ConceptSetError
from concept_sets.grammar import article, capitalised, plural
from concept_sets.stimulus import Modality, Stimulus
from concept_sets.templates import Templates

COUNTED = {PartOfSpeech.NOUN, PartOfSpeech.ADJECTIVE}
"""Parts of speech that take an article."""


def expand(term: Term, template: str) -> str:
    """Put a term into one template.

    Parameters
    ----------
    term : Term
        Its ``article`` and ``plural``, where given, win over the computed ones.
    template : str
        A text with the fields ``{t}``, ``{a}`` and ``{ts}``.

    Returns
    -------
    str
        Blanks trimmed; the first letter is a capital where the text is a sentence.

    Examples
    --------
    >>> from concept_sets.concept import Status, Visibility
    >>> nurse = Term(surface="honest nurse", pos=PartOfSpeech.NOUN, status=Status.CURRENT,
    ...     visible=Visibility.YES, sources=("usage",))
    >>> expand(nurse, "a photo of {a} {t}"), expand(nurse, "{ts} work here.")
    ('a photo of an honest nurse', 'Honest nurses work here.')
    """
    fields = {"a": _article(term), "ts": _plural(term), "t": term.surface}
    filled = re.sub(r"\{(a|ts|t)\}", lambda field: fields[field.group(1)], template)
    text = " ".join(filled.split())
    return capitalised(text) if template.endswith((".", "!", "?")) else text


def prompts_for(
    concept: Concept,
    templates: Templates,
    slots: Sequence[str] | None = None,
    *,
    purpose: str | None = None,
) -> tuple[Stimulus, ...]:
    """Make one prompt per term and slot.

    Parameters
    ----------
    concept : Concept
        Each term is one cluster.
    templates : Templates
        Where the sentences come from.
    slots : sequence of str, optional
        Which slots, in which order; all by default.
    purpose : str, optional
        Name of a further set of slots in ``templates.purposes``; by default the slots of the
        term's part of speech.

    Returns
    -------
    tuple of Stimulus
        In the order of the terms, then of the slots.

    Raises
    ------
    ConceptSetError
        If a slot or the purpose is unknown.
    """
    known = templates.slots if purpose is None else _purpose(templates, purpose)
    for slot in slots or ():
        if slot not in known:
            raise ConceptSetError(
                f"No template slot named {slot!r}; known: {', '.join(known)}.{near(slot, known)}"
            )
    chosen = tuple(known) if slots is None else tuple(slots)
    return tuple(
        _prompt(concept, term, slot, _texts(templates, term, purpose)[slot])
        for term in concept.terms
        for slot in chosen
    )


def _purpose(templates: Templates, purpose: str) -> tuple[str, ...]:
    if purpose not in templates.purposes:
        known = ", ".join(templates.purposes) or "none"
        raise ConceptSetError(
            f"No template purpose named {purpose!r}; known: {known}."
            f"{near(purpose, templates.purposes)}"
        )
    return tuple(templates.purposes[purpose])


def _texts(templates: Templates, term: Term, purpose: str | None) -> Mapping[str, str]:
    return templates.texts[term.pos] if purpose is None else templates.purposes[purpose]


def _prompt(concept: Concept, term: Term, slot: str, template: str) -> Stimulus:
    prompt = expand(term, template)
    return Stimulus(
        modality=Modality.TEXT,
        content=prompt,
        concept=concept.ref,
        cluster=term.surface,
        template=slot,
        digest=sha256(prompt.encode()).hexdigest(),
    )


def _article(term: Term) -> str:
    if term.article is not None:
        return term.article
    return article(term.surface) if term.pos in COUNTED else ""


def _plural(term: Term) -> str:
    if term.plural is not None:
        return term.plural
    return plural(term.surface) if term.pos is PartOfSpeech.NOUN else term.surface
