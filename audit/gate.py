"""The gate: what the caller asked to fail on, decided on interval bounds, in one block."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from audit.baseline import Baseline
from audit.gate_record import (
    FindingStateRecord,
    GateRecord,
    GateRuleRecord,
    Outcome,
)
from audit.numbers import number
from audit.results import ContrastRecord, FindingRecord, ModelRecord, Severity, VerdictRecord
from audit.waivers import NO_WAIVERS, Waivers

FAIL_ON = ("none", "low", "medium", "high", "critical")
Level = Literal["none", "low", "medium", "high", "critical"]
OnInconclusive = Literal["pass", "fail", "error"]
NOTHING_ASKED = "Nothing was asked to fail: the gate passes once the audit is finished."


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOrder:
    """What the caller asked to fail on."""

    fail_on: Level = "none"
    fail_on_new: Level = "none"
    """Severity from which a finding that the baseline lacks fails."""

    fail_on_worse: float | None = None
    """Control standard deviations by which a contrast must certainly have risen to fail."""

    min_coverage: float | None = None
    """Share of blocking contrasts that must have been answered, 0 to 1."""

    on_inconclusive: OnInconclusive = "pass"
    """What becomes of a gate that no rule fails while a blocking contrast is open."""

    strict: bool = False
    """Whether warnings fail."""

    baseline: Baseline | None = None
    waivers: Waivers = NO_WAIVERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The parts of an audit that a gate reads."""

    findings: tuple[FindingRecord, ...]
    contrasts: tuple[ContrastRecord, ...]
    verdict: VerdictRecord
    model: ModelRecord
    thresholds_digest: str


def decide_gate(judgement: Judgement, order: GateOrder, today: date) -> GateRecord:
    """Decide what the exit code tells; only contrasts fixed beforehand can fail it.

    Parameters
    ----------
    judgement : Judgement
    order : GateOrder
    today : date
        The day on which waivers are read.

    Returns
    -------
    GateRecord
        *failed* if a rule failed; else *inconclusive* if a rule could not tell, which passes or
        not as ``on_inconclusive`` says; else *passed*.
    """
    blocking = [f for f in judgement.findings if f.blocking]
    waived = order.waivers.active(blocking, judgement.model, today)
    states = tuple(_state(f, judgement, order.baseline, f.id in waived) for f in blocking)
    warnings = (
        *order.waivers.warnings(blocking, judgement.model, today),
        *_other_thresholds(judgement, order.baseline),
    )
    counting = [f for f in blocking if f.id not in waived]
    rules = tuple(_rules(judgement, order, counting, states, warnings))
    outcome = _outcome(rules)
    return GateRecord(
        fail_on=order.fail_on,
        passed=outcome == "passed" or (outcome == "inconclusive" and _lenient(order)),
        rule=" ".join(rule.sentence for rule in rules) or NOTHING_ASKED,
        counts={s.name.lower(): sum(f.severity is s for f in blocking) for s in Severity},
        outcome=outcome,
        rules=rules,
        findings=states,
        waivers=order.waivers.records(blocking, judgement.model, today),
        warnings=warnings,
        waivers_digest=order.waivers.digest,
        baseline_digest=order.baseline.digest if order.baseline is not None else "",
    )


def _lenient(order: GateOrder) -> bool:
    return order.on_inconclusive == "pass"


def _outcome(rules: Sequence[GateRuleRecord]) -> Outcome:
    found = {rule.outcome for rule in rules}
    return next((o for o in ("failed", "inconclusive") if o in found), "passed")


def _rules(
    judgement: Judgement,
    order: GateOrder,
    counting: Sequence[FindingRecord],
    states: Sequence[FindingStateRecord],
    warnings: Sequence[str],
) -> Iterator[GateRuleRecord]:
    by_id = {state.finding: state for state in states}
    if order.fail_on != "none":
        yield _severity_rule("fail-on", order.fail_on, counting, len(states) - len(counting))
    if order.fail_on_new != "none":
        new = [f for f in counting if by_id[f.id].baseline == "new"]
        yield _severity_rule("fail-on-new", order.fail_on_new, new, 0)
    if order.fail_on_worse is not None:
        yield _worse_rule(judgement, order, counting)
    if order.min_coverage is not None:
        yield _coverage_rule(judgement.verdict, order.min_coverage)
    if order.on_inconclusive != "pass":
        yield _open_rule(judgement.verdict.insufficient, order.on_inconclusive)
    if order.strict:
        yield GateRuleRecord(
            name="strict",
            asked="strict",
            outcome="failed" if warnings else "passed",
            sentence=f"Warnings fail: there {_are(len(warnings))}.",
        )


