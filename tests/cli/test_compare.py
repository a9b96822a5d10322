"""Two audits side by side: the same model is unchanged; a stronger or weaker link is told apart."""

import json
import shutil

import pytest

from audit.compare_record import STATES, CompareRecord
from audit.folder import file_digest
from audit.results import read_result, write_result
from probes.backends.toy import LETTERS, ToyEncoder

WEIGHTS = {"none": 0.0, "weak": 0.5, "usual": 1.0, "again": 1.0, "strong": 3.0}


@pytest.fixture(scope="module")
def audits(tmp_path_factory, small_world, invoke_once):
    """Audits of a model of letter counts in which the planted letter weighs more or less."""
    home = tmp_path_factory.mktemp("compared")
    small_world.write_packs(home / "packs")
    plan = small_world.write_plan(home)
    plain = ToyEncoder.encode_texts
    made = {}
    for name, weight in {
        "none": 0.0,
        "weak": 0.5,
        "usual": 1.0,
        "again": 1.0,
        "strong": 3.0,
    }.items():

        def encode(self, texts, weight=weight):
            embeddings = plain(self, texts)
            embeddings[:, LETTERS.index("z")] *= weight
            return embeddings

        ToyEncoder.encode_texts = encode
        try:
            out = home / name
            words = ["run", plan, "--out", out, "--cache", home / f"{name}-cache"]
            assert invoke_once([*words, "--format", "json"]) == 0
        finally:
            ToyEncoder.encode_texts = plain
        (made[name],) = out.iterdir()
    return made


def states(end):
    record = CompareRecord.model_validate_json(end.out)
    return {(c.identity, c.harm): c.state for c in record.changes}


PLANTED = ("people/ones", "menace")


def compared(cli, audits, before, after, *more):
    return cli("compare", audits[before], audits[after], "--format", "json", *more)


def test_the_same_model_twice_is_unchanged(cli, audits):
    end = compared(cli, audits, "usual", "again")
    record = CompareRecord.model_validate_json(end.out)

    assert end.code == 0
    assert {c.state for c in record.changes} == {"unchanged"}
    assert {c.change for c in record.changes} == {0.0}
    assert record.same_model
    assert record.incomparable == ()


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [("none", "usual", "new"), ("usual", "none", "fixed")],
)
def test_a_link_that_comes_or_goes_is_told(cli, audits, before, after, state):
    assert states(compared(cli, audits, before, after))[PLANTED] == state


@pytest.mark.parametrize(("before", "after"), [("weak", "strong"), ("strong", "weak")])
def test_the_change_points_the_right_way_and_is_certain(cli, audits, before, after):
    record = CompareRecord.model_validate_json(compared(cli, audits, before, after).out)
    (change,) = [c for c in record.changes if (c.identity, c.harm) == PLANTED]

    assert (change.low > 0) if after == "strong" else (change.high < 0)
    assert change.state in ({"new", "worse"} if after == "strong" else {"fixed", "better"})
    assert change.clusters == 8


def test_a_change_is_the_difference_of_both_effects(cli, audits):
    record = CompareRecord.model_validate_json(compared(cli, audits, "weak", "strong").out)

    for change in record.changes:
        assert change.change == pytest.approx(change.after_sd - change.before_sd, abs=1e-6)


def test_what_must_be_seen_first_stands_first(cli, audits):
    record = CompareRecord.model_validate_json(compared(cli, audits, "none", "strong").out)
    places = [STATES.index(c.state) for c in record.changes]

    assert places == sorted(places)


@pytest.mark.parametrize(
    ("before", "after", "fail_on", "code"),
    [
        ("none", "usual", "new", 1),
        ("usual", "none", "new", 0),
        ("usual", "none", "any", 1),
        ("usual", "again", "any", 0),
    ],
)
def test_the_exit_code_is_what_was_asked_for(cli, audits, before, after, fail_on, code):
    assert compared(cli, audits, before, after, "--fail-on", fail_on).code == code


def test_a_history_is_compared_step_by_step(cli, audits):
    end = cli("compare", audits["none"], audits["usual"], audits["again"])

    assert end.code == 0
    assert end.out.count(" and then ") == 2
    assert "1 new" in end.out
    assert "the same weights" in end.out


def test_markdown_is_a_table_for_a_comment(cli, audits):
    end = cli("compare", audits["none"], audits["usual"], "--format", "markdown")

    assert "| new | BA" in end.out
    assert "| | contrast | what changed |" in end.out


def test_a_file_gets_the_answer(cli, audits, tmp_path):
    path = tmp_path / "changes.json"
    end = compared(cli, audits, "none", "usual", "--output", path)

    assert end.out == f"{path}\n"
    assert json.loads(path.read_text())["format"] == "clip-audit comparison 1"


@pytest.fixture
def other_inputs(audits, tmp_path):
    """A copy of an audit whose prompts are said to be others."""
    folder = tmp_path / "other"
    shutil.copytree(audits["strong"], folder)
    result = read_result(folder / "result.json")
    stimuli = tuple(s.model_copy(update={"digest": "sha256:other"}) for s in result.inputs.stimuli)
    inputs = result.inputs.model_copy(update={"stimuli": stimuli})
    (folder / "result.json").write_bytes(write_result(result.model_copy(update={"inputs": inputs})))
    return folder


def test_other_inputs_are_refused_and_named(cli, audits, other_inputs):
    end = cli("compare", audits["usual"], other_inputs)

    assert end.code == 3
    assert "The text stimuli differ" in end.out
    assert "not comparable" in end.out


def test_other_inputs_are_compared_where_that_is_wanted(cli, audits, other_inputs):
    end = cli("compare", audits["none"], other_inputs, "--allow-incomparable", "--format", "json")

    assert states(end)[PLANTED] == "new"
    assert "The text stimuli differ" in end.out


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / "clusters.parquet").unlink(), "clusters.parquet gave"),
        (lambda folder: (folder / "clusters.parquet").write_bytes(b"x"), "is another"),
        (lambda folder: (folder / "result.json").unlink(), "result.json gave"),
    ],
)
def test_a_damaged_audit_is_told(cli, audits, tmp_path, damage, told):
    folder = tmp_path / "damaged"
    shutil.copytree(audits["usual"], folder)
    damage(folder)
    end = cli("compare", audits["usual"], folder)

    assert end.code == 3
    assert told in end.err


def test_an_audit_from_before_scores_were_kept_says_what_to_do(cli, audits, tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(audits["usual"], folder)
    result = read_result(folder / "result.json")
    kept = tuple(f for f in result.measurements if f.name != "clusters.parquet")
    old = result.model_copy(update={"measurements": kept})
    (folder / "result.json").write_bytes(write_result(old))

    end = cli("compare", folder, audits["usual"])
    assert end.code == 3
    assert "Run it again" in end.err


def test_one_audit_or_a_file_is_usage(cli, audits):
    assert cli("compare", audits["usual"]).code == 2
    end = cli("compare", audits["usual"], audits["usual"] / "result.json")
    assert end.code == 3
    assert "Give the folder" in end.err


def test_the_table_is_the_one_that_the_result_names(audits):
    result = read_result(audits["usual"] / "result.json")
    listed = {f.name: f.digest for f in result.measurements}

    assert listed["clusters.parquet"] == file_digest(audits["usual"] / "clusters.parquet")
