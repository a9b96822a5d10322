"""The table of measurements of a finished audit, read in part."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from audit.errors import ResultError
from audit.folder import file_digest
from audit.results import AuditResult
from audit.tables import PARQUET


def require_unchanged(folder: Path, result: AuditResult) -> None:
    """Refuse a table that is not the one that the result names.

    Raises
    ------
    ResultError
        If it is missing or was changed.
    """
    recorded = {entry.name: entry.digest for entry in result.measurements}
    path = folder / PARQUET
    if PARQUET not in recorded or not path.is_file():
        raise ResultError(_missing(path))
    if file_digest(path) != recorded[PARQUET]:
        raise ResultError(
            f"{path} must be the table that result.json names; its digest differs. "
            "Restore the folder or run the audit again."
        )


def read_batches(
    folder: Path, columns: list[str], wanted: ds.Expression
) -> Iterator[pa.RecordBatch]:
    """Yield some columns of the rows that are wanted.

    Raises
    ------
    ResultError
        If the table is missing or damaged.
    """
    path = folder / PARQUET
    if not path.is_file():
        raise ResultError(_missing(path))
    try:
        table = ds.dataset(path, format="parquet")
        absent = set(columns) - set(table.schema.names)
        if absent:
            raise ResultError(
                f"{path} must have the columns of an audit's table; {', '.join(sorted(absent))} "
                "are missing. Restore the folder or run the audit again."
            )
        for batch in table.to_batches(columns=columns, filter=wanted):
            if batch.num_rows:
                yield batch
    except (pa.ArrowException, OSError) as error:
        raise ResultError(
            f"{path} must be a Parquet table; it cannot be read ({type(error).__name__}). "
            "Restore the folder or run the audit again."
        ) from None


def _missing(path: Path) -> str:
    return (
        f"Units are looked up in {PARQUET}; {path.parent} has none. Give the whole audit folder, "
        "not a copy of result.json alone."
    )
