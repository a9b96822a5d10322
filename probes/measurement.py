"""What a measure is, and one value of it: a row of the tidy table."""

import math
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from probes.errors import MeasureError

ARMS = ("text", "rendered", "photo", "behaviour", "probe", "causal")
"""Kinds of evidence."""

COLUMNS = (
    "arm",
    "measure",
    "family",
    "identity",
    "harm",
    "against",
    "concept",
    "group",
    "label",
    "setting",
    "template",
    "layer",
    "unit",
    "pooling",
    "value",
    "low",
    "high",
    "neutral",
    "mde",
    "p",
    "certainty",
    "q",
    "n",
    "clusters",
    "reason",
)
"""Columns of the tidy table of all measurements, in order."""

Certainty = Literal["", "exact", "bounded", "sampled", "model"]
"""Where a p comes from: every arrangement counted, counted up to an error that is bounded (p is
then the upper bound), some of them drawn, or a distribution assumed; empty where there is no p."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The definition of a measure: how to compute it and how to read it."""

    name: str
    """Key in ``probes.measures.MEASURES`` and value of the column ``measure``."""

    title: str
    """What the field calls it, as a heading."""

    neutral: float
    """The value that means "no association"; NaN where it depends on the data and stands beside
    every value."""

    low: float
    """Smallest possible value; ``-inf`` where there is none."""

    high: float
    """Largest possible value; ``inf`` where there is none."""

    unit: str
    """What the numbers count: cosine, share, standard deviations, ..."""

    positive_means: str
    """How to read a value above ``neutral``, in one sentence."""

    formula: str
    """Plain-text definition, including how the interval is made."""

    source: str
    """Where the definition comes from."""

    failure_modes: tuple[str, ...]
    """What the number hides or gets wrong; printed beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number with what is known of its uncertainty; NaN where it could not be had."""

    value: float
    low: float = math.nan
    """Lower end of the 95 % interval."""

    high: float = math.nan
    p: float = math.nan
    certainty: Certainty = ""
    n: int | None = None
    """Stimuli that the value rests on."""

    clusters: int | None = None
    """Independent clusters among them."""

    neutral: float = math.nan
    """What the value would be without an association, where the data decide that."""

    mde: float = math.nan
    """Smallest distance from neutral that would be seen with 80 % power at 5 %."""

    reason: str = ""
    """Why the value is undefined, or why it has no interval."""


def undefined(reason: str, *, n: int | None = None, clusters: int | None = None) -> Estimate:
    """Return an estimate that could not be had, with the reason.

    Examples
    --------
    >>> undefined("every score is the same").value
    nan
    """
    return Estimate(value=math.nan, reason=reason, n=n, clusters=clusters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value of one measure, and what it is a value of.

    Text columns that do not apply are empty; numbers that do not apply are NaN or None.

    Raises
    ------
    MeasureError
        If the arm is unknown, or a value or an interval's end is missing without a reason.

    Examples
    --------
    >>> row = Measurement(arm="behaviour", measure="argmax_rate", group="trade=baker", value=0.25)
    >>> dict(zip(COLUMNS, row.as_row(), strict=True))["group"]
    'trade=baker'
    >>> Measurement(arm="text", measure="auroc", value=float("nan"))
    Traceback (most recent call last):
    probes.errors.MeasureError: A measurement without a value needs a reason; got auroc of '' \
without one.
    """

    arm: str
    """One of ``ARMS``."""

    measure: str
    """Name in ``probes.measures.MEASURES``."""

    value: float
    """NaN if it could not be had; then ``reason`` says why."""

    family: str = ""
    """Identity family, or column of groups, within which groups are compared."""

    identity: str = ""
    """``Concept.ref`` of the identity side of a contrast."""

    harm: str = ""
    """``Concept.ref`` of the harm side of a contrast, or the harm family of a rate."""

    against: str = ""
    """What the harm or the group is held against: a mirror pack, another group, the rest."""

    concept: str = ""
    """``Concept.ref`` that a unit or probe is measured against."""

    group: str = ""
    """``column=value`` of the pictures, two of them joined by `` & `` for a crossing."""

    label: str = ""
    """Label that the model chose among."""

    setting: str = ""
    """Choices that change the value, e.g. ``k=20, target=base rate`` or ``centred``."""

    template: str = ""
    layer: str = ""
    unit: int | None = None
    """Index into the layer's units."""

    pooling: str = ""
    low: float = math.nan
    """Lower end of the interval."""

    high: float = math.nan
    """Upper end of the interval."""

    neutral: float = math.nan
    """The neutral value, where it depends on the data."""

    mde: float = math.nan
    """Smallest distance from neutral that would be seen with 80 % power at 5 %."""

    p: float = math.nan
    certainty: Certainty = ""
    q: float = math.nan
    """``p`` after adjustment for multiplicity."""

    n: int | None = None
    """Stimuli that the value rests on."""

    clusters: int | None = None
    """Independent clusters among them."""

    reason: str = ""
    """Why the value, or its interval, is undefined."""

    reading: str = ""
    """What the value says, in one plain sentence; not a column of the table."""

    def __post_init__(self) -> None:
        if self.arm not in ARMS:
            near = get_close_matches(self.arm, ARMS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise MeasureError(f"An arm must be one of {ARMS}; got {self.arm!r}.{hint}")
        if math.isnan(self.value) and not self.reason:
            raise MeasureError(
                "A measurement without a value needs a reason; "
                f"got {self.measure} of {self._subject()!r} without one."
            )
        if self.low > self.high:
            raise MeasureError(
                f"An interval must not end before it begins; got {self.low} to {self.high} "
                f"for {self.measure} of {self._subject()!r}."
            )

    def as_row(self) -> tuple[str | float | int | None, ...]:
        """Return the values in the order of ``COLUMNS``."""
        return tuple(getattr(self, column) for column in COLUMNS)

    def _subject(self) -> str:
        sides = (self.identity, self.harm, self.concept, self.group, self.label)
        return " x ".join(side for side in sides if side)


def measured(
    measure: str,
    arm: str,
    estimate: Estimate,
    *,
    family: str = "",
    identity: str = "",
    harm: str = "",
    against: str = "",
    group: str = "",
    label: str = "",
    setting: str = "",
    template: str = "",
    reading: str = "",
) -> Measurement:
    """Say what an estimate is a value of.

    Examples
    --------
    >>> measured("weat", "text", Estimate(value=0.4, n=32), identity="regions/a", harm="h").value
    0.4
    """
    return Measurement(
        arm=arm,
        measure=measure,
        family=family,
        identity=identity,
        harm=harm,
        against=against,
        group=group,
        label=label,
        setting=setting,
        template=template,
        reading=reading,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        neutral=estimate.neutral,
        mde=estimate.mde,
        p=estimate.p,
        certainty=estimate.certainty,
        n=estimate.n,
        clusters=estimate.clusters,
        reason=estimate.reason,
    )
