"""The two type families, carried by the report itself so that no system font decides its look."""

import base64
import io
from functools import cache
from pathlib import Path

import font_roboto
import font_source_serif_pro
from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

SERIF, SANS = "Audit Serif", "Audit Sans"

FACES = (
    (SERIF, font_source_serif_pro, "SourceSerifPro-Regular.ttf", 400),
    (SERIF, font_source_serif_pro, "SourceSerifPro-Semibold.ttf", 600),
    (SANS, font_roboto, "Roboto-Regular.ttf", 400),
    (SANS, font_roboto, "Roboto-Medium.ttf", 500),
    (SANS, font_roboto, "Roboto-Bold.ttf", 700),
)
"""Family, package, file and weight of each face."""

COMMON = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),
    *range(0x391, 0x3CA),
    *range(0x2010, 0x2045),
    *(0x20AC, 0x2190, 0x2191, 0x2192, 0x2193, 0x221A, 0x2212, 0x2248, 0x2260, 0x2264, 0x2265),
)
"""Code points that the single page carries; anything else falls back to the reader's fonts."""


@cache
def full_faces() -> str:
    """Return ``@font-face`` rules with whole fonts, for the paged edition, which trims them."""
    return "\n".join(
        _rule(family, _whole(folder, name), weight, "truetype")
        for family, folder, name, weight in _files()
    )


@cache
def small_faces() -> str:
    """Return ``@font-face`` rules with the common characters only, for the single page."""
    return "\n".join(
        _rule(family, _trimmed(folder, name), weight, "woff2")
        for family, folder, name, weight in _files()
    )


def _files() -> list[tuple[str, Path, str, int]]:
    return [
        (family, Path(package.font_directory), name, weight)
        for family, package, name, weight in FACES
    ]


def _rule(family: str, content: bytes, weight: int, form: str) -> str:
    data = base64.b64encode(content).decode()
    return (
        f"@font-face{{font-family:'{family}';font-weight:{weight};font-style:normal;"
        f"src:url(data:font/{form};base64,{data}) format('{form}')}}"
    )


def _whole(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def _trimmed(folder: Path, name: str) -> bytes:
    # Without recalcTimestamp the same fonts give the same bytes in every run.
    font = TTFont(folder / name, recalcTimestamp=False)
    options = Options(flavor="woff2", layout_features=["kern", "liga", "tnum", "mark"])
    subsetter = Subsetter(options=options)
    subsetter.populate(unicodes=COMMON)
    subsetter.subset(font)
    font.flavor = "woff2"
    target = io.BytesIO()
    font.save(target)
    return target.getvalue()
