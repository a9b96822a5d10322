"""A result under every kind of gate rule, and the same with hostile words in every text."""

from datetime import date
from typing import Any

from audit.results import (
    AuditResult,
    FindingStateRecord,
    GateRecord,
    GateRuleRecord,
    WaiverRecord,
)


def gated(result: AuditResult) -> AuditResult:
    """Put a gate on a result: the first finding fails and is worse, the second is waived."""
    first, second = result.findings[:2]
    rule = "Fails on a blocking finding of severity high or worse; there is 1, beside 1 waived."
    return result.model_copy(
        update={
            "gate": GateRecord(
                fail_on="high",
                passed=False,
                rule=rule,
                counts={"critical": 1, "high": 1},
                outcome="failed",
                rules=(
                    GateRuleRecord(
                        name="fail-on",
                        asked="high",
                        outcome="failed",
                        sentence=rule,
                        findings=(first.id,),
                    ),
                    GateRuleRecord(
                        name="min-coverage", asked="0.9", outcome="passed", sentence="21 of 22."
                    ),
                ),
                findings=(
                    FindingStateRecord(finding=first.id, baseline="worse"),
                    FindingStateRecord(finding=second.id, baseline="known", waived=True),
                ),
                waivers=(
                    waiver(second.id, "active", "The shop shows no “lockfolk” and no grushker."),
                    waiver("BA00000000", "unused", "Nothing meets this."),
                ),
                warnings=("The waiver for BA00000000 meets no finding.",),
            )
        }
    )


def waiver(finding: str, state: str, reason: str) -> WaiverRecord:
    return WaiverRecord(
        finding=finding,
        state=state,
        category="accepted_risk",
        reason=reason,
        owner="Ada Example",
        approved_by="Grace Example",
        created=date(2026, 11, 1),
        expires=date(2027, 3, 1),
    )


UNTOLD = ("rates", "probes", "catalogue", "measures", "unit_pages")
"""Parts that no export tells."""

FIXED = {
    *("format_version", "kind", "role", "verdict", "grade", "marks", "arm", "arms", "modality"),
    *("state", "outcome", "fail_on", "baseline", "created", "expires", "started", "finished"),
    *("labels", "target_kind", "digest", "weights_digest", "thresholds_digest", "waivers_digest"),
    *("templates_digest", "baseline_digest"),
}
"""Keys whose values the format fixes."""


def hostile(result: AuditResult, words: str) -> AuditResult:
    """Append words to every text of a result that a person or a file could have given."""
    kept = {"inputs", "plan", "findings", "contrasts", "gate", "arms", "not_tested", "run"}
    document = result.model_copy(update=dict.fromkeys(UNTOLD, ())).model_dump(mode="json")
    poisoned = {
        key: _poisoned(value, words) if key in {*kept, "title", "model", "tool", "notes"} else value
        for key, value in document.items()
    }
    for rule, own in zip(poisoned["gate"]["rules"], document["gate"]["rules"], strict=True):
        rule["name"] = own["name"]
    poisoned["plan"]["arms"] = document["plan"]["arms"]
    poisoned["verdict"]["rule"] += words
    return AuditResult.model_validate(poisoned)


def _poisoned(value: Any, words: str) -> Any:
    if isinstance(value, str):
        return value + words
    if isinstance(value, list):
        return [_poisoned(part, words) for part in value]
    if isinstance(value, dict):
        return {
            key: part if key in FIXED else _poisoned(part, words) for key, part in value.items()
        }
    return value
