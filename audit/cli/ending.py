"""The last lines of an audit: verdict, worst findings, where the files are, what to type next."""

from pathlib import Path

import click

from audit.results import AuditResult, FindingRecord, Severity, Verdict

COLOURS = {
    Severity.CRITICAL: "red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "yellow",
}
ANSWERS = {
    Verdict.FOUND: "Harmful associations found",
    Verdict.NOT_FOUND: "No association above the limits was detected for what was tested",
    Verdict.INSUFFICIENT: "Insufficient evidence",
    Verdict.DESCRIBED: "Described only",
}
SHOWN = 3


def ending(result: AuditResult, folder: Path) -> None:
    """Print the answer to standard output."""
    click.echo()
    click.secho(f"{ANSWERS[result.verdict.verdict]}: {result.verdict.rule}", bold=True)
    names = {c.ref: c.name for s in result.inputs.concept_sets for c in s.concepts}
    blocking = [f for f in result.findings if f.blocking]
    for finding in blocking[:SHOWN]:
        click.echo(f"  {_line(finding, names, result)}")
    if len(blocking) > SHOWN:
        click.echo(f"  ... and {len(blocking) - SHOWN} more")
    exploratory = len(result.findings) - len(blocking)
    if exploratory:
        click.echo(f"  {exploratory} exploratory associations to look at; they never block.")
    for arm in result.arms:
        if arm.role == "decides" and not arm.decides:
            click.echo(f"  The {arm.arm} arm could not decide. {arm.reason}")
    click.echo(
        f"Gate (fail on {result.gate.fail_on}): {'passed' if result.gate.passed else 'FAILED'}"
    )
    _files(folder, blocking)


def _line(finding: FindingRecord, names: dict[str, str], result: AuditResult) -> str:
    strongest = max(
        (
            c.effect_sd
            for c in result.contrasts
            if (c.identity, c.harm) == (finding.identity, finding.harm)
            and c.arm in finding.arms
            and isinstance(c.effect_sd, float)
        ),
        default=float("nan"),
    )
    severity = click.style(f"{finding.severity.name.lower():<8}", fg=COLOURS[finding.severity])
    who, what = names.get(finding.identity, finding.identity), names.get(finding.harm, finding.harm)
    return (
        f"{finding.id}  {severity} {finding.grade.value:<9} {who} and {what}: "
        f"{strongest:.1f} control SD ({', '.join(finding.arms)})"
    )


def _files(folder: Path, blocking: list[FindingRecord]) -> None:
    click.echo("Report:")
    for name in ("report.html", "report.pdf", "result.json"):
        if (folder / name).exists():
            click.echo(f"  {folder / name}")
    if blocking:
        click.echo(f"Next: clip-audit explain {blocking[0].id} {folder}")
    else:
        click.echo(f"Next: clip-audit verify {folder}")


def exit_code(result: AuditResult, trustworthy: bool) -> int:
    """Return 3 for an audit that must not be believed, 1 for a failed gate, else 0."""
    if not trustworthy:
        return 3
    return 0 if result.gate.passed else 1
