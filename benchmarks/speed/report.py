"""Two hundred charts on fifty pages of a PDF: ours written as SVG, against matplotlib's SVG."""

import importlib
from html import escape
from io import StringIO
from typing import Any

import numpy as np
import weasyprint

from benchmarks.speed.measure import Row, in_turn, row
from reports.as_pdf import INK
from reports.charts import Estimate, row_chart
from reports.templates import environment

CHARTS, ON_A_PAGE, ROWS = 200, 4, 8
SHARE = 0.1
"""Part of the charts that matplotlib draws; its time is scaled up."""

PAGE = "@page { size: A4; margin: 12mm } svg { width: 180mm; height: 60mm; display: block }"


def measure() -> list[Row]:
    """Time charts, layout and PDF of both; no row where matplotlib is not installed."""
    try:
        matplotlib = importlib.import_module("matplotlib")
    except ModuleNotFoundError:
        return []
    matplotlib.use("svg")
    drawn = estimates(np.random.default_rng(0), CHARTS)
    some = drawn[: int(CHARTS * SHARE)]
    timed = in_turn(
        lambda: pdf(ours(drawn)), lambda: pdf(theirs(some)), rounds=3, warm=1, share=SHARE
    )
    size = len(pdf(ours(drawn)))
    return [
        row(
            timed,
            path=f"report: {CHARTS} charts on {CHARTS // ON_A_PAGE} pages, written as PDF",
            against=f"the same charts by matplotlib {matplotlib.__version__}, inline SVG",
            goal=10,
            difference=f"our PDF: {size / 1e6:.2f} MB",
            note=f"matplotlib: {len(some)} charts, scaled up, fixed costs too; a chart has "
            f"{ROWS} rows of label, interval, marker and number; 99 % of ours is WeasyPrint: "
            "what is left is its layout of text",
        )
    ]


def estimates(rng: np.random.Generator, charts: int) -> list[list[tuple[float, float, float]]]:
    """Draw low end, value and high end of the rows of every chart."""
    middle, half = rng.normal(0.3, 0.4, (charts, ROWS)), rng.uniform(0.1, 0.4, (charts, ROWS))
    return np.stack([middle - half, middle, middle + half], axis=2).tolist()


def ours(drawn: list[list[tuple[float, float, float]]]) -> list[str]:
    """Return a chart of the report for each."""
    macro = environment().get_template("charts.svg.j2").make_module({"ink": INK})
    return [str(macro.rows(_chart(place, rows))) for place, rows in enumerate(drawn)]  # type: ignore[attr-defined]


def _chart(place: int, rows: list[tuple[float, float, float]]) -> Any:
    return row_chart(
        f"chart-{place}",
        "forest",
        f"Chart {place}",
        "Rows with intervals.",
        "standard deviations",
        [
            Estimate(
                label=f"row {k}",
                value=value,
                low=low,
                high=high,
                shown=f"{value:.2f}",
                marker="found" if low > 0 else "not_found",
            )
            for k, (low, value, high) in enumerate(rows)
        ],
    )


def theirs(drawn: list[list[tuple[float, float, float]]]) -> list[str]:
    """Return the same rows as matplotlib writes them."""
    plt = importlib.import_module("matplotlib.pyplot")
    found = []
    for place, rows in enumerate(drawn):
        low, value, high = np.array(rows).T
        figure, axes = plt.subplots(figsize=(7, 2.4))
        places = np.arange(len(rows))
        axes.errorbar(value, places, xerr=[value - low, high - value], fmt="o")
        axes.set_yticks(places, [f"row {k}" for k in places])
        for at, middle in zip(places.tolist(), value.tolist(), strict=True):
            axes.text(1.02, at, f"{middle:.2f}", transform=axes.get_yaxis_transform())
        axes.set_xlabel("standard deviations")
        axes.set_title(f"Chart {place}")
        text = StringIO()
        figure.savefig(text, format="svg")
        plt.close(figure)
        found.append(text.getvalue()[text.getvalue().index("<svg") :])
    return found


def pdf(charts: list[str]) -> bytes:
    """Lay the charts out, four on a page."""
    parts = [
        f'<div style="break-after: page">{"".join(charts[first : first + ON_A_PAGE])}</div>'
        for first in range(0, len(charts), ON_A_PAGE)
    ]
    page = f"<html><head><style>{escape(PAGE, quote=False)}</style></head>{''.join(parts)}</html>"
    written: bytes = weasyprint.HTML(string=page).write_pdf()
    return written
