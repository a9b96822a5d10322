"""Rendered words: a concept's terms drawn as pictures, for models that read."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from importlib import resources
from importlib.util import find_spec
from math import floor
from pathlib import Path
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont

from concept_sets.concept import Concept
from concept_sets.errors import StimulusError
from concept_sets.stimulus import Modality, Rendering, Stimulus

FONTS: dict[str, tuple[str, str]] = {
    "sans": ("font_roboto", "files/Roboto-Regular.ttf"),
    "serif": ("font_source_serif_pro", "files/SourceSerifPro-Semibold.ttf"),
    "hand": ("font_amatic_sc", "files/AmaticSC-Bold.ttf"),
    "cjk": ("", "NotoSansCJK-Regular.ttc"),
}
"""Font name to the package that carries it and the file in it; no package: a system font."""

SYSTEM_FONT_FOLDERS = (
    Path("/usr/share/fonts/opentype/noto"),
    Path("/usr/share/fonts/noto-cjk"),
    Path("/usr/share/fonts/google-noto-cjk"),
)

DEFAULT_RENDERINGS: dict[str, Rendering] = {
    "sans_large_centre": Rendering(font="sans", size=0.24, x=0.5, y=0.5),
    "sans_medium_top_left": Rendering(font="sans", size=0.16, x=0.1, y=0.15),
    "sans_small_bottom_right": Rendering(font="sans", size=0.11, x=0.9, y=0.85),
    "serif_large_centre": Rendering(font="serif", size=0.24, x=0.5, y=0.5),
    "serif_medium_bottom_left": Rendering(font="serif", size=0.16, x=0.1, y=0.85),
    "serif_small_top_right": Rendering(font="serif", size=0.11, x=0.9, y=0.15),
    "hand_large_centre": Rendering(font="hand", size=0.24, x=0.5, y=0.5),
    "hand_medium_top": Rendering(font="hand", size=0.16, x=0.5, y=0.1),
    "hand_small_bottom": Rendering(font="hand", size=0.11, x=0.5, y=0.9),
}
"""Rendering name, used as the stimulus' template, to how the word is drawn."""

MARGIN = 0.04
"""Share of the side that stays empty at every edge."""

MAX_LINES = 4

UNASSIGNED = "\U0010fffe"
"""No font has this sign, so it is drawn as the box for missing ones."""


def font_path(name: str) -> Path:
    """Find the file of the font called ``name`` in `FONTS`.

    Raises
    ------
    StimulusError
        If no such font is known, or its file is not installed.
    """
    if name not in FONTS:
        raise StimulusError(f"A rendering needs one of the fonts {sorted(FONTS)}; got {name!r}.")
    package, file = FONTS[name]
    if package:
        folders = [Path(str(resources.files(package)))] if find_spec(package) else []
        hint = f"the Python package {package.replace('_', '-')}"
    else:
        folders, hint = list(SYSTEM_FONT_FOLDERS), "the system package fonts-noto-cjk"
    for folder in folders:
        if (folder / file).is_file():
            return folder / file
    raise StimulusError(f"The font {name!r} needs the file {Path(file).name}; install {hint}.")


def draw_word(word: str, rendering: Rendering, *, side: int) -> Image.Image:
    """Draw ``word`` in black on a white square.

    Letters shrink, and several words wrap, where the text would leave the picture.

    Parameters
    ----------
    word : str
        One word or a phrase, at least one visible character.
    rendering : Rendering
        Font, letter height and position.
    side : int
        Width and height of the picture in pixels.

    Returns
    -------
    PIL.Image.Image
        RGB picture of ``side`` x ``side`` pixels.

    Raises
    ------
    StimulusError
        If the word is blank, or the font has no sign for one of its characters.

    Examples
    --------
    >>> draw_word("nurse", DEFAULT_RENDERINGS["sans_large_centre"], side=64).size
    (64, 64)
    """
    if not word.strip():
        raise StimulusError(f"A rendered word needs a visible character; got {word!r}.")
    missing = missing_characters(word, rendering.font)
    if missing:
        raise StimulusError(
            f"The font {rendering.font!r} cannot draw {missing!r} of {word!r}; "
            "choose a rendering with another font."
        )
    picture = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(picture)
    text, font = _fit(word, rendering, side)
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font=font, align="center")
    room = side * (1 - 2 * MARGIN)
    corner = (
        side * MARGIN + rendering.x * max(room - (right - left), 0) - left,
        side * MARGIN + rendering.y * max(room - (bottom - top), 0) - top,
    )
    draw.multiline_text(corner, text, font=font, align="center", fill="black")
    return picture


