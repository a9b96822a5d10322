"""Notices: counts, ids and severities; no term, concept name or picture is ever in one."""

import json
from datetime import datetime

from audit.schedule.changes import Event
from audit.schedule.file import Schedule
from audit.schedule.outcome import Audited
from audit.schedule.states import State
from audit.store.tables import moment_text


def body_of(
    event: Event,
    schedule: Schedule,
    now: datetime,
    *,
    state: State | None = None,
    error: str = "",
    audit: Audited | None = None,
) -> str:
    """Write a notice as JSON, the same bytes for the same values.

    Parameters
    ----------
    event : Event
    schedule : Schedule
    now : datetime
    state : State, optional
        How the run ended that brought the change; None where none did.
    error : str
        Kind of error; not its sentence, which may hold words of packs.
    audit : Audited, optional
    """
    document = {
        "event": event.kind,
        "what": event.what,
        "schedule": schedule.id,
        "owner": schedule.owner,
        "at": moment_text(now),
        "state": state.value if state is not None else "",
        "error": error if error.isidentifier() else "",
        "gate": audit.gate if audit is not None else "",
        "counts": audit.counts if audit is not None else {},
        "findings": [{"id": one, "about": about} for one, about in event.findings],
        "folder": str(audit.folder) if audit is not None else "",
    }
    return json.dumps(document, sort_keys=True, ensure_ascii=False)


def text_of(body: str) -> tuple[str, str]:
    """Return title and text of a notice for channels that people read.

    Examples
    --------
    >>> text_of('{"schedule": "weekly", "what": "The gate fails.", "findings": [], "counts": {}}')
    ('clip-audit weekly: The gate fails.', 'The gate fails.')
    """
    told = json.loads(body)
    counts = ", ".join(f"{n} {severity}" for severity, n in told["counts"].items() if n)
    lines = [
        told["what"],
        *(f"{one['id']} ({one['about']})" for one in told["findings"]),
        *([f"Blocking findings: {counts}."] if counts else []),
        *(f"{name.capitalize()}: {told[name]}" for name in ("state", "folder") if told.get(name)),
    ]
    return f"clip-audit {told['schedule']}: {told['what']}", "\n".join(lines)
