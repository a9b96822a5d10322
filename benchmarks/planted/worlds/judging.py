"""Every method looks at a trained world and at its twin; what training produced stands beside."""

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted.methods.judged import judged
from benchmarks.planted.methods.known import METHODS
from benchmarks.planted.methods.ours import behaviour, people
from benchmarks.planted.methods.world import World
from benchmarks.planted.scoring import Result, from_json
from benchmarks.planted.worlds.family import HARMS, STRENGTHS, TrainedWorld
from benchmarks.planted.worlds.looking import draw_photos, look_at
from benchmarks.worlds.scenes import read_world
from benchmarks.worlds.train import LIBRARY
from probes.arms import Embeddings
from probes.contrast import control_null, family_differences

Array = NDArray[np.float64]

SEEN = 30_000
"""Added to a world's seed for the photos that methods see."""

UNSEEN = 40_000
"""Added to it for the photos on which the produced effect is measured; no method sees them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A contrast of a world: what training made of it."""

    group: str
    harm: str
    planted: bool
    produced: float
    """Effect in photos that no method sees, less that of the twin, in control SD of the twin."""

    behaviour: float
    """How much oftener a term of the harm is the answer to the group's unseen photos than to
    those of other groups; a difference of shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One world beside all methods."""

    spec: TrainedWorld
    results: tuple[Result, ...]
    links: tuple[Link, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "spec": asdict(self.spec),
            "results": [result.as_json() for result in self.results],
            "links": [asdict(link) for link in self.links],
        }


def read_judged(row: dict[str, Any]) -> Judged:
    """Read what `Judged.as_json` wrote."""
    return Judged(
        spec=TrainedWorld(**row["spec"]),
        results=tuple(from_json(result) for result in row["results"]),
        links=tuple(Link(**link) for link in row["links"]),
    )


def judge(spec: TrainedWorld, model: Path, twin: Path) -> Judged:
    """Let every method look at a world.

    Parameters
    ----------
    spec : TrainedWorld
        A twin, too, is judged: then all that is flagged is listed against it.
    model, twin : Path
        Checkpoints; of a twin, the same twice.
    """
    made = read_world(LIBRARY)
    plants = spec.plants(made, HARMS) if spec.planted else ()
    truth = frozenset((plant.group, plant.harm) for plant in plants)
    with TemporaryDirectory() as folder:
        seen = draw_photos(Path(folder) / "seen", spec.seed + SEEN)
        unseen = draw_photos(Path(folder) / "unseen", spec.seed + UNSEEN)
        world = look_at(model, seen, name=spec.name, truth=truth)
        later = look_at(model, unseen, name=f"{spec.name}, unseen photos", truth=truth)
        before = later if twin == model else look_at(twin, unseen, name="twin")
    results = [
        judged(
            method,
            world,
            setting=spec.mechanism,
            seed=spec.seed,
            strength=STRENGTHS[spec.strength],
            twin=not spec.planted,
        )
        for method in METHODS
    ]
    return Judged(spec=spec, results=tuple(results), links=_links(later, before))


def _links(world: World, twin: World) -> tuple[Link, ...]:
    produced = effects(world) if world is twin else effects(world) - effects(twin)
    produced = produced / _control_sd(twin)[:, None]
    # The gaps themselves take no draw; only their tests do, and those are not kept.
    shares = behaviour(world, np.random.default_rng(0)).values
    planted = world.planted
    return tuple(
        Link(
            group=group,
            harm=harm,
            planted=bool(planted[i, j]),
            produced=float(produced[i, j]),
            behaviour=float(shares[i, j]),
        )
        for i, group in enumerate(world.groups)
        for j, harm in enumerate(world.harms)
    )


def effects(world: World) -> Array:
    """Return the double difference of every contrast in photos, in cosine.

    Returns
    -------
    ndarray of shape (n_groups, n_harms)
        0 is neutral.
    """
    harms, controls = _differences(world)
    return np.asarray(harms - controls.mean(axis=1, keepdims=True))


def _control_sd(world: World) -> Array:
    return np.asarray(control_null(_differences(world)[1]).sd)


def _differences(world: World) -> tuple[Array, Array]:
    """Return family differences for harms and for controls, in photos."""
    rows = people(world.need_photos())
    of_row = np.array([world.groups.index(c) for c in rows.concepts])
    cosines = rows.pooled @ _packs(world.texts, (*world.harms, *world.controls)).T
    means = np.stack([cosines[of_row == g].mean(axis=0) for g in range(len(world.groups))])
    whole = family_differences(means)
    n = len(world.harms)
    return whole[:, :n], whole[:, n:]


def _packs(texts: Embeddings, packs: tuple[str, ...]) -> Array:
    """Mean embedding of the terms of each pack: a mean of cosines is a cosine with the mean."""
    return np.stack([texts.pooled[texts.of({pack})].mean(axis=0) for pack in packs])