def missing_characters(word: str, font: str) -> str:
    """Return the characters of ``word`` that the font has no sign for."""
    return "".join(
        sign for sign in dict.fromkeys(word) if not sign.isspace() and not _has_sign(font, sign)
    )


def rendered_words(
    concept: Concept, *, renderings: Mapping[str, Rendering] = DEFAULT_RENDERINGS
) -> tuple[Stimulus, ...]:
    """Make one stimulus per term and rendering.

    Parameters
    ----------
    concept : Concept
        Its term surfaces are what is drawn; each is one cluster.
    renderings : mapping of str to Rendering
        Name, used as the stimulus' template, to font, size and position. Renderings whose
        font lacks a character of the term are left out for that term.

    Returns
    -------
    tuple of Stimulus
        In the order of the terms, then of the renderings.

    Raises
    ------
    StimulusError
        If no font can draw a term.
    """
    return tuple(
        stimulus for term in concept.terms for stimulus in _drawn(concept, term.surface, renderings)
    )


def _drawn(concept: Concept, word: str, renderings: Mapping[str, Rendering]) -> list[Stimulus]:
    stimuli = [
        Stimulus(
            modality=Modality.RENDERED,
            content=word,
            concept=concept.ref,
            cluster=word,
            template=name,
            digest=_digest(word, rendering),
            rendering=rendering,
        )
        for name, rendering in renderings.items()
        if not missing_characters(word, rendering.font)
    ]
    if not stimuli:
        fonts = sorted({rendering.font for rendering in renderings.values()})
        raise StimulusError(
            f"No font of the renderings can draw {word!r} of concept {concept.ref!r}; "
            f"tried {fonts}. Add a rendering with another font, or leave the rendered arm out."
        )
    return stimuli


def _digest(word: str, rendering: Rendering) -> str:
    shown = {"word": word, **asdict(rendering), "file": _font_digest(rendering.font)}
    return sha256(json.dumps(shown, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@lru_cache
def _font_digest(name: str) -> str:
    return sha256(font_path(name).read_bytes()).hexdigest()


@lru_cache(maxsize=4096)
def _has_sign(font: str, sign: str) -> bool:
    loaded = _font(font, 40.0)
    return bytes(loaded.getmask(sign)) != bytes(loaded.getmask(UNASSIGNED))


@lru_cache(maxsize=512)
def _font(name: str, em: float) -> ImageFont.FreeTypeFont:
    # The basic layout is part of every Pillow build, so pictures do not depend on libraqm.
    return ImageFont.truetype(str(font_path(name)), em, layout_engine=ImageFont.Layout.BASIC)


def _fit(word: str, rendering: Rendering, side: int) -> tuple[str, ImageFont.FreeTypeFont]:
    """Choose the line breaks that allow the largest letters, up to the height asked for."""
    room = side * (1 - 2 * MARGIN)
    wanted = rendering.size * side / _letter_height(rendering.font)
    layouts = [(min(wanted, _largest_em(text, rendering.font, room)), text) for text in _wrap(word)]
    em, text = max(layouts, key=lambda layout: layout[0])
    return text, _font(rendering.font, em)


@lru_cache
def _letter_height(font: str) -> float:
    """Height of a capital as a share of the em, so that fonts compare at equal letter height."""
    _, top, _, bottom = _font(font, 200.0).getbbox("H")
    return (bottom - top) / 200


@lru_cache(maxsize=4096)
def _largest_em(text: str, font: str, room: float) -> float:
    """Return the largest em in quarter pixels at which ``text`` fits a square of ``room``."""
    em = floor(4 * 100 * room / max(_extent(text, font, 100.0))) / 4
    # grey letters are hinted otherwise than black ones and may be wider; they may use the margin
    most = room * (1 - MARGIN) / (1 - 2 * MARGIN) - 1
    while em > 1 and (
        max(_extent(text, font, em)) > room or max(_extent(text, font, em, mode="L")) > most
    ):
        em -= 0.25
    return max(em, 1.0)


def _extent(text: str, font: str, em: float, *, mode: str = "1") -> tuple[float, float]:
    draw = ImageDraw.Draw(Image.new(mode, (1, 1)))
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font=_font(font, em))
    return right - left, bottom - top


def _wrap(word: str) -> list[str]:
    """Return the word on one line, then on more lines of about equal length."""
    longest = max(len(part) for part in word.split())
    texts = [
        "\n".join(wrap(word, width, break_long_words=False, break_on_hyphens=True))
        for width in range(len(word), longest - 1, -1)
    ]
    return [text for text in dict.fromkeys(texts) if text.count("\n") < MAX_LINES]
