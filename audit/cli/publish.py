"""A draft becomes a folder with its tables, its document and its reports, or nothing."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from audit.assemble import Draft, assemble
from audit.cli.printing import note
from audit.cluster_table import write_clusters
from audit.folder import RESULT, AuditFolder, begin_folder, write_document
from audit.gate import GateOrder
from audit.people_tables import read_people_tables
from audit.pictures_file import PICTURES, pack_pictures
from audit.results import AuditResult, RunRecord
from audit.tables import write_tables
from reports.editions import Edition
from reports.errors import ReportError
from reports.formats import find_format
from reports.messages import ENGLISH


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Where an audit goes and how it is told."""

    out: Path
    formats: tuple[str, ...]
    gate: GateOrder
    store: Path | None = None
    """Store that keeps a copy; None where none was named."""

    language: str = ENGLISH
    """Language of the reports that people read."""


def publish(
    draft: Draft, order: Order, rows: pd.DataFrame, units: Iterable[pd.DataFrame], run: RunRecord
) -> tuple[Path, AuditResult]:
    """Write an audit folder.

    Parameters
    ----------
    draft : Draft
        What was measured and judged.
    order : Order
        Output folder, formats, gate.
    rows, units
        Tables, as `audit.tables.write_tables` takes them.
    run : RunRecord
        When and where.

    Returns
    -------
    tuple of Path and AuditResult
        The finished folder and the document in it.

    Raises
    ------
    OutputError
        If the folder cannot be written; no half-written folder is left.
    """
    folder = begin_folder(order.out, folder_name(draft.model.name, run.started))
    try:
        tables = (
            *write_tables(folder, rows, units),
            write_clusters(folder, draft.conclusion.judged),
        )
        result = assemble(draft, tables, order.gate, run)
        write_document(folder, result)
        pictures = draft.units.pictures if draft.units is not None else {}
        if pictures:
            folder.write(PICTURES, pack_pictures(pictures))
        write_reports(folder, result, pictures, order.formats, order.language)
        return folder.finish(), result
    except BaseException:
        folder.abandon()
        raise


def write_reports(
    folder: AuditFolder,
    result: AuditResult,
    pictures: Mapping[str, bytes],
    formats: Sequence[str],
    language: str = ENGLISH,
) -> None:
    """Render every wanted format; one that cannot be made here is said and skipped."""
    beside = read_people_tables(folder.path(RESULT).parent, result)
    edition = Edition(language=language)
    for row in (find_format(name) for name in formats if name != "json"):
        try:
            folder.write(row.name_in(edition), row.render(result, pictures, edition, tables=beside))
        except ReportError as error:
            note(f"Note: {error}")


def folder_name(model: str, started: datetime) -> str:
    """Name an audit by its start and model.

    Examples
    --------
    >>> folder_name("RN50/openai", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '20260102T030405Z-RN50-openai'
    """
    slug = re.sub(r"[^A-Za-z0-9_.]+", "-", model).strip("-.")[:60] or "model"
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{slug}"
