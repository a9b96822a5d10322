"""Reading what somebody else computed: tables, checked row by row."""

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from audit.errors import ScoreInputError
from concept_sets.entry import near

Array = NDArray[np.float64]

ROLES = ("identity", "harm", "control", "positive", "neutral", "unmarked")
MAX_GROUPS = 60
"""Values of one group column; more is an identifier, not a group."""

ID = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One column of scores, or one text embedding."""

    label: str
    role: str
    family: str
    severity: int | None
    concept: str
    """What several labels phrase alike; the label itself where none was given."""

    template: str


def read_table(path: Path, what: str) -> pd.DataFrame:
    """Read CSV (plain or gzip) or Parquet; every cell of a CSV stays text.

    Raises
    ------
    ScoreInputError
        If the file cannot be read, is neither, or is empty.
    """
    try:
        if path.suffix == ".parquet":
            table: pd.DataFrame = pq.read_table(path).to_pandas()
        else:
            table = _csv(path)
    except OSError as error:
        raise ScoreInputError(
            f"{what} must be a readable CSV (plain or .gz) or Parquet file; {path} gave: "
            f"{error.strerror or error}. Check the path."
        ) from None
    except (ValueError, pa.ArrowException, EOFError, zlib.error) as error:
        raise ScoreInputError(
            f"{what} must be a CSV (plain or .gz) or Parquet table; {path} is not: "
            f"{str(error).splitlines()[0]}. Save it again."
        ) from None
    if table.empty:
        raise ScoreInputError(f"{what} must have at least one row; {path} has none.")
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise ScoreInputError(
            f"{what} must name every column once; {path} repeats {repeated[0]!r}."
        )
    return table


def _csv(path: Path) -> pd.DataFrame:
    # Read with the header as data: pandas renames repeated columns, and takes a surplus first
    # column for row names, both without a word.
    cells = pd.read_csv(
        path, dtype=str, keep_default_na=False, header=None, index_col=False, encoding="utf-8-sig"
    )
    table = cells.iloc[1:].reset_index(drop=True).fillna("")
    table.columns = pd.Index([str(name).strip() for name in cells.iloc[0].fillna("")])
    return table


def read_labels(path: Path) -> tuple[Label, ...]:
    """Read and check the label table.

    Raises
    ------
    ScoreInputError
        Naming file and row of the first label that cannot be used.
    """
    table = read_table(path, "--labels")
    _columns(table, ("label", "role", "family"), path, "--labels")
    labels = tuple(
        _label(row, number, path) for number, row in enumerate(table.to_dict("records"), start=2)
    )
    _unique(labels, path)
    return labels


def _columns(table: pd.DataFrame, needed: tuple[str, ...], path: Path, what: str) -> None:
    for name in needed:
        if name not in table.columns:
            known = [str(c) for c in table.columns]
            raise ScoreInputError(
                f"{what} must have a column {name!r}; {path} has {', '.join(known[:12])}."
                f"{near(name, known)}"
            )


def _label(row: dict[Any, Any], number: int, path: Path) -> Label:
    cells = {str(k): "" if pd.isna(v) else str(v).strip() for k, v in row.items()}
    where = f"{path}, row {number}"
    if not cells["label"]:
        raise ScoreInputError(f"Every label needs a text; {where} has none.")
    if cells["role"] not in ROLES:
        raise ScoreInputError(
            f"A role must be one of {', '.join(ROLES)}; {where} has {cells['role']!r}."
            f"{near(cells['role'], ROLES)}"
        )
    return Label(
        label=cells["label"],
        role=cells["role"],
        family=cells["family"] or cells["role"],
        severity=_severity(cells, where),
        concept=cells.get("concept", "") or cells["label"],
        template=cells.get("template", ""),
    )


def _severity(cells: dict[str, str], where: str) -> int | None:
    text = cells.get("severity", "").removesuffix(".0")
    if cells["role"] != "harm":
        return None
    if text not in {"1", "2", "3", "4"}:
        raise ScoreInputError(
            f"A harm label needs a severity from 1 (mild) to 4 (severe); {where} has {text!r}."
        )
    return int(text)


def _unique(labels: tuple[Label, ...], path: Path) -> None:
    seen: dict[str, Label] = {}
    for label in labels:
        first = seen.setdefault(label.label, label)
        if first is not label:
            both = {first.role, label.role} >= {"identity", "harm"}
            extra = " It cannot be both an identity and a harm." if both else ""
            raise ScoreInputError(
                f"Every label must stand once; {path} repeats {label.label!r}.{extra} "
                "Remove one of the rows."
            )
    _one_severity(labels, path)


def _one_severity(labels: tuple[Label, ...], path: Path) -> None:
    tiers: dict[str, int | None] = {}
    for label in labels:
        if (
            label.role == "harm"
            and tiers.setdefault(label.family, label.severity) != label.severity
        ):
            raise ScoreInputError(
                f"A harm family must have one severity; {path} gives {label.family!r} both "
                f"{tiers[label.family]} and {label.severity}. Split the family."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Who is in the pictures, one row per image."""

    ids: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    """Group column to one value per image; empty where unknown."""

    clusters: tuple[str, ...]
    clustered: bool
    """False where each image is its own cluster for want of a ``cluster`` column."""

    pairs: tuple[str, ...] = ()
    """Counterfactual pair of each image, from a column ``pair``; () without one."""


