"""Values written as TOML, which the standard library only reads."""

import json
import re
from collections.abc import Mapping, Sequence

Value = str | bool | int | float | Sequence["Value"] | Mapping[str, "Value"]

BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_value(value: Value) -> str:
    r"""Write a value on one line.

    Parameters
    ----------
    value : str, bool, int, float, sequence or mapping
        Anything that a plan can hold; floats are finite.

    Examples
    --------
    >>> toml_value(['a "word"', "b"])
    '["a \\"word\\"", "b"]'
    >>> toml_value({"Female": 0.5, "not told": 0.5})
    '{ Female = 0.5, "not told" = 0.5 }'
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml_key(key)} = {toml_value(held)}" for key, held in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(toml_value(held) for held in value)}]"
    return repr(value)


def toml_key(name: str) -> str:
    """Write a key, in quotes where it needs them."""
    return name if BARE.fullmatch(name) else toml_value(name)
