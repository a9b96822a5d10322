"""Pictures on pages of units: what may be shown, how, and that nothing else goes into a file."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from audit.unit_pictures import (
    BLURRED_SIDE,
    HARSH,
    NEGATIVE,
    OFF,
    POSITIVE,
    SEXUAL,
    YOUNG,
    Care,
    jpeg,
    overlay,
    seen_part,
    small,
)
from concept_sets.stimulus import Modality, Rendering, Stimulus
from probes.examples import Box

WHOLE = Box(left=0, top=0, right=64, bottom=64)


def care(people="shown"):
    return Care(
        people=people,
        things=frozenset({"things/kettle"}),
        sexual=frozenset({"lewdness"}),
        harsh=("grolk", "mud eater"),
    )


def photo(concept="peoples/trenol", groups=()):
    return Stimulus(
        modality=Modality.PHOTO, content="a.png", concept=concept, cluster="c", template="",
        digest="", groups=groups,
    )  # fmt: skip


def word(content):
    return Stimulus(
        modality=Modality.RENDERED, content=content, concept="x/y", cluster=content,
        template="r", digest="", rendering=Rendering(font="sans", size=0.2, x=0, y=0),
    )  # fmt: skip


def withheld(stimulus, people="shown", *, may_be_minor=False, sexualises=False):
    return care(people).withheld(stimulus, may_be_minor=may_be_minor, sexualises=sexualises)


def checkers(side=64):
    board = np.indices((side, side)).sum(axis=0) % 2 * 255
    return Image.fromarray(np.repeat(board[..., None], 3, axis=2).astype(np.uint8))


def test_photos_of_people_are_shown_only_where_the_plan_shows_them():
    assert withheld(photo(), "off") == OFF
    assert withheld(photo(), "blurred") == ""
    assert withheld(photo(), "shown") == ""


@pytest.mark.parametrize(
    "stimulus",
    [photo("jobs/nurse"), photo(""), photo("things/kettle", (("age", "40"),)), photo("menace")],
)
def test_whatever_may_show_a_person_counts_as_a_photo_of_people(stimulus):
    assert withheld(stimulus, "off") == OFF


def test_things_and_words_are_shown_whatever_the_plan_says_of_people():
    assert withheld(photo("things/kettle"), "off") == ""
    assert withheld(word("kettle"), "off") == ""


@pytest.mark.parametrize("content", ["grolk", "Grolk", "a mud eater", "grolk-like"])
def test_words_that_reports_mask_are_never_drawn(content):
    assert withheld(word(content)) == HARSH


def test_a_word_that_only_contains_the_letters_of_a_masked_one_is_drawn():
    assert withheld(word("grolkery")) == ""


def test_a_picture_of_minors_is_never_shown_where_a_harm_sexualises():
    assert withheld(photo(), may_be_minor=True, sexualises=True) == YOUNG
    assert withheld(word("girl"), may_be_minor=True, sexualises=True) == YOUNG
    assert withheld(photo(), may_be_minor=True) == ""
    assert withheld(photo(), sexualises=True) == ""


def test_pictures_of_what_sexualises_are_never_shown():
    assert withheld(photo("lewdness")) == SEXUAL


def test_the_file_holds_pixels_and_no_comment_profile_or_camera():
    stream = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "somebody's name"
    Image.new("RGB", (32, 32), "red").save(
        stream, format="JPEG", comment=b"somebody's name", exif=exif, icc_profile=b"somebody"
    )
    brought = Image.open(BytesIO(stream.getvalue()))

    made = jpeg(brought)

    assert b"somebody" in stream.getvalue()
    assert b"somebody" not in made
    assert made == jpeg(Image.new("RGB", (32, 32), brought.getpixel((3, 3))))


def test_a_blurred_picture_keeps_no_detail_and_its_size():
    sharp, blurred = small(checkers(), WHOLE), small(checkers(), WHOLE, blurred=True)
    face = Image.new("RGB", (64, 64), "white")
    face.paste("black", (32, 0, 64, 64))
    halves = np.asarray(small(face, WHOLE, blurred=True), dtype=float)[32, :, 0]

    assert blurred.size == sharp.size == (64, 64)
    assert np.asarray(sharp, dtype=float).std() > 100
    assert np.asarray(blurred, dtype=float).std() < 2
    assert abs(np.diff(halves)).max() < 255 / (64 / BLURRED_SIDE)


def test_large_pictures_are_made_small_and_small_ones_stay():
    assert small(Image.new("RGB", (900, 300)), Box(left=0, top=0, right=900, bottom=300)).size == (
        112,
        37,
    )
    assert small(Image.new("RGB", (64, 64)), WHOLE).size == (64, 64)


def test_contributions_tint_a_grey_picture_and_zero_leaves_it_grey():
    parts = np.array([[1.0, -1.0], [0.0, 0.5]])
    shown = np.asarray(overlay(Image.new("RGB", (20, 20), (90, 10, 10)), parts))
    adds, takes, nothing, half = shown[5, 5], shown[5, 15], shown[15, 5], shown[15, 15]
    grey = np.asarray(Image.new("RGB", (1, 1), (90, 10, 10)).convert("L"))[0, 0]

    assert nothing.tolist() == [grey] * 3
    np.testing.assert_allclose(adds, 0.2 * grey + 0.8 * np.array(POSITIVE), atol=1)
    np.testing.assert_allclose(takes, 0.2 * grey + 0.8 * np.array(NEGATIVE), atol=1)
    np.testing.assert_allclose(half, 0.6 * grey + 0.4 * np.array(POSITIVE), atol=1)


def test_a_map_of_zeros_leaves_the_picture_grey():
    shown = np.asarray(overlay(checkers(), np.zeros((2, 2))))

    assert (shown[..., :2] == shown[..., 1:]).all()


def test_what_the_model_saw_is_the_middle_unless_it_squashes():
    shortest = '{"resize_mode": "shortest"}'

    assert seen_part((100, 60), shortest) == Box(left=20, top=0, right=80, bottom=60)
    assert seen_part((100, 60), '{"resize_mode": "squash"}').right == 100
