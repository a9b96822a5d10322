"""A store verifies itself: every file, every record, every row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from audit.errors import OutputError, ResultError
from audit.store.adding import sweep, unrecorded
from audit.store.chain import (
    ChainRecord,
    chain_faults,
    clock_went_back,
    parse_line,
    present,
    read_chain,
    records_of,
)
from audit.store.contents import Row, Rows, audit_id, manifest_digest, rows_of
from audit.store.index import open_store, writing
from audit.store.place import AUDITS_FOLDER, CHAIN, Store, read_settings
from audit.store.tables import AUDITS, CONTRASTS, FINDINGS
from audit.verify import verify_folder

Indexed = dict[str, list[Row]]
"""Rows of one audit by the name of their table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What came of verifying a store."""

    audits: int
    records: int
    head: str
    """Digest of the last record; kept elsewhere, it shows a store that was rewritten whole."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify_store(path: Path, *, head: str = "") -> Verification:
    """Check a store: files against manifests, folders against the chain, the index against both.

    Parameters
    ----------
    path : Path
        The store.
    head : str, optional
        Digest of a record that somebody noted down; the chain must still have it.

    Raises
    ------
    ResultError
        If the folder is no store.
    """
    read_settings(path)
    looked = _look(path)
    problems = list(looked.problems)
    records, faults = _chain(path)
    problems += faults
    if head and head not in {record.digest for record in records}:
        problems.append(
            f"The chain has no record {head}, which it had: it was rewritten or cut at its end."
        )
    kept = present(records)
    suspects = {
        record.subject: _audit_problem(path, record, looked.rows) for record in kept.values()
    }
    again = present(_chain(path)[0])
    # An audit that was pruned while we looked is no problem.
    problems += [said for subject, said in suspects.items() if said and subject in again]
    return Verification(
        audits=len(kept),
        records=len(records),
        head=records[-1].digest if records else "",
        problems=tuple(problems),
        notes=clock_went_back(records),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    problems: tuple[str, ...]
    rows: Mapping[str, Indexed] | None
    """By audit; None where the index cannot be read."""


def require_unchanged(store: Store, audit: str) -> Path:
    """Return the folder of an audit that is as the chain says it was added.

    Raises
    ------
    ResultError
        If the chain does not hold, or lacks the audit, or its folder was changed.
    """
    records = records_of(read_chain(store.chain).lines, store.chain)
    record = present(records).get(audit)
    if record is None:
        raise ResultError(
            f"Every audit of the index must be on the chain; {audit} is not. Run `clip-audit store "
            "reindex`."
        )
    problem = _audit_problem(store.path, record, None)
    if problem:
        raise ResultError(problem)
    return store.audits / record.folder


def _chain(path: Path) -> tuple[tuple[ChainRecord, ...], tuple[str, ...]]:
    lines = read_chain(path / CHAIN).lines
    read = tuple(record for record in map(parse_line, lines) if record is not None)
    faults = chain_faults(lines)
    if not lines:
        faults = (f"The chain is missing: {path / CHAIN} is not there or empty.",)
    return read, faults


def _look(path: Path) -> _Looked:
    """Read the index, and say what lies in the store that no record is about."""
    try:
        with open_store(path) as store, writing(store) as held:
            sweep(held)
            recorded = {record.folder for record in held.present.values()}
            strays = tuple(
                f"{folder.name} lies in the store and no record says that it was added. "
                f"`clip-audit store add` it, or move it out of {store.audits}."
                for folder in unrecorded(store, recorded)
            )
            return _Looked(problems=strays, rows=_rows(held.connection))
    except (ResultError, OutputError) as error:
        return _Looked(problems=(str(error),), rows=None)


def _rows(connection: Connection) -> dict[str, Indexed]:
    """Return what the index has of every audit, as a set of rows for each table."""
    found: dict[str, Indexed] = {}
    for table, key in ((AUDITS, "id"), (FINDINGS, "audit"), (CONTRASTS, "audit")):
        for row in connection.execute(select(table)):
            named = row._asdict()
            found.setdefault(str(named[key]), {}).setdefault(table.name, []).append(named)
    return found


def _audit_problem(path: Path, record: ChainRecord, rows: Mapping[str, Indexed] | None) -> str:
    """Return what is wrong with an audit; empty where nothing is."""
    folder = path / AUDITS_FOLDER / record.folder
    added = f"it was added as record {record.n} on {record.at[:10]}"
    if not folder.is_dir():
        return (
            f"{record.folder} is missing: {added}, and no record says that it was removed. "
            "Restore it from a backup, or add it again from where it came."
        )
    try:
        result = verify_folder(folder)
    except ResultError as error:
        return f"{record.folder} was damaged or changed. {error}"
    if audit_id(folder) != record.subject:
        return f"{record.folder} holds another result than when {added}. Restore it."
    if manifest_digest(folder) != record.manifest:
        return (
            f"{record.folder} has other files than when {added}; its result is the same. Reports "
            "of a kept audit are rendered elsewhere (`clip-audit report --output`). Restore it."
        )
    if rows is not None and not _agree(rows_of(result, record, folder), rows.get(record.subject)):
        return (
            f"The index says something else of {record.folder} than its folder. "
            "Run `clip-audit store reindex`."
        )
    return ""


def _agree(own: Rows, indexed: Indexed | None) -> bool:
    tables = {AUDITS.name: (own.audit,), FINDINGS.name: own.findings, CONTRASTS.name: own.contrasts}
    there = indexed or {}
    return all(_as_set(rows) == _as_set(there.get(name, ())) for name, rows in tables.items())


def _as_set(rows: Iterable[Row]) -> set[frozenset[tuple[str, object]]]:
    # A signature may be put beside an audit after it was indexed.
    return {frozenset((k, v) for k, v in row.items() if k != "signed") for row in rows}
