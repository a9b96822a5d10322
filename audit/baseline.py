"""A baseline: what was found when a team began to gate, written by the tool and by nobody else."""

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from audit.errors import ResultError
from audit.inputs import Number, Record
from audit.results import AuditResult, ContrastRecord


class BaselineEffect(Record):
    """One blocking contrast of one arm."""

    arm: str
    identity: str
    harm: str
    effect_sd: Number
    low_sd: Number
    high_sd: Number


class Baseline(Record):
    """The blocking contrasts of an audit, and which of them were findings."""

    format: Literal["clip-audit baseline 1"] = "clip-audit baseline 1"
    result_digest: str
    model: str
    weights_digest: str
    thresholds_digest: str
    """Of the plan: other thresholds make other findings."""

    findings: tuple[str, ...]
    """Fingerprints."""

    effects: tuple[BaselineEffect, ...]

    def effect(self, contrast: ContrastRecord) -> BaselineEffect | None:
        """Return the same contrast as it was then; None where it was not measured."""
        key = (contrast.arm, contrast.identity, contrast.harm)
        return next((e for e in self.effects if (e.arm, e.identity, e.harm) == key), None)

    @property
    def digest(self) -> str:
        """``sha256:`` of the file's bytes."""
        return "sha256:" + hashlib.sha256(baseline_bytes(self)).hexdigest()


def baseline_of(result: AuditResult) -> Baseline:
    """Keep what a gate compares with.

    Parameters
    ----------
    result : AuditResult
        The audit that becomes the baseline.

    Returns
    -------
    Baseline
        Its blocking contrasts and blocking findings.
    """
    return Baseline(
        result_digest=result.digest,
        model=result.model.name,
        weights_digest=result.model.weights_digest,
        thresholds_digest=result.plan.thresholds_digest,
        findings=tuple(sorted(f.fingerprint for f in result.findings if f.blocking)),
        effects=tuple(
            BaselineEffect(
                arm=c.arm,
                identity=c.identity,
                harm=c.harm,
                effect_sd=c.effect_sd,
                low_sd=c.low_sd,
                high_sd=c.high_sd,
            )
            for c in result.contrasts
            if c.blocking
        ),
    )


def baseline_bytes(baseline: Baseline) -> bytes:
    """Return the bytes of a baseline file."""
    document = baseline.model_dump(mode="json")
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_baseline(path: Path) -> Baseline:
    """Read a baseline file.

    Raises
    ------
    ResultError
        If it cannot be read, or is not a baseline of a known format.
    """
    try:
        return Baseline.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ResultError(
            f"A baseline must be readable; {path} gave: {error.strerror}. "
            "Write one with `clip-audit baseline AUDIT --output FILE`."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ResultError(
            f"A baseline must be a file that `clip-audit baseline` wrote; {path}, key {key}: "
            f"{first['msg']}. Write it again."
        ) from None
    except (ValueError, RecursionError):
        raise ResultError(
            f"A baseline must be JSON; {path} is not. Write it again with "
            "`clip-audit baseline AUDIT --output FILE`."
        ) from None
