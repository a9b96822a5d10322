"""Lengths of time as people write them: ``90s``, ``15m``, ``12h``, ``30d``, ``2w``."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
"""Letter to seconds, the longest first."""

_SPAN = re.compile(r"(\d{1,6})\s*([smhdw])")


def parse_span(text: str) -> timedelta:
    """Read a length of time.

    Raises
    ------
    ValueError
        If it is not a whole number followed by s, m, h, d or w.

    Examples
    --------
    >>> parse_span("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a whole number and s, m, h, d or w, such as 12h or 30d")
    return timedelta(seconds=int(match[1]) * UNITS[match[2]])


def show_span(span: timedelta) -> str:
    """Write a length of time in its largest whole unit.

    Examples
    --------
    >>> show_span(timedelta(hours=36)), show_span(timedelta(days=14)), show_span(timedelta())
    ('36h', '2w', '0s')
    """
    seconds = int(span.total_seconds())
    unit = next((u for u, size in UNITS.items() if seconds and seconds % size == 0), "s")
    return f"{seconds // UNITS[unit]}{unit}"


def _given(value: Any) -> Any:
    return parse_span(value) if isinstance(value, str) else value


Span = Annotated[timedelta, BeforeValidator(_given)]
"""A key of the schedule file that holds a length of time."""
