"""The index of a store follows its chain and its folders, and is made again from them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, select

from audit.errors import ResultError
from audit.folder import RESULT
from audit.results import read_result
from audit.store.chain import (
    ChainRecord,
    Event,
    append_line,
    following,
    present,
    read_chain,
    records_of,
)
from audit.store.contents import Rows, audit_id, rows_of
from audit.store.disk import free_name, sync_folder, unwritten
from audit.store.place import Store, connect, make_store, read_settings
from audit.store.tables import AUDITS, CHAIN, CONTRASTS, FINDINGS

SIDE_FILES = ("", "-wal", "-shm")
"""What an SQLite database lies in."""


@dataclass(slots=True, kw_only=True)
class Writing:
    """A store that this process alone writes, and whose index is up to date."""

    store: Store
    connection: Connection
    records: tuple[ChainRecord, ...]
    size: int
    """Bytes of the chain's file."""

    @property
    def present(self) -> dict[str, ChainRecord]:
        """Record of every audit in the store."""
        return present(self.records)

    def record(self, event: Event, now: datetime) -> ChainRecord:
        """Put an event into the index and on the chain: then it has happened, also if we die.

        The rows come first, so that what no database can hold is refused before it is recorded.

        Raises
        ------
        OutputError
            If it cannot be written; then it has not happened.
        """
        before = self.records
        record = following(before[-1] if before else None, event, now)
        self.records = (*before, record)
        try:
            self.catch_up([record])
            self.size = append_line(self.store.chain, record.line, self.size)
        except BaseException:
            self.records = before
            raise
        return record

    def catch_up(self, records: Sequence[ChainRecord]) -> None:
        """Bring what new records say into the tables."""
        for record in records:
            _keep_record(self.connection, record)
            forget(self.connection, record.subject)
        kept = self.present
        for record in records:
            if kept.get(record.subject) == record:
                _index_audit(self.connection, self.store, record)

    def reindex(self, record: ChainRecord) -> None:
        """Put the rows of an audit into the tables again."""
        _index_audit(self.connection, self.store, record)


@contextmanager
def writing(store: Store) -> Iterator[Writing]:
    """Be the only writer of a store, first catching up with what the chain's file says.

    A record that stands in the file and not in the index was written by a process that died, or
    whose database was full, right after: it counts.

    Raises
    ------
    OutputError
        If the index cannot be written, or somebody else holds it for too long.
    ResultError
        If the chain does not hold, or the index belongs to another one.
    """
    with store.database.write() as connection:
        chain = read_chain(store.chain)
        records = records_of(chain.lines, store.chain)
        known = _known(connection, store, records)
        now = Writing(store=store, connection=connection, records=records, size=chain.size)
        now.catch_up(records[known:])
        if not records:
            now.record(Event(what="began", subject=store.id), datetime.now(UTC))
        yield now


def open_store(path: Path) -> Store:
    """Open a store whose index has everything that its chain says.

    Raises
    ------
    ResultError
        If it is no store, its chain does not hold, or its index is damaged.
    OutputError
        If it cannot be written.
    """
    store = connect(path)
    try:
        if not is_up_to_date(store):
            with writing(store):
                pass
    except BaseException:
        store.close()
        raise
    return store


def create_store(path: Path, index: str = "") -> Store:
    """Make a store where there is none, and open it.

    Raises
    ------
    PlanError, ResultError, OutputError
        As `audit.store.place.make_store` and `open_store`.
    """
    make_store(path, index)
    return open_store(path)


def reindex(path: Path) -> tuple[str, ...]:
    """Make the index of a store again from its chain and its folders.

    A damaged SQLite file is set aside, never deleted. Records that the index has and the end of
    the chain's file lost are written back to the file first.

    Returns
    -------
    tuple of str
        A sentence for every audit that could not be indexed, or thing that was set aside.

    Raises
    ------
    ResultError
        If the chain does not hold.
    OutputError
        If the index cannot be written.
    """
    aside = _set_damaged_aside(path)
    store = connect(path)
    try:
        with store.database.write() as connection:
            _write_back(connection, store)
            for table in (CONTRASTS, FINDINGS, AUDITS, CHAIN):
                connection.execute(delete(table))
            chain = read_chain(store.chain)
            records = records_of(chain.lines, store.chain)
            _require_own(store, records)
            for record in records:
                _keep_record(connection, record)
            told = [_index_audit(connection, store, r) for r in present(records).values()]
    finally:
        store.close()
    return (*aside, *(sentence for sentence in told if sentence))


