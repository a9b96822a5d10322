"""``clip-audit serve``: the history of a store in a browser, on this machine, read-only."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType

import click

from audit.cli.printing import say
from audit.cli.serve_http import Server, loopback_address
from audit.cli.serve_pages import answer
from audit.cli.serve_sources import Sources
from audit.errors import PlanError
from audit.schedule.file import read_schedules
from audit.store.freshness import parse_age
from audit.store.place import read_settings, store_folder
from audit.waivers import read_waivers

PORT = 8765


@click.command()
@click.argument("place", metavar="[STORE]", required=False, default=store_folder,
                type=click.Path(path_type=Path, file_okay=False))  # fmt: skip
@click.option("--schedules", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="Schedule file (TOML): what is due, and what is overdue.")  # fmt: skip
@click.option("--waivers", type=click.Path(path_type=Path, dir_okay=False), multiple=True,
              help="Waiver file (TOML), beside those that the schedules name; more than one is "
              "possible.")  # fmt: skip
@click.option("--max-age", default="", metavar="AGE",
              help="How old the last audit of a model may be that no schedule audits, such as "
              "90d.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True,
              help="0 picks a free one.")  # fmt: skip
@click.option("--bind", default="127.0.0.1", show_default=True, help="A loopback address.")
def serve(
    place: Path,
    schedules: Path | None,
    waivers: tuple[Path, ...],
    max_age: str,
    port: int,
    bind: str,
) -> None:
    """Show the history of STORE in a browser on this machine, until Ctrl-C or SIGTERM.

    Pages are read-only and made from the store whenever one is opened, so that new audits appear.
    Models, trends, the life of every finding, overdue schedules, waivers that end. They work
    without JavaScript and load nothing from elsewhere.
    """
    host = loopback_address(bind)
    limit = parse_age(max_age) if max_age else None
    read_settings(place)
    if schedules is not None:
        read_schedules(schedules)
    for path in waivers:
        read_waivers(path)
    sources = Sources(
        place=place, clock=lambda: datetime.now(UTC), schedules=schedules, waivers=waivers,
        max_age=limit,
    )  # fmt: skip
    with _listening(host, port, sources) as server, _stopped_by_sigterm():
        say(f"{place} is shown at {server.url} on this machine. Ctrl-C ends it.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("Ended.")


@contextmanager
def _listening(host: str, port: int, sources: Sources) -> Iterator[Server]:
    try:
        server = Server(host, port, partial(answer, sources))
    except (OSError, OverflowError) as error:
        raise PlanError(
            f"The address must be free for this process to listen at; {host}, port {port} gave: "
            f"{os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error}. "
            "Choose another with --port, 0 for any that is free."
        ) from None
    try:
        yield server
    finally:
        server.server_close()


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """End at SIGTERM as at Ctrl-C: to be ended is how a server ends, not an interruption."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
