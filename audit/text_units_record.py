"""Part of the result document that tells what prompts ask of the units."""

from audit.inputs import Number, Record


class FidelityRecord(Record):
    """How far the linear reading of a layer goes with the model's own scores, over pictures."""

    layer: str
    how: str
    """``head-blind``, ``head-weighted`` or ``second-order``."""

    arm: str
    """Whose pictures it was measured on."""

    texts: int
    median: Number
    """Correlation over pictures, median over prompts; 1 is perfect, 0 is none."""

    lowest: Number
    low: Number
    """Lower end of the 95 % interval of the prompt with the median."""

    high: Number
    clusters: int
    reason: str = ""


class AskedRecord(Record):
    """The units that the prompts of a concept ask for most."""

    concept: str
    layer: str
    units: tuple[tuple[int, float], ...]
    """Unit and weight in standard deviations over all concepts, strongest first, at most 10."""


class TextUnitsRecord(Record):
    """Linearised text: which units prompts ask for, and how much that says."""

    fidelity: tuple[FidelityRecord, ...] = ()
    asked: tuple[AskedRecord, ...] = ()
    note: str = ""
