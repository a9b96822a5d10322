"""Errors of the schedule that never reach the exit code of an audit."""


class NoticeError(RuntimeError):
    """A notice could not be delivered; the outbox tries again."""


class TriggerError(RuntimeError):
    """What a trigger watches could not be read."""


class LostLeaseError(RuntimeError):
    """Another tick took the run over while this one was not heard of."""
