"""``report``, ``verify`` and ``explain``: what can be done with a finished audit."""

from pathlib import Path

import click

from audit.cli.options import format_names
from audit.errors import ResultError
from audit.folder import file_digest, refresh_manifest, result_path, verify_folder
from audit.results import AuditResult, FindingRecord, read_result
from concept_sets.entry import near
from reports.formats import FORMATS, find_format

AUDIT = click.argument("audit", type=click.Path(path_type=Path, exists=False))


@click.command()
@AUDIT
@click.option("--format", "formats", default="html,pdf", show_default=True,
              help=f"Separated by commas: {', '.join(FORMATS)}.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              help="File instead of the audit folder; for one format.")  # fmt: skip
def report(audit: Path, formats: str, output: Path | None) -> None:
    """Render a stored result again in today's formats."""
    result = read_result(result_path(audit))
    names = format_names(formats)
    if output is not None and len(names) != 1:
        raise click.UsageError(f"--output takes one format; got {', '.join(names)}.")
    written = []
    for name in names:
        content = find_format(name).render(result)
        home = audit if audit.is_dir() else audit.parent
        path = output if output is not None else home / find_format(name).file_name
        path.write_bytes(content)
        written.append(path)
        click.echo(str(path))
    if output is None and audit.is_dir():
        refresh_manifest(audit, [path.name for path in written])


@click.command()
@AUDIT
def verify(audit: Path) -> None:
    """Check every file of an audit folder against its manifest and digest."""
    result = verify_folder(audit)
    click.echo(f"{audit} is complete and unchanged.")
    click.echo(f"Result {result.digest}")
    click.echo(f"File   {file_digest(result_path(audit))}")


@click.command()
@click.argument("finding")
@AUDIT
def explain(finding: str, audit: Path) -> None:
    """Explain one finding of an audit: evidence for it, against it, units and what to do."""
    result = read_result(result_path(audit))
    record = _find(result, finding)
    names = {c.ref: c.name for s in result.inputs.concept_sets for c in s.concepts}
    who, what = names.get(record.identity, record.identity), names.get(record.harm, record.harm)
    click.secho(f"{record.id}  {who} and {what}", bold=True)
    click.echo(
        f"Severity {record.severity.name.lower()}, {record.grade.value}, "
        f"{'fixed beforehand' if record.blocking else 'exploratory'}"
        f"{', ' + ', '.join(record.marks) if record.marks else ''}."
    )
    _section("Evidence", record.evidence)
    _section("Against it", record.counter_evidence)
    units = [
        f"{u.layer}:{u.unit} ({u.pooling}) contribution "
        + (f"{u.contribution:.3g}" if isinstance(u.contribution, float) else "undefined")
        for u in record.units[:10]
    ]
    _section("Units that carry it most", units or [record.units_note or "none were read"])
    click.echo("What it means: the group lies closer to the harm than its family does, beyond how")
    click.echo("close it lies to harmless things. It says nothing of any one person or picture.")


def _find(result: AuditResult, finding: str) -> FindingRecord:
    by_id = {record.id: record for record in result.findings}
    if finding not in by_id:
        raise ResultError(
            f"A finding must be one of this audit's {len(by_id)}; got {finding!r}."
            f"{near(finding, by_id)} The report lists them all."
        )
    return by_id[finding]


def _section(title: str, lines: "tuple[str, ...] | list[str]") -> None:
    if lines:
        click.echo(f"{title}:")
        for line in lines:
            click.echo(f"  - {line}")
