"""Notices wait in a table until they were delivered; an audit never waits for them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from audit.schedule.channels import Notice, Surroundings, call, send
from audit.schedule.errors import NoticeError
from audit.schedule.file import Channel, Schedule, Schedules
from audit.schedule.tables import OUTBOX
from audit.store.database import Database

PING = "ping"
"""Channel of the dead man's switch: an address of the schedule, called without a body."""

MOST_TRIES = 12
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)

Pending = Literal["pending", "sent", "given up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice for one channel."""

    key: str
    schedule: str
    channel: str
    event: str
    body: str


def put(connection: Connection, letters: Iterable[Letter], now: datetime) -> None:
    """Add notices in the transaction that records what they tell; each key once."""
    for letter in letters:
        known = select(OUTBOX.c.id).where(OUTBOX.c.key == letter.key)
        if connection.execute(known).first() is None:
            connection.execute(
                insert(OUTBOX).values(
                    key=letter.key, schedule=letter.schedule, channel=letter.channel,
                    event=letter.event, body=letter.body, state="pending", created=now,
                    retry_at=now,
                )
            )  # fmt: skip


Post = Callable[[Schedules, Letter, Surroundings], None]
"""Delivers one letter, or raises `NoticeError`."""


def post(book: Schedules, letter: Letter, around: Surroundings) -> None:
    """Deliver a letter by its channel.

    Raises
    ------
    NoticeError
        If it was not accepted, or the schedule file has no such channel any more.
    """
    if letter.channel == PING:
        schedule = _find(book, letter.schedule)
        call(around.secret(schedule.ping_env, schedule.ping_file, "ping address"))
        return
    channels: Mapping[str, Channel] = {one.id: one for one in book.channels}
    if letter.channel not in channels:
        raise NoticeError("The schedule file has no such channel any more.")
    notice = Notice(key=letter.key, event=letter.event, body=letter.body)
    send(channels[letter.channel], notice, around)


def deliver(
    base: Database, book: Schedules, around: Surroundings, now: datetime, *, by: Post = post
) -> tuple[str, ...]:
    """Try every notice whose time has come.

    Parameters
    ----------
    base : Database
    book : Schedules
    around : Surroundings
        Where addresses are looked up.
    now : datetime
    by : callable
        What delivers.

    Returns
    -------
    tuple of str
        A sentence for each that was not delivered; it holds neither address nor secret.
    """
    with base.read() as connection:
        waiting = connection.execute(
            select(OUTBOX).where(OUTBOX.c.state == "pending").order_by(OUTBOX.c.id)
        ).all()
    troubles = []
    for row in waiting:
        if row.retry_at > now and row.retry_at - now <= LONGEST_WAIT:
            continue
        tries = row.tries + 1
        if not _claimed(base, row.id, row.tries, now + _wait(tries)):
            continue
        letter = Letter(key=row.key, schedule=row.schedule, channel=row.channel,
                        event=row.event, body=row.body)  # fmt: skip
        try:
            by(book, letter, around)
        except NoticeError as error:
            gave_up = tries >= MOST_TRIES
            _mark(base, row.id, {"state": "given up" if gave_up else "pending",
                                 "trouble": str(error)})  # fmt: skip
            end = " It is not tried again." if gave_up else ""
            troubles.append(f"A notice of {row.schedule} to {row.channel}: {error}{end}")
        else:
            _mark(base, row.id, {"state": "sent", "sent": now, "trouble": ""})
    return tuple(troubles)


def _claimed(base: Database, number: int, tries: int, retry_at: datetime) -> bool:
    """Take one notice for this try, so that two ticks do not both send it."""
    with base.write() as connection:
        taken = connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.id == number, OUTBOX.c.tries == tries, OUTBOX.c.state == "pending")
            .values(tries=tries + 1, retry_at=retry_at)
        )
        return taken.rowcount == 1


def _mark(base: Database, number: int, values: dict[str, object]) -> None:
    with base.write() as connection:
        connection.execute(update(OUTBOX).where(OUTBOX.c.id == number).values(**values))


def _wait(tries: int) -> timedelta:
    doubled: timedelta = FIRST_WAIT * (2 ** (tries - 1))
    return min(doubled, LONGEST_WAIT)


def _find(book: Schedules, name: str) -> Schedule:
    found = next((one for one in book.schedules if one.id == name), None)
    if found is None or not (found.ping_env or found.ping_file):
        raise NoticeError("The schedule file has no such ping any more.")
    return found
