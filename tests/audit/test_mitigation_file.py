"""The document of treatments: its published schema, its stored specimen, and its refusals."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from audit.errors import ResultError
from audit.mitigate import _best, _lost, _marked, check_strengths, costliest
from audit.mitigation_budget import Budget
from audit.mitigation_file import (
    mitigation_digest,
    mitigation_schema,
    parse_mitigation,
    read_mitigation,
    write_mitigation,
)
from audit.mitigation_record import BenignRecord, EffectRecord, PointRecord
from audit.results import Undefined
from reports.as_mitigation import mitigation_view, render_mitigation, summary_lines
from reports.mitigation_chart import trade_chart

ROOT = Path(__file__).parents[2]
SPECIMEN = ROOT / "tests" / "specimens" / "mitigation-1.0.json"
PUBLISHED = ROOT / "docs" / "schema" / "mitigation-1.0.json"


def document():
    return json.loads(SPECIMEN.read_text())


def test_the_published_schema_is_the_one_that_records_follow():
    """Changing the document is a versioned decision: write the schema anew and say so."""
    assert json.loads(PUBLISHED.read_text()) == mitigation_schema()


def test_the_stored_specimen_follows_the_schema_and_comes_back_byte_by_byte():
    assert list(Draft202012Validator(mitigation_schema()).iter_errors(document())) == []
    assert write_mitigation(read_mitigation(SPECIMEN)) == SPECIMEN.read_bytes()


def test_the_stored_specimen_is_rendered_with_every_section():
    record = read_mitigation(SPECIMEN)
    html = render_mitigation(record, mitigation_digest(record)).decode()

    assert html.count("<h3") == len(record.findings) + len(record.treatments)
    for point in record.points:
        assert f"strength {point.strength:g}" in html
    assert mitigation_digest(record) in html


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format_version": "2.0"}, "format_version 1.0"),
        ({"seed": "many"}, "key seed"),
        ({"surprise": 1}, "key surprise"),
        ({"seed": 1}, "must match their digest"),
    ],
)
def test_a_document_that_was_changed_is_refused_with_the_key(change, words):
    with pytest.raises(ResultError, match=words):
        parse_mitigation(document() | change, where="mitigation.json")


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b"\xff"])
def test_what_is_no_document_is_refused(content, tmp_path):
    path = tmp_path / "mitigation.json"
    path.write_bytes(content)

    with pytest.raises(ResultError):
        read_mitigation(path)
    with pytest.raises(ResultError, match="must be readable"):
        read_mitigation(tmp_path / "missing.json")


def effect(held, *, found=True):
    return EffectRecord(
        finding="BA0", arm="text", found=found, verdict="found", effect=held, low=held, high=held,
        effect_sd=held, low_sd=held, high_sd=held, held_out=held, held_out_sd=held,
        held_out_low_sd=held, held_out_high_sd=held, clusters=4, terms=4,
    )  # fmt: skip


def benign(value, *, shown="text", change=0.0, high=None):
    ends = Undefined(undefined="alike") if high is None else high
    return BenignRecord(
        measure="accuracy", shown=shown, value=value, low=value, high=value, change=change,
        change_low=ends, change_high=ends, chance=0.1, clusters=20,
    )  # fmt: skip


def point(held, *measured, treatment="project", strength=1.0):
    return PointRecord(
        treatment=treatment, strength=strength, effects=(effect(held),), benign=measured,
        calibrated=True,
    )  # fmt: skip


def test_a_link_turned_round_is_no_better_than_one_that_is_gone():
    gone = point(0.0, benign(0.9), strength=0.5)
    turned = point(-4.0, benign(0.9))

    assert [p.dominated for p in _marked([gone, turned])] == [False, False]


def test_a_point_that_another_beats_in_everything_names_it():
    best, beaten = point(1.0, benign(0.9), strength=0.5), point(2.0, benign(0.8))

    assert [p.dominated_by for p in _marked([best, beaten])] == ["", "project 0.5"]


def test_what_helps_most_must_lower_the_largest_effect_of_the_model():
    start = point(3.0, benign(0.9), treatment="none", strength=0.0)
    worse, better = point(4.0, strength=0.5), point(2.0)

    assert _best([start, worse], lambda p: True) == ""
    assert _best([start, worse, better], lambda p: True) == "project 1"
    assert _best([start, better], lambda p: False) == ""


@pytest.mark.parametrize(
    ("measured", "lost"),
    [
        ((benign(0.9, change=-0.1, high=-0.05),), True),
        ((benign(0.9, change=-0.1, high=0.05),), False),
        ((benign(0.9, change=0.0),), False),
        ((benign(0.9, change=-0.1),), True),
        ((benign(0.9), benign(0.9, shown="photo", change=-0.1, high=-0.05)), True),
        ((), True),
    ],
)
def test_accuracy_is_lost_where_any_of_it_certainly_fell_or_none_is_known(measured, lost):
    assert _lost(point(1.0, *measured)) is lost


def test_charts_show_where_accuracy_falls_most():
    start = point(3.0, benign(1.0, shown="photo"), benign(0.9), treatment="none", strength=0.0)
    after = point(2.0, benign(0.99, shown="photo"), benign(0.6))

    assert costliest(start, [after]) == "text"
    assert costliest(start, []) == "photo"
    assert costliest(point(1.0), []) == ""


def test_without_benign_accuracy_there_is_no_chart_and_the_page_says_so():
    record = read_mitigation(SPECIMEN)
    bare = [p.model_copy(update={"benign": ()}) for p in (record.baseline, *record.points)]
    blind = record.model_copy(
        update={"baseline": bare[0], "points": tuple(bare[1:]), "benign_axis": ""}
    )

    assert trade_chart(blind) is None
    assert "could not be measured" in render_mitigation(blind, "sha256:0").decode()


def test_nothing_that_helps_is_said_to_help():
    record = read_mitigation(SPECIMEN).model_copy(update={"best": "", "best_without_loss": ""})

    assert mitigation_view(record, "sha256:0").headline.startswith("No treatment lowers")
    assert "At no strength" in " ".join(summary_lines(record))


def test_places_in_the_chart_follow_the_numbers():
    record = read_mitigation(SPECIMEN)
    chart = trade_chart(record)
    places = {record.baseline.name: chart.start} | {
        point.name: dot
        for curve, point in zip(chart.curves, record.points, strict=True)
        for dot in curve.dots
    }
    numbers = {
        p.name: max(e.held_out_sd for e in p.effects if e.found)
        for p in (record.baseline, *record.points)
    }
    by_place = sorted(places, key=lambda name: -places[name].y)

    assert by_place == sorted(numbers, key=numbers.__getitem__)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 4, 0, 0.0), "nothing is encoded again"),
        ((1000, 1, 0, 20.0), "1,000 pictures at one strength to encode, about 20 s"),
        ((1000, 4, 50, 300.0), "at 4 strengths and 50 prompts at most to encode, about 5 minutes"),
    ],
)
def test_the_budget_is_a_sentence(counts, words):
    pictures, passes, prompts, seconds = counts

    assert (
        words in Budget(pictures=pictures, passes=passes, prompts=prompts, seconds=seconds).sentence
    )


def test_strengths_are_kept_as_they_were_given():
    assert check_strengths([1, 0.5]) == (1, 0.5)
