"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from audit.cli.publish import Order
from audit.errors import PlanError
from audit.folder import require_writable
from audit.folders import OUTPUT_FOLDER
from audit.gate import GateOrder
from audit.plan import AuditPlan, builtin_plan, read_plan
from reports.errors import ReportError
from reports.formats import FORMATS, find_format
from reports.messages import ENGLISH, catalogue, languages

Command = Callable[..., Any]


def out_option(command: Command) -> Command:
    """Add ``--out``."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=OUTPUT_FOLDER,
        show_default=True,
        help="Folder that gets a new folder for this audit.",
    )(command)


def format_option(command: Command) -> Command:
    """Add ``--format``."""
    return click.option(
        "--format",
        "formats",
        default="html,pdf",
        show_default=True,
        help=f"Reports to write, separated by commas: {', '.join(FORMATS)}.",
    )(command)


def language_option(command: Command) -> Command:
    """Add ``--language``."""
    return click.option(
        "--language",
        default=ENGLISH,
        show_default=True,
        help=f"Language of HTML and PDF: {', '.join(languages())}.",
    )(command)


def known_language(language: str) -> str:
    """Return the language.

    Raises
    ------
    PlanError
        If no catalogue has it; the message lists those that there are.
    """
    try:
        return catalogue(language).language
    except ReportError as error:
        raise PlanError(str(error)) from None


def plan_option(command: Command) -> Command:
    """Add ``--plan``."""
    return click.option(
        "--plan",
        "plan_path",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Plan file (TOML) instead of the built-in one.",
    )(command)


def keep_option(command: Command) -> Command:
    """Add ``--store``."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path, file_okay=False),
        help="Store that keeps a copy of the audit; made where there is none.",
    )(command)


def order_of(
    out: Path,
    formats: str,
    gate: GateOrder,
    store: Path | None = None,
    language: str = ENGLISH,
) -> Order:
    """Check format names, language and output folders, and put the order together.

    Raises
    ------
    PlanError
        If a format or the language is unknown.
    OutputError
        If nothing could be written there: better said now than after hours.
    """
    require_writable(out)
    if store is not None:
        require_writable(store)
    return Order(
        out=out,
        formats=format_names(formats),
        gate=gate,
        store=store,
        language=known_language(language),
    )


def format_names(formats: str) -> tuple[str, ...]:
    """Split and check a list of format names."""
    names = tuple(dict.fromkeys(name.strip() for name in formats.split(",") if name.strip()))
    try:
        for name in names or ("",):
            find_format(name)
    except ReportError as error:
        raise PlanError(str(error)) from None
    return names


def plan_of(path: Path | None, default: str) -> AuditPlan:
    """Read a plan file, or take the built-in plan."""
    return builtin_plan(default) if path is None else read_plan(path)


def positive(name: str, value: float) -> float:
    """Refuse numbers that must be above zero.

    Raises
    ------
    PlanError
        If the value is not positive.
    """
    if not value > 0:
        raise PlanError(f"{name} must be above 0; got {value:g}. Give the factor that was used.")
    return value
