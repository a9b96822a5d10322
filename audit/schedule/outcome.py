"""What came of an audit, as far as a schedule needs it: counts, ids and severities."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from audit.errors import ResultError
from audit.folder import MANIFEST, RESULT
from audit.results import AuditResult, FindingRecord, Severity
from audit.verify import verify_folder
from audit.waivers import WaiverPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A finished audit."""

    folder: Path
    code: int
    """Exit code that it has."""

    gate: str
    """*passed*, *failed* or *inconclusive*."""

    counts: dict[str, int]
    """Blocking findings by severity."""

    high: tuple[tuple[str, str], ...]
    """Id and severity of blocking findings, high or worse, that nobody accepted."""

    expiring: tuple[tuple[str, str], ...]
    """Id of a finding and the day on which its waiver ends or ended."""


Reader = Callable[[Path, date], Audited]
"""Reads a finished audit folder on some day."""


def reader(code_of: Callable[[AuditResult], int]) -> Reader:
    """Return a reader that verifies every file of the folder.

    Parameters
    ----------
    code_of : callable
        The exit code that an audit with this result has.
    """

    def read(folder: Path, today: date) -> Audited:
        result = verify_folder(folder)
        return audited(folder, result, code_of(result), today)

    return read


def audited(folder: Path, result: AuditResult, code: int, today: date) -> Audited:
    """Keep of a result what may be told anywhere."""
    waived = {state.finding for state in result.gate.findings if state.waived}
    gate = result.gate
    return Audited(
        folder=folder,
        code=code,
        gate=gate.outcome or ("passed" if gate.passed else "failed"),
        counts=dict(gate.counts),
        high=tuple(
            (f.id, f.severity.name.lower())
            for f in result.findings
            if f.blocking and f.severity >= Severity.HIGH and f.id not in waived
        ),
        expiring=tuple(
            (_id_of(w.finding, result.findings), w.expires.isoformat())
            for w in gate.waivers
            if w.state in {"active", "expired"}
            and (w.expires - today).days <= WaiverPolicy().warn_days
        ),
    )


def _id_of(named: str, findings: tuple[FindingRecord, ...]) -> str:
    return next((f.id for f in findings if named in {f.id, f.fingerprint}), "")


def finished_audit(out: Path) -> Path | None:
    """Return the audit folder that a run has finished in its own folder, if any.

    An audit gets its name in one step when it is complete, so that a name means a whole audit.
    """
    try:
        found = [
            p
            for p in sorted(out.iterdir())
            if not p.name.startswith(".") and (p / MANIFEST).is_file() and (p / RESULT).is_file()
        ]
    except OSError:
        return None
    return found[-1] if found else None


def read_or_none(read: Reader, folder: Path | None, today: date) -> Audited | None:
    """Read a finished audit; None if there is none, or none that is whole."""
    if folder is None:
        return None
    try:
        return read(folder, today)
    except ResultError:
        return None
