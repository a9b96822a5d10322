"""``clip-audit unit``: a finished audit is asked about units and concepts."""

import json

import numpy as np
import pytest

from audit.results import read_result


@pytest.fixture
def unit(finished_once):
    """The unit that carries the first finding most."""
    (finding, *_) = read_result(finished_once / "result.json").findings
    return finding, finding.units[0]


def test_a_unit_that_carries_a_finding_says_so_with_intervals_in_each_modality(
    cli, finished_once, unit
):
    finding, record = unit

    end = cli("unit", finished_once, f"{record.layer}:{record.unit}")

    assert end.code == 0
    assert end.out.startswith(f"{record.layer}:{record.unit} of ")
    assert "What it answers to, rendered words" in end.out
    assert f"  - {finding.id}  " in end.out
    assert "place 1 of" in end.out


def test_json_tells_what_the_text_tells(cli, finished_once, unit):
    finding, record = unit

    page = json.loads(
        cli("unit", finished_once, f"{record.layer}:{record.unit}", "--format", "json").out
    )

    result = read_result(finished_once / "result.json")
    assert page["audit"] == result.digest
    assert finding.id in [entry["id"] for entry in page["findings"]]
    text, rendered = page["answers"]
    assert (text["arm"], rendered["arm"]) == ("text", "rendered")
    assert (text["pooling"], rendered["pooling"]) == ("", record.pooling)
    assert set(text["strongest"][0]) == {"concept", "name", "text_weight"}
    strongest = rendered["strongest"][0]
    assert strongest["correlation"]["low"] <= strongest["correlation"]["value"]
    asked = [p for p in result.probes if record.unit in dict(p.units)]
    assert [entry["concept"] for entry in page["probes"]] == [p.concept for p in asked]


def test_text_weights_stand_beside_pictures_by_weight_and_are_compared_with_them(
    cli, finished_once, unit
):
    address = f"{unit[1].layer}:{unit[1].unit}"

    page = json.loads(cli("unit", finished_once, address, "--format", "json", "--top", 99).out)

    weights = [e["text_weight"]["value"] for e in page["answers"][0]["strongest"]]
    assert weights == sorted(weights, reverse=True)
    (agreed,) = page["agreement"]
    assert agreed["arms"] == ["text", "rendered"]
    rendered = {e["concept"]: e["correlation"]["value"] for e in page["answers"][1]["strongest"]}
    text = {e["concept"]: e["text_weight"]["value"] for e in page["answers"][0]["strongest"]}
    assert set(text) == set(rendered)
    both = np.corrcoef([[arm[c] for c in sorted(text)] for arm in (text, rendered)])
    assert agreed["correlations"][0]["value"] == pytest.approx(both[0, 1])
    lines = cli("unit", finished_once, address).out
    assert "What prompts ask it for, text weights (31 concepts):" in lines
    assert "Among its strongest in text weights and rendered words (" in lines
    assert lines.index("text weights (") < lines.index("What it answers to, rendered words")
    assert "fidelity not measured, this encoder does not hand out the positions" in lines


def test_units_that_prompts_of_a_concept_ask_for_are_listed_by_weight(cli, finished_once):
    page = json.loads(cli("unit", finished_once, "--concept", "menace", "--format", "json").out)

    text, rendered = page["units"]
    assert (text["arm"], text["pooling"], rendered["arm"]) == ("text", "", "rendered")
    weights = [e["text_weight"]["value"] for e in text["strongest"]]
    assert weights == sorted(weights, reverse=True)
    asked = next(
        a
        for a in read_result(finished_once / "result.json").text_units.asked
        if a.concept == "menace"
    )
    first = [(e["unit"], e["text_weight"]["value"]) for e in text["strongest"]]
    assert [u for u, v in first if v > 0] == [u for u, _ in asked.units]


def test_units_for_a_concept_are_found_by_name_and_lead_in_order(cli, finished_once):
    page = json.loads(
        cli("unit", finished_once, "--concept", "Onees", "--top", 4, "--format", "json").out
    )

    assert page["concept"] == "people/ones"
    assert all(len(group["strongest"]) <= 4 for group in page["units"])
    unit = page["units"][0]["strongest"][0]
    text = cli("unit", finished_once, "--concept", "people/ones").out
    assert f":{unit['unit']} " in text


def test_terms_of_severe_harms_are_masked_until_they_are_asked_for(cli, finished_once):
    record = next(
        c
        for s in read_result(finished_once / "result.json").inputs.concept_sets
        for c in s.concepts
        if c.ref == "menace"
    )
    masked = cli("unit", finished_once, "--concept", "menace")
    shown = cli("unit", finished_once, "--concept", "menace", "--reveal")

    assert masked.code == shown.code == 0
    for term in record.terms:
        assert term not in masked.out
        assert term in shown.out


def test_terms_of_mild_harms_are_not_masked(cli, finished_once):
    out = cli("unit", finished_once, "--concept", "gloom").out

    assert "*" not in next(line for line in out.splitlines() if line.startswith("Terms"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Either a unit or --concept must be given; got neither"),
        (["a:1", "--concept", "ones"], "got both"),
        (["a1"], "A unit must be LAYER:INDEX"),
        (["a:-1"], "A unit must be LAYER:INDEX"),
        (["nowhere:1"], "A layer must be one that this audit read: "),
        (["--concept", "chore"], "could be any of: chores/chore_0"),
        (["--concept", "xxxxx"], "got 'xxxxx'"),
        (["--concept", ""], "got ''"),
    ],
)
def test_what_is_not_there_is_a_sentence_and_exit_2(words, sentence, cli, finished_once):
    end = cli("unit", finished_once, *words)

    assert end.code == 2
    assert sentence in end.err
    assert end.out == ""


def test_an_index_beyond_the_layer_names_its_last_unit(cli, finished_once, unit):
    end = cli("unit", finished_once, f"{unit[1].layer}:999999")

    assert end.code == 2
    assert "must be a whole number from 0 to " in end.err


def test_a_changed_table_is_refused(cli, finished):
    path = finished / "measurements.parquet"
    path.write_bytes(path.read_bytes()[:-8] + b"somebody")

    end = cli("unit", finished, "--concept", "ones")

    assert end.code == 3
    assert "digest differs" in end.err


def test_a_missing_table_is_refused(cli, finished):
    (finished / "measurements.parquet").unlink()

    end = cli("unit", finished, "--concept", "ones")

    assert end.code == 3
    assert "Give the whole audit folder" in end.err


def test_a_result_without_its_folder_is_refused(cli, finished):
    end = cli("unit", finished / "result.json", "--concept", "ones")

    assert end.code == 3
    assert "Units need the audit folder" in end.err
