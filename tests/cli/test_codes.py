"""``clip-audit codes``: words as few units, end to end, and against published codes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from audit.cli import codes as command
from audit.errors import PlanError
from audit.known_units import known_units
from audit.known_units_loaded import word_stimuli
from audit.selftest.emotions import BIGRAM_UNITS, CODES
from audit.text_units_codes import EMOTION_TEMPLATES, code_of, compare_codes, read_published
from concept_sets.pictures import load_picture
from probes.backends.toy import ToyEncoder
from probes.encoder import EncodedPictures, Layer, Pooling
from probes.sparse_codes import SparseCodes

WORLD = "debeo,klabeox,baker,weaver"


def test_codes_of_the_embedded_model_end_to_end(cli):
    end = cli("codes", "embedded:demo", "--words", WORLD, "--size", 2, "--size", 4, "--format",
              "json")  # fmt: skip

    page = json.loads(end.out)
    assert end.code == 0
    assert page["layer"] == "visual.layer4.0"
    assert page["templates"] == list(EMOTION_TEMPLATES)
    sparse, dense = page["codes"]
    assert sparse["mean_units"] < dense["mean_units"]
    assert list(sparse["words"]) == WORLD.split(",")
    for one in page["codes"]:
        sizes = [len(units) for units in one["words"].values()]
        assert np.mean(sizes) == pytest.approx(one["mean_units"])
        for units in one["words"].values():
            values = [abs(e["weight"]) for e in units]
            assert values == sorted(values, reverse=True)
            assert not units or values[0] == 1
    assert "Fitting codes of 4 words over 512 units" in end.err


def test_words_come_from_a_file_and_units_can_be_left_out(cli, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("debeo\n\n klabeox \nbaker\n", encoding="utf-8")
    words = ["codes", "embedded:demo", "--words", path, "--size", 3, "--format", "json"]
    first = json.loads(cli(*words).out)["codes"][0]["words"]
    used = {e["unit"] for units in first.values() for e in units}

    page = json.loads(cli(*words, "--without", ",".join(map(str, used))).out)

    again = {e["unit"] for units in page["codes"][0]["words"].values() for e in units}
    assert list(first) == ["debeo", "klabeox", "baker"]
    assert again
    assert not used & again
    assert page["left_out"] == sorted(used)


def test_the_text_names_every_word_at_every_size(cli):
    out = cli("codes", "toy", "--words", "abba,otto,zest", "--template", "a {t}", "--template",
              "the {t} here", "--size", 1, "--size", 3).out  # fmt: skip

    assert out.count("units per word (penalty") == 2
    for word in ("abba", "otto", "zest"):
        assert out.count(f"  {word}: ") == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--words", "one"], "2 to 2000 words"),
        ([], "2 to 2000 words"),
        (["--words", "a,a"], "at least 2 different words"),
        (["--words", "a,b", "--template", "{t}"], "at least 2 templates"),
        (["--words", "a,b", "--template", "x", "--template", "y"], "at least 2 templates"),
        (["--words", "child,erotic"], "Minors are never put beside"),
        (["--words", "a,b", "--without", "x"], "--without must be units from 0 to 11"),
        (["--words", "a,b", "--without", "12"], "--without must be units from 0 to 11"),
        (["--words", "a,b", "--check-published"], "cannot go with it"),
    ],
)
def test_what_cannot_be_coded_is_a_sentence_and_exit_2(words, sentence, cli):
    end = cli("codes", "toy", *words)

    assert end.code == 2
    assert sentence in end.err
    assert end.out == ""


def test_a_file_of_words_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(PlanError, match="readable UTF-8 file"):
        command.words_of(str(path))


EMOTIONS = [f"mood{i}" for i in range(14)]
LETTERS = 7
"""A unit that reads letters, which was left out by hand."""


def planted_codes():
    """Two settings for each word: one unit, and three units beside one that reads letters."""
    rng = np.random.default_rng(5)
    units = {word: rng.choice(np.arange(100, 2500), 3, replace=False) for word in EMOTIONS}
    many = {
        word: [[weight, int(unit)] for weight, unit in zip((30.0, 24.0, 18.0), own, strict=True)]
        for word, own in units.items()
    }
    few = {word: [[20.0, code[0][1]]] for word, code in many.items()}
    for code in many.values():
        code.append([3.0, LETTERS])
    return {"10": few, "40": many}


@pytest.fixture
def data(tmp_path):
    """A folder of published data with planted codes."""
    for name, content in ((CODES, planted_codes()), (BIGRAM_UNITS, [LETTERS])):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return tmp_path / "data"


class Planted(ToyEncoder):
    """A model of RN50x4's shape whose texts ask for planted units; channels may be moved."""

    words_by_picture = None

    def __init__(self, shift=0, architecture="RN50x4-quickgelu"):
        super().__init__()
        self._shift, self._architecture = shift, architecture

    @property
    def identity(self):
        found = replace(super().identity, architecture=self._architecture, embedding_size=2560)
        return replace(found, weights_digest=f"{found.weights_digest[:-1]}{self._shift}")

    @property
    def layers(self):
        poolings = (Pooling.PREACT_MAX, Pooling.RELU_MEAN)
        return (Layer(name="visual.layer4.5", n_units=2560, kind="conv", poolings=poolings),)

    def readout(self, layer):
        return np.eye(2560, dtype=np.float32)

    def encode_texts(self, texts):
        rows = np.random.default_rng(0).normal(0, 0.01, (len(texts), 2560)).astype(np.float32)
        starts = [template.split("{t}")[0] for template in EMOTION_TEMPLATES]
        for row, text in zip(rows, texts, strict=True):
            for word, code in planted_codes()["40"].items():
                for place, (_, unit) in enumerate(code if word in text.split() else ()):
                    # Each template asks for another of a word's units, so that none suffices.
                    loud = place < 3 and text.startswith(starts[place])
                    row[(unit + self._shift) % 2560] += 1.0 if loud else 0.1
        return rows

    def encode_pictures(self, pictures, readings=()):
        if Planted.words_by_picture is None:
            words = sorted({w for unit in known_units("RN50x4").values() for w in unit.words})
            Planted.words_by_picture = {
                load_picture(s).tobytes(): s.cluster for s in word_stimuli(words)
            }
        values = np.zeros((len(pictures), 2560), np.float32)
        for row, picture in zip(values, pictures, strict=True):
            word = Planted.words_by_picture[picture.tobytes()]
            for index, unit in known_units("RN50x4").items():
                if word in unit.words:
                    row[(index + self._shift) % 2560] = 1
        embeddings = np.ones((len(pictures), 2560), np.float32)
        return EncodedPictures(embeddings=embeddings, units={r: values for r in readings})


