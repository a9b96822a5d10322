"""Extraction: what comes out is what the model gives, once per distinct stimulus."""

import hashlib
import io
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from concept_sets.errors import PictureError
from concept_sets.stimulus import Modality, Stimulus
from probes.backends.toy import LAYER, ToyEncoder
from probes.cache import ActivationCache
from probes.encoder import EncodedPictures, Pooling, Reading
from probes.errors import ExtractionError, ModelNameError
from probes.extract import extract_pictures, extract_texts
from probes.progress import TerminalProgress
from probes.readings import default_reading, parse_reading
from probes.testing import check_encoder

MEAN = Reading(layer=LAYER.name, pooling=Pooling.PREACT_MEAN)
MAX = Reading(layer=LAYER.name, pooling=Pooling.PREACT_MAX)


def stimulus(content: str, modality: Modality = Modality.TEXT) -> Stimulus:
    return Stimulus(
        modality=modality,
        content=content,
        concept="everyday",
        cluster=content,
        template="bare",
        digest=hashlib.sha256(content.encode()).hexdigest(),
    )


def words(*contents: str) -> list[Stimulus]:
    return [stimulus(content) for content in contents]


def pictures(n: int) -> list[Stimulus]:
    return [stimulus(f"picture {i}", Modality.PHOTO) for i in range(n)]


def draw(one: Stimulus) -> Image.Image:
    """A plain picture, different for each stimulus."""
    colour = tuple(bytes.fromhex(one.digest[:6]))
    return Image.new("RGB", (20, 20), colour)


class CountingEncoder(ToyEncoder):
    """A toy that notes what went through it, and can stop half-way."""

    def __init__(self, stop_after: int = 10**9) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.pictures = 0
        self.left = stop_after

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        self._step()
        self.seen.extend(texts)
        return super().encode_texts(texts)

    def encode_pictures(
        self, pictures: Sequence[Image.Image], readings: Sequence[Reading] = ()
    ) -> EncodedPictures:
        self._step()
        self.pictures += len(pictures)
        return super().encode_pictures(pictures, readings)

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


class NaNEncoder(ToyEncoder):
    """A toy whose units are not numbers for one picture."""

    def encode_pictures(
        self, pictures: Sequence[Image.Image], readings: Sequence[Reading] = ()
    ) -> EncodedPictures:
        out = super().encode_pictures(pictures, readings)
        out.units[MAX][1, 3] = np.nan
        return out


def test_the_toy_keeps_the_promises_of_an_encoder():
    check_encoder(ToyEncoder())


def test_a_contract_breaker_is_named():
    class Forgetful(ToyEncoder):
        def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
            return super().encode_texts(texts)[::-1]

    with pytest.raises(AssertionError, match="equal texts, equal rows"):
        check_encoder(Forgetful())


def test_rows_come_in_the_order_of_the_stimuli_and_equal_ones_are_encoded_once():
    encoder = CountingEncoder()
    asked = words("rain", "a baker", "rain", "sea")

    out = extract_texts(encoder, asked, batch_size=2)

    expected = ToyEncoder().encode_texts([one.content for one in asked])
    np.testing.assert_array_equal(out.embeddings.values, expected)
    assert encoder.seen == ["rain", "a baker", "sea"]
    assert (out.encoded, out.reused, out.kept) == (3, 0, (0, 1, 2, 3))
    assert out.embeddings.stimuli == tuple(one.id for one in asked)


def test_pictures_give_embeddings_and_every_reading_asked_for():
    asked = pictures(5)

    out = extract_pictures(ToyEncoder(), asked, load_picture=draw, readings=[MEAN, MAX])

    expected = ToyEncoder().encode_pictures([draw(one) for one in asked], [MEAN, MAX])
    np.testing.assert_allclose(out.embeddings.values, expected.embeddings, rtol=1e-6)
    for reading in (MEAN, MAX):
        np.testing.assert_allclose(out.units[reading].values, expected.units[reading], rtol=1e-6)
        assert out.units[reading].layer == LAYER.name


def test_no_stimuli_give_empty_tables_of_the_right_width():
    out = extract_pictures(ToyEncoder(), [], load_picture=draw, readings=[MEAN])

    assert out.embeddings.values.shape == (0, 27)
    assert out.units[MEAN].values.shape == (0, 12)


