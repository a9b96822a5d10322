"""Which networks are made, one after the other or side by side."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.planted.lines import read_lines
from benchmarks.planted.networks.scenes import Scenes
from benchmarks.planted.networks.shapes import CONFIGS, TRAINED
from benchmarks.planted.networks.trial import VARIANTS, run_trial

FRESH = 3000
"""Seeds below were used while methods and sizes were chosen; these and above were not."""

FRESH_TRAINED = 4000
CONTRIBUTIONS = 3
"""Plants of natural contribution are audited in the first of every so many networks of a shape."""


def orders(networks: int, trained: int) -> list[tuple[str, int]]:
    """List shape and seed of every network, shapes in turn."""
    shapes = list(CONFIGS)
    random = [(shapes[i % len(shapes)], FRESH + i) for i in range(networks)]
    return [*random, *((TRAINED, FRESH_TRAINED + i) for i in range(trained))]


def finished(lines: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Read what earlier runs stored; a last line that was cut is made again."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for row in read_lines(lines):
        found[row["shape"], row["seed"]] = row
    return found


def _one(order: tuple[str, int], fitting: Scenes) -> dict[str, Any]:
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    shape, seed = order
    third = shape != TRAINED and (seed - FRESH) // len(CONFIGS) % CONTRIBUTIONS == 0
    return run_trial(shape, seed, fitting, VARIANTS if third else VARIANTS[:2])


def made(todo: Sequence[tuple[str, int]], fitting: Scenes, jobs: int) -> Iterator[dict[str, Any]]:
    """Yield networks as they get ready."""
    work = partial(_one, fitting=fitting)
    if jobs == 1:
        yield from map(work, todo)
        return
    # Processes that start anew cannot see what lies in a package's __main__.
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(work, todo)
