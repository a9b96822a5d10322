"""The last lines of an audit: verdict, worst findings, where the files are, what to type next."""

import shlex
from pathlib import Path

from audit.cli.printing import Coloured, note, say
from audit.cli.publish import Order
from audit.results import AuditResult, FindingRecord, GateRecord, Severity, Verdict
from audit.store.adding import keep
from audit.store.index import create_store
from reports.names import Names

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


def ended(result: AuditResult, folder: Path, order: Order, trustworthy: bool) -> int:
    """Print the answer, keep the audit where that was ordered, and return the exit code.

    Raises
    ------
    OutputError, ResultError
        If the store cannot take the audit; the audit itself is finished and stays.
    """
    ending(result, folder)
    if order.store is not None:
        with create_store(order.store) as store:
            kept = keep(folder, store)
        note(f"Kept as {kept.folder}")
    return exit_code(result.gate, trustworthy)


def ending(result: AuditResult, folder: Path) -> None:
    """Print the answer to standard output."""
    say("")
    say(f"{ANSWERS[result.verdict.verdict]}: {result.verdict.rule}", bold=True)
    blocking = [f for f in result.findings if f.blocking]
    for finding in blocking[:SHOWN]:
        _say_finding(finding, result)
    if len(blocking) > SHOWN:
        say(f"  ... and {len(blocking) - SHOWN} more")
    exploratory = len(result.findings) - len(blocking)
    if exploratory:
        say(f"  {exploratory} exploratory associations to look at; they never block.")
    for arm in result.arms:
        if arm.role == "decides" and not arm.decides:
            say(f"  The {arm.arm} arm could not decide. {arm.reason}")
    for line in gate_lines(result.gate):
        say(line)
    _say_files(folder, blocking)


def gate_lines(gate: GateRecord) -> tuple[str, ...]:
    """Tell the gate: its answer with every rule, then what a person should look at."""
    said = "passed" if gate.passed else "FAILED"
    open_still = " (inconclusive)" if gate.outcome == "inconclusive" else ""
    warnings = (f"  Warning: {warning}" for warning in gate.warnings)
    return (f"Gate: {said}{open_still}. {gate.rule}", *warnings)


def _say_finding(finding: FindingRecord, result: AuditResult) -> None:
    names = Names(inputs=result.inputs)
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
    severity = f"{finding.severity.name.lower():<8}"
    who, what = names.concept(finding.identity), names.concept(finding.harm)
    say(
        f"  {finding.id}  ",
        Coloured(severity, COLOURS[finding.severity]),
        f" {finding.grade.value:<9} {who} and {what}: "
        f"{strongest:.1f} control SD ({', '.join(finding.arms)})",
    )


def _say_files(folder: Path, blocking: list[FindingRecord]) -> None:
    say("Report:")
    for name in ("report.html", "report.pdf", "result.json"):
        if (folder / name).exists():
            say(f"  {folder / name}")
    where = shlex.quote(str(folder))
    if blocking:
        say(f"Next: clip-audit explain {blocking[0].id} {where}")
    else:
        say(f"Next: clip-audit verify {where}")


def exit_code(gate: GateRecord, trustworthy: bool) -> int:
    """Return 3 for an audit that must not be believed, 1 for a failed gate, else 0.

    A gate that could not tell is a 3 where the caller asked for an error.
    """
    if not trustworthy:
        return 3
    wanted = {rule.asked for rule in gate.rules if rule.name == "on-inconclusive"}
    if gate.outcome == "inconclusive" and "error" in wanted:
        return 3
    return 0 if gate.passed else 1
