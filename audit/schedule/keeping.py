"""A finished audit goes into the store before it is told of, and leaves its place after."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy import select, update

from audit.errors import OutputError, ResultError
from audit.schedule.desk import Desk
from audit.schedule.outcome import Audited
from audit.schedule.tables import RUNS

PENDING, KEPT = "pending", "kept"


def kept(desk: Desk, audit: Audited | None, name: str) -> tuple[Audited | None, str]:
    """Put an audit into the store, so that what is told names the folder that stays.

    The copy that the run made is still there: a process that dies now finds it again.

    Parameters
    ----------
    desk : Desk
    audit : Audited or None
    name : str
        Id of the schedule, for messages.

    Returns
    -------
    tuple of Audited and str
        The audit where it lies now, and whether the store has it; empty without store or audit.
    """
    if audit is None or desk.keep is None:
        return audit, ""
    folder = _put(desk, audit.folder, name)
    return (audit, PENDING) if folder is None else (replace(audit, folder=folder), KEPT)


def tidy(desk: Desk, folder: Path, name: str) -> None:
    """Remove the copy that a run made, once it is written down that the store has the audit."""
    try:
        desk.tidy(folder)
    except (OutputError, ResultError) as error:
        desk.say(f"{name}: {error}")


def keep_finished(desk: Desk) -> None:
    """Try again to put audits into the store that could not be put before."""
    if desk.keep is None:
        return
    with desk.base.read() as connection:
        waiting = connection.execute(
            select(RUNS.c.id, RUNS.c.schedule, RUNS.c.folder).where(RUNS.c.stored == PENDING)
        ).all()
    for row in waiting:
        source = Path(row.folder)
        folder = _put(desk, source, row.schedule)
        if folder is None:
            continue
        with desk.base.write() as connection:
            connection.execute(
                update(RUNS).where(RUNS.c.id == row.id).values(stored=KEPT, folder=str(folder))
            )
        tidy(desk, source, row.schedule)


def _put(desk: Desk, folder: Path, name: str) -> Path | None:
    if desk.keep is None:
        return None
    try:
        return desk.keep(folder)
    except (OutputError, ResultError) as error:
        desk.say(f"{name}: the audit is not in the store yet: {error}")
        return None
