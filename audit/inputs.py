"""Parts of the result document that tell what went in: model, inputs, plan."""

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """Base of every part of the document: frozen, strict about keys, no NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


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
    DESCRIBED = "described"
    """A contrast in an arm that describes and does not decide."""


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
