"""Errors of this room. Model errors end with exit code 3, the others with 2."""


class ModelNameError(LookupError):
    """No such model, tag or layer; the message names the nearest known one (exit 2)."""


class ModelError(RuntimeError):
    """The weights are missing, wrong, unsafe or not a number; nothing was audited (exit 3)."""


class ExtractionError(RuntimeError):
    """Too many pictures unreadable, a cache damaged beyond use, or NaN responses (exit 3)."""


class MeasureError(ValueError):
    """A measure was asked of data that it is not defined on (exit 2)."""
