"""Measure the hot paths against what others offer, and write the table of docs/performance.md.

    python -m benchmarks.speed --out speed.json            # every path
    python -m benchmarks.speed --out speed.json weat text  # some; others are kept

Each path runs in a process of its own with one thread, ours and the alternative in turn.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.planted.methods.pages import replace_block
from probes.backends.kernel_choice import machine as kernel_machine

PATHS = (
    "images",
    "jpegs",
    "text",
    "association",
    "max_t",
    "weat",
    "sparse_paths",
    "soft_wpmi",
    "extraction",
    "report",
    "storage",
    "out_of_core",
    "ray_workers",
)
"""Modules beside this one; each has ``measure() -> list[Row]``."""

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
HEAD = ("path", "against", "goal", "ratio (smallest to largest)", "last runs", "ours", "theirs",
        "limit", "difference", "note")  # fmt: skip
RUNS_KEPT = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, keep what earlier runs measured, draw the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", nargs="*", help=f"of {', '.join(PATHS)}; all by default")
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    parser.add_argument("--page", type=Path, help="page whose table is redrawn")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.paths) - set(PATHS))
    if unknown:
        parser.error(f"paths must be of {', '.join(PATHS)}; got {unknown[0]}.")
    if given.child:
        print(json.dumps(_measured(given.paths[0])))
        return
    given.out.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(given.out.read_text()) if given.out.is_file() else {}
    for name in given.paths or PATHS:
        found[name] = with_earlier(_in_a_process(name), found.get(name, []))
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(table([r for r in found[name]]), flush=True)
    if given.page:
        rows = [r for name in PATHS for r in found.get(name, [])]
        replace_block(given.page, "speed", f"{machine()}\n\n{table(rows)}")


def with_earlier(
    rows: Sequence[dict[str, Any]], before: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Add the ratios of the last runs to each row, this one last.

    Examples
    --------
    >>> first = with_earlier([{"path": "p", "ratio": 2.0}], [])
    >>> with_earlier([{"path": "p", "ratio": 3.0}], first)[0]["runs"]
    [2.0, 3.0]
    """
    known = {row["path"]: row["runs"] for row in before}
    return [
        {**row, "runs": [*known.get(row["path"], []), row["ratio"]][-RUNS_KEPT:]} for row in rows
    ]


def _measured(name: str) -> list[dict[str, Any]]:
    module = importlib.import_module(f"benchmarks.speed.{name}")
    return [row.as_json() for row in module.measure()]


def _in_a_process(name: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.speed", "--out", os.devnull, "--child", name]
    done = subprocess.run(
        command, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def machine() -> str:
    """Say where it was measured."""
    return (
        f"Measured on {os.cpu_count()} cores of {kernel_machine('cpu')}, one thread for each path."
    )


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return Markdown with one line for each row."""
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    for row in rows:
        sign = "<=" if row["at_most"] else ">="
        mark = "" if row["met"] else " **missed**"
        low, high = min(row["ratios"]), max(row["ratios"])
        cells = (
            row["path"],
            row["against"],
            f"{sign} {row['goal']:g}x",
            f"{row['ratio']:.3g}x ({low:.3g} to {high:.3g}){mark}",
            ", ".join(f"{ratio:.3g}" for ratio in row["runs"]),
            f"{row['ours']:.3g} s",
            f"{row['theirs']:.3g} s",
            row["limit"],
            row["difference"],
            row["note"],
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
