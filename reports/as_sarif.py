"""SARIF 2.1.0: findings as alerts of a code host."""

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import quote

from audit.results import AuditResult, FindingRecord, Number, Undefined, UnitRecord, Verdict
from reports.cases import EXIT_CODES, cases, distrusted, exit_code, state_of, waiver_of
from reports.formats import NO_PICTURES
from reports.names import Names
from reports.quantities import listed, plural
from reports.rules import GATE_RULES, RULES, help_markdown, help_text
from reports.sections.findings import arms_of, lead_contrast, worst_first
from reports.wording import finding_sentence, grade_note, seen_in, standing
from reports.written import derived_id, json_bytes, plain

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

SUPPRESSED = ("omit", "include")
"""What becomes of waived findings; code hosts that ignore suppressions show them as open."""

RESULT_RULES = ("BA1001", "BA1002", "BA2001")
"""Rules whose breach is a result; the others speak in notifications."""

NOTICE_RULES = tuple(id for id in RULES if id not in RESULT_RULES)

LEVELS = {4: "error", 3: "error", 2: "warning", 1: "note"}
"""Level of a blocking finding by severity; exploratory ones are notes, as they never block."""

STATES = {"new": "new", "known": "unchanged", "worse": "updated"}
"""State against the gate's baseline, in SARIF's words."""

UNITS = 10
"""Units named with a finding; the result document keeps 50."""

RESULT_FILE = "result.json"


def render(
    result: AuditResult,
    _pictures: Mapping[str, bytes] = NO_PICTURES,
    *,
    suppressed: Literal["omit", "include"] = "omit",
) -> bytes:
    """Render a result as one SARIF log with one run.

    Parameters
    ----------
    result : AuditResult
        The document; equal documents give equal bytes.
    suppressed : {"omit", "include"}
        Whether waived findings are left out, or are in with a suppression.

    Returns
    -------
    bytes
        UTF-8 JSON after the OASIS standard, no term of harms of severity 3 and more in it.

    References
    ----------
    OASIS (2023), Static Analysis Results Interchange Format 2.1.0, errata 01.
    """
    names, digest = Names(inputs=result.inputs), result.digest
    run = {
        "tool": {"driver": _driver(result)},
        "automationDetails": _automation(result, digest),
        "invocations": [_invocation(result, names)],
        "results": list(_results(result, names, digest, suppressed)),
        "columnKind": "unicodeCodePoints",
        "properties": {"resultDigest": digest, **_properties(result, names)},
    }
    return json_bytes({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _driver(result: AuditResult) -> dict[str, Any]:
    return {
        "name": result.tool.name,
        "version": result.tool.version,
        "rules": [_descriptor(id) for id in RESULT_RULES],
        "notifications": [_descriptor(id) for id in NOTICE_RULES],
    }


def _descriptor(id: str) -> dict[str, Any]:
    rule = RULES[id]
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.meaning},
        "defaultConfiguration": {"level": rule.level},
        "help": {"text": help_text(rule), "markdown": help_markdown(rule)},
    }


def _automation(result: AuditResult, digest: str) -> dict[str, Any]:
    model = re.sub(r"[^A-Za-z0-9_.:-]+", "-", result.model.name).strip("-") or "model"
    return {
        "id": f"clip-audit/{model}/{result.run.started.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "guid": str(derived_id(digest, "run")),
    }


def _invocation(result: AuditResult, names: Names) -> dict[str, Any]:
    code = exit_code(result)
    invocation = {
        "executionSuccessful": code != 3,
        "exitCode": code,
        "exitCodeDescription": EXIT_CODES[code],
        "startTimeUtc": _utc(result.run.started),
        "endTimeUtc": _utc(result.run.finished),
        "machine": result.run.host,
        "toolExecutionNotifications": list(_notices(result, names)),
    }
    return {**invocation, **({"commandLine": result.run.command} if result.run.command else {})}


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _notices(result: AuditResult, names: Names) -> Iterator[dict[str, Any]]:
    still_open = [case for case in cases(result) if case.verdict is Verdict.INSUFFICIENT]
    if still_open:
        said = f"{plural(len(still_open), 'blocking contrast')} could not be answered: "
        yield _notice("BA2002", said + listed([case.id for case in still_open]))
    for omission in result.not_tested:
        yield _notice("BA2003", f"{names.sentence(omission.what)} {names.sentence(omission.why)}")
    for stimuli in result.inputs.stimuli:
        if stimuli.unreadable:
            said = f"{plural(len(stimuli.unreadable), stimuli.modality)} could not be read."
            yield _notice("BA2004", said)
    for rule in result.gate.rules:
        level = None if rule.outcome != "passed" else "note"
        yield _notice(GATE_RULES[rule.name], names.sentence(rule.sentence), level)
    for waiver in result.gate.waivers:
        rule_id = "BA3101" if waiver.state == "active" else "BA3102"
        yield _notice(rule_id, f"Waiver for {waiver.finding}, {waiver.state}, to {waiver.expires}.")


def _notice(rule: str, said: str, level: str | None = None) -> dict[str, Any]:
    return {
        "descriptor": {"id": rule, "index": NOTICE_RULES.index(rule)},
        "level": level or RULES[rule].level,
        "message": {"text": message_text(said)},
    }


