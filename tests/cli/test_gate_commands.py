"""A stored audit is gated again; a baseline is remembered; codes are those of an audit."""

import json
from pathlib import Path

import pytest

from audit.results import read_result, write_result

STORED = Path(__file__).parents[1] / "specimens" / "result-1.0.json"
RESULT = read_result(STORED)
WORST = next(f for f in RESULT.findings if f.blocking)

WAIVER = """
[[waiver]]
finding = "{finding}"
reason = "the product never shows this harm to anybody"
category = "accepted_risk"
owner = "Ada"
approved_by = "Grace"
created = 2026-01-10
expires = 2026-06-10
model = "*"
"""


@pytest.fixture
def audit(tmp_path):
    folder = tmp_path / "audit"
    folder.mkdir()
    (folder / "result.json").write_bytes(STORED.read_bytes())
    return folder


@pytest.fixture
def waivers(tmp_path):
    path = tmp_path / "waivers.toml"
    path.write_text("".join(WAIVER.format(finding=f.id) for f in RESULT.findings if f.blocking))
    return path


@pytest.fixture
def baseline(cli, audit, tmp_path):
    path = tmp_path / "baseline.json"
    assert cli("baseline", audit, "--output", path).code == 0
    return path


def test_nothing_asked_passes(cli, audit):
    end = cli("gate", audit)

    assert (end.code, end.err) == (0, "")
    assert end.out.startswith("Gate: passed. Nothing was asked to fail")


def test_a_finding_fails_and_a_waiver_lets_it_pass_until_it_ends(cli, audit, waivers):
    asked = ("gate", audit, "--fail-on", "low")

    assert cli(*asked).code == 1
    assert cli(*asked, "--waivers", waivers, "--today", "2026-05-01").code == 0
    late = cli(*asked, "--waivers", waivers, "--today", "2026-06-11")
    assert late.code == 1
    assert f"Warning: The waiver of {WORST.id} ended on 2026-06-10" in late.out


def test_a_baseline_makes_what_is_known_pass(cli, audit, baseline):
    end = cli("gate", audit, "--fail-on-new", "low", "--baseline", baseline)

    assert end.code == 0
    assert "new of severity low or worse; there are 0." in end.out


def test_open_contrasts_end_as_asked(cli, audit):
    assert RESULT.verdict.insufficient
    codes = [cli("gate", audit, "--on-inconclusive", how).code for how in ("pass", "fail", "error")]

    assert codes == [0, 1, 3]


def test_a_failed_rule_is_told_before_an_open_one(cli, audit):
    end = cli("gate", audit, "--fail-on", "low", "--on-inconclusive", "error")

    assert end.code == 1


def test_an_audit_that_is_not_to_be_believed_never_passes(cli, audit):
    arms = tuple(
        arm.model_copy(update={"calibration": arm.calibration.model_copy(update={"passed": False})})
        for arm in RESULT.arms
    )
    (audit / "result.json").write_bytes(write_result(RESULT.model_copy(update={"arms": arms})))

    assert cli("gate", audit).code == 3


def test_the_decision_comes_as_json(cli, audit, waivers):
    end = cli("gate", audit, "--fail-on", "low", "--waivers", waivers, "--format", "json")
    record = json.loads(end.out)

    assert record["outcome"] in {"failed", "passed"}
    assert {w["finding"] for w in record["waivers"]} == {
        f.id for f in RESULT.findings if f.blocking
    }


def test_a_rule_without_a_baseline_is_usage(cli, audit):
    end = cli("gate", audit, "--fail-on-worse", "1")

    assert end.code == 2
    assert "--fail-on-worse must have something to compare with" in end.err


@pytest.mark.parametrize(
    ("option", "content", "code", "told"),
    [
        ("--baseline", b"{}", 3, "key result_digest"),
        ("--waivers", b"[[waiver]]\n", 2, "lacks waiver.1.finding"),
        ("--baseline", None, 3, "No such file"),
        ("--waivers", None, 2, "No such file"),
    ],
)
def test_files_that_cannot_be_used_end_before_anything(
    cli, audit, tmp_path, option, content, code, told
):
    path = tmp_path / "given"
    if content is not None:
        path.write_bytes(content)
    end = cli("gate", audit, option, path)

    assert end.code == code
    assert told in end.err
    assert len(end.err.splitlines()) == 1
