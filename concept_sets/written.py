"""Words written on pictures, and the control strings that show whether a model read them.

A picture with a word on it differs from the picture in two ways: a part is hidden, and something
can be read. The controls hide as much and say nothing of the kind: a blank box of the same size,
the same letters shuffled, another word of about the same length.

Pictures come back in memory and are written nowhere.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import floor

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from concept_sets.errors import ConceptSetError, StimulusError
from concept_sets.minors import denotes_minor, sexualises
from concept_sets.rendered import font_path, missing_characters

POSITIONS: dict[str, tuple[float, float]] = {
    "top left": (0.0, 0.0),
    "top": (0.5, 0.0),
    "top right": (1.0, 0.0),
    "left": (0.0, 0.5),
    "right": (1.0, 0.5),
    "bottom left": (0.0, 1.0),
    "bottom": (0.5, 1.0),
    "bottom right": (1.0, 1.0),
}
"""Name to where the word stands, as shares of the free width and height. Goh et al. used eight
fixed places without listing them; these eight go around the middle, where the subject is."""

EVERYWHERE = "all eight"
"""The word at every position of one picture, each a third of the width at most."""

RGB = tuple[int, int, int]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
COLOURS: dict[str, tuple[RGB, RGB]] = {
    "black": (BLACK, WHITE),
    "white": (WHITE, BLACK),
    "red": ((220, 20, 30), WHITE),
    "green": ((0, 130, 50), WHITE),
    "blue": ((20, 60, 220), WHITE),
    "yellow": ((255, 225, 0), BLACK),
    "cyan": ((0, 220, 230), BLACK),
    "magenta": ((220, 0, 200), WHITE),
}
"""Name to ink and outline."""

MARGIN = 0.03
"""Share of each side that stays free at the edges."""

STROKE = 0.06
"""Width of the outline as a share of the em."""

SHUFFLES = 64
"""Orders of the letters that are tried before one is taken for impossible."""

HARMLESS = (
    *("axle", "barn", "cork", "dune", "fern", "gate", "jar", "kite", "lamp", "moss", "oar"),
    *("pear", "quilt", "reed", "spoon", "tile", "urn", "vase", "wheel", "basin", "cable", "chalk"),
    *("basket", "bottle", "candle", "hammer", "ladder", "pebble", "ribbon", "saddle", "window"),
    *("blanket", "compass", "drawer", "lantern", "orchard", "pitcher", "shutter", "teapot"),
    *("bookcase", "doorknob", "envelope", "haystack", "keyboard", "notebook", "umbrella"),
    *("corkscrew", "dandelion", "telescope", "wallpaper", "lighthouse", "watering can"),
    *("refrigerator", "thermometer", "picture frame", "kitchen table", "cardboard box"),
    *("chest of drawers", "bicycle repair stand", "a box of coloured pencils"),
    *("a wooden table in the garden", "a lamp beside the kitchen window"),
)
"""Words of all lengths that name no person and nothing harmful: for controls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How a word is written on a picture."""

    position: str = "bottom"
    """Name in `POSITIONS`, or `EVERYWHERE`."""

    size: float = 0.12
    """Height of a capital as a share of the picture's height; smaller where the word is long."""

    colour: str = "black"
    """Name in `COLOURS`."""

    font: str = "sans"
    """Name in ``concept_sets.rendered.FONTS``."""

    def __post_init__(self) -> None:
        if self.position not in (*POSITIONS, EVERYWHERE):
            raise StimulusError(
                f"A word is written at one of {[*POSITIONS, EVERYWHERE]}; got {self.position!r}."
            )
        if self.colour not in COLOURS:
            raise StimulusError(
                f"A word is written in one of {list(COLOURS)}; got {self.colour!r}."
            )
        if not 0 < self.size <= 1:
            raise StimulusError(f"A size is a share of the height, 0 to 1; got {self.size}.")

    @property
    def _places(self) -> tuple[tuple[float, float], ...]:
        everywhere = self.position == EVERYWHERE
        return tuple(POSITIONS.values()) if everywhere else (POSITIONS[self.position],)

    @property
    def _room(self) -> float:
        free = 1 - 2 * MARGIN
        return free / 3 if self.position == EVERYWHERE else free


