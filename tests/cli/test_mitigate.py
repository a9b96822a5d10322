"""``mitigate`` as a user meets it: a planted link of a model of letter counts is treated."""

import json
import re
import shutil
from pathlib import Path

import pytest

from audit.errors import ResultError
from audit.mitigation_file import mitigation_digest, read_mitigation, write_mitigation
from audit.results import read_result, write_result
from reports.as_mitigation import render_mitigation, summary_lines
from reports.wording import FORBIDDEN


@pytest.fixture(scope="module")
def home(tmp_path_factory, small_world, invoke_once):
    """An audit of the small world, and one of its twin without the planted letter."""
    folder = tmp_path_factory.mktemp("treated")
    small_world.write_packs(folder / "packs")
    small_world.write_packs(folder / "plain", planted=False)
    plan = small_world.write_plan(folder)
    for name in ("packs", "plain"):
        text = plan.read_text().replace('["packs"]', f'["{name}"]')
        (folder / f"{name}.toml").write_text(text)
        words = ["run", folder / f"{name}.toml", "--out", folder / f"{name}-audits"]
        assert invoke_once([*words, "--cache", folder / "cache", "--format", "json"]) == 0
    return folder


@pytest.fixture(scope="module")
def audit(home):
    (folder,) = (home / "packs-audits").iterdir()
    return folder


def treat(cli, home, audit, *more):
    words = ("--packs", home / "packs", "--cache", home / "cache")
    return cli("mitigate", audit, *words, *more)


def read_out(end):
    (path,) = re.findall(r"^  (.+/mitigation\.json)$", end.out, re.MULTILINE)
    return read_mitigation(Path(path)), Path(path).parent


@pytest.fixture(scope="module")
def treated(home, audit, invoke_once, tmp_path_factory):
    """One run with every treatment at every strength."""
    out = tmp_path_factory.mktemp("mitigated")
    words = ["mitigate", audit, "--packs", home / "packs", "--cache", home / "cache"]
    assert invoke_once([*words, "--out", out]) == 0
    (folder,) = out.iterdir()
    return folder


def found_effects(point):
    return [effect for effect in point.effects if effect.found]


def test_the_planted_link_falls_by_projection_and_harmless_words_stay_apart(treated):
    record = read_mitigation(treated / "mitigation.json")
    points = {point.name: point for point in record.points}
    (before,), (after,) = (found_effects(p) for p in (record.baseline, points["project 1"]))

    assert (before.finding, before.arm) == (record.findings[0].id, "text")
    assert before.held_out_sd > 2
    assert after.held_out_sd < before.held_out_sd / 2
    assert after.drop_low > 0
    assert record.best.startswith("project")
    kept = next(b for b in points["project 1"].benign if b.measure == "accuracy")
    start = next(b for b in record.baseline.benign if b.measure == "accuracy")
    assert start.low <= kept.value <= 1


def test_the_link_falls_as_the_strength_grows(treated):
    record = read_mitigation(treated / "mitigation.json")
    held = [
        found_effects(point)[0].held_out
        for point in (record.baseline, *record.points)
        if point.treatment in ("none", "project")
    ]

    assert len(held) == 5
    assert held == sorted(held, reverse=True)


def test_strength_0_has_the_numbers_of_the_audit(treated, audit):
    record = read_mitigation(treated / "mitigation.json")
    contrasts = {
        (c.arm, c.identity, c.harm): c for c in read_result(audit / "result.json").contrasts
    }
    finding = record.findings[0]

    for effect in record.baseline.effects:
        own = contrasts[effect.arm, finding.identity, finding.harm]
        names = ("effect", "low", "high", "effect_sd", "low_sd", "high_sd", "verdict")
        assert [getattr(effect, n) for n in names] == [getattr(own, n) for n in names]


def test_what_cannot_be_tried_is_told_with_its_reason(treated):
    record = read_mitigation(treated / "mitigation.json")
    (ablation,) = (t for t in record.treatments if t.name == "mean-ablate")

    assert not ablation.tried
    assert "its tower is not at hand" in ablation.why_not
    assert any("mean-ablate" in one.what for one in record.not_tested)
    assert {point.treatment for point in record.points} == {"project", "balanced-prompts"}


def test_balanced_prompts_name_every_group_once(treated, small_world):
    record = read_mitigation(treated / "mitigation.json")
    (prompts,) = (t for t in record.treatments if t.name == "balanced-prompts")

    assert len(prompts.groups) == len(small_world.GROUPS) == len(set(prompts.groups))


def test_the_same_order_gives_the_same_bytes(cli, home, audit, treated, tmp_path):
    end = treat(cli, home, audit, "--out", tmp_path / "again")
    record, folder = read_out(end)

    assert end.code == 0
    first = (treated / "mitigation.json").read_bytes()
    assert (folder / "mitigation.json").read_bytes() == first
    assert (folder / "mitigation.html").read_bytes() == (treated / "mitigation.html").read_bytes()
    assert write_mitigation(record) == first


def test_an_audit_that_found_nothing_leaves_nothing_to_treat(cli, home, tmp_path):
    (twin,) = (home / "plain-audits").iterdir()
    end = cli("mitigate", twin, "--packs", home / "plain", "--out", tmp_path / "none")

    assert end.code == 0
    assert "nothing to treat" in end.out
    assert "not the same as there being none" in end.out
    assert not (tmp_path / "none").exists()


