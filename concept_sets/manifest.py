"""Rows of a photo manifest, CSV or Parquet, before anything is made of them."""

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from concept_sets.entry import near
from concept_sets.errors import StimulusError

OWN_COLUMNS = ("path", "concept", "cluster", "licence", "source")
"""Columns with a meaning; every further column is a group column."""

MAX_ROWS = 5_000_000
DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a manifest."""

    number: int
    """As a text editor counts lines for CSV, from 1 for Parquet."""

    cells: dict[str, str]
    """Column to stripped text; empty where the cell is."""


def read_rows(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    """Read the columns and rows of a manifest.

    Raises
    ------
    StimulusError
        If the file is no table, has no ``path`` column or no rows, a column is doubtful, or a
        row does not fit; the sentence names file and row.
    """
    columns, lines = _parquet(path) if path.suffix.lower() in PARQUET else _csv(path)
    _check_columns(path, columns)
    rows = [
        Row(number=number, cells=_cells(path, number, columns, values)) for number, values in lines
    ]
    if not rows:
        raise StimulusError(f"{path.name}: must list at least one picture; it has no rows.")
    return columns, rows


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    if "path" not in columns:
        found = ", ".join(map(repr, columns)) or "none"
        raise StimulusError(f"{path.name}: must have a column 'path'; has {found}.")
    for name in columns:
        if not name or columns.count(name) > 1:
            raise StimulusError(
                f"{path.name}: needs one name per column; got {name!r} twice or empty."
            )
        close = get_close_matches(name.lower(), OWN_COLUMNS, n=1, cutoff=0.8)
        if name not in OWN_COLUMNS and close:
            raise StimulusError(
                f"{path.name}: the column {name!r} would be a group column."
                f"{near(name.lower(), OWN_COLUMNS)} Rename it."
            )


def _cells(
    path: Path, number: int, columns: Sequence[str], values: Sequence[str]
) -> dict[str, str]:
    if len(values) != len(columns):
        raise StimulusError(
            f"{path.name}, row {number}: must have {len(columns)} cells like the header; "
            f"has {len(values)}."
        )
    cells = {name: value.strip() for name, value in zip(columns, values, strict=True)}
    for name, value in cells.items():
        if any(unicodedata.category(sign) == "Cc" for sign in value):
            raise StimulusError(
                f"{path.name}, row {number}, {name}: must not hold control characters; "
                f"got {value!r}."
            )
    return cells


def _csv(path: Path) -> tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    delimiter = DELIMITERS.get(path.suffix.lower(), ",")
    lines = _csv_lines(path, delimiter)
    header = next(lines, (1, []))[1]
    return tuple(name.strip() for name in header), lines


def _csv_lines(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            for values in reader:
                if reader.line_num > MAX_ROWS:
                    raise StimulusError(f"{path.name}: must have at most {MAX_ROWS:,} rows.")
                if any(value.strip() for value in values):
                    yield reader.line_num, values
    except UnicodeDecodeError as error:
        raise StimulusError(f"{path.name}: must be UTF-8 text; save it as UTF-8.") from error
    except csv.Error as error:
        raise StimulusError(f"{path.name}: is not a CSV table: {error}.") from error
    except OSError as error:
        raise StimulusError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _parquet(path: Path) -> tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.ParquetFile(path).metadata.num_rows
        if found > MAX_ROWS:
            raise StimulusError(f"{path.name}: must have at most {MAX_ROWS:,} rows; has {found:,}.")
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        # pyarrow raises an OSError without errno for a damaged file.
        if getattr(error, "errno", None):
            raise StimulusError(f"{path}: cannot be read: {error.strerror}.") from error
        reason = str(error).splitlines()[0].rstrip(".")
        raise StimulusError(f"{path.name}: is not a Parquet table: {reason}.") from error
    columns = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    rows = enumerate((list(values) for values in zip(*columns, strict=True)), start=1)
    return tuple(name.strip() for name in table.column_names), iter(rows)


def _text(value: object) -> str:
    return "" if value is None else str(value)
