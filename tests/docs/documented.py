"""The commands that a reader of the pages can copy: every line of a code block that is one."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"(?:- |sh ')?((?:clip-audit|make) .*)")
_REST = re.compile(r" (?:\|\||&&|>>?|\|) .*$|'$")


def documented() -> dict[str, list[str]]:
    """Command line, without comment and shell around it, to the pages that show it."""
    found: dict[str, list[str]] = {}
    for page in PAGES:
        for line in commands_of(page.read_text(encoding="utf-8")):
            pages = found.setdefault(line, [])
            if page.name not in pages:
                pages.append(page.name)
    return found


def commands_of(text: str) -> Iterator[str]:
    r"""Yield the commands of a page.

    Examples
    --------
    >>> list(commands_of("```\nclip-audit run p.toml \\\n  --out 'a b'   # why\n```\n"))
    ["clip-audit run p.toml --out 'a b'"]
    >>> list(commands_of("```yaml\n  - clip-audit verify A || true\n```\n"))
    ['clip-audit verify A']
    """
    for _, block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = _COMMAND.fullmatch(line.strip())
            if command:
                yield " ".join(_uncommented(_REST.sub("", command[1])).split())


def _uncommented(line: str) -> str:
    """Cut a comment; a sign within quotes is none."""
    pieces = shlex.shlex(line, posix=False, punctuation_chars=False)
    pieces.whitespace_split, pieces.commenters = True, "#"
    return " ".join(pieces)
