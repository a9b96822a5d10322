"""Names of metrics as trackers take them, and back again."""

import re

MOST = 250
"""Characters that a key may have."""

_KEPT = re.compile(r"[^A-Za-z0-9_/-]|/(?=/)|^/|/$")
_ESCAPED = re.compile(r"(?:\.[0-9a-f]{2})+")


def metric_key(name: str) -> str:
    """Write a name in letters, digits, ``_``, ``-``, ``/``; a dot and two hex digits are a byte.

    A key is never empty, and never looks like a path that leads elsewhere: no slash stands at an
    end of it or beside another.

    Raises
    ------
    ValueError
        If the name is empty.

    Examples
    --------
    >>> metric_key("contrast/text/skin tone/dark/effect_sd")
    'contrast/text/skin.20tone/dark/effect_sd'
    """
    if not name:
        raise ValueError("A metric must have a name; got an empty one. Give one.")
    return _KEPT.sub(lambda found: _bytes(found[0]), name)


def metric_name(key: str) -> str:
    """Return the name that `metric_key` wrote as this key.

    Examples
    --------
    >>> metric_name("contrast/text/skin.20tone/dark/effect_sd")
    'contrast/text/skin tone/dark/effect_sd'
    """
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[0].replace(".", "")).decode(), key)


def _bytes(text: str) -> str:
    return "".join(f".{byte:02x}" for byte in text.encode())