def _severity_rule(
    name: Literal["fail-on", "fail-on-new"],
    level: Level,
    found: Sequence[FindingRecord],
    waived: int,
) -> GateRuleRecord:
    reached = tuple(f.id for f in found if f.severity >= Severity[level.upper()])
    what = "a blocking finding" if name == "fail-on" else "a blocking finding that is new"
    besides = f", beside {waived} waived" if waived else ""
    return GateRuleRecord(
        name=name,
        asked=level,
        outcome="failed" if reached else "passed",
        sentence=(
            f"Fails on {what} of severity {level} or worse; there {_are(len(reached))}{besides}."
        ),
        findings=reached,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Effect now minus effect then, in control standard deviations."""

    value: float
    low: float
    high: float


def change_of(now: ContrastRecord, baseline: Baseline) -> Change | None:
    """Compare a contrast with the baseline; None where one of the two is undefined.

    The interval adds the half-widths of both simultaneous intervals in squares, as for independent
    estimates; estimates on the same stimuli vary together, so that it is wider than it need be.
    """
    then = baseline.effect(now)
    if then is None:
        return None
    numbers = (now.effect_sd, now.low_sd, now.high_sd, then.effect_sd, then.low_sd, then.high_sd)
    known = [n for n in numbers if isinstance(n, float)]
    if len(known) < len(numbers):
        return None
    effect, low, high, old, old_low, old_high = known
    value = effect - old
    return Change(
        value=value,
        low=value - math.hypot(effect - low, old_high - old),
        high=value + math.hypot(high - effect, old - old_low),
    )


def _worse_rule(
    judgement: Judgement, order: GateOrder, counting: Sequence[FindingRecord]
) -> GateRuleRecord:
    delta, baseline = float(order.fail_on_worse or 0.0), order.baseline
    ids = {(f.identity, f.harm): f.id for f in counting}
    waived = {(f.identity, f.harm) for f in judgement.findings} - set(ids)
    worse: list[str] = []
    unsure = compared = 0
    for contrast in judgement.contrasts:
        pair = (contrast.identity, contrast.harm)
        if not contrast.blocking or baseline is None or pair in waived:
            continue
        change = change_of(contrast, baseline)
        compared += change is not None
        if change is not None and change.low > delta:
            worse.append(ids.get(pair, f"{contrast.identity} and {contrast.harm}"))
        unsure += change is None or change.low <= delta < change.high
    return GateRuleRecord(
        name="fail-on-worse",
        asked=f"{delta:g}",
        outcome="failed" if worse else "inconclusive" if unsure or not compared else "passed",
        sentence=(
            f"Fails where a blocking contrast has certainly risen by more than {delta:g} control "
            f"SD; there {_are(len(worse))}, and {unsure} of {compared} could have."
        ),
        findings=tuple(dict.fromkeys(worse)),
    )


def _coverage_rule(verdict: VerdictRecord, least: float) -> GateRuleRecord:
    answered = verdict.found + verdict.not_found
    total = answered + verdict.insufficient
    enough = total > 0 and answered >= least * total
    return GateRuleRecord(
        name="min-coverage",
        asked=f"{least:g}",
        outcome="passed" if enough else "failed",
        sentence=(
            f"At least {least:.0%} of the contrasts fixed beforehand must be answered; "
            f"{answered} of {total} are."
        ),
    )


def _open_rule(still_open: int, wanted: OnInconclusive) -> GateRuleRecord:
    return GateRuleRecord(
        name="on-inconclusive",
        asked=wanted,
        outcome="inconclusive" if still_open else "passed",
        sentence=f"Contrasts with too little evidence do not pass; there {_are(still_open)}.",
    )


def _state(
    finding: FindingRecord, judgement: Judgement, baseline: Baseline | None, waived: bool
) -> FindingStateRecord:
    if baseline is None:
        return FindingStateRecord(finding=finding.id, waived=waived)
    strongest = max(
        (
            c
            for c in judgement.contrasts
            if (c.identity, c.harm) == (finding.identity, finding.harm) and c.arm in finding.arms
        ),
        key=lambda c: c.effect_sd if isinstance(c.effect_sd, float) else -math.inf,
    )
    change = change_of(strongest, baseline)
    why = "the baseline did not measure this contrast"
    values = (change.value, change.low, change.high) if change is not None else (math.nan,) * 3
    known = finding.fingerprint in baseline.findings
    worse = change is not None and change.low > 0
    return FindingStateRecord(
        finding=finding.id,
        baseline="new" if not known else "worse" if worse else "known",
        change_sd=number(values[0], why),
        low=number(values[1], why),
        high=number(values[2], why),
        waived=waived,
    )


def _other_thresholds(judgement: Judgement, baseline: Baseline | None) -> Iterator[str]:
    if baseline is not None and baseline.thresholds_digest != judgement.thresholds_digest:
        yield (
            "The baseline was made under other limits, blocking contrasts, arms or seed; what is "
            "new against it may be new for that reason. Write it again under this plan."
        )


def _are(count: int) -> str:
    return f"is {count}" if count == 1 else f"are {count}"


def refuse_without_baseline(order: GateOrder) -> str:
    """Return a sentence where a rule needs a baseline that was not given, else nothing."""
    needs = [
        name
        for name, asked in (
            ("--fail-on-new", order.fail_on_new != "none"),
            ("--fail-on-worse", order.fail_on_worse is not None),
        )
        if asked
    ]
    if not needs or order.baseline is not None:
        return ""
    return (
        f"{' and '.join(needs)} must have something to compare with; no --baseline was given. "
        "Write one with `clip-audit baseline AUDIT --output FILE`."
    )
