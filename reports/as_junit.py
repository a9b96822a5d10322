"""JUnit XML: a test case for each contrast that the plan named beforehand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from audit.results import ArmRecord, AuditResult, GateRuleRecord, Verdict
from reports.care import visible
from reports.cases import Case, cases, exit_code
from reports.formats import NO_PICTURES
from reports.names import Names
from reports.quantities import listed
from reports.rules import GATE_RULES
from reports.sections.findings import lead_contrast
from reports.wording import finding_sentence, grade_note, in_arms, seen_in

Outcome = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One test case; the message of one that passed goes to the output of its suite."""

    group: str
    name: str
    outcome: Outcome = "passed"
    rule: str = ""
    message: str = ""
    details: str = ""


def render(result: AuditResult, _pictures: Mapping[str, bytes] = NO_PICTURES) -> bytes:
    """Render a result as JUnit XML.

    A case fails where a rule of the gate failed on it; it is skipped where the evidence did not
    suffice. A finding that no gate was asked to fail on, or that is waived, passes and is told in
    the properties and the output of its suite.

    Parameters
    ----------
    result : AuditResult
        The document; equal documents give equal bytes.

    Returns
    -------
    bytes
        UTF-8 XML in the form that both the Ant and the Jenkins schema take: no attributes on the
        outer element, one outcome per case, properties on suites only.
    """
    names = Names(inputs=result.inputs)
    seconds = (result.run.finished - result.run.started).total_seconds()
    answered = cases(result)
    root = Element("testsuites")
    tests = [_contrast(case, result, names) for case in answered]
    told = [line for case in answered for line in _told(case, names)]
    _suite(root, "contrasts", tests, result, {**_facts(result), **dict(told)}, seconds)
    _suite(root, "gate", [_gate(rule, result, names) for rule in result.gate.rules], result, {})
    _suite(root, "reliability", [_arm(arm, names) for arm in result.arms], result, {})
    indent(root, " ")
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _suite(
    root: Element,
    name: str,
    tests: Iterable[Test],
    result: AuditResult,
    properties: Mapping[str, str],
    seconds: float = 0.0,
) -> None:
    tests = list(tests)
    count = {kind: sum(t.outcome == kind for t in tests) for kind in ("failure", "error")}
    suite = SubElement(
        root,
        "testsuite",
        name=name,
        package="clip-audit",
        id=str(len(root)),
        timestamp=f"{result.run.started.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        hostname=visible(result.run.host).strip() or "localhost",
        tests=str(len(tests)),
        failures=str(count["failure"]),
        errors=str(count["error"]),
        skipped=str(sum(t.outcome == "skipped" for t in tests)),
        time=f"{max(seconds, 0.0):.3f}",
    )
    listed_ones = SubElement(suite, "properties")
    for key, value in properties.items():
        SubElement(listed_ones, "property", name=visible(key), value=visible(value))
    for test in tests:
        _case(suite, test)
    passed = [t for t in tests if t.outcome == "passed" and t.message]
    SubElement(suite, "system-out").text = "\n".join(
        visible(f"{test.name}: {test.message}") for test in passed
    )
    SubElement(suite, "system-err").text = ""


def _case(suite: Element, test: Test) -> None:
    case = SubElement(
        suite, "testcase", name=visible(test.name), classname=visible(test.group), time="0"
    )
    if test.outcome == "passed":
        return
    outcome = SubElement(case, test.outcome, message=visible(test.message))
    if test.rule:
        outcome.set("type", test.rule)
    outcome.text = "\n".join(visible(line) for line in test.details.split("\n")) or None


def _contrast(case: Case, result: AuditResult, names: Names) -> Test:
    group = f"clip-audit.{case.identity.partition('/')[0]}"
    name = f"{case.id} ({names.concept(case.identity)}, {names.concept(case.harm)})"
    if case.fails:
        said = _sentence(case, names)
        text = _details(case, result, names)
        return Test(
            group=group, name=name, outcome="failure", rule="BA1001", message=said, details=text
        )
    if case.verdict is Verdict.INSUFFICIENT:
        why = _why_open(case, result.model.kind)
        return Test(group=group, name=name, outcome="skipped", rule="BA2002", message=why)
    said = _sentence(case, names) if case.finding is not None else ""
    return Test(group=group, name=name, message=said)


def _sentence(case: Case, names: Names) -> str:
    if case.finding is None:
        return "This contrast has certainly risen since the baseline."
    lead = lead_contrast(case.contrasts, case.finding)
    return finding_sentence(case.finding, lead.effect_sd, names) if lead else case.finding.id


def _details(case: Case, result: AuditResult, names: Names) -> str:
    if case.finding is None:
        return ""
    finding = case.finding
    lines = [
        f"{finding.id}: {finding.severity.name.lower()}, {grade_note(finding)}.",
        seen_in(case.contrasts, result.model.kind) if case.contrasts else "",
        *(f"For it: {names.sentence(line)}" for line in finding.evidence),
        *(f"Against it: {names.sentence(line)}" for line in finding.counter_evidence),
        f"Fingerprint {finding.fingerprint}",
        f"More: clip-audit explain {finding.id} AUDIT",
    ]
    return "\n".join(filter(None, lines))


def _why_open(case: Case, kind: str) -> str:
    if not case.contrasts:
        return "Not tested: no deciding evidence holds this contrast."
    unsure = [c.arm for c in case.contrasts if c.verdict is Verdict.INSUFFICIENT]
    return f"Insufficient evidence in {in_arms(tuple(unsure), kind)}: neither found nor excluded."


def _told(case: Case, names: Names) -> Iterable[tuple[str, str]]:
    if case.finding is None or case.fails:
        return
    known = f"{case.finding.severity.name.lower()}, {case.finding.grade.value}"
    if case.waiver is None:
        yield f"found {case.finding.id}", f"{known}; no rule of the gate fails on it"
        return
    reason = names.hidden_within(f"{case.waiver.category}: {case.waiver.reason}")
    people = f"{case.waiver.owner} and {case.waiver.approved_by}"
    yield f"waived {case.finding.id}", f"{known}; to {case.waiver.expires}; {people}; {reason}"


def _gate(rule: GateRuleRecord, result: AuditResult, names: Names) -> Test:
    code = exit_code(result)
    unsure: Outcome = "skipped" if result.gate.passed else "error" if code == 3 else "failure"
    outcomes: dict[str, Outcome] = {"passed": "passed", "failed": "failure", "inconclusive": unsure}
    return Test(
        group="clip-audit.gate",
        name=f"{rule.name} {rule.asked}",
        outcome=outcomes[rule.outcome],
        rule=GATE_RULES[rule.name],
        message=names.sentence(rule.sentence),
        details=listed(rule.findings) if rule.outcome == "failed" else "",
    )


def _arm(arm: ArmRecord, names: Names) -> Test:
    broken = arm.role == "decides" and arm.calibration is not None and not arm.calibration.passed
    return Test(
        group="clip-audit.reliability",
        name=f"calibration of {arm.arm}",
        outcome="error" if broken else "passed" if arm.decides else "skipped",
        rule="BA2001" if broken else "",
        message=names.sentence(arm.reason),
    )


def _facts(result: AuditResult) -> dict[str, str]:
    return {
        "result.digest": result.digest,
        "model.name": result.model.name,
        "model.weights": result.model.weights_digest,
        "plan.digest": result.plan.digest,
        "thresholds.digest": result.plan.thresholds_digest,
        "tool": f"{result.tool.name} {result.tool.version}",
        "verdict": result.verdict.verdict.value,
        "gate": "passed" if result.gate.passed else "failed",
    }
