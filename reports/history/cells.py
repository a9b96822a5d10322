"""Cells of the pages' tables: those of a report, with links, states and tallies."""

from dataclasses import dataclass

from reports.blocks import Cell
from reports.history.facts import Tone

ALL_ROWS_LIE_IN = "what `clip-audit history --format json` prints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Cell):
    """One value of a table; the words always say what link, tone and tallies add."""

    link: str = ""
    tone: Tone | None = None
    """Shown as a mark before the text."""

    code: bool = False
    tallies: tuple[tuple[int, int], ...] = ()
    """Severity and number of findings of it, the worst first."""

    more: tuple["Entry", ...] = ()
    """Further values, one under the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a list of facts."""

    label: str
    entry: Entry


def line(label: str, text: str, **shown: object) -> Line:
    """Return a line with one value."""
    return Line(label=label, entry=Entry(text=text, **shown))  # type: ignore[arg-type]
