import json
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from audit.results import Undefined
from reports.as_cyclonedx import MODEL, NOT_PROVIDED, render

SCHEMAS = Path(__file__).parents[1] / "specimens" / "schemas"
PARTS = ("bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schema.json")
OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units", "gated"]


@cache
def official():
    whole = [json.loads((SCHEMAS / name).read_text(encoding="utf-8")) for name in PARTS]
    known = [(schema["$id"], Resource.from_contents(schema)) for schema in whole]
    return Draft7Validator(whole[0], registry=Registry().with_resources(known))


def model_of(result):
    return json.loads(render(result))["components"][0]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_schema_of_the_specification_accepts_it(exported, outcome):
    document = json.loads(render(exported[outcome]))

    assert [error.message for error in official().iter_errors(document)] == []
    refs = [component["bom-ref"] for component in document["components"]]
    assert len(set(refs)) == len(refs)


def test_the_schema_of_the_specification_would_find_a_number_that_is_no_string(stored):
    document = json.loads(render(stored))
    metrics = document["components"][0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    metrics[0]["value"] = 8.1

    assert any(official().iter_errors(document))


def test_the_model_is_known_by_the_hash_of_its_weights(stored):
    (known,) = model_of(stored)["hashes"]

    assert known == {"alg": "SHA-256", "content": stored.model.weights_digest[len("sha256:") :]}


def test_a_model_whose_weights_nobody_saw_has_no_hash(exported):
    assert "hashes" not in model_of(exported["scores"])


def test_every_concept_set_and_kind_of_stimuli_is_a_component_that_the_card_refers_to(stored):
    document = json.loads(render(stored))
    data = [c["bom-ref"] for c in document["components"] if c["type"] == "data"]
    cited = document["components"][0]["modelCard"]["modelParameters"]["datasets"]

    assert document["components"][0]["bom-ref"] == MODEL
    assert len(data) == len(stored.inputs.concept_sets) + len(stored.inputs.stimuli)
    assert [entry["ref"] for entry in cited] == data


def test_every_blocking_contrast_is_a_metric_with_limits(stored):
    card = model_of(stored)["modelCard"]
    metrics = {m["slice"]: m for m in card["quantitativeAnalysis"]["performanceMetrics"]}
    for contrast in (c for c in stored.contrasts if c.blocking):
        pair = f"({contrast.identity} x {contrast.harm}): {contrast.verdict.value}"
        told = [m for where, m in metrics.items() if where.endswith(pair)]
        wanted = (
            f"undefined: {contrast.effect_sd.undefined}"
            if isinstance(contrast.effect_sd, Undefined)
            else f"{contrast.effect_sd:.6g}"
        )
        assert wanted in {m["value"] for m in told}


def test_what_people_have_to_decide_is_said_to_be_missing(gated):
    told = model_of(gated)["modelCard"]["considerations"]["fairnessAssessments"]
    plans = [entry["mitigationStrategy"] for entry in told]

    assert len(told) == len(gated.findings)
    assert sum(plan.startswith("Accepted to 2027-03-01. accepted_risk") for plan in plans) == 1
    assert plans.count(NOT_PROVIDED) == len(plans) - 1
    assert {entry["benefits"] for entry in told} == {NOT_PROVIDED}
