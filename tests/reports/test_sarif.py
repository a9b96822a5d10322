import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reports.as_sarif import LEVELS, NOTICE_RULES, RESULT_RULES, plan_file, render
from reports.formats import FORMATS
from reports.rules import GATE_RULES, RULES, help_markdown

SCHEMA = Path(__file__).parents[1] / "specimens" / "schemas" / "sarif-2.1.0.schema.json"
OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units", "gated"]
READ = ("html", "pdf", "json")
"""Formats that are no export: the reports and the document itself."""


@pytest.fixture(scope="module")
def official():
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def run_of(result, **settings):
    (run,) = json.loads(render(result, **settings))["runs"]
    return run


def by_id(run):
    return {alert["properties"]["finding"]: alert for alert in run["results"]}


@pytest.mark.parametrize("suppressed", ["omit", "include"])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_schema_of_the_standard_accepts_it(official, exported, outcome, suppressed):
    assert (
        list(official.iter_errors(json.loads(render(exported[outcome], suppressed=suppressed))))
        == []
    )


def test_the_schema_of_the_standard_would_find_a_wrong_level(official, stored):
    document = json.loads(render(stored))
    document["runs"][0]["results"][0]["level"] = "critical"

    assert [e.json_path for e in official.iter_errors(document)] == ["$.runs[0].results[0].level"]


def test_every_rule_is_explained_in_the_file(stored):
    driver = run_of(stored)["tool"]["driver"]
    told = {row["id"]: row for row in (*driver["rules"], *driver["notifications"])}

    assert set(told) == set(RULES)
    for id, row in told.items():
        assert row["help"]["markdown"] == help_markdown(RULES[id])
        assert row["shortDescription"]["text"] == RULES[id].title


def test_the_page_of_exports_lists_every_rule_and_format():
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")

    assert all(f"| {rule.id} | {rule.title} |" in page for rule in RULES.values())
    assert all(f"`{row.file_name}`" in page for name, row in FORMATS.items() if name not in READ)


def test_places_in_the_tables_of_rules_are_right(gated):
    run = run_of(gated)
    driver = run["tool"]["driver"]

    for alert in run["results"]:
        assert driver["rules"][alert["ruleIndex"]]["id"] == alert["ruleId"]
    for notice in run["invocations"][0]["toolExecutionNotifications"]:
        row = driver["notifications"][notice["descriptor"]["index"]]
        assert row["id"] == notice["descriptor"]["id"]
    assert set(GATE_RULES.values()) <= set(NOTICE_RULES)
    assert set(RESULT_RULES) | set(NOTICE_RULES) == set(RULES)


def test_severity_sets_the_level_and_exploratory_findings_are_notes(stored):
    alerts = by_id(run_of(stored))

    for finding in stored.findings:
        wanted = LEVELS[finding.severity] if finding.blocking else "note"
        assert alerts[finding.id]["level"] == wanted
        assert alerts[finding.id]["ruleId"] == ("BA1001" if finding.blocking else "BA1002")
        assert finding.fingerprint in alerts[finding.id]["partialFingerprints"].values()


def test_waived_findings_are_left_out_or_suppressed_with_their_reason(gated):
    waived = gated.findings[1].id
    included = by_id(run_of(gated, suppressed="include"))

    assert waived not in by_id(run_of(gated))
    (suppression,) = included[waived]["suppressions"]
    assert suppression["status"] == "accepted"
    assert (
        "accepted_risk: The shop shows no “l*******” and no g*******."
        in (suppression["justification"])
    )
    assert "suppressions" not in included[gated.findings[0].id]


def test_states_against_the_baseline_are_told_in_the_words_of_the_standard(gated):
    states = {
        id: alert.get("baselineState")
        for id, alert in by_id(run_of(gated, suppressed="include")).items()
    }

    assert states[gated.findings[0].id] == "updated"
    assert states[gated.findings[1].id] == "unchanged"
    assert {state for id, state in states.items() if id not in list(states)[:2]} == {None}


def test_the_exit_code_is_explained(gated, stored):
    (invocation,) = run_of(gated)["invocations"]

    assert invocation["exitCode"] == 1
    assert invocation["executionSuccessful"] is True
    assert invocation["exitCodeDescription"].endswith("the gate failed.")


def test_evidence_that_failed_its_calibration_is_a_result_and_no_success(stored):
    arms = tuple(arm.model_copy(update={"role": "decides"}) for arm in stored.arms)
    run = run_of(stored.model_copy(update={"arms": arms}))

    assert run["results"][0]["ruleId"] == "BA2001"
    assert run["results"][0]["level"] == "error"
    assert run["invocations"][0]["exitCode"] == 3
    assert run["invocations"][0]["executionSuccessful"] is False


def test_units_are_logical_places_and_the_plan_is_the_physical_one(stored):
    command = "clip-audit run ci/my plan.toml --fail-on high".replace("my plan", "'my plan'")
    named = stored.model_copy(update={"run": stored.run.model_copy(update={"command": command})})
    finding = next(f for f in stored.findings if f.units)
    place = by_id(run_of(named))[finding.id]["locations"][0]
    unit = finding.units[0]

    assert place["physicalLocation"]["artifactLocation"] == {"uri": "ci/my%20plan.toml"}
    assert place["logicalLocations"][0]["name"] == f"{unit.layer}:{unit.unit}"


@pytest.mark.parametrize(
    ("command", "plan"),
    [
        ("clip-audit run plan.toml --fail-on high", "plan.toml"),
        ("clip-audit score --plan=a/b.toml", "a/b.toml"),
        ("clip-audit score --plan b.toml", "b.toml"),
        ("clip-audit run --waivers w.toml", ""),
        ("clip-audit run /home/me/plan.toml", ""),
        ("clip-audit run ../plan.toml", ""),
        ("clip-audit run C:\\\\plan.toml", ""),
        ("clip-audit run 'unfinished.toml", ""),
        ("", ""),
    ],
)
def test_only_a_plan_below_the_working_folder_is_named(command, plan):
    assert plan_file(command) == plan


def test_open_contrasts_are_told_and_are_no_alerts(exported):
    run = run_of(exported["insufficient"])
    notices = run["invocations"][0]["toolExecutionNotifications"]

    assert run["results"] == []
    assert [n["level"] for n in notices if n["descriptor"]["id"] == "BA2002"] == ["warning"]


def test_each_model_has_a_category_of_its_own(stored):
    other = stored.model.model_copy(update={"name": "ViT/other model"})
    ids = [
        run_of(result)["automationDetails"]["id"]
        for result in (stored, stored.model_copy(update={"model": other}))
    ]

    assert ids == [
        "clip-audit/RN-small/20261123T080000Z",
        "clip-audit/ViT-other-model/20261123T080000Z",
    ]
