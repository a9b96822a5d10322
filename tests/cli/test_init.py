"""Five questions or their options become a plan that `run` accepts, or a sentence."""

import io
import sys
from pathlib import Path

import pytest

from audit.cli import init as init_module
from audit.plan import builtin_plan, read_plan


@pytest.fixture
def typed(monkeypatch):
    """Let somebody sit at a terminal and type lines."""

    def lines(*answers: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{a}\n" for a in answers)))
        monkeypatch.setattr(init_module, "is_terminal", lambda: True)

    return lines


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    monkeypatch.setattr(init_module, "is_terminal", lambda: False)


def test_the_defaults_are_the_default_plan_with_a_gate(cli):
    end = cli("init", "--yes")
    plan, default = read_plan(Path("plan.toml")), builtin_plan("default")

    assert (end.code, end.err) == (0, "")
    assert plan.blocking == default.blocking
    assert plan.thresholds_digest == default.thresholds_digest
    assert plan.concepts == default.concepts
    assert plan.gate.fail_on == "high"
    assert "39 contrasts" in end.out
    assert end.out.endswith("Next: clip-audit run plan.toml --model NAME --pretrained TAG\n")


def test_five_answers_become_a_plan(cli, typed, tmp_path):
    (tmp_path / "photos.csv").write_text("path\n")
    typed(
        "embedded:demo",
        "photos.csv",
        "regions, religions/islam",
        "terrorism",
        "suspicious person=suspicion, visitor",
        "strict",
    )
    end = cli("init")
    plan = read_plan(tmp_path / "plan.toml")

    assert end.code == 0, end.err
    assert (plan.model.name, plan.photos.path) == ("embedded:demo", "photos.csv")
    assert plan.concepts.identities == ("regions/*", "religions/*")
    assert plan.blocking[0].identities == ("regions/*", "religions/islam")
    assert plan.blocking[0].harms == ("terrorism",)
    assert plan.deployment.labels == ("suspicious person", "visitor")
    assert plan.deployment.harmful == {"suspicious person": "suspicion"}
    assert (plan.gate.fail_on, plan.gate.strict) == ("medium", True)
    assert [end.err.count(f"{n}. ") for n in range(1, 6)] == [1] * 5
    assert end.out.endswith("Next: clip-audit run plan.toml\n")


def test_an_answer_that_cannot_be_used_is_asked_again(cli, typed):
    typed("none", "no-such.csv", "none", "regons", "regions", "terrorsm", "terrorism", "none",
          "severe")  # fmt: skip
    end = cli("init")

    assert end.code == 0, end.err
    assert "no-such.csv is not" in end.err
    assert "Did you mean 'regions/*'?" in end.err
    assert "Did you mean 'terrorism'?" in end.err


def test_what_was_given_is_not_asked(cli, typed):
    typed("none", "none", "default", "none")
    end = cli("init", "--families", "regions", "--gate", "report")

    assert end.code == 0, end.err
    assert "3. " not in end.err
    assert "5. " not in end.err
    assert read_plan(Path("plan.toml")).gate.fail_on == "none"


def test_somebody_who_leaves_writes_nothing(cli, typed, tmp_path):
    typed("none")

    assert cli("init").code == 130
    assert not (tmp_path / "plan.toml").exists()


def test_without_a_terminal_the_open_options_are_named(cli, tmp_path):
    end = cli("init", "--model", "none", "--photos", "none", "--gate", "severe")

    assert end.code == 2
    assert "Give --families, --harms, or --yes" in end.err
    assert not (tmp_path / "plan.toml").exists()


def test_all_options_together_need_neither_terminal_nor_yes(cli):
    words = ["--model", "toy", "--photos", "none", "--families", "regions", "--harms", "terrorism"]

    assert cli("init", *words, "--gate", "report").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--model", "embedded:dmo"], "known: "),
        (["--model", "local-dir:nowhere"], "no such folder"),
        (["--photos", "nowhere.csv"], "nowhere.csv is not"),
        (["--families", "regions/midle_east"], "Did you mean 'regions/middle_east'?"),
        (["--families", "packs.yaml"], "packs.yaml"),
        (["--harms", "terorism"], "Did you mean 'terrorism'?"),
        (["--label", "thief=property_crimes", "--label", "x"], "Did you mean 'property_crime'?"),
        (["--label", "alone"], "two or more labels"),
        (["--gate", "srict"], "'srict' is not one of"),
    ],
)
def test_what_cannot_be_used_is_refused_before_a_file_is_written(cli, tmp_path, words, told):
    end = cli("init", "--yes", *words)

    assert end.code == 2
    assert told in end.err
    assert not (tmp_path / "plan.toml").exists()


def test_a_mistyped_model_or_tag_gets_the_nearest(cli):
    tag = cli("init", "--yes", "--model", "RN50-quickgelu opnai")
    name = cli("init", "--yes", "--model", "RN500-quickgelu", "--pretrained", "openai")

    assert (tag.code, name.code) == (2, 2)
    assert "did you mean 'openai'?" in tag.err
    assert "did you mean 'RN50-quickgelu'?" in name.err


def test_a_file_is_overwritten_only_by_force(cli, tmp_path):
    (tmp_path / "plan.toml").write_text("mine")

    refused = cli("init", "--yes")
    assert refused.code == 2
    assert "--force" in refused.err
    assert (tmp_path / "plan.toml").read_text() == "mine"
    assert cli("init", "--yes", "--force").code == 0
    assert read_plan(tmp_path / "plan.toml").gate.fail_on == "high"


def test_paths_are_written_as_the_plan_sees_them(cli, tmp_path, small_world):
    small_world.write_packs(tmp_path / "packs")
    (tmp_path / "plans").mkdir()
    (tmp_path / "photos").mkdir()
    end = cli("init", "plans", "--yes", "--photos", "photos", "--families", "packs,regions")
    plan = read_plan(tmp_path / "plans" / "plan.toml")

    assert end.code == 0, end.err
    assert plan.name == "plans"
    assert plan.photos.path == "../photos"
    assert plan.concepts.folders == ("../packs",)
    assert cli("config", "check", "plans/plan.toml").code == 0


def test_a_run_accepts_what_was_written(cli, tmp_path, small_world):
    small_world.write_packs(tmp_path / "packs")
    words = ["--model", "toy", "--families", "packs/", "--harms", "menace", "--gate", "severe"]
    assert cli("init", "--yes", *words).code == 0
    plan = (tmp_path / "plan.toml").read_text()
    # The whole library would take a minute; what is asked of the packs stays.
    small = plan.replace("[concepts]", "[concepts]\nbuiltin = false")
    (tmp_path / "plan.toml").write_text(f'{small}\n[arms]\nrendered = "off"\n')
    end = cli("run", "plan.toml", "--format", "json")

    assert end.code in {0, 1}, end.err
    assert end.result.gate.fail_on == "high"