def _results(
    result: AuditResult, names: Names, digest: str, suppressed: str
) -> Iterator[dict[str, Any]]:
    for arm in distrusted(result):
        yield {
            **_identified("BA2001", f"arm {arm}", digest),
            "level": "error",
            "message": {"text": message_text(f"{RULES['BA2001'].title} Evidence: {arm}.")},
            "partialFingerprints": {"clipAuditFinding/v1": f"arm:{arm}"},
            "locations": [{"physicalLocation": _place(result)}],
        }
    for finding in worst_first(result):
        waived = waiver_of(finding, result) is not None
        if not waived or suppressed == "include":
            rule = "BA1001" if finding.blocking else "BA1002"
            alert = _alert(finding, result, names)
            yield {**_identified(rule, finding.id, digest), **alert}


def _identified(rule: str, what: str, digest: str) -> dict[str, Any]:
    return {
        "ruleId": rule,
        "ruleIndex": RESULT_RULES.index(rule),
        "guid": str(derived_id(digest, what)),
    }


def _alert(finding: FindingRecord, result: AuditResult, names: Names) -> dict[str, Any]:
    alert = {
        "level": LEVELS[finding.severity] if finding.blocking else "note",
        "message": _message(finding, result, names),
        "partialFingerprints": {"clipAuditFinding/v1": finding.fingerprint},
        "locations": [
            {
                "physicalLocation": _place(result),
                "logicalLocations": [_unit(unit) for unit in finding.units[:UNITS]],
            }
        ],
        "properties": _facts(finding, result),
    }
    state = state_of(finding, result)
    if state is not None and state.baseline in STATES:
        alert["baselineState"] = STATES[state.baseline]
    waiver = waiver_of(finding, result)
    if waiver is not None:
        reason = names.hidden_within(f"{waiver.category}: {waiver.reason}")
        said = f"{reason} To {waiver.expires}, {waiver.owner} and {waiver.approved_by}."
        accepted = {"kind": "external", "status": "accepted", "justification": said}
        alert["suppressions"] = [accepted]
    return alert


def _message(finding: FindingRecord, result: AuditResult, names: Names) -> dict[str, str]:
    contrasts = arms_of(finding, result)
    lead = lead_contrast(contrasts, finding)
    said = finding_sentence(finding, lead.effect_sd, names) if lead else f"{finding.id}."
    found = tuple(c for c in contrasts if c.arm in finding.arms) or contrasts
    seen = seen_in(found, result.model.kind) if found else ""
    text = f"{finding.id}, {grade_note(finding)}. {said} {seen}".strip()
    parts = [plain(text), plain(standing(finding, result.plan))]
    for head, lines in (("For it", finding.evidence), ("Against it", finding.counter_evidence)):
        if lines:
            told = "\n".join(f"- {plain(names.sentence(line))}" for line in lines)
            parts.append(f"**{head}**\n\n{told}")
    return {"text": message_text(text), "markdown": "\n\n".join(parts)}


def message_text(text: str) -> str:
    r"""Write a plain message: braces are no placeholders and brackets no links.

    Examples
    --------
    >>> message_text("{0} [a](1)")
    '{{0}} \\[a\\](1)'
    """
    return re.sub(r"([\\\[\]])", r"\\\1", text).replace("{", "{{").replace("}", "}}")


def _unit(unit: UnitRecord) -> dict[str, Any]:
    name = f"{unit.layer}:{unit.unit}"
    return {"name": name, "fullyQualifiedName": f"{name} ({unit.pooling})", "kind": "unit"}


def _place(result: AuditResult) -> dict[str, Any]:
    uri = quote(plan_file(result.run.command) or RESULT_FILE)
    return {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}


def plan_file(command: str) -> str:
    """Return the plan that a command names, relative to where it ran; empty where it names none.

    Examples
    --------
    >>> plan_file("clip-audit run ci/plan.toml --waivers w.toml"), plan_file("clip-audit run")
    ('ci/plan.toml', '')
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    for before, word in pairwise(words):
        given = word.removeprefix("--plan=")
        option = before.startswith("--") and before != "--plan"
        path = PurePosixPath(given)
        outside = path.is_absolute() or ".." in path.parts or re.search(r"[\\:~]", given)
        if given.endswith(".toml") and not (option or outside or given.startswith("-")):
            return str(path)
    return ""


def _facts(finding: FindingRecord, result: AuditResult) -> dict[str, Any]:
    return {
        "finding": finding.id,
        "severity": finding.severity.name.lower(),
        "grade": finding.grade.value,
        "marks": [mark.value for mark in finding.marks],
        "blocking": finding.blocking,
        "identity": finding.identity,
        "harm": finding.harm,
        "effects": [
            {
                "arm": contrast.arm,
                "effectSd": _number(contrast.effect_sd),
                "lowSd": _number(contrast.low_sd),
                "highSd": _number(contrast.high_sd),
                "verdict": contrast.verdict.value,
            }
            for contrast in arms_of(finding, result)
        ],
    }


def _number(value: Number) -> float | dict[str, str]:
    return {"undefined": value.undefined} if isinstance(value, Undefined) else value


def _properties(result: AuditResult, names: Names) -> dict[str, Any]:
    return {
        "weightsDigest": result.model.weights_digest,
        "verdict": result.verdict.verdict.value,
        "verdictRule": names.sentence(result.verdict.rule),
        "blockingFound": result.verdict.found,
        "blockingNotFound": result.verdict.not_found,
        "blockingInsufficient": result.verdict.insufficient,
        "gatePassed": result.gate.passed,
        "gateRule": names.sentence(result.gate.rule),
        "notes": [names.sentence(note) for note in result.notes],
    }
