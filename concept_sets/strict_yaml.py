"""A YAML reader without surprises: no aliases, no hidden types, no duplicate keys."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml

from concept_sets.errors import ConceptSetError

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Unicode categories that no text of a concept set may contain; line breaks become blanks."""

WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
"""The only plain words with a meaning of their own; ``yes``, ``no``, ``on``, ``off`` are text."""

# libyaml reads about ten times as fast; both give the same events.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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


def read_yaml(path: Path) -> Entry:
    """Read a YAML file whose top is a mapping.

    Only mappings, lists, text, whole numbers, decimals, ``true``, ``false`` and ``null`` exist
    here. Nothing in the file is ever run or looked up.

    Raises
    ------
    ConceptSetError
        If the file is missing, over 1 MB, not UTF-8, not YAML, nested deeper than 12 levels, or
        holds anchors, tags, duplicate keys, or several documents.
    """
    return parse_yaml(_read(path), name=path.name)


def parse_yaml(text: str, *, name: str) -> Entry:
    """Read YAML from memory; ``name`` stands in the errors where the file name would."""
    builder = _Builder(file=name, open=[])
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConceptSetError(f"{name}, line {line}: is not YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise ConceptSetError(f"{name}: is not YAML: {str(error).splitlines()[0]}.") from error
    if builder.top is None:
        raise ConceptSetError(f"{name}: must be a mapping of keys to values; the file is empty.")
    builder.top.fields()
    return builder.top


def _read(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ConceptSetError(
                f"{path.name}: must be at most {MAX_BYTES:,} bytes; has {size:,}. Split the file."
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConceptSetError(
            f"{path.name}: must be UTF-8 text; byte {error.start} is not. Save it as UTF-8."
        ) from error
    except OSError as error:
        raise ConceptSetError(f"{path}: cannot be read: {error.strerror or error}.") from error


@dataclass(slots=True, kw_only=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    entry: Entry
    next_key: str | None = None


@dataclass(slots=True, kw_only=True)
class _Builder:
    """Turns parser events into entries without recursion, so depth costs nothing."""

    file: str
    open: list[_Open]
    top: Entry | None = None

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent) and self.top is not None:
            raise self._error(event, "must hold one document; a second one starts here")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._error(event, "anchors and aliases are not allowed; write the value out")
        if getattr(event, "tag", None) not in PLAIN_TAGS:
            raise self._error(event, "tags are not allowed; write the plain value")
        if isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event)

    def _node(self, event: yaml.NodeEvent) -> None:
        parent = self.open[-1] if self.open else None
        if parent and isinstance(parent.entry.value, dict) and parent.next_key is None:
            parent.next_key = self._new_key(event, parent.entry)
            return
        entry = Entry(file=self.file, key=_path(parent), line=_line(event), value=_value(event))
        if parent is None:
            self.top = entry
        elif isinstance(parent.entry.value, dict):
            parent.entry.value[str(parent.next_key)] = entry
            parent.next_key = None
        elif isinstance(parent.entry.value, list):
            parent.entry.value.append(entry)
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append(_Open(entry=entry))
        if len(self.open) > MAX_DEPTH:
            raise self._error(event, f"must be nested at most {MAX_DEPTH} levels deep")

    def _new_key(self, event: yaml.NodeEvent, mapping: Entry) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._error(event, "a key must be text; got a mapping or list")
        if isinstance(mapping.value, dict) and event.value in mapping.value:
            first = mapping.value[event.value].line
            raise self._error(event, f"the key {event.value!r} is there already, on line {first}")
        return str(event.value)

    def _error(self, event: yaml.Event, sentence: str) -> ConceptSetError:
        return ConceptSetError(f"{self.file}, line {_line(event)}: {sentence}.")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _path(parent: _Open | None) -> str:
    if parent is None:
        return ""
    if isinstance(parent.entry.value, list):
        return f"{parent.entry.key}[{len(parent.entry.value)}]"
    return f"{parent.entry.key}.{parent.next_key}" if parent.entry.key else str(parent.next_key)


def _value(
    event: yaml.NodeEvent,
) -> "str | int | float | bool | list[Entry] | dict[str, Entry] | None":
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    if not isinstance(event, yaml.ScalarEvent):
        return None
    text = str(event.value)
    if event.style or event.tag:
        return text
    if text in WORDS:
        return WORDS[text]
    if re.fullmatch(r"[-+]?\d{1,18}", text):
        return int(text)
    return float(text) if re.fullmatch(r"[-+]?\d{1,18}\.\d{1,18}", text) else text


def _seen(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    words = {True: "true", False: "false", None: "nothing"}
    return words[value] if value is None or isinstance(value, bool) else repr(value)
