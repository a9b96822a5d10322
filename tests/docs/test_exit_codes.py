"""The page of exit codes tells of every command, and only of commands that exist."""

import re
from pathlib import Path

import click

from audit.cli.main import cli

PAGE = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text(encoding="utf-8")


def documented() -> dict[str, str]:
    """Command to the rest of its row, in the table of commands."""
    table = PAGE.split("## Every command")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| (.+) \|$", table, re.MULTILINE)
    return {name: rest for cell, rest in rows for name in re.findall(r"`([^`]+)`", cell)}


def names_of(group: click.Group) -> set[str]:
    return {name for name, command in group.commands.items() if not command.hidden}


def test_every_command_has_its_row():
    told = {name.split()[0] for name in documented()}

    assert names_of(cli) - told == set(), "add a row to docs/exit-codes.md"
    assert told - names_of(cli) == set(), "docs/exit-codes.md tells of a command that is not there"


def test_a_group_that_is_told_command_by_command_is_told_completely():
    split = {name.split()[0] for name in documented() if " " in name}

    for group in split:
        told = {name.split()[1] for name in documented() if name.startswith(f"{group} ")}
        assert names_of(cli.commands[group]) == told


def test_the_help_of_a_command_names_no_code_that_its_row_lacks():
    for name, row in documented().items():
        command: click.Command = cli
        for word in name.split():
            command = command.commands[word]
        said = {*re.findall(r"[Ee]xits? with (\d)", command.help or "")} - {"0", "2"}
        assert said <= set(re.findall(r"\d", row)), name
