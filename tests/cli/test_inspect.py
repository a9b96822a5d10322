"""``clip-audit inspect``: sentences as units, on the scale of neutral prompts."""

import json

import numpy as np
import pytest

from audit.cli.inspect import library_for
from audit.results import read_result
from audit.text_units_sentences import NEUTRAL, known_readout, neutral_prompts
from concept_sets.catalog import load_library
from concept_sets.minors import concept_denotes_minor, denotes_minor, sexualises
from probes.backends.table import load_encoder
from probes.backends.toy import ToyEncoder

SENTENCES = ["a photo of a baker", "rain over the sea"]


def unit_rows(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def slowly(encoder, sentence, minus=None):
    """Weights of one sentence from the prompts themselves."""
    bank = [s.content for s in neutral_prompts(load_library())]
    readout = encoder.readout("toy.colours").astype(float)
    neutral = unit_rows(encoder.encode_texts(bank).astype(float)) @ readout.T

    def weight(text):
        own = unit_rows(encoder.encode_texts([text]).astype(float))[0] @ readout.T
        return (own - neutral.mean(axis=0)) / neutral.std(axis=0, ddof=1)

    return weight(sentence) if minus is None else (weight(sentence) - weight(minus)) / 2**0.5


def test_the_units_of_each_sentence_are_those_of_a_slow_computation(cli):
    page = json.loads(cli("inspect", "toy", *SENTENCES, "--top", 5, "--format", "json").out)

    assert (page["layer"], page["neutral_prompts"]) == ("toy.colours", NEUTRAL)
    assert [one["sentence"] for one in page["sentences"]] == SENTENCES
    for one in page["sentences"]:
        slow = slowly(ToyEncoder(), one["sentence"])
        assert [e["unit"] for e in one["units"]] == np.argsort(-np.abs(slow))[:5].tolist()
        np.testing.assert_allclose([e["weight"] for e in one["units"]],
                                   slow[[e["unit"] for e in one["units"]]], rtol=1e-3)  # fmt: skip


def test_a_difference_is_told_in_spreads_of_differences_of_neutral_prompts(cli):
    first, second = SENTENCES
    words = ["inspect", "toy", first, "--minus", second, "--top", 12, "--format", "json"]

    (one,) = json.loads(cli(*words).out)["sentences"]

    slow = slowly(ToyEncoder(), first, second)
    ours = {e["unit"]: e["weight"] for e in one["units"]}
    np.testing.assert_allclose([ours[u] for u in range(12)], slow, rtol=1e-3)
    assert one["sentence"] == f"{first} minus {second}"


def test_the_text_tells_what_json_tells_and_that_fidelity_is_not_known(cli):
    end = cli("inspect", "toy", SENTENCES[0], "--top", 3)
    page = json.loads(cli("inspect", "toy", SENTENCES[0], "--top", 3, "--format", "json").out)

    assert end.code == 0
    for entry in page["sentences"][0]["units"]:
        assert f"  toy.colours:{entry['unit']} " in end.out
        assert f"{entry['weight']:+.2f}" in end.out
    assert "--audit with an audit of it tells" in end.out
    assert page["fidelity"] == []


def test_an_audit_of_the_model_names_units_and_tells_fidelity_and_findings(cli, finished_once):
    words = ["inspect", "toy", "a photo of a baker", "--top", 12, "--audit", finished_once]
    page = json.loads(cli(*words, "--format", "json").out)

    result = read_result(finished_once / "result.json")
    assert page["audit"] == result.digest
    carried = {u.unit for f in result.findings for u in f.units}
    for entry in page["sentences"][0]["units"]:
        unit = json.loads(
            cli("unit", finished_once, f"toy.colours:{entry['unit']}", "--format", "json").out
        )
        for answer in unit["answers"]:
            names = [e["name"] for e in answer["strongest"][: len(entry["leads"][answer["arm"]])]]
            assert entry["leads"][answer["arm"]] == names
        assert bool(entry["findings"]) == (entry["unit"] in carried)
    assert "fidelity not measured" in page["fidelity"][0]
    text = cli(*words).out
    assert "prompts: " in text
    assert "rendered words: " in text


def test_an_audit_of_other_weights_is_refused(cli, finished_once):
    end = cli("inspect", "embedded:demo", "rain", "--audit", finished_once)

    assert end.code == 2
    assert "must be an audit of the weights that are inspected" in end.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a photo of a child", "--minus", "a photo of a nude"], "Minors are never put beside"),
        (["a teenager", "erotic art"], "Minors are never put beside"),
        ([" "], "A sentence must have words"),
        (["rain", "--layer", "toy.colour"], "did you mean 'toy.colours'"),
        (["rain", "--audit", "nowhere"], "nowhere"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(words, sentence, cli):
    end = cli("inspect", "toy", *words)

    assert end.code in (2, 3)
    assert sentence in end.err
    assert end.out == ""


def test_neutral_prompts_neither_sexualise_nor_denote_minors_and_come_from_every_pack():
    library = load_library()

    bank = neutral_prompts(library)

    assert len(bank) == NEUTRAL == len({s.content for s in bank})
    assert not [s.content for s in bank if denotes_minor(s.content) or sexualises(s.content)]
    packs = {c.ref for c in library.controls() if not concept_denotes_minor(c)}
    assert len({s.concept for s in bank} & packs) > 0.9 * len(packs)


def test_a_layer_without_a_closed_form_names_the_last_layer():
    encoder = load_encoder("embedded:demo")

    with pytest.raises(Exception, match=r"no closed form\. The last layer is 'visual\.layer4\.0'"):
        known_readout(encoder, encoder.layers[0].name)


def test_embedded_models_are_asked_in_the_words_of_their_world(cli):
    library = library_for("embedded:demo")

    assert "peoples/debeo" in {c.ref for c in library.concepts}
    assert library_for("RN50").digest == load_library().digest
    end = cli("inspect", "embedded:demo", "a photo of a debeo", "--format", "json")
    first = json.loads(end.out)["sentences"][0]["units"][0]
    assert first["weight"] > 3
