"""Tables of the schedule: what was seen, what was run, what is still to be told."""

from pathlib import Path

from sqlalchemy import (
    Column,
    Engine,
    Integer,
    String,
    Table,
    UniqueConstraint,
    inspect,
)

from audit.errors import OutputError
from audit.store.database import METADATA, Database, open_database
from audit.store.place import make_store, read_settings
from audit.store.tables import Moment

DATABASE = "schedule.sqlite"
"""In the store's folder, apart from its index: the index can be thrown away, this cannot."""

SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("id", String, primary_key=True),
    Column("first_seen", Moment, nullable=False),
    Column("taken", Moment),
    Column("timing", String, nullable=False),
    Column("fingerprint", String, nullable=False, default=""),
    Column("told", String, nullable=False, default=""),
)
"""One row for each schedule ever seen; every slot up to ``taken`` was taken up."""

RUNS = Table(
    "scheduled_runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("schedule", String, nullable=False, index=True),
    Column("slot", Moment, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("retry_at", Moment),
    Column("started", Moment),
    Column("finished", Moment),
    Column("exit_code", Integer),
    Column("error", String, nullable=False, default=""),
    Column("why", String, nullable=False, default=""),
    Column("out", String, nullable=False, default=""),
    Column("folder", String, nullable=False, default=""),
    Column("stored", String, nullable=False, default=""),
    Column("owner", String, nullable=False, default=""),
    Column("place", String, nullable=False, default=""),
    Column("pid", Integer),
    Column("birth", String, nullable=False, default=""),
    Column("child", Integer),
    Column("child_birth", String, nullable=False, default=""),
    Column("heartbeat", Moment),
    Column("expires", Moment),
    UniqueConstraint("schedule", "slot"),
)
"""One row for each slot that was taken up, with the lease of who runs it."""

OUTBOX = Table(
    "schedule_outbox",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("schedule", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("event", String, nullable=False),
    Column("body", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("tries", Integer, nullable=False, default=0),
    Column("created", Moment, nullable=False),
    Column("retry_at", Moment, nullable=False),
    Column("sent", Moment),
    Column("trouble", String, nullable=False, default=""),
)
"""Notices, with neither address nor secret; ``channel`` is the id in the schedule file."""

TABLES = (SCHEDULES, RUNS, OUTBOX)


def open_schedule(place: Path) -> Database:
    """Open the schedule's database of a store; store and database are made where there is none.

    A store whose index is a database server keeps its schedule there too, so that several machines
    share it; any other has a file of its own beside the index, and does not ask whether the index
    is sound: audits are run, and wait beside the store until it is.

    Parameters
    ----------
    place : Path
        Folder of the store.

    Raises
    ------
    PlanError
        If the folder holds other things than a store.
    OutputError
        If something cannot be created or written.
    ResultError
        If something is damaged or somebody else's.
    """
    make_store(place)
    index = read_settings(place).index
    base = open_database(index if "://" in index else place / DATABASE)
    try:
        _complete(base)
    except BaseException:
        base.close()
        raise
    return base


def _complete(base: Database) -> None:
    """Add tables that are missing where the database was made by a command without schedules."""
    if _missing(base.engine):
        with base.write() as connection:
            METADATA.create_all(connection, tables=list(TABLES))
        if _missing(base.engine):
            raise OutputError(f"The tables of the schedule could not be made in {base.where}.")


def _missing(engine: Engine) -> bool:
    there = set(inspect(engine).get_table_names())
    return any(table.name not in there for table in TABLES)
