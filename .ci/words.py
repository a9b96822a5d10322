"""Fail where code, docs, templates or concept sets use a word that we do not use.

Tests are left out: they plant such words to see that they are refused, and they never ship.
Run as ``python -P .ci/words.py [FOLDER]``.
"""

import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

CLAIMS = ("unbiased", "debiased", "bias-free", "compliant", "certified", "proves", "fair score")
"""Words that promise more than an audit can know."""

ROOMS_FOR_RUBBISH = ("manager", "helper", "utils", "engine", "pipeline")
"""Names under which anything could be put."""

SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".html", ".jinja", ".css", ".sh", ".svg"}
SKIPPED = {"tests", "dist", "build", "audit-runs", "__pycache__"}
HIDDEN_OF_OURS = {".ci", ".github", ".pre-commit-config.yaml", ".pre-commit-hooks.yaml"}

ALLOWED: dict[tuple[str, str], str] = {
    (".ci/words.py", "*"): "the list itself",
    ("reports/wording.py", "*"): "the list that reports are checked against",
    ("CONTRIBUTING.md", "*"): "names the words in order to say that we do not use them",
    ("docs/glossary.md", "*"): "names the words in order to say that we do not use them",
    ("concept_sets/rendered.py", "engine"): "the name of one of Pillow's arguments",
    (".ci/pdf_tools.sh", "utils"): "part of the name of one of Debian's packages",
    ("probes/sparse_path.py", "utils"): "the name of one of scikit-learn's packages",
    ("audit/store/*", "engine"): "the name of one of SQLAlchemy's classes",
    ("audit/schedule/*", "engine"): "the name of one of SQLAlchemy's classes",
    ("audit/tracking/*", "engine"): "the name of one of SQLAlchemy's classes",
    ("concept_sets/library/*", "manager"): "a profession, and so a term to ask about",
    ("concept_sets/library/*", "helper"): "a role, and so a term to ask about",
}
"""File pattern and word (``*`` for all) to the reason why it may stand there."""

_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SPACED = {word: word.replace("-", " ") for word in (*CLAIMS, *ROOMS_FOR_RUBBISH)}


def forbidden_in(text: str) -> list[tuple[int, str]]:
    r"""Return line number and word of everything in ``text`` that we do not use.

    Plurals and parts of identifiers count; words that only contain one of ours do not.

    Examples
    --------
    >>> forbidden_in("an engineer\nclass DataManager: ...")
    [(2, 'manager')]
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        pieces = f" {' '.join(_PIECES.findall(line)).lower()} "
        found += [
            (number, word)
            for word, spaced in _SPACED.items()
            if f" {spaced} " in pieces or f" {spaced}s " in pieces
        ]
    return found


def is_allowed(path: str, word: str) -> bool:
    """Tell whether a reason in `ALLOWED` covers this word in this file."""
    return any(fnmatch(path, files) and any_word in ("*", word) for files, any_word in ALLOWED)


def files_of(root: Path) -> Iterator[Path]:
    """Yield every file below ``root`` that people read or run, in a stable order."""
    for path in sorted(root.iterdir()):
        if path.name in SKIPPED or path.is_symlink():
            continue
        if path.name.startswith(".") and path.name not in HIDDEN_OF_OURS:
            continue
        if path.is_dir():
            yield from files_of(path)
        elif path.suffix in SUFFIXES or path.name in {"Makefile", "NOTICE", "run"}:
            yield path


def complaints(root: Path) -> list[str]:
    """Return one line per forbidden word below ``root``."""
    return [
        f"{name}:{number}: we do not write {word!r}"
        for path in files_of(root)
        for name in [path.relative_to(root).as_posix()]
        for number, word in forbidden_in(path.read_text(encoding="utf-8"))
        if not is_allowed(name, word)
    ]


def main(root: Path) -> int:
    """Print what must be reworded; return 1 if anything must."""
    found = complaints(root)
    for complaint in found:
        print(complaint)
    if not found:
        print("No word that we do not use.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]))
