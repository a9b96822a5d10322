"""What was found over strength, one small panel per method, as SVG written by hand."""

from collections.abc import Sequence
from html import escape

import numpy as np

from benchmarks.planted.methods.known import DECIDING, METHODS
from benchmarks.planted.scoring import (
    Result,
    by_method,
    by_strength,
    false_alarms,
    power_of,
    recall,
)

COLUMNS = 3
WIDTH, HEIGHT = 230, 160
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 30, 28
POINTS = 40
STYLE = (
    "text{font:11px sans-serif;fill:#222}.bg{fill:#fff}.axis{stroke:#767676;fill:none}"
    ".ours{stroke:#6b6b6b;fill:none;stroke-dasharray:4 3}"
    ".fit{stroke:#1b5e8a;fill:none;stroke-width:2}.dot{fill:#1b5e8a}.bar{stroke:#1b5e8a}"
    "@media(prefers-color-scheme:dark){text{fill:#eee}.bg{fill:#16181b}.axis{stroke:#9a9a9a}"
    ".ours{stroke:#b5b5b5}.fit,.bar{stroke:#7db8e0}.dot{fill:#7db8e0}}"
)
Curve = list[tuple[float, float]]


def plot(results: Sequence[Result], *, title: str, across: str) -> str:
    """Return a drawing of all methods; the dashed line in every panel is our deciding arms.

    Parameters
    ----------
    results : sequence of Result
        Of worlds of one kind.
    title, across : str
        What is shown, and what strength is measured in.

    Raises
    ------
    ValueError
        If no planted world is among the results.
    """
    found = by_method(results)
    shown = [method for method in METHODS if method.name in found]
    tried = sorted({row.strength for row in results if any(row.planted)})
    if not shown or not tried:
        raise ValueError("A plot needs results of planted worlds; none came.")
    ours = _curve(found.get(DECIDING, []), tried)
    panels = [
        _panel(index, method.title, found[method.name], tried, ours)
        for index, method in enumerate(shown)
    ]
    rows = -(-len(shown) // COLUMNS)
    wide, high = COLUMNS * WIDTH, rows * HEIGHT + 44
    said = f"{title}. Dots: share found, with Wilson's interval; line: fitted; dashed: our arms."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" '
            'aria-labelledby="t d">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(said)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="bg" width="{wide}" height="{high}"/>',
            *panels,
            f'<text x="{LEFT}" y="{high - 24}">Across: {escape(across)}. Up: share found.</text>',
            f'<text x="{LEFT}" y="{high - 8}">{escape(said.removeprefix(f"{title}. "))}</text>',
            "</svg>",
            "",
        ]
    )


def _panel(
    index: int, title: str, rows: Sequence[Result], tried: Sequence[float], ours: Curve
) -> str:
    x0, y0 = index % COLUMNS * WIDTH, index // COLUMNS * HEIGHT
    parts = [f'<g transform="translate({x0} {y0})">']
    parts.append(f'<text x="{LEFT}" y="{TOP - 12}">{escape(title)}</text>')
    for level in (0.0, 0.5, 1.0):
        parts.append(_line([(tried[0], level), (tried[-1], level)], "axis", tried))
        y = _at(0, level, tried)[1] + 4
        parts.append(f'<text x="{LEFT - 6}" y="{y:.1f}" text-anchor="end">{level:.0%}</text>')
    for strength in (tried[0], tried[-1]):
        x = _at(strength, 0, tried)[0]
        y = HEIGHT - BOTTOM + 15
        parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{strength:g}</text>')
    alarms = false_alarms(rows)
    middle, y = LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - BOTTOM + 15
    if alarms.n:
        said = f"alarm in {alarms.hits} of {alarms.n} twins"
        parts.append(f'<text x="{middle:.1f}" y="{y}" text-anchor="middle">{said}</text>')
    parts += [_line(ours, "ours", tried), _line(_curve(rows, tried), "fit", tried)]
    parts += [_dot(strength, some, tried) for strength, some in by_strength(rows).items()]
    return "\n".join([*filter(None, parts), "</g>"])


def _dot(strength: float, rows: Sequence[Result], tried: Sequence[float]) -> str:
    counted = recall(rows)
    if not counted.n:
        return ""
    ends = counted.interval
    x, y = _at(strength, counted.value, tried)
    low, high = (_at(strength, float(end), tried)[1] for end in (ends.low, ends.high))
    return (
        f'<line class="bar" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    )


def _curve(rows: Sequence[Result], tried: Sequence[float]) -> Curve:
    fit = power_of(rows)
    if np.isnan(fit.slope):
        return []
    return [(float(x), fit.at(float(x))) for x in np.linspace(tried[0], tried[-1], POINTS)]


def _at(strength: float, share: float, tried: Sequence[float]) -> tuple[float, float]:
    span = tried[-1] - tried[0] or 1.0
    across = LEFT + (strength - tried[0]) / span * (WIDTH - LEFT - RIGHT)
    return across, HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _line(places: Curve, kind: str, tried: Sequence[float]) -> str:
    if not places:
        return ""
    points = " ".join("{:.1f},{:.1f}".format(*_at(x, y, tried)) for x, y in places)
    return f'<polyline class="{kind}" points="{points}"/>'
