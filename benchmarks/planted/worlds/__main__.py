"""Train the family of worlds, as far as it is not trained yet.

    python -m benchmarks.planted.worlds --work FOLDER             # the small family
    python -m benchmarks.planted.worlds --work FOLDER --large     # everything

A small world takes three to four minutes of a quiet core. Run again, it goes on where it stopped.
benchmarks/planted/README.md tells how they are judged and which are kept.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.planted.worlds.family import LARGE, SMALL, with_twins
from benchmarks.planted.worlds.training import Recipe
from benchmarks.planted.worlds.workers import trained


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, help="folder of models and pictures")
    parser.add_argument("--large", action="store_true", help="the whole family")
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--jobs", type=int, default=1, help="worlds trained side by side")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=device, help=f"here: {device}")
    given = parser.parse_args(arguments)
    specs = with_twins(LARGE if given.large else SMALL)
    recipe = Recipe(steps=given.steps, device=given.device)
    began = time.monotonic()
    for count, name in enumerate(trained(specs, recipe, given.work, given.jobs), start=1):
        left = (time.monotonic() - began) / count * (len(specs) - count) / 60
        print(f"{count}/{len(specs)} {name}; {left:.0f} min left", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
