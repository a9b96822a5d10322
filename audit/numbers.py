"""NaN becomes ``Undefined`` with a reason on its way into the document."""

import math

from audit.results import Undefined

DIGITS = 10
"""Significant digits kept: enough for any reader, and equal across machines of one kind."""


def number(value: float, reason: str) -> float | Undefined:
    """Return the value rounded for storage, or why there is none.

    Examples
    --------
    >>> number(float("nan"), "the unit never varied")
    Undefined(undefined='the unit never varied')
    >>> number(0.12345678901234, "")
    0.123456789
    """
    if not math.isfinite(value):
        return Undefined(undefined=reason)
    return rounded(value)


def rounded(value: float) -> float:
    """Round a number for storage.

    Examples
    --------
    >>> rounded(1 / 3)
    0.3333333333
    """
    return float(f"{value:.{DIGITS}g}")


def plain(value: float | Undefined) -> float:
    """Return the number, or NaN where it is undefined: for tables and charts only."""
    return math.nan if isinstance(value, Undefined) else value
