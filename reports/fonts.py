"""The two type families, carried by the report itself so that no system font decides its look."""

import base64
import ctypes
import io
import shutil
from ctypes.util import find_library
from functools import cache
from pathlib import Path

import font_roboto
import font_source_serif_pro
from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from reports.errors import ReportError

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

HAN_SERIF = ("Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", "STSong", "SimSun")
HAN_SANS = ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei")
"""Families with Han characters that systems bring; they are too large for a report to carry."""

HAN_LANGUAGES = {"zh": "zh-cn"}
"""Languages written in Han characters, by the first part of their tag, as fontconfig names them."""

INSTALL_HAN = {
    "apt-get": "sudo apt-get install fonts-noto-cjk",
    "dnf": "sudo dnf install google-noto-sans-cjk-fonts google-noto-serif-cjk-fonts",
    "brew": "brew install font-noto-sans-cjk-sc font-noto-serif-cjk-sc",
}
"""Package tool to the command that brings such a font."""


@cache
def full_faces() -> str:
    """Return ``@font-face`` rules with whole fonts, for the paged edition, which trims them."""
    rules = (
        _rule(family, _whole(folder, name), weight, "truetype")
        for family, folder, name, weight in _files()
    )
    return "\n".join([*rules, han_stacks()])


@cache
def small_faces() -> str:
    """Return ``@font-face`` rules with the common characters only, for the single page."""
    rules = (
        _rule(family, _trimmed(folder, name), weight, "woff2")
        for family, folder, name, weight in _files()
    )
    return "\n".join([*rules, han_stacks()])


def han_stacks() -> str:
    """Return rules that put system fonts with Han characters after our own, for such languages."""
    serif, sans = (",".join(f"'{name}'" for name in names) for names in (HAN_SERIF, HAN_SANS))
    return "\n".join(
        f":lang({language}){{--serif:'{SERIF}',{serif},serif;--sans:'{SANS}',{sans},sans-serif}}"
        for language in HAN_LANGUAGES
    )


def check_han(language: str) -> None:
    """Make sure that pages in this language can be set: a letter without a font would be a box.

    Parameters
    ----------
    language : str
        As in HTML. Nothing is looked for where it is not written in Han characters.

    Raises
    ------
    ReportError
        If no font of the system has them; the message has the command that installs one.
    """
    tag = HAN_LANGUAGES.get(language.partition("-")[0])
    if tag is None or has_font(tag):
        return
    known = [command for tool, command in INSTALL_HAN.items() if shutil.which(tool)]
    raise ReportError(
        f"A PDF in {language} needs a font with Han characters; this system has none. Run: "
        f"{known[0] if known else ' or '.join(INSTALL_HAN.values())}, or ask for HTML, which uses "
        "the fonts of whoever reads it."
    )


class _FontSet(ctypes.Structure):
    """What fontconfig returns: how many fonts there are comes first."""

    _fields_ = (("count", ctypes.c_int),)


def has_font(tag: str) -> bool:
    """Ask fontconfig, which also chooses the fonts of the pages, for a font of a language."""
    try:
        fontconfig = ctypes.CDLL(find_library("fontconfig") or "libfontconfig.so.1")
    except OSError:
        return False
    fontconfig.FcNameParse.restype = fontconfig.FcObjectSetBuild.restype = ctypes.c_void_p
    fontconfig.FcFontList.restype = ctypes.POINTER(_FontSet)
    wanted = ctypes.c_void_p(fontconfig.FcNameParse(f":lang={tag}".encode()))
    told = ctypes.c_void_p(fontconfig.FcObjectSetBuild(b"family", None))
    found = fontconfig.FcFontList(None, wanted, told)
    return bool(found) and int(found.contents.count) > 0


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
