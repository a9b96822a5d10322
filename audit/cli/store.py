"""``clip-audit store``: keep audits, look at them, verify them, let them go."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from audit.cli.printing import note, say
from audit.store.adding import keep, remove_source
from audit.store.exporting import export_audits, export_store, find_audit
from audit.store.history import KeptAudit, audits
from audit.store.index import create_store, open_store
from audit.store.index import reindex as make_index_again
from audit.store.place import STORE_VARIABLE, is_store, store_folder
from audit.store.retention import Policy
from audit.store.retention import prune as let_go
from audit.store.verifying import verify_store

Command = Callable[..., Any]


def store_option(command: Command) -> Command:
    """Add ``--store``; the command gets its folder as ``place``."""
    return click.option(
        "--store",
        "place",
        type=click.Path(path_type=Path, file_okay=False),
        default=store_folder,
        help=f"Folder of the store.  [default: {STORE_VARIABLE}, else the user's data folder]",
    )(command)


@click.group()
def store() -> None:
    """Keep audits: folders are the truth, a chain tells what happened to them."""


@store.command()
@store_option
@click.option("--index", default="", metavar="URL",
              help="Database URL of the index, without password.  [default: a file]")  # fmt: skip
def init(place: Path, index: str) -> None:
    """Make a store."""
    there = is_store(place)
    create_store(place, index).close()
    say(f"{place} {'is a store already' if there else 'is a store now'}.")
    say("Next: clip-audit store add AUDIT")


@store.command()
@click.argument("folders", metavar="AUDIT...", nargs=-1, required=True,
                type=click.Path(path_type=Path, exists=False))  # fmt: skip
@store_option
@click.option("--move", is_flag=True, help="Remove each folder once the store has it.")
def add(folders: tuple[Path, ...], place: Path, move: bool) -> None:
    """Put audit folders into the store, which is made where there is none.

    Each is copied, verified and recorded, or not added at all. Adding one again changes nothing.
    """
    with create_store(place) as opened:
        for folder in folders:
            kept = keep(folder, opened)
            say(f"{kept.state:<14} {kept.folder}")
            if move and not remove_source(folder, kept):
                note(f"Note: {folder} stays: the store's copy of it is another, or it is the copy.")
        head = kept.record
    say(f"Record {head.n} of the chain: {head.digest}")


@store.command("list")
@store_option
@click.option("--model", default=None, help="Name, or digest of the weights.")
def list_audits(place: Path, model: str | None) -> None:
    """List the audits, the earliest kept first."""
    with open_store(place) as opened:
        own = audits(opened.database, model=model)
    for audit in own:
        say(f"{audit.folder}  {audit.model}  {audit.plan}  {told(audit)}")
    if not own:
        say(f"No audits{f' of {model}' if model else ''} in {place}.")


@store.command()
@click.argument("name", metavar="AUDIT")
@store_option
def show(name: str, place: Path) -> None:
    """Show one audit, named by its folder or the first digits of its id."""
    with open_store(place) as opened:
        audit = find_audit(opened, name)
        folder = opened.audits / audit.folder
    say(audit.title, bold=True)
    for label, value in _facts(audit, folder):
        say(f"{label:<9} {value}")
    say(f"Next: clip-audit verify {folder}")


@store.command()
@store_option
@click.option("--head", default="", metavar="DIGEST",
              help="A record that you noted down: the chain must still have it.")  # fmt: skip
@click.pass_context
def verify(context: click.Context, place: Path, head: str) -> None:
    """Check every file, the chain and the index; exit with 3 where something is wrong."""
    found = verify_store(place, head=head)
    for problem in found.problems:
        say(f"  Problem: {problem}")
    for sentence in found.notes:
        say(f"  Note: {sentence}")
    said = "complete and unchanged" if found.holds else "NOT as it was"
    say(f"{place} is {said}: {found.audits} audits, {found.records} records.")
    say(f"Head of the chain: {found.head or 'none'}")
    context.exit(0 if found.holds else 3)


@store.command()
@store_option
def reindex(place: Path) -> None:
    """Make the index again from the folders and the chain."""
    told_of = make_index_again(place)
    for sentence in told_of:
        say(f"  Note: {sentence}")
    with open_store(place) as opened:
        say(f"{place}: {len(audits(opened.database))} audits in the index.")


@store.command()
@store_option
@click.option("--keep-last", type=click.IntRange(min=0), metavar="N",
              help="Keep so many audits of each model and plan.")  # fmt: skip
@click.option("--keep-days", type=click.FloatRange(min=0), metavar="DAYS",
              help="Keep audits that finished within so many days.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Do it; without this, only tell what would be done.")
def prune(place: Path, keep_last: int | None, keep_days: float | None, yes: bool) -> None:
    """Let go of audits that neither rule keeps.

    Signed audits stay, and so do the last that passed and the last that failed of every model and
    plan. The chain keeps what was removed and why.
    """
    policy = Policy(keep_last=keep_last, keep_days=keep_days)
    with open_store(place) as opened:
        decisions = let_go(opened, policy, dry_run=not yes)
    for decision in decisions:
        word = ("removed" if yes else "would go") if decision.removed else "stays"
        say(f"{word:<9} {decision.audit.folder}  ({decision.reason})")
    gone = sum(decision.removed for decision in decisions)
    size = sum(d.audit.size for d in decisions if d.removed)
    say(f"{gone} of {len(decisions)} audits, {size / 1e6:.1f} MB{'' if yes else ': a dry run'}.")
    if gone and not yes:
        say("Next: the same with --yes")


@store.command()
@click.argument("names", metavar="[AUDIT]...", nargs=-1)
@store_option
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder to write to; a new one for a whole store.")  # fmt: skip
def export(names: tuple[str, ...], place: Path, out: Path) -> None:
    """Copy audits out of the store, verified; without names a whole store, as a backup."""
    with open_store(place) as opened:
        if not names:
            say(f"{export_store(opened, out)} is a store.")
            return
        wanted = {audit.id: audit for audit in (find_audit(opened, name) for name in names)}
        for path in export_audits(opened, wanted.values(), out):
            say(str(path))


def told(audit: KeptAudit) -> str:
    """Tell an audit's answer and gate in a few words."""
    counts = ", ".join(
        f"{number} {word}"
        for word, number in (
            ("critical", audit.critical),
            ("high", audit.high),
            ("medium", audit.medium),
            ("low", audit.low),
        )
        if number
    )
    gate = f"gate {audit.gate}" if audit.fail_on != "none" or not audit.passed else "no gate"
    doubt = "" if audit.trustworthy else ", NOT to be trusted"
    answer = counts or audit.verdict.replace("_", " ")
    return f"{answer}; {gate}{doubt}{', signed' if audit.signed else ''}"


def _facts(audit: KeptAudit, folder: Path) -> tuple[tuple[str, str], ...]:
    return (
        ("Folder", str(folder)),
        ("Model", audit.model),
        ("Weights", audit.weights_digest or "not seen"),
        ("Plan", f"{audit.plan} ({audit.plan_digest})"),
        ("Started", f"{audit.started:%Y-%m-%d %H:%M:%S} UTC"),
        ("Finished", f"{audit.finished:%Y-%m-%d %H:%M:%S} UTC"),
        ("Answer", told(audit)),
        ("Result", audit.digest),
        ("Id", audit.id),
        ("Record", f"{audit.position} of the chain"),
        ("Tool", f"clip-audit {audit.tool}"),
        ("Size", f"{audit.size / 1e6:.1f} MB"),
    )
