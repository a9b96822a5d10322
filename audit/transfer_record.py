"""Part of the result document that tells whether a probe of a harm also finds the group."""

from audit.inputs import Number, Record


class TransferRecord(Record):
    """A probe learnt on one question and read on another: a line of evidence, not a verdict."""

    finding: str
    """Id of the finding."""

    arm: str
    """Whose pictures were used."""

    layer: str
    pooling: str
    direction: str
    """``harm to group`` or ``group to harm``."""

    auroc: Number
    """On the other question's clusters; 0.5 is neutral, above it the probe of one points to the
    other."""

    low: Number
    high: Number
    selectivity: Number
    """AUROC minus the mean of probes learnt on shuffled labels; 0 is neutral."""

    units: tuple[tuple[int, float], ...] = ()
    reason: str = ""