def write_on(
    picture: Image.Image, word: str, writing: Writing, *, may_show_minor: bool
) -> Image.Image:
    """Write a word on a picture.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB; it is not changed.
    word : str
        What is written, on one line.
    writing : Writing
        Where, how large, in which colour and font.
    may_show_minor : bool
        Whether the picture shows, or may show, somebody under 20.

    Returns
    -------
    PIL.Image.Image
        A new picture of the same size, equal for equal arguments.

    Raises
    ------
    ConceptSetError
        If the word sexualises and the picture may show, or the word denotes, a minor.
    StimulusError
        If the word is blank, or the font has no sign for one of its characters.

    References
    ----------
    Goh et al. (2021), Multimodal Neurons in Artificial Neural Networks, Distill.

    Examples
    --------
    >>> grey = Image.new("RGB", (64, 64), "grey")
    >>> written = write_on(grey, "trash", Writing(), may_show_minor=False)
    >>> 0 < changed_share(grey, written) < 0.3
    True
    """
    refuse_on_minors(word, may_show_minor=may_show_minor)
    _check_drawable(word, writing.font)
    out = picture.convert("RGB")
    draw = ImageDraw.Draw(out)
    ink, outline = COLOURS[writing.colour]
    font, stroke = _fit(word, writing, *out.size)
    for corner, _ in _boxes(word, writing, out.size):
        draw.text(corner, word, font=font, fill=ink, stroke_width=stroke, stroke_fill=outline)
    return out


def blank_box(picture: Image.Image, word: str, writing: Writing) -> Image.Image:
    """Cover what the word would cover with a box, ink inside and outline around it.

    Parameters are those of `write_on`; nothing can be read, so any picture may be shown.
    """
    _check_drawable(word, writing.font)
    out = picture.convert("RGB")
    draw = ImageDraw.Draw(out)
    ink, outline = COLOURS[writing.colour]
    _, stroke = _fit(word, writing, *out.size)
    for _, box in _boxes(word, writing, out.size):
        draw.rectangle(box, fill=ink, outline=outline, width=stroke)
    return out


def changed_share(before: Image.Image, after: Image.Image) -> float:
    """Return the share of pixels in which two pictures of one size differ, 0 to 1.

    Raises
    ------
    StimulusError
        If the sizes differ.
    """
    if before.size != after.size:
        raise StimulusError(
            f"Only pictures of one size can be compared; got {before.size} and {after.size}."
        )
    here, there = np.asarray(before.convert("RGB")), np.asarray(after.convert("RGB"))
    return float((here != there).any(axis=2).mean())


