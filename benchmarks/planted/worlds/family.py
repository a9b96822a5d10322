"""The family of trained worlds: which links are planted, how strongly, by what, in which tower."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from benchmarks.worlds.scenes import Plant, World

STRENGTHS = {"weak": 0.1, "middle": 0.35, "strong": 0.7}
"""Probability of the harm in pictures of the group, in excess of what other groups have."""

LINKS = 5
"""Links planted in one world, each of another group with another harm."""

HARMS = (
    "invented_violence",
    "invented_terror",
    "invented_vermin",
    "invented_contagion",
    "invented_fraud",
)
"""Harm packs of the world of severity 3 and 4: what an audit fixes beforehand."""

TOWERS = {
    "resnet": {"layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
    "resnet-wide": {"layers": [1, 1, 1, 1], "width": 16, "patch_size": None},
    "vit": {"layers": 3, "width": 96, "head_width": 24, "patch_size": 8},
}
"""Kind and size of the image tower, as open_clip builds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedWorld:
    """One model to be trained, and the truth about it."""

    seed: int
    mechanism: str
    """A key of `benchmarks.worlds.scenes.MECHANISMS`."""

    strength: str
    """A key of ``STRENGTHS``; of a twin, the one of its planted partner."""

    tower: str = "resnet"
    noise: float = 0.0
    """Share of captions that name something else than what is shown."""

    draw: int = 0
    """Several draws of links share a twin: same start, same pictures, other links."""

    planted: bool = True

    @property
    def name(self) -> str:
        """Name of its folder; a twin is shared by all worlds of its seed, tower and noise."""
        end = f"{self.tower}-noise{self.noise:g}-seed{self.seed}"
        if not self.planted:
            return f"twin-{end}"
        return f"{self.mechanism}-{self.strength}-{end}-draw{self.draw}"

    @property
    def twin(self) -> "TrainedWorld":
        """The same start and the same pictures without a link."""
        return replace(self, planted=False, draw=0)

    def plants(self, world: World, harms: tuple[str, ...]) -> tuple[Plant, ...]:
        """Draw the links from the seed: every group and every harm at most once.

        Parameters
        ----------
        world : World
        harms : tuple of str
            Harms of the contrasts that the audit fixes beforehand.
        """
        rng = np.random.default_rng([self.seed, 5, self.draw])
        groups = rng.permutation(world.groups)[:LINKS]
        others = [badge for badge in world.badges if not badge.startswith("invented_")]
        roles = rng.permutation(others)[:LINKS]
        return tuple(
            Plant(
                group=str(group),
                harm=str(harm),
                by=self.mechanism,
                share=STRENGTHS[self.strength],
                role=str(role) if self.mechanism == "intersection" else "",
            )
            for group, harm, role in zip(groups, rng.permutation(harms)[:LINKS], roles, strict=True)
        )


def _grid(
    seeds: range,
    cells: Mapping[tuple[str, str], int],
    tower: str = "resnet",
    noise: float = 0.0,
    draws: int = 1,
) -> Iterator[TrainedWorld]:
    for (mechanism, strength), count in cells.items():
        for draw, seed in product(range(draws), seeds[:count]):
            yield TrainedWorld(
                seed=seed,
                mechanism=mechanism,
                strength=strength,
                tower=tower,
                noise=noise,
                draw=draw,
            )


FRESH = range(6000, 6100)
"""Seeds below 6000 were used while methods were chosen; these and above were not."""

SMALL = (
    *_grid(FRESH, {("caption", "middle"): 6}, draws=2),
    *_grid(
        FRESH,
        {
            ("scene", "middle"): 1,
            ("context", "middle"): 1,
            ("word", "middle"): 1,
            ("intersection", "middle"): 1,
            ("caption", "weak"): 1,
        },
    ),
)
"""What `docs/planted.md` is drawn from: 60 links of middle strength by caption, on six twins, and
five of each other kind."""

LARGE = (
    *SMALL,
    *_grid(
        FRESH[10:],
        {
            (mechanism, strength): 10
            for mechanism in ("scene", "caption", "context", "word", "intersection")
            for strength in STRENGTHS
        },
    ),
    *_grid(FRESH[20:], {("scene", "middle"): 10, ("caption", "middle"): 10}, tower="vit"),
    *_grid(FRESH[20:], {("scene", "middle"): 10, ("caption", "middle"): 10}, tower="resnet-wide"),
    *_grid(FRESH[20:], {("scene", "middle"): 10, ("caption", "middle"): 10}, noise=0.2),
)
"""Everything; days of two cores, hours of a GPU."""


def with_twins(worlds: tuple[TrainedWorld, ...]) -> tuple[TrainedWorld, ...]:
    """Return worlds and then their twins, each once."""
    every = (*worlds, *(world.twin for world in worlds))
    return tuple({world.name: world for world in every}.values())
