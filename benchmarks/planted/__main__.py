"""Rerun the small benchmark of planted truth and redraw docs/planted.md.

    python -m benchmarks.planted --work FOLDER               # under 30 minutes on two cores
    python -m benchmarks.planted --work FOLDER worlds        # one part

Run again, it goes on where it stopped: FOLDER holds a line for all that was made. Trained worlds
are those whose checkpoints are kept, and those that lie in FOLDER
(`python -m benchmarks.planted.worlds`).
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.planted.activations import __main__ as activations
from benchmarks.planted.concealment import __main__ as concealment
from benchmarks.planted.methods.pages import replace_block
from benchmarks.planted.networks import __main__ as networks
from benchmarks.planted.worlds.family import LARGE, SMALL
from benchmarks.planted.worlds.page import shown
from benchmarks.planted.worlds.scored import finished, judged_worlds, orders

DOCS = Path(__file__).parents[2] / "docs"


def _worlds(given: argparse.Namespace) -> None:
    family = LARGE if given.large else SMALL
    lines = given.work / "worlds.jsonl"
    wanted, missing = orders(family, given.work)
    if missing:
        print(
            f"{len(missing)} worlds are not trained and are left out, {missing[0]} first; "
            f"python -m benchmarks.planted.worlds --work {given.work} trains them.",
            file=sys.stderr,
        )
    for count, name in enumerate(judged_worlds(wanted, lines, given.jobs), start=1):
        print(f"worlds: {count} judged, {name}", file=sys.stderr, flush=True)
    replace_block(given.page, "worlds", shown(finished(wanted, lines)))


def _activations(given: argparse.Namespace) -> None:
    drawn = given.page.parent / "images" / "planted-activations.svg"
    order = ["--out", str(given.work / "activations.json"), "--page", str(given.page)]
    activations.main([*order, "--plot", str(drawn), "--seeds", str(given.seeds)])


def _networks(given: argparse.Namespace) -> None:
    order = ["--out", str(given.work / "networks.json"), "--page", str(given.page)]
    networks.main([*order, "--jobs", str(given.jobs)])


def _concealment(given: argparse.Namespace) -> None:
    order = ["--out", str(given.work / "concealment.json"), "--page", str(given.page)]
    concealment.main(order)


PARTS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "worlds": _worlds,
    "networks": _networks,
    "activations": _activations,
    "concealment": _concealment,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts, each with its block of the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--work", type=Path, required=True, help="folder of lines and checkpoints")
    parser.add_argument("--jobs", type=int, default=2, help="processes side by side")
    parser.add_argument("--seeds", type=int, default=8, help="of the simulated layers")
    parser.add_argument("--large", action="store_true", help="the whole family of trained worlds")
    parser.add_argument("--page", type=Path, default=DOCS / "planted.md")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.parts) - set(PARTS))
    if unknown:
        parser.error(f"parts must be of {', '.join(PARTS)}; got {unknown[0]}.")
    given.work.mkdir(parents=True, exist_ok=True)
    for name in given.parts or PARTS:
        began = time.monotonic()
        PARTS[name](given)
        print(f"{name}: {(time.monotonic() - began) / 60:.1f} min", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
