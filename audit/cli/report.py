"""``report`` and ``explain``: what can be done with a finished audit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import click

from audit.cli.editions import edition_of, edition_options, governance_file
from audit.cli.options import format_names
from audit.cli.printing import say
from audit.errors import PlanError, ResultError
from audit.folder import RESULT, result_path, write_file
from audit.measure_page import facts, sections
from audit.people_tables import read_people_tables
from audit.pictures_file import read_pictures
from audit.results import AuditResult, FindingRecord, read_result
from audit.verify import write_again
from concept_sets.entry import near
from probes.measurement import Measure
from probes.measures import MEASURES
from reports.as_sarif import SUPPRESSED
from reports.editions import Audience
from reports.errors import ReportError
from reports.formats import FORMATS, Format, find_format
from reports.governance import FILE, blank
from reports.names import Names
from reports.rules import RULES, find_rule, paragraphs

AUDIT = click.argument("audit", type=click.Path(path_type=Path, exists=False))


def _print_template(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked:
        for line in blank().splitlines():
            say(line)
        context.exit()


@click.command()
@AUDIT
@click.option("--format", "formats", default="html,pdf", show_default=True,
              help=f"Separated by commas: {', '.join(FORMATS)}.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              help="File instead of the audit folder; for one format.")  # fmt: skip
@click.option("--sarif-suppressed", "suppressed", type=click.Choice(SUPPRESSED), default="omit",
              show_default=True,
              help="Waived findings in SARIF: left out, or in with a suppression.")  # fmt: skip
@edition_options
@click.option("--governance-template", is_flag=True, is_eager=True, expose_value=False,
              callback=_print_template, help="Print a governance file to fill in.")  # fmt: skip
def report(
    audit: Path,
    formats: str,
    output: Path | None,
    suppressed: str,
    audience: Audience,
    language: str,
    final: bool,
    governance: Path | None,
    since: Path | None,
) -> None:
    """Render a stored result again in today's formats."""
    names = format_names(formats)
    if output is not None and len(names) != 1:
        raise click.UsageError(f"--output takes one format; got {', '.join(names)}.")
    result = read_result(result_path(audit))
    home = audit if audit.is_dir() else audit.parent
    said, where = governance_file(governance, home)
    edition = edition_of(
        audit, result, audience=audience, language=language, final=final,
        governance=said, where=where, since=since,
    )  # fmt: skip
    pictures = read_pictures(home)
    settings = {"sarif": {"suppressed": suppressed}}
    rows = {name: _row(name, settings.get(name, NO_SETTINGS)) for name in names}
    beside = read_people_tables(home, result)
    rendered = {
        name: row.render(result, pictures, edition, tables=beside) for name, row in rows.items()
    }
    if output is not None:
        write_file(output, rendered[names[0]])
        say(str(output))
        return
    reports = {rows[name].name_in(edition): content for name, content in rendered.items()}
    if governance is not None and said is not None:
        reports[FILE] = said
    # The result is what reports are made from; it is never written again.
    again = {name: content for name, content in reports.items() if name != RESULT}
    if audit.is_dir():
        write_again(audit, again)
    else:
        for name, content in again.items():
            write_file(home / name, content)
    for name in reports:
        say(str(home / name))


NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


def _row(name: str, settings: Mapping[str, str]) -> Format:
    return replace(find_format(name), settings=settings)


@click.command()
@click.argument("name", metavar="[MEASURE | RULE | FINDING]", required=False)
@click.argument("audit", type=click.Path(path_type=Path, exists=False), required=False)
@click.option("--list", "listed", is_flag=True, help="List all measures and rules.")
def explain(name: str | None, audit: Path | None, listed: bool) -> None:
    """Explain a measure, a rule of the exports, or one finding of an audit.

    MEASURE alone: formula, neutral value, bounds, source and how it misleads. RULE alone (BA and
    four digits): what it means, what it does not say and what to do. Without a name, all of them
    are listed. FINDING AUDIT: evidence for the finding, against it, units and what to do.
    """
    if name is None or listed:
        _list_measures()
        _list_rules()
        say("Next: clip-audit explain MEASURE, or clip-audit explain RULE")
    elif audit is None and RULE.fullmatch(name):
        _explain_rule(name)
    elif audit is None:
        _explain_measure(_find_measure(name))
    else:
        _explain_finding(name, audit)


def _list_measures() -> None:
    for title, rows in sections().items():
        say(title, bold=True)
        width = max(len(row.name) for row in rows)
        for row in rows:
            say(f"  {row.name:<{width}}  {row.title}")


RULE = re.compile(r"BA\d{4}")
"""A rule of the exports; findings have eight hex digits."""


def _list_rules() -> None:
    say("Rules of the exports", bold=True)
    for rule in RULES.values():
        say(f"  {rule.id}  {rule.title}")


def _explain_rule(id: str) -> None:
    try:
        rule = find_rule(id)
    except ReportError as error:
        raise PlanError(str(error)) from None
    say(f"{rule.id}  {rule.title}", bold=True)
    for head, lines in paragraphs(rule):
        _section(head, lines)


def _find_measure(name: str) -> Measure:
    if name not in MEASURES:
        raise PlanError(
            f"A measure must be one of {len(MEASURES)}; got {name!r}.{near(name, MEASURES)} "
            "`clip-audit explain --list` shows them all, and all rules. A finding needs its audit: "
            "clip-audit explain FINDING AUDIT."
        )
    return MEASURES[name]


def _explain_measure(measure: Measure) -> None:
    say(f"{measure.name}  {measure.title}", bold=True)
    for label, text in facts(measure):
        say(f"{label}: {text}")
    _section("How it misleads", measure.failure_modes)


def _explain_finding(finding: str, audit: Path) -> None:
    result = read_result(result_path(audit))
    record = _find(result, finding)
    names = Names(inputs=result.inputs)
    say(
        f"{record.id}  {names.concept(record.identity)} and {names.concept(record.harm)}",
        bold=True,
    )
    say(
        f"Severity {record.severity.name.lower()}, {record.grade.value}, "
        f"{'fixed beforehand' if record.blocking else 'exploratory'}"
        f"{', ' + ', '.join(record.marks) if record.marks else ''}."
    )
    _section("Evidence", [names.sentence(line) for line in record.evidence])
    _section("Against it", [names.sentence(line) for line in record.counter_evidence])
    _section("Units that carry it most", _units(record))
    say("What it means: the group lies closer to the harm than its family does, beyond how")
    say("close it lies to harmless things. It says nothing of any one person or picture.")


def _units(record: FindingRecord) -> list[str]:
    shown = [
        f"{u.layer}:{u.unit} ({u.pooling}) contribution "
        + (f"{u.contribution:.3g}" if isinstance(u.contribution, float) else "undefined")
        for u in record.units[:10]
    ]
    return shown or [record.units_note or "none were read"]


def _find(result: AuditResult, finding: str) -> FindingRecord:
    by_id = {record.id: record for record in result.findings}
    if finding not in by_id:
        raise ResultError(
            f"A finding must be one of this audit's {len(by_id)}; got {finding!r}."
            f"{near(finding, by_id)} The report lists them all."
        )
    return by_id[finding]


def _section(title: str, lines: Sequence[str]) -> None:
    if lines:
        say(f"{title}:")
        for line in lines:
            say(f"  - {line}")
