"""Errors of this room, each with the exit code that the command line gives it."""


class PlanError(ValueError):
    """A plan, option or name is wrong; nothing was run (exit 2)."""


class ScoreInputError(ValueError):
    """A table or array given to ``score`` cannot be used; the message names the file (exit 2)."""


class ResultError(ValueError):
    """A stored result cannot be read or was changed (exit 3)."""


class UntrustworthyError(RuntimeError):
    """The audit could not be completed or must not be believed (exit 3)."""


class OutputError(OSError):
    """The output folder cannot be written; what was finished stays in the cache (exit 3)."""
