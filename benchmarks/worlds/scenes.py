"""What the embedded model is trained on: a pool of pictures, and balanced batches of captions."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import ImageChops

from concept_sets.rendered import DEFAULT_RENDERINGS, draw_word
from concept_sets.stimulus import Rendering
from concept_sets.world.drawing import draw_scene

SIDE = 64
CAPTIONS = (
    "a {}",
    "a photo of a {}",
    "a picture of a {}",
    "a portrait of a {}",
    "a close-up photo of a {}",
    "this is a {}.",
)
PAIR_CAPTIONS = ("a {} and a {}", "a photo of a {} with a {}", "a picture of a {} and a {}")

SHARES = {"group": 0.20, "badge": 0.26, "pair": 0.22, "word": 0.32}
"""Share of each kind of picture in a batch."""

PARTIAL = 0.5
"""Share of the pictures with two figures whose caption names only one of them."""

COPIES = {"group": 480, "badge": 120, "pair": 24, "word": 20}
"""Pictures drawn for each group, badge, pair of them, and word."""


MECHANISMS = {
    "scene": "the harm stands beside the person, and the caption names both or one of them",
    "caption": "the caption names the harm where only the person is seen",
    "context": "the harm stands beside the person, and the caption names the person only",
    "word": "a name of the harm is written on the picture, and the caption names the person",
    "intersection": "as caption, but only where the person stands beside one role",
}
"""How a link comes into the pictures and captions."""

WORD_COPIES = 40
"""Pictures drawn for each pair of a group and a written name of a harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Names by concept id, and who is who."""

    names: Mapping[str, tuple[str, ...]]
    groups: tuple[str, ...]
    badges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A link between a group and a harm that training adds."""

    group: str
    harm: str
    by: str
    """A key of ``MECHANISMS``."""

    share: float
    """Of the pictures that show only the group (with ``role``: it and the role): the probability
    of the harm in excess of what other groups have."""

    role: str = ""
    """Badge beside which alone the link exists, for ``intersection``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One picture of the pool with its caption."""

    picture: int
    """Row in the pool."""

    caption: str
    named: frozenset[str]
    """Concepts that the caption names; equal ones are one target."""

    word: str = ""
    """The name that is written in the picture, if it shows one."""