def test_a_second_run_with_one_more_stimulus_encodes_only_that(tmp_path):
    cache = ActivationCache(tmp_path)
    extract_texts(ToyEncoder(), words("rain", "sea"), cache=cache)
    encoder = CountingEncoder()

    out = extract_texts(encoder, words("rain", "snow", "sea"), cache=cache)

    assert encoder.seen == ["snow"]
    assert (out.encoded, out.reused) == (1, 2)
    np.testing.assert_array_equal(
        out.embeddings.values, ToyEncoder().encode_texts(["rain", "snow", "sea"])
    )


def test_one_more_reading_leaves_the_cached_ones_alone(tmp_path):
    cache = ActivationCache(tmp_path)
    extract_pictures(ToyEncoder(), pictures(4), load_picture=draw, readings=[MEAN], cache=cache)

    first = extract_pictures(
        ToyEncoder(), pictures(4), load_picture=draw, readings=[MEAN, MAX], cache=cache
    )
    again = extract_pictures(
        ToyEncoder(), pictures(4), load_picture=draw, readings=[MEAN, MAX], cache=cache
    )

    assert (first.encoded, again.encoded, again.reused) == (4, 0, 4)
    np.testing.assert_array_equal(first.units[MAX].values, again.units[MAX].values)


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, batches):
    cache, asked = ActivationCache(tmp_path), pictures(11)
    whole = extract_pictures(
        ToyEncoder(), asked, load_picture=draw, readings=[MEAN, MAX], batch_size=3
    )
    with pytest.raises(KeyboardInterrupt):
        extract_pictures(
            CountingEncoder(stop_after=batches),
            asked,
            load_picture=draw,
            readings=[MEAN, MAX],
            cache=cache,
            batch_size=3,
        )
    encoder = CountingEncoder()

    out = extract_pictures(
        encoder, asked, load_picture=draw, readings=[MEAN, MAX], cache=cache, batch_size=3
    )

    assert encoder.pictures == 11 - 3 * batches
    np.testing.assert_array_equal(out.embeddings.values, whole.embeddings.values)
    for reading in (MEAN, MAX):
        np.testing.assert_array_equal(out.units[reading].values, whole.units[reading].values)


def test_an_interruption_between_two_writes_of_a_batch_loses_only_that_batch(tmp_path, monkeypatch):
    from probes import cache as module

    cache, asked, real, calls = ActivationCache(tmp_path), pictures(6), module.write_atomically, []

    def stop_at_the_seventh(path, content):
        calls.append(path)
        if len(calls) == 7:
            raise KeyboardInterrupt
        real(path, content)

    options = {"load_picture": draw, "readings": [MEAN, MAX], "cache": cache, "batch_size": 2}
    monkeypatch.setattr(module, "write_atomically", stop_at_the_seventh)
    with pytest.raises(KeyboardInterrupt):
        extract_pictures(ToyEncoder(), asked, **options)
    monkeypatch.setattr(module, "write_atomically", real)
    encoder = CountingEncoder()

    out = extract_pictures(encoder, asked, **options)

    assert encoder.pictures == 4
    np.testing.assert_array_equal(
        out.units[MAX].values,
        ToyEncoder().encode_pictures([draw(one) for one in asked], [MAX]).units[MAX],
    )


KILLED = """
import os, signal, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from test_extract import ActivationCache, ToyEncoder, extract_texts, words

class Killed(ToyEncoder):
    left = 3
    def encode_texts(self, texts):
        Killed.left -= 1
        if Killed.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode_texts(texts)

asked = words(*(f"word {{i}}" for i in range(20)))
extract_texts(Killed(), asked, cache=ActivationCache(Path(sys.argv[1])), batch_size=4)
"""


def test_a_killed_process_loses_only_the_batch_it_was_at(tmp_path):
    script = KILLED.format(paths=[str(Path(__file__).parent), *sys.path])
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)]).returncode == -9
    asked = words(*(f"word {i}" for i in range(20)))

    out = extract_texts(CountingEncoder(), asked, cache=ActivationCache(tmp_path), batch_size=4)

    assert (out.reused, out.encoded) == (12, 8)
    np.testing.assert_array_equal(
        out.embeddings.values, ToyEncoder().encode_texts([one.content for one in asked])
    )


