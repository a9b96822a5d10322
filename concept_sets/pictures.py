"""Stimuli as pictures: files and archive members are opened with care, words are drawn."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from threading import Lock

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from concept_sets.errors import PictureError, StimulusError
from concept_sets.manifest import PARQUET
from concept_sets.parquet_shards import read_picture
from concept_sets.photos import MEMBER_MARK
from concept_sets.rendered import draw_word
from concept_sets.stimulus import Modality, Stimulus
from concept_sets.tar_shards import MAX_MEMBER_BYTES, read_member

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
"""What is decoded; of animations the first frame."""

MAX_PIXELS = 50_000_000
RENDERED_SIDE = 224

DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError),
    *(ZeroDivisionError, NotImplementedError, MemoryError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
"""What Pillow raises on damaged files."""


def load_picture(
    stimulus: Stimulus, *, size: int | None = None, root: Path | None = None
) -> Image.Image:
    """Open or draw what a stimulus shows.

    Parameters
    ----------
    stimulus : Stimulus
        A photo or a rendered word.
    size : int, optional
        Side in pixels at which words are drawn, 224 by default; photos keep their own size.
    root : Path, optional
        Folder that relative paths start from.

    Returns
    -------
    PIL.Image.Image
        RGB picture, turned upright by its EXIF orientation.

    Raises
    ------
    PictureError
        If the picture is missing, cut off, damaged, larger than 50 million pixels, of another
        format than JPEG, PNG, WebP or GIF, or no longer the one that was listed.
    """
    if stimulus.modality is Modality.TEXT:
        raise PictureError(f"A text prompt has no picture; got {stimulus.content!r}.")
    if stimulus.modality is Modality.RENDERED:
        return _drawn(stimulus, size or RENDERED_SIDE)
    data = _bytes(stimulus.content, root or Path())
    if stimulus.digest and sha256(data).hexdigest() != stimulus.digest:
        raise PictureError(f"{_name(stimulus)}: has changed since it was listed; list it again.")
    try:
        return decode(data)
    except PictureError as error:
        raise PictureError(f"{_name(stimulus)}: {error}") from error


def decode(data: bytes) -> Image.Image:
    """Decode the bytes of a picture file, as `load_picture` does.

    Raises
    ------
    PictureError
        With the reason, without a name.
    """
    try:
        with _whole_pictures_only(), Image.open(BytesIO(data), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise PictureError(
                    f"must have at most {MAX_PIXELS:,} pixels; has {width} x {height}."
                )
            opened.load()
            return _rgb(ImageOps.exif_transpose(opened))
    except PictureError:
        raise
    except DAMAGE as error:
        raise PictureError(f"cannot be decoded: {_reason(error)}.") from error


@dataclass(slots=True)
class _Strictness:
    """Threads that decode at this moment, and the setting from before the first of them."""

    lock: Lock = field(default_factory=Lock)
    inside: int = 0
    before: bool = False


_STRICT = _Strictness()


@contextmanager
def _whole_pictures_only() -> Iterator[None]:
    """Refuse cut-off pictures, whatever a library set for the whole process.

    WeasyPrint, for one, tells Pillow to accept them as soon as it is imported. The setting belongs
    to the process: the first of several threads changes it, the last one puts it back.
    """
    with _STRICT.lock:
        if not _STRICT.inside:
            _STRICT.before = ImageFile.LOAD_TRUNCATED_IMAGES
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        _STRICT.inside += 1
    try:
        yield
    finally:
        with _STRICT.lock:
            _STRICT.inside -= 1
            if not _STRICT.inside:
                ImageFile.LOAD_TRUNCATED_IMAGES = _STRICT.before


def _drawn(stimulus: Stimulus, side: int) -> Image.Image:
    if stimulus.rendering is None:
        raise PictureError(f"The rendered word {stimulus.content!r} does not say how it is drawn.")
    try:
        return draw_word(stimulus.content, stimulus.rendering, side=side)
    except StimulusError as error:
        raise PictureError(str(error)) from error


def _bytes(content: str, root: Path) -> bytes:
    file, mark, member = content.partition(MEMBER_MARK)
    path = root / file
    try:
        if mark:
            read = read_picture if path.suffix.lower() in PARQUET else read_member
            return read(path, member)
        if path.stat().st_size > MAX_MEMBER_BYTES:
            raise PictureError(f"{path.name}: must be at most 64 MB.")
        return path.read_bytes()
    except KeyError as error:
        raise PictureError(f"{path.name}: has no member {member!r}.") from error
    except StimulusError as error:
        raise PictureError(str(error)) from error
    except PictureError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"{path.name}: cannot be read: {reason}.") from error


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        # A plain conversion would clip 16-bit greys to white.
        picture = picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode == "P":
        picture = picture.convert("RGBA")
    return picture.convert("RGB")


def _name(stimulus: Stimulus) -> str:
    return Path(stimulus.content.replace(MEMBER_MARK, "/")).name


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(FORMATS)}"
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
