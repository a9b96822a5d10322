"""How the concepts of the fictional world look; the table is ``looks.yaml`` beside this file."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLook:
    """What the persons of one people have in common."""

    hue: int
    """Colour of the body in degrees, 0 to 359."""

    cloth: int
    """Colour of the clothes in degrees, 0 to 359."""

    headgear: str
    pattern: str
    """Of the clothes."""

    torso: str
    """Outline of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeLook:
    """The sign that stands for a thing, a place, a profession or a harm."""

    outer: str
    inner: str
    """Shapes: a small one on a large one."""

    hue: int
    inner_hue: int
    """Colours in degrees, 0 to 359."""

    frame: str
    """``held`` by a grey figure, on a ``building``, or a ``thing`` by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Appearance by concept id."""

    groups: Mapping[str, GroupLook]
    badges: Mapping[str, BadgeLook]


@lru_cache(maxsize=1)
def read_looks() -> Looks:
    """Read the table that travels with this package."""
    text = resources.files(__package__).joinpath("looks.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    return Looks(
        groups={key: GroupLook(**row) for key, row in table["groups"].items()},
        badges={key: BadgeLook(**row) for key, row in table["badges"].items()},
    )
