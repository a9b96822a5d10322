"""Errors of trackers, each with the exit code that the command line gives it."""

from audit.errors import OutputError


class TrackerError(OutputError):
    """A tracker did not take an audit, which itself stays as it is (exit 3)."""
