"""Parts of the result document that tell what was measured beside the contrasts."""

from typing import Literal

from pydantic import Field

from audit.inputs import Number, Record, Undefined


class SensitivityRecord(Record):
    """Whether a difference between groups survives other wording and other labels."""

    templates: dict[str, float] = Field(default_factory=dict)
    """The difference with each template alone."""

    template_low: Number = Undefined(undefined="there is a single template")
    template_high: Number = Undefined(undefined="there is a single template")
    template_sd: Number = Undefined(undefined="there is a single template")
    sign_share: Number = Undefined(undefined="there is a single template")
    """Share of templates in which the difference has the same sign."""

    kendall_tau: Number = Undefined(undefined="there is a single template")
    """Mean agreement of the order of the groups between templates; 1 is the same order."""

    label_sets: dict[str, Number] = Field(default_factory=dict)
    """The difference with each other set of labels of the battery."""

    label_rates: dict[str, Number] = Field(default_factory=dict)
    """The group's own rate with each of them."""

    flip_shares: dict[str, Number] = Field(default_factory=dict)
    """Share of the group's pictures whose answer enters or leaves the harm with each of them."""

    fragile: bool
    reason: str
    """Why it counts as fragile, or what it survived, in a sentence."""


class MeasureRecord(Record):
    """A measure that this audit used, and how its values are read."""

    name: str
    title: str
    neutral: Number
    """Undefined where it depends on the data and stands beside every value."""

    low: Number
    """Smallest possible value."""

    high: Number
    """Largest possible value."""

    unit: str
    positive_means: str
    formula: str
    source: str
    failure_modes: tuple[str, ...]
    n_values: int | None = None
    """Values of it in this audit; the document shows the most telling, the tables all."""

    n_tests: int | None = None
    """How many of them have a p."""


class MeasurementRecord(Record):
    """One value of a measure of the catalogue; it describes and decides no verdict."""

    measure: str
    arm: str
    family: str = ""
    """Identity family, or column of groups."""

    identity: str = ""
    """Identity concept, in text and rendered words."""

    group: str = ""
    """``column=value`` of the pictures, two or three of them joined by `` & ``."""

    harm: str = ""
    label: str = ""
    against: str = ""
    setting: str = ""
    """Choices that change the value, e.g. ``k=20, target=base rate``."""

    value: Number
    low: Number = Undefined(undefined="no interval")
    high: Number = Undefined(undefined="no interval")
    neutral: Number
    mde: Number = Undefined(undefined="not computed")
    """Smallest distance from neutral that would be seen with 80 % power at 5 %."""

    p: Number = Undefined(undefined="not tested")
    certainty: Literal["", "exact", "bounded", "sampled", "model"] = ""
    """Where p comes from."""

    q: Number = Undefined(undefined="not tested")
    """Benjamini-Hochberg over every p of the catalogue in this audit."""

    n: int | None = None
    clusters: int | None = None
    reading: str
    """What the value says, in one plain sentence."""

    reason: str = ""


class RateRecord(Record):
    """Behaviour: how often a label or harm family is the model's answer for a group."""

    column: str
    """Group column, or two joined by `` & ``."""

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
    p: Number = Undefined(undefined="not tested")
    """Of the difference, by shuffling clusters between the group and everybody else."""

    q: Number = Undefined(undefined="not tested")
    """Benjamini-Hochberg over every difference of harm families in this audit."""

    mde: Number = Undefined(undefined="not computed")
    """Difference that would be seen with 80 % power at 5 %."""

    labels: Literal["standard", "deployment"] = "standard"
    """Whose labels the pictures chose among."""

    sensitivity: SensitivityRecord | None = None
    """For differences that stand out."""

    reason: str = ""
