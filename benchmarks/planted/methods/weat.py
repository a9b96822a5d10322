"""WEAT, and iEAT on pictures: a group against the other groups, a harm against the controls.

Caliskan, Bryson & Narayanan (2017), Science 356, 183-186; Steed & Caliskan (2021), FAccT. The
formulas are those of `probes.similarity.weat`, which the published tables hold to account.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted.methods.ours import people
from benchmarks.planted.methods.scores import DRAWS, Scores, flags
from benchmarks.planted.methods.world import World
from probes.errors import MeasureError
from probes.permutation import two_sample
from probes.similarity.weat import association, effect_size

Array = NDArray[np.float64]


def weat(
    x: Array, y: Array, a: Array, b: Array, rng: np.random.Generator, *, max_exact: int = 20_000
) -> tuple[float, float]:
    """Return d and its one-sided p.

    Parameters
    ----------
    x, y, a, b : ndarray of shape (n, dim)
        Two sets of targets and two of attributes, at least two targets each.
    rng : numpy.random.Generator
    max_exact : int
        Arrangements of the targets that are counted at most, else `DRAWS` are drawn.

    Raises
    ------
    MeasureError
        If a set has too few members or an embedding has no length.
    """
    if min(len(x), len(y)) < 2 or min(len(a), len(b)) < 1:
        raise MeasureError(
            "WEAT needs two targets and one attribute on each side; got "
            f"{len(x)} and {len(y)} targets, {len(a)} and {len(b)} attributes."
        )
    found = two_sample(
        association(np.concatenate([x, y]), a, b),
        np.arange(len(x) + len(y)) < len(x),
        rng=rng,
        alternative="greater",
        studentised=False,
        max_exact=max_exact,
        draws=DRAWS,
    )
    return effect_size(x, y, a, b), found.p


def on_texts(world: World, rng: np.random.Generator) -> Scores:
    """Terms of groups, terms of packs."""
    groups = [world.terms(group) for group in world.groups]
    return _scores(world, groups, _term_sets(world), rng)


def on_photos(world: World, rng: np.random.Generator) -> Scores:
    """Persons in photos, terms of packs."""
    return _scores(world, _persons(world), _term_sets(world), rng)


def on_pictures_alone(world: World, rng: np.random.Generator) -> Scores:
    """Persons in photos, photos of badges: iEAT as it was published."""
    photos = world.need_photos()
    alone = photos.of_badges
    shown = np.array([photos.badges[i] for i in alone], dtype=object)
    sets = [photos.embeddings[alone[shown == harm]] for harm in world.harms]
    controls = photos.embeddings[alone[np.isin(shown, world.controls)]]
    return _scores(world, _persons(world), ([*sets], controls), rng)


def _persons(world: World) -> list[Array]:
    pooled = people(world.need_photos())
    return [pooled.pooled[pooled.of({group})] for group in world.groups]


def _term_sets(world: World) -> tuple[list[Array], Array]:
    harms = [world.terms(harm) for harm in world.harms]
    return harms, np.concatenate([world.terms(control) for control in world.controls])


def _scores(
    world: World,
    groups: list[Array],
    attributes: tuple[list[Array], Array],
    rng: np.random.Generator,
) -> Scores:
    harms, controls = attributes
    d, p = (np.full((len(groups), len(harms)), np.nan) for _ in range(2))
    for row, x in enumerate(groups):
        rest = np.concatenate([y for other, y in enumerate(groups) if other != row])
        for column, a in enumerate(harms):
            d[row, column], p[row, column] = weat(x, rest, a, controls, rng)
    return Scores(values=d, flagged=flags(p))
