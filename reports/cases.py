"""What became of each contrast that the plan named beforehand: the rows of every export."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.results import (
    AuditResult,
    ContrastRecord,
    FindingRecord,
    FindingStateRecord,
    Severity,
    Verdict,
    WaiverRecord,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One group and harm that the plan named beforehand, over all deciding evidence."""

    identity: str
    harm: str
    verdict: Verdict
    """The worst answer of any kind of evidence that decides; none at all leaves it open."""

    contrasts: tuple[ContrastRecord, ...]
    """Those of deciding evidence."""

    finding: FindingRecord | None
    fails: bool
    """Whether a rule of the gate failed on it."""

    waiver: WaiverRecord | None

    @property
    def id(self) -> str:
        """References of both sides: the same in every audit, and free of terms."""
        return f"{self.identity} x {self.harm}"


def cases(result: AuditResult) -> tuple[Case, ...]:
    """List the contrasts that were fixed beforehand, in the plan's order."""
    decided = _decided(result)
    found = {(f.identity, f.harm): f for f in result.findings if f.blocking}
    failed = failing(result)
    pairs = dict.fromkeys((*result.plan.blocking, *found))
    return tuple(
        _case(pair, result, tuple(decided.get(pair, ())), found.get(pair), failed) for pair in pairs
    )


def _decided(result: AuditResult) -> dict[tuple[str, str], list[ContrastRecord]]:
    """Gather the blocking contrasts of deciding evidence by pair."""
    deciding = {arm.arm for arm in result.arms if arm.decides}
    by_pair: dict[tuple[str, str], list[ContrastRecord]] = {}
    for contrast in result.contrasts:
        if contrast.blocking and contrast.arm in deciding:
            by_pair.setdefault((contrast.identity, contrast.harm), []).append(contrast)
    return by_pair


def _case(
    pair: tuple[str, str],
    result: AuditResult,
    contrasts: tuple[ContrastRecord, ...],
    finding: FindingRecord | None,
    failed: frozenset[str],
) -> Case:
    names = {f"{pair[0]} and {pair[1]}", finding.id if finding else ""}
    return Case(
        identity=pair[0],
        harm=pair[1],
        verdict=_worst(contrasts, finding),
        contrasts=contrasts,
        finding=finding,
        fails=bool(names & failed),
        waiver=waiver_of(finding, result) if finding else None,
    )


def _worst(contrasts: tuple[ContrastRecord, ...], finding: FindingRecord | None) -> Verdict:
    verdicts = {contrast.verdict for contrast in contrasts}
    if finding is not None or Verdict.FOUND in verdicts:
        return Verdict.FOUND
    return Verdict.NOT_FOUND if verdicts == {Verdict.NOT_FOUND} else Verdict.INSUFFICIENT


def failing(result: AuditResult) -> frozenset[str]:
    """Name the findings, or pairs of references, that a rule of the gate failed on."""
    gate = result.gate
    if gate.rules:
        return frozenset(
            name for rule in gate.rules if rule.outcome == "failed" for name in rule.findings
        )
    if gate.passed or gate.fail_on == "none":
        return frozenset()
    least = Severity[gate.fail_on.upper()]
    return frozenset(f.id for f in result.findings if f.blocking and f.severity >= least)


def state_of(finding: FindingRecord, result: AuditResult) -> FindingStateRecord | None:
    """Return how a finding stands to the baseline and the waivers; None where nobody looked."""
    return next((state for state in result.gate.findings if state.finding == finding.id), None)


def waiver_of(finding: FindingRecord, result: AuditResult) -> WaiverRecord | None:
    """Return the waiver that covers a finding, if one does."""
    state = state_of(finding, result)
    if state is None or not state.waived:
        return None
    known = {finding.id, finding.fingerprint}
    active = (w for w in result.gate.waivers if w.state == "active" and w.finding in known)
    return next(active, None)


def distrusted(result: AuditResult) -> Iterator[str]:
    """Name the kinds of evidence that should decide and failed their calibration."""
    for arm in result.arms:
        if arm.role == "decides" and arm.calibration is not None and not arm.calibration.passed:
            yield arm.arm


EXIT_CODES = {
    0: "Finished and trustworthy; the gate passed, or none was asked for.",
    1: "Finished and trustworthy; the gate failed.",
    3: "Not to be trusted, or the gate could not tell: this is not a pass.",
}


def exit_code(result: AuditResult) -> int:
    """Return the code that the audit ended with, as docs/exit-codes.md has it."""
    wanted = {rule.asked for rule in result.gate.rules if rule.name == "on-inconclusive"}
    unsure = result.gate.outcome == "inconclusive" and "error" in wanted
    if unsure or any(distrusted(result)):
        return 3
    return 0 if result.gate.passed else 1
