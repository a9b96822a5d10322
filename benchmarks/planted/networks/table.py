"""Stored networks become rows of Markdown, with Wilson intervals."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.planted.networks.judging import FIRST, anything_causal
from benchmarks.planted.networks.shapes import TRAINED
from probes.intervals import wilson

Row = Mapping[str, Any]
Question = Callable[[Row], bool]

NAMES = {"resnet": "ResNet", "vit": "ViT", "siglip": "SigLIP", TRAINED: "embedded twin"}

WRITTEN: Sequence[tuple[str, Question, Question]] = tuple(
    (title, question("plant"), question("natural"))
    for title, question in (
        ("the link is found", lambda name: lambda row: bool(row[name]["found"])),
        (
            f"found, and the written unit is in the first {FIRST} of the finding's list",
            lambda name: lambda row: bool(row[name]["first"]),
        ),
        (
            f"in the first {FIRST} by exact attribution, found or not",
            lambda name: lambda row: row[name]["exact"] <= FIRST,
        ),
        ("in the set that is silenced", lambda name: lambda row: row[name]["chosen"] is not None),
        ("the link is marked causal", lambda name: lambda row: bool(row[name]["causal"])),
    )
)

TWINS: Sequence[tuple[str, Question]] = (
    ("any link found at all", lambda row: row["twin"]["found"] or bool(row["twin"]["others"])),
    ("anything marked causal", lambda row: anything_causal(row["twin"])),
)


def share(rows: Sequence[Row], question: Question) -> str:
    """Count rows, with Wilson's interval."""
    hits = sum(bool(question(row)) for row in rows)
    if not rows:
        return "-"
    ends = wilson(hits, len(rows))
    return f"{hits} of {len(rows)} ({100 * ends.low:.0f} to {100 * ends.high:.0f} %)"


def table(rows: Sequence[Row]) -> str:
    """Return the whole block of Markdown."""
    random = [row for row in rows if row["shape"] != TRAINED]
    groups = {f"{NAMES[s]}": [r for r in random if r["shape"] == s] for s in NAMES if s != TRAINED}
    columns = {**groups, "all three": random, NAMES[TRAINED]: _of(rows, TRAINED)}
    lines = _grid("written at the limits of size", columns, [(t, q) for t, q, _ in WRITTEN])
    few = {name: [r for r in kept if "natural" in r] for name, kept in columns.items()}
    title = "written with a natural contribution"
    lines += ["", *_grid(title, few, [(text, later) for text, _, later in WRITTEN])]
    lines += ["", *_grid("twins: the same unit, its output turned at random", columns, TWINS)]
    lines += ["", *_sizes(columns), "", *_listed(rows)]
    return "\n".join(lines)


def _of(rows: Sequence[Row], shape: str) -> list[Row]:
    return [row for row in rows if row["shape"] == shape]


def _grid(
    title: str, columns: Mapping[str, Sequence[Row]], questions: Sequence[tuple[str, Question]]
) -> list[str]:
    shown = {name: rows for name, rows in columns.items() if rows}
    lines = [f"| {title} | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for text, question in questions:
        cells = " | ".join(share(rows, question) for rows in shown.values())
        lines.append(f"| {text} | {cells} |")
    return lines


def _sizes(columns: Mapping[str, Sequence[Row]]) -> list[str]:
    """Say how large plants were against what natural units reach."""
    shown = {name: rows for name, rows in columns.items() if rows}
    kinds: Sequence[tuple[str, Callable[[Row], float]]] = (
        ("response over its limit", lambda r: r["response"] / r["limits"]["response"]),
        ("response in SD over its limit", lambda r: r["response_sd"] / r["limits"]["response_sd"]),
        ("reach over its limit", lambda r: r["reaches"]["plant"] / r["limits"]["reach"]),
        (
            "contribution over the 95th percentile of natural largest ones",
            lambda r: r["contributions"]["plant"] / r["limits"]["contribution"],
        ),
        ("T of the written link in photos", lambda r: r["plant"]["t"]),
        (
            "the same with a natural contribution",
            lambda r: r["natural"]["t"] if "natural" in r else np.nan,
        ),
        ("the same in the twin", lambda r: r["twin"]["t"]),
    )
    lines = ["| median (smallest to largest) | " + " | ".join(shown) + " |"]
    lines.append("|---" * (len(shown) + 1) + "|")
    for text, value in kinds:
        cells = " | ".join(_spread([value(row) for row in rows]) for rows in shown.values())
        lines.append(f"| {text} | {cells} |")
    return lines


def _spread(values: Sequence[float]) -> str:
    known = [value for value in values if np.isfinite(value)]
    if not known:
        return "-"
    low, middle, high = np.quantile(known, [0, 0.5, 1])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _listed(rows: Sequence[Row]) -> list[str]:
    """Name every network in which something was missed or flagged that was not written."""
    lines = ["What was missed, and what else was flagged:", ""]
    for row in rows:
        name = f"{NAMES[row['shape']]}, seed {row['seed']}"
        if row["shape"] != TRAINED and not (row["plant"]["first"] and row["plant"]["causal"]):
            lines.append(f"- {name}, written link: {_missed(row['plant'])}")
        for variant in ("plant", "natural", "twin"):
            lines += [
                f"- {name}, {variant}: also found {other['group']} and {other['harm']} in "
                f"{' and '.join(other['arms'])}{', marked causal' if other['causal'] else ''}"
                for other in row.get(variant, {"others": ()})["others"]
            ]
        if row["twin"]["found"]:
            marked = ", marked causal" if row["twin"]["causal"] else ""
            lines.append(f"- {name}, twin: the pair of the written link is found{marked}")
    return [*lines, "- nothing"] if len(lines) == 2 else lines


def _missed(verdict: Mapping[str, Any]) -> str:
    if not verdict["found"]:
        return f"not found (T = {verdict['t']:.2f}); the unit is number {verdict['exact']}"
    place = verdict["listed"] if verdict["listed"] is not None else "not listed"
    if verdict["causal"]:
        return f"found and marked, the unit is number {place} of the list"
    return f"found (number {place} of the list) and not marked. {verdict['reason']}"
