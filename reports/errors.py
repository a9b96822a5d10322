"""Errors of this room."""


class ReportError(RuntimeError):
    """A report cannot be rendered; the result it tells of is untouched (exit 3)."""


class EvidenceMissingError(ReportError):
    """A final report lacks what only people can say (exit 4)."""
