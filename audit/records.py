"""Parts of the result document that tell what came out: evidence, findings, decisions."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from audit.inputs import Grade, Mark, Number, Record, Severity, Undefined, Verdict
from audit.probe_record import FixedProbeRecord, StableUnitsRecord


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

    harm_width: Number = Undefined(undefined="not estimated")
    """How much wider harm packs in general lie from all groups than control packs do, a lower
    bound of at least 1; the limits of every contrast are widened by it."""

    pack_weight: Number = Undefined(undefined="not estimated")
    """How much each pack's own width counts in its limits, from 0 (all packs alike) to 1."""

    seen_sd: Number = Undefined(undefined="not computed")
    """Smallest plant in scores that is found with 80 % probability, in control SD."""

    embedded: tuple[RecallPoint, ...] = ()
    """Plants in a copy of the model's own embeddings, measured anew."""

    embedded_seen_sd: Number = Undefined(undefined="not computed")
    """Smallest of these that is found with 80 % probability, in control SD."""


class ArmRecord(Record):
    """One kind of evidence."""

    arm: str
    """``text``, ``rendered`` or ``photo`` (scored images count as ``photo``)."""

    title: str
    """What was compared with what, in words."""

    role: Literal["decides", "describes"]
    """What the plan lets it do."""

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
    ap_chance: Number = Undefined(undefined="not given")
    """Mean AP lift of a unit that answers at random: above 1 where clusters are few."""


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

    stable: StableUnitsRecord | None = None
    """None where the plan leaves it out or there is no probe."""

    fixed: FixedProbeRecord | None = None
    """None where there is no probe."""

    dense_auroc: Number = Undefined(undefined="not fitted")
    """An L2 logistic classifier on all units, held out by the same folds: what sparseness costs."""

    dense_low: Number = Undefined(undefined="not fitted")
    dense_high: Number = Undefined(undefined="not fitted")

    duality_gap: Number = Undefined(undefined="not computed")
    """How far its sparse fits are from their optimum at most, as a share of the objective; 0 is
    exact."""


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
    encoded: dict[str, int] = Field(default_factory=dict)
    """Distinct stimuli that went through the model, by modality."""

    reused: dict[str, int] = Field(default_factory=dict)
    """Distinct stimuli that came from the cache, by modality."""

    command: str = ""
