from pathlib import Path

import pytest
from lxml import etree

from audit.results import Verdict
from reports.as_junit import render
from reports.cases import cases

SCHEMA = Path(__file__).parents[1] / "specimens" / "schemas" / "junit-10.xsd"
OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units", "gated"]


@pytest.fixture(scope="module")
def official():
    return etree.XMLSchema(etree.parse(SCHEMA))


def suites(result):
    return {suite.get("name"): suite for suite in etree.fromstring(render(result))}


def ends(suite):
    """Name of each case to its outcome."""
    return {
        case.get("name"): case[0].tag if len(case) else "passed" for case in suite.iter("testcase")
    }


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_schema_of_the_jenkins_plugin_accepts_it(official, exported, outcome):
    assert official.validate(etree.fromstring(render(exported[outcome]))), official.error_log


def test_the_schema_of_the_jenkins_plugin_would_find_properties_of_a_case(official, stored):
    root = etree.fromstring(render(stored))
    etree.SubElement(next(root.iter("testcase")), "properties")

    assert not official.validate(root)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_it_keeps_to_what_the_stricter_ant_schema_takes(exported, outcome):
    root = etree.fromstring(render(exported[outcome]))

    assert root.attrib == {}
    for place, suite in enumerate(root):
        assert suite.get("id") == str(place)
        assert {"package", "hostname", "timestamp", "tests", "failures", "errors", "time"} <= set(
            suite.attrib
        )
        tags = [child.tag for child in suite]
        assert tags == [
            "properties", *["testcase"] * (len(tags) - 3), "system-out", "system-err"
        ]  # fmt: skip
        assert all(len(case) <= 1 for case in suite.iter("testcase"))
        assert all(bad.get("type") for bad in (*suite.iter("failure"), *suite.iter("error")))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_counts_of_a_suite_are_those_of_its_cases(exported, outcome):
    for suite in suites(exported[outcome]).values():
        found = list(ends(suite).values())
        assert int(suite.get("tests")) == len(found)
        assert int(suite.get("failures")) == found.count("failure")
        assert int(suite.get("errors")) == found.count("error")
        assert int(suite.get("skipped")) == found.count("skipped")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_contrast_named_beforehand_is_one_case(exported, outcome):
    result = exported[outcome]
    named = ends(suites(result)["contrasts"])

    assert len(named) == len(cases(result))
    for case in cases(result):
        (end,) = (end for name, end in named.items() if name.startswith(f"{case.id} ("))
        skipped = case.verdict is Verdict.INSUFFICIENT
        assert end == ("failure" if case.fails else "skipped" if skipped else "passed")


def test_a_finding_that_fails_the_gate_is_told_with_evidence_and_fingerprint(gated):
    finding = gated.findings[0]
    (failure,) = suites(gated)["contrasts"].iter("failure")

    assert failure.get("type") == "BA1001"
    assert finding.id in failure.text
    assert finding.fingerprint in failure.text
    assert "Against it: " in failure.text


def test_a_waived_finding_passes_and_stays_visible(gated):
    suite = suites(gated)["contrasts"]
    told = {p.get("name"): p.get("value") for p in suite.iter("property")}

    assert told[f"waived {gated.findings[1].id}"] == (
        "high, candidate; to 2027-03-01; Ada Example and Grace Example; "
        "accepted_risk: The shop shows no “l*******” and no g*******."
    )
    assert "Suspicion and custody" in suite.findtext("system-out")


def test_without_a_gate_findings_pass_and_are_told(stored):
    gate = stored.gate.model_copy(update={"fail_on": "none", "passed": True})
    suite = suites(stored.model_copy(update={"gate": gate}))["contrasts"]
    told = {p.get("name") for p in suite.iter("property")}

    assert "failure" not in ends(suite).values()
    assert {f"found {f.id}" for f in stored.findings if f.blocking} <= told


def test_a_gate_that_fails_without_a_finding_fails_a_case(gated):
    rule = gated.gate.rules[1].model_copy(update={"outcome": "failed"})
    gate = gated.gate.model_copy(update={"rules": (rule,)})

    assert ends(suites(gated.model_copy(update={"gate": gate}))["gate"]) == {
        "min-coverage 0.9": "failure"
    }


@pytest.mark.parametrize(
    ("passed", "asked", "end"),
    [(True, "pass", "skipped"), (False, "fail", "failure"), (False, "error", "error")],
)
def test_a_gate_that_cannot_tell_ends_as_was_asked(gated, passed, asked, end):
    worse = gated.gate.rules[0].model_copy(
        update={"name": "fail-on-worse", "asked": "1", "outcome": "inconclusive", "findings": ()}
    )
    wanted = gated.gate.rules[1].model_copy(update={"name": "on-inconclusive", "asked": asked})
    gate = gated.gate.model_copy(
        update={"rules": (worse, wanted), "passed": passed, "outcome": "inconclusive"}
    )

    named = ends(suites(gated.model_copy(update={"gate": gate}))["gate"])
    assert named["fail-on-worse 1"] == end


def test_evidence_that_failed_its_calibration_is_an_error(stored):
    arms = tuple(arm.model_copy(update={"role": "decides"}) for arm in stored.arms)
    named = ends(suites(stored.model_copy(update={"arms": arms}))["reliability"])

    assert named["calibration of rendered"] == "error"
    assert ends(suites(stored)["reliability"])["calibration of rendered"] == "skipped"
