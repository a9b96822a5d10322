"""Decisions that somebody supplies: a CSV file, read into codes; nothing else of it is kept."""

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import ScoreInputError
from concept_sets.entry import near
from probes.outcomes import UNKNOWN

MOST_CATEGORIES = 60
"""Different values of a category column; a column that names people has more."""

UNKNOWN_WORDS = frozenset({"", "unknown", "nan", "n/a", "na", "null", "none"})
"""What stands for an unknown category, whatever its case."""

DECISIONS = {
    **dict.fromkeys(("1", "1.0", "yes", "y", "true", "selected"), True),
    **dict.fromkeys(("0", "0.0", "no", "n", "false", "not selected"), False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """One category column."""

    column: str
    names: tuple[str, ...]
    """Its categories, in order of the alphabet."""

    codes: NDArray[np.int64]
    """Position of each person's category in ``names``; `UNKNOWN` where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What a file of decisions says, without any word of any one person."""

    groupings: tuple[Grouping, ...]
    selected: NDArray[np.bool_] | None
    scores: NDArray[np.float64] | None


def read_decisions(
    path: Path,
    *,
    categories: Sequence[str],
    selected: str | None,
    score: str | None,
    unknown: Collection[str] = (),
) -> Decisions:
    """Read a file of decisions.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 with a header; one row for each person.
    categories : sequence of str
        Columns with a category of each person.
    selected, score : str or None
        Column with the decision, or with the score: one of them.
    unknown : collection of str
        Further words for a category that is not known.

    Raises
    ------
    ScoreInputError
        Naming file, row and column of the first thing that is wrong.
    """
    wanted = (*categories, selected or score or "")
    words = UNKNOWN_WORDS | {word.strip().lower() for word in unknown}
    texts: list[list[str]] = [[] for _ in categories]
    seen: list[set[str]] = [set() for _ in categories]
    values: list[float] = []
    for line, row in _rows(path, wanted):
        for at, column in enumerate(categories):
            text = row[at].strip()
            name = "" if text.lower() in words else text
            seen[at].add(name)
            _require_few(seen[at], path, column)
            texts[at].append(name)
        values.append(_value(row[-1], path, line, wanted[-1], is_score=score is not None))
    if not values:
        raise ScoreInputError(f"A file of decisions must have rows; {path} has only a header.")
    groupings = tuple(map(_grouping, [path] * len(categories), categories, texts))
    given: NDArray[Any] = np.array(values)
    return Decisions(
        groupings=groupings,
        selected=given.astype(bool) if score is None else None,
        scores=given if score is not None else None,
    )


def _rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and the wanted cells of each row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = [name.strip() for name in next(reader, [])]
            at = [_position(name, header, path) for name in wanted]
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise ScoreInputError(
                        f"{path}, line {reader.line_num}: every row must have {len(header)} cells "
                        f"like the header; this one has {len(row)}."
                    )
                yield reader.line_num, [row[n] for n in at]
    except OSError as error:
        raise ScoreInputError(
            f"A file of decisions must be readable; {path} gave: {error.strerror}."
        ) from None
    except UnicodeDecodeError:
        raise ScoreInputError(
            f"A file of decisions must be CSV in UTF-8; {path} is not. Save it as UTF-8."
        ) from None
    except csv.Error as error:
        raise ScoreInputError(f"{path} must be CSV: {error}. Save it again as CSV.") from None


def _position(name: str, header: Sequence[str], path: Path) -> int:
    if header.count(name) != 1:
        there = ", ".join(repr(column[:40]) for column in header[:12]) or "none"
        raise ScoreInputError(
            f"{path} must have one column {name!r}; its columns are {there}, and "
            f"{header.count(name)} of them are named so.{near(name, header)}"
        )
    return header.index(name)


def _require_few(seen: set[str], path: Path, column: str) -> None:
    if len(seen - {""}) > MOST_CATEGORIES:
        raise ScoreInputError(
            f"A category column must have at most {MOST_CATEGORIES} different values; {column!r} "
            f"of {path} has more. A column that names or numbers people is not one."
        )


def _value(text: str, path: Path, line: int, column: str, *, is_score: bool) -> float:
    word = text.strip().lower()
    if is_score:
        try:
            number = float(word)
        except ValueError:
            number = float("nan")
        if np.isfinite(number):
            return number
        must = "a finite number"
    else:
        if word in DECISIONS:
            return float(DECISIONS[word])
        must = f"one of {', '.join(DECISIONS)}"
    raise ScoreInputError(
        f"{path}, line {line}, column {column!r}: must be {must}; got {text.strip()[:20]!r}. "
        "Correct it, or take the row out and say so in the description of the data."
    )


def _grouping(path: Path, column: str, texts: Sequence[str]) -> Grouping:
    names = tuple(sorted(set(texts) - {""}))
    spelled: dict[str, str] = {}
    for name in names:
        other = spelled.setdefault(name.casefold(), name)
        if other != name:
            raise ScoreInputError(
                f"{path}, column {column!r}: {other!r} and {name!r} differ only in case, and would "
                "be two categories. Spell them alike."
            )
    position = {name: at for at, name in enumerate(names)} | {"": UNKNOWN}
    codes = np.fromiter((position[name] for name in texts), dtype=np.int64, count=len(texts))
    return Grouping(column=column, names=names, codes=codes)
