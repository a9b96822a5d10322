"""Pictures of the fictional groups: some to fit a unit's function on, others for the audit."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from benchmarks.planted.networks.shapes import PREPROCESSING, SIDE
from concept_sets.catalog import Library, load_library
from concept_sets.concept import Role
from concept_sets.photos import PhotoSet, read_photos, with_concepts
from concept_sets.world.drawing import write_photos

WORLD = Path(__file__).parents[3] / "concept_sets" / "world" / "library"
FIT_SEED = 0
"""Seed of the pictures on which functions are fitted; those of the audits have others."""

FIT_PERSONS = 40
PERSONS = 128
PHOTOS = 1
"""Photos of each person that the audit sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenes:
    """Pictures of every group, drawn once."""

    pictures: Tensor
    """Preprocessed, shape (n_pictures, 3, side, side)."""

    groups: NDArray[np.intp]
    """Index into the names, shape (n_pictures,)."""

    names: tuple[str, ...]
    """References of the groups."""


@lru_cache(maxsize=1)
def world() -> Library:
    """Return the concept sets of the fictional world."""
    return load_library([WORLD], builtin=False)


def draw_photos(
    folder: Path, seed: int, *, persons: int = PERSONS, photos: int = PHOTOS
) -> PhotoSet:
    """Draw photos of every group as a user would hand them over."""
    refs = {c.id: c.ref for s in world().sets if s.role is Role.IDENTITY for c in s.concepts}
    manifest = write_photos(
        folder, refs=refs, seed=seed, persons_per_group=persons, photos_per_person=photos, side=SIDE
    )
    return with_concepts(read_photos(manifest), world())


def scenes_of(photos: PhotoSet) -> Scenes:
    """Return photos as towers take them."""
    shown = [s for s in photos.stimuli if s.concept]
    names = tuple(dict.fromkeys(s.concept for s in shown))
    return Scenes(
        pictures=torch.stack([_prepared(Path(photos.root or ".") / s.content) for s in shown]),
        groups=np.array([names.index(s.concept) for s in shown], dtype=np.intp),
        names=names,
    )


def _prepared(path: Path) -> Tensor:
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"), dtype=np.float32) / 255
    mean, spread = (np.array(PREPROCESSING[key], np.float32) for key in ("mean", "std"))
    return torch.from_numpy((pixels - mean) / spread).permute(2, 0, 1)
