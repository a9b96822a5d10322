"""``report``, ``verify`` and ``explain``: what can be done with a finished audit."""

from collections.abc import Sequence
from pathlib import Path

import click

from audit.cli.options import format_names
from audit.cli.printing import say
from audit.errors import PlanError, ResultError
from audit.folder import RESULT, file_digest, result_path, write_file
from audit.measure_page import facts, sections
from audit.pictures_file import read_pictures
from audit.results import AuditResult, FindingRecord, read_result
from audit.verify import verify_folder, write_again
from concept_sets.entry import near
from probes.measurement import Measure
from probes.measures import MEASURES
from reports.formats import FORMATS, find_format
from reports.names import Names

AUDIT = click.argument("audit", type=click.Path(path_type=Path, exists=False))


@click.command()
@AUDIT
@click.option("--format", "formats", default="html,pdf", show_default=True,
              help=f"Separated by commas: {', '.join(FORMATS)}.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              help="File instead of the audit folder; for one format.")  # fmt: skip
def report(audit: Path, formats: str, output: Path | None) -> None:
    """Render a stored result again in today's formats."""
    names = format_names(formats)
    if output is not None and len(names) != 1:
        raise click.UsageError(f"--output takes one format; got {', '.join(names)}.")
    result = read_result(result_path(audit))
    home = audit if audit.is_dir() else audit.parent
    pictures = read_pictures(home)
    rendered = {name: find_format(name).render(result, pictures) for name in names}
    if output is not None:
        write_file(output, rendered[names[0]])
        say(str(output))
        return
    reports = {find_format(name).file_name: content for name, content in rendered.items()}
    # The result is what reports are made from; it is never written again.
    again = {name: content for name, content in reports.items() if name != RESULT}
    if audit.is_dir():
        write_again(audit, again)
    else:
        for name, content in again.items():
            write_file(home / name, content)
    for name in reports:
        say(str(home / name))


@click.command()
@AUDIT
def verify(audit: Path) -> None:
    """Check every file of an audit folder against its manifest and digest."""
    result = verify_folder(audit)
    say(f"{audit} is complete and unchanged.")
    say(f"Result {result.digest}")
    say(f"File   {file_digest(result_path(audit))}")


@click.command()
@click.argument("name", metavar="[MEASURE | FINDING]", required=False)
@click.argument("audit", type=click.Path(path_type=Path, exists=False), required=False)
@click.option("--list", "listed", is_flag=True, help="List all measures.")
def explain(name: str | None, audit: Path | None, listed: bool) -> None:
    """Explain a measure, or one finding of an audit.

    MEASURE alone: formula, neutral value, bounds, source and how it misleads; without a name, all
    measures are listed. FINDING AUDIT: evidence for the finding, against it, units and what to do.
    """
    if name is None or listed:
        _list_measures()
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
    say("Next: clip-audit explain MEASURE")


def _find_measure(name: str) -> Measure:
    if name not in MEASURES:
        raise PlanError(
            f"A measure must be one of {len(MEASURES)}; got {name!r}.{near(name, MEASURES)} "
            "`clip-audit explain --list` shows them all. A finding needs its audit: "
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
