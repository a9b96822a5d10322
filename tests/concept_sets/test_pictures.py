"""Pictures are decoded with care: upright, RGB, small enough, whole, or refused with a reason."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFile

from concept_sets.errors import PictureError
from concept_sets.pictures import decode, load_picture
from concept_sets.rendered import DEFAULT_RENDERINGS
from concept_sets.stimulus import Modality, Rendering, Stimulus


def stimulus(content, modality=Modality.PHOTO, **more):
    return Stimulus(
        modality=modality,
        content=str(content),
        concept="",
        cluster="",
        template="",
        digest=more.pop("digest", ""),
        **more,
    )


def encoded(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def noise(side=48):
    values = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(values)


def png_header(width, height):
    """Make a PNG that claims a size and holds nothing."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def test_a_library_that_lets_cut_off_pictures_pass_does_not_loosen_our_check(monkeypatch):
    """WeasyPrint sets this for the whole process as soon as it is imported."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole = encoded(noise(), "JPEG")

    with pytest.raises(PictureError, match="cannot be decoded"):
        decode(whole[: len(whole) // 2])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_four_formats_are_read_as_rgb(form):
    picture = decode(encoded(noise(), form))

    assert (picture.mode, picture.size) == ("RGB", (48, 48))


@pytest.mark.parametrize("form", ["BMP", "TIFF", "PPM", "ICO", "PDF", "EPS"])
def test_other_formats_are_not(form):
    with pytest.raises(PictureError, match="it is none of JPEG, PNG, WEBP, GIF"):
        decode(encoded(noise(), form))


def test_a_vector_drawing_is_not_read():
    with pytest.raises(PictureError, match="none of JPEG"):
        decode(b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_colour_mode_becomes_rgb(mode):
    form = "JPEG" if mode == "CMYK" else "PNG"
    if mode == "PA":
        data = encoded(noise().convert("P"), "PNG", transparency=0)
    elif mode == "I;16":
        data = encoded(Image.fromarray(np.full((4, 4), 32768, np.uint16)), "PNG")
    else:
        data = encoded(noise().convert(mode), form)

    assert decode(data).mode == "RGB"


def test_sixteen_bit_greys_keep_their_brightness():
    ramp = np.array([[0, 16384, 32768, 65535]], np.uint16)
    picture = decode(encoded(Image.fromarray(ramp), "PNG"))

    assert np.asarray(picture)[0, :, 0].tolist() == [0, 64, 128, 255]


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_is_turned_upright(turn):
    upright = Image.new("RGB", (32, 16), "black")
    ImageDraw.Draw(upright).rectangle((0, 0, 7, 7), fill="white")
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[turn]) if turn > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turn
    picture = decode(encoded(stored, "PNG", exif=exif))

    assert np.array_equal(np.asarray(picture), np.asarray(upright))


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(form):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    picture = decode(
        encoded(frames[0], form, save_all=True, append_images=frames[1:], lossless=True)
    )

    assert picture.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("width", "height"), [(7072, 7072), (50_000_001, 1), (14_000, 14_000), (2**31 - 1, 2**31 - 1)]
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_before_it_is_decoded(width, height):
    with pytest.raises(PictureError, match=r"at most 50,000,000 pixels|cannot be decoded"):
        decode(png_header(width, height))


def test_endless_text_chunks_are_refused():
    text = zlib.compress(b"x" * 90_000_000)
    body = b"zTXtkey\x00\x00" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    data = encoded(noise(), "PNG")

    with pytest.raises(PictureError, match="cannot be decoded"):
        decode(data[:33] + chunk + data[33:])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("tenth", range(10))
def test_a_picture_cut_anywhere_is_refused(form, tenth):
    data = encoded(noise(), form)

    with pytest.raises(PictureError):
        decode(data[: len(data) * tenth // 10])


WHOLE = {form: encoded(noise(24), form) for form in ("JPEG", "PNG", "WEBP", "GIF")}


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1),
)
@pytest.mark.filterwarnings("ignore")
def test_flipped_bytes_give_a_picture_or_a_reason(form, flips):
    data = bytearray(WHOLE[form])
    for share, value in flips:
        data[int(share * len(data))] = value
    try:
        picture = decode(bytes(data))
    except PictureError:
        return
    assert picture.mode == "RGB"


@given(st.binary(max_size=300))
def test_any_bytes_give_a_picture_or_a_reason(data):
    with pytest.raises(PictureError):
        decode(data)


def test_a_picture_is_named_in_its_error(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")

    with pytest.raises(PictureError, match=r"^broken\.jpg: cannot be decoded"):
        load_picture(stimulus(tmp_path / "broken.jpg"))


def test_a_missing_picture_says_so(tmp_path):
    with pytest.raises(PictureError, match=r"none\.png: cannot be read: No such file"):
        load_picture(stimulus(tmp_path / "none.png"))


def test_a_picture_that_changed_since_it_was_listed_is_refused(tmp_path):
    noise().save(tmp_path / "a.png")

    with pytest.raises(PictureError, match=r"a\.png: has changed since it was listed"):
        load_picture(stimulus(tmp_path / "a.png", digest="0" * 64))


def test_a_relative_path_starts_from_the_root(tmp_path):
    noise().save(tmp_path / "a.png")

    assert load_picture(stimulus("a.png"), root=tmp_path).size == (48, 48)


@pytest.mark.parametrize(("size", "side"), [(None, 224), (64, 64)])
def test_a_rendered_word_is_drawn_at_the_side_that_is_asked_for(size, side):
    word = stimulus("nurse", Modality.RENDERED, rendering=DEFAULT_RENDERINGS["sans_large_centre"])

    assert load_picture(word, size=size).size == (side, side)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (stimulus("nurse", Modality.TEXT), "A text prompt has no picture"),
        (stimulus("nurse", Modality.RENDERED), "does not say how it is drawn"),
        (
            stimulus("中", Modality.RENDERED, rendering=Rendering(font="sans", size=1, x=0, y=0)),
            "cannot draw '中'",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(broken, sentence):
    with pytest.raises(PictureError, match=sentence):
        load_picture(broken)
