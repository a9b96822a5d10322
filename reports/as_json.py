"""The document itself, as JSON."""

from collections.abc import Mapping

from audit.results import AuditResult, write_result
from reports.formats import NO_PICTURES


def render(result: AuditResult, _pictures: Mapping[str, bytes] = NO_PICTURES) -> bytes:
    """Return the bytes of ``result.json``."""
    return write_result(result)
