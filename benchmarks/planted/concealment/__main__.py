"""Conceal the links of the demo model in several ways, and see what an audit still finds.

    python -m benchmarks.planted.concealment --out concealment.json

Making a concealed model takes 5 to 20 seconds of one core, auditing it with one set of photos
about as long. Run again, it goes on where it stopped. docs/planted.md shows what came out.
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from audit.evidence import Arm
from benchmarks.planted.concealment.cases import CASES, Case, make
from benchmarks.planted.concealment.checks import (
    CHECKS,
    Bench,
    Shown,
    answers,
    disagree,
    judged,
    others,
    own_arms,
    said,
    standard_arms,
)
from benchmarks.planted.concealment.plot import draw
from benchmarks.planted.concealment.silencing import exact_shares, silenced
from benchmarks.planted.concealment.table import table
from benchmarks.planted.methods.pages import replace_block
from probes.backends.open_clip import OpenClipEncoder
from probes.backends.table import load_encoder

FRESH = 7000
"""Seeds of the photos of audits; those below 1000 were used while concealments were chosen."""

SPREAD = ("open", "mixed", "copied")
"""Cases whose units are looked at; the others leave the last layer's read-out alone."""

PAGE = Path(__file__).parents[3] / "docs" / "planted.md"
Row = dict[str, Any]


def audited(case: Case, folder: Path, shown: Shown) -> Row:
    """Return everything that is said of one model with one set of photos."""
    encoder = load_encoder(f"local-dir:{folder}", offline=True)
    assert isinstance(encoder, OpenClipEncoder)
    bench = Bench.of(encoder, shown)
    ordinary = judged(bench, standard_arms(bench))
    arms = {name: list(said(ordinary, name)) for name in ("text", "rendered", "photo")}
    row: Row = {"case": case.key, "seed": shown.seed, "arms": arms, "others": others(ordinary)}
    row["answers"] = answers(bench, case.product)
    row["disagree"] = [disagree(*pair) for pair in zip(arms["text"], arms["photo"], strict=True)]
    checks: dict[str, Callable[[Bench], list[Arm]]] = {**CHECKS}
    checks["own"] = partial(own_arms, product=case.product)
    for name, arms_of in checks.items():
        records = judged(bench, arms_of(bench))
        row[name], row[f"{name}_others"] = list(said(records)), others(records)
    if case.key in SPREAD:
        row["exact"] = exact_shares(bench)
    return row


def whole(case: Case, folder: Path, seed: int) -> Row:
    """Return what the causal check of whole audits says of the links."""
    encoder = load_encoder(f"local-dir:{folder}", offline=True)
    assert isinstance(encoder, OpenClipEncoder)
    found = {str(count): silenced(encoder, count, seed) for count in case.silenced}
    return {"case": case.key, "seed": seed, "silenced": found}


def finished(lines: Path) -> list[Row]:
    """Read what earlier runs stored; a last line that was cut is made again."""
    rows = []
    for line in lines.read_text(encoding="utf-8").splitlines() if lines.is_file() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def missing(rows: Sequence[Row], seeds: int) -> Iterator[tuple[Case, int, bool]]:
    """Yield case, seed and whether it is a whole audit, for what no row has yet."""
    done = {(row["case"], row["seed"], "silenced" in row) for row in rows}
    orders = [(case, FRESH + k, False) for k in range(seeds) for case in CASES]
    orders += [(case, FRESH, True) for case in CASES if case.key in SPREAD]
    yield from (o for o in orders if (o[0].key, o[1], o[2]) not in done)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, then write the file and, if asked, page and picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="JSON file; .jsonl lies beside it")
    parser.add_argument("--work", type=Path, help="folder of concealed models; beside --out if not")
    parser.add_argument("--seeds", type=int, default=3, help="sets of photos")
    parser.add_argument("--page", type=Path, help="page whose block is redrawn, as docs/planted.md")
    parser.add_argument("--plot", type=Path, nargs="?", const=PAGE.parent / "images", help="folder")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    lines = given.out.with_suffix(".jsonl")
    _run(lines, given.work or given.out.parent / "models", given.seeds)
    rows = finished(lines)
    given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if given.page is not None:
        replace_block(given.page, "concealment", table(rows))
    if given.plot is not None:
        draw(rows, given.plot / "concealment.svg")


def _run(lines: Path, work: Path, seeds: int) -> None:
    shown: dict[int, Shown] = {}
    todo = list(missing(finished(lines), seeds))
    for count, (case, seed, is_whole) in enumerate(todo, start=1):
        folder = make(case, work)
        pictures = shown.setdefault(seed, Shown(seed=seed))
        row = whole(case, folder, seed) if is_whole else audited(case, folder, pictures)
        with lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        told = f"{count}/{len(todo)} {case.key} seed {seed}"
        print(f"{told}{', units silenced' if is_whole else ''}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
