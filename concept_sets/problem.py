"""What a check of concept sets found."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from concept_sets.concept import Concept


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


def error(code: str, where: str, sentence: str) -> Problem:
    """Make a problem that stops the library from being used."""
    return Problem(severity=ProblemSeverity.ERROR, code=code, where=where, sentence=sentence)


def warning(code: str, where: str, sentence: str) -> Problem:
    """Make a problem that a person should weigh."""
    return Problem(severity=ProblemSeverity.WARNING, code=code, where=where, sentence=sentence)


def surfaces(concept: Concept) -> set[str]:
    """Return the terms of a concept without regard to capitals."""
    return {term.surface.casefold() for term in concept.terms}


def listed(names: Iterable[str]) -> str:
    """Return names sorted and quoted for a sentence."""
    return ", ".join(repr(name) for name in sorted(names))
