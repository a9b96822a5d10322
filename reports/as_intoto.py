"""In-toto: an unsigned statement that a test was run on these weights, and how it ended."""

from collections.abc import Mapping
from typing import Any

from audit.results import AuditResult, Verdict
from reports.cases import cases, distrusted, exit_code
from reports.formats import NO_PICTURES
from reports.written import json_bytes, sha256_of

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def render(result: AuditResult, _pictures: Mapping[str, bytes] = NO_PICTURES) -> bytes:
    """Render a result as an in-toto statement with the predicate *test result*.

    Parameters
    ----------
    result : AuditResult
        The document; equal documents give equal bytes.

    Returns
    -------
    bytes
        UTF-8 JSON, unsigned. Contrasts are named by references, so that no term is in it.

    References
    ----------
    in-toto Attestation Framework, Statement v1; predicate test-result v0.1.
    """
    predicate: dict[str, Any] = {
        "result": _outcome(result),
        "configuration": _configuration(result),
        **_tests(result),
    }
    return json_bytes(
        {
            "_type": STATEMENT,
            "subject": _subjects(result),
            "predicateType": PREDICATE,
            "predicate": predicate,
        }
    )


def _subjects(result: AuditResult) -> list[dict[str, Any]]:
    weights = sha256_of(result.model.weights_digest)
    if weights:
        return [{"name": result.model.name, "digest": {"sha256": weights}}]
    files = {name: sha256_of(digest) for name, digest in sorted(result.inputs.files.items())}
    given = [{"name": name, "digest": {"sha256": d}} for name, d in files.items() if d]
    content = {"name": "content of result.json", "digest": {"sha256": sha256_of(result.digest)}}
    return given or [content]


def _outcome(result: AuditResult) -> str:
    if exit_code(result):
        return "FAILED"
    calm = all(case.verdict is Verdict.NOT_FOUND for case in cases(result))
    return "PASSED" if calm and cases(result) and not result.gate.warnings else "WARNED"


def _configuration(result: AuditResult) -> list[dict[str, Any]]:
    inputs = result.inputs
    known = {
        "plan": result.plan.digest,
        "thresholds": result.plan.thresholds_digest,
        "templates": inputs.templates_digest,
        **{f"concept set {entry.role} {entry.id}": entry.digest for entry in inputs.concept_sets},
        **{f"stimuli {entry.modality}": entry.digest for entry in inputs.stimuli},
        "waivers": result.gate.waivers_digest,
        "baseline": result.gate.baseline_digest,
        "content of result.json": result.digest,
    }
    described = [
        {"name": name, "digest": {"sha256": sha256_of(digest)}}
        for name, digest in known.items()
        if sha256_of(digest)
    ]
    tool = {"name": result.tool.name, "annotations": {"version": result.tool.version}}
    return [{**tool, "uri": f"pkg:generic/{result.tool.name}"}, *described]


def _tests(result: AuditResult) -> dict[str, list[str]]:
    """Sort contrasts and rules by outcome; what is open or not failed on is a warning."""
    answered = cases(result)
    rules = [(f"gate {rule.name} {rule.asked}", rule.outcome) for rule in result.gate.rules]
    hard = {"failed"} if result.gate.passed else {"failed", "inconclusive"}
    broken = set(distrusted(result))
    arms = [(f"calibration {arm.arm}", arm.arm in broken) for arm in result.arms if arm.calibration]
    return {
        "passedTests": [
            *(c.id for c in answered if c.verdict is Verdict.NOT_FOUND and not c.fails),
            *(name for name, outcome in rules if outcome == "passed"),
            *(name for name, is_broken in arms if not is_broken),
        ],
        "warnedTests": [
            *(c.id for c in answered if c.verdict is not Verdict.NOT_FOUND and not c.fails),
            *(name for name, outcome in rules if outcome not in {"passed", *hard}),
        ],
        "failedTests": [
            *(c.id for c in answered if c.fails),
            *(name for name, outcome in rules if outcome in hard),
            *(name for name, is_broken in arms if is_broken),
        ],
    }
