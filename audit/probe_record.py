"""Parts of the result document that stand beside a sparse probe: stable units, few units."""

from audit.inputs import Number, Record, Undefined


class StableUnitsRecord(Record):
    """Units that a probe picks on most complementary halves of the clusters."""

    n_units: int
    """How many are stable."""

    units: tuple[tuple[int, float, float], ...]
    """Unit, share of halves that pick it, and mean sign of its weight there (1 for the concept, -1
    against it); the most frequent first, at most 20."""

    threshold: float
    """Share of halves from which a unit is stable."""

    expected_false: Number
    """Bound on how many stable units are expected that a half picks no more often than a random
    draw of ``per_half`` units would; it holds for any number of pairs."""

    per_half: int
    """Units that a half picks, at most."""

    pairs: int
    """Pairs of complementary halves."""

    duality_gap: Number = Undefined(undefined="not computed")
    """As of the probe, over the fits of all halves."""

    reason: str = ""
    """Why nothing could be selected; empty where it could."""


class FixedProbeRecord(Record):
    """A probe of the same question with a fixed number of units, scored on the same folds."""

    wanted: int
    """Number of units asked for."""

    auroc: Number
    """Held out by cluster; 0.5 is chance."""

    low: Number
    high: Number
    units: tuple[tuple[int, float], ...]
    """Unit and signed weight, strongest first; none where the score does not clear chance."""

    reason: str = ""
