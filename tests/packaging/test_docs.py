"""Pages keep up with the code: links lead somewhere, commands and keys exist."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from audit.plan import AuditPlan, parse_plan

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "concept_sets").rglob("*.md")]
)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)([^)#]+)")
CODE = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_lines(page: Path) -> list[str]:
    pieces = [block or inline for block, inline in CODE.findall(page.read_text(encoding="utf-8"))]
    return [line.split("#")[0].strip() for piece in pieces for line in piece.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_to_a_file(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_decision_is_in_the_index_under_its_own_title():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

    assert len(records) >= 8
    for record in records:
        title = record.read_text().splitlines()[0].removeprefix("# ")
        assert f"[{title}]({record.name})" in index


def test_decisions_are_numbered_without_gap_or_repetition():
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))


def commands_in_pages() -> list[tuple[str, str]]:
    return [
        (shown(page), line)
        for page in PAGES
        for line in code_lines(page)
        if line.startswith("clip-audit ")
    ]


def known_command(words: list[str]) -> tuple[click.Command, list[str]]:
    command = import_module("audit.cli.main").cli
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


@pytest.mark.parametrize(("page", "line"), commands_in_pages())
def test_every_command_in_the_pages_exists_with_its_options(page, line):
    command, rest = known_command(line.split()[1:])

    assert not isinstance(command, click.Group) or not rest or rest[0].startswith("-"), line
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    asked = {word.split("=")[0].rstrip(",.") for word in rest if word.startswith("--")}
    assert asked <= options, line


def test_every_command_has_a_page_that_mentions_it():
    mentioned = " ".join(line for _, line in commands_in_pages())

    for name in import_module("audit.cli.main").cli.commands:
        assert f"clip-audit {name}" in mentioned


def test_every_make_target_in_the_pages_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {
        line.split()[1]
        for page in PAGES
        for line in code_lines(page)
        if line.startswith("make ") and len(line.split()) > 1
    }

    assert asked
    assert asked <= targets


def test_the_plan_in_the_pages_is_valid_and_shows_every_key():
    (text,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "plans.md").read_text(), re.DOTALL)

    assert parse_plan(text, where="docs/plans.md").name == "face-search"
    assert missing_keys(AuditPlan, tomllib.loads(text)) <= {
        # What most plans leave alone.
        "slots", "builtin", "controls", "control_kinds",
    }  # fmt: skip


def missing_keys(section: type[BaseModel], document: dict[str, object]) -> set[str]:
    missing = set(section.model_fields) - set(document)
    for name, field in section.model_fields.items():
        part = document.get(name)
        if isinstance(part, dict) and isinstance(field.annotation, type):
            missing |= missing_keys(field.annotation, part)
    return missing


def test_the_documented_defaults_are_the_defaults():
    text = (ROOT / "docs" / "plans.md").read_text()
    limits = tomllib.loads(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0])["limits"]

    assert AuditPlan().limits.model_dump() == limits


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "4"])
def test_exit_codes_are_told_alike_in_both_places(code):
    row = re.compile(rf"^\| {code} \|", re.MULTILINE)

    assert row.search((ROOT / "README.md").read_text())
    assert row.search((ROOT / "docs" / "exit-codes.md").read_text())


def test_the_changelog_tells_outcomes_of_the_version_at_hand():
    text = (ROOT / "CHANGELOG.md").read_text()

    assert "## [Unreleased]" in text or f"## [{import_module('audit').__version__}]" in text
