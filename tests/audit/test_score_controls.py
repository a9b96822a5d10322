"""Whether ``score`` may be believed: its controls, from embeddings or from scores alone."""

import pytest

from audit.cli.main import main
from audit.plan import builtin_plan
from audit.results import Undefined, Verdict, read_result
from audit.score import score_audit
from audit.score_inputs import ScoreFiles, read_inputs

SIDES = ("scores", "groups", "labels")
EMBEDDED = ("images", "texts", "groups", "labels")
PLAN = builtin_plan("score")


def scored(write, world, wanted, plan=PLAN):
    inputs = read_inputs(ScoreFiles(**write(world, *wanted)))
    return score_audit(inputs, plan, name="m", title="T").draft.conclusion


def photo(conclusion):
    (arm,) = [arm for arm in conclusion.arms if arm.arm == "photo"]
    return arm.calibration


def test_embeddings_have_links_written_into_a_copy_of_them(score_world, write):
    calibration = photo(scored(write, score_world(n_terms=9, n_images=192, dim=64), EMBEDDED))
    by_strength = {point.effect_sd: point.found / point.planted for point in calibration.embedded}

    assert by_strength[1.0] < 0.2
    assert by_strength[8.0] > 0.8
    assert calibration.embedded_seen_sd == pytest.approx(calibration.seen_sd, rel=0.3)


def test_scores_alone_say_why_nothing_was_written_into_embeddings(score_world, write):
    calibration = photo(scored(write, score_world(n_terms=9), SIDES))

    assert calibration.embedded == ()
    assert isinstance(calibration.embedded_seen_sd, Undefined)
    assert "only scores are known" in calibration.embedded_seen_sd.undefined
    assert not isinstance(calibration.seen_sd, Undefined)


def test_an_audit_that_misses_plants_at_delta1_calls_nothing_absent(score_world, write):
    limits = PLAN.limits.model_copy(update={"delta1": 2.0})
    plan = PLAN.model_copy(update={"limits": limits})
    conclusion = scored(write, score_world(n_terms=9, n_images=192), EMBEDDED, plan)

    assert photo(conclusion).recall_at_delta1 < 0.8
    verdicts = {item.record.verdict for item in conclusion.judged if item.record.arm == "photo"}
    assert Verdict.NOT_FOUND not in verdicts
    assert conclusion.trustworthy


def test_scores_whose_controls_are_no_null_end_with_3(score_world, write, tmp_path, monkeypatch):
    monkeypatch.setattr("probes.calibration.STOP", 1.1)
    options = [f"--{k}={v}" for k, v in write(score_world(n_terms=9), *SIDES).items()]
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as end:
        main(["score", *options, "--out", str(out), "--format", "json"])

    (path,) = out.rglob("result.json")
    assert end.value.code == 3
    assert read_result(path).verdict.verdict is Verdict.INSUFFICIENT
