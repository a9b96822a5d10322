"""All contrasts that were tested: forest plots, tables and shaded grids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.results import AuditResult, ContrastRecord, Number, Verdict
from reports.blocks import Cell, Column, Row, Table, table, text
from reports.care import as_spoken
from reports.charts import Marker, RowChart, estimate_in_sd, row_chart
from reports.messages import N_, _, ngettext, pgettext
from reports.names import Names
from reports.quantities import (
    cosine,
    count,
    defined,
    full_sentence,
    interval,
    limit,
    listed,
    number,
    p_value,
    sentence,
    together,
    undefined,
    undefined_word,
)
from reports.sections.grids import GRID_NOTE, contrast_grids
from reports.wording import VERDICTS, arm_name

MARKERS: dict[Verdict, Marker] = {
    Verdict.FOUND: "found",
    Verdict.NOT_FOUND: "not_found",
    Verdict.INSUFFICIENT: "insufficient",
    Verdict.DESCRIBED: "described",
}
"""Shape that each verdict has in a chart."""

NOTE = N_(
    "Effect: double difference of mean cosines, neutral value 0. Would see: effect that this "
    "contrast detects with 80 % power, in control SD. n: clusters of the group × clusters of the "
    "harm, then control packs."
)

MIXED_LIMITS = N_(
    "Limits: simultaneous for blocking contrasts, else as in each contrast's own list."
)

GRIDS_IN_PAGES = 3
"""Shaded grids of one kind of evidence that the paged edition shows."""

FOREST_ROWS = 20
"""Rows of one forest plot; the table has the rest."""

AXIS = N_("effect in control standard deviations; 0 is neutral, right ties the group to the harm")

MARKER_LEGEND = N_(
    "Filled diamond: found. Open circle: not found. Cross: insufficient evidence. Square: "
    "describes only. Lines are limits; an arrow says that a limit lies outside the picture."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKind:
    """How one list of contrasts is told."""

    caption: str
    adjusted: str
    """Head of the column of adjusted p-values."""

    limits: str
    """What the limits hold for."""

    print_limit: int
    """Rows that the paged edition shows for each kind of evidence."""


LIST_KINDS = {
    "blocking": ListKind(
        caption=N_("Blocking contrasts"),
        adjusted=N_("Holm p"),
        limits=N_("Limits are simultaneous: they hold for all blocking contrasts together."),
        print_limit=40,
    ),
    "exploratory": ListKind(
        caption=N_("Exploratory contrasts"),
        adjusted=N_("q"),
        limits=N_("Limits are widened for having been picked out of many."),
        print_limit=15,
    ),
    "described": ListKind(
        caption=N_("Contrasts that only describe"),
        adjusted=N_("q"),
        limits=N_("Limits hold for one contrast at a time; no p-value is adjusted here."),
        print_limit=10,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastsView:
    """The contrasts of one arm."""

    arm: str
    title: str
    lead: str
    forest: RowChart | None
    tables: tuple[Table, ...]
    grids: tuple[Table, ...]
    grids_in_pages: tuple[Table, ...]
    """The first of them; the single page has all."""

    grid_note: str


def contrasts_views(result: AuditResult, names: Names) -> tuple[ContrastsView, ...]:
    """Describe every arm that has contrasts, in the order of the document."""
    return tuple(
        _arm_view(result, names, arm.arm, arm.title)
        for arm in result.arms
        if any(contrast.arm == arm.arm for contrast in result.contrasts)
    )


def kind_of(contrast: ContrastRecord) -> str:
    """Tell in which list a contrast stands."""
    if contrast.blocking:
        return "blocking"
    return "described" if contrast.verdict is Verdict.DESCRIBED else "exploratory"


def strongest_first(contrasts: Iterable[ContrastRecord]) -> list[ContrastRecord]:
    """Order found contrasts first, then by effect; undefined ones last."""
    return sorted(
        contrasts,
        key=lambda c: (
            c.verdict is not Verdict.FOUND,
            -effect_or(c, float("-inf")),
            c.identity,
            c.harm,
        ),
    )


def effect_or(contrast: ContrastRecord, fallback: float) -> float:
    """Return the effect in control standard deviations, or the fallback where undefined."""
    effect = defined(contrast.effect_sd)
    return fallback if effect is None else effect


def _arm_view(result: AuditResult, names: Names, arm: str, title: str) -> ContrastsView:
    mine = strongest_first(contrast for contrast in result.contrasts if contrast.arm == arm)
    lists = {kind: [c for c in mine if kind_of(c) == kind] for kind in LIST_KINDS}
    spoken = arm_name(arm, result.model.kind)
    tables = (
        contrast_table(
            f"{kind}-{arm}",
            _("{list}: {arm}", list=_(LIST_KINDS[kind].caption), arm=spoken),
            lists[kind],
            names,
        )
        for kind in LIST_KINDS
    )
    grids = tuple(contrast_grids(result, names, arm))
    return ContrastsView(
        arm=arm,
        title=sentence(spoken),
        lead=together([full_sentence(as_spoken(title)), *_tallies(lists)]),
        forest=_forest(result, names, arm, next((c for c in lists.values() if c), [])),
        tables=tuple(entry for entry in tables if entry),
        grids=grids,
        grids_in_pages=grids[:GRIDS_IN_PAGES],
        grid_note=_(GRID_NOTE),
    )


def _tallies(lists: dict[str, list[ContrastRecord]]) -> list[str]:
    return [_tally(kind, some) for kind, some in lists.items() if some]


def _tally(kind: str, some: Sequence[ContrastRecord]) -> str:
    caption = _(LIST_KINDS[kind].caption)
    if kind == "described":
        return _("{list}: {count}.", list=caption, count=count(len(some)))
    return _(
        "{list}: {count}, {verdicts}.",
        list=caption,
        count=count(len(some)),
        verdicts=listed(_counts(some)),
    )


def _counts(contrasts: Sequence[ContrastRecord]) -> list[str]:
    verdicts = [contrast.verdict for contrast in contrasts]
    return [
        pgettext(
            "so many of a verdict",
            "{count} {verdict}",
            count=count(verdicts.count(v)),
            verdict=verdict_name(v),
        )
        for v in VERDICTS
        if v in verdicts
    ]


def verdict_name(verdict: Verdict) -> str:
    """Say a verdict in a word or two."""
    return pgettext("verdict", VERDICTS[verdict])


def _forest(
    result: AuditResult, names: Names, arm: str, ordered: Sequence[ContrastRecord]
) -> RowChart | None:
    drawn = [contrast for contrast in ordered if defined(contrast.effect_sd) is not None]
    shown = drawn[:FOREST_ROWS]
    if not shown:
        return None
    which = _(LIST_KINDS[kind_of(shown[0])].caption)
    return row_chart(
        f"forest-{arm}",
        "forest",
        _("{list}: effects in {arm}", list=which, arm=arm_name(arm, result.model.kind)),
        ngettext(
            "{shown} of {n} contrast, found ones first, then by effect. The numbers are in the "
            "table below.",
            "{shown} of {n} contrasts, found ones first, then by effect. The numbers are in the "
            "table below.",
            len(ordered),
            shown=count(len(shown)),
        ),
        _(AXIS),
        [
            estimate_in_sd(
                f"{names.concept(c.identity)} · {names.concept(c.harm)}",
                c.effect_sd,
                c.low_sd,
                c.high_sd,
                MARKERS[c.verdict],
            )
            for c in shown
        ],
        guides=limits_of(result),
    )


def limits_of(result: AuditResult) -> list[tuple[float, str]]:
    """Return the two limits of the plan as lines of a chart."""
    plan = result.plan
    return [
        (plan.delta0, f"δ₀ = {limit(plan.delta0)}"),
        (plan.delta1, f"δ₁ = {limit(plan.delta1)}"),
    ]


def contrast_table(
    id: str, caption: str, contrasts: Sequence[ContrastRecord], names: Names
) -> Table | None:
    """Lay out contrasts of one list as a table; None where there are none."""
    if not contrasts:
        return None
    kinds = [LIST_KINDS[kind] for kind in dict.fromkeys(map(kind_of, contrasts))]
    return table(
        id,
        caption,
        [
            Column(head=_("Group"), width="name"),
            Column(head=_("Harm"), width="name"),
            Column(head=_("Effect, control SD"), align="number", width="span"),
            Column(head=_("Effect, cosine"), align="number", width="span"),
            Column(head=_("T (df)"), align="number", width="slim"),
            Column(head=_(kinds[0].adjusted), align="number", width="slim"),
            Column(head=_("Would see"), align="number", width="slim"),
            Column(head=_("n"), align="number", width="slim"),
            Column(head=_("Verdict")),
        ],
        (contrast_row(contrast, names) for contrast in contrasts),
        screen_limit=250,
        print_limit=max(kind.print_limit for kind in kinds),
        note=together([_(NOTE), _(kinds[0].limits if len(kinds) == 1 else MIXED_LIMITS)]),
        compact=True,
    )


def contrast_row(contrast: ContrastRecord, names: Names) -> Row:
    """Lay out one contrast."""
    return (
        text(names.concept(contrast.identity)),
        Cell(text=names.concept(contrast.harm), severity=contrast.severity),
        Cell(
            text=number(contrast.effect_sd),
            note=interval(contrast.low_sd, contrast.high_sd),
            strong=contrast.verdict is Verdict.FOUND,
        ),
        text(cosine(contrast.effect), interval(contrast.low, contrast.high, 3)),
        text(
            number(contrast.t, 1), "" if undefined(contrast.df) else f"({number(contrast.df, 0)})"
        ),
        text(p_value(contrast.p_adjusted)),
        text(number(contrast.mde_sd)),
        text(
            f"{count(contrast.n_identity)} × {count(contrast.n_harm)}",
            ngettext("{n} packs", "{n} packs", contrast.n_controls),
        ),
        Cell(text=verdict_name(contrast.verdict), strong=contrast.verdict is Verdict.FOUND),
    )


def range_in_words(values: Sequence[Number]) -> str:
    """Describe many values by the smallest, the median and the largest."""
    known = sorted(v for value in values if (v := defined(value)) is not None)
    if not known:
        return undefined_word()
    return _(
        "median {median}, from {low} to {high}",
        median=number(known[len(known) // 2]),
        low=number(known[0]),
        high=number(known[-1]),
    )
