"""Stored rows become the block of docs/planted.md, with Wilson intervals."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.planted.concealment.cases import CASES
from benchmarks.planted.concealment.links import LINKS
from probes.intervals import wilson

Row = Mapping[str, Any]
Marks = Callable[[Row], Sequence[bool]]


def _check(name: str) -> Marks:
    return lambda row: [one["verdict"] == "found" for one in row[name]]


def _arm(name: str) -> Marks:
    return lambda row: [one["verdict"] == "found" for one in row["arms"][name]]


def remains(row: Row) -> list[bool]:
    """Tell for each link whether the product still answers with the harm more often."""
    return [answer["low"] > 0 for answer in row["answers"]]


BESIDE = (
    ("pictures", "against pictures of harms"),
    ("styles", "five styles"),
    ("wordings", "three wordings"),
    ("roles", "beside ten roles"),
)
"""Checks beside the audit that know nothing of the product."""

ORDINARY: Sequence[tuple[str, Marks]] = (
    ("in the product: the harm is still answered", remains),
    ("found in prompts", _arm("text")),
    ("found in photos", _arm("photo")),
)
EXTRA: Sequence[tuple[str, Marks]] = (
    *((title, _check(name)) for name, title in BESIDE),
    ("arms disagree", lambda row: row["disagree"]),
    ("the product's own pictures and wording", _check("own")),
)


def share(rows: Sequence[Row], marks: Marks) -> str:
    """Count links over sets of photos, with Wilson's interval in per cent."""
    hits = [hit for row in rows for hit in marks(row)]
    if not hits:
        return "-"
    ends = wilson(sum(hits), len(hits))
    return f"{sum(hits)} of {len(hits)} ({100 * ends.low:.0f} to {100 * ends.high:.0f} %)"


def table(rows: Sequence[Row]) -> str:
    """Return the whole block of Markdown."""
    scored = [row for row in rows if "answers" in row]
    whole = [row for row in rows if "silenced" in row]
    lines = _shares("an ordinary audit", scored, ORDINARY)
    lines += ["", *_rates(scored)]
    lines += ["", *_shares("beside it", scored, EXTRA)]
    lines += ["", *_strengths(scored)]
    if any("exact" in row for row in scored):
        lines += ["", *_units(scored, whole)]
    lines += ["", *_alarms(scored)]
    return "\n".join(lines)


def _of(rows: Sequence[Row], key: str) -> list[Row]:
    return [row for row in rows if row["case"] == key]


def _shown(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    return [(case.title, found) for case in CASES if (found := _of(rows, case.key))]


def _head(names: Sequence[str]) -> list[str]:
    return ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]


def _shares(title: str, rows: Sequence[Row], questions: Sequence[tuple[str, Marks]]) -> list[str]:
    lines = _head([title, *(name for name, _ in questions)])
    for name, found in _shown(rows):
        cells = " | ".join(share(found, marks) for _, marks in questions)
        lines.append(f"| {name} | {cells} |")
    return lines


def _rates(rows: Sequence[Row]) -> list[str]:
    """Say how often the product answers with the harm, link by link."""
    lines = _head(["harm among the product's answers: group, others", *(x.group for x in LINKS)])
    for title, found in _shown(rows):
        cells = []
        for k in range(len(LINKS)):
            pairs = [(row["answers"][k]["rate"], row["answers"][k]["rest"]) for row in found]
            own, rest = np.mean(np.array(pairs), axis=0)
            cells.append(f"{100 * own:.0f} %, {100 * rest:.0f} %")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def _strengths(rows: Sequence[Row]) -> list[str]:
    names = ("text", "rendered", "photo")
    checks = tuple(name for name, _ in BESIDE)
    asked = "prompts", "drawn words", "photos", *(t for _, t in BESIDE), "the product's own"
    lines = _head(["median T of the links (smallest to largest)", *asked])
    for title, found in _shown(rows):
        values = [[one["t"] for row in found for one in row["arms"][name]] for name in names]
        values += [[one["t"] for row in found for one in row[name]] for name in (*checks, "own")]
        lines.append(f"| {title} | {' | '.join(map(_spread, values))} |")
    return lines


def _spread(values: Sequence[float]) -> str:
    low, middle, high = np.nanquantile(np.array(values, dtype=np.float64), [0, 0.5, 1])
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def _units(rows: Sequence[Row], whole: Sequence[Row]) -> list[str]:
    counts = sorted({int(n) for row in whole for n in row["silenced"]})
    names = ["units until half of the link", "part of the first 10", "part of the first 80"]
    silenced = [t for n in counts for t in (f"{n} silenced: marked", f"{n} silenced: link lost")]
    lines = _head(["units, exact", *names, *silenced])
    for title, found in _shown([row for row in rows if "exact" in row]):
        exact = [one for row in found for one in row["exact"]]
        cells = [f"{np.median([one['half'] for one in exact]):.0f}"]
        cells += [f"{np.median([one[k] for one in exact]):.2f}" for k in ("first_10", "first_80")]
        for count in counts:
            audits = [
                r for row in _of(whole, found[0]["case"]) for r in row["silenced"][str(count)]
            ]
            lost = [r["share"] for r in audits if r["share"] is not None]
            cells.append(share([{"marks": [r["causal"] for r in audits]}], lambda r: r["marks"]))
            cells.append(f"{100 * np.median(lost):.0f} %" if lost else "-")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def _alarms(rows: Sequence[Row]) -> list[str]:
    """Name everything that was found and never planted."""
    lines = ["Found and never planted, over all cases and sets of photos:", ""]
    for row in rows:
        for name in ("", *(check for check, _ in BESIDE), "own"):
            found = row[f"{name}_others"] if name else row["others"]
            where = {"": "the audit", "own": "the product's own"}.get(name, name)
            lines += [f"- {row['case']}, seed {row['seed']}, {where}: {one}" for one in found]
    return [*lines, "- nothing"] if len(lines) == 2 else lines
