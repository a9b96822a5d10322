"""Every key of a plan with its value and where the value comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from audit.plan import AuditPlan
from audit.plan_lines import Key
from audit.plan_sections import Section
from audit.toml_text import toml_key, toml_value

COLUMN = 40
"""Where the origins stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One key of a plan."""

    key: Key
    value: Any
    """As TOML can hold it; None where nothing is asked."""

    origin: str
    """``default``, file and line, or the option."""


def explain_plan(
    plan: AuditPlan, lines: Mapping[Key, int], where: str, typed: Mapping[Key, str]
) -> tuple[Explained, ...]:
    """Tell every key of a plan.

    Parameters
    ----------
    plan : AuditPlan
        With what the command line changed.
    lines : mapping of Key to int
        Where keys stand in the file, see `audit.plan_lines.key_lines`.
    where : str
        The file, as origins name it.
    typed : mapping of Key to str
        Options that set a key, or that add to what the file says.

    Returns
    -------
    tuple of Explained
        In the order of the plan; keys of lists of tables carry their place.
    """
    return tuple(
        Explained(key=key, value=value, origin=_origin(key, lines, where, typed))
        for key, value in _leaves(plan, ())
    )


ADDED_TO: tuple[Key, ...] = (("concepts", "folders"),)
"""Keys that an option adds to, instead of replacing them."""


def _origin(key: Key, lines: Mapping[Key, int], where: str, typed: Mapping[Key, str]) -> str:
    found = [line for name, line in lines.items() if name[: len(key)] == key]
    told = f"{where}, line {min(found)}" if found else "default"
    if key not in typed:
        return told
    option = f"command line ({typed[key]})"
    return f"{told}, and {option}" if found and key in ADDED_TO else option


def _leaves(section: Section, above: Key) -> Iterator[tuple[Key, Any]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _leaves(value, (*above, name))
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            for place, entry in enumerate(value):
                yield from _leaves(entry, (*above, name, place))
        else:
            yield (*above, name), value


def explained_lines(explained: tuple[Explained, ...]) -> Iterator[str]:
    """Write it as a plan that means the same, each line with its origin as a comment."""
    top = [entry for entry in explained if len(entry.key) == 1]
    inside = [entry for entry in explained if len(entry.key) > 1]
    yield from map(_line, top)
    for table, entries in groupby(inside, key=lambda entry: entry.key[:-1]):
        yield ""
        name = ".".join(toml_key(part) for part in table if isinstance(part, str))
        yield f"[[{name}]]" if isinstance(table[-1], int) else f"[{name}]"
        yield from map(_line, entries)


def _line(entry: Explained) -> str:
    name = toml_key(str(entry.key[-1]))
    pair = f"# {name} =" if entry.value is None else f"{name} = {toml_value(entry.value)}"
    return f"{pair:<{COLUMN}} # {entry.origin}"
