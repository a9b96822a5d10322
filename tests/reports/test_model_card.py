from importlib.resources import files

import pytest
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import eval_results_to_model_index

from audit.results import Undefined, Verdict
from reports.as_modelcard import INDEXED, METRIC, render

OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units", "gated"]


def card(result):
    return ModelCard(render(result).decode(), ignore_metadata_errors=False)


def headings(text):
    return [line for line in text.splitlines() if line.startswith("#")]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_headings_are_those_of_the_template(exported, outcome):
    template = (files("huggingface_hub") / "templates" / "modelcard_template.md").read_text()
    known = {line.removesuffix(" [optional]") for line in headings(template)}

    told = headings(card(exported[outcome]).text)
    assert set(told) <= known
    assert {"## Bias, Risks, and Limitations", "### Recommendations", "## Evaluation"} <= set(told)
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_library_of_the_hub_reads_every_defined_effect(exported, outcome):
    result = exported[outcome]
    deciding = {arm.arm for arm in result.arms if arm.decides}
    effects = [
        c.effect_sd
        for c in result.contrasts
        if c.blocking and c.arm in deciding and not isinstance(c.effect_sd, Undefined)
    ]

    read = card(result).data.eval_results
    assert sorted(r.metric_value for r in read) == sorted(effects)
    assert {r.metric_type for r in read} == {METRIC}
    assert eval_results_to_model_index(result.model.name, read)[0]["name"] == result.model.name


def test_no_value_stands_without_its_limits(stored):
    for read in card(stored).data.eval_results:
        assert {"low", "high", "neutral"} <= set(read.metric_args)


def test_a_long_index_is_cut_to_what_was_found_and_the_strongest_and_says_so(stored):
    found = next(c for c in stored.contrasts if c.verdict is Verdict.FOUND and c.arm == "text")
    many = [
        found.model_copy(
            update={"harm": f"harm{k}", "effect_sd": 100.0 + k, "verdict": Verdict.NOT_FOUND}
        )
        for k in range(INDEXED)
    ]
    long = card(stored.model_copy(update={"contrasts": (*many, found)}))

    read = [r.metric_value for r in long.data.eval_results]
    assert read == [found.effect_sd, *(100.0 + k for k in range(INDEXED - 1, 0, -1))]
    assert f"The model index has the {INDEXED} strongest" in long.text


def test_undefined_effects_are_in_the_table_and_not_in_the_index(exported):
    result = exported["found"]
    unknown = [
        c.model_copy(update={"effect_sd": Undefined(undefined="too few terms")})
        if c.blocking
        else c
        for c in result.contrasts
    ]
    bare = card(result.model_copy(update={"contrasts": tuple(unknown)}))

    assert "undefined" in bare.text
    assert "model-index" not in (bare.data.to_dict() or {}) or not bare.data.eval_results


def test_what_people_have_to_write_is_said_to_be_missing(stored):
    _, _, told = card(stored).text.partition("### Recommendations")

    assert told.strip().startswith("NOT PROVIDED")
