"""The decision of a gate as Markdown, for the summary of a job or a comment on a change."""

import re
from collections.abc import Iterator, Sequence

from audit.gate_record import FindingStateRecord, GateRecord, WaiverRecord
from audit.results import AuditResult, FindingRecord
from reports.names import Names

SHOWN = 20
"""Rows of a table; the rest is counted."""

SIGNS = re.compile(r"([\\|*_`<>\[\]#])")


def gate_markdown(gate: GateRecord, result: AuditResult) -> Iterator[str]:
    """Yield the lines of a summary; terms are masked as in every report.

    Parameters
    ----------
    gate : GateRecord
        The decision, which need not be the one that the audit was filed with.
    result : AuditResult
        The audit that it is about.
    """
    names = Names(inputs=result.inputs)
    said = "passed" if gate.passed else "FAILED"
    open_still = " (inconclusive)" if gate.outcome == "inconclusive" else ""
    yield f"### Gate: {said}{open_still}"
    yield ""
    yield text(gate.rule, names)
    yield ""
    yield (
        f"{_plain(result.model.name)}, audited on {result.run.started:%Y-%m-%d}; "
        f"result `{result.digest}`."
    )
    yield from _rules(gate, names)
    yield from _findings(gate.findings, result, names)
    yield from _waivers(gate.waivers, names)
    for warning in gate.warnings:
        yield ""
        yield f"> Warning: {text(warning, names)}"


def text(words: str, names: Names) -> str:
    """Mask what no report shows in full, and take its meaning from every sign of Markdown."""
    return _plain(names.hidden_within(names.sentence(words)))


def _plain(words: str) -> str:
    return SIGNS.sub(r"\\\1", " ".join(words.split()))


def _rules(gate: GateRecord, names: Names) -> Iterator[str]:
    rows = [
        (f"`--{r.name}`", _plain(r.asked), r.outcome, text(r.sentence, names)) for r in gate.rules
    ]
    yield from _table(("rule", "asked", "outcome", "why"), rows, "rules")


def _findings(
    states: Sequence[FindingStateRecord], result: AuditResult, names: Names
) -> Iterator[str]:
    by_id = {finding.id: finding for finding in result.findings}
    rows = [
        (
            s.finding,
            by_id[s.finding].severity.name.lower(),
            _who(by_id[s.finding], names),
            _stands(s),
        )
        for s in sorted(states, key=lambda s: (s.waived, -by_id[s.finding].severity, s.finding))
    ]
    yield from _table(("finding", "severity", "group and harm", "state"), rows, "findings")


def _who(finding: FindingRecord, names: Names) -> str:
    return _plain(f"{names.concept(finding.identity)} and {names.concept(finding.harm)}")


def _stands(state: FindingStateRecord) -> str:
    words = "" if state.baseline == "not compared" else state.baseline
    return ", ".join(filter(None, (words, "waived" if state.waived else ""))) or "open"


def _waivers(waivers: Sequence[WaiverRecord], names: Names) -> Iterator[str]:
    rows = [
        (_plain(w.finding), w.state, w.expires.isoformat(), text(w.reason, names)) for w in waivers
    ]
    yield from _table(("waiver of", "state", "until", "reason"), rows, "waivers")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], what: str) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows[:SHOWN]:
        yield f"| {' | '.join(row)} |"
    if len(rows) > SHOWN:
        yield ""
        yield f"... and {len(rows) - SHOWN} more {what}."
