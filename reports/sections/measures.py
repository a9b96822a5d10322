"""Every measure of the catalogue: what it found, how sure it is and how it is computed."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from audit.results import AuditResult, MeasurementRecord, MeasureRecord, Undefined
from reports.blocks import ALL_ROWS_LIE_IN, Fact, Table, anchor
from reports.care import as_spoken
from reports.charts import RowChart
from reports.messages import N_, _, ngettext
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    limit,
    percent,
    sentence,
    small,
    together,
)
from reports.readings import Readings, readings_of
from reports.sections.measure_overview import definitions_table, overview_table, told_fully
from reports.sections.measure_tables import Told, measure_chart, measure_tables
from reports.sections.measure_themes import OTHERS, THEMES, Theme
from reports.sections.measure_values import (
    bounds,
    constant,
    small_q,
    worst_first,
)

FEW_CLUSTERS = 12
"""Fewer independent clusters make an interval too narrow."""

COVERED = 93.0
"""Per cent of true values that an interval of 95 % must hold in trials, or the report warns."""

COVERAGE = re.compile(r"(?:\bcovers|\bmeasured coverage)\b[^.;]*%[^.;]*")
"""What a definition says of the true values that its intervals hold."""

LOWEST = re.compile(r"(\d+(?:\.\d+)?)(?: to \d+(?:\.\d+)?)? ?%")

LEGEND = N_(
    "How to read the tables. Value: with its 95 % interval, for one value at a time. Bold: q at or "
    "below {rate}, or a whole interval on one side of neutral, except where neutral is the "
    "smallest possible value. p: exact where every arrangement of "
    "the groups was counted, bounded where p is at most what is shown, sampled where some were "
    "drawn, model where a distribution was assumed; q below it. n: pictures or terms, then "
    "independent clusters. Would see: smallest distance from neutral seen with 80 % power at 5 %; "
    "of shares, in percentage points. In charts a filled diamond stands for bold, an open circle "
    "for the rest."
)

NO_MEASURES = N_(
    "This result carries no measure of the catalogue: it was written before they were taken, or "
    "the audit had nothing to take them from."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureView:
    """What one measure says."""

    anchor: str
    title: str
    meaning: str
    """How to read it: what a positive value means, neutral value, bounds and unit."""

    warnings: tuple[str, ...]
    chart: RowChart | None
    values: tuple[Table, ...]
    """The worst values, then the others for the single page."""

    definition: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeView:
    """Measures that ask one question."""

    title: str
    lead: str
    measures: tuple[MeasureView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuresView:
    """The whole catalogue, from an overview to the definitions."""

    lead: tuple[str, ...]
    legend: str
    overview: Table
    themes: tuple[ThemeView, ...]
    definitions: Table
    """How everything is computed, for the paged edition; on screen each measure tells it."""


def measures_view(result: AuditResult, names: Names) -> MeasuresView | None:
    """Describe the catalogue; None where the result has none."""
    if not result.measures and not result.catalogue:
        return None
    themes = tuple(_themes(result, readings_of(result, names)))
    everything = [told for _theme, measures in themes for told in measures]
    return MeasuresView(
        lead=_lead(result),
        legend=_(LEGEND, rate=limit(result.plan.false_discovery_rate)),
        overview=overview_table(everything),
        themes=tuple(
            ThemeView(
                title=_(theme.title),
                lead=_(theme.lead),
                measures=tuple(_measure_view(m) for m in own),
            )
            for theme, own in themes
        ),
        definitions=definitions_table([told.measure for told in everything]),
    )


def _themes(result: AuditResult, readings: Readings) -> Iterator[tuple[Theme, list[Told]]]:
    """Yield themes that have measures, with the values of each, worst first."""
    rate = result.plan.false_discovery_rate
    entries = [
        Told(
            measure=measure,
            records=tuple(worst_first(_values_of(measure, result), measure, rate)),
            readings=readings,
            rate=rate,
        )
        for measure in _defined_measures(result)
    ]
    named = {name for theme in THEMES for name in theme.measures}
    for theme in THEMES:
        if own := [told for told in entries if told.measure.name in theme.measures]:
            yield theme, own
    if others := [told for told in entries if told.measure.name not in named]:
        yield OTHERS, others


def _values_of(measure: MeasureRecord, result: AuditResult) -> list[MeasurementRecord]:
    return [record for record in result.catalogue if record.measure == measure.name]


def _defined_measures(result: AuditResult) -> tuple[MeasureRecord, ...]:
    """Return the definitions, and a bare one for values whose definition is missing."""
    known = {measure.name for measure in result.measures}
    missing = dict.fromkeys(r.measure for r in result.catalogue if r.measure not in known)
    return (*result.measures, *(_bare(name) for name in missing))


def _bare(name: str) -> MeasureRecord:
    unknown = Undefined(undefined=_("this result does not define the measure"))
    return MeasureRecord(
        name=name,
        title=name,
        neutral=unknown,
        low=unknown,
        high=unknown,
        unit=_("not stated"),
        positive_means=_("This result does not define the measure."),
        formula=_("not stated"),
        source=_("not stated"),
        failure_modes=(),
    )


def _measure_view(told: Told) -> MeasureView:
    return MeasureView(
        anchor=anchor(f"measure-{told.measure.name}"),
        title=told.title,
        meaning=_meaning(told),
        warnings=tuple(_warnings(told)),
        chart=measure_chart(told),
        values=measure_tables(told),
        definition=tuple(_definition(told.measure)),
    )


def _meaning(told: Told) -> str:
    parts = [
        _("Above neutral: {meaning}", meaning=as_spoken(told.measure.positive_means)),
        _neutral(told),
        _("Possible values: {bounds}.", bounds=bounds(told.measure, told.style)),
        _("Unit: {unit}.", unit=as_spoken(told.measure.unit)),
    ]
    if told.shared_lack:
        lack = told.shared_lack.removeprefix("no interval: ").removeprefix("no interval")
        reason = told.readings.phrase(lack)
        parts.append(
            _("No value has an interval: {reason}.", reason=reason)
            if reason
            else _("No value has an interval.")
        )
    if told.shared_setting:
        setting = told.readings.phrase(told.shared_setting)
        parts.append(_("Setting of every value: {setting}.", setting=setting))
    return together(parts)


def _neutral(told: Told) -> str:
    usual = defined(told.measure.neutral)
    if usual is None:
        return _("Neutral value: it depends on the data and stands beside each value.")
    written = constant(usual, told.style)
    if told.records and told.neutral is None:
        return _(
            "Neutral value: {value}, or what chance alone gives, beside each value.", value=written
        )
    return _("Neutral value: {value}.", value=constant(told.neutral or 0.0, told.style))


def _warnings(told: Told) -> Iterator[str]:
    """Say where intervals hold less than they promise."""
    with_interval = [record for record in told.records if defined(record.low) is not None]
    few = [r.clusters for r in with_interval if r.clusters and r.clusters < FEW_CLUSTERS]
    if few:
        yield ngettext(
            "Care with intervals: {few} of {n} interval rest on fewer than {needed} clusters (the "
            "fewest: {fewest}). With so few, the true value is missed more often than one time in "
            "twenty.",
            "Care with intervals: {few} of {n} intervals rest on fewer than {needed} clusters (the "
            "fewest: {fewest}). With so few, the true value is missed more often than one time in "
            "twenty.",
            len(with_interval),
            few=count(len(few)),
            needed=FEW_CLUSTERS,
            fewest=min(few),
        )
    if with_interval:
        for words in _poorly_covered(told.measure):
            yield _("Care with intervals: {what}", what=words)


def _poorly_covered(measure: MeasureRecord) -> Iterator[str]:
    """Quote what the definition says of intervals that hold too few true values."""
    for words in measure.failure_modes:
        if _too_low(words):
            yield told_fully(words)
    clause = COVERAGE.search(measure.formula)
    if clause and _too_low(clause[0]):
        yield told_fully(clause[0])


def _too_low(words: str) -> bool:
    clause = COVERAGE.search(words)
    return clause is not None and any(float(n) < COVERED for n in LOWEST.findall(clause[0]))


def _definition(measure: MeasureRecord) -> Iterator[Fact]:
    yield Fact(label=_("Formula"), value=told_fully(measure.formula))
    yield Fact(label=_("Source"), value=told_fully(measure.source))
    hidden = together(told_fully(words) for words in measure.failure_modes)
    yield Fact(label=_("What it hides or gets wrong"), value=hidden or _("Not stated."))
    yield Fact(label=_("Name in the tables"), value=measure.name, code=True)


def _lead(result: AuditResult) -> tuple[str, ...]:
    records = result.catalogue
    missing = sum(defined(record.value) is None for record in records)
    parts = [_amount(result), *_tested(result)]
    if missing:
        told = ngettext(
            "{n} value could not be had; each says why. That is not zero, and it is not a clean "
            "result.",
            "{n} values could not be had; each says why. That is not zero, and it is not a clean "
            "result.",
            missing,
            n=small(missing),
        )
        parts.append(sentence(told))
    return tuple(parts)


def _amount(result: AuditResult) -> str:
    used = len(_defined_measures(result))
    return ngettext(
        "{n} value of {measures} that the field uses. They describe and do not decide: no verdict, "
        "finding or gate rests on them. {file} has every value; where there are many, this report "
        "tells the most telling of each measure.",
        "{n} values of {measures} that the field uses. They describe and do not decide: no "
        "verdict, finding or gate rests on them. {file} has every value; where there are many, "
        "this report tells the most telling of each measure.",
        len(result.catalogue),
        measures=ngettext("{n} measure", "{n} measures", used),
        file=ALL_ROWS_LIE_IN,
    )


def _tested(result: AuditResult) -> Iterator[str]:
    """Say how many values have a small p, how many chance would give, and what q keeps."""
    with_p = [p for record in result.catalogue if (p := defined(record.p)) is not None]
    if not with_p:
        return
    low, by_chance = sum(p <= 0.05 for p in with_p), math.ceil(0.05 * len(with_p))
    low_ones = ngettext(
        "{n} value of the {tested} tested ones below have p ≤ 0.05;",
        "{n} values of the {tested} tested ones below have p ≤ 0.05;",
        low,
        n=small(low),
        tested=count(len(with_p)),
    )
    expected = ngettext(
        "about {n} such value would be expected by chance alone, and more where only the most "
        "telling are told. That is what q is for: it allows for every test of the catalogue.",
        "about {n} such values would be expected by chance alone, and more where only the most "
        "telling are told. That is what q is for: it allows for every test of the catalogue.",
        by_chance,
        n=small(by_chance),
    )
    yield together([sentence(low_ones), expected, _kept(result)])


def _kept(result: AuditResult) -> str:
    rate = result.plan.false_discovery_rate
    kept = sum(small_q(record, rate) for record in result.catalogue)
    told = ngettext(
        "{n} value has q ≤ {rate}; about {share} of such values are expected to be false alarms.",
        "{n} values have q ≤ {rate}; about {share} of such values are expected to be false alarms.",
        kept,
        n=small(kept),
        rate=limit(rate),
        share=percent(rate, 0),
    )
    return sentence(told)
