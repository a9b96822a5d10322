"""On which line of a TOML file each key stands; the standard library's parser does not say."""

import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

Key = tuple[str | int, ...]
"""Names of tables and keys from the top; a number is a place in a list of tables."""


def key_lines(text: str) -> dict[Key, int]:
    r"""Find the line on which each key of a valid TOML document begins.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    dict
        Key to line, counted from 1. Keys of an inline table stand where it begins.

    Examples
    --------
    >>> key_lines('seed = 1\n\n[limits]\nalpha = 0.01\n')
    {('seed',): 1, ('limits', 'alpha'): 4}
    """
    found: dict[Key, int] = {}
    counts: dict[Key, int] = {}
    table: Key = ()
    for line, statement in _statements(text):
        if statement.lstrip().startswith("["):
            table = _header(statement, counts)
        else:
            found.update({(*table, *key): line for key in _leaves(tomllib.loads(statement))})
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each header or pair with the line on which it begins.

    A line that does not parse alone goes on: an array or a text over several lines.
    """
    held: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        held.append(line)
        try:
            found = tomllib.loads("\n".join(held))
        except tomllib.TOMLDecodeError:
            continue
        if found:
            yield number - len(held) + 1, "\n".join(held)
        held = []


def _header(statement: str, counts: dict[Key, int]) -> Key:
    """Return the table that a header opens; ``counts`` says how many of each list there are."""
    inside: Any = tomllib.loads(statement)
    table: Key = ()
    while inside:
        if isinstance(inside, list):
            counts[table] = counts.get(table, 0) + 1
            break
        ((name, inside),) = inside.items()
        table = (*table, name)
        if table in counts and not isinstance(inside, list):
            table = (*table, counts[table] - 1)
    return (*table, counts[table] - 1) if isinstance(inside, list) else table


def _leaves(value: Any) -> Iterator[Key]:
    """Yield the keys inside a value; the empty key where it holds no tables."""
    entries: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        entries = enumerate(value)
    empty = True
    for name, entry in entries:
        empty = False
        yield from ((name, *rest) for rest in _leaves(entry))
    if empty:
        yield ()