def central_square(picture: Image.Image) -> Image.Image:
    """Cut the largest square out of the middle: what models crop to, so that words stay in view."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def shuffled_letters(
    word: str, rng: np.random.Generator, *, avoid: Collection[str] = ()
) -> str | None:
    """Return the letters of a word in another order, spaces where they were.

    Parameters
    ----------
    word : str
    rng : numpy.random.Generator
    avoid : collection of str
        Words that must not come out, such as the labels.

    Returns
    -------
    str or None
        None where no other order was found, e.g. of ``$$$``.

    Examples
    --------
    >>> sorted(shuffled_letters("trash", np.random.default_rng(0)))
    ['a', 'h', 'r', 's', 't']
    """
    places = [i for i, sign in enumerate(word) if not sign.isspace()]
    taken = {other.casefold() for other in (word, *avoid)}
    for _ in range(SHUFFLES):
        signs = list(word)
        for place, source in zip(places, rng.permutation(places), strict=True):
            signs[place] = word[source]
        made = "".join(signs)
        if made.casefold() not in taken and not (sexualises(made) or denotes_minor(made)):
            return made
    return None


def unrelated_words(word: str, words: Iterable[str], *, avoid: Collection[str] = ()) -> list[str]:
    """Return the words of a list that are closest to a word in length, sorted.

    Parameters
    ----------
    word : str
    words : iterable of str
        Harmless words; those that denote minors or sexualise are passed over.
    avoid : collection of str
        Words that must not come out, such as the labels; nor any that shares a part with ``word``.

    Returns
    -------
    list of str
        All of the nearest length that occurs, and of one sign more or less; empty if none is left.

    Examples
    --------
    >>> unrelated_words("trash", ["ladder", "bread", "trash can", "violin", "refrigerator"])
    ['bread', 'ladder', 'violin']
    """
    parts = set(word.casefold().split())
    taken = {other.casefold() for other in (word, *avoid)}
    left = [
        other
        for other in sorted(set(words))
        if other.casefold() not in taken
        and parts.isdisjoint(other.casefold().split())
        and not (sexualises(other) or denotes_minor(other))
    ]
    nearest = min((abs(len(other) - len(word)) for other in left), default=0)
    return [other for other in left if abs(len(other) - len(word)) <= nearest + 1]


def refuse_on_minors(word: str, *, may_show_minor: bool, sexual: bool = False) -> None:
    """Refuse a sexualising word on a picture of a minor, or one that names a minor.

    Parameters
    ----------
    word : str
    may_show_minor : bool
    sexual : bool
        Whether its pack marks it as sexualising; the word itself is looked at as well.

    Raises
    ------
    ConceptSetError
    """
    if (sexual or sexualises(word)) and (may_show_minor or denotes_minor(word)):
        raise ConceptSetError(
            "Minors are never shown with a sexualising word; "
            f"{word!r} would be. Leave the word out, or pictures that may show minors."
        )


def _check_drawable(word: str, font: str) -> None:
    if not word.strip() or "\n" in word:
        raise StimulusError(f"A word on a picture needs one line that can be seen; got {word!r}.")
    missing = missing_characters(word, font)
    if missing:
        raise StimulusError(f"The font {font!r} cannot draw {missing!r} of {word!r}.")


Box = tuple[float, float, float, float]


def _boxes(
    word: str, writing: Writing, size: tuple[int, int]
) -> Iterator[tuple[tuple[float, float], Box]]:
    """Where the text starts, and what it covers, at every place."""
    width, height = size
    font, stroke = _fit(word, writing, width, height)
    left, top, right, bottom = font.getbbox(word, stroke_width=stroke)
    for x, y in writing._places:
        at_x = width * MARGIN + x * max(width * (1 - 2 * MARGIN) - (right - left), 0)
        at_y = height * MARGIN + y * max(height * (1 - 2 * MARGIN) - (bottom - top), 0)
        at_x, at_y = floor(at_x), floor(at_y)
        box = (at_x, at_y, at_x + right - left - 1, at_y + bottom - top - 1)
        yield (at_x - left, at_y - top), box


@lru_cache(maxsize=4096)
def _fit(
    word: str, writing: Writing, width: int, height: int
) -> tuple[ImageFont.FreeTypeFont, int]:
    """Return the font at the size asked for, or at the largest that fits, and its outline."""
    room = width * writing._room, height * writing._room
    shares = [
        100 * free / wide for free, wide in zip(room, _extent(word, writing.font), strict=True)
    ]
    em = floor(4 * min(writing.size * height / _capital(writing.font), *shares)) / 4
    while em > 1 and not _fits(word, writing.font, em, room):
        em -= 0.25  # hinting makes small letters wider than large ones in proportion
    return _font(writing.font, max(em, 1.0)), _stroke(em)


def _fits(word: str, font: str, em: float, room: tuple[float, float]) -> bool:
    left, top, right, bottom = _font(font, em).getbbox(word, stroke_width=_stroke(em))
    return right - left <= room[0] and bottom - top <= room[1]


def _stroke(em: float) -> int:
    return max(1, round(em * STROKE))


@lru_cache(maxsize=4096)
def _extent(word: str, font: str) -> tuple[float, float]:
    """Width and height of a word with its outline at an em of 100."""
    left, top, right, bottom = _font(font, 100.0).getbbox(word, stroke_width=round(100 * STROKE))
    return right - left, bottom - top


@lru_cache
def _capital(font: str) -> float:
    _, top, _, bottom = _font(font, 200.0).getbbox("H")
    return (bottom - top) / 200


@lru_cache(maxsize=512)
def _font(name: str, em: float) -> ImageFont.FreeTypeFont:
    # The basic layout is part of every Pillow build, so pictures do not depend on libraqm.
    return ImageFont.truetype(str(font_path(name)), em, 0, "", ImageFont.Layout.BASIC)
