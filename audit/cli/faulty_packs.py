"""Packs in which `concepts check` finds errors are refused before anything is measured."""

from concept_sets.catalog import Library
from concept_sets.check import check_library
from concept_sets.errors import ConceptSetError
from concept_sets.problem import Problem, ProblemSeverity

SHOWN = 3


def errors_of(library: Library) -> tuple[Problem, ...]:
    """Return what must be corrected.

    Too few control packs are no error here: the audit runs, and its verdict says so.
    """
    return tuple(
        problem
        for problem in check_library(library)
        if problem.severity is ProblemSeverity.ERROR and problem.code != "few_controls"
    )


def refuse_faulty(library: Library) -> None:
    """Refuse packs with errors.

    Raises
    ------
    ConceptSetError
        With the first errors.
    """
    errors = errors_of(library)
    if errors:
        first = "; ".join(f"{p.where} {p.sentence.rstrip('.')}" for p in errors[:SHOWN])
        raise ConceptSetError(
            f"Packs must be free of errors; found {len(errors)}, the first: {first}. "
            "`clip-audit concepts check --packs PATH` lists them all."
        )
