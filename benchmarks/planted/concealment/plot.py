"""T of the links in each arm, one row per concealment, as SVG written by hand."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.planted.concealment.cases import CASES

Row = Mapping[str, Any]

ARMS = (("text", "prompts", 0), ("photo", "photos", 1), ("pictures", "pictures of harms", 2))
LEFT, WIDTH, ROW, TOP, MOST = 330, 360, 34, 56, 7.0
STYLE = (
    "text{font:12px sans-serif;fill:#222}.bg{fill:#fff}.axis{stroke:#767676}"
    ".dot{fill:#1b5e8a}.ring{fill:none;stroke:#1b5e8a;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){text{fill:#eee}.bg{fill:#16181b}.axis{stroke:#9a9a9a}"
    ".dot{fill:#7db8e0}.ring{stroke:#7db8e0}}"
)
"""Arms are told apart by shape: square, disk, ring."""


def picture(rows: Sequence[Row]) -> str:
    """Return a drawing of every link's T; a row per concealment, a shape per arm."""
    scored = [row for row in rows if "answers" in row]
    shown = [case for case in CASES if any(row["case"] == case.key for row in scored)]
    high = TOP + ROW * len(shown) + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {high}" '
        'role="img" aria-label="T of concealed links by arm; the numbers stand in the table">',
        f"<style>{STYLE}</style>",
        f'<rect class="bg" width="{LEFT + WIDTH + 20}" height="{high}"/>',
        '<text x="10" y="20">T: square prompts, disk photos, ring pictures of harms</text>',
    ]
    for tick in range(int(MOST) + 1):
        x = _across(tick)
        lines.append(f'<line class="axis" x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{TOP}"/>')
        lines.append(f'<text x="{x - 3}" y="{TOP - 10}">{tick}</text>')
    for index, case in enumerate(shown):
        y = TOP + ROW * index + ROW // 2
        lines.append(f'<text x="10" y="{y + 4}">{escape(case.title[:52])}</text>')
        for row in scored:
            if row["case"] == case.key:
                lines += _marks(row, y)
    return "\n".join([*lines, "</svg>", ""])


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the drawing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(picture(rows), encoding="utf-8")


def _across(t: float) -> float:
    return round(LEFT + WIDTH * min(max(t, 0.0), MOST) / MOST, 1)


def _marks(row: Row, y: int) -> list[str]:
    lines = []
    for name, _, lane in ARMS:
        records = row["arms"][name] if name in row["arms"] else row[name]
        for one in records:
            x, at = _across(one["t"]), y + 8 * (lane - 1)
            lines.append(
                (
                    f'<rect class="dot" x="{x - 2.5}" y="{at - 2.5}" width="5" height="5"/>',
                    f'<circle class="dot" cx="{x}" cy="{at}" r="3"/>',
                    f'<circle class="ring" cx="{x}" cy="{at}" r="3"/>',
                )[lane]
            )
    return lines
