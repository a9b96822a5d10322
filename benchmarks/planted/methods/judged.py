"""Scores of a world become a stored result."""

import math

from benchmarks.planted.methods.scores import Method, Scores, Seed, apply
from benchmarks.planted.methods.world import World
from benchmarks.planted.scoring import Result


def judged(
    method: Method, world: World, *, setting: str, seed: int, strength: float, twin: bool
) -> Result:
    """Score a world with a method, and set its scores beside the truth.

    Parameters
    ----------
    method : Method
    world : World
    setting, seed, strength, twin
        As in `Result`.

    Raises
    ------
    MeasureError
        If the world lacks what the method looks at.
    """
    draws: Seed = seed
    scores = apply(method, world, draws)
    values = [float(v) for v in scores.values.ravel()]
    return Result(
        method=method.name,
        world=world.name,
        setting=setting,
        seed=seed,
        strength=strength,
        twin=twin,
        pairs=world.pairs,
        values=tuple(v if math.isfinite(v) else None for v in values),
        flagged=tuple(bool(f) for f in scores.flagged.ravel()),
        planted=tuple(bool(p) for p in world.planted.ravel()),
        places=_places(scores, world),
        note=scores.note,
    )


def _places(scores: Scores, world: World) -> tuple[int, ...]:
    at = {
        pair: scores.place(world.groups.index(pair[0]), world.harms.index(pair[1]), unit)
        for pair, unit in sorted(world.units.items())
        if pair in world.truth
    }
    return tuple(place for place in at.values() if place is not None)