def broken_at(*indices: int):
    def load(one: Stimulus) -> Image.Image:
        if int(one.content.split()[1]) in indices:
            raise PictureError("truncated file")
        return draw(one)

    return load


def test_a_bad_picture_is_counted_and_named_and_the_others_keep_their_rows():
    asked = pictures(10)

    out = extract_pictures(
        ToyEncoder(), asked, load_picture=broken_at(4), max_bad_fraction=0.1, batch_size=3
    )

    assert out.kept == (0, 1, 2, 3, 5, 6, 7, 8, 9)
    assert [(one.content, one.reason) for one in out.bad] == [("picture 4", "truncated file")]
    assert out.encoded == 9
    assert out.embeddings.stimuli[4] == asked[5].id


def test_a_whole_batch_of_bad_pictures_is_no_trouble_below_the_threshold():
    out = extract_pictures(
        ToyEncoder(), pictures(4), load_picture=broken_at(0, 1), max_bad_fraction=0.5, batch_size=2
    )

    assert out.kept == (2, 3)


def test_too_many_bad_pictures_stop_the_run_and_name_the_first_three(tmp_path):
    cache = ActivationCache(tmp_path)

    named = r"picture 5.*picture 6.*picture 7.*; repair"
    with pytest.raises(ExtractionError, match=named) as caught:
        extract_pictures(
            ToyEncoder(),
            pictures(40),
            load_picture=broken_at(5, 6, 7, 8),
            cache=cache,
            batch_size=4,
        )

    assert "picture 4" not in str(caught.value)
    assert extract_pictures(ToyEncoder(), pictures(4), load_picture=draw, cache=cache).reused == 4


def test_a_response_that_is_not_a_number_names_layer_and_stimulus():
    with pytest.raises(ExtractionError, match=r"toy\.colours:preact-max.*'picture 1'"):
        extract_pictures(NaNEncoder(), pictures(3), load_picture=draw, readings=[MEAN, MAX])


def test_a_layer_or_pooling_that_the_model_lacks_is_refused():
    with pytest.raises(ModelNameError, match=r"did you mean 'toy\.colours'"):
        extract_pictures(
            ToyEncoder(),
            pictures(1),
            load_picture=draw,
            readings=[Reading(layer="toy.colour", pooling=Pooling.CLS)],
        )
    with pytest.raises(ModelNameError, match="got 'cls'"):
        extract_pictures(
            ToyEncoder(),
            pictures(1),
            load_picture=draw,
            readings=[Reading(layer=LAYER.name, pooling=Pooling.CLS)],
        )


def test_a_picture_is_not_taken_for_a_text():
    with pytest.raises(ExtractionError, match="Expected stimuli of the kind text"):
        extract_texts(ToyEncoder(), pictures(1))


def test_progress_off_a_terminal_is_plain_lines_with_rate_and_time_left():
    stream, seconds = io.StringIO(), iter(range(0, 1000, 6))
    progress = TerminalProgress(stream, clock=lambda: float(next(seconds)))

    extract_texts(ToyEncoder(), words(*"abcdefgh"), progress=progress, batch_size=2)

    lines = stream.getvalue().splitlines()
    assert "s left" in lines[0]
    assert lines[0].startswith("texts: ")
    assert lines[-1].startswith("texts: 8 of 8, ")


def test_progress_on_a_terminal_is_a_bar():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()

    extract_texts(ToyEncoder(), words(*"abcdefgh"), progress=TerminalProgress(stream), batch_size=2)

    assert "texts: " in stream.getvalue()
    assert "\r" in stream.getvalue()


def test_a_reading_is_written_as_layer_and_pooling():
    layers = ToyEncoder().layers

    assert parse_reading("toy.colours", layers) == default_reading(layers) == MEAN
    assert parse_reading("toy.colours:preact-max", layers) == MAX
    assert default_reading(()) is None
    with pytest.raises(ModelNameError, match=r"did you mean 'toy\.colours'"):
        parse_reading("visual.layer4.2", layers)
    with pytest.raises(ModelNameError, match="preact-mean, preact-max, relu-mean; got 'mean'"):
        parse_reading("toy.colours:mean", layers)
