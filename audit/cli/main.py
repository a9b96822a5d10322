"""The console script ``clip-audit``: one command each, and an exit code for every end."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from audit import __version__
from audit.cli.commands import COMMANDS, Commands
from audit.cli.printing import (
    close_broken_pipe,
    note,
    tolerate_narrow_terminals,
    wants_no_colour,
)
from audit.errors import OutputError, PlanError, ResultError, ScoreInputError, UntrustworthyError
from concept_sets.errors import ConceptSetError, PictureError, StimulusError
from probes.errors import ExtractionError, MeasureError, ModelError, ModelNameError
from reports.errors import EvidenceMissingError, ReportError

EXIT_CODES: dict[type[Exception], int] = {
    PlanError: 2,
    ScoreInputError: 2,
    ConceptSetError: 2,
    StimulusError: 2,
    ModelNameError: 2,
    MeasureError: 2,
    ModelError: 3,
    ExtractionError: 3,
    PictureError: 3,
    ResultError: 3,
    UntrustworthyError: 3,
    OutputError: 3,
    EvidenceMissingError: 4,
    ReportError: 3,
}
"""What ends an audit early, and the exit code that says so; anything else is our bug."""

INTERRUPTED, TERMINATED = 130, 143


class Terminated(BaseException):
    """SIGTERM arrived."""


@click.group(
    commands=Commands(COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="clip-audit")
def cli() -> None:
    """Audit CLIP-style models for harmful associations.

    Exit codes: 0 passed, 1 gate failed, 2 usage or configuration, 3 not completed or not
    trustworthy, 4 evidence missing, 130/143 interrupted (the next run goes on).
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the documented code."""
    signal.signal(signal.SIGTERM, _terminate)
    tolerate_narrow_terminals()
    try:
        code = _invoke(sys.argv[1:] if arguments is None else arguments)
    except click.exceptions.NoArgsIsHelpError as help_page:
        help_page.show()
        code = 2
    except click.ClickException as error:
        note(f"Error: {_with_remedy(error)}")
        code = 2
    except (click.Abort, KeyboardInterrupt):
        note("Interrupted. What was encoded is in the cache; the same command goes on from there.")
        code = INTERRUPTED
    except Terminated:
        note("Terminated. What was encoded is in the cache; the same command goes on from there.")
        code = TERMINATED
    except BrokenPipeError:
        close_broken_pipe()
        code = 3
    except tuple(EXIT_CODES) as error:
        note(f"Error: {error}")
        code = code_of(error)
    sys.exit(code)


def _invoke(arguments: Sequence[str]) -> int:
    """Run one command; click's own ``main`` would drop the exit code or change it."""
    colour = False if wants_no_colour() else None
    try:
        with cli.make_context("clip-audit", list(arguments), color=colour) as context:
            cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return 0


def _with_remedy(error: click.ClickException) -> str:
    """Finish click's sentence with the command that shows what is possible."""
    sentence = error.format_message()
    sentence += "" if sentence.endswith((".", "?", "?)")) else "."
    context = getattr(error, "ctx", None)
    if context is None:
        return sentence
    return f"{sentence} `{context.command_path} --help` shows what is possible."


def code_of(error: Exception) -> int:
    """Return the exit code of an expected error."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated
