"""One database, SQLite or PostgreSQL, that many processes write and none corrupts."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import Pool

from audit.errors import OutputError, ResultError

APPLICATION_ID = 0x434C4150
"""Marks our SQLite files (``CLAP``): another program's database is never written."""

BUSY_SECONDS = 30.0
"""How long a writer waits for others before it gives up."""

WRITES = "clip_audit_writes"
"""Execution option of connections that will write."""

METADATA = MetaData()

VERSION = Table(
    "schema_version",
    METADATA,
    Column("only", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("tool", String(40), nullable=False),
)

TABLES = ("audit.store.tables",)
"""Modules whose tables every database has, whoever opens it first."""

Migration = Callable[[Connection], None]


def _first(connection: Connection) -> None:
    for module in TABLES:
        import_module(module)
    METADATA.create_all(connection)


MIGRATIONS: tuple[Migration, ...] = (_first,)
"""One step for each version, in order; a step is never changed after a release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An opened database whose tables are those of this version."""

    engine: Engine
    where: str
    """The file or URL, without a password, for messages."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes; it is kept whole or not at all.

        Raises
        ------
        OutputError
            If the database stays locked, the disk is full, or it cannot be written.
        """
        try:
            with _writing(self.engine) as connection:
                if connection.dialect.name == "postgresql":
                    wait = f"SET LOCAL lock_timeout = '{int(BUSY_SECONDS * 1000)}ms'"
                    connection.execute(text(wait))
                    connection.execute(text("LOCK TABLE schema_version IN EXCLUSIVE MODE"))
                yield connection
        except DBAPIError as error:
            raise _written(self.where, error) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a consistent view.

        Raises
        ------
        ResultError
            If the database is damaged.
        """
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise _damaged(self.where, error) from error

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def open_database(where: Path | str) -> Database:
    """Open, and where needed create or bring up to date, the database of a store.

    Parameters
    ----------
    where : path or str
        A SQLite file, or a URL such as ``postgresql+psycopg://user@host/name``.

    Returns
    -------
    Database

    Raises
    ------
    OutputError
        If it cannot be created or written.
    ResultError
        If it is damaged, somebody else's, or of a newer version.
    """
    is_url = isinstance(where, str) and "://" in where
    engine = server_engine(str(where)) if is_url else _file(Path(where))
    database = Database(engine=engine, where=told(engine, where))
    try:
        _migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def told(engine: Engine, where: Path | str) -> str:
    """Name a database in messages: its file, or its URL without a password."""
    is_url = isinstance(where, str) and "://" in where
    return engine.url.render_as_string(hide_password=True) if is_url else str(where)


def server_engine(url: str, *, poolclass: type[Pool] | None = None) -> Engine:
    """Return the engine of a database server; nothing is asked of it yet.

    Raises
    ------
    OutputError
        If the URL cannot be used, or its driver is not installed.
    """
    try:
        return create_engine(
            url, pool_pre_ping=True, isolation_level="READ COMMITTED", poolclass=poolclass
        )
    except (SQLAlchemyError, ImportError) as error:
        raise OutputError(
            "A store must be a folder, or a database URL such as "
            f"postgresql+psycopg://user@host/name; the URL given could not be used: {error}. "
            "PostgreSQL needs `pip install clip-bias-audit[postgres]`.",
        ) from None


def _file(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        # The driver must not open transactions behind our back: see _begin.
        connection.isolation_level = None
        _use_wal(connection)
        for pragma in ("synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A reader that turns writer could fail halfway; one that says so at once waits its turn.
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection


def _use_wal(connection: Any) -> None:
    """Switch to a write-ahead log once; SQLite does not wait for others when it switches."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _migrate(database: Database) -> None:
    """Bring the tables up to date under the write lock, so that two first starts do not race."""
    try:
        with _writing(database.engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPLICATION_ID}
                )
            version = schema_version(connection, database.where)
            for number, step in enumerate(MIGRATIONS, start=1):
                if number > version:
                    step(connection)
            if version == 0:
                connection.execute(
                    insert(VERSION).values(only=1, version=len(MIGRATIONS), tool="clip-audit")
                )
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            elif version < len(MIGRATIONS):
                connection.execute(VERSION.update().values(version=len(MIGRATIONS)))
    except OperationalError as error:
        raise _written(database.where, error) from error
    except DBAPIError as error:
        raise _damaged(database.where, error) from error


def schema_version(connection: Connection, where: str) -> int:
    """Return the version of the tables; 0 where there are none.

    Raises
    ------
    ResultError
        If they are another program's, or a newer version's.
    """
    names = inspect(connection).get_table_names()
    if VERSION.name not in names:
        if names:
            raise ResultError(
                f"The database of a store must be clip-audit's own; {where} has tables of "
                "another program. Choose another place."
            )
        return 0
    row = connection.execute(select(VERSION.c.version, VERSION.c.tool)).first()
    if row is None or row.tool != "clip-audit":
        raise ResultError(
            f"The database of a store must be clip-audit's own; {where} is not. Choose another "
            "place."
        )
    if row.version > len(MIGRATIONS):
        raise ResultError(
            f"The store {where} was written by a newer clip-audit (tables {row.version}, this one "
            f"knows {len(MIGRATIONS)}). Use that version."
        )
    return int(row.version)


def _written(where: str, error: DBAPIError) -> Exception:
    said = str(error.orig)
    if "locked" in said or "busy" in said or "lock timeout" in said:
        return OutputError(
            f"The store {where} must be free to write within {BUSY_SECONDS:.0f} seconds; another "
            "process holds it. Try again when that has ended.",
        )
    if "full" in said:
        return OutputError(f"The disk that holds {where} is full. Free some space and try again.")
    if "malformed" in said or "not a database" in said:
        return _damaged(where, error)
    return OutputError(
        f"The store {where} must be writable; it gave: {said}. Nothing was half-written."
    )


def _damaged(where: str, error: DBAPIError) -> ResultError:
    return ResultError(
        f"The index of a store must be readable; {where} gave: {error.orig}. The audit folders "
        "are the truth: move the index away and run `clip-audit store reindex`."
    )
