"""The document that everything else reads.

An ``AuditResult`` is the product: reports are renderings of it and print its digest. It is read
with pydantic and the standard library alone; neither torch nor a model is needed for an old one.
Its parts are defined in ``audit.inputs`` (what went in), ``audit.measured`` and ``audit.records``
(what came out), and are all importable from here.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from audit.causal_record import AnswersRecord, CausalRecord, DoseRecord, MatchedRecord
from audit.errors import ResultError
from audit.gate_record import (
    FindingStateRecord,
    GateRecord,
    GateRuleRecord,
    WaiverRecord,
)
from audit.inputs import (
    ConceptRecord,
    ConceptSetRecord,
    Grade,
    InputsRecord,
    LayerRecord,
    Mark,
    ModelRecord,
    Number,
    PlanRecord,
    Record,
    Severity,
    StimuliRecord,
    ToolRecord,
    Undefined,
    Verdict,
)
from audit.measured import MeasurementRecord, MeasureRecord, RateRecord, SensitivityRecord
from audit.mitigation_record import (
    BenignRecord,
    CollateralRecord,
    EffectRecord,
    MitigationRecord,
    PointRecord,
    TreatmentRecord,
)
from audit.probe_record import FixedProbeRecord, StableUnitsRecord
from audit.records import (
    ArmRecord,
    CalibrationRecord,
    ContrastRecord,
    FindingRecord,
    MeasurementFile,
    NotTested,
    ProbeRecord,
    QuantilePoint,
    RecallPoint,
    RunRecord,
    StabilityRecord,
    UndefinedRecord,
    UnitRecord,
    VerdictRecord,
)
from audit.replication_record import OtherModelRecord, ReplicationRecord
from audit.text_units_record import (
    AskedRecord,
    FidelityRecord,
    RegionIndexRecord,
    TextUnitsRecord,
)
from audit.transfer_record import TransferRecord
from audit.typography_record import (
    AttackRecord,
    ConfoundRecord,
    ControlStringRecord,
    GroupAttackRecord,
    ShareGapRecord,
    ShareRecord,
    StroopRecord,
    StroopRowRecord,
    TypographyRecord,
)
from audit.unit_pages_record import (
    AgreementRecord,
    ContributionRecord,
    CurveRecord,
    DrawnRecord,
    ExampleRecord,
    FamilyRecord,
    HistogramRecord,
    LeadRecord,
    SpreadRecord,
    UnitPageRecord,
)

FORMAT_VERSION = "1.2"
"""Major changes break readers; minor ones only add optional fields."""

READABLE = ("1.0", "1.1", "1.2")
"""Versions that this one reads: what they lack is at its default."""

__all__ = [
    "FORMAT_VERSION",
    "AgreementRecord",
    "AnswersRecord",
    "ArmRecord",
    "AskedRecord",
    "AttackRecord",
    "AuditResult",
    "BenignRecord",
    "CalibrationRecord",
    "CausalRecord",
    "CollateralRecord",
    "ConceptRecord",
    "ConceptSetRecord",
    "ConfoundRecord",
    "ContrastRecord",
    "ContributionRecord",
    "ControlStringRecord",
    "CurveRecord",
    "DoseRecord",
    "DrawnRecord",
    "EffectRecord",
    "ExampleRecord",
    "FamilyRecord",
    "FidelityRecord",
    "FindingRecord",
    "FindingStateRecord",
    "FixedProbeRecord",
    "GateRecord",
    "GateRuleRecord",
    "Grade",
    "GroupAttackRecord",
    "HistogramRecord",
    "InputsRecord",
    "LayerRecord",
    "LeadRecord",
    "Mark",
    "MatchedRecord",
    "MeasureRecord",
    "MeasurementFile",
    "MeasurementRecord",
    "MitigationRecord",
    "ModelRecord",
    "NotTested",
    "Number",
    "OtherModelRecord",
    "PlanRecord",
    "PointRecord",
    "ProbeRecord",
    "QuantilePoint",
    "RateRecord",
    "RecallPoint",
    "Record",
    "RegionIndexRecord",
    "ReplicationRecord",
    "RunRecord",
    "SensitivityRecord",
    "Severity",
    "ShareGapRecord",
    "ShareRecord",
    "SpreadRecord",
    "StabilityRecord",
    "StableUnitsRecord",
    "StimuliRecord",
    "StroopRecord",
    "StroopRowRecord",
    "TextUnitsRecord",
    "ToolRecord",
    "TransferRecord",
    "TreatmentRecord",
    "TypographyRecord",
    "Undefined",
    "UndefinedRecord",
    "UnitPageRecord",
    "UnitRecord",
    "Verdict",
    "VerdictRecord",
    "WaiverRecord",
    "canonical_json",
    "parse_result",
    "read_result",
    "result_schema",
    "write_result",
]


class AuditResult(Record):
    """The whole document that came out."""

    format_version: Literal["1.0", "1.1", "1.2"] = "1.2"
    title: str
    tool: ToolRecord
    model: ModelRecord
    inputs: InputsRecord
    plan: PlanRecord
    verdict: VerdictRecord
    gate: GateRecord
    arms: tuple[ArmRecord, ...]
    contrasts: tuple[ContrastRecord, ...]
    findings: tuple[FindingRecord, ...]
    causal: tuple[CausalRecord, ...] = ()
    """What silencing the units of each finding did."""

    text_units: TextUnitsRecord | None = None
    """Which units prompts ask for; None where no layer has a linear reading."""

    unit_pages: tuple[UnitPageRecord, ...] = ()
    """Units that carry findings, the most telling first."""

    transfers: tuple[TransferRecord, ...] = ()
    """Whether probes of a found link's harm also find its group."""

    other_model: OtherModelRecord | None = None
    """Whether a second model carries the same links; None where none was given."""

    typography: TypographyRecord | None = None
    """Whether words on pictures change answers; None where none were written."""

    stroop: StroopRecord | None = None
    confounds: tuple[ConfoundRecord, ...] = ()
    """Whether units of findings answer without text."""

    probes: tuple[ProbeRecord, ...]
    rates: tuple[RateRecord, ...]
    measures: tuple[MeasureRecord, ...] = ()
    """Definitions of the measures of the catalogue that were used."""

    catalogue: tuple[MeasurementRecord, ...] = ()
    """Their values: the most telling of each measure; the tables beside the result have all."""

    undefined: tuple[UndefinedRecord, ...]
    not_tested: tuple[NotTested, ...]
    measurements: tuple[MeasurementFile, ...]
    notes: tuple[str, ...] = ()
    """Sentences that every rendering shows: what the data could not say by itself."""

    run: RunRecord

    def content(self) -> dict[str, Any]:
        """Return the document without the ``run`` block and the gate, ready for JSON.

        The gate depends on what the caller asked to fail on, not on what was measured. Fields at
        their default are left out: a later version may add optional ones, and a document that was
        written before them must keep its digest.
        """
        content = self.model_dump(mode="json", exclude={"run", "gate"}, exclude_defaults=True)
        return {"format_version": self.format_version, **content}

    @property
    def digest(self) -> str:
        """``sha256:`` of the canonical content; equal inputs and seed give equal digests."""
        return "sha256:" + hashlib.sha256(canonical_json(self.content())).hexdigest()


