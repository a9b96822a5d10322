"""Published names are tried on loaded weights by drawing the published words."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from audit.gather import Instruments
from audit.known_units import known_units
from audit.known_units_loaded import (
    PUBLISHED,
    PublishedNames,
    published_model,
    published_name,
    published_names,
    word_stimuli,
)
from concept_sets.pictures import load_picture
from probes.backends.toy import ToyEncoder
from probes.encoder import EncodedPictures, Layer, Pooling
from probes.progress import SilentProgress

LAST = "visual.layer4.2"


@cache
def words_by_picture():
    """Bytes of a drawn word to the word."""
    words = sorted({w for unit in known_units("RN101").values() for w in unit.words})
    return {load_picture(s).tobytes(): s.cluster for s in word_stimuli(words)}


class Reads(ToyEncoder):
    """A model of RN101's shape whose units answer to the words of given units."""

    def __init__(self, words_of, architecture="RN101-quickgelu", n_units=2048):
        super().__init__()
        self._words_of, self._architecture, self._n_units = words_of, architecture, n_units

    @property
    def identity(self):
        return replace(super().identity, architecture=self._architecture)

    @property
    def layers(self):
        poolings = (Pooling.PREACT_MAX, Pooling.PREACT_MEAN, Pooling.RELU_MEAN)
        return (Layer(name=LAST, n_units=self._n_units, kind="conv", poolings=poolings),)

    def encode_pictures(self, pictures, readings=()):
        found = np.zeros((len(pictures), self._n_units), np.float32)
        for row, picture in zip(found, pictures, strict=True):
            word = words_by_picture()[picture.tobytes()]
            for unit, own in self._words_of.items():
                row[unit] = 1 / (1 + own.index(word)) if word in own else 0
        embeddings = np.ones((len(pictures), self.identity.embedding_size), np.float32)
        return EncodedPictures(embeddings=embeddings, units={r: found for r in readings})


def tools_of(encoder):
    return Instruments(encoder=encoder, cache=None, progress=SilentProgress(), readings=())


def published(order=None):
    units = known_units("RN101")
    own = [units[u].words for u in units]
    return dict(zip(units, own if order is None else [own[i] for i in order], strict=True))


def names_on(encoder):
    return published_names(tools_of(encoder), np.random.default_rng(0))


def test_names_are_shown_where_units_answer_to_the_published_words():
    names = names_on(Reads(published()))

    assert names.agreement.agrees
    assert names.reason == ""
    assert published_name(names, LAST, 1895) == "terrorism"
    assert published_name(names, LAST, 3) == ""
    assert published_name(names, "visual.layer3.22", 1895) == ""


def test_no_name_is_shown_where_channels_are_in_another_order():
    order = np.random.default_rng(1).permutation(len(known_units("RN101")))

    names = names_on(Reads(published(order)))

    assert not names.agreement.agrees
    assert names.units == {}
    assert "the order of channels is not the published one" in names.reason
    assert published_name(names, LAST, 1895) == ""


def test_no_name_is_shown_where_units_answer_to_nothing():
    assert names_on(Reads({})).units == {}


@pytest.mark.parametrize(
    ("encoder", "reason"),
    [
        (ToyEncoder(), "published for RN101, RN50x4 of OpenAI only"),
        (Reads(published(), n_units=1896 - 1), "does not have the units of RN101"),
        (Reads(published(), architecture="ViT-B-32"), "of OpenAI only"),
    ],
)
def test_a_model_of_another_kind_is_not_even_tried(encoder, reason, monkeypatch):
    monkeypatch.setattr("audit.known_units_loaded.extract_pictures", None)

    names = names_on(encoder)

    assert names.agreement is None
    assert reason in names.reason


def test_both_spellings_of_a_published_architecture_are_known():
    identity = ToyEncoder().identity

    assert {published_model(replace(identity, architecture=a)) for a in PUBLISHED} == {
        "RN50x4", "RN101"
    }  # fmt: skip
    assert published_model(replace(identity, architecture="RN50")) == ""
    assert published_name(PublishedNames(), "", 0) == ""
