"""What is wrong or doubtful in concept sets, found before a model is asked."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from pathlib import Path

from concept_sets.catalog import TEMPLATES_NAME, Library, concept_files
from concept_sets.concept import Concept, ConceptSet, Role
from concept_sets.errors import ConceptSetError
from concept_sets.leakage import lookalikes, scripts, shared_stems
from concept_sets.load import read_concept_set
from concept_sets.minors import concept_denotes_minor, concept_sexualises
from concept_sets.strict_yaml import near
from concept_sets.templates import read_templates

ENOUGH_TERMS = 8
"""Fewer terms allow no two-sided exact p below 0.001; the contrast is exploratory."""

FEWEST_TERMS = 5
ENOUGH_CONTROLS = 40
FEWEST_CONTROLS = 24
"""With fewer control packs no verdict is given."""


class ProblemSeverity(StrEnum):
    """Whether a library with this problem can be used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that a person should look at."""

    severity: ProblemSeverity
    code: str
    """Kind of problem, such as ``duplicate`` or ``leakage``."""

    where: str
    """File, concept set or concept."""

    sentence: str
    """What must be, what is, what to do."""


def check_library(library: Library) -> tuple[Problem, ...]:
    """Find what is wrong or doubtful in a library.

    Returns
    -------
    tuple of Problem
        Errors first; empty where nothing was found.
    """
    found = [problem for held in library.sets for problem in check_set(held)]
    found += [problem for check in LIBRARY_CHECKS for problem in check(library)]
    return _sorted(found)


def check_file(path: Path) -> tuple[Problem, ...]:
    """Find what is wrong in a concept-set file, or in all files of a folder.

    Files that cannot be read are problems too. Checks that need the whole library, such as the
    number of control packs, are left to `check_library`.

    Raises
    ------
    ConceptSetError
        If the path is missing or holds no concept set.
    """
    found: list[Problem] = []
    for file in concept_files(path):
        try:
            if file.name == TEMPLATES_NAME:
                read_templates(file)
            else:
                found += check_set(read_concept_set(file))
        except ConceptSetError as error:
            found.append(_error("unreadable", str(file), str(error)))
    return _sorted(found)


def check_set(concept_set: ConceptSet) -> tuple[Problem, ...]:
    """Find what is wrong in one concept set, without looking at others."""
    return tuple(problem for check in SET_CHECKS for problem in check(concept_set))


def _repeated_terms(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        surfaces = Counter(term.surface for term in concept.terms)
        for surface, count in surfaces.items():
            if count > 1:
                yield _error(
                    "duplicate", concept.ref, f"{surface!r} is listed {count} times; keep one."
                )
        folded = Counter(surface.casefold() for surface in surfaces)
        for text, count in folded.items():
            if count > 1:
                yield _warning(
                    "duplicate", concept.ref, f"{text!r} is listed with different capitals."
                )


def _shared_terms(held: ConceptSet) -> Iterator[Problem]:
    for one, other in combinations(held.concepts, 2):
        for surface in _surfaces(one) & _surfaces(other):
            yield _error(
                "duplicate",
                held.id,
                f"{surface!r} stands in both {one.id!r} and {other.id!r}; "
                "concepts of a family are compared with each other, so keep it in one.",
            )


def _foreign_signs(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        for term in concept.terms:
            found = scripts(term.surface)
            if len(found) > 1 or (held.language == "en" and found - {"LATIN"}):
                yield _error(
                    "homoglyph",
                    concept.ref,
                    f"{term.surface!r} has letters of {', '.join(sorted(found))}; "
                    "write it in one script, that of the set's language.",
                )


def _small_concepts(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        count = len({term.surface for term in concept.terms})
        if count < FEWEST_TERMS:
            yield _error(
                "too_small",
                concept.ref,
                f"needs {ENOUGH_TERMS} terms, at least {FEWEST_TERMS}; has {count}: insufficient.",
            )
        elif count < ENOUGH_TERMS:
            yield _warning(
                "too_small",
                concept.ref,
                f"needs {ENOUGH_TERMS} terms; has {count}: exploratory only.",
            )


def _small_family(held: ConceptSet) -> Iterator[Problem]:
    if held.role is not Role.IDENTITY:
        return
    marked = [concept for concept in held.concepts if not concept.unmarked]
    if len(marked) < 2:
        yield _error(
            "too_small",
            held.id,
            f"a family needs at least 2 concepts to compare; has {len(marked)}.",
        )
    if len(marked) == len(held.concepts):
        yield _warning("no_unmarked", held.id, "has no concept with `unmarked: true` (a person).")


def _minors(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        young = [term.surface for term in concept.terms if concept_denotes_minor(term)]
        unmarked = [
            term.surface for term in concept.terms if concept_denotes_minor(term) and not term.minor
        ]
        if young and concept_sexualises(concept):
            yield _error(
                "minors",
                concept.ref,
                f"sexualises, so it must not hold {young[0]!r}, which denotes a minor; remove it.",
            )
        if unmarked and held.role is Role.IDENTITY:
            yield _warning("minors", concept.ref, f"{unmarked[0]!r} needs `minor: true`.")
        if held.role is Role.IDENTITY and 0 < len(young) < len(concept.terms):
            yield _warning(
                "minors",
                concept.ref,
                f"mixes minors ({young[0]!r}) with others, so none of it meets sexualisation; "
                "give minors a concept of their own.",
            )


def _unmarked_sexualisation(held: ConceptSet) -> Iterator[Problem]:
    for concept in held.concepts:
        sexual = [term.surface for term in concept.terms if concept_sexualises(term)]
        if sexual and not concept.sexual and held.role is not Role.IDENTITY:
            yield _warning(
                "sexual",
                concept.ref,
                f"holds {sexual[0]!r}, so it never meets minors; write `sexual: true` or drop it.",
            )


def _other_language(held: ConceptSet) -> Iterator[Problem]:
    if held.language.split("-")[0] != "en":
        yield _warning(
            "language",
            held.id,
            f"is in {held.language!r}; templates, articles and word rules are English, "
            "so this set counts as not tested.",
        )


def _few_controls(library: Library) -> Iterator[Problem]:
    count = len(library.controls())
    sentence = f"needs {ENOUGH_CONTROLS} control packs, at least {FEWEST_CONTROLS}; has {count}."
    if count < FEWEST_CONTROLS:
        yield _error("few_controls", "library", f"{sentence} Every verdict will be insufficient.")
    elif count < ENOUGH_CONTROLS:
        yield _warning("few_controls", "library", sentence)


def _unknown_mirrors(library: Library) -> Iterator[Problem]:
    known = {name for concept in library.controls() for name in (concept.ref, concept.id)}
    for harm in library.harms():
        if not harm.mirrors:
            yield _warning("mirror", harm.ref, "names no positive or neutral mirror.")
        for name in harm.mirrors:
            if name not in known:
                yield _error(
                    "mirror", harm.ref, f"its mirror {name!r} is not a control.{near(name, known)}"
                )


def _overlapping_harms(library: Library) -> Iterator[Problem]:
    for one, other in combinations(library.harms(), 2):
        shared = _surfaces(one) & _surfaces(other)
        if shared and one.family != other.family:
            yield _warning(
                "overlap", one.ref, f"shares {_listed(shared)} with the harm {other.ref!r}."
            )


def _harmful_controls(library: Library) -> Iterator[Problem]:
    for control in library.controls():
        for harm in library.harms():
            shared = _surfaces(control) & _surfaces(harm)
            if shared:
                yield _error(
                    "overlap",
                    control.ref,
                    f"is a control but shares {_listed(shared)} with the harm {harm.ref!r}; "
                    "remove it from one.",
                )


def _leakage(library: Library) -> Iterator[Problem]:
    for identity in library.identities():
        for harm in library.harms():
            shared = shared_stems(identity, harm)
            if shared:
                yield _warning(
                    "leakage",
                    identity.ref,
                    f"shares {_listed(shared)} with the harm {harm.ref!r}: "
                    "their contrast would find the word itself.",
                )


def _lookalikes(library: Library) -> Iterator[Problem]:
    surfaces = [term.surface for concept in library.concepts for term in concept.terms]
    for one, other in lookalikes(surfaces):
        yield _error("homoglyph", "library", f"{one!r} and {other!r} only look the same.")


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

LIBRARY_CHECKS: tuple[Callable[[Library], Iterator[Problem]], ...] = (
    _few_controls,
    _unknown_mirrors,
    _overlapping_harms,
    _harmful_controls,
    _leakage,
    _lookalikes,
)


def _surfaces(concept: Concept) -> set[str]:
    return {term.surface.casefold() for term in concept.terms}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))


def _error(code: str, where: str, sentence: str) -> Problem:
    return Problem(severity=ProblemSeverity.ERROR, code=code, where=where, sentence=sentence)


def _warning(code: str, where: str, sentence: str) -> Problem:
    return Problem(severity=ProblemSeverity.WARNING, code=code, where=where, sentence=sentence)


def _sorted(found: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(found, key=lambda problem: list(ProblemSeverity).index(problem.severity)))