def test_one_finding_and_one_treatment_can_be_asked_for(cli, home, audit, tmp_path):
    name = read_result(audit / "result.json").findings[0].id
    words = ("--finding", name, "--treatment", "project", "--strengths", "0,1")
    end = treat(cli, home, audit, "--out", tmp_path, *words)
    record, _ = read_out(end)

    assert [f.id for f in record.findings] == [name]
    assert [p.name for p in record.points] == ["project 1"]
    assert "Budget: nothing is encoded again" in end.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--finding", "BA00000000"), "no finding 'BA00000000'"),
        (("--strengths", "0,2"), "from 0 to 1"),
        (("--strengths", "0"), "at least one above 0"),
        (("--strengths", "much"), "with commas between; got 'much'"),
        (("--pretrained", "x.pt"), "--pretrained needs --model"),
        (("--treatment", "magic"), "'magic' is not one of"),
        (("--save-checkpoint", "a.safetensors"), "exactly one --treatment, got 0"),
        (("--save-checkpoint", "a.pt", "--treatment", "project"), "a .safetensors file"),
        (("--save-checkpoint", "a.safetensors", "--treatment", "balanced-prompts"),
         "not the weights"),
        (("--save-checkpoint", "a.safetensors", "--treatment", "project", "--strength", "0"),
         "above 0 and at most 1"),
        (("--save-checkpoint", "no/a.safetensors", "--treatment", "project"), "must be there"),
        (("--save-checkpoint", "a.safetensors", "--treatment", "project"),
         "no weights that a treatment could be written into"),
        (("--save-checkpoint", "a.safetensors", "--treatment", "mean-ablate"),
         "No checkpoint was written"),
    ],
)  # fmt: skip
def test_what_cannot_be_ordered_ends_with_2_and_a_sentence(cli, home, audit, tmp_path, words, said):
    end = treat(cli, home, audit, "--strengths", "1", "--out", tmp_path / "out", *words)

    assert end.code == 2
    assert said in end.err
    assert not (tmp_path / "a.safetensors").exists()


@pytest.mark.parametrize("taken", ["a.safetensors", "a.safetensors.json"])
def test_a_checkpoint_never_replaces_a_file(cli, home, audit, tmp_path, taken):
    (tmp_path / taken).write_text("mine")
    words = ("--save-checkpoint", tmp_path / "a.safetensors", "--treatment", "project")
    end = treat(cli, home, audit, *words)

    assert end.code == 2
    assert "never replaces a file" in end.err
    assert (tmp_path / taken).read_text() == "mine"


def test_other_packs_than_those_of_the_audit_are_refused(cli, home, audit):
    end = cli("mitigate", audit, "--packs", home / "plain")

    assert end.code == 2
    assert "concept sets are others now" in end.err
    assert "--packs" in end.err


def test_other_weights_than_those_of_the_audit_are_refused(cli, home, audit, tmp_path):
    end = treat(cli, home, audit, "--model", "embedded:twin", "--out", tmp_path)

    assert end.code == 3
    assert "must have the digest" in end.err


def with_document(audit, to, **changes):
    """Copy an audit and change its document, as if it had been written so."""
    shutil.copytree(audit, to)
    result = read_result(to / "result.json")
    (to / "result.json").write_bytes(write_result(result.model_copy(update=changes)))
    return to


def test_scores_of_somebody_else_have_no_weights_to_treat(cli, home, audit, tmp_path):
    model = read_result(audit / "result.json").model.model_copy(update={"kind": "embeddings"})
    end = treat(cli, home, with_document(audit, tmp_path / "scored", model=model))

    assert end.code == 2
    assert "no weights to treat" in end.err


def test_a_model_that_gives_other_numbers_is_not_treated(cli, home, audit, tmp_path):
    result = read_result(audit / "result.json")
    first = result.contrasts[0]
    moved = (first.model_copy(update={"effect": first.effect + 0.5}), *result.contrasts[1:])
    end = treat(cli, home, with_document(audit, tmp_path / "moved", contrasts=moved))

    assert end.code == 3
    assert "off by 0.5" in end.err


def test_a_changed_record_is_refused(treated, tmp_path):
    document = json.loads((treated / "mitigation.json").read_text())
    document["seed"] += 1
    path = tmp_path / "mitigation.json"
    path.write_text(json.dumps(document))

    with pytest.raises(ResultError, match="must match their digest"):
        read_mitigation(path)


def test_the_page_loads_nothing_runs_nothing_and_keeps_to_our_words(treated):
    html = (treated / "mitigation.html").read_text()

    assert "default-src 'none'" in html
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?!#|data:)', html)
    assert [word for word in FORBIDDEN if word in html.lower()] == []
    assert "What none of this shows" in html
    assert "lowers" in html or "fall most" in html


def test_the_page_names_its_chart_and_captions_every_table(treated):
    html = (treated / "mitigation.html").read_text()

    assert '<svg role="img" aria-labelledby="trade-title trade-desc"' in html
    assert html.count("<caption") == html.count("<table")
    assert 'href="#main"' in html
    assert "<nav" in html


HOSTILE = '<script>alert(1)</script>\u202e"&'


def test_hostile_names_stay_text_on_the_page_and_in_the_terminal(treated):
    record = read_mitigation(treated / "mitigation.json")
    audited = record.audit.model_copy(update={"model": HOSTILE})
    names = dict.fromkeys(record.names, HOSTILE)
    hostile = record.model_copy(update={"audit": audited, "names": names})
    html = render_mitigation(hostile, mitigation_digest(hostile)).decode()

    assert "<script>" not in html
    assert "\u202e" not in html
    assert "[U+202E]" in html
    assert "\u202e" not in "".join(summary_lines(hostile))
