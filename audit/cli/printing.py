"""Lines for people: characters that deceive are shown, colour comes only where it is wanted."""

import os
import sys
from io import TextIOWrapper

import click

from reports.care import visible


def say(text: str, *, bold: bool = False) -> None:
    """Print one line of the answer to standard output.

    Names come from packs, manifests and files of other people: what a terminal would obey, or
    what would turn a line around, is printed as its code point.
    """
    click.secho(visible(text), bold=bold or None)


def note(text: str) -> None:
    """Print one line about progress or trouble to standard error."""
    click.echo(visible(text), err=True)


def coloured(text: str, colour: str) -> str:
    """Return text to be shown in a colour, with nothing else in it that a terminal obeys."""
    return click.style(visible(text), fg=colour)


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
