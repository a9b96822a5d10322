"""The growth plot: time for one stimulus and memory, over the number of stimuli."""

import math
from collections.abc import Sequence

WIDE, HIGH, LEFT, TOP, GAP = 300, 200, 60, 40, 90
Point = tuple[float, float]


def picture(grown: Sequence[tuple[int, float, float]]) -> str:
    """Return an SVG with two panels.

    Parameters
    ----------
    grown : sequence of (stimuli, microseconds for one, largest memory in MiB)
    """
    panels = (
        _panel(0, "Microseconds for one stimulus", [(n, time) for n, time, _ in grown]),
        _panel(WIDE + GAP, "Largest memory, MiB", [(n, memory) for n, _, memory in grown]),
    )
    width, height = 2 * WIDE + GAP + LEFT + 40, HIGH + TOP + 60
    said = "; ".join(f"{n:,} stimuli: {t:.0f} microseconds each, {m:.0f} MiB" for n, t, m in grown)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title said" font-family="sans-serif" font-size="12">'
        '<title id="title">Time and memory from 1,000 to 1,000,000 stimuli</title>'
        f'<desc id="said">{said}.</desc>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{"".join(panels)}</svg>\n'
    )


def _panel(shift: float, title: str, points: Sequence[Point]) -> str:
    """One panel: stimuli on a logarithmic scale, the other from zero."""
    top = _rounded_up(max(value for _, value in points) * 1.15)
    first, last = (math.log10(n) for n in (points[0][0], max(points[-1][0], points[0][0] * 10)))

    def place(n: float, value: float) -> Point:
        across = (math.log10(n) - first) / (last - first)
        return LEFT + shift + across * WIDE, TOP + HIGH * (1 - value / top)

    dots = [place(n, value) for n, value in points]
    drawn = [f'<text x="{LEFT + shift}" y="20" font-weight="bold">{title}</text>']
    for tick in (0.0, top / 2, top):
        _, y = place(points[0][0], tick)
        drawn.append(
            f'<path d="M{LEFT + shift} {y:.1f}h{WIDE}" stroke="#ccc"/>'
            f'<text x="{LEFT + shift - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    for (n, value), (x, y) in zip(points, dots, strict=True):
        drawn.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#1d4f91"/>'
            f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{value:.0f}</text>'
            f'<text x="{x:.1f}" y="{TOP + HIGH + 18}" text-anchor="middle">{_short(n)}</text>'
        )
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in dots)
    drawn.append(f'<path d="M{path}" fill="none" stroke="#1d4f91" stroke-width="2"/>')
    middle = LEFT + shift + WIDE / 2
    drawn.append(f'<text x="{middle}" y="{TOP + HIGH + 42}" text-anchor="middle">stimuli</text>')
    return "".join(drawn)


def _short(n: float) -> str:
    """Short figure of a count.

    Examples
    --------
    >>> _short(250_000), _short(1_000_000)
    ('250k', '1M')
    """
    return f"{n / 1e6:g}M" if n >= 1e6 else f"{n / 1e3:g}k"


def _rounded_up(value: float) -> float:
    size = 10 ** math.floor(math.log10(value))
    return math.ceil(value / size * 2) / 2 * size
