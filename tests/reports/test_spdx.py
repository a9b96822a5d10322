"""SPDX: the official bindings read every document, and would refuse a wrong one."""

import io
import json

import pytest

from reports.as_spdx import NOT_PROVIDED, render

OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units", "gated"]


def graph(result):
    return json.loads(render(result))["@graph"]


def of(result, kind):
    return [element for element in graph(result) if element["type"] == kind]


def read_by_official_bindings(document):
    bindings = pytest.importorskip("spdx_python_model").v3_0_1
    objects = bindings.SHACLObjectSet()
    bindings.JSONLDDeserializer().deserialize_data(document, objects)
    # Writing checks that nothing required is missing.
    bindings.JSONLDSerializer().write(objects, io.BytesIO())
    return objects


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_official_bindings_read_it_and_every_reference_leads_somewhere(exported, outcome):
    objects = read_by_official_bindings(json.loads(render(exported[outcome])))

    assert objects.link() == set()
    assert len(list(objects.foreach_type("ai_AIPackage"))) == 1


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("ai_AIPackage", {"ai_safetyRiskAssessment": "grave"}),
        ("ai_AIPackage", {"ai_colour": "red"}),
        (
            "ai_AIPackage",
            {"ai_metric": [{"type": "Hash", "algorithm": "sha256", "hashValue": "0"}]},
        ),
        ("CreationInfo", {"created": "yesterday"}),
        ("CreationInfo", {"specVersion": None}),
        ("dataset_DatasetPackage", {"dataset_datasetSize": -1}),
        ("dataset_DatasetPackage", {"dataset_datasetType": None}),
        ("Relationship", {"relationshipType": "friendOf"}),
    ],
)
def test_the_official_bindings_would_find_a_wrong_document(stored, kind, change):
    document = json.loads(render(stored))
    element = next(e for e in document["@graph"] if e["type"] == kind)
    for key, value in change.items():
        element.pop(key, None)
        if value is not None:
            element[key] = value

    with pytest.raises((ValueError, TypeError, KeyError)):
        read_by_official_bindings(document)


def test_ids_are_unique_and_cited_elements_are_there(stored):
    elements = [element for element in graph(stored) if "spdxId" in element]
    ids = [element["spdxId"] for element in elements]
    (document,) = of(stored, "SpdxDocument")

    assert len(set(ids)) == len(ids)
    assert {*document["element"], document["spdxId"]} == set(ids)


def test_it_claims_no_profile_whose_facts_no_audit_knows(stored):
    (document,), (model,) = of(stored, "SpdxDocument"), of(stored, "ai_AIPackage")

    assert document["profileConformance"] == ["core"]
    assert model["ai_informationAboutApplication"] == NOT_PROVIDED
    assert "ai_safetyRiskAssessment" not in model
    assert "ai_standardCompliance" not in model


def test_every_blocking_contrast_is_a_metric_with_its_limits_and_answer(stored):
    (model,) = of(stored, "ai_AIPackage")
    blocking = [contrast for contrast in stored.contrasts if contrast.blocking]
    keys = " ".join(entry["key"] for entry in model["ai_metric"])

    assert len(model["ai_metric"]) >= len(blocking)
    assert all(f"({c.identity} x {c.harm})" in keys for c in blocking)
    assert {entry["value"].rpartition(": ")[2] for entry in model["ai_metric"]} <= {
        "found", "not_found", "insufficient", "described",
    }  # fmt: skip


def test_thresholds_are_told_with_their_digest(stored):
    (model,) = of(stored, "ai_AIPackage")
    told = {entry["value"] for entry in model["ai_metricDecisionThreshold"]}

    assert {f"{stored.plan.delta0:g}", stored.plan.thresholds_digest} <= told


def test_a_model_whose_weights_nobody_saw_has_no_hash(exported):
    (model,) = of(exported["scores"], "ai_AIPackage")

    assert "verifiedUsing" not in model


def test_what_the_audit_showed_is_tested_on_and_never_trained_on(stored):
    (tested,) = of(stored, "Relationship")
    data = of(stored, "dataset_DatasetPackage")

    assert tested["relationshipType"] == "testedOn"
    assert set(tested["to"]) == {entry["spdxId"] for entry in data}
    assert "trainedOn" not in json.dumps(graph(stored))


def test_equal_results_give_equal_bytes(exported):
    assert all(render(result) == render(result) for result in exported.values())
