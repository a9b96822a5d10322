"""To whom and in which language a report is told: options, and what they ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from audit.cli.options import known_language, language_option
from audit.compare import compare
from audit.compare_record import ChangeRecord, CompareRecord
from audit.compare_tables import read_compared
from audit.errors import PlanError, ResultError
from audit.folder import result_path
from audit.results import AuditResult, read_result
from reports.changes import Change, Changes
from reports.editions import AUDIENCES, Audience, Edition
from reports.errors import ReportError
from reports.governance import FILE, NOTHING_SAID, Governance, read_governance

Command = Callable[..., Any]


def edition_options(command: Command) -> Command:
    """Add ``--edition``, ``--language``, ``--final``, ``--governance`` and ``--since``."""
    for option in reversed(
        (
            click.option(
                "--edition",
                "audience",
                type=click.Choice(AUDIENCES),
                default="full",
                show_default=True,
                help="shareable: no pictures, no lists of terms, nothing "
                "attached; public: one page of it.",
            ),
            language_option,
            click.option(
                "--final",
                is_flag=True,
                help="Refuse with 4 while statements or signatures of people are missing; "
                "without it such a report says that it is a draft.",
            ),
            click.option(
                "--governance",
                type=click.Path(path_type=Path, dir_okay=False),
                help="File with what only people can say (TOML), kept beside the result; "
                f"default: {FILE} in the audit folder.",
            ),
            click.option(
                "--since",
                type=click.Path(path_type=Path, exists=False),
                help="Earlier audit: the report tells what changed.",
            ),
        )
    ):
        command = option(command)
    return command  # fmt: skip


def edition_of(
    audit: Path,
    result: AuditResult,
    *,
    audience: Audience,
    language: str,
    final: bool,
    governance: bytes | None,
    where: str,
    since: Path | None,
) -> Edition:
    """Put an edition together.

    Raises
    ------
    PlanError
        If the language or the governance file is wrong.
    ResultError
        If the earlier audit cannot be read.
    """
    return Edition(
        audience=audience,
        language=known_language(language),
        final=final,
        governance=_governance(governance, where),
        changes=changes_since(since, audit, result) if since is not None else None,
    )


def governance_file(given: Path | None, home: Path) -> tuple[bytes | None, str]:
    """Read the governance file that was named, else the one beside the result.

    Raises
    ------
    PlanError
        If the file that was named cannot be read.
    """
    path = given or home / FILE
    if given is None and not path.is_file():
        return None, FILE
    try:
        return path.read_bytes(), str(path)
    except OSError as error:
        raise PlanError(
            f"--governance must be a readable file; {path}: {error.strerror}. "
            "`clip-audit report --governance-template` prints one to fill in."
        ) from None


def _governance(content: bytes | None, where: str) -> Governance:
    if content is None:
        return NOTHING_SAID
    try:
        return read_governance(content, where)
    except ReportError as error:
        raise PlanError(str(error)) from None


def changes_since(earlier: Path, audit: Path, result: AuditResult) -> Changes:
    """Compare with an earlier audit, for the report.

    Raises
    ------
    ResultError
        If one of both is no audit folder with its scores.
    """
    for folder in (earlier, audit):
        if not folder.is_dir():
            raise ResultError(
                f"--since needs audit folders, with the scores beside the result; got {folder}."
            )
    before = read_result(result_path(earlier))
    record = compare(
        read_compared(earlier, before), read_compared(audit, result), allow_incomparable=True
    )
    return changes_of(record)


def changes_of(record: CompareRecord) -> Changes:
    """Return a comparison as the report wants it."""
    return Changes(
        earlier_model=record.before.model,
        earlier_digest=record.before.result_digest,
        earlier_weights=record.before.weights_digest,
        earlier_date=record.before.started,
        same_model=record.same_model,
        margin=record.margin,
        changes=tuple(_change(change) for change in record.changes),
        incomparable=record.incomparable,
        notes=record.notes,
    )


def _change(change: ChangeRecord) -> Change:
    return Change(
        arm=change.arm,
        identity=change.identity,
        harm=change.harm,
        severity=int(change.severity),
        finding=change.finding,
        state=change.state,
        before_sd=change.before_sd,
        after_sd=change.after_sd,
        change=change.change,
        low=change.low,
        high=change.high,
    )
