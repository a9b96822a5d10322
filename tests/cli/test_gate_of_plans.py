"""A plan may say what the exit code is asked; the command line wins; the result does not change."""

import json
from pathlib import Path

import pytest

from audit.cli.gate_asked import GATE_OPTIONS
from audit.plan import GateSection
from audit.results import read_result, write_result

STORED = Path(__file__).parents[1] / "specimens" / "result-1.0.json"
RESULT = read_result(STORED)


@pytest.fixture
def audit(tmp_path):
    folder = tmp_path / "audit"
    folder.mkdir()
    (folder / "result.json").write_bytes(STORED.read_bytes())
    return folder


@pytest.fixture
def plan(tmp_path):
    """Write a plan with a gate into a folder of its own."""

    def write(text: str) -> Path:
        path = tmp_path / "plans" / "plan.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"[gate]\n{text}")
        return path

    return write


def test_every_option_of_a_gate_is_a_key_of_the_plan():
    assert set(GATE_OPTIONS) == set(GateSection.model_fields)


def test_the_plan_decides_where_no_option_does(cli, audit, plan):
    path = plan('fail_on = "low"\n')

    assert cli("gate", audit).code == 0
    assert cli("gate", audit, "--plan", path).code == 1


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ('fail_on = "low"', ["--fail-on", "none"], 0),
        ('on_inconclusive = "error"', ["--on-inconclusive", "fail"], 1),
        ("min_coverage = 1.0", ["--min-coverage", "0"], 0),
        ("min_coverage = 0.0", ["--min-coverage", "1"], 1),
    ],
)
def test_the_command_line_wins_even_with_the_default(cli, audit, plan, text, options, code):
    path = plan(text)

    assert cli("gate", audit, "--plan", path, *options).code == code
    assert cli("gate", audit, "--plan", path).code != code


def test_strictness_of_a_plan_can_be_taken_back(cli, audit, plan, waivers_file):
    path = plan(f'strict = true\nwaivers = "{waivers_file}"\n')

    assert cli("gate", audit, "--plan", path).code == 1
    assert cli("gate", audit, "--plan", path, "--no-strict").code == 0


@pytest.fixture
def waivers_file(tmp_path):
    (tmp_path / "plans").mkdir(exist_ok=True)
    (tmp_path / "plans" / "waivers.toml").write_text(
        """
[[waiver]]
finding = "BA00000000"
reason = "meets nothing at all, so that it warns"
category = "not_applicable"
owner = "Ada"
approved_by = "Grace"
created = 2026-01-10
expires = 2026-06-10
model = "*"
"""
    )
    return "waivers.toml"


def test_files_of_a_plan_are_beside_the_plan_and_those_of_options_are_here(
    cli, audit, plan, tmp_path
):
    path = plan('fail_on_new = "low"\nbaseline = "known.json"\n')
    assert cli("baseline", audit, "--output", path.parent / "known.json").code == 0

    assert cli("gate", audit, "--plan", path).code == 0
    missing = cli("gate", audit, "--plan", path, "--baseline", "known.json")
    assert missing.code == 3
    assert "known.json" in missing.err


def test_a_rule_of_the_plan_without_a_baseline_is_refused(cli, audit, plan):
    end = cli("gate", audit, "--plan", plan("fail_on_worse = 1\n"))

    assert end.code == 2
    assert "must have something to compare with" in end.err


def test_a_run_takes_the_gate_from_its_plan_and_files_the_same_content(cli, small_world, tmp_path):
    small_world.write_packs(tmp_path / "packs")
    bare = small_world.write_plan(tmp_path, name="bare.toml")
    gated = small_world.write_plan(tmp_path, name="gated.toml", more='[gate]\nfail_on = "high"\n')
    ends = [
        cli("run", path, "--out", tmp_path / path.stem, "--format", "json")
        for path in (bare, gated)
    ]
    last = cli("run", gated, "--out", "last", "--format", "json", "--fail-on", "none")

    assert [end.code for end in (*ends, last)] == [0, 1, 0]
    assert [end.result.gate.fail_on for end in (*ends, last)] == ["none", "high", "none"]
    assert len({end.result.digest for end in (*ends, last)}) == 1
    assert len({end.result.plan.digest for end in (*ends, last)}) == 1


def test_the_summary_names_rules_findings_and_the_result(cli, audit):
    end = cli("gate", audit, "--fail-on", "low", "--format", "markdown")

    assert end.code == 1
    assert end.out.startswith("### Gate: FAILED\n")
    assert RESULT.digest in end.out
    assert "| `--fail-on` | low | failed |" in end.out
    for finding in RESULT.findings:
        assert (f"| {finding.id} | " in end.out) is finding.blocking


def test_the_summary_masks_terms_and_takes_the_meaning_from_signs(cli, audit, tmp_path):
    harm = next(
        c
        for s in RESULT.inputs.concept_sets
        for c in s.concepts
        if c.role == "harm" and (c.severity or 0) >= 3
    )
    waived = next(f for f in RESULT.findings if f.blocking)
    path = tmp_path / "waivers.toml"
    path.write_text(
        f"""
[[waiver]]
finding = "{waived.id}"
reason = "'{harm.terms[0]}' is | no [word](x) <b>here</b> of ours"
category = "not_applicable"
owner = "Ada"
approved_by = "Grace"
created = 2026-01-10
expires = 2026-06-10
model = "*"
"""
    )
    end = cli("gate", audit, "--waivers", path, "--today", "2026-02-01", "--format", "markdown")

    assert end.code == 0
    assert harm.terms[0] not in end.out
    assert r"is \| no \[word\](x) \<b\>here\</b\>" in end.out
    assert f"| {waived.id} | active | 2026-06-10 |" in end.out


def test_a_long_list_is_cut_and_counted(cli, audit):
    (finding,) = [f for f in RESULT.findings if f.blocking][:1]
    many = tuple(finding.model_copy(update={"id": f"BA{n:08d}"}) for n in range(30))
    changed = RESULT.model_copy(update={"findings": many})
    (audit / "result.json").write_bytes(write_result(changed))
    end = cli("gate", audit, "--fail-on", "low", "--format", "markdown")

    assert end.out.count("| BA000000") == 20
    assert "... and 10 more findings." in end.out


def test_the_decision_as_json_is_not_changed_by_where_it_was_asked(cli, audit, plan):
    path = plan('fail_on = "low"\n')
    asked = [
        cli("gate", audit, "--format", "json", *words).out
        for words in (["--plan", path], ["--fail-on", "low"])
    ]

    assert json.loads(asked[0]) == json.loads(asked[1])
