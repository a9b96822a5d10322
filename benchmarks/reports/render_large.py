"""How long a large audit takes to become pages, and how much memory that needs.

    clip-audit demo --out audit-runs
    python -m benchmarks.reports.render_large audit-runs/AUDIT --out render_large.json

A result of 2,560 units and 300 concepts, grown from a finished audit, is rendered in each format,
each time in a process of its own. A table goes to standard output; ``--out`` keeps the figures.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from audit.pictures_file import read_pictures
from audit.results import read_result
from benchmarks.reports.large_result import CONCEPTS, UNITS, grow
from reports.formats import find_format

GOALS = {"html": 10.0, "pdf": 60.0}
"""Seconds on two cores."""

MEMORY_MIB = 1536


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one rendering took."""

    format: str
    seconds: float
    """By the clock on the wall, from the result in memory to the bytes of the report."""

    user_seconds: float
    """Of the processor: what other work on the machine does not change."""

    peak_mib: float
    """Largest resident memory of the whole process."""

    megabytes: float


def take(audit: Path, name: str, concepts: int, units: int) -> Taken:
    """Render in this process and measure it."""
    result = grow(read_result(audit / "result.json"), concepts=concepts, units=units)
    pictures = read_pictures(audit)
    begun, used = time.perf_counter(), _user()
    content = find_format(name).render(result, pictures)
    return Taken(
        format=name,
        seconds=round(time.perf_counter() - begun, 2),
        user_seconds=round(_user() - used, 2),
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        megabytes=round(len(content) / 1e6, 2),
    )


def _user() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def apart(audit: Path, name: str, concepts: int, units: int) -> Taken:
    """Measure in a process of its own, which nothing before has filled."""
    command = [sys.executable, "-m", "benchmarks.reports.render_large", str(audit)]
    command += ["--alone", name, "--concepts", str(concepts), "--units", str(units)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Taken(**json.loads(told))


def line(taken: Taken) -> str:
    """Word one row of the table."""
    goal = GOALS.get(taken.format, float("nan"))
    return (
        f"| {taken.format} | {taken.seconds:.1f} | {taken.user_seconds:.1f} | {goal:.0f} "
        f"| {taken.peak_mib:,.0f} | {MEMORY_MIB:,} | {taken.megabytes:.1f} |"
    )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("audit", type=Path, help="a finished audit folder")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--concepts", type=int, default=CONCEPTS)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--formats", nargs="+", default=list(GOALS))
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        print(json.dumps(asdict(take(asked.audit, asked.alone, asked.concepts, asked.units))))
        return
    print("| format | s | user s | goal s | peak MiB | goal MiB | MB |")
    print("|---|---|---|---|---|---|---|")
    rows = [apart(asked.audit, name, asked.concepts, asked.units) for name in asked.formats]
    for taken in rows:
        print(line(taken))
    if asked.out:
        figures = {"cores": os.cpu_count(), "concepts": asked.concepts, "units": asked.units}
        figures["rows"] = [asdict(taken) for taken in rows]
        asked.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
