"""``clip-audit outcomes``: selection rates and impact ratios of decisions that you supply."""

import math
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from audit import __version__
from audit.cli.outcomes_file import Decisions, Grouping, read_decisions
from audit.cli.printing import note, say
from audit.errors import PlanError
from audit.folder import file_digest, write_file
from probes.outcomes import SMALL_SHARE, Outcomes, above_median, crossed, outcomes
from reports.as_outcomes import (
    WRITTEN,
    OutcomeDocument,
    OutcomeRow,
    OutcomeTable,
    about_template,
    read_about,
)
from reports.errors import ReportError
from reports.messages import ENGLISH, speaking

MISSING = 4
"""Exit code where a final edition lacks what only people can say."""

MOST_COLUMNS = 3


@click.command("outcomes")
@click.argument("decisions", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--category", "categories", multiple=True, metavar="COLUMN",
              help="Column with a category of each person; may be repeated.")  # fmt: skip
@click.option("--selected", metavar="COLUMN", help="Column that says who was selected.")
@click.option("--score", metavar="COLUMN", help="Column with scores, instead of --selected.")
@click.option("--unknown", multiple=True, metavar="WORD",
              help="Another word for a category that is not known; may be repeated.")  # fmt: skip
@click.option("--leave-out-small", is_flag=True,
              help="Leave categories under 2 % out of the ratios.")  # fmt: skip
@click.option("--about", type=click.Path(path_type=Path, dir_okay=False),
              help="What people say of the data (TOML).")  # fmt: skip
@click.option("--about-template", is_flag=True, help="Print a file for --about, and stop.")
@click.option("--public", is_flag=True, help="The summary to publish: one page, no intervals.")
@click.option("--final", is_flag=True,
              help="No draft: ends with 4 where a required field is empty.")  # fmt: skip
@click.option("--language", default=ENGLISH, show_default=True)
@click.option("--format", "form", type=click.Choice(list(WRITTEN)), default="text",
              show_default=True)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="File instead of standard output.")  # fmt: skip
@click.pass_context
def outcomes_of(context: click.Context, /, **asked: Any) -> None:
    """Compute the tables of New York City's Local Law 144 from DECISIONS (CSV).

    One row for each person; only counts leave the file. The rates are of decisions that you
    supply: an audit of a model's units and embeddings is no audit under that law, and the law asks
    for an independent auditor. Exits with 4 if --final was asked for and a field is empty.
    """
    if asked["about_template"]:
        click.echo(about_template(), nl=False)
        return
    try:
        with speaking(asked["language"]):
            document = _document(asked)
            if asked["final"] and document.missing():
                note(
                    "Error: a final edition needs what only people can say; not provided: "
                    f"{', '.join(document.missing())}. Fill them in with --about "
                    "(`clip-audit outcomes --about-template` prints a file), or leave --final out."
                )
                context.exit(MISSING)
            _write(document, WRITTEN[asked["form"]](document, public=asked["public"]), asked)
    except ReportError as error:
        raise PlanError(str(error)) from None


def _write(document: OutcomeDocument, text: str, asked: dict[str, Any]) -> None:
    if asked["out"] is not None:
        write_file(asked["out"], text.encode())
        say(str(asked["out"]))
    elif asked["form"] == "text":
        for line in text.splitlines():
            say(line)
    else:
        click.echo(text, nl=False)


def _document(asked: dict[str, Any]) -> OutcomeDocument:
    path, categories = asked["decisions"], tuple(dict.fromkeys(asked["categories"]))
    _require(path, categories, asked["selected"], asked["score"])
    read = read_decisions(
        path,
        categories=categories,
        selected=asked["selected"],
        score=asked["score"],
        unknown=asked["unknown"],
    )
    chosen = above_median(read.scores) if read.scores is not None else read.selected
    if chosen is None:
        raise TypeError("a file of decisions gave neither decisions nor scores")
    least = SMALL_SHARE if asked["leave_out_small"] else 0.0
    return OutcomeDocument(
        about=_about(asked["about"]),
        from_scores=read.scores is not None,
        median=None if read.scores is None else float(np.median(read.scores)),
        n_people=len(chosen),
        tables=tuple(_tables(read, chosen, least)),
        file_name=path.name,
        file_digest=file_digest(path),
        tool=f"clip-audit {__version__}",
        final=asked["final"],
    )


def _require(
    path: Path | None, categories: tuple[str, ...], selected: str | None, score: str | None
) -> None:
    if path is None:
        raise PlanError("Outcomes need a CSV file with a row for each person; give DECISIONS.")
    if not 1 <= len(categories) <= MOST_COLUMNS:
        raise PlanError(
            f"Outcomes need 1 to {MOST_COLUMNS} category columns; got {len(categories)}. Name them "
            "with --category sex --category race."
        )
    if (selected is None) == (score is None):
        raise PlanError(
            "Outcomes need either --selected COLUMN (who was selected) or --score COLUMN; got "
            f"{'neither' if selected is None else 'both'}."
        )


def _about(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        return read_about(path.read_bytes(), path.name)
    except OSError as error:
        raise PlanError(f"--about must be readable; {path} gave: {error.strerror}.") from None


def _tables(read: Decisions, chosen: NDArray[np.bool_], least: float) -> Iterator[OutcomeTable]:
    """Yield a table for every column, then for every crossing of columns."""
    for size in range(1, len(read.groupings) + 1):
        for own in combinations(read.groupings, size):
            yield _one(own, chosen, least)


def _one(own: tuple[Grouping, ...], chosen: NDArray[np.bool_], least: float) -> OutcomeTable:
    sizes = [len(grouping.names) for grouping in own]
    codes = crossed([grouping.codes for grouping in own], sizes)
    found = outcomes(codes, chosen, math.prod(sizes), leave_out_below=least)
    names = [
        " & ".join(g.names[at] for g, at in zip(own, position, strict=True))
        for position in np.ndindex(*sizes)
    ]
    rows = (_row(name, at, found) for at, name in enumerate(names) if found.n[at])
    return OutcomeTable(
        columns=tuple(g.column for g in own), rows=tuple(rows), unknown=found.unknown
    )


def _row(name: str, at: int, found: Outcomes) -> OutcomeRow:
    ratio = _defined(found.ratio[at])
    return OutcomeRow(
        category=name,
        n=int(found.n[at]),
        selected=int(found.selected[at]),
        rate=_defined(found.rate[at]),
        rate_low=_defined(found.low[at]),
        rate_high=_defined(found.high[at]),
        share=float(found.share[at]),
        left_out=bool(found.left_out[at]),
        ratio=ratio,
        ratio_low=_defined(found.ratio_low[at]),
        ratio_high=_defined(found.ratio_high[at]),
        reason="" if ratio is not None else _reason(bool(found.left_out[at])),
    )


def _reason(left_out: bool) -> str:
    return "under 2 % of the data: left out" if left_out else "undefined: nobody was selected"


def _defined(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