def canonical_json(value: Any) -> bytes:
    """Serialise with sorted keys, no spaces, UTF-8 and no NaN.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": [0.5]})
    b'{"a":[0.5],"b":1}'
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def write_result(result: AuditResult) -> bytes:
    """Return the bytes of ``result.json``: readable, ordered, with the digest on top."""
    document = {"digest": result.digest, **result.model_dump(mode="json")}
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_result(path: Path) -> AuditResult:
    """Read and verify a stored result.

    Raises
    ------
    ResultError
        If the file is missing, is not a result of a known format, or does not match its digest.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(
            f"A stored result must be readable; {path} gave: {error.strerror}. "
            "Give the audit folder or its result.json."
        ) from None
    except (ValueError, RecursionError):
        raise ResultError(
            f"A stored result must be JSON; {path} is not. Restore the file or run the audit again."
        ) from None
    return parse_result(document, where=str(path))


def parse_result(document: Any, *, where: str) -> AuditResult:
    """Check format, shape and digest of a decoded document.

    Raises
    ------
    ResultError
        As `read_result`.
    """
    version = document.get("format_version") if isinstance(document, dict) else None
    if version not in READABLE:
        raise ResultError(
            f"A result must have format_version {' or '.join(READABLE)}; {where} has {version!r}. "
            "Use the version of clip-audit that wrote it, or run the audit again."
        )
    stated = document.pop("digest", None)
    try:
        result = AuditResult.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ResultError(
            f"A result must follow the published schema; {where}, key {key}: {first['msg']}. "
            "Restore the file or run the audit again."
        ) from None
    if stated != result.digest:
        raise ResultError(
            f"A result must match its digest; {where} states {stated} and holds {result.digest}. "
            "It was changed after it was written: restore it or run the audit again."
        )
    return result


def result_schema() -> dict[str, Any]:
    """Return the published JSON Schema (2020-12) of the document."""
    schema = AuditResult.model_json_schema(mode="serialization")
    schema["properties"]["digest"] = {
        "type": "string",
        "description": "sha256 of the canonical content without the run and gate blocks.",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
