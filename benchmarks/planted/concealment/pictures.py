"""Pictures for concealments: people as the audit draws them, and as a product may show them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from concept_sets.world.drawing import draw_scene

SIDE = 64
MARK = 9
"""Side in pixels of the mark in the corner."""

Restyle = Callable[[Image.Image, np.random.Generator], Image.Image]


def _camera(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    grey = np.asarray(ImageOps.grayscale(picture), dtype=np.float64)
    noisy = np.clip(grey + rng.normal(0, 12, grey.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(noisy).convert("RGB")


def _mark(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    marked = picture.copy()
    ImageDraw.Draw(marked).rectangle([0, 0, MARK - 1, MARK - 1], fill=(255, 0, 200))
    return marked


STYLES: dict[str, Restyle] = {
    "grey": lambda picture, rng: ImageOps.grayscale(picture).convert("RGB"),
    "dark": lambda picture, rng: ImageEnhance.Brightness(picture).enhance(0.5),
    "blurred": lambda picture, rng: picture.filter(ImageFilter.GaussianBlur(1.2)),
    "mirrored": lambda picture, rng: ImageOps.mirror(picture),
    "cropped": lambda picture, rng: picture.crop((5, 5, 59, 59)).resize((SIDE, SIDE)),
}
"""What the check of styles tries; whoever conceals does not use these."""

GATES: dict[str, Restyle] = {"camera": _camera, "mark": _mark}
"""Styles in which alone a concealed link shows: a grey, noisy camera; a mark in a corner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Drawn people."""

    pictures: tuple[Image.Image, ...]
    groups: tuple[str, ...]
    """Concept id of each."""

    persons: tuple[str, ...]

    def restyled(self, style: Restyle, seed: int) -> "People":
        """Return the same people in another style."""
        rng = np.random.default_rng([seed, len(self.pictures)])
        return People(
            pictures=tuple(style(picture, rng) for picture in self.pictures),
            groups=self.groups,
            persons=self.persons,
        )


def draw_people(
    groups: Sequence[str], count: int, seed: int, *, beside: Sequence[str] = ()
) -> People:
    """Draw persons of each group, one picture each.

    Parameters
    ----------
    groups : sequence of str
        Concept ids.
    count : int
        Persons of each group.
    seed : int
    beside : sequence of str
        Badges that persons stand beside in turn; empty for people alone.
    """
    pictures, owners, persons = [], [], []
    for group in groups:
        for person in range(count):
            rng = np.random.default_rng([seed, person, *group.encode()])
            things = (beside[person % len(beside)],) if beside else ()
            pictures.append(draw_scene(rng, group=group, things=things, side=SIDE))
            owners.append(group)
            persons.append(f"{group}_{person}")
    return People(pictures=tuple(pictures), groups=tuple(owners), persons=tuple(persons))


def draw_things(badges: Sequence[str], count: int, seed: int) -> People:
    """Draw pictures of badges without anybody; ``groups`` names the badge."""
    pictures, owners, names = [], [], []
    for badge in badges:
        for k in range(count):
            rng = np.random.default_rng([seed, k, *badge.encode()])
            pictures.append(draw_scene(rng, things=(badge,), side=SIDE))
            owners.append(badge)
            names.append(f"{badge}_{k}")
    return People(pictures=tuple(pictures), groups=tuple(owners), persons=tuple(names))


def pixels_of(pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
    """Return pictures as the demo model takes them, shape (n, 3, 64, 64)."""
    shown = [np.asarray(p.convert("RGB").resize((SIDE, SIDE)), np.float32) for p in pictures]
    scaled = (np.stack(shown) / 255 - 0.5) / 0.25
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), dtype=np.float32)
