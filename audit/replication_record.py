"""Part of the result document that tells whether a second model carries the same links."""

from typing import Literal

from audit.inputs import Number, Record


class OtherEffectRecord(Record):
    """The same link in the other model, in one arm that found it here."""

    arm: str
    effect: Number
    """Double difference, in control standard deviations of the other model; 0 is neutral."""

    low: Number
    """Limits of this link alone, at the plan's alpha."""

    high: Number
    here: Number
    """The effect in the audited model, in control standard deviations of its own."""

    answer: Literal["there", "not there", "open"]
    """*There* where the lower limit is above delta0; *not there* where the limits hold 0 and the
    upper one is below delta1 and below the effect here."""


class ReplicationRecord(Record):
    """The units of one finding and their partners in another model."""

    finding: str
    """Id of the finding."""

    layer: str
    other_layer: str
    arm: str
    """Where the link was looked for: in photos if it was found in them, else in rendered words,
    else in prompts."""

    units: tuple[int, ...]
    partners: tuple[int, ...]
    without_partner: tuple[int, ...]
    carried: Number
    """Mean contribution of the partners to the same link in the other model, up to one positive
    factor per layer."""

    elsewhere: Number
    """The same of equally many other matched units, mean over draws."""

    p: Number
    effect: Number
    """Double difference of the link itself in the other model, in control standard deviations."""

    low: Number
    high: Number
    reason: str
    """Why nothing can be said of units; empty where something can."""

    pooling: str = ""
    other_pooling: str = ""
    effects: tuple[OtherEffectRecord, ...] = ()
    """The link in every arm that found it; ``effect`` is that of ``arm``."""

    carries: bool = False
    """Whether the partners add to the link there, more than sets of other matched units: a link
    that is not there can have partners that add to it, and others that undo it."""


class OtherModelRecord(Record):
    """The second model, and what its units share with those of the audited one."""

    name: str
    weights_digest: str
    matched: Number
    """Share of units with a mutual partner above chance."""

    correlation: Number
    """Median correlation of those with their partners."""

    by_chance: Number
    """Correlation that 95 % of units stay below with their best partner by chance."""

    findings: tuple[ReplicationRecord, ...] = ()
    clusters: int = 0
    """Clusters of pictures that units were matched over, of all kinds together."""

    kinds: tuple[str, ...] = ()
    """Kinds of pictures; each has one vote in the correlation."""
