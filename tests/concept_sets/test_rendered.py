"""Words are drawn whole, dark on white, the same way every time."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from concept_sets.concept import Concept, PartOfSpeech, Role, Status, Term, Visibility
from concept_sets.errors import StimulusError
from concept_sets.rendered import (
    DEFAULT_RENDERINGS,
    FONTS,
    draw_word,
    font_path,
    missing_characters,
    rendered_words,
)
from concept_sets.stimulus import Modality, Rendering

LATIN = ["sans", "serif", "hand"]


def concept(*surfaces):
    terms = tuple(
        Term(
            surface=surface,
            pos=PartOfSpeech.NOUN,
            status=Status.CURRENT,
            visible=Visibility.YES,
            sources=("usage",),
        )
        for surface in surfaces
    )
    return Concept(id="c", name="C", family="f", role=Role.IDENTITY, terms=terms)


def ink(word, rendering, side):
    return 255 - np.asarray(draw_word(word, rendering, side=side).convert("L"), dtype=int)


renderings = st.builds(
    Rendering,
    font=st.sampled_from(LATIN),
    size=st.floats(0.02, 1.0),
    x=st.floats(0, 1),
    y=st.floats(0, 1),
)
phrases = st.text("abgjqyMWÅç'- ", min_size=1, max_size=40).filter(lambda text: text.strip(" -'"))


@settings(deadline=None, max_examples=60)
@given(phrases, renderings, st.sampled_from([32, 64, 224]))
@example("MMM", Rendering(font="serif", size=1.0, x=0.0, y=0.0), 32)
def test_a_word_never_touches_the_edge(word, rendering, side):
    dark = ink(word, rendering, side)

    assert dark.shape == (side, side)
    assert dark.any()
    assert not dark[[0, -1], :].any()
    assert not dark[:, [0, -1]].any()


@settings(deadline=None, max_examples=20)
@given(phrases, renderings)
def test_a_word_is_drawn_the_same_way_every_time(word, rendering):
    assert np.array_equal(ink(word, rendering, 64), ink(word, rendering, 64))


@pytest.mark.parametrize("font", LATIN)
def test_letters_have_the_height_that_is_asked_for(font):
    rows = np.flatnonzero(ink("H", Rendering(font=font, size=0.25, x=0.5, y=0.5), 400).any(axis=1))

    assert rows.max() - rows.min() + 1 == pytest.approx(100, abs=3)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_word_stands_where_it_is_put(x, y):
    dark = ink("to", Rendering(font="sans", size=0.1, x=x, y=y), 200)
    rows, columns = np.nonzero(dark)

    assert (columns.mean() > 100) == bool(x)
    assert (rows.mean() > 100) == bool(y)


def test_several_words_wrap_before_they_shrink():
    rendering = Rendering(font="sans", size=0.2, x=0.5, y=0.5)

    assert ink("two men holding hands", rendering, 224).any(axis=1).sum() > 100


@pytest.mark.parametrize("font", LATIN)
def test_accented_latin_letters_can_be_drawn(font):
    assert missing_characters("Māori Sámi Côte d'Ivoire São Paulo Türkiye Bahá'í Métis", font) == ""


def test_a_font_says_which_letters_it_lacks():
    assert missing_characters("a中b国", "sans") == "中国"
    with pytest.raises(StimulusError, match="'sans' cannot draw '中' of '中'"):
        draw_word("中", Rendering(font="sans", size=0.2, x=0, y=0), side=64)


def test_an_unknown_font_is_refused_with_the_known_ones():
    with pytest.raises(StimulusError, match=r"one of the fonts \['cjk', 'hand', .*got 'comic'"):
        font_path("comic")


def test_a_font_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(FONTS, "gone", ("font_that_is_gone", "files/Gone.ttf"))

    with pytest.raises(StimulusError, match="install the Python package font-that-is-gone"):
        font_path("gone")


@pytest.mark.parametrize("word", ["", "  "])
def test_a_blank_word_is_refused(word):
    with pytest.raises(StimulusError, match="needs a visible character"):
        draw_word(word, DEFAULT_RENDERINGS["hand_medium_top"], side=64)


def test_the_default_renderings_vary_font_size_and_place():
    drawn = DEFAULT_RENDERINGS.values()

    assert 6 <= len(drawn) <= 9
    assert {rendering.font for rendering in drawn} == set(LATIN)
    assert len({rendering.size for rendering in drawn}) == 3
    assert len({(rendering.x, rendering.y) for rendering in drawn}) >= 5


def test_stimuli_come_term_by_term_and_rendering_by_rendering():
    words = rendered_words(concept("nurse", "doctor"))

    assert [word.cluster for word in words] == ["nurse"] * 9 + ["doctor"] * 9
    assert [word.template for word in words] == list(DEFAULT_RENDERINGS) * 2
    assert {word.modality for word in words} == {Modality.RENDERED}
    assert len({word.digest for word in words}) == 18


def test_the_address_is_that_of_the_picture_and_not_of_the_name():
    one = Rendering(font="sans", size=0.2, x=0, y=0)
    (first,) = rendered_words(concept("nurse"), renderings={"a": one})
    (other,) = rendered_words(concept("nurse"), renderings={"b": one})
    (moved,) = rendered_words(
        concept("nurse"), renderings={"a": Rendering(font="sans", size=0.2, x=0, y=0.5)}
    )

    assert first.digest == other.digest
    assert first.digest != moved.digest


def test_a_word_that_no_font_can_draw_is_refused_by_name():
    with pytest.raises(StimulusError, match=r"'中文' of concept 'f/c'; tried \['hand', 'sans', "):
        rendered_words(concept("nurse", "中文"))


def test_renderings_that_lack_a_letter_are_left_out_for_that_word(monkeypatch):
    monkeypatch.setattr(
        "concept_sets.rendered.missing_characters",
        lambda word, font: "q" if font == "hand" and word == "queen" else "",
    )
    words = rendered_words(concept("queen", "nurse"))

    assert sum(word.cluster == "queen" for word in words) == 6
    assert sum(word.cluster == "nurse" for word in words) == 9