def is_up_to_date(store: Store) -> bool:
    """Whether the last record is the same in the file and in the index: nobody is kept waiting."""
    chain = read_chain(store.chain)
    with store.database.read() as connection:
        count = connection.execute(select(func.count()).select_from(CHAIN)).scalar_one()
        last = connection.execute(select(CHAIN.c.line).order_by(CHAIN.c.n.desc()).limit(1)).scalar()
    return count == len(chain.lines) > 0 and last == chain.lines[-1]


def _known(connection: Connection, store: Store, records: Sequence[ChainRecord]) -> int:
    """Return how many records the index has; they must be the first of the file."""
    _require_own(store, records)
    indexed = connection.execute(select(CHAIN.c.digest).order_by(CHAIN.c.n)).scalars().all()
    for n, digest in enumerate(indexed[: len(records)]):
        if records[n].digest != digest:
            raise ResultError(
                f"Index and chain of a store must be of one store; {store.database.where} has "
                f"another record {n} than {store.chain}. Give this store its own index, or run "
                "`clip-audit store verify`."
            )
    if len(indexed) > len(records):
        raise ResultError(
            f"The chain of a store only grows; {store.chain} has {len(records)} records and the "
            f"index {len(indexed)}. Restore the file from a backup, or run `clip-audit store "
            "reindex`, which writes the lost records back from the index."
        )
    return len(indexed)


def _require_own(store: Store, records: Sequence[ChainRecord]) -> None:
    if records and records[0].subject != store.id:
        raise ResultError(
            f"A chain must begin with its store; {store.chain} is that of another. Restore the "
            "file from a backup."
        )


def _keep_record(connection: Connection, record: ChainRecord) -> None:
    connection.execute(insert(CHAIN).values(n=record.n, digest=record.digest, line=record.line))


def _index_audit(connection: Connection, store: Store, record: ChainRecord) -> str:
    """Index an audit; one whose folder cannot be read is for `verify` to name."""
    folder = store.audits / record.folder
    try:
        if audit_id(folder) != record.subject:
            return f"{record.folder} was changed after it was added, and is not in the index."
        rows = rows_of(read_result(folder / RESULT), record, folder)
    except ResultError as error:
        return f"{record.folder} could not be indexed. {error}"
    except OSError as error:
        return f"{record.folder} could not be indexed: {error.strerror}."
    put_rows(connection, rows)
    return ""


def put_rows(connection: Connection, rows: Rows) -> None:
    """Put the rows of an audit into the tables, instead of those that it had."""
    forget(connection, str(rows.audit["id"]))
    connection.execute(insert(AUDITS).values(**rows.audit))
    for table, own in ((FINDINGS, rows.findings), (CONTRASTS, rows.contrasts)):
        if own:
            connection.execute(insert(table), [dict(row) for row in own])


def forget(connection: Connection, audit: str) -> None:
    """Take the rows of an audit out of the tables."""
    connection.execute(delete(CONTRASTS).where(CONTRASTS.c.audit == audit))
    connection.execute(delete(FINDINGS).where(FINDINGS.c.audit == audit))
    connection.execute(delete(AUDITS).where(AUDITS.c.id == audit))


def _write_back(connection: Connection, store: Store) -> None:
    """Write records back to the chain's file that it lost at its end and the index has."""
    chain = read_chain(store.chain)
    lines = connection.execute(select(CHAIN.c.line).order_by(CHAIN.c.n)).scalars().all()
    if tuple(lines[: len(chain.lines)]) != chain.lines:
        return
    records_of(lines, store.chain)
    size = chain.size
    for line in lines[len(chain.lines) :]:
        size = append_line(store.chain, line, size)


def _set_damaged_aside(path: Path) -> tuple[str, ...]:
    """Move an SQLite index away that cannot be read, with what belongs to it."""
    index = read_settings(path).index
    if "://" in index or not (path / index).exists() or _is_sound(path / index):
        return ()
    away = free_name(path / f"{index}.damaged")
    try:
        for end in SIDE_FILES:
            if (path / (index + end)).exists():
                (path / (index + end)).rename(f"{away}{end}")
        sync_folder(path)
    except OSError as error:
        raise unwritten(path, error) from None
    return (f"The damaged index was set aside as {away.name}.",)


def _is_sound(index: Path) -> bool:
    try:
        with closing(sqlite3.connect(index)) as connection:
            return bool(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
    except sqlite3.OperationalError as error:
        # Locked by another process, or unreadable for us: not damaged.
        return "malformed" not in str(error)
    except sqlite3.DatabaseError:
        return False
