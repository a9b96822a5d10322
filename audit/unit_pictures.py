"""Which pictures a page of a unit may show, and how they are made small."""

import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from audit.gathered import Gathered
from concept_sets.concept import Role, Status
from concept_sets.minors import concept_sexualises
from concept_sets.stimulus import Modality, Stimulus
from probes.examples import Box, centre_square

LONG_SIDE = 112
QUALITY = 80

MASKED_FROM = 3
"""Severity from which terms of harms are masked in reports."""

THINGS = frozenset({"everyday", "place"})
"""Kinds of control packs whose pictures show no person by what they are of."""

BLURRED_SIDE = 10
"""Pixels on the long side of a photo before it is enlarged again."""

POSITIVE, NEGATIVE = (230, 97, 1), (94, 60, 153)
"""Orange and purple: told apart in every kind of colour vision."""

STRONGEST_TINT = 0.8

HARSH = "terms of harms of severity 3 and up, and contested terms, are not shown as pictures"
YOUNG = "a picture that may show somebody under 20 is never shown where a harm sexualises"
SEXUAL = "pictures of a concept that sexualises are not shown"
OFF = "pictures that show or may show people are off in this plan"
BLURRED = "blurred, since it shows or may show people"

People = Literal["off", "blurred", "shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What may be shown."""

    people: People
    """What the plan says of photos of people."""

    things: frozenset[str]
    """Concepts whose photos show no person by what they are of."""

    sexual: frozenset[str]
    harsh: tuple[str, ...]
    """Terms that reports mask."""

    def withheld(self, stimulus: Stimulus, *, may_be_minor: bool, sexualises: bool) -> str:
        """Say why a picture is not shown; empty where it may be.

        Parameters
        ----------
        stimulus : Stimulus
        may_be_minor : bool
            It denotes, shows or may show somebody under 20.
        sexualises : bool
            The page tells of a harm that sexualises.
        """
        if may_be_minor and sexualises:
            return YOUNG
        if stimulus.modality is Modality.RENDERED:
            return HARSH if self._is_harsh(stimulus.content) else ""
        if stimulus.concept in self.sexual:
            return SEXUAL
        return OFF if self.people == "off" and self.may_show_people(stimulus) else ""

    def may_show_people(self, stimulus: Stimulus) -> bool:
        """Whether a photo shows, or may show, a person: all but things and places do."""
        if stimulus.modality is not Modality.PHOTO:
            return False
        return bool(stimulus.groups) or stimulus.concept not in self.things

    def _is_harsh(self, word: str) -> bool:
        return any(
            re.search(rf"(?<!\w){re.escape(term)}(?!\w)", word, re.IGNORECASE)
            for term in self.harsh
        )


def care_of(gathered: Gathered) -> Care:
    """Return what the plan and the concept sets of an audit allow."""
    concepts = gathered.library.concepts
    harms = [c for c in concepts if c.role is Role.HARM]
    harsh = {
        term.surface
        for concept in harms
        for term in concept.terms
        if max(concept.severity or 0, term.severity or 0) >= MASKED_FROM
    }
    contested = {
        term.surface
        for concept in concepts
        for term in concept.terms
        if term.status is Status.CONTESTED
    }
    return Care(
        people=gathered.plan.units.people,
        things=frozenset(c.ref for c in concepts if c.kind in THINGS),
        sexual=gathered.selection.sexual
        | frozenset(concept.ref for concept in harms if concept_sexualises(concept)),
        harsh=tuple(sorted(harsh | contested)),
    )


def seen_part(size: tuple[int, int], preprocessing: str) -> Box:
    """Return the part of a picture that the model saw: the middle square, or all of it.

    Parameters
    ----------
    size : tuple of int
        Width and height in pixels.
    preprocessing : str
        ``EncoderIdentity.preprocessing``.

    Examples
    --------
    >>> seen_part((100, 60), '{"resize_mode": "squash"}')
    Box(left=0, top=0, right=100, bottom=60)
    """
    if re.search(r"resize_mode\W+(squash|longest)", preprocessing):
        return Box(left=0, top=0, right=size[0], bottom=size[1])
    return centre_square(size)


def small(picture: Image.Image, part: Box, *, blurred: bool = False) -> Image.Image:
    """Cut a part out and make it small; what is blurred is lost for good.

    Examples
    --------
    >>> small(Image.new("RGB", (400, 200)), Box(left=0, top=0, right=400, bottom=200)).size
    (112, 56)
    """
    cut = picture.convert("RGB").crop((part.left, part.top, part.right, part.bottom))
    cut.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    if not blurred:
        return cut
    size = cut.size
    cut.thumbnail((BLURRED_SIDE, BLURRED_SIDE), Image.Resampling.BOX)
    wide = cut.resize(size, Image.Resampling.BICUBIC)
    return wide.filter(ImageFilter.GaussianBlur(max(size) / (2 * BLURRED_SIDE)))


def jpeg(picture: Image.Image) -> bytes:
    """Encode a picture; equal pixels give equal bytes, and nothing but pixels goes in.

    Examples
    --------
    >>> jpeg(Image.new("RGB", (8, 8)))[:2].hex()
    'ffd8'
    """
    # A new picture has none of the comments and profiles that the file may have brought.
    bare, stream = Image.fromarray(np.asarray(picture.convert("RGB"))), io.BytesIO()
    bare.save(stream, format="JPEG", quality=QUALITY, subsampling=2, optimize=False)
    return stream.getvalue()


def overlay(picture: Image.Image, position_map: NDArray[np.floating[Any]]) -> Image.Image:
    """Lay contributions over a grey copy of a picture: orange adds, purple takes away.

    Parameters
    ----------
    picture : PIL.Image.Image
        The part that the model saw.
    position_map : ndarray of shape (height, width)
        Contributions, position by position; 0 leaves no tint, the strongest has the full one. A
        position is drawn as the block that it is: what lies between is not known.

    Returns
    -------
    PIL.Image.Image
        Of the size of ``picture``.
    """
    values = np.asarray(position_map, dtype=np.float32)
    grey = np.asarray(picture.convert("L").convert("RGB"), dtype=np.float64)
    top = float(np.abs(values).max())
    scaled = values / top if top > 0 else np.zeros_like(values)
    wide = Image.fromarray(scaled).resize(picture.size, Image.Resampling.NEAREST)
    heat = np.asarray(wide, dtype=np.float64)[..., None]
    colour = np.where(heat > 0, np.array(POSITIVE), np.array(NEGATIVE))
    tint = STRONGEST_TINT * np.abs(heat).clip(0, 1)
    mixed = grey * (1 - tint) + colour * tint
    return Image.fromarray(mixed.round().clip(0, 255).astype(np.uint8))


def file_name(parts: Collection[str | int]) -> str:
    """Return a name within ``pictures.zip``.

    Examples
    --------
    >>> file_name(["visual.layer4.0", 7, "photo", "top-1"])
    'visual.layer4.0-7-photo-top-1.jpg'
    """
    joined = "-".join(str(part) for part in parts)
    return re.sub(r"[^A-Za-z0-9._-]+", "_", joined) + ".jpg"
