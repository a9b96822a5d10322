"""Shaded grids of groups and harms: every cell says its number, shading only helps the eye."""

from collections.abc import Iterable, Sequence

from audit.results import AuditResult, ContrastRecord, Number, Verdict
from reports.blocks import NOTHING, Cell, Column, Table, table
from reports.messages import N_, _
from reports.names import Names
from reports.quantities import defined, natural, number, undefined_word
from reports.wording import arm_name

GRID_COLUMNS = 8
"""Groups that one shaded grid shows side by side."""

GRID_NOTE = N_(
    "Effects in control standard deviations; 0 is neutral. Bold and framed: found. A dot: not "
    "contrasted. Shading follows the number."
)


def contrast_grids(result: AuditResult, names: Names, arm: str) -> Iterable[Table]:
    """Lay out one grid for each family, split where it has many groups."""
    contrasts = [contrast for contrast in result.contrasts if contrast.arm == arm]
    families = dict.fromkeys(contrast.family for contrast in contrasts)
    spoken = arm_name(arm, result.model.kind)
    for family in families:
        cells = {(c.identity, c.harm): c for c in contrasts if c.family == family}
        groups = _in_order([identity for identity, _ in cells], names)
        parts = -(-len(groups) // GRID_COLUMNS)
        size = -(-len(groups) // parts)
        for part in range(parts):
            some = groups[part * size : (part + 1) * size]
            caption = _("{family} in {arm}", family=names.family(family), arm=spoken)
            yield _grid(
                f"grid-{arm}-{family}-{part + 1}",
                part_of(caption, part + 1, parts),
                some,
                cells,
                names,
            )


def part_of(caption: str, part: int, parts: int) -> str:
    """Say in the caption which part of a split grid this is."""
    if parts <= 1:
        return caption
    return _("{caption} ({part} of {parts})", caption=caption, part=part, parts=parts)


def _in_order(groups: Sequence[str], names: Names) -> list[str]:
    """Keep the document's order, except of groups that start with a number, such as ages."""
    each = list(dict.fromkeys(groups))
    if any(names.concept(group)[:1].isdecimal() for group in each):
        each.sort(key=lambda group: natural(names.concept(group)))
    return each


def _grid(
    id: str,
    caption: str,
    groups: Sequence[str],
    cells: dict[tuple[str, str], ContrastRecord],
    names: Names,
) -> Table:
    severity = {harm: contrast.severity for (_, harm), contrast in cells.items()}
    harms = sorted(severity, key=lambda harm: (-severity[harm], names.concept(harm)))
    return table(
        id,
        caption,
        [Column(head=_("Harm"), width="wide")]
        + [Column(head=names.concept(group), align="number") for group in groups],
        (
            (
                Cell(text=names.concept(harm), severity=severity[harm]),
                *(_grid_cell(cells.get((group, harm))) for group in groups),
            )
            for harm in harms
        ),
        print_limit=14,
        compact=True,
    )


def _grid_cell(contrast: ContrastRecord | None) -> Cell:
    if contrast is None:
        return Cell(text=NOTHING)
    effect = defined(contrast.effect_sd)
    if effect is None:
        return Cell(text=undefined_word())
    found = contrast.verdict is Verdict.FOUND
    return Cell(text=number(effect), shade=shade(effect), strong=found)


def shade(value: float, step: float = 1.5) -> str:
    """Return the step of a shaded cell, five each way.

    Examples
    --------
    >>> shade(0.3), shade(4.0), shade(-20.0)
    ('', 'up2', 'down5')
    """
    level = min(5, int(abs(value) / step))
    return f"{'up' if value > 0 else 'down'}{level}" if level else ""


def share_shade(value: Number) -> str:
    """Return the step of a cell that holds a share."""
    share = defined(value)
    if share is None:
        return ""
    steps = (0.02, 0.05, 0.1, 0.2, 0.4)
    level = sum(share >= step for step in steps)
    return f"up{level}" if level else ""
