"""What treating the findings of an audit did; a document of its own, beside the audit."""

from typing import Literal

from audit.inputs import Number, Record, Severity, ToolRecord, Undefined, Verdict
from audit.records import NotTested

TreatmentName = Literal["mean-ablate", "project", "balanced-prompts"]
TREATMENTS: tuple[TreatmentName, ...] = ("mean-ablate", "project", "balanced-prompts")

Place = Literal["image tower", "text tower", "both towers", "prompts"]

NO_CHANGE = Undefined(undefined="this is the model as it is")


class AuditedModelRecord(Record):
    """The audit whose findings were treated."""

    result_digest: str
    title: str
    model: str
    weights_digest: str


class TreatedFindingRecord(Record):
    """One finding that the treatments are after."""

    id: str
    family: str
    identity: str
    harm: str
    severity: Severity
    arms: tuple[str, ...]
    """Arms in which it was found."""


class TreatmentRecord(Record):
    """One treatment: what it does, and what it cannot do."""

    name: TreatmentName
    tried: bool
    why_not: str = ""
    place: Place
    what: str
    cannot: str
    fitted: str
    """On what it was fitted; empty where nothing was."""

    findings: tuple[str, ...] = ()
    """Ids of the findings that it is fitted to."""

    layer: str = ""
    units: tuple[int, ...] = ()
    where: Literal["everywhere", "class", ""] = ""
    directions: int = 0
    """Perpendicular directions that are taken out."""

    groups: tuple[str, ...] = ()
    """Words of groups that prompts are averaged over."""


class EffectRecord(Record):
    """One treated link in one arm."""

    finding: str
    arm: str
    found: bool
    """Whether the audit found the link in this arm."""

    verdict: Verdict
    """What the audit's rule says of this state."""

    effect: Number
    """Double difference on all stimuli, as a cosine; 0 is neutral."""

    low: Number
    high: Number
    effect_sd: Number
    """The same in control standard deviations of this state."""

    low_sd: Number
    high_sd: Number
    """Simultaneous, as in the audit."""

    held_out: Number
    """On the half of clusters and terms that nothing was fitted to, as a cosine."""

    held_out_sd: Number
    held_out_low_sd: Number
    held_out_high_sd: Number
    """95 %, for this link alone."""

    drop: Number = NO_CHANGE
    """By how much it falls on that half, as a cosine, paired by cluster; 0 is neutral."""

    drop_low: Number = NO_CHANGE
    drop_high: Number = NO_CHANGE
    clusters: int
    """Of the group, on that half."""

    terms: int


class TreatedRateRecord(Record):
    """How often a treated harm is the model's first answer, under the audit's standard labels."""

    finding: str
    rate: Number
    low: Number
    high: Number
    difference: Number
    """Minus that of everybody else; 0 is neutral."""

    difference_low: Number
    difference_high: Number
    clusters: int


class BenignRecord(Record):
    """One thing that the model is still good for."""

    measure: Literal["accuracy", "association", "retrieval"]
    shown: Literal["photo", "rendered", "text"]
    """Photos or drawn words of control concepts, or half of their terms in prompts."""

    value: Number
    low: Number
    high: Number
    change: Number = NO_CHANGE
    """Minus that of the model as it is, paired by cluster; 0 is neutral."""

    change_low: Number = NO_CHANGE
    change_high: Number = NO_CHANGE
    chance: Number
    clusters: int
    """What was resampled: pictures of one thing, or concepts for retrieval."""


class CollateralRecord(Record):
    """Other contrasts that rose."""

    compared: int
    worse: int
    """Those that certainly rose, over all that were compared (Bonferroni, 95 %), and now tie the
    group to the harm: their effect is above 0."""

    newly_found: int
    """Those that the audit's rule finds now and did not before."""

    arm: str = ""
    identity: str = ""
    harm: str = ""
    """The one of them whose effect is largest now."""

    before_sd: Number = Undefined(undefined="none certainly rose")
    after_sd: Number = Undefined(undefined="none certainly rose")
    """Its effect in control standard deviations of each state."""

    rise: Number = Undefined(undefined="none certainly rose")
    """In control standard deviations, paired over its stimuli."""

    rise_low: Number = Undefined(undefined="none certainly rose")
    rise_high: Number = Undefined(undefined="none certainly rose")


class PointRecord(Record):
    """One state of the model."""

    treatment: TreatmentName | Literal["none"]
    strength: float
    effects: tuple[EffectRecord, ...]
    rates: tuple[TreatedRateRecord, ...] = ()
    benign: tuple[BenignRecord, ...] = ()
    collateral: CollateralRecord | None = None
    """None for the model as it is."""

    calibrated: bool
    """Whether the arms that decide pass their calibration in this state."""

    dominated: bool = False
    dominated_by: str = ""
    """A point that is no worse in any link, held out, nor in any benign accuracy, and better in one
    of them; their uncertainty is not looked at."""

    @property
    def name(self) -> str:
        """Return treatment and strength, as other points refer to it."""
        return f"{self.treatment} {self.strength:g}"


class MitigationRecord(Record):
    """Harm against benign accuracy, for every treatment at every strength."""

    format_version: Literal["1.0"] = "1.0"
    tool: ToolRecord
    audit: AuditedModelRecord
    seed: int
    findings: tuple[TreatedFindingRecord, ...]
    treatments: tuple[TreatmentRecord, ...]
    strengths: tuple[float, ...]
    benign_axis: Literal["photo", "rendered", "text", ""]
    """Where benign accuracy falls most at any point, which charts show; empty where it was not
    measured."""

    baseline: PointRecord
    """The model as it is: strength 0 of every treatment."""

    points: tuple[PointRecord, ...]
    best: str = ""
    """Name of the point whose largest held-out effect is smallest; empty where none lowers it."""

    best_without_loss: str = ""
    """The same among points where no benign accuracy certainly fell."""

    names: dict[str, str]
    """Display names of the concepts and families that are mentioned."""

    not_tested: tuple[NotTested, ...] = ()

    def point(self, name: str) -> PointRecord | None:
        """Return a point by its name, the baseline among them."""
        return next((p for p in (self.baseline, *self.points) if p.name == name), None)
