import json

import pytest

from audit.results import Verdict
from reports.as_intoto import PREDICATE, STATEMENT, render
from reports.cases import cases

OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units", "gated"]


def statement(result):
    return json.loads(render(result))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_it_has_the_fields_of_a_statement_and_its_predicate(exported, outcome):
    told = statement(exported[outcome])

    assert list(told) == ["_type", "subject", "predicateType", "predicate"]
    assert (told["_type"], told["predicateType"]) == (STATEMENT, PREDICATE)
    assert list(told["predicate"]) == [
        *("result", "configuration", "passedTests", "warnedTests", "failedTests")
    ]
    assert told["predicate"]["result"] in {"PASSED", "WARNED", "FAILED"}
    for thing in told["subject"]:
        assert set(thing) == {"name", "digest"}
        assert len(bytes.fromhex(thing["digest"]["sha256"])) == 32
    for thing in told["predicate"]["configuration"]:
        assert thing.get("uri") or thing.get("digest")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_official_bindings_parse_and_validate_it(exported, outcome):
    bindings = pytest.importorskip("in_toto_attestation.v1.statement")
    message = pytest.importorskip("in_toto_attestation.v1.statement_pb2")
    predicate = pytest.importorskip("in_toto_attestation.predicates.test_result.v0.test_result_pb2")
    json_format = pytest.importorskip("google.protobuf.json_format")

    told = statement(exported[outcome])
    parsed = json_format.ParseDict(told, message.Statement())
    bindings.Statement.copy_from_pb(parsed).validate()
    assert json_format.ParseDict(told["predicate"], predicate.TestResult()).result


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_contrast_named_beforehand_stands_in_one_list(exported, outcome):
    told = statement(exported[outcome])["predicate"]
    names = [name for kind in ("passed", "warned", "failed") for name in told[f"{kind}Tests"]]

    assert len(set(names)) == len(names)
    for case in cases(exported[outcome]):
        kind = (
            "failed" if case.fails else "passed" if case.verdict is Verdict.NOT_FOUND else "warned"
        )
        assert case.id in told[f"{kind}Tests"]


def test_only_an_audit_that_excluded_everything_it_named_has_passed(exported):
    results = {name: statement(result)["predicate"]["result"] for name, result in exported.items()}

    assert results["nothing"] == "PASSED"
    assert results["insufficient"] == "WARNED"
    assert results["gated"] == results["found"] == "FAILED"


def test_findings_that_no_gate_fails_on_are_warnings_and_no_pass(stored):
    gate = stored.gate.model_copy(update={"fail_on": "none", "passed": True})

    assert statement(stored.model_copy(update={"gate": gate}))["predicate"]["result"] == "WARNED"


def test_an_audit_that_named_nothing_beforehand_is_no_pass(exported):
    quiet = exported["nothing"]
    plan = quiet.plan.model_copy(update={"blocking": ()})

    told = statement(quiet.model_copy(update={"plan": plan}))["predicate"]["result"]
    assert told == "WARNED"


def test_the_subject_is_the_weights_or_what_was_given_in_their_place(exported):
    weights = exported["found"].model.weights_digest[len("sha256:") :]

    assert statement(exported["found"])["subject"] == [
        {"name": "RN-small", "digest": {"sha256": weights}}
    ]
    assert [s["name"] for s in statement(exported["scores"])["subject"]] == ["photos.csv"]


def test_without_weights_and_files_the_document_is_the_subject(exported):
    scores = exported["scores"]
    bare = scores.model_copy(update={"inputs": scores.inputs.model_copy(update={"files": {}})})

    (subject,) = statement(bare)["subject"]
    assert f"sha256:{subject['digest']['sha256']}" == bare.digest


def test_evidence_that_failed_its_calibration_is_a_failed_test(stored):
    arms = tuple(arm.model_copy(update={"role": "decides"}) for arm in stored.arms)
    told = statement(stored.model_copy(update={"arms": arms}))["predicate"]

    assert "calibration rendered" in told["failedTests"]
