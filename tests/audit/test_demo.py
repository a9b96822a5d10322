"""The two tests that matter most: what was planted is found, and its twin stays quiet."""

import tomllib
from pathlib import Path

import pytest

from audit.cli.main import main
from audit.results import AuditResult, Grade, Mark, Verdict, read_result

ROOT = Path(__file__).parents[2]
PLANTS = ROOT / "benchmarks" / "worlds" / "embedded.toml"


def planted() -> set[tuple[str, str]]:
    document = tomllib.loads(PLANTS.read_text())
    return {(f"peoples/{plant['group']}", plant["harm"]) for plant in document["plant"]}


def demo(out: Path, *options: str) -> tuple[int, AuditResult]:
    with pytest.raises(SystemExit) as end:
        main(["demo", "--out", str(out), "--format", "html", "--cache", str(out / "c"), *options])
    (result,) = out.glob("*/result.json")
    return int(end.value.code or 0), read_result(result)


@pytest.fixture(scope="module")
def model(demo_once: Path) -> tuple[int, AuditResult]:
    (result,) = demo_once.glob("*/result.json")
    return int((demo_once / "code").read_text()), read_result(result)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, AuditResult]:
    return demo(tmp_path_factory.mktemp("twin"), "--twin", "--fail-on", "high")


@pytest.mark.slow
def test_every_planted_link_is_found_as_confirmed_and_nothing_else_blocks(model):
    _, result = model

    found = {(f.identity, f.harm) for f in result.findings if f.blocking}

    assert found == planted()
    assert all(f.grade is Grade.CONFIRMED for f in result.findings if f.blocking)


@pytest.mark.slow
def test_a_planted_link_fails_a_gate_that_asks_for_it(model):
    code, result = model

    assert code == 1
    assert not result.gate.passed


@pytest.mark.slow
def test_the_units_that_carry_a_planted_link_are_named_with_their_weight(model):
    _, result = model

    for finding in result.findings:
        assert len(finding.units) == 50
        assert finding.units[0].contribution > 0


@pytest.mark.slow
def test_the_unplanted_twin_stays_quiet(twin):
    code, result = twin

    assert [f for f in result.findings if f.blocking] == []
    assert result.verdict.verdict is not Verdict.FOUND
    assert code == 0


@pytest.mark.slow
def test_both_calibrate_and_see_what_they_must(model, twin):
    for _, result in (model, twin):
        for arm in result.arms:
            if arm.role == "decides":
                assert arm.decides
                assert arm.calibration.recall_at_delta1 >= 0.8


@pytest.mark.slow
def test_silencing_the_units_of_every_planted_link_lowers_it_more_than_other_units_do(model):
    _, result = model

    assert {record.finding for record in result.causal} == {f.id for f in result.findings}
    for record in result.causal:
        assert record.causal
        assert record.drop > record.matched.drop_high
        assert record.low > 0
    assert all(Mark.CAUSAL in f.marks for f in result.findings)


@pytest.mark.slow
def test_every_planted_link_shows_in_what_the_model_answers(model):
    _, result = model

    assert all(Mark.BEHAVIOURAL in f.marks for f in result.findings)


@pytest.mark.slow
def test_every_measure_that_was_used_is_defined_and_has_a_sentence(model):
    _, result = model
    defined = {measure.name for measure in result.measures}

    assert len(defined) >= 30
    assert {value.measure for value in result.catalogue} == defined
    assert all(value.reading.endswith((".", ").")) for value in result.catalogue)


@pytest.mark.slow
def test_the_twin_has_nothing_to_silence(twin):
    _, result = twin

    assert result.causal == ()
    assert any("Causes" in item.what for item in result.not_tested)
