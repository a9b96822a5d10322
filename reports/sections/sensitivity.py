"""Whether differences in what the model answers survive other wording and other labels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.results import Number, RateRecord, SensitivityRecord
from reports.blocks import NOTHING, Cell, Column, Hold, Table, table, text
from reports.charts import Estimate, RowChart, row_chart, with_range
from reports.messages import N_, _, ngettext, pgettext, stored
from reports.names import Names
from reports.quantities import (
    defined,
    listed_plainly,
    number,
    percent,
    points,
    sentence,
    small,
    together,
)
from reports.sections.rate_names import group_name, severity_of, target_name

LABEL_SETS_ACROSS = 6
"""Sets of labels that one table shows side by side."""

ROWS_IN_PAGES = 14
CHART_ROWS = 14
CHART_NEEDS = 2
"""Differences that a chart needs: of one, the table says it all."""

NOTE = N_(
    "Pooled: difference to everybody else with all templates together, in percentage points. Over "
    "templates: smallest and largest difference with one template alone, and their standard "
    "deviation. Same sign: share of templates with the sign of the pooled difference. Same order: "
    "mean Kendall’s tau of the order of the groups between templates; 1 is the same order, 0 none."
)

SINGLE_NOTE = N_(
    "Pooled: difference to everybody else, in percentage points. There is a single template, so "
    "nothing is known of other wording."
)

LABEL_NOTE = N_(
    "The same pictures, offered other sets of labels: rate of the group, then difference to "
    "everybody else in percentage points, then the share of its pictures whose answer enters or "
    "leaves the harm."
)

CHART_LEGEND = N_(
    "Lines: from the smallest to the largest difference with one template alone. Filled diamond: "
    "holds. Cross: fragile."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityView:
    """What other wording and other labels do to the differences."""

    lead: str
    chart: RowChart | None
    legend: str
    templates: Table
    label_sets: tuple[Table, ...]


def hold_of(rate: RateRecord) -> Hold:
    """Return the mark of a difference; empty where nobody looked."""
    if rate.sensitivity is None:
        return ""
    return "fragile" if rate.sensitivity.fragile else "holds"


def hold_cell(rate: RateRecord, note: str = "") -> Cell:
    """Show the mark in a table; a dot where nobody looked."""
    hold = hold_of(rate)
    return Cell(text="" if hold else NOTHING, hold=hold, note=note)


def reason_after_mark(rate: RateRecord, names: Names) -> str:
    """Return the reason as it goes on after the mark, which is not said twice.

    A reason may begin with the word of the mark: ``Fragile: it has ...`` goes on ``: it has ...``.
    """
    if rate.sensitivity is None:
        return ""
    words = names.sentence(names.hidden_within(rate.sensitivity.reason))
    mark = hold_word(hold_of(rate))
    if words.startswith(mark):
        return words.removeprefix(mark)
    return pgettext("after a mark", ". {words}", words=words)


def hold_word(hold: Hold) -> str:
    """Say a mark at the start of a sentence; empty where nobody looked."""
    if not hold:
        return ""
    return pgettext("mark", "Fragile") if hold == "fragile" else pgettext("mark", "Holds")


def sensitivity_view(
    prefix: str, rates: Sequence[RateRecord], names: Names
) -> SensitivityView | None:
    """Describe every rate whose sensitivity was measured; None where none was."""
    examined = [(rate, s) for rate in rates if (s := rate.sensitivity) is not None]
    if not examined:
        return None
    return SensitivityView(
        lead=_lead([sensitivity for _, sensitivity in examined]),
        chart=_chart(prefix, examined, names),
        legend=_(CHART_LEGEND),
        templates=_template_table(prefix, examined, names),
        label_sets=tuple(_label_tables(prefix, examined, names)),
    )


Examined = tuple[RateRecord, SensitivityRecord]


def _lead(examined: Sequence[SensitivityRecord]) -> str:
    fragile = sum(sensitivity.fragile for sensitivity in examined)
    n = len(examined)
    differences = ngettext("{n} difference", "{n} differences", n, n=small(n))
    of_them = _("{n} of them", n=small(fragile)) if fragile else _("none of them")
    return _(
        "A difference that depends on one wording or one set of labels says little about others. "
        "Those that stand out were measured again, with each template alone and with other sets "
        "of labels: {differences}, {of_them} fragile. A fragile difference is there with these "
        "words and pictures; it must not be told as a property of the model.",
        differences=differences,
        of_them=of_them,
    )


def _template_table(prefix: str, examined: Sequence[Examined], names: Names) -> Table:
    several = any(defined(s.template_low) is not None for _, s in examined)
    spread = [
        Column(head=_("Over templates"), align="number", width="span"),
        Column(head=_("Same sign"), align="number", width="slim"),
        Column(head=_("Same order"), align="number", width="slim"),
    ]
    return table(
        f"{prefix}-templates",
        _("Does it hold with other wording?") if several else _("Does it hold?"),
        [
            Column(head=_("Group"), width="name"),
            Column(head=_("Answer"), width="name"),
            Column(head=_("Pooled"), align="number", width="slim"),
            *(spread if several else []),
            Column(head=_("Mark"), width="wide"),
        ],
        (
            (
                *_subject(rate, names),
                text(points(rate.difference)),
                *(_over_templates(sensitivity) if several else ()),
                hold_cell(rate, sentence(reason_after_mark(rate, names).lstrip(":.：。 "))),
            )
            for rate, sensitivity in examined
        ),
        print_limit=ROWS_IN_PAGES,
        note=_(NOTE) if several else _(SINGLE_NOTE),
        compact=True,
    )


def _over_templates(sensitivity: SensitivityRecord) -> tuple[Cell, ...]:
    share, order = sensitivity.sign_share, sensitivity.kendall_tau
    return (
        _spread(sensitivity),
        text(_or_why(percent(share, 0), share)),
        text(_or_why(number(order, 2), order)),
    )


def _subject(rate: RateRecord, names: Names) -> tuple[Cell, Cell]:
    return (
        text(group_name(rate, names)),
        Cell(text=target_name(rate, names), severity=severity_of(rate, names)),
    )


def _spread(sensitivity: SensitivityRecord) -> Cell:
    low, high = defined(sensitivity.template_low), defined(sensitivity.template_high)
    if low is None or high is None:
        return text(NOTHING, _or_why("", sensitivity.template_low))
    deviation = defined(sensitivity.template_sd)
    note = "" if deviation is None else _("SD {value}", value=number(100 * deviation))
    n = len(sensitivity.templates)
    counted = ngettext("{n} template", "{n} templates", n) if n else ""
    return text(_range(low, high), listed_plainly(filter(None, [note, counted])))


def _range(low: Number, high: Number) -> str:
    """Write both ends of a spread, with their signs."""
    return _("{low} to {high}", low=points(low), high=points(high))


def _or_why(written: str, value: Number) -> str:
    return written if defined(value) is not None else stored(getattr(value, "undefined", ""))


def _label_tables(prefix: str, examined: Sequence[Examined], names: Names) -> Iterable[Table]:
    """Lay out rates by set of labels, in parts where there are many sets."""
    sets = list(dict.fromkeys(name for _, s in examined for name in s.label_sets))
    parts = -(-len(sets) // LABEL_SETS_ACROSS)
    size = -(-len(sets) // parts) if parts else 0
    for part in range(parts):
        some = sets[part * size : (part + 1) * size]
        caption = _("Does it hold with other labels?")
        if parts > 1:
            counted = _("{part} of {parts}", part=part + 1, parts=parts)
            caption = with_range(caption, counted)
        yield table(
            f"{prefix}-label-sets-{part + 1}",
            caption,
            [
                Column(head=_("Group and answer"), width="name"),
                Column(head=_("As measured"), align="number"),
                *(Column(head=_set_name(name, names), align="number") for name in some),
            ],
            (
                (
                    Cell(text=group_name(rate, names), note=target_name(rate, names)),
                    text(percent(rate.rate), points(rate.difference)),
                    *(_label_cell(sensitivity, name) for name in some),
                )
                for rate, sensitivity in examined
                if sensitivity.label_sets
            ),
            print_limit=ROWS_IN_PAGES,
            note=_(LABEL_NOTE),
            compact=True,
        )


def label_set_list(id: str, rate: RateRecord, names: Names) -> Table | None:
    """Lay out one difference with every set of labels below each other; None where none was tried.

    A finding has one or two such differences, which leaves room for words.
    """
    sensitivity = rate.sensitivity
    if sensitivity is None or not sensitivity.label_sets:
        return None
    base = (
        text(_("As measured")),
        text(percent(rate.rate)),
        text(points(rate.difference)),
        text(""),
    )
    return table(
        id,
        _("With other sets of labels"),
        [
            Column(head=_("Labels"), width="wide"),
            Column(head=_("Rate"), align="number"),
            Column(head=_("Difference, points"), align="number"),
            Column(head=_("Answers that change"), align="number"),
        ],
        [base, *(_label_row(sensitivity, name, names) for name in sensitivity.label_sets)],
        compact=True,
    )


def _label_row(sensitivity: SensitivityRecord, name: str, names: Names) -> tuple[Cell, ...]:
    rate, flips = sensitivity.label_rates.get(name), sensitivity.flip_shares.get(name)
    return (
        text(sentence(_set_name(name, names))),
        text(NOTHING if rate is None else percent(rate)),
        text(points(sensitivity.label_sets[name])),
        text(NOTHING if flips is None else percent(flips, 0)),
    )


def _set_name(name: str, names: Names) -> str:
    return stored(names.hidden_within(name))


def _label_cell(sensitivity: SensitivityRecord, name: str) -> Cell:
    difference = sensitivity.label_sets.get(name)
    if difference is None:
        return Cell(text=NOTHING)
    rate, flips = sensitivity.label_rates.get(name), sensitivity.flip_shares.get(name)
    parts = [points(difference)]
    if flips is not None:
        parts.append(_("{share} change", share=percent(flips, 0)))
    between = pgettext("between clauses", "; ")
    return text("" if rate is None else percent(rate), between.join(parts))


def _chart(prefix: str, examined: Sequence[Examined], names: Names) -> RowChart | None:
    drawn = [(rate, s) for rate, s in examined if defined(s.template_low) is not None]
    if len(drawn) < CHART_NEEDS:
        return None
    return row_chart(
        f"{prefix}-spread",
        "forest",
        _("Spread of the differences over templates"),
        together([_(CHART_LEGEND), _("The numbers are in the table below.")]),
        _("difference to everybody else, percentage points; 0 is neutral"),
        [_estimate(rate, sensitivity, names) for rate, sensitivity in drawn[:CHART_ROWS]],
    )


def _estimate(rate: RateRecord, sensitivity: SensitivityRecord, names: Names) -> Estimate:
    low, high = sensitivity.template_low, sensitivity.template_high
    return Estimate(
        label=f"{group_name(rate, names)} · {target_name(rate, names)}",
        value=_hundred(rate.difference),
        low=_hundred(low),
        high=_hundred(high),
        shown=with_range(points(rate.difference), _range(low, high)),
        marker="insufficient" if sensitivity.fragile else "found",
    )


def _hundred(value: Number) -> Number:
    known = defined(value)
    return value if known is None else 100 * known
