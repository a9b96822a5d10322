"""The document that everything else reads.

An ``AuditResult`` is the product: reports are renderings of it and print its digest. It is read
with pydantic and the standard library alone; neither torch nor a model is needed for an old one.
"""

import hashlib
import json
from datetime import datetime
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.errors import ResultError

FORMAT_VERSION = "1.0"
"""Major changes break readers; minor ones only add optional fields."""


class Record(BaseModel):
    """Base of every part of the document: frozen, strict about keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Undefined(Record):
    """A value that could not be had; never a zero, never left out."""

    undefined: str
    """Why, in a sentence."""


Number = Annotated[float | Undefined, Field(union_mode="left_to_right")]


class Severity(IntEnum):
    """Harm tier of a finding, 1 (low) to 4 (critical)."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Verdict(StrEnum):
    """Answer to one contrast, and to the audit as a whole."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    INSUFFICIENT = "insufficient"


class Grade(StrEnum):
    """How stable a found association is."""

    CANDIDATE = "candidate"
    CONFIRMED = "confirmed"


class Mark(StrEnum):
    """What else is known of a finding."""

    CAUSAL = "causal"
    BEHAVIOURAL = "behavioural"


class ToolRecord(Record):
    """What computed the result."""

    name: str
    version: str
    libraries: dict[str, str]


class LayerRecord(Record):
    """A layer of the audited model that was read."""

    name: str
    pooling: str
    n_units: int


class ModelRecord(Record):
    """The system under audit."""

    kind: Literal["model", "scores", "embeddings"]
    """``scores`` and ``embeddings`` came from somebody else's run; no weights were seen."""

    name: str
    architecture: str = ""
    pretrained: str = ""
    weights_digest: str = ""
    activation: str = ""
    preprocessing: str = ""
    embedding_size: int | None = None
    image_size: int | None = None
    n_parameters: int | None = None
    logit_scale: float | None = None
    layers: tuple[LayerRecord, ...] = ()


class ConceptRecord(Record):
    """One concept as it was used."""

    ref: str
    name: str
    role: Literal["identity", "harm", "control"]
    severity: int | None = None
    terms: tuple[str, ...]
    """Terms in order; masking is a matter of the report."""

    contested: tuple[str, ...] = ()
    """Terms among them that are contested and masked whatever the severity."""


class ConceptSetRecord(Record):
    """One concept set with its digest."""

    id: str
    name: str
    version: str
    role: Literal["identity", "harm", "control"]
    language: str
    digest: str
    concepts: tuple[ConceptRecord, ...]


class StimuliRecord(Record):
    """What one modality was shown."""

    modality: Literal["text", "rendered", "photo"]
    n_stimuli: int
    n_distinct: int
    n_clusters: int
    source: str
    licence: str
    digest: str
    unreadable: tuple[tuple[str, str], ...] = ()
    """Name and reason of every picture that could not be read."""


class InputsRecord(Record):
    """Everything that went in."""

    concept_sets: tuple[ConceptSetRecord, ...]
    templates_version: str
    templates_digest: str
    prompts: dict[str, dict[str, str]]
    """Part of speech to slot to template: every prompt is a term in one of these."""

    stimuli: tuple[StimuliRecord, ...]
    files: dict[str, str] = {}
    """Name and digest of every input file of ``score`` and of photo manifests."""

    groups: tuple[tuple[str, str, int], ...] = ()
    """Group column, value and number of rows, for photos and scored images."""

    excluded: tuple[tuple[str, int, str], ...] = ()
    """What was left out, how many rows or terms, and why (minors, unknown ages ...)."""


class PlanRecord(Record):
    """What was ordered, fixed before any result existed."""

    name: str
    digest: str
    seed: int
    alpha: float
    false_discovery_rate: float
    delta0: float
    """Smallest effect that matters, in control standard deviations."""

    delta1: float
    """Effect that must be seen, in control standard deviations."""

    thresholds_digest: str
    blocking: tuple[tuple[str, str], ...]
    """Identity and harm of each blocking contrast."""

    n_exploratory: int
    arms: tuple[str, ...]
    resolved: dict[str, Any]
    """The whole plan with every default written out."""


class QuantilePoint(Record):
    """One control pack in the QQ plot: expected under t, observed."""

    expected: float
    observed: float


class RecallPoint(Record):
    """How often a plant of one strength was found in this audit's own scores."""

    effect_sd: float
    """Strength of the plant in control standard deviations."""

    found: int
    planted: int


class CalibrationRecord(Record):
    """The audit's own error rates: controls as pseudo-harms, plants in its own scores."""

    tests: int
    rejections: int
    nominal: float
    low: float
    """Lower end of the exact 95 % interval of the rejection rate."""

    high: float
    p_value: Number
    """Exact binomial test of too many rejections; below 0.001 the audit stops."""

    passed: bool
    quantiles: tuple[QuantilePoint, ...] = ()
    recall: tuple[RecallPoint, ...] = ()
    recall_at_delta1: Number
    relabelled: Number = Undefined(undefined="not run")
    """Rejection rate after shuffling terms over concepts: a check of the code."""


class ArmRecord(Record):
    """One kind of evidence."""

    arm: str
    """``text``, ``rendered`` or ``photo`` (scored images count as ``photo``)."""

    title: str
    """What was compared with what, in words."""

    decides: bool
    """Whether the arm contributes verdicts, or only describes."""

    reason: str
    """Why it decides or not."""

    n_controls: int
    n_identity_clusters: int
    calibration: CalibrationRecord | None
    """None where there are too few controls to calibrate."""


