"""Part of the result document that tells what prompts ask of the units."""

from typing import Literal

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


class RegionIndexRecord(Record):
    """How many units of a layer have places, and nothing else, among the concepts that lead."""

    arm: Literal["text", "rendered"]
    layer: str
    pooling: str = ""
    """Empty in the text arm."""

    concepts: int
    """Concepts that could lead."""

    places: int
    """Those of them that are of the concept set of places."""

    units: int
    """Units whose concepts can be told apart."""

    counts: tuple[int, ...]
    """Units with 0, 1, ... places among their leading five."""

    share: Number
    """Units of which all five are places."""

    low: Number
    """Lower end of Wilson's 95 % interval over units."""

    high: Number
    by_chance: Number
    """The same share if concepts were drawn blindly."""


class TextUnitsRecord(Record):
    """Linearised text: which units prompts ask for, and how much that says."""

    fidelity: tuple[FidelityRecord, ...] = ()
    asked: tuple[AskedRecord, ...] = ()
    note: str = ""
    regions: tuple[RegionIndexRecord, ...] = ()
    """Where the concept sets of the audit have places; of rendered words too."""
