"""``clip-audit doctor``: what is there, what is missing, what to do."""

from pathlib import Path

import click

from audit.cli.printing import say
from audit.doctor import Check, Outcome, examine
from audit.folders import OUTPUT_FOLDER, cache_folder
from audit.machine import gather_facts

COLOURS = {Outcome.OK: "green", Outcome.WARNING: "yellow", Outcome.PROBLEM: "red"}


@click.command("doctor")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=OUTPUT_FOLDER,
    show_default=True,
    help="Folder in which audits would be kept.",
)
@click.pass_context
def doctor(context: click.Context, out: Path) -> None:
    """Check Python, torch, PDF libraries, fonts, folders and the embedded model.

    Exits with 0 if audits can run here, else with 3.
    """
    checks = examine(gather_facts(cache=cache_folder(), output=out))
    width = max(len(check.name) for check in checks)
    for check in checks:
        click.echo(line(check, width))
    problems = sum(check.outcome is Outcome.PROBLEM for check in checks)
    warnings = sum(check.outcome is Outcome.WARNING for check in checks)
    say(summary(problems, warnings))
    context.exit(3 if problems else 0)


def line(check: Check, width: int) -> str:
    """Write one check: outcome, name, what was found, and below it what to do."""
    outcome = click.style(f"{check.outcome:<8}", fg=COLOURS[check.outcome])
    text = f"{outcome} {check.name:<{width}}  {check.found}"
    return f"{text}\n{'':{width + 11}}{check.advice}" if check.advice else text


def summary(problems: int, warnings: int) -> str:
    """Say in one sentence whether audits can run here.

    Examples
    --------
    >>> summary(0, 1)
    'Audits can run here; 1 warning.'
    """
    noted = f"{warnings} warning{'' if warnings == 1 else 's'}"
    if problems:
        some = f"{problems} problem{'' if problems == 1 else 's'}"
        return f"Audits cannot run here yet: {some}, {noted}."
    return f"Audits can run here; {noted if warnings else 'nothing is missing'}."
