"""Part of the result document that tells whether a probe of a harm also finds the group."""

from audit.inputs import Number, Record, Undefined

NOT_GIVEN = Undefined(undefined="not given")


class TransferRecord(Record):
    """A probe learnt on one question and read on another: a line of evidence, not a verdict."""

    finding: str
    """Id of the finding."""

    arm: str
    """Whose pictures of the group and of the rest of its family were used."""

    harm_arm: str = "rendered"
    """Whose pictures of the harm and of control packs were used."""

    layer: str
    pooling: str
    direction: str
    """``harm to group`` or ``group to harm``."""

    auroc: Number
    """On the other question's clusters; 0.5 is neutral, above it the probe of one points to the
    other."""

    low: Number
    high: Number
    p: Number = NOT_GIVEN
    """Share of probes learnt on shuffled labels that reach ``auroc``, one-sided."""

    p_adjusted: Number = NOT_GIVEN
    """By Holm over the lines of the finding that could be read."""

    holds: bool = False
    """Whether ``p_adjusted`` is at most the plan's alpha and ``low`` is above 0.5."""

    shuffles: int = 0
    """Probes learnt on shuffled labels; where several reach ``auroc`` early there are fewer."""

    selectivity: Number
    """AUROC minus the mean of probes learnt on shuffled labels; 0 is neutral."""

    own_auroc: Number = NOT_GIVEN
    """Of the probe on its own question, held out by cluster; near 0.5 there is nothing to
    transfer."""

    own_low: Number = NOT_GIVEN
    own_high: Number = NOT_GIVEN
    units: tuple[tuple[int, float], ...] = ()
    """Unit and signed weight of the probe, strongest first; none where it does not tell its own
    question."""

    reason: str = ""
    """Why ``auroc`` could not be had; empty where it could."""
