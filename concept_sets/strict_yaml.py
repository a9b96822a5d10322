"""A YAML reader without surprises: no aliases, no hidden types, no duplicate keys."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from concept_sets.entry import Entry
from concept_sets.errors import ConceptSetError

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
"""The only plain words with a meaning of their own; ``yes``, ``no``, ``on``, ``off`` are text."""

# libyaml reads about ten times as fast; both give the same events.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
