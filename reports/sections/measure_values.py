"""How the values of one measure are written, ordered and told apart from neutral."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from audit.results import MeasurementRecord, MeasureRecord, Number, Undefined
from reports.messages import _
from reports.quantities import defined, limit, number, per_cent, signed, undefined_word
from reports.sections.measure_themes import HIGHER_IS_WORSE, LOWER_IS_WORSE, WRITTEN_PLAIN

SMALL_STEPS = ((0.05, 4), (1.0001, 3), (10.0, 2), (1000.0, 1))
"""Largest size up to which values get so many decimal places."""

MOST_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the values of one measure are written."""

    digits: int
    percent: bool = False
    """Shares are written in per cent."""

    points: bool = False
    """Differences of shares are written in percentage points, with their sign."""

    def write(self, value: Number) -> str:
        """Write one value; one that could not be had says so."""
        if isinstance(value, Undefined):
            return undefined_word()
        if self.points:
            return signed(100 * value, self.digits)
        if self.percent:
            return per_cent(number(100 * value, self.digits))
        return number(value, self.digits)

    def range(self, low: Number, high: Number) -> str:
        """Write an interval; empty where either end is undefined."""
        if isinstance(low, Undefined) or isinstance(high, Undefined):
            return ""
        if self.percent:
            lowest = number(100 * low, self.digits)
            return _("{low} to {high}", low=lowest, high=self.write(high))
        return _("{low} to {high}", low=self.write(low), high=self.write(high))

    def step(self, size: Number) -> str:
        """Write a distance between two values: of shares, in percentage points."""
        if isinstance(size, Undefined):
            return undefined_word()
        return number(self.factor * size, self.digits)

    @property
    def factor(self) -> float:
        """What a value is multiplied by before it is written or drawn."""
        return 100.0 if self.percent or self.points else 1.0

    @property
    def drawn(self) -> str:
        """Name what the axis of a chart counts in beside the unit; empty where that says it."""
        if self.points:
            return _("percentage points")
        return _("per cent") if self.percent else ""

    @property
    def value_head(self) -> str:
        """Head of the column of values."""
        return _("Value, points") if self.points else _("Value")


def style_of(measure: MeasureRecord, records: Sequence[MeasurementRecord]) -> Style:
    """Choose how to write the values of a measure: as many digits as their size asks for."""
    if measure.unit.startswith("share") and measure.name not in WRITTEN_PLAIN:
        least = defined(measure.low)
        below = least is None or least < 0
        return Style(digits=1, percent=not below, points=below)
    return Style(digits=max(_digits_of_size(records), _digits_of_width(records)))


def _digits_of_size(records: Sequence[MeasurementRecord]) -> int:
    """Return more digits for smaller numbers."""
    numbers = [n for r in records for n in (r.value, r.low, r.high, r.neutral)]
    largest = max((abs(v) for n in numbers if (v := defined(n)) is not None), default=1.0)
    return next((digits for size, digits in SMALL_STEPS if largest <= size), 0)


def _digits_of_width(records: Sequence[MeasurementRecord]) -> int:
    """Return the digits with which the ends of a typical interval differ."""
    ends = [(defined(record.low), defined(record.high)) for record in records]
    widths = sorted(high - low for low, high in ends if low is not None and high is not None)
    typical = widths[len(widths) // 2] if widths else 1.0
    return 0 if typical <= 0 else min(MOST_DIGITS, math.ceil(-math.log10(typical)) + 1)


def neutral_of(record: MeasurementRecord, measure: MeasureRecord) -> float | None:
    """Return the neutral value of one row: its own, else the measure's."""
    own = defined(record.neutral)
    return defined(measure.neutral) if own is None else own


def excludes_neutral(record: MeasurementRecord, measure: MeasureRecord) -> bool:
    """Tell whether the whole interval lies on one side of the neutral value.

    Never where neutral is the smallest possible value: there every interval of a share or a
    maximum that is not 0 lies above it, difference or none.
    """
    low, high = defined(record.low), defined(record.high)
    neutral, least = neutral_of(record, measure), defined(measure.low)
    if low is None or high is None or neutral is None or neutral == least:
        return False
    return low > neutral or high < neutral


def small_q(record: MeasurementRecord, rate: float) -> bool:
    """Tell whether the value is kept at a false discovery rate."""
    q = defined(record.q)
    return q is not None and q <= rate


def excess(record: MeasurementRecord, measure: MeasureRecord) -> float | None:
    """Return the distance from neutral, positive towards harm; None where it could not be had.

    Where a value names no harm and the measure goes both ways, so does the distance: more of one
    group is less of another. A measure that ends at its neutral value can only fall short of it.
    """
    value, neutral = defined(record.value), neutral_of(record, measure)
    if value is None:
        return None
    distance = value - (neutral or 0.0)
    highest = defined(measure.high)
    if measure.name in LOWER_IS_WORSE or (highest is not None and highest == neutral):
        return -distance
    return abs(distance) if _both_ways(record, measure) else distance


def _both_ways(record: MeasurementRecord, measure: MeasureRecord) -> bool:
    if record.harm or measure.name in HIGHER_IS_WORSE:
        return False
    low, high = defined(measure.low), defined(measure.high)
    middle = defined(measure.neutral) or 0.0
    if low is None or high is None:
        return low is None and high is None
    return low < middle < high


def worst_first(
    records: Sequence[MeasurementRecord], measure: MeasureRecord, rate: float
) -> list[MeasurementRecord]:
    """Order values kept at the false discovery rate first, then by distance; undefined last."""

    def rank(record: MeasurementRecord) -> tuple[int, float, str, str, str]:
        distance = excess(record, measure)
        names = (record.group or record.identity, record.harm or record.label, record.setting)
        if distance is None:
            return 3, 0.0, *names
        harmful = distance > 0
        tier = 2
        if harmful and small_q(record, rate):
            tier = 0
        elif harmful and excludes_neutral(record, measure):
            tier = 1
        return tier, -distance, *names

    return sorted(records, key=rank)


def constant(value: float, style: Style) -> str:
    """Write a number of a definition, such as a bound, with no digits that it does not need.

    Examples
    --------
    >>> constant(-4.0, Style(digits=3)), constant(0.5, Style(digits=1, percent=True))
    ('−4', '50 %')
    """
    if style.percent:
        return _("{number} %", number=limit(100 * value))
    return _("{number} points", number=limit(100 * value)) if style.points else limit(value)


def bounds(measure: MeasureRecord, style: Style) -> str:
    """Say which values a measure can take."""
    low, high = defined(measure.low), defined(measure.high)
    if low is not None and high is not None:
        return _("{low} to {high}", low=constant(low, style), high=constant(high, style))
    if low is not None:
        return _("{low} or more", low=constant(low, style))
    return _("not bounded") if high is None else _("{high} or less", high=constant(high, style))
