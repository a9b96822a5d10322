"""Frameworks are read from YAML: plain text only, and every error names file, line and key."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from reports.crosswalk.frameworks import Clause, ClauseTexts, Framework, Part, Texts
from reports.errors import ReportError
from reports.messages import ENGLISH

MAX_LETTERS = 1_000_000
MAX_DEPTH = 12

Lines = dict[tuple[str | int, ...], int]
"""Path to a value, and the line on which it stands."""

P = TypeVar("P", bound=Part)

# libyaml reads about ten times as fast; both give the same nodes.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@cache
def framework_ids() -> tuple[str, ...]:
    """List the frameworks that the tool knows, in the order of their names."""
    names = (entry.name for entry in files("reports").joinpath("crosswalk").iterdir())
    found = (name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))
    return tuple(sorted(name for name in found if "." not in name))


@cache
def read_framework(id: str) -> Framework:
    """Read one framework that the tool knows, in English.

    Raises
    ------
    ReportError
        If there is none of this id, or its file is wrong.
    """
    if id not in framework_ids():
        raise ReportError(f"A framework must be one of {', '.join(framework_ids())}; got {id!r}.")
    return parse_framework(_text(f"{id}.yaml"), name=f"{id}.yaml")


@cache
def read_texts(id: str, language: str) -> Texts | None:
    """Read a framework's texts in another language; None where nobody translated them."""
    name = f"{id}.{language}.yaml"
    if language == ENGLISH or not files("reports").joinpath("crosswalk", name).is_file():
        return None
    return _validated(Texts, *_parsed(_text(name), name), name)


def parse_framework(text: str, *, name: str) -> Framework:
    """Read a framework from memory.

    Parameters
    ----------
    text : str
        YAML; every value is read as text, so that ``2.10`` and ``no`` stay what they are.
    name : str
        Stands in errors where the file's name would.

    Raises
    ------
    ReportError
        Naming file, line and key of the first thing that is wrong.
    """
    framework = _validated(Framework, *_parsed(text, name), name)
    if name.endswith(".yaml") and name != f"{framework.id}.yaml":
        raise ReportError(
            f"{name}, key id: must be the name of the file; got {framework.id!r}. Rename either."
        )
    return framework


def translated(framework: Framework, texts: Texts | None) -> Framework:
    """Put the texts of another language in the place of English ones, where there are any."""
    if texts is None or texts.of_version != framework.version:
        return framework
    own = texts.model_dump(include=set(Texts.model_fields) - {"clauses", "of_version"})
    clauses = tuple(_clause(c, texts.clauses.get(c.id)) for c in framework.clauses)
    return framework.model_copy(
        update={"clauses": clauses, **{key: words for key, words in own.items() if words}}
    )


def _clause(clause: Clause, texts: ClauseTexts | None) -> Clause:
    words = texts.model_dump() if texts else {}
    return clause.model_copy(update={key: said for key, said in words.items() if said})


def _text(name: str) -> str:
    return files("reports").joinpath("crosswalk", name).read_text(encoding="utf-8")


def _validated(kind: type[P], document: Any, lines: Lines, name: str) -> P:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        path = first["loc"]
        key = ".".join(str(part) for part in path) or "the file"
        line = next(lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in lines)
        said = first["msg"].removeprefix("Value error, ")
        raise ReportError(f"{name}, line {line}, key {key}: {said}.") from None


def _parsed(text: str, name: str) -> tuple[Any, Lines]:
    """Return what a file says, as nested lists and dicts of text, and where it says it."""
    if len(text) > MAX_LETTERS:
        raise ReportError(f"{name}: must be at most {MAX_LETTERS:,} letters; has {len(text):,}.")
    try:
        _refuse_tricks(text, name)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ReportError(f"{name}, line {line}: is not YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise ReportError(f"{name}: is not YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(node, yaml.MappingNode):
        raise ReportError(f"{name}: must be keys with values.")
    lines: Lines = {}
    return _value(node, (), lines, name), lines


def _refuse_tricks(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ReportError(f"{name}, line {_line(event)}: must have no anchors or aliases.")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ReportError(
                f"{name}, line {_line(event)}: must not be nested deeper than {MAX_DEPTH} levels."
            )


def _line(place: yaml.Event | yaml.Node) -> int:
    return place.start_mark.line + 1 if place.start_mark else 1


def _value(node: yaml.Node, path: tuple[str | int, ...], lines: Lines, name: str) -> Any:
    lines[path] = _line(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(n, (*path, at), lines, name) for at, n in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, path, lines, name))
    return node.value


def _pairs(
    node: yaml.MappingNode, path: tuple[str | int, ...], lines: Lines, name: str
) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for head, value in node.value:
        key = str(head.value)
        if key in seen:
            raise ReportError(f"{name}, line {_line(head)}, key {key}: stands there twice.")
        seen.add(key)
        yield key, _value(value, (*path, key), lines, name)
        lines[(*path, key)] = _line(head)
