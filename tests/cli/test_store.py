"""Audits are kept, told, checked and let go from the command line."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from audit.folder import RESULT, begin_folder
from audit.results import read_result, write_result

STORED = Path(__file__).parents[1] / "specimens" / "result-1.0.json"
WHOLE = read_result(STORED)
MODEL = WHOLE.model.name


def write_audit(parent, *, day=0, passed=True, believed=True):
    """Write an audit folder that started so many days after the specimen."""
    run, gate = WHOLE.run, WHOLE.gate
    started = run.started + timedelta(days=day)
    arms = tuple(
        arm.model_copy(
            update={"calibration": arm.calibration.model_copy(update={"passed": believed})}
        )
        for arm in WHOLE.arms
    )
    result = WHOLE.model_copy(
        update={
            "arms": arms, "measurements": (), "catalogue": (),
            "gate": gate.model_copy(
                update={"passed": passed, "outcome": "passed" if passed else "failed"}
            ),
            "run": run.model_copy(
                update={"started": started, "finished": started + timedelta(hours=2)}
            ),
        }
    )  # fmt: skip
    folder = begin_folder(parent, f"audit-{day}")
    folder.write(RESULT, write_result(result))
    return folder.finish()


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIP_AUDIT_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def audits(tmp_path):
    return [write_audit(tmp_path / "made", day=day, passed=day != 1) for day in range(3)]


@pytest.fixture
def kept(cli, audits, store):
    assert cli("store", "add", *audits).code == 0
    return store


def after(days):
    return f"{WHOLE.run.started + timedelta(days=days):%Y-%m-%dT%H:%M:%S}"


def test_audits_are_added_once_and_listed(cli, audits, store):
    first = cli("store", "add", *audits)
    again = cli("store", "add", audits[0], "--store", store)
    listed = cli("store", "list")

    assert (first.code, first.err) == (0, "")
    assert first.out.count("added ") == 3
    assert "Record 3 of the chain: sha256:" in first.out
    assert again.out.startswith("already there")
    assert [line.split()[0] for line in listed.out.splitlines()] == [
        "audit-0",
        "audit-1",
        "audit-2",
    ]
    assert cli("store", "list", "--model", "none").out.startswith("No audits of none in")


def test_a_moved_audit_is_only_in_the_store(cli, audits, store):
    assert cli("store", "add", "--move", audits[0]).code == 0

    assert not audits[0].exists()
    assert cli("verify", store / "audits" / "audit-0").code == 0
    inside = cli("store", "add", "--move", store / "audits" / "audit-0")
    assert "stays" in inside.err
    assert (store / "audits" / "audit-0").exists()


def test_a_store_is_made_where_it_is_wanted(cli, tmp_path):
    first = cli("store", "init", "--store", tmp_path / "own")

    assert (first.code, first.err) == (0, "")
    assert "is a store already" in cli("store", "init", "--store", tmp_path / "own").out
    assert cli("store", "list", "--store", tmp_path / "own").out.startswith("No audits in")


@pytest.mark.parametrize(
    "words", [["list"], ["show", "x"], ["verify"], ["reindex"], ["prune", "--keep-last", "1"],
              ["export", "--out", "copy"]],
)  # fmt: skip
def test_commands_that_need_a_store_say_that_there_is_none(cli, words):
    end = cli("store", *words)

    assert (end.code, end.out) == (3, "")
    assert end.err.startswith("Error: There is no store at")


def test_one_audit_is_shown(cli, kept):
    end = cli("store", "show", "audit-1")

    assert end.code == 0
    assert f"Model     {MODEL}" in end.out
    assert "gate failed" in end.out
    assert cli("store", "show", "nothing").code == 3


def test_a_changed_store_ends_with_three_and_names_what_was_changed(cli, kept):
    good = cli("store", "verify")
    assert good.code == 0
    assert "complete and unchanged: 3 audits, 4 records." in good.out
    head = good.out.splitlines()[-1].removeprefix("Head of the chain: ")
    assert cli("store", "verify", "--head", head).code == 0
    assert cli("store", "verify", "--head", "sha256:00").code == 3

    shutil.rmtree(kept / "audits" / "audit-2")
    bad = cli("store", "verify")
    assert bad.code == 3
    assert "  Problem: audit-2 is missing" in bad.out


def test_an_index_is_made_again(cli, kept):
    (kept / "index.sqlite").write_bytes(b"no database at all, and long enough to be a header" * 20)

    told = cli("store", "list")
    assert told.code == 3
    assert "clip-audit store reindex" in told.err
    again = cli("store", "reindex")
    assert again.code == 0
    assert "3 audits in the index." in again.out
    assert cli("store", "verify").code == 0


def test_prune_tells_first_and_then_does(cli, kept, audits):
    more = [write_audit(audits[0].parent, day=day) for day in (3, 4)]
    assert cli("store", "add", *more).code == 0

    dry = cli("store", "prune", "--keep-last", "1")
    assert dry.code == 0
    assert dry.out.count("would go") == 3
    assert "a dry run" in dry.out
    wet = cli("store", "prune", "--keep-last", "1", "--yes")
    assert wet.out.count("removed") == 3
    assert "stays     audit-1  (the last that failed)" in wet.out
    assert sorted(p.name for p in (kept / "audits").iterdir()) == ["audit-1", "audit-4"]
    assert cli("store", "prune").code == 2


def test_audits_and_stores_come_out(cli, kept, tmp_path):
    one = cli("store", "export", "audit-0", "--out", tmp_path / "evidence")
    whole = cli("store", "export", "--out", tmp_path / "backup")

    assert (one.code, whole.code) == (0, 0)
    assert cli("verify", tmp_path / "evidence" / "audit-0").code == 0
    assert cli("store", "verify", "--store", tmp_path / "backup").code == 0
    assert cli("store", "export", "--out", tmp_path / "backup").code == 2


def test_history_tells_models_audits_and_findings(cli, kept):
    end = cli("history")

    assert (end.code, end.err) == (0, "")
    assert end.out.startswith(f"{MODEL}: 3 audits, 1 different weights")
    assert "Last that passed: audit-2" in end.out
    finding = WHOLE.findings[0]
    assert f"{finding.id}  {finding.severity.name.lower():<8}" in end.out
    assert "in 3 of 3 audits" in end.out
    assert " SD [" in end.out


def test_history_comes_as_json(cli, kept):
    (model,) = json.loads(cli("history", "--format", "json", "--model", MODEL).out)

    assert [audit["folder"] for audit in model["history"]] == ["audit-0", "audit-1", "audit-2"]
    assert {life["finding"] for life in model["findings"]} == {f.id for f in WHOLE.findings}
    assert model["last_passing"]["folder"] == "audit-2"
    assert cli("history", "--model", "none").code == 3


def test_no_term_of_a_severe_harm_is_printed(cli, kept):
    severe = {
        term
        for entry in WHOLE.inputs.concept_sets
        for concept in entry.concepts
        if concept.role == "harm" and (concept.severity or 0) >= 3
        for term in concept.terms
    }
    names = {c.name for entry in WHOLE.inputs.concept_sets for c in entry.concepts}
    out = cli("history").out + cli("history", "--format", "json").out

    assert severe
    assert [term for term in severe - names if f" {term} " in out] == []


@pytest.mark.parametrize(
    ("days", "age", "code"), [(30, "90d", 0), (93, "90d", 4), (2.5, "1h", 4), (-2, "90d", 4)]
)
def test_check_ends_with_four_where_the_last_audit_is_not_recent(cli, kept, days, age, code):
    end = cli("check", "--model", MODEL, "--max-age", age, "--now", after(days))

    assert end.code == code
    assert end.out.startswith(f"{MODEL}: The last audit kept, audit-2, finished on")


def test_check_ends_with_four_where_there_is_none(cli, kept, tmp_path):
    asked = ("check", "--max-age", "90d", "--now", after(3))

    assert cli(*asked, "--model", "none").code == 4
    assert cli(*asked, "--model", MODEL, "--plan", "other").code == 4
    assert cli(*asked, "--model", MODEL, "--store", tmp_path / "nowhere").code == 4
    assert cli(*asked, "--model", WHOLE.model.weights_digest).code == 0


def test_check_ends_with_one_where_the_gate_of_the_last_one_failed(cli, kept, tmp_path):
    asked = ("check", "--model", MODEL, "--max-age", "90d", "--now", after(9))
    assert cli("store", "add", write_audit(tmp_path, day=8, passed=False)).code == 0

    assert cli(*asked).code == 1
    assert "Gate: FAILED" in cli(*asked).out


def test_check_ends_with_three_where_the_last_one_is_not_to_be_believed(cli, kept, tmp_path):
    asked = ("check", "--model", MODEL, "--max-age", "90d", "--now", after(9))
    assert cli("store", "add", write_audit(tmp_path, day=8, believed=False)).code == 0
    assert cli(*asked).code == 3


def test_check_believes_the_folder_and_not_a_gate_that_was_turned(cli, kept, tmp_path):
    assert cli("store", "add", write_audit(tmp_path, day=8, passed=False)).code == 0
    shutil.rmtree(kept / "audits" / "audit-8")
    shutil.copytree(write_audit(tmp_path / "forged", day=8), kept / "audits" / "audit-8")
    end = cli("check", "--model", MODEL, "--max-age", "90d", "--now", after(9))

    assert end.code == 3
    assert "audit-8 holds another result than when it was added" in end.err


def test_check_without_a_real_age_is_usage(cli, kept):
    assert cli("check", "--model", MODEL, "--max-age", "soon").code == 2


def test_a_finished_audit_is_kept_where_a_store_is_named(cli, world, tmp_path):
    end = cli("run", "plan.toml", "--format", "json", "--store", tmp_path / "kept")
    listed = cli("store", "list", "--store", tmp_path / "kept")

    assert end.code == 0
    assert "Kept as" in end.err
    assert end.folder.is_dir()
    assert end.folder.name in listed.out


def test_an_audit_that_no_store_can_take_is_finished_all_the_same(cli, world, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "chain.jsonl").write_text("not a chain\n")
    end = cli("run", "plan.toml", "--format", "json", "--store", tmp_path / "kept")

    assert end.code in {2, 3}
    assert end.folder.is_dir()
    assert end.err.splitlines()[-1].startswith("Error:")
