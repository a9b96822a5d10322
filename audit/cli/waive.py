"""``clip-audit waive``: write down that a person accepts a finding, or list who accepted what."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import click
from pydantic import ValidationError

from audit.cli.printing import note, say
from audit.errors import PlanError
from audit.folder import result_path
from audit.results import AuditResult, FindingRecord, read_result
from audit.schedule.spans import parse_span
from audit.waivers import Category, Waiver, Waivers, read_waivers, state_on
from audit.waivers_written import add_waiver
from concept_sets.entry import near

FINDING = re.compile(r"BA[0-9a-f]{6,8}|sha256:[0-9a-f]{64}")
"""Id of a finding, or its fingerprint."""

NEEDED = ("finding", "reason", "category", "owner", "approved_by")
DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("finding", required=False)
@click.option("--list", "listed", is_flag=True, help="Write nothing; tell how each waiver stands.")
@click.option("--waivers", "path", type=click.Path(path_type=Path, dir_okay=False),
              default="waivers.toml", show_default=True,
              help="File of waivers (TOML); made where there is none.")  # fmt: skip
@click.option("--reason", default="", help="Why the finding is acceptable.")
@click.option("--category", type=click.Choice(get_args(Category)), default=None,
              help="What kind of reason that is.")  # fmt: skip
@click.option("--owner", default="", help="Who answers for it.")
@click.option("--approved-by", default="", help="Who agreed: not the owner, unless the file's "
              "[policy] says otherwise.")  # fmt: skip
@click.option("--expires", type=DAY, default=None, help="Last day on which it holds.")
@click.option("--for", "span", metavar="SPAN", default="", help="The same as a span: 90d or 12w.")
@click.option("--model", default="",
              help="Digest of weights, or a pattern over the model's name.  [default: the weights "
              "of AUDIT]")  # fmt: skip
@click.option("--audit", type=click.Path(path_type=Path, exists=False), default=None,
              help="Audit that has the finding.")  # fmt: skip
@click.option("--link", default="", help="Ticket or page about it.")
@click.option("--today", type=DAY, default=None,
              help="Day on which it begins, or is listed.  [default: today in UTC]")  # fmt: skip
def waive(
    finding: str | None,
    listed: bool,
    path: Path,
    audit: Path | None,
    today: datetime | None,
    **given: Any,
) -> None:
    """Accept FINDING: write who, why and until when into a file of waivers.

    The finding stays in every report; only the exit code of a gate that reads the file changes.
    """
    day = (today or datetime.now(UTC)).date()
    if listed:
        _refuse_both(finding)
        result = _result(audit)
        for line in _list_lines(read_waivers(path), result, day):
            say(line)
        return
    _refuse_gaps({"finding": finding, **given})
    result = _result(audit)
    found = _found(str(finding), result)
    expires = _last_day(given.pop("expires"), given.pop("span"), day)
    given["model"] = _model(given["model"], result)
    waiver = _waiver(finding=found, created=day, expires=expires, **given)
    add_waiver(path, waiver)
    say(f"{path}: {waiver.finding} is waived from {waiver.created} to {waiver.expires}, for "
        f"{_whom(waiver)}. It stays in the report.")  # fmt: skip
    if result is not None and not _record(found, result).blocking:
        note(f"Note: {found} is exploratory: it fails no gate, and needs no waiver.")
    say(f"Next: clip-audit gate {audit or 'AUDIT'} --fail-on high --waivers {path}")


def _refuse_both(finding: str | None) -> None:
    if finding is not None:
        raise click.UsageError(
            f"--list tells of every waiver and takes no finding; got {finding!r}. Leave one out."
        )


def _refuse_gaps(given: dict[str, Any]) -> None:
    """Name everything that is missing at once."""
    missing = [_option(name) for name in NEEDED if not (given[name] or "").strip()]
    if not given["expires"] and not given["span"]:
        missing.append("--expires DAY or --for SPAN")
    if missing:
        raise click.UsageError(
            f"A waiver must say what, why, who and until when; this one lacks {', '.join(missing)}."
        )
    if given["expires"] and given["span"]:
        raise click.UsageError("A waiver must have one end; got --expires and --for. Give one.")


def _option(name: str) -> str:
    return "FINDING" if name == "finding" else f"--{name.replace('_', '-')}"


def _result(audit: Path | None) -> AuditResult | None:
    return None if audit is None else read_result(result_path(audit))


def _found(finding: str, result: AuditResult | None) -> str:
    if result is not None:
        return _record(finding, result).id
    if FINDING.fullmatch(finding):
        return finding
    raise PlanError(
        "A finding must be named by its id, BA and eight hex digits as the report prints it, or by "
        f"its fingerprint; got {finding!r}. --audit AUDIT checks it against an audit."
    )


def _record(finding: str, result: AuditResult) -> FindingRecord:
    names = {name: found for found in result.findings for name in (found.id, found.fingerprint)}
    if finding not in names:
        ids = [found.id for found in result.findings]
        raise PlanError(
            f"A finding must be one of this audit's {len(ids)}; got {finding!r}."
            f"{near(finding, ids)} The report lists them all."
        )
    return names[finding]


def _last_day(expires: datetime | None, span: str, today: date) -> date:
    if expires is not None:
        return expires.date()
    try:
        length = parse_span(span)
    except ValueError as error:
        raise PlanError(f"--for {error}; got {span!r}. Write it like 90d or 12w.") from None
    if length < timedelta(days=1) or length % timedelta(days=1):
        raise PlanError(f"--for must be whole days; got {span!r}. Write it like 90d or 12w.")
    return today + length


def _model(given: str, result: AuditResult | None) -> str:
    if given.strip():
        return given.strip()
    if result is None:
        raise PlanError(
            "A waiver must say for which model it holds; got neither --model nor --audit. --audit "
            "AUDIT takes the weights of that audit; --model takes their digest, or a pattern over "
            "names, where '*' is every model."
        )
    return result.model.weights_digest or result.model.name


def _waiver(**told: Any) -> Waiver:
    try:
        return Waiver(**told)
    except ValidationError as error:
        first = error.errors()[0]
        raise PlanError(
            f"A waiver's {_option(str(first['loc'][0]))} cannot be used: {first['msg']}. "
            "Correct it."
        ) from None


def _whom(waiver: Waiver) -> str:
    return "every model" if waiver.model == "*" else waiver.model


def _list_lines(waivers: Waivers, result: AuditResult | None, today: date) -> Iterator[str]:
    if not waivers.waivers:
        yield "No waivers."
    records = waivers.records(result.findings, result.model, today) if result is not None else ()
    for number, waiver in enumerate(waivers.waivers):
        state = records[number].state if records else state_on(waiver, today)
        yield (
            f"{waiver.finding}  {state:<13} {waiver.created} to {waiver.expires}"
            f"{_left(waiver, state, today)}  {waiver.category}, {waiver.owner}, approved by "
            f"{waiver.approved_by}, for {_whom(waiver)}"
        )
        yield f"  {waiver.reason}{f' ({waiver.link})' if waiver.link else ''}"


def _left(waiver: Waiver, state: str, today: date) -> str:
    left = (waiver.expires - today).days
    return f" ({left} days left)" if state == "active" else ""
