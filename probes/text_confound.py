"""Whether a unit's finding is there without text: photos against rendered words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probes.intervals import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A unit's double difference in one arm, with its interval; 0 is neutral."""

    value: float
    low: float
    high: float

    @property
    def is_there(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Confound:
    """Whether a unit answers to what pictures show, or only to what is written."""

    kind: Literal["seen and read", "seen", "read", "opposed", "neither", "unknown"]
    ratio: float
    """Effect on photos over effect on rendered words; NaN where the latter may be 0."""

    low: float
    high: float
    sentence: str


SENTENCES: Mapping[str, str] = {
    "seen and read": "The unit answers to photos as well as to rendered words",
    "seen": "The unit answers to photos; on rendered words no effect stands out",
    "read": "The unit answers to rendered words; on photos no effect stands out, "
    "so the finding may rest on text in pictures",
    "opposed": "The unit answers to photos and to rendered words in opposite directions",
    "neither": "Neither on photos nor on rendered words does an effect stand out",
    "unknown": "One of the two arms was not measured, so reading cannot be told from seeing",
}


def confound(photos: Effect, rendered: Effect) -> Confound:
    """Ask whether a unit's response is there at all without text.

    Parameters
    ----------
    photos, rendered : Effect
        Double difference of the unit, in the same units, on pictures without text and on
        rendered words.

    Returns
    -------
    Confound
        The interval of the ratio joins the two intervals; NaN where it has no bounds.

    References
    ----------
    Donner & Zou (2012), Statistical Methods in Medical Research 21, 347-359, equation 9.

    Examples
    --------
    >>> found = confound(Effect(value=0.1, low=-0.2, high=0.4), Effect(value=2, low=1.5, high=2.5))
    >>> found.kind, found.ratio
    ('read', 0.05)
    """
    kind = _confound_kind(photos, rendered)
    ratio, ends = np.nan, Interval(np.array(np.nan), np.array(np.nan))
    if kind != "unknown" and rendered.is_there:
        ratio, ends = photos.value / rendered.value, _ratio_ends(photos, rendered)
    said = f"{SENTENCES[kind]}."
    if ratio == ratio:
        said = f"{said[:-1]} (ratio {ratio:.2f}, {ends.low:.2f} to {ends.high:.2f})."
    return Confound(
        kind=kind, ratio=ratio, low=float(ends.low), high=float(ends.high), sentence=said
    )


def _confound_kind(
    photos: Effect, rendered: Effect
) -> Literal["seen and read", "seen", "read", "opposed", "neither", "unknown"]:
    if any(x != x for e in (photos, rendered) for x in (e.value, e.low, e.high)):
        return "unknown"
    if photos.is_there and rendered.is_there:
        return "seen and read" if (photos.low > 0) == (rendered.low > 0) else "opposed"
    if photos.is_there or rendered.is_there:
        return "seen" if photos.is_there else "read"
    return "neither"


def _ratio_ends(photos: Effect, rendered: Effect) -> Interval:
    """Interval of a ratio whose denominator is above 0, the signs of both turned if need be."""
    sign = 1.0 if rendered.low > 0 else -1.0
    x, (low, high) = sign * photos.value, sorted((sign * photos.low, sign * photos.high))
    y, (below, above) = sign * rendered.value, sorted((sign * rendered.low, sign * rendered.high))
    return Interval(_ratio_end(x, low, y, above, -1.0), _ratio_end(x, high, y, below, 1.0))


def _ratio_end(x: float, end: float, y: float, other: float, side: float) -> Floats:
    below = other * (2 * y - other)
    inside = (x * y) ** 2 - end * (2 * x - end) * below
    if below <= 0 or inside < 0:
        return np.array(np.nan)
    return np.array((x * y + side * np.sqrt(inside)) / below)