def read_groups(path: Path) -> Groups:
    """Read and check the group table.

    Raises
    ------
    ScoreInputError
        Naming file, row or column of what cannot be used.
    """
    table = read_table(path, "--groups")
    _columns(table, (ID,), path, "--groups")
    text = table.map(lambda v: "" if pd.isna(v) else str(v).strip())
    ids = tuple(text[ID])
    _distinct(ids, path, "--groups")
    columns = [c for c in text.columns if c not in {ID, "cluster", "pair"}]
    for name in columns:
        n_values = len(set(text[name]) - {""})
        if n_values > MAX_GROUPS:
            raise ScoreInputError(
                f"A group column may have at most {MAX_GROUPS} values; column {name!r} of {path} "
                f"has {n_values}. Remove it, or bin its values."
            )
    clustered = "cluster" in text.columns
    clusters = tuple(text["cluster"]) if clustered else ids
    if "" in clusters:
        row = clusters.index("") + 2
        raise ScoreInputError(f"Every row needs a cluster; {path}, row {row} has none.")
    return Groups(
        ids=ids,
        columns={str(c): tuple(text[c]) for c in columns},
        clusters=clusters,
        clustered=clustered,
        pairs=tuple(text["pair"]) if "pair" in text.columns else (),
    )


def _distinct(ids: tuple[str, ...], path: Path, what: str) -> None:
    seen: set[str] = set()
    for row, value in enumerate(ids, start=2):
        if not value or value in seen:
            problem = "repeats " + repr(value) if value else "is empty"
            raise ScoreInputError(
                f"Column {ID!r} of {what} must name every image once; {path}, row {row} {problem}."
            )
        seen.add(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One row per image, one column per label."""

    ids: tuple[str, ...]
    values: Array
    ignored: tuple[str, ...]
    """Columns that are no label."""


def read_scores(path: Path, labels: tuple[Label, ...], scale: float) -> Scores:
    """Read scores and bring them to cosines.

    Parameters
    ----------
    path : Path
        CSV or Parquet with ``id`` and one column per label.
    labels : tuple of Label
        Every one needs its column.
    scale : float
        What a cosine was multiplied by: 1 for cosines, 100 for CLIP logits.

    Raises
    ------
    ScoreInputError
        If a column is missing or a cell is not a number, or a value is no cosine.
    """
    table = read_table(path, "--scores")
    names = tuple(label.label for label in labels)
    _columns(table, (ID, *names), path, "--scores")
    ids = tuple(str(value).strip() for value in table[ID])
    _distinct(ids, path, "--scores")
    values = table[list(names)].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64) / scale
    rows, columns = np.nonzero(~np.isfinite(values))
    if len(rows):
        raise ScoreInputError(
            f"Every score must be a number; {path}, row {rows[0] + 2}, column "
            f"{names[columns[0]]!r} is not. Leave the image out or score it again."
        )
    if np.abs(values).max() > 1 + 1e-3:
        raise ScoreInputError(
            f"Scores must be cosines from -1 to 1; {path} has {np.abs(values).max():.4g}. "
            "Say what they were multiplied by with --score-scale, e.g. 100 for CLIP logits."
        )
    ignored = tuple(str(c) for c in table.columns if c not in {ID, *names})
    return Scores(ids=ids, values=values, ignored=ignored)


def file_sha(path_text: str) -> str:
    """Return ``sha256:`` of an input file, named as on the command line."""
    with Path(path_text.partition("::")[0]).open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
