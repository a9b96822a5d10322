"""How exports write text: JSON, XML and Markdown that no name from a document can break."""

import json
import re
from collections.abc import Iterable, Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

from audit.results import Number, Undefined
from reports.care import visible

SIGNS = re.compile(r"([\\`*_{}\[\]~$#!])")
"""Characters that Markdown reads, wherever they stand."""

START = re.compile(r"^(|\d{1,9}(?=[.)](?:\s|$)))([-+=.)])")
"""What makes a list, a heading or a rule, where it stands first."""

ENTITIES = {
    **{"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"},
    **{"://": ":\\//", "@": "＠", "www.": "www\\."},
}
"""Markup, cells, links, and the sign that would call people by their account."""


def json_bytes(document: object) -> bytes:
    r"""Write a document as JSON, with every deceiving character made visible.

    Examples
    --------
    >>> json_bytes({"name": chr(0x202E) + "a"})
    b'{\n "name": "[U+202E]a"\n}\n'
    """
    text = json.dumps(shown_within(document), indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def shown_within(value: object, *, lines: bool = True) -> object:
    """Make every string of nested lists and dicts visible; line ends stay where they may."""
    if isinstance(value, str):
        return "\n".join(map(visible, value.split("\n"))) if lines else visible(value)
    if isinstance(value, dict):
        return {key: shown_within(part, lines=lines) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [shown_within(part, lines=lines) for part in value]
    return value


def figure(value: Number) -> str:
    """Write a number so that a program can read it back, or why there is none.

    Examples
    --------
    >>> figure(-8.1234567), figure(Undefined(undefined="too few terms"))
    ('-8.12346', 'undefined: too few terms')
    """
    return f"undefined: {value.undefined}" if isinstance(value, Undefined) else f"{value:.6g}"


def derived_id(digest: str, what: str) -> UUID:
    """Derive a UUID from a result's digest: equal results give equal ones."""
    return uuid5(NAMESPACE_URL, f"clip-audit:{digest}:{what}")


def sha256_of(digest: str) -> str:
    """Return the hex digits of a digest; empty where it is none of SHA-256.

    Examples
    --------
    >>> sha256_of("sha256:" + 64 * "a") == 64 * "a", sha256_of("unknown")
    (True, '')
    """
    kind, _, digits = digest.partition(":")
    return digits if kind == "sha256" and re.fullmatch("[0-9a-f]{64}", digits) else ""


def plain(text: str) -> str:
    r"""Write text that Markdown shows as it is: no markup, no link, no cell, one line.

    Examples
    --------
    >>> plain("a|b <i> *c*")
    'a&#124;b &lt;i&gt; \\*c\\*'
    """
    line = SIGNS.sub(r"\\\1", visible(text).strip())
    for sign, entity in ENTITIES.items():
        line = line.replace(sign, entity)
    return START.sub(r"\1\\\2", line)


def bullets(lines: Iterable[str]) -> list[str]:
    """Write a list; the lines are Markdown already."""
    return [f"- {line}" for line in lines]


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table; the cells are plain text."""
    lines = [heads, ["---"] * len(heads), *([plain(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]