class StabilityRecord(Record):
    """Whether a contrast holds when parts of its stimuli are left out."""

    half_effects: tuple[float, float]
    """Effect with the odd and with the even terms of both sides."""

    template_effects: dict[str, float]
    """Effect for each template slot alone."""

    template_share: Number
    """Share of templates in which the sign holds."""

    leave_one_out_low: Number
    """Smallest effect with any single term left out."""

    leave_one_out_term: str
    """The term whose absence lowers it most."""

    stable: bool


class ContrastRecord(Record):
    """One identity concept crossed with one harm concept, in one arm."""

    arm: str
    family: str
    identity: str
    harm: str
    severity: int
    blocking: bool
    effect: Number
    """Double difference of mean cosines; 0 is neutral, positive ties the group to the harm."""

    low: Number
    """Simultaneous lower limit."""

    high: Number
    """Simultaneous upper limit."""

    effect_sd: Number
    """The effect in control standard deviations."""

    low_sd: Number
    high_sd: Number
    t: Number
    df: Number
    p: Number
    """Nominal: upper tail for blocking contrasts, two-sided for exploratory ones."""

    p_adjusted: Number
    """Holm over the blocking contrasts of the audit, or Benjamini-Hochberg q over the rest."""

    mde: Number
    """Minimum detectable effect at 80 % power, as a cosine."""

    mde_sd: Number
    n_identity: int
    """Clusters (terms, persons) on the identity side."""

    n_harm: int
    n_controls: int
    verdict: Verdict
    reason: str
    """The rule that decided, in a sentence."""

    stability: StabilityRecord | None = None


class UnitRecord(Record):
    """A unit that carries a found association; it describes, it does not decide."""

    layer: str
    pooling: str
    unit: int
    contribution: Number
    """Double difference of the unit's activation times the harm direction's weight on it."""

    double_difference: Number
    weight: Number
    correlation: Number
    """With the identity concept, on cluster means."""

    ap_lift: Number
    ap_ceiling: Number


class ProbeRecord(Record):
    """A sparse logistic probe for one concept."""

    concept: str
    role: Literal["identity", "harm", "control"]
    layer: str
    pooling: str
    modality: str
    n_units: int
    """Units with a non-zero weight."""

    auroc: Number
    """Held out by cluster; 0.5 is chance."""

    low: Number
    high: Number
    control_auroc: Number
    """The same fit with labels shuffled over clusters."""

    selectivity: Number
    """Held-out AUROC minus control AUROC; 0 is neutral."""

    units: tuple[tuple[int, float], ...]
    """Unit and signed weight, strongest first, at most 20."""

    reason: str = ""


class FindingRecord(Record):
    """One association that a person should look at."""

    id: str
    """Stable short id: ``BA`` and the first hex digits of the fingerprint."""

    fingerprint: str
    """Hash of identity, harm and measure; not of values, thresholds or model."""

    family: str
    identity: str
    harm: str
    severity: Severity
    grade: Grade
    marks: tuple[Mark, ...] = ()
    blocking: bool
    arms: tuple[str, ...]
    """Arms in which the contrast was found."""

    evidence: tuple[str, ...]
    """One sentence for each thing that speaks for it."""

    counter_evidence: tuple[str, ...]
    """One sentence for each thing that speaks against it or was not seen."""

    units: tuple[UnitRecord, ...] = ()
    units_note: str = ""
    """Why there are no units, or what their ranking rests on."""

    probes: tuple[ProbeRecord, ...] = ()


class RateRecord(Record):
    """Behaviour: how often a label or harm family is the model's answer for a group."""

    column: str
    """Group column, or two joined by `` x ``."""

    group: str
    target: str
    """Label text, or harm family."""

    target_kind: Literal["label", "family"]
    severity: int | None = None
    rate: Number
    low: Number
    high: Number
    n: int
    clusters: int
    difference: Number
    """Rate minus the rate of everybody else; 0 is neutral."""

    difference_low: Number
    difference_high: Number
    reason: str = ""


class NotTested(Record):
    """Something a reader might expect and that was not looked at."""

    what: str
    why: str


class UndefinedRecord(Record):
    """A measurement that could not be had."""

    what: str
    why: str


class MeasurementFile(Record):
    """A table beside the result."""

    name: str
    digest: str
    rows: int


class GateRecord(Record):
    """The decision that the exit code tells."""

    fail_on: Literal["none", "low", "medium", "high", "critical"]
    passed: bool
    rule: str
    """The rule in a sentence, with what it counted."""

    counts: dict[str, int]
    """Findings by severity name."""


class VerdictRecord(Record):
    """The audit's answer, with the rule that decided it."""

    verdict: Verdict
    rule: str
    found: int
    not_found: int
    insufficient: int


class RunRecord(Record):
    """When and where; outside the content digest."""

    started: datetime
    finished: datetime
    host: str
    device: str
    threads: int
    encoded: dict[str, int] = {}
    """Distinct stimuli that went through the model, by modality."""

    reused: dict[str, int] = {}
    """Distinct stimuli that came from the cache, by modality."""

    command: str = ""


class AuditResult(Record):
    """The whole document that came out."""

    format_version: Literal["1.0"] = "1.0"
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
    probes: tuple[ProbeRecord, ...]
    rates: tuple[RateRecord, ...]
    undefined: tuple[UndefinedRecord, ...]
    not_tested: tuple[NotTested, ...]
    measurements: tuple[MeasurementFile, ...]
    notes: tuple[str, ...] = ()
    """Sentences that every rendering shows: what the data could not say by itself."""

    run: RunRecord

    def content(self) -> dict[str, Any]:
        """Return the document without the ``run`` block and the gate, ready for JSON.

        The gate depends on what the caller asked to fail on, not on what was measured.
        """
        return self.model_dump(mode="json", exclude={"run", "gate"})

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
    if version != FORMAT_VERSION:
        raise ResultError(
            f"A result must have format_version {FORMAT_VERSION}; {where} has {version!r}. "
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
