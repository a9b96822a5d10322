"""Part of the result document that tells what single units answer to, and what they do."""

from typing import Literal

from audit.inputs import Number, Record, Undefined

Arm = Literal["text", "rendered", "photo"]

NOT_SEEN = Undefined(undefined="only one modality was shown")


class LeadRecord(Record):
    """One of the concepts that a unit answers to most in one arm."""

    arm: Arm
    concept: str
    value: Number
    """Correlation with the concept on cluster means; in the text arm, the weight of the concept's
    prompts on the unit in standard deviations over all concepts."""

    low: Number
    high: Number
    ap_lift: Number = Undefined(undefined="not measured in this arm")


class AgreementRecord(Record):
    """Whether the arms name the same concepts for a unit."""

    arms: tuple[Arm, ...]
    shared: tuple[str, ...]
    """Concepts among the strongest three of every arm."""

    chance: Number
    """How often arms that order concepts independently share at least so many."""


class FamilyRecord(Record):
    """The concept set that the strongest concepts of a unit share in one arm."""

    arm: Arm
    set: str
    """Empty where they share none more than by chance."""

    nearest: str = ""
    p: Number


class CurveRecord(Record):
    """Share of a concept among the stimuli of each band of a unit's activation."""

    arm: Arm
    concept: str
    edges: tuple[float, ...]
    """Between bands, in standard deviations from zero; one fewer than there are bands."""

    shares: tuple[Number, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]
    clusters: tuple[int, ...]
    overall: Number
    """Share of the concept among all stimuli: what every band has if the unit does not care."""


class SpreadRecord(Record):
    """Distribution of a unit's activation in one group."""

    arm: Arm
    family: str
    concept: str
    quantiles: tuple[float, ...]
    values: tuple[Number, ...]
    """In standard deviations from zero."""

    median: Number
    low: Number
    high: Number
    clusters: int


class HistogramRecord(Record):
    """Shares of votes in bins of a unit's activation."""

    arm: Arm
    edges: tuple[float, ...]
    """One more than there are bins, in standard deviations from zero."""

    shares: tuple[float, ...]


class ExampleRecord(Record):
    """One stimulus that stands for what a unit answers to."""

    arm: Arm
    kind: Literal["top", "middle", "random"]
    concept: str
    response: Number
    """In standard deviations from zero."""

    picture: str = ""
    """Name within ``pictures.zip``; empty where the plan or a rule keeps it out."""

    map: str = ""
    """The same picture with the unit's contributions to the link, position by position."""

    hidden: str = ""
    """Why there is no picture, or how it was changed."""


class DrawnRecord(Record):
    """A picture drawn by optimisation until the unit answers; it illustrates, no more."""

    how: Literal["phase", "fourier"]
    facet: str = ""
    """Empty, or the kind of picture that was asked for, e.g. ``text``."""

    picture: str
    steps: int
    before: Number
    """Response to the picture that it began as, in standard deviations from zero."""

    after: Number
    strongest_shown: Number
    """Strongest response to any stimulus: drawn pictures often go far beyond it."""


class ContributionRecord(Record):
    """What a unit contributes to a found link, exactly, with attention and norms held."""

    finding: str
    """Id of the finding."""

    value: Number
    """Group's pictures minus the rest of its family: mean contribution to the cosine with the harm
    direction; 0 is neutral."""

    low: Number
    high: Number
    share: Number
    """Of the whole link on the same pictures."""

    place: int
    """1 for the unit of its layer that contributes most."""

    alone: Number = Undefined(undefined="not silenced alone")
    """Drop of the link when this unit alone is silenced."""


class UnitPageRecord(Record):
    """Everything that is told of one unit."""

    layer: str
    pooling: str
    unit: int
    name: str = ""
    """A published name, where it was verified on these weights."""

    findings: tuple[str, ...] = ()
    """Ids of findings that the unit carries, strongest first."""

    story: tuple[str, ...]
    """Who, in which modality, and with what effect when silenced: one sentence each."""

    leads: tuple[LeadRecord, ...] = ()
    agreement: AgreementRecord | None = None
    """None where fewer than two arms saw the unit."""

    families: tuple[FamilyRecord, ...] = ()
    curves: tuple[CurveRecord, ...] = ()
    spreads: tuple[SpreadRecord, ...] = ()
    histograms: tuple[HistogramRecord, ...] = ()
    examples: tuple[ExampleRecord, ...] = ()
    drawn: tuple[DrawnRecord, ...] = ()
    contributions: tuple[ContributionRecord, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be had, and why."""
