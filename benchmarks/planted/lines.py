"""Results of a long run, one JSON line each: a run that was cut goes on where it stopped."""

import json
from pathlib import Path
from typing import Any


def read_lines(path: Path) -> list[Any]:
    """Return what earlier runs stored; a line that was cut is left out, to be made again."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def append_line(path: Path, row: Any) -> None:
    """Write a line of its own, also after one that was cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cut = path.is_file() and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if cut else "") + json.dumps(row) + "\n")
