"""A store that is only looked at: nothing is created, brought up to date or written."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.pool import NullPool

from audit.errors import ResultError
from audit.store.database import (
    BUSY_SECONDS,
    MIGRATIONS,
    Database,
    schema_version,
    server_engine,
    told,
)
from audit.store.place import Store, read_settings
from audit.store.remembered import KeptAudit
from audit.store.tables import AUDITS, FINDINGS


def read_store(path: Path) -> Store:
    """Open a store for questions only; it may lie in a folder that nobody may write.

    Its index is taken as it is. Where a process died before the index had what the chain says,
    `audit.store.index.is_up_to_date` tells, and any command that writes repairs it.

    Parameters
    ----------
    path : Path
        Folder of the store.

    Returns
    -------
    Store
        Writing to its database raises `OutputError`.

    Raises
    ------
    ResultError
        If it is no store, or its index is missing, damaged, somebody else's, or of another version.
    """
    settings = read_settings(path)
    index = settings.index if "://" in settings.index else path / settings.index
    return Store(path=path, id=settings.id, database=read_database(index))


def read_database(where: Path | str) -> Database:
    """Open a database for questions only.

    Parameters
    ----------
    where : path or str
        A SQLite file, or a URL such as ``postgresql+psycopg://user@host/name``.

    Raises
    ------
    ResultError
        If it is missing, damaged, somebody else's, or its tables are of another version.
    OutputError
        If the URL cannot be used.
    """
    engine = _file(where) if isinstance(where, Path) else _server(where)
    database = Database(engine=engine, where=told(engine, where))
    try:
        with database.read() as connection:
            version = schema_version(connection, database.where)
        _require_present(version, database.where)
    except BaseException:
        database.close()
        raise
    return database


def _require_present(version: int, where: str) -> None:
    if version == 0:
        raise ResultError(
            f"A store that is only read must have its tables; {where} has none. "
            "`clip-audit store reindex` makes them."
        )
    if version < len(MIGRATIONS):
        raise ResultError(
            f"A store that is only read must have the tables of this clip-audit; {where} has those "
            f"of an earlier one ({version} of {len(MIGRATIONS)}). `clip-audit store list` brings "
            "it up to date."
        )


def _file(path: Path) -> Engine:
    if not path.is_file():
        raise ResultError(
            f"A store that is only read must have its index; {path} is not there. "
            "`clip-audit store reindex` makes it."
        )
    engine = create_engine("sqlite://", creator=lambda: _connect(path), poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _connect(path: Path) -> sqlite3.Connection:
    """Connect without the right to write.

    SQLite wants to keep notes beside a file with a write-ahead log, which a folder that nobody may
    write does not let it. Without a log there is nothing to note: the file is all there is.
    """
    log = path.with_name(f"{path.name}-wal")
    is_whole = not log.exists() or log.stat().st_size == 0
    uri = f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if is_whole else ''}"
    return sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _server(url: str) -> Engine:
    engine = server_engine(url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _read_only(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
        connection.commit()

    return engine


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFinding:
    """A finding in one audit, by its names."""

    fingerprint: str
    finding: str
    identity_name: str
    harm_name: str
    blocking: bool


def models_with(database: Database, fingerprint: str) -> tuple[str, ...]:
    """Return the models that had a finding in any of their audits, by name."""
    wanted = (
        select(AUDITS.c.model)
        .join(FINDINGS, FINDINGS.c.audit == AUDITS.c.id)
        .where(FINDINGS.c.fingerprint == fingerprint)
        .distinct()
        .order_by(AUDITS.c.model)
    )
    with database.read() as connection:
        return tuple(connection.execute(wanted).scalars())


def findings_of(
    database: Database, kept: Iterable[KeptAudit]
) -> dict[str, tuple[SeenFinding, ...]]:
    """Return the findings of some audits by the audits' ids, the most severe first."""
    ids = [audit.id for audit in kept]
    names = ("fingerprint", "finding", "identity_name", "harm_name", "blocking")
    wanted = (
        select(FINDINGS.c.audit, *(FINDINGS.c[name] for name in names))
        .where(FINDINGS.c.audit.in_(ids))
        .order_by(FINDINGS.c.severity.desc(), FINDINGS.c.finding)
    )
    found: dict[str, list[SeenFinding]] = {audit: [] for audit in ids}
    with database.read() as connection:
        for row in connection.execute(wanted):
            found[row.audit].append(SeenFinding(**{name: getattr(row, name) for name in names}))
    return {audit: tuple(own) for audit, own in found.items()}
