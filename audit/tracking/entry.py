"""What a tracker is told of an audit: numbers, names, digests and files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audit.findings import fingerprint
from audit.folder import RESULT, file_digest
from audit.pictures_file import PICTURES
from audit.results import AuditResult, ContrastRecord, Severity
from audit.tracking.keys import MOST, metric_key

WITH_PICTURES = (PICTURES, "report.html", "report.pdf")
"""Files of an audit folder that hold its pictures, where it has any."""

PREFIX = "clip_audit."
"""Of every tag."""

IDENTITY = f"{PREFIX}audit"
"""Tag with the digest of ``result.json``: an audit is logged once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One audit as a tracker keeps it."""

    name: str
    audit: str
    """``sha256:`` of ``result.json`` with its times: a re-audit is another entry."""

    metrics: Mapping[str, float]
    """Name, before `metric_key`, to value; what is undefined has none."""

    params: Mapping[str, str]
    tags: Mapping[str, str]
    files: tuple[Path, ...]
    started: datetime
    finished: datetime


def entry_of(result: AuditResult, folder: Path, *, code: int, pictures: bool = False) -> Entry:
    """Put together what a tracker is told.

    Parameters
    ----------
    result : AuditResult
    folder : Path
        The finished audit folder, which is only read.
    code : int
        Exit code of the audit: the gate passed where it is 0.
    pictures : bool
        Whether files that hold pictures go along.
    """
    audit = file_digest(folder / RESULT)
    return Entry(
        name=f"{result.model.name} {result.run.started:%Y-%m-%d}",
        audit=audit,
        metrics=dict(metrics_of(result, code)),
        params={
            "plan": result.plan.name,
            "model": result.model.name,
            "pretrained": result.model.pretrained,
            "arms": ", ".join(result.plan.arms),
            "seed": str(result.plan.seed),
        },
        tags={
            IDENTITY: audit,
            f"{PREFIX}result_digest": result.digest,
            f"{PREFIX}plan_digest": result.plan.digest,
            f"{PREFIX}thresholds_digest": result.plan.thresholds_digest,
            f"{PREFIX}weights_digest": result.model.weights_digest or "not seen",
            f"{PREFIX}verdict": result.verdict.verdict.value,
            f"{PREFIX}exit_code": str(code),
            f"{PREFIX}version": result.tool.version,
        },
        files=tuple(files_of(folder, pictures=pictures)),
        started=result.run.started,
        finished=result.run.finished,
    )


def files_of(folder: Path, *, pictures: bool) -> Iterator[Path]:
    """Yield the files of an audit folder; without pictures, those that hold none."""
    skipped = WITH_PICTURES if (folder / PICTURES).exists() and not pictures else ()
    yield from sorted(path for path in folder.iterdir() if path.name not in skipped)


def metrics_of(result: AuditResult, code: int) -> Iterator[tuple[str, float]]:
    """Yield name and value of what was counted, and of every contrast fixed beforehand.

    Effects and limits are in control standard deviations of the audit; 0 is neutral, positive ties
    the group to the harm.
    """
    blocking = [finding for finding in result.findings if finding.blocking]
    for severity in Severity:
        found = sum(finding.severity is severity for finding in blocking)
        yield f"findings/{severity.name.lower()}", float(found)
    yield "findings/exploratory", float(len(result.findings) - len(blocking))
    answered = result.verdict.found + result.verdict.not_found
    asked = answered + result.verdict.insufficient
    yield "contrasts/found", float(result.verdict.found)
    yield "contrasts/not_found", float(result.verdict.not_found)
    yield "contrasts/insufficient", float(result.verdict.insufficient)
    if asked:
        yield "contrasts/coverage", answered / asked
    yield "gate/passed", float(code == 0)
    for contrast in result.contrasts:
        if contrast.blocking:
            yield from _contrast_metrics(contrast)


def _contrast_metrics(contrast: ContrastRecord) -> Iterator[tuple[str, float]]:
    stem = f"contrast/{contrast.arm}/{contrast.identity}/{contrast.harm}"
    for name in ("effect_sd", "low_sd", "high_sd"):
        value = getattr(contrast, name)
        if isinstance(value, float):
            yield _short(f"{stem}/{name}", contrast, name), value


def _short(name: str, contrast: ContrastRecord, what: str) -> str:
    """Return the name, or one with the id that a finding of the contrast has if it is too long."""
    if len(metric_key(name)) <= MOST:
        return name
    mark = fingerprint(contrast.identity, contrast.harm)
    return f"contrast/{contrast.arm}/BA{mark[:8]}/{what}"
