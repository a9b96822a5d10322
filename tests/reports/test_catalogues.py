"""Every catalogue: what a translation must keep, and what it must never say."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

import reports
from reports.wording import FORBIDDEN

FOLDER = Path(reports.__file__).parent / "catalogues"
CATALOGUES = sorted(FOLDER.glob("*.po"))

NEVER = {
    "zh-Hans": ("无偏见", "没有偏见", "不存在偏见", "去偏", "合规", "认证", "证明了", "公平得分"),
}
"""By language, what `reports.wording.FORBIDDEN` is in it; a new language brings its own line."""


def translated(path: Path) -> list[Message]:
    """Return the messages of a catalogue that have a translation."""
    read = read_po(io.BytesIO(path.read_bytes()), locale=path.stem.replace("-", "_"))
    return [message for message in read if message.id and any(forms(message))]


def forms(message: Message) -> tuple[str, ...]:
    """Return every form of a translation."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def sources(message: Message) -> tuple[str, ...]:
    """Return the English of a message: one or two forms."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def holes(words: str) -> list[str]:
    """Return the names of the holes of a message, in alphabetical order."""
    return sorted(re.findall(r"\{(\w+)\}", words))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_translation_keeps_every_hole_once(path):
    kept = [
        sorted({*holes(source)} - {"n"}) for m in translated(path) for source in sources(m)[-1:]
    ]
    wrong = [
        form
        for message, wanted in zip(translated(path), kept, strict=True)
        for form in forms(message)
        if [name for name in holes(form) if name != "n"] != wanted
    ]
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_the_number_of_things_is_told_wherever_english_tells_it(path):
    wrong = [
        message.id
        for message in translated(path)
        if "n" in holes(sources(message)[-1])
        and not all("n" in holes(form) for form in forms(message)[-1:])
    ]
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_no_translation_claims_what_an_audit_cannot_know(path):
    never = (*FORBIDDEN, *NEVER[path.stem])
    said = [form for m in translated(path) for form in forms(m) if any(w in form for w in never)]
    assert said == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_no_translation_brings_markup_or_characters_that_deceive(path):
    bad = re.compile("[<\u0000-\u0008\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
    brought = [
        form
        for message in translated(path)
        for form in forms(message)
        if set(bad.findall(form)) - set(bad.findall("".join(sources(message))))
    ]
    assert brought == []
