"""Lines for people: characters that deceive are shown, colour comes only where it is wanted."""

import os
import sys
from dataclasses import dataclass
from io import TextIOWrapper

import click

from reports.care import visible


@dataclass(frozen=True, slots=True)
class Coloured:
    """A piece of a line that is shown in a colour."""

    text: str
    colour: str


def say(*pieces: str | Coloured, bold: bool = False) -> None:
    """Print one line of the answer to standard output.

    Names come from packs, manifests and files of other people: what a terminal would obey, or
    what would turn a line around, is printed as its code point.
    """
    click.echo("".join(_styled(piece, bold) for piece in pieces))


def _styled(piece: str | Coloured, bold: bool) -> str:
    if isinstance(piece, Coloured):
        return click.style(visible(piece.text), fg=piece.colour, bold=bold or None)
    return click.style(visible(piece), bold=True) if bold else visible(piece)


def note(text: str) -> None:
    """Print one line about progress or trouble to standard error."""
    click.echo(visible(text), err=True)


def wants_no_colour() -> bool:
    """Tell whether the environment asks for plain text (https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


def tolerate_narrow_terminals() -> None:
    """Print a letter that the terminal's encoding lacks as its code, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def close_broken_pipe() -> None:
    """Let nothing more be written to a reader that has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
