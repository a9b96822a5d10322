"""What a report is made of: tables, facts and paragraphs, without any layout."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.messages import _
from reports.quantities import count

Align = Literal["text", "number"]
Hold = Literal["", "holds", "fragile"]

ALL_ROWS_LIE_IN = "measurements.csv"
"""The table for people beside every result; capped tables point to it."""

THE_RESULT = "result.json"
"""Where rows lie that no table for people has."""


SHARES = {
    "name": 15,
    "subject": 13,
    "wide": 28,
    "reading": 36,
    "slim": 8.2,
    "span": 12.5,
    "value": 15,
    "text": 10,
    "number": 10,
}
"""Relative width of a column by its class, else by its alignment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Head of one table column."""

    head: str
    align: Align = "text"
    width: str = ""
    """Class where layout needs one: a key of ``SHARES``, or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value, already worded and rounded."""

    text: str
    note: str = ""
    """Second line in smaller type: an interval, a reason, a count."""

    shade: str = ""
    """Step of a shaded cell, ``up1`` to ``up5`` or ``down1`` to ``down5``; the text says it too."""

    severity: int | None = None
    """Shown as a mark with its word."""

    hold: Hold = ""
    """Whether a difference survives other wording and labels: a mark with its word."""

    strong: bool = False


Row = tuple[Cell, ...]

NOTHING = "·"
"""What a cell shows where there is nothing to measure; an undefined number says so in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a caption; its first cell in each row names the row."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    n_rows: int
    """Rows that exist; more than ``rows`` where the table is capped."""

    print_limit: int
    """Rows that the paged edition shows."""

    note: str = ""
    compact: bool = False
    lies_in: str = ALL_ROWS_LIE_IN
    """The file that has every row."""

    def shares(self) -> tuple[str, ...]:
        """Return each column's share of the width, so that pages need not measure every cell."""
        parts = [SHARES.get(column.width) or SHARES[column.align] for column in self.columns]
        return tuple(f"{100 * part / sum(parts):.2f}%" for part in parts)

    def remainder(self, shown: int) -> str:
        """Say what a capped table leaves out; empty where it shows everything."""
        if shown >= self.n_rows:
            return ""
        return _(
            "The first {shown} of {all} rows; all of them are in {file}.",
            shown=count(shown),
            all=count(self.n_rows),
            file=self.lies_in,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of a list of facts."""

    label: str
    value: str
    code: bool = False
    """Whether the value is an identifier, set in fixed-width type."""


def table(
    id: str,
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Row],
    *,
    screen_limit: int = 2_000,
    print_limit: int = 60,
    note: str = "",
    compact: bool = False,
    lies_in: str = ALL_ROWS_LIE_IN,
) -> Table:
    """Build a table, keeping at most ``screen_limit`` rows and the count of all."""
    everything = tuple(rows)
    return Table(
        id=anchor(id),
        caption=caption,
        columns=tuple(columns),
        rows=everything[:screen_limit],
        n_rows=len(everything),
        print_limit=min(print_limit, screen_limit),
        note=note,
        compact=compact,
        lies_in=lies_in,
    )


def anchor(words: str) -> str:
    """Turn any words into a name that can be linked to.

    Examples
    --------
    >>> anchor("grid-text-a b<c>")
    'grid-text-a-b-c-'
    """
    return re.sub(r"[^A-Za-z0-9_-]", "-", words)


def text(value: str, note: str = "") -> Cell:
    """Return a plain cell."""
    return Cell(text=value, note=note)
