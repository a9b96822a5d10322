"""``clip-audit schedule``: audits that repeat."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np

from audit.cli.ending import exit_code
from audit.cli.printing import note, say
from audit.conclude import trustworthy
from audit.errors import OutputError
from audit.folder import write_file
from audit.results import AuditResult
from audit.schedule.channels import surroundings
from audit.schedule.child import run_child
from audit.schedule.desk import Desk, Keep
from audit.schedule.exports import EXPORTS, Tick
from audit.schedule.exports.clock import longest
from audit.schedule.file import FILE, Schedules, read_schedules
from audit.schedule.lease import Owner, this_process
from audit.schedule.ledger import Run
from audit.schedule.loop import keep_ticking
from audit.schedule.outbox import deliver
from audit.schedule.outcome import reader
from audit.schedule.standing import Standing, standings
from audit.schedule.states import State
from audit.schedule.tables import open_schedule
from audit.schedule.tick import run_due as tick_once
from audit.schedule.transient import is_transient
from audit.schedule.triggers import watch
from audit.store.adding import keep, remove_source
from audit.store.index import open_store
from audit.store.place import STORE_VARIABLE, is_store, store_folder

Command = Callable[..., Any]
WORST = (3, 2, 1, 4, 0)
"""Exit codes, the one that says most first."""

STALE = 4


def schedules_option(command: Command) -> Command:
    """Add ``--schedules``."""
    return click.option(
        "--schedules", "path", type=click.Path(path_type=Path, dir_okay=False), default=FILE,
        show_default=True, help="Schedule file (TOML).",
    )(command)  # fmt: skip


def store_option(command: Command) -> Command:
    """Add ``--store``; the command gets None where the schedule file may name it."""
    return click.option(
        "--store", "place", type=click.Path(path_type=Path, file_okay=False), default=None,
        help="Folder of the store.  [default: the one that the schedule file names, else "
        f"{STORE_VARIABLE}, else the user's data folder]",
    )(command)  # fmt: skip


def now_option(command: Command) -> Command:
    """Add ``--now``."""
    return click.option(
        "--now", type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]),
        default=None, help="Time in UTC that counts as now.  [default: the clock's]",
    )(command)  # fmt: skip


@click.group()
def schedule() -> None:
    """Audits that repeat: what is due is run once, whatever clock calls and however often."""


@schedule.command("run-due")
@schedules_option
@store_option
@now_option
@click.pass_context
def run_due(context: click.Context, path: Path, place: Path | None, now: datetime | None) -> None:
    """Run what is due, once. Call it from any clock, twice at once or after a week.

    Exits with the code that says most of the audits that it ended: 3, 2, 1, 4, 0.
    """
    ended = _tick(path, place, _clock(now), this_process())
    context.exit(worst_code(ended))


@schedule.command("run")
@click.argument("name", metavar="ID")
@schedules_option
@store_option
@click.pass_context
def run_now(context: click.Context, name: str, path: Path, place: Path | None) -> None:
    """Run one schedule now, whatever the hour; it also starts afresh after a clock went back."""
    ended = _tick(path, place, _clock(None), this_process(), only=(name,), forced=True)
    context.exit(worst_code(ended))


@schedule.command()
@schedules_option
@store_option
@click.option("--every", type=click.IntRange(1, 3600), default=60, show_default=True,
              help="Seconds between two ticks.")  # fmt: skip
def daemon(path: Path, place: Path | None, every: int) -> None:
    """Tick until SIGTERM or Ctrl-C, which stop a running audit; the next start goes on."""
    owner = this_process()
    read_schedules(path)

    def tick() -> None:
        _tick(path, place, _clock(None), owner)

    keep_ticking(tick, time.sleep, note, every=timedelta(seconds=every))


@schedule.command("list")
@schedules_option
@store_option
@now_option
def list_schedules(path: Path, place: Path | None, now: datetime | None) -> None:
    """List schedules: state of the last run, when it was, and what is due next."""
    for one in _standings(path, place, now):
        due = "off" if not one.schedule.enabled else one.next_text
        say(f"{one.schedule.id}  {one.schedule.timing}")
        say(f"  last: {one.last_text}")
        say(f"  next: {due}")


@schedule.command()
@schedules_option
@store_option
@now_option
@click.pass_context
def check(context: click.Context, path: Path, place: Path | None, now: datetime | None) -> None:
    """Check the schedule file, and whether every audit is as recent as its schedule promises.

    Exits with 2 for a file that is wrong and 4 where an audit is too old. Run it from somewhere
    that does not die with the scheduler.
    """
    found = [one for one in _standings(path, place, now) if one.schedule.enabled]
    for one in found:
        say(f"{'stale' if one.freshness.stale else 'fresh'}  {one.freshness.sentence}")
    context.exit(STALE if any(one.freshness.stale for one in found) else 0)


@schedule.command()
@click.option("--to", "clock", type=click.Choice(tuple(EXPORTS)), required=True)
@schedules_option
@store_option
@click.option("--minutes", type=click.Choice(("1", "5", "10", "15", "30")), default="15",
              show_default=True, help="Between two calls.")  # fmt: skip
@click.option("--program", default="", help="Path of clip-audit.  [default: where it is here]")
@click.option("--image", default="clip-audit:latest", show_default=True,
              help="Container image, for kubernetes.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, file_okay=False),
              help="Folder that gets the files.  [default: standard output]")  # fmt: skip
def export(
    clock: str, path: Path, place: Path | None, minutes: str, program: str, image: str,
    output: Path | None,
) -> None:  # fmt: skip
    """Write what an outside clock needs to call run-due."""
    book = read_schedules(path)
    tick = Tick(
        program=program or shutil.which("clip-audit") or "clip-audit",
        schedules=str(path if clock == "github-actions" else path.absolute()),
        store=str(_place(book, place).absolute()),
        minutes=int(minutes),
        limit=longest(book),
        image=image,
    )
    for name, text in EXPORTS[clock](tick).items():
        if output is None:
            click.echo(text, nl=False)
        else:
            _write(output / name, text)


@schedule.command(hidden=True, context_settings={"ignore_unknown_options": True})
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def attempt(context: click.Context, report: Path, arguments: tuple[str, ...]) -> None:
    """Run a command, and write beside it why it ended early: a scheduler asks whether to retry."""
    root = context.find_root().command
    sys.argv[1:] = arguments
    try:
        with root.make_context("clip-audit", list(arguments)) as inside:
            root.invoke(inside)
    except click.exceptions.Exit:
        raise
    except Exception as error:
        told = {"error": type(error).__name__, "why": str(error), "transient": is_transient(error)}
        # Where even this cannot be written, the exit code still tells that it failed.
        write_report(report, told)
        raise


def write_report(path: Path, told: dict[str, Any]) -> None:
    """Write why a command ended; a disk that is full then says so by its absence."""
    try:
        path.write_text(json.dumps(told), encoding="utf-8")
    except OSError as error:
        note(f"Note: {path} could not be written: {error.strerror}.")


def worst_code(ended: Sequence[Run]) -> int:
    """Return the exit code that says most; what goes on later counts as not completed."""
    last = {run.id: run.state for run in ended}
    codes = {_CODES[state] for state in last.values()}
    return next((code for code in WORST if code in codes), 0)


_CODES = {
    **dict.fromkeys(State, 3),
    State.PASSED: 0,
    State.GATE_FAILED: 1,
    State.EVIDENCE_MISSING: 4,
}


def _tick(
    path: Path,
    place: Path | None,
    clock: Callable[[], datetime],
    owner: Owner,
    *,
    only: tuple[str, ...] = (),
    forced: bool = False,
) -> tuple[Run, ...]:
    book = read_schedules(path)
    where = _place(book, place)
    base = open_schedule(where)

    def post() -> None:
        for trouble in deliver(base, book, surroundings(book.home), clock()):
            note(f"Note: {trouble}")

    try:
        desk = Desk(
            base=base, place=where, book=book, owner=owner, clock=clock, runner=run_child, say=note,
            read=reader(_code_of), watch=watch, keep=_keep(where), tidy=_tidy(where), post=post,
            rng=np.random.default_rng(), only=only,
        )  # fmt: skip
        ended = tick_once(desk, forced=forced)
        for run in ended:
            say(f"{run.schedule}: {run.state.value}. {run.why or run.folder}".rstrip())
    finally:
        base.close()
    return ended


def _standings(path: Path, place: Path | None, now: datetime | None) -> tuple[Standing, ...]:
    book = read_schedules(path)
    where = _place(book, place)
    if not is_store(where):
        return standings(None, book, _clock(now)())
    base = open_schedule(where)
    try:
        return standings(base, book, _clock(now)())
    finally:
        base.close()


def _keep(place: Path) -> Keep:
    def into_store(folder: Path) -> Path:
        with open_store(place) as store:
            kept = keep(folder, store)
        return kept.folder

    return into_store


def _tidy(place: Path) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        with open_store(place) as store:
            remove_source(folder, keep(folder, store))

    return remove


def _code_of(result: AuditResult) -> int:
    return exit_code(result.gate, trustworthy(result.arms))


def _place(book: Schedules, given: Path | None) -> Path:
    if given is not None:
        return given
    return book.home / book.store if book.store else store_folder()


def _clock(now: datetime | None) -> Callable[[], datetime]:
    """Return the clock, or one that starts at a given time."""
    if now is None:
        return lambda: datetime.now(UTC)
    began = time.monotonic()
    return lambda: now.replace(tzinfo=UTC) + timedelta(seconds=time.monotonic() - began)


def _write(path: Path, text: str) -> None:
    try:
        os.makedirs(path.parent, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder must be writable; {path.parent} gave: {error.strerror}. Choose another."
        ) from None
    write_file(path, text.encode())
    say(str(path))
