"""What is wrong or doubtful in concept sets, found before a model is asked."""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from pathlib import Path

from concept_sets.catalog import TEMPLATES_NAME, Library, concept_files
from concept_sets.concept import ConceptSet
from concept_sets.entry import near
from concept_sets.errors import ConceptSetError
from concept_sets.leakage import lookalikes, shared_stems
from concept_sets.load import read_concept_set
from concept_sets.problem import Problem, ProblemSeverity, error, listed, surfaces, warning
from concept_sets.set_checks import SET_CHECKS
from concept_sets.templates import read_templates

__all__ = ["Problem", "ProblemSeverity", "check_file", "check_library", "check_set"]

ENOUGH_CONTROLS = 40
FEWEST_CONTROLS = 24
"""With fewer control packs no verdict is given."""


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
        except ConceptSetError as refusal:
            found.append(error("unreadable", str(file), str(refusal)))
    return _sorted(found)


def check_set(concept_set: ConceptSet) -> tuple[Problem, ...]:
    """Find what is wrong in one concept set, without looking at others."""
    return tuple(problem for check in SET_CHECKS for problem in check(concept_set))


def _few_controls(library: Library) -> Iterator[Problem]:
    count = len(library.controls())
    sentence = f"needs {ENOUGH_CONTROLS} control packs, at least {FEWEST_CONTROLS}; has {count}."
    if count < FEWEST_CONTROLS:
        yield error("few_controls", "library", f"{sentence} Every verdict will be insufficient.")
    elif count < ENOUGH_CONTROLS:
        yield warning("few_controls", "library", sentence)


def _unknown_mirrors(library: Library) -> Iterator[Problem]:
    known = {name for concept in library.controls() for name in (concept.ref, concept.id)}
    for harm in library.harms():
        if not harm.mirrors:
            yield warning("mirror", harm.ref, "names no positive or neutral mirror.")
        for name in harm.mirrors:
            if name not in known:
                yield error(
                    "mirror", harm.ref, f"its mirror {name!r} is not a control.{near(name, known)}"
                )


def _overlapping_harms(library: Library) -> Iterator[Problem]:
    for one, other in combinations(library.harms(), 2):
        shared = surfaces(one) & surfaces(other)
        if shared and one.family != other.family:
            yield warning(
                "overlap", one.ref, f"shares {listed(shared)} with the harm {other.ref!r}."
            )


def _harmful_controls(library: Library) -> Iterator[Problem]:
    for control in library.controls():
        for harm in library.harms():
            shared = surfaces(control) & surfaces(harm)
            if shared:
                yield error(
                    "overlap",
                    control.ref,
                    f"is a control but shares {listed(shared)} with the harm {harm.ref!r}; "
                    "remove it from one.",
                )


def _leakage(library: Library) -> Iterator[Problem]:
    for identity in library.identities():
        for harm in library.harms():
            shared = shared_stems(identity, harm)
            if shared:
                yield warning(
                    "leakage",
                    identity.ref,
                    f"shares {listed(shared)} with the harm {harm.ref!r}: "
                    "their contrast would find the word itself.",
                )


def _lookalikes(library: Library) -> Iterator[Problem]:
    every = [term.surface for concept in library.concepts for term in concept.terms]
    for one, other in lookalikes(every):
        yield error("homoglyph", "library", f"{one!r} and {other!r} only look the same.")


LIBRARY_CHECKS: tuple[Callable[[Library], Iterator[Problem]], ...] = (
    _few_controls,
    _unknown_mirrors,
    _overlapping_harms,
    _harmful_controls,
    _leakage,
    _lookalikes,
)


def _sorted(found: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(found, key=lambda problem: list(ProblemSeverity).index(problem.severity)))
