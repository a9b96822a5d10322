"""Packs in which `concepts check` finds errors are refused before anything is measured."""

from audit.plan_check import errors_of
from concept_sets.catalog import Library
from concept_sets.errors import ConceptSetError

SHOWN = 3


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
