"""What the index says of an audit: made from its folder and its record in the chain alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from audit.folder import MANIFEST, RESULT, file_digest
from audit.inputs import Number, Undefined
from audit.results import AuditResult, ContrastRecord, FindingRecord, Severity
from audit.store.chain import ChainRecord

Row = Mapping[str, object]

SIGNATURES = (
    "*.sig",
    "*.asc",
    "*.p7s",
    "*.minisig",
    "*.sigstore*",
    "*.intoto.jsonl",
    "*.dsse.json",
)
"""Names of signatures, in an audit folder or beside it (``<folder>.sig``).

``report.intoto.json`` is none: it is a statement that nobody signed.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of the three tables that tell one audit."""

    audit: Row
    findings: tuple[Row, ...]
    contrasts: tuple[Row, ...]


def audit_id(folder: Path) -> str:
    """Return what an audit is known by: ``sha256:`` of its ``result.json``.

    The digest of the result leaves times out, so that equal inputs give equal digests; two audits
    of one model on two days are two audits.
    """
    return file_digest(folder / RESULT)


def manifest_digest(folder: Path) -> str:
    """Return ``sha256:`` of an audit's manifest."""
    return file_digest(folder / MANIFEST)


def is_signed(folder: Path) -> bool:
    """Whether an audit has a signature, in its folder or beside it."""
    beside = (folder.parent.glob(folder.name + pattern[1:]) for pattern in SIGNATURES)
    within = (folder.glob(pattern) for pattern in SIGNATURES)
    return any(True for found in (*beside, *within) for _ in found)


def size_of(folder: Path) -> int:
    """Return the bytes of an audit's files, without signatures that may be added later."""
    return sum(path.stat().st_size for path in folder.iterdir() if not _is_signature(path))


def _is_signature(path: Path) -> bool:
    return any(fnmatchcase(path.name, pattern) for pattern in SIGNATURES)


def trustworthy(result: AuditResult) -> bool:
    """Whether every arm that should decide passed its calibration, as `audit.conclude` says."""
    wanted = (arm.calibration for arm in result.arms if arm.role == "decides")
    return all(calibration is None or calibration.passed for calibration in wanted)


def rows_of(result: AuditResult, record: ChainRecord, folder: Path) -> Rows:
    """Return the rows of an audit.

    Parameters
    ----------
    result : AuditResult
        What its folder holds.
    record : ChainRecord
        By which it was added.
    folder : Path
        Where it lies.
    """
    names = _names(result)
    waived = {state.finding for state in result.gate.findings if state.waived}
    own = {"audit": record.subject}
    findings = {
        finding.fingerprint: {
            **own, **_finding(finding, result, names), "waived": finding.id in waived
        }
        for finding in result.findings
    }  # fmt: skip
    contrasts = {
        (contrast.arm, contrast.identity, contrast.harm): {**own, **_contrast(contrast, names)}
        for contrast in result.contrasts
        if contrast.blocking
    }
    return Rows(
        audit=_storable(_audit(result, record, folder)),
        findings=tuple(map(_storable, findings.values())),
        contrasts=tuple(map(_storable, contrasts.values())),
    )


def _audit(result: AuditResult, record: ChainRecord, folder: Path) -> dict[str, object]:
    gate, verdict = result.gate, result.verdict
    return {
        "id": record.subject,
        "position": record.n,
        "folder": record.folder,
        "digest": result.digest,
        "manifest": record.manifest,
        "title": result.title,
        "started": _utc(result.run.started),
        "finished": _utc(result.run.finished),
        "model": result.model.name,
        "kind": result.model.kind,
        "weights_digest": result.model.weights_digest,
        "plan": result.plan.name,
        "plan_digest": result.plan.digest,
        "thresholds_digest": result.plan.thresholds_digest,
        "verdict": verdict.verdict.value,
        "found": verdict.found,
        "not_found": verdict.not_found,
        "insufficient": verdict.insufficient,
        "fail_on": gate.fail_on,
        "gate": gate.outcome or ("passed" if gate.passed else "failed"),
        "passed": gate.passed,
        "trustworthy": trustworthy(result),
        **_counts(result.findings),
        "tool": result.tool.version,
        "signed": is_signed(folder),
        "size": size_of(folder),
    }


def _counts(findings: Sequence[FindingRecord]) -> dict[str, int]:
    """Count findings that block by severity."""
    return {
        tier.name.lower(): sum(f.blocking and f.severity is tier for f in findings)
        for tier in Severity
    }


def _finding(
    finding: FindingRecord, result: AuditResult, names: Mapping[str, str]
) -> dict[str, object]:
    strongest = _strongest(finding, result.contrasts)
    return {
        "fingerprint": finding.fingerprint,
        "finding": finding.id,
        "family": finding.family,
        "identity": finding.identity,
        "harm": finding.harm,
        **_named(finding, names),
        "severity": int(finding.severity),
        "grade": finding.grade.value,
        "marks": ", ".join(sorted(mark.value for mark in finding.marks)),
        "blocking": finding.blocking,
        "arm": strongest.arm if strongest else "",
        "effect_sd": _value(strongest.effect_sd) if strongest else None,
        "low_sd": _value(strongest.low_sd) if strongest else None,
        "high_sd": _value(strongest.high_sd) if strongest else None,
    }


def _strongest(
    finding: FindingRecord, contrasts: Sequence[ContrastRecord]
) -> ContrastRecord | None:
    """Return the contrast in which a finding is strongest, among the arms that found it."""
    own = [
        (value, contrast)
        for contrast in contrasts
        if (contrast.identity, contrast.harm) == (finding.identity, finding.harm)
        and contrast.arm in finding.arms
        and (value := _value(contrast.effect_sd)) is not None
    ]
    return max(own, key=lambda pair: pair[0])[1] if own else None


def _contrast(contrast: ContrastRecord, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "arm": contrast.arm,
        "family": contrast.family,
        "identity": contrast.identity,
        "harm": contrast.harm,
        **_named(contrast, names),
        "severity": contrast.severity,
        "verdict": contrast.verdict.value,
        "effect_sd": _value(contrast.effect_sd),
        "low_sd": _value(contrast.low_sd),
        "high_sd": _value(contrast.high_sd),
        "p_adjusted": _value(contrast.p_adjusted),
    }


def _names(result: AuditResult) -> dict[str, str]:
    """Return the names of concepts; terms are never kept in an index."""
    return {c.ref: c.name for entry in result.inputs.concept_sets for c in entry.concepts if c.name}


def _named(pair: FindingRecord | ContrastRecord, names: Mapping[str, str]) -> dict[str, object]:
    def name(ref: str) -> str:
        return names.get(ref) or ref.rpartition("/")[2] or ref

    return {"identity_name": name(pair.identity), "harm_name": name(pair.harm)}


def _value(number: Number) -> float | None:
    return None if isinstance(number, Undefined) else float(number)


def _utc(moment: datetime) -> datetime:
    """Read a moment without a zone, which no audit of ours writes, as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _storable(row: Row) -> Row:
    """Show NUL characters, which PostgreSQL has no place for, as their code."""
    return {
        key: value.replace("\0", "[U+0000]") if isinstance(value, str) else value
        for key, value in row.items()
    }