def checked(cli, monkeypatch, encoder, data):
    monkeypatch.setattr(command, "load_encoder", lambda *_, **__: encoder)
    return cli("codes", "RN50x4", "--check-published", "--data", data, "--format", "json")


def test_published_codes_come_back_from_weights_that_have_them(cli, monkeypatch, data):
    end = checked(cli, monkeypatch, Planted(), data)

    page = json.loads(end.out)
    assert end.code == 0
    assert page["not_compared"] == ""
    assert page["left_out"] == [LETTERS]
    few, many = page["published"]
    assert (few["setting"], many["setting"]) == ("10", "40")
    assert many["words"] == 14
    assert many["published_units"] == 3
    assert many["shared"] > 0.8
    assert many["by_chance"] < 0.2


def test_weights_in_another_order_are_not_compared(cli, monkeypatch, data):
    end = checked(cli, monkeypatch, Planted(shift=9), data)

    page = json.loads(end.out)
    assert end.code == 4
    assert page["published"] == []
    assert "the order of channels is not the published one" in page["not_compared"]


def test_another_architecture_is_not_compared_and_says_so(cli, monkeypatch, data):
    monkeypatch.setattr(command, "load_encoder", lambda *_, **__: ToyEncoder())

    end = cli("codes", "toy", "--check-published", "--data", data)

    assert end.code == 4
    assert "Not compared with the published codes: codes were published for RN50x4" in end.out
    assert "mood3: " in end.out


def test_missing_published_data_are_named_before_anything_is_loaded(cli, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "load_encoder", None)

    end = cli("codes", "RN50x4", "--check-published", "--data", tmp_path)

    assert end.code == 4
    assert CODES in end.out


def test_codes_equal_to_the_published_ones_share_all_units(data):
    published = read_published(data)
    theirs = published.codes["40"]
    weights = np.zeros((14, 2560))
    for row, code in zip(weights, theirs.values(), strict=True):
        row[list(code)] = list(code.values())
    codes = SparseCodes(words=tuple(theirs), weights=weights, penalty=0.1, mean_units=3)

    found = compare_codes(codes, theirs, np.random.default_rng(0))

    assert (found.words, found.units, found.published_units, found.shared) == (14, 3, 3, 1)
    assert found.correlation == pytest.approx(1)
    assert found.by_chance == pytest.approx(1 / 14, abs=0.03)
    assert LETTERS not in code_of(codes, "mood0")
    with pytest.raises(PlanError, match="No word with a published code"):
        compare_codes(codes, {"elsewhere": {1: 1.0}}, np.random.default_rng(0))
