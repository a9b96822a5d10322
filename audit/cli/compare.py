"""``clip-audit compare``: what changed from one audit to the next."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import click

from audit.cli.printing import say
from audit.compare import MARGIN, compare
from audit.compare_record import STATES, ChangeRecord, CompareRecord
from audit.compare_tables import Compared, read_compared
from audit.errors import ResultError
from audit.folder import result_path, write_file
from audit.results import AuditResult, read_result
from reports.names import Names

QUIET = {"unchanged", "unclear"}
"""States that are only counted unless all are wanted."""

FAIL_ON = ("none", "new", "worse", "any")


@click.command("compare")
@click.argument("audits", nargs=-1, required=True, type=click.Path(path_type=Path, exists=False))
@click.option("--margin", type=click.FloatRange(min=0), default=MARGIN, show_default=True,
              metavar="SD", help="Changes that certainly lie within are none.")  # fmt: skip
@click.option("--allow-incomparable", is_flag=True,
              help="Compare what both have, even where their inputs differ.")  # fmt: skip
@click.option("--all", "every", is_flag=True,
              help="List unchanged and unclear contrasts too.")  # fmt: skip
@click.option("--fail-on", type=click.Choice(FAIL_ON), default="none", show_default=True,
              help="Exit with 1 on a new contrast, on a new or worse one, or on any change.",
              )  # fmt: skip
@click.option("--format", "form", type=click.Choice(("text", "json", "markdown")), default="text",
              show_default=True)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              help="File instead of standard output.")  # fmt: skip
@click.pass_context
def compare_audits(
    context: click.Context,
    audits: tuple[Path, ...],
    margin: float,
    allow_incomparable: bool,
    every: bool,
    fail_on: str,
    form: str,
    output: Path | None,
) -> None:
    """Say what is new, fixed, worse, better or unchanged from one of AUDITS to the next.

    Effects are compared over the same stimuli, cluster by cluster, each in control standard
    deviations of its own audit. Where the inputs differ the command says which and ends with 3.
    """
    if len(audits) < 2:
        raise click.UsageError("A comparison needs two audits at least, the earlier one first.")
    read = [_read(audit) for audit in audits]
    compared = [
        compare(one, other, margin=margin, allow_incomparable=allow_incomparable)
        for one, other in pairwise(read)
    ]
    lines = [line for record in compared for line in _told(record, read[-1].result, form, every)]
    if output is None:
        for line in lines:
            say(line)
    else:
        write_file(output, "".join(f"{line}\n" for line in lines).encode())
        say(str(output))
    context.exit(max(_code(record, fail_on) for record in compared))


def _read(audit: Path) -> Compared:
    path = result_path(audit)
    if not audit.is_dir():
        raise ResultError(
            f"A comparison needs audit folders, with the scores beside the result; got {audit}. "
            "Give the folder."
        )
    return read_compared(audit, read_result(path))


def _code(record: CompareRecord, fail_on: str) -> int:
    if record.changes and record.count("not comparable") == len(record.changes):
        return 3
    bad = {"none": (), "new": ("new",), "worse": ("new", "worse"),
           "any": ("new", "fixed", "worse", "better", "unclear")}[fail_on]  # fmt: skip
    return int(any(change.state in bad for change in record.changes))


def _told(record: CompareRecord, result: AuditResult, form: str, every: bool) -> Iterator[str]:
    if form == "json":
        yield from record.model_dump_json(indent=1).splitlines()
        return
    names = Names(inputs=result.inputs)
    shown = [change for change in record.changes if every or change.state not in QUIET]
    yield from (_markdown if form == "markdown" else _lines)(record, shown, names)


def _lines(record: CompareRecord, shown: Sequence[ChangeRecord], names: Names) -> Iterator[str]:
    yield _heading(record)
    yield _counts(record)
    for sentence in (*record.incomparable, *record.notes):
        yield f"  Note: {sentence}"
    for change in shown:
        yield f"  {change.state:<14} {_title(change, names)}"
        yield f"  {'':<14} {names.sentence(change.sentence)}"


def _markdown(record: CompareRecord, shown: Sequence[ChangeRecord], names: Names) -> Iterator[str]:
    yield f"### {_heading(record)}"
    yield ""
    yield _counts(record)
    yield ""
    for sentence in (*record.incomparable, *record.notes):
        yield f"> {sentence}"
        yield ""
    if shown:
        yield "| | contrast | what changed |"
        yield "|---|---|---|"
    for change in shown:
        cells = (change.state, _title(change, names), names.sentence(change.sentence))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _heading(record: CompareRecord) -> str:
    same = " (the same weights)" if record.same_model else ""
    return (
        f"{record.before.model}, {record.before.started:%Y-%m-%d}, and then "
        f"{record.after.model}, {record.after.started:%Y-%m-%d}{same}"
    )


def _counts(record: CompareRecord) -> str:
    counts = [f"{record.count(state)} {state}" for state in STATES if record.count(state)]
    return f"{len(record.changes)} contrasts: {', '.join(counts) or 'none to compare'}."


def _title(change: ChangeRecord, names: Names) -> str:
    return (
        f"{change.finding} {change.severity.name.lower()} {names.concept(change.identity)} and "
        f"{names.concept(change.harm)} ({change.arm})"
    )
