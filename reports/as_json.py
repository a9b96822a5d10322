"""The document itself, as JSON."""

from audit.results import AuditResult, write_result


def render(result: AuditResult) -> bytes:
    """Return the bytes of ``result.json``."""
    return write_result(result)
