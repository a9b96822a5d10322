"""Shaded grids of rates: harm families by group, and the worst family of each crossing."""

from collections.abc import Iterable, Sequence

from audit.results import RateRecord
from reports.blocks import NOTHING, Cell, Column, Table, table
from reports.messages import N_, _
from reports.names import Names
from reports.quantities import defined, natural, percent, percent_interval
from reports.sections.grids import GRID_COLUMNS, part_of, share_shade
from reports.sections.rate_names import (
    column_name,
    group_name,
    is_crossed,
    surely_above,
    target_name,
)

FILLED = 0.5
"""Share of its cells that a grid of crossings needs; of three columns only what stands out may be
known, and the table of the largest differences tells it better."""

GRID_NOTE = N_(
    "Share of the group's images with this first answer, with 95 % Wilson interval. Bold and "
    "framed: the whole interval of the difference to everybody else lies above 0. A dot: no "
    "images, or left out."
)


def rate_grids(prefix: str, families: Sequence[RateRecord], names: Names) -> Iterable[Table]:
    """Lay out families by group for each column, then the worst family of each crossing."""
    single = [rate for rate in families if not is_crossed(rate)]
    for column in dict.fromkeys(sorted(rate.column for rate in single)):
        rates = {(r.target, r.group): r for r in single if r.column == column}
        yield from _family_grids(prefix, column, rates, names)
    crossed = [rate for rate in families if is_crossed(rate) and surely_above(rate)]
    for column in dict.fromkeys(sorted(rate.column for rate in crossed)):
        worst = next(rate for rate in crossed if rate.column == column)
        yield from _crossed_grids(prefix, worst, families, names)


def _family_grids(
    prefix: str, column: str, rates: dict[tuple[str, str], RateRecord], names: Names
) -> Iterable[Table]:
    severity = {target: rate.severity or 0 for (target, _group), rate in rates.items()}
    targets = sorted(severity, key=lambda target: (-severity[target], names.family(target)))
    heads = [
        Cell(text=names.family(target), severity=severity[target] or None) for target in targets
    ]
    groups = sorted({group for _target, group in rates}, key=natural)
    cells = [[rates.get((target, group)) for group in groups] for target in targets]
    caption = _("Share of first answers in each harm family, by {column}", column=column)
    spoken = [names.member(column, group) for group in groups]
    yield from _wide_grid(f"{prefix}-{column}", caption, _("Harm family"), heads, spoken, cells)


def _crossed_grids(
    prefix: str, worst: RateRecord, families: Sequence[RateRecord], names: Names
) -> Iterable[Table]:
    """Lay out one family by all columns of a crossing: the last one across, the others down."""
    name = column_name(worst)
    first, across, _last = name.rpartition(" × ")
    rates = {
        (down, last): rate
        for rate in families
        if rate.column == worst.column and rate.target == worst.target
        for down, sign, last in [group_name(rate, names).rpartition(" × ")]
        if sign
    }
    if not across or not rates:
        return
    rows = sorted({down for down, _last in rates}, key=natural)
    columns = sorted({last for _down, last in rates}, key=natural)
    if len(rates) < FILLED * len(rows) * len(columns):
        return
    cells = [[rates.get((row, column)) for column in columns] for row in rows]
    yield from _wide_grid(
        f"{prefix}-{worst.column}",
        _(
            "Share of first answers in “{answer}”, by {column}",
            answer=target_name(worst, names),
            column=name,
        ),
        first,
        [Cell(text=row) for row in rows],
        columns,
        cells,
    )


def _wide_grid(
    id: str,
    caption: str,
    first: str,
    heads: Sequence[Cell],
    columns: Sequence[str],
    cells: Sequence[Sequence[RateRecord | None]],
) -> Iterable[Table]:
    """Lay out a grid, in even parts where it has more columns than a page."""
    parts = -(-len(columns) // GRID_COLUMNS)
    size = -(-len(columns) // parts)
    for part in range(parts):
        some = slice(part * size, (part + 1) * size)
        yield table(
            f"{id}-{part + 1}",
            part_of(caption, part + 1, parts),
            [
                Column(head=first, width="wide"),
                *(Column(head=column, align="number") for column in columns[some]),
            ],
            (
                (head, *(_grid_cell(rate) for rate in row[some]))
                for head, row in zip(heads, cells, strict=True)
            ),
            print_limit=30,
            compact=True,
        )


def _grid_cell(rate: RateRecord | None) -> Cell:
    if rate is None:
        return Cell(text=NOTHING)
    return Cell(
        text=percent(rate.rate),
        note=percent_interval(rate.low, rate.high) if defined(rate.rate) is not None else "",
        shade=share_shade(rate.rate),
        strong=surely_above(rate),
    )
