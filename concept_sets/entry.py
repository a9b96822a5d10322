"""A value of a YAML file that knows where it stands, so that errors can say it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from concept_sets.errors import ConceptSetError

INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Unicode categories that no text of a concept set may contain; line breaks become blanks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A value of a YAML file that knows where it stands."""

    file: str
    key: str
    """Path from the top, such as ``concepts[0].terms[3].pos``; empty for the document."""

    line: int
    value: "str | int | float | bool | list[Entry] | dict[str, Entry] | None"

    def error(self, sentence: str) -> ConceptSetError:
        """Make the error that says where ``sentence`` is true."""
        where = f"{self.file}, line {self.line}"
        return ConceptSetError(
            f"{where}, {self.key}: {sentence}" if self.key else f"{where}: {sentence}"
        )

    def fields(self, known: Iterable[str] | None = None) -> dict[str, "Entry"]:
        """Return the fields of a mapping whose keys must all be ``known`` (None: any)."""
        if not isinstance(self.value, dict):
            raise self.error(f"must be a mapping of keys to values; got {_seen(self.value)}.")
        names = None if known is None else sorted(known)
        for name, entry in self.value.items():
            if names is not None and name not in names:
                raise entry.error(
                    f"unknown key {name!r}; known: {', '.join(names)}.{near(name, names)}"
                )
        return self.value

    def items(self, *, empty: bool = False) -> list["Entry"]:
        """Return the entries of a list, which has at least one unless ``empty``."""
        if not isinstance(self.value, list) or not (self.value or empty):
            raise self.error(f"must be a list with at least one entry; got {_seen(self.value)}.")
        return self.value

    def text(self, *, empty: bool = False) -> str:
        """Return a text in Unicode form NFC, blanks trimmed and line breaks folded."""
        if not isinstance(self.value, str):
            raise self.error(f"must be text; got {_seen(self.value)}. Put it in quotes.")
        text = " ".join(unicodedata.normalize("NFC", self.value).split())
        hidden = [sign for sign in text if unicodedata.category(sign) in INVISIBLE]
        if hidden:
            raise self.error(f"must not hold invisible characters; got U+{ord(hidden[0]):04X}.")
        if not text and not empty:
            raise self.error("must not be empty.")
        return text

    def choice(self, known: Iterable[str]) -> str:
        """Return a text that must be one of ``known``."""
        names, text = list(known), self.text(empty=True)
        if text not in names:
            raise self.error(f"must be one of {', '.join(names)}; got {text!r}.{near(text, names)}")
        return text

    def match(self, pattern: str, what: str) -> str:
        """Return a text that must match ``pattern``, which the error calls ``what``."""
        text = self.text()
        if not re.fullmatch(pattern, text):
            raise self.error(f"must be {what}; got {text!r}.")
        return text

    def whole(self, low: int, high: int) -> int:
        """Return a whole number within ``low`` and ``high``."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.error(
                f"must be a whole number from {low} to {high}; got {_seen(self.value)}."
            )
        if not low <= self.value <= high:
            raise self.error(f"must be a whole number from {low} to {high}; got {self.value}.")
        return self.value

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"must be true or false; got {_seen(self.value)}.")
        return self.value


def near(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean ...?" with the nearest known name, or nothing.

    Examples
    --------
    >>> near("nuon", ["noun", "mass"])
    " Did you mean 'noun'?"
    """
    found = get_close_matches(name, list(known), n=1)
    return f" Did you mean {found[0]!r}?" if found else ""


def _seen(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    words = {True: "true", False: "false", None: "nothing"}
    return words[value] if value is None or isinstance(value, bool) else repr(value)
