"""Worlds that are kept or trained already are judged, side by side, each once."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.planted.lines import append_line, read_lines
from benchmarks.planted.worlds.family import TrainedWorld, with_twins
from benchmarks.planted.worlds.judging import Judged, judge, read_judged
from benchmarks.planted.worlds.kept import unpacked


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A world with the folders of its checkpoint and of its twin's."""

    spec: TrainedWorld
    model: Path
    twin: Path


def orders(worlds: Sequence[TrainedWorld], work: Path) -> tuple[list[Order], list[str]]:
    """Return what can be judged, and the names of worlds that must be trained first."""
    found, missing = [], []
    for spec in with_twins(tuple(worlds)):
        model, twin = unpacked(spec, work), unpacked(spec.twin, work)
        if model is None or twin is None:
            missing.append(spec.name)
        else:
            found.append(Order(spec=spec, model=model, twin=twin))
    return found, missing


def _one(order: Order) -> dict[str, Any]:
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    return judge(order.spec, order.model, order.twin).as_json()


def judged_worlds(wanted: Sequence[Order], lines: Path, jobs: int) -> Iterator[str]:
    """Judge what no earlier run judged, store it, and yield names as they get ready."""
    done = {_name(row) for row in read_lines(lines)}
    todo = [order for order in wanted if order.spec.name not in done]
    with get_context("spawn").Pool(jobs) as pool:
        for row in pool.imap_unordered(_one, todo):
            append_line(lines, row)
            yield _name(row)


def _name(row: dict[str, Any]) -> str:
    return TrainedWorld(**row["spec"]).name


def finished(wanted: Sequence[Order], lines: Path) -> list[Judged]:
    """Return the judged worlds in the order of the family."""
    found = {_name(row): read_judged(row) for row in read_lines(lines)}
    return [found[order.spec.name] for order in wanted if order.spec.name in found]