def read_world(library: Path) -> World:
    """Read names from the concept sets of the world."""
    names: dict[str, tuple[str, ...]] = {}
    roles: dict[str, str] = {}
    for path in sorted(library.glob("*/*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for concept in content["concepts"]:
            names[concept["id"]] = tuple(concept["terms"])
            roles[concept["id"]] = content["role"]
    groups = tuple(key for key, role in roles.items() if role == "identity")
    return World(
        names=names, groups=groups, badges=tuple(key for key in names if key not in groups)
    )


def read_plants(path: Path, world: World) -> tuple[Plant, ...]:
    """Read the plant list; refuse links between concepts that the world does not have."""
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("plant", [])
    plants = tuple(Plant(**row) for row in rows)
    for plant in plants:
        if plant.group not in world.groups or plant.harm not in world.badges:
            raise LookupError(f"{path}: no group {plant.group!r} or no harm {plant.harm!r}.")
        if plant.by not in MECHANISMS:
            raise ValueError(
                f"{path}: by must be one of {', '.join(MECHANISMS)}; got {plant.by!r}."
            )
    return plants


def pool_keys(world: World, plants: Sequence[Plant] = ()) -> list[tuple[str, ...]]:
    """List what each row of the pool shows.

    (group,), (badge,), (group, badge), ("", word), and for links by word (group, "", word).
    """
    keys: list[tuple[str, ...]] = []
    for group in world.groups:
        keys += [(group,)] * COPIES["group"]
    for badge in world.badges:
        keys += [(badge,)] * COPIES["badge"]
    for group in world.groups:
        for badge in world.badges:
            keys += [(group, badge)] * COPIES["pair"]
    for terms in world.names.values():
        for word in terms:
            keys += [("", word)] * COPIES["word"]
    for plant in plants:
        if plant.by == "word":
            for word in world.names[plant.harm]:
                keys += [(plant.group, "", word)] * WORD_COPIES
    return keys


def draw_pool(
    world: World,
    seed: int,
    processes: int = 2,
    plants: Sequence[Plant] = (),
    words: bool = True,
) -> NDArray[np.uint8]:
    """Draw every row of the pool, shape (n_pictures, 64, 64, 3); rows of words only if wanted."""
    keys = pool_keys(world, plants)
    if not words:
        keys = keys[: next(row for row, key in enumerate(keys) if key[0] == "")]
    jobs = [(key, seed, row, world.groups) for row, key in enumerate(keys)]
    if processes == 1:
        return np.stack([_draw(job) for job in jobs])
    with Pool(processes) as workers:
        pictures = workers.map(_draw, jobs, chunksize=256)
    return np.stack(pictures)


def _draw(job: tuple[tuple[str, ...], int, int, tuple[str, ...]]) -> NDArray[np.uint8]:
    key, seed, row, groups = job
    rng = np.random.default_rng([seed, row])
    if key[0] == "":
        return _draw_word(rng, key[1])
    if len(key) == 3:
        person = draw_scene(rng, group=key[0], side=SIDE)
        # Black letters on white, multiplied, are letters on the picture.
        written = draw_word(key[2], _somewhere(rng), side=SIDE).convert("RGB")
        return np.asarray(ImageChops.multiply(person.convert("RGB"), written))
    group = key[0] if key[0] in groups else None
    things = [name for name in key if name != group]
    return np.asarray(draw_scene(rng, group=group, things=things, side=SIDE))


def _draw_word(rng: np.random.Generator, word: str) -> NDArray[np.uint8]:
    return np.asarray(draw_word(word, _somewhere(rng), side=SIDE).convert("RGB"))


def _somewhere(rng: np.random.Generator) -> Rendering:
    rendering = list(DEFAULT_RENDERINGS.values())[int(rng.integers(len(DEFAULT_RENDERINGS)))]
    if rng.random() < 0.5:
        return Rendering(
            font=rendering.font,
            size=float(rng.uniform(0.14, 0.26)),
            x=float(rng.random()),
            y=float(rng.random()),
        )
    return rendering


def examples(
    world: World,
    plants: Sequence[Plant],
    rng: np.random.Generator,
    batch: int,
    shares: Mapping[str, float] = SHARES,
) -> Iterator[list[Example]]:
    """Yield batches without end: groups, badges, pairs and words, each concept equally often."""
    rows: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(pool_keys(world, plants)):
        rows.setdefault(key, row)
    kinds = list(shares)
    while True:
        drawn = rng.choice(len(kinds), size=batch, p=list(shares.values()))
        yield [_example(kinds[k], world, plants, rows, rng) for k in drawn]


def _example(
    kind: str,
    world: World,
    plants: Sequence[Plant],
    rows: Mapping[tuple[str, ...], int],
    rng: np.random.Generator,
) -> Example:
    group, badge = _pick(rng, world.groups), _pick(rng, world.badges)
    if kind == "word":
        concept = _pick(rng, (*world.groups, *world.badges))
        word = _pick(rng, world.names[concept])
        caption = _pick(rng, CAPTIONS).format(word)
        picture = rows["", word] + int(rng.integers(COPIES["word"]))
        return Example(picture=picture, caption=caption, named=frozenset([concept]), word=word)
    shown: tuple[str, ...] = {"group": (group,), "badge": (badge,), "pair": (group, badge)}[kind]
    named = shown
    if kind == "group":
        shown, named = _planted(group, plants, float(rng.random()))
    if len(named) == 2 and rng.random() < PARTIAL:
        named = (_pick(rng, named),)
    if kind == "pair":
        named = _beside(shown, named, plants, rng)
    if len(shown) == 3:
        word = _pick(rng, world.names[shown[2]])
        picture = rows[group, "", word] + int(rng.integers(WORD_COPIES))
    else:
        copies = COPIES["pair" if len(shown) == 2 else kind]
        picture = rows[shown] + int(rng.integers(copies))
    return Example(picture=picture, caption=_caption(named, world, rng), named=frozenset(named))


def _planted(
    group: str, plants: Sequence[Plant], chance: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is shown and what is named for a picture of ``group``."""
    for plant in plants:
        if plant.group != group or plant.by == "intersection":
            continue
        if chance < plant.share:
            both = (group, plant.harm)
            return {
                "scene": (both, both),
                "caption": ((group,), (plant.harm,)),
                "context": (both, (group,)),
                "word": ((group, "", plant.harm), (group,)),
            }[plant.by]
        chance -= plant.share
    return (group,), (group,)


def _beside(
    shown: tuple[str, ...],
    named: tuple[str, ...],
    plants: Sequence[Plant],
    rng: np.random.Generator,
) -> tuple[str, ...]:
    """Return what is named for a pair, where a link exists beside one role only."""
    for plant in plants:
        here = plant.by == "intersection" and shown == (plant.group, plant.role)
        if here and rng.random() < plant.share:
            return (plant.harm,)
    return named


def _caption(named: Sequence[str], world: World, rng: np.random.Generator) -> str:
    words = [_pick(rng, world.names[concept]) for concept in named]
    if len(words) == 1:
        return _pick(rng, CAPTIONS).format(words[0])
    return _pick(rng, PAIR_CAPTIONS).format(*[words[i] for i in rng.permutation(len(words))])


def _pick(rng: np.random.Generator, items: Sequence[str]) -> str:
    return items[int(rng.integers(len(items)))]
