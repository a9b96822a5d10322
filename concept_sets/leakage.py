"""Terms that say the same thing on both sides, or the same thing to the eye only."""

import unicodedata
from collections.abc import Iterable, Iterator

from concept_sets.concept import Concept
from concept_sets.lemmas import content_stems

LOOKALIKES = str.maketrans(
    "авеёіјкмнорсѕтухһԁԛԝαβγεηικνορτυχωıɡℓ",
    "abeeijkmhopcstyxhdqwabyenikvoptuxwigl",
)
"""Cyrillic, Greek and other letters to the Latin ones that they look like."""


def shared_stems(identity: Concept, harm: Concept) -> tuple[str, ...]:
    """Return the word stems that occur on both sides; their contrast would find itself.

    Examples
    --------
    >>> from concept_sets.concept import PartOfSpeech, Role, Status, Term, Visibility
    >>> def pack(name, role, *surfaces):
    ...     terms = tuple(Term(surface=s, pos=PartOfSpeech.NOUN, status=Status.CURRENT,
    ...         visible=Visibility.YES, sources=("usage",)) for s in surfaces)
    ...     return Concept(id=name, name=name, family=name, role=role, terms=terms)
    >>> shared_stems(pack("a", Role.IDENTITY, "poor people"), pack("b", Role.HARM, "the poor"))
    ('poor',)
    """
    sides = (
        {stem for term in concept.terms for stem in content_stems(term.surface)}
        for concept in (identity, harm)
    )
    return tuple(sorted(set.intersection(*sides)))


def skeleton(text: str) -> str:
    """Return what a text looks like in small Latin letters.

    Examples
    --------
    >>> skeleton("Аrab") == skeleton("Arab"), "Аrab" == "Arab"
    (True, False)
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return letters.translate(LOOKALIKES)


def scripts(text: str) -> frozenset[str]:
    """Return the scripts of a text's letters, such as LATIN and CYRILLIC.

    Examples
    --------
    >>> sorted(scripts("Аrab"))
    ['CYRILLIC', 'LATIN']
    """
    return frozenset(
        unicodedata.name(sign, "UNKNOWN").split()[0] for sign in text if sign.isalpha()
    )


def lookalikes(surfaces: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs that look alike and use different scripts or compatibility signs."""
    first: dict[str, str] = {}
    for surface in surfaces:
        other = first.setdefault(skeleton(surface), surface)
        if other != surface and _disguised(surface) != _disguised(other):
            yield other, surface


def _disguised(surface: str) -> bool:
    return scripts(surface) != {"LATIN"} or unicodedata.normalize("NFKC", surface) != surface
