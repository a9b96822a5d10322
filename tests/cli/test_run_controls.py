"""Whether ``run`` may be believed: its controls decide exit code 3."""

from audit.results import Undefined, Verdict


def test_a_run_whose_controls_are_no_null_ends_with_3_whatever_it_found(cli, world, monkeypatch):
    monkeypatch.setattr("probes.calibration.STOP", 1.1)
    end = cli("run", "plan.toml", "--format", "json")

    assert end.code == 3
    assert end.result.verdict.verdict is Verdict.INSUFFICIENT
    assert end.result.findings == ()
    assert "The text arm could not decide. Harmless control packs were rejected in" in end.out


def test_a_run_has_links_written_into_a_copy_of_its_embeddings(cli, world):
    end = cli("run", "plan.toml", "--format", "json")

    for arm in end.result.arms:
        calibration = arm.calibration
        assert calibration.embedded
        assert not isinstance(calibration.seen_sd, Undefined)
        shares = [point.found / point.planted for point in calibration.embedded]
        in_scores = [p.found / p.planted for p in calibration.recall[: len(shares)]]
        assert shares[0] < 0.2 < 0.7 < shares[5]
        assert max(abs(a - b) for a, b in zip(shares, in_scores, strict=True)) < 0.4
