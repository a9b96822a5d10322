"""Part of the result document that tells whether a second model carries the same links."""

from audit.inputs import Number, Record


class ReplicationRecord(Record):
    """The units of one finding and their partners in another model."""

    finding: str
    """Id of the finding."""

    layer: str
    other_layer: str
    arm: str
    """Whose pictures were used."""

    units: tuple[int, ...]
    partners: tuple[int, ...]
    without_partner: tuple[int, ...]
    carried: Number
    """Mean contribution of the partners to the same link in the other model."""

    elsewhere: Number
    """The same of equally many other matched units, mean over draws."""

    p: Number
    effect: Number
    """Double difference of the link itself in the other model, in control standard deviations."""

    low: Number
    high: Number
    reason: str


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
