"""``clip-audit gate`` and ``clip-audit baseline``: decide again on a stored audit; keep one."""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from audit.baseline import baseline_bytes, baseline_of
from audit.cli.ending import exit_code, gate_lines
from audit.cli.gate_asked import GateAsked, gate_options, home_of
from audit.cli.gate_markdown import gate_markdown
from audit.cli.printing import say
from audit.conclude import trustworthy
from audit.folder import result_path, write_file
from audit.gate import Judgement, decide_gate
from audit.plan import GateSection, read_plan
from audit.results import read_result

AUDIT = click.argument("audit", type=click.Path(path_type=Path, exists=False))


@click.command()
@AUDIT
@click.option("--plan", "plan_path", type=click.Path(path_type=Path, dir_okay=False),
              help="Plan whose [gate] is asked where no option says otherwise.")  # fmt: skip
@gate_options
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), default=None,
              help="Day on which waivers are read.  [default: today in UTC]")  # fmt: skip
@click.option("--format", "form", type=click.Choice(("text", "json", "markdown")), default="text",
              show_default=True)  # fmt: skip
@click.pass_context
def gate(
    context: click.Context,
    audit: Path,
    plan_path: Path | None,
    gate: GateAsked,
    today: datetime | None,
    form: str,
) -> None:
    """Decide the gate of a stored AUDIT again, by other rules, waivers or another baseline.

    Nothing is measured and nothing is written. The exit code is that of an audit with these rules.
    """
    asked = read_plan(plan_path).gate if plan_path is not None else GateSection()
    order = gate.order(asked, home_of(plan_path))
    result = read_result(result_path(audit))
    judgement = Judgement(
        findings=result.findings,
        contrasts=result.contrasts,
        verdict=result.verdict,
        model=result.model,
        thresholds_digest=result.plan.thresholds_digest,
    )
    record = decide_gate(judgement, order, _day(today))
    if form == "json":
        say(record.model_dump_json(indent=1))
    else:
        for line in gate_markdown(record, result) if form == "markdown" else gate_lines(record):
            say(line)
    context.exit(exit_code(record, trustworthy(result.arms)))


@click.command()
@AUDIT
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="File to write.")  # fmt: skip
def baseline(audit: Path, output: Path) -> None:
    """Remember the findings and effects of AUDIT, for --fail-on-new and --fail-on-worse."""
    result = read_result(result_path(audit))
    kept = baseline_of(result)
    write_file(output, baseline_bytes(kept))
    say(
        f"{output}: {len(kept.findings)} findings and {len(kept.effects)} contrasts fixed "
        f"beforehand, of {kept.model}."
    )
    say(f"Next: clip-audit run PLAN --baseline {output} --fail-on-new high")


def _day(given: datetime | None) -> date:
    return (given or datetime.now(UTC)).date()
