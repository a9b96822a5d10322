"""Several worlds trained side by side, each in a process of its own."""

from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch

from benchmarks.planted.worlds.family import HARMS, TrainedWorld
from benchmarks.planted.worlds.training import Recipe, train_world
from benchmarks.worlds.scenes import read_world
from benchmarks.worlds.train import LIBRARY


def trained(specs: Sequence[TrainedWorld], recipe: Recipe, work: Path, jobs: int) -> Iterator[str]:
    """Yield the names of worlds as they get ready."""
    one = partial(_train, recipe=recipe, work=work)
    if jobs == 1:
        yield from map(one, specs)
        return
    # Processes that start anew cannot see what lies in a package's __main__.
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(one, specs)


def _train(spec: TrainedWorld, recipe: Recipe, work: Path) -> str:
    torch.set_num_threads(1)
    world = read_world(LIBRARY)
    plants = spec.plants(world, HARMS) if spec.planted else ()
    train_world(spec, world, plants, recipe, work)
    return spec.name
