"""Checks that look at one concept set alone."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from unicodedata import normalize

from concept_sets.concept import ConceptSet, Role
from concept_sets.leakage import scripts
from concept_sets.minors import concept_denotes_minor, concept_sexualises
from concept_sets.problem import Problem, error, surfaces, warning

ENOUGH_TERMS = 8
"""Fewer terms allow no two-sided exact p below 0.001; the contrast is exploratory."""

FEWEST_TERMS = 5


def _repeated_terms(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        counts = Counter(term.surface for term in concept.terms)
        for surface, count in counts.items():
            if count > 1:
                yield error(
                    "duplicate", concept.ref, f"{surface!r} is listed {count} times; keep one."
                )
        folded = Counter(surface.casefold() for surface in counts)
        for text, count in folded.items():
            if count > 1:
                yield warning(
                    "duplicate", concept.ref, f"{text!r} is listed with different capitals."
                )


def _shared_terms(held: ConceptSet) -> Iterator[Problem]:
    for one, other in combinations(held.concepts, 2):
        for surface in surfaces(one) & surfaces(other):
            yield error(
                "duplicate",
                held.id,
                f"{surface!r} stands in both {one.id!r} and {other.id!r}; "
                "concepts of a family are compared with each other, so keep it in one.",
            )


def _foreign_signs(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        for term in concept.terms:
            found = scripts(term.surface)
            if normalize("NFKC", term.surface) != term.surface:
                yield error(
                    "homoglyph",
                    concept.ref,
                    f"{term.surface!r} has letters of unusual form; write it in plain letters.",
                )
            elif len(found) > 1 or (held.language == "en" and found - {"LATIN"}):
                yield error(
                    "homoglyph",
                    concept.ref,
                    f"{term.surface!r} has letters of {', '.join(sorted(found))}; "
                    "write it in one script, that of the set's language.",
                )


def _small_concepts(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        count = len({term.surface for term in concept.terms})
        if count < FEWEST_TERMS:
            yield error(
                "too_small",
                concept.ref,
                f"needs {ENOUGH_TERMS} terms, at least {FEWEST_TERMS}; has {count}: insufficient.",
            )
        elif count < ENOUGH_TERMS:
            yield warning(
                "too_small",
                concept.ref,
                f"needs {ENOUGH_TERMS} terms; has {count}: exploratory only.",
            )


def _small_family(held: ConceptSet) -> Iterator[Problem]:
    if held.role is not Role.IDENTITY:
        return
    marked = [concept for concept in held.concepts if not concept.unmarked]
    if len(marked) < 2:
        yield error(
            "too_small",
            held.id,
            f"a family needs at least 2 concepts to compare; has {len(marked)}.",
        )
    if len(marked) == len(held.concepts):
        yield warning("no_unmarked", held.id, "has no concept with `unmarked: true` (a person).")


def _minors(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        young = [term.surface for term in concept.terms if concept_denotes_minor(term)]
        unmarked = [
            term.surface for term in concept.terms if concept_denotes_minor(term) and not term.minor
        ]
        if young and concept_sexualises(concept):
            yield error(
                "minors",
                concept.ref,
                f"sexualises, so it must not hold {young[0]!r}, which denotes a minor; remove it.",
            )
        if unmarked and held.role is Role.IDENTITY:
            yield warning("minors", concept.ref, f"{unmarked[0]!r} needs `minor: true`.")
        if held.role is Role.IDENTITY and 0 < len(young) < len(concept.terms):
            yield warning(
                "minors",
                concept.ref,
                f"mixes minors ({young[0]!r}) with others, so none of it meets sexualisation; "
                "give minors a concept of their own.",
            )


def _unmarked_sexualisation(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        sexual = [term.surface for term in concept.terms if concept_sexualises(term)]
        if sexual and not concept.sexual and held.role is not Role.IDENTITY:
            yield warning(
                "sexual",
                concept.ref,
                f"holds {sexual[0]!r}, so it never meets minors; write `sexual: true` or drop it.",
            )


def _other_language(held: ConceptSet) -> Iterator[Problem]:
    if held.language.split("-")[0] != "en":
        yield warning(
            "language",
            held.id,
            f"is in {held.language!r}; templates, articles and word rules are English, "
            "so this set counts as not tested.",
        )


SET_CHECKS: tuple[Callable[[ConceptSet], Iterator[Problem]], ...] = (
    _repeated_terms,
    _shared_terms,
    _foreign_signs,
    _small_concepts,
    _small_family,
    _minors,
    _unmarked_sexualisation,
    _other_language,
)
