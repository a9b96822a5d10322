"""Small pictures beside a result: which of them a report may show, and why not the others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reports.messages import N_, _

MOST_BYTES = 2_400_000
"""Bytes of pictures in one report: as text they grow by a third, and the page stays below 5 MB."""

MOST_PIXELS = 1_024
"""Longest side of a picture; a header that states more is not one of ours."""

START = b"\xff\xd8\xff"
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that state the size of the picture."""

MISSING = N_("the picture is not in pictures.zip")
DAMAGED = N_("the picture's file is damaged")
NO_ROOM = N_("left out to keep this report small; it is in pictures.zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegSize:
    """Size that a JPEG states, in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture, or the reason why its place is empty."""

    alt: str
    """What it is, for somebody who does not see it."""

    content: bytes = b""
    width: int = 0
    height: int = 0
    why: str = ""
    """Empty where there is a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Pictures that a report may show, by name."""

    pictures: Mapping[str, bytes]
    reasons: Mapping[str, str]
    """Why a name has none."""

    def picture(self, name: str, alt: str) -> Picture:
        """Return a picture, or its empty place with the reason."""
        why = self.reasons.get(name, "" if name in self.pictures else MISSING)
        size = None if why else jpeg_size(self.pictures[name])
        if size is None:
            return Picture(alt=alt, why=_(why or DAMAGED))
        return Picture(alt=alt, content=self.pictures[name], width=size.width, height=size.height)


def gallery(
    names: Iterable[str], pictures: Mapping[str, bytes], most_bytes: int = MOST_BYTES
) -> Gallery:
    """Choose what is shown, in the order in which a reader meets it.

    Parameters
    ----------
    names : iterable of str
        One for every place that wants a picture.
    pictures : mapping
        Name to bytes; somebody else may have written both.
    most_bytes : int
        Sum over places; what comes after it is left out.

    Examples
    --------
    >>> shown = gallery(["a", "b"], {"a": b"GIF89a"})
    >>> shown.reasons == {"a": DAMAGED, "b": MISSING}
    True
    """
    reasons: dict[str, str] = {}
    used = 0
    for name, places in Counter(names).items():
        content = pictures.get(name)
        if content is None:
            reasons[name] = MISSING
        elif jpeg_size(content) is None:
            reasons[name] = DAMAGED
        elif used + places * len(content) > most_bytes:
            reasons[name] = NO_ROOM
        else:
            used += places * len(content)
    return Gallery(pictures=pictures, reasons=reasons)


def jpeg_size(content: bytes) -> JpegSize | None:
    """Read the size from the head of a JPEG; None where it is not one that a report shows.

    Grey or colour, 8 bits, at most ``MOST_PIXELS`` a side. Four colours would need a profile that
    archival pages do not carry.

    Examples
    --------
    >>> jpeg_size(b"GIF89a") is None
    True
    """
    if not content.startswith(START):
        return None
    at = 2
    while at + 10 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in FRAMES:
            return _stated(content[at + 4 : at + 10])
        if marker == 0xFF:
            at += 1
            continue
        length = int.from_bytes(content[at + 2 : at + 4])
        if length < 2:
            return None
        at += 2 + length
    return None


def _stated(frame: bytes) -> JpegSize | None:
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    fits = 0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS
    known = frame[0] == 8 and frame[5] in (1, 3)
    return JpegSize(width=width, height=height) if fits and known else None
