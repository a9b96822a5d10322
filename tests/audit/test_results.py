"""The document: it comes back as it went out, and any change to its content is seen."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from audit.assemble import assemble, run_record
from audit.errors import ResultError
from audit.gate import GateOrder
from audit.plan import builtin_plan
from audit.results import (
    AuditResult,
    Number,
    Record,
    Undefined,
    canonical_json,
    parse_result,
    read_result,
    result_schema,
    write_result,
)
from audit.score import score_audit
from audit.score_inputs import ScoreFiles, read_inputs

SPECIMEN = Path(__file__).parents[1] / "specimens" / "result-1.0.json"
THEN, NOW = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def stored():
    return read_result(SPECIMEN)


@pytest.fixture
def document():
    return json.loads(SPECIMEN.read_text())


def refused(document):
    with pytest.raises(ResultError) as caught:
        parse_result(document, where="old.json")
    return str(caught.value)


def test_a_result_comes_back_as_it_went_out(stored, tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(write_result(stored))
    again = read_result(path)

    assert again == stored
    assert write_result(again) == path.read_bytes()


def test_when_where_and_what_was_asked_to_fail_are_no_content(stored):
    later = stored.model_copy(
        update={
            "run": stored.run.model_copy(update={"host": "elsewhere", "started": NOW}),
            "gate": stored.gate.model_copy(update={"passed": not stored.gate.passed}),
        }
    )

    assert later != stored
    assert later.digest == stored.digest


CONTENT = sorted(set(AuditResult.model_fields) - {"run", "gate", "format_version"})


@pytest.mark.parametrize("key", CONTENT)
def test_everything_else_is_content(document, key):
    # What a newer version adds is missing in the specimen.
    value = document.get(key, [])
    if isinstance(value, list):
        document[key] = value[:-1] if value else ["more"]
    elif isinstance(value, dict):
        name = next(k for k, v in value.items() if isinstance(v, str))
        value[name] = "insufficient" if value[name] == "found" else value[name] + "x"
    else:
        document[key] = value + "x"

    message = refused(document)
    assert "must match its digest" in message or f"key {key}" in message


def leaves(value, path=()):
    """Paths of every number of a document."""
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in leaves(v, (*path, k))]
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in leaves(v, (*path, i))]
    return [path] if isinstance(value, float) and path[0] not in {"run", "gate"} else []


NUMBERS = leaves(json.loads(SPECIMEN.read_text()))


@settings(deadline=None, max_examples=25)
@given(path=st.sampled_from(NUMBERS), amount=st.sampled_from([1e-9, -0.5, 3.0]))
def test_a_changed_number_is_found(path, amount):
    document = json.loads(SPECIMEN.read_text())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] += amount

    assert "It was changed after it was written" in refused(document)


def test_a_changed_byte_of_a_file_is_found(tmp_path):
    path = tmp_path / "result.json"
    text = SPECIMEN.read_text()
    path.write_text(text.replace('"found"', '"not_found"', 1))
    with pytest.raises(ResultError, match=r"result\.json states sha256"):
        read_result(path)


def test_a_missing_digest_is_a_changed_result(document):
    del document["digest"]

    assert "states None" in refused(document)


@pytest.mark.parametrize("version", ["2.0", "0.9", None, 1.0, ["1.0"]])
def test_an_unknown_format_is_refused_with_what_to_do(document, version):
    document["format_version"] = version
    message = refused(document)

    assert f"must have format_version 1.0 or 1.1 or 1.2; old.json has {version!r}" in message
    assert "Use the version of clip-audit that wrote it" in message


@pytest.mark.parametrize("document", [[], "text", 3, None, {}])
def test_what_is_no_result_is_refused(document):
    assert "format_version" in refused(document)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda d: d.update(verdicts=1), "verdicts"),
        (lambda d: d.pop("title"), "title"),
        (lambda d: d["contrasts"][0].update(effect="high"), "contrasts.0.effect"),
        (lambda d: d["contrasts"][0].update(verdict="maybe"), "contrasts.0.verdict"),
        (lambda d: d["findings"][0].update(severity=5), "findings.0.severity"),
    ],
)
def test_a_document_of_another_shape_is_refused_by_its_key(document, change, key):
    change(document)

    assert f"key {key}" in refused(document)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, None], ids=lambda c: repr(c)[:12]
)
def test_a_file_that_is_no_json_is_one_sentence(tmp_path, content):
    path = tmp_path / "result.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ResultError, match=r"A stored result must be .*result\.json"):
        read_result(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_nan_has_no_place_in_a_document(stored, document, value):
    with pytest.raises(ValidationError):
        type(stored.contrasts[0]).model_validate(
            {**stored.contrasts[0].model_dump(), "effect": value}
        )
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"effect": value})
    document["contrasts"][0]["effect"] = value
    assert "contrasts.0.effect" in refused(document)


def test_undefined_stays_undefined_and_zero_stays_zero():
    class Held(Record):
        value: Number

    for value in (0.0, -1.5, Undefined(undefined="no control varied")):
        held = Held(value=value)
        assert Held.model_validate_json(held.model_dump_json()) == held
    with pytest.raises(ValidationError):
        Held(value=None)


def test_canonical_json_knows_no_order_of_keys_and_no_escapes():
    assert canonical_json({"é": 1, "a": {"c": 2, "b": 3}}) == canonical_json(
        {"a": {"b": 3, "c": 2}, "é": 1}
    )
    assert canonical_json("é") == '"é"'.encode()


def test_records_are_frozen(stored):
    with pytest.raises(ValidationError):
        stored.title = "Another"


@pytest.fixture
def scored(score_world, write):
    """A function that audits one small world and assembles its document."""

    def document(drawn=0, title="T", **plan):
        paths = write(score_world(drawn), "images", "texts", "groups", "labels")
        order = builtin_plan("score").model_copy(update=plan)
        draft = score_audit(read_inputs(ScoreFiles(**paths)), order, name="m", title=title).draft
        run = run_record(THEN, NOW, device="cpu", encoded={}, reused={}, command="")
        return assemble(draft, (), GateOrder(), run)

    return document


def test_written_documents_follow_the_published_schema(scored, document):
    schema = result_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)

    for written in (document, json.loads(write_result(scored()))):
        assert list(check.iter_errors(written)) == []
        written["arms"][0]["decides"] = "yes"
        assert [list(e.absolute_path) for e in check.iter_errors(written)] == [
            ["arms", 0, "decides"]
        ]


def test_the_same_inputs_and_seed_give_the_same_digest(scored):
    one = scored()

    assert scored().digest == one.digest
    assert scored(title="Other").digest != one.digest
    assert scored(drawn=1).digest != one.digest


def test_another_seed_is_another_order_and_moves_no_contrast(scored):
    one, other = scored(), scored(seed=7)

    assert one.contrasts == other.contrasts
    assert one.digest != other.digest
