"""Extraction of RN50 from JPEG files to stored shards against bare passes of the same tower."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from benchmarks.speed.images import network, tower_of, waves
from benchmarks.speed.jpegs import listed, written
from benchmarks.speed.measure import Row, in_turn, row
from concept_sets.pictures import load_picture
from concept_sets.stimulus import Stimulus
from probes.backends.fast_images import FastTower, passed, preparer
from probes.cache import ActivationCache
from probes.encoder import EncodedPictures, EncoderIdentity, Reading
from probes.extract import extract_pictures

WHOLE = 2000
BATCH = 16


class Bare:
    """An RN50 with random weights as `probes.extract` sees it; only what extraction asks for."""

    batch_size = BATCH
    loaders = 1

    def __init__(self) -> None:
        self.model: Any = network("RN50")
        visual = self.model.visual
        self.kernel, self.tower = tower_of(visual, "exact")
        self._transform = image_transform_v2(PreprocessCfg(**visual.preprocess_cfg), is_train=False)
        self._prepare = preparer(self._transform)
        self.layers = tuple(tap.layer for tap in self.tower.taps)
        self.identity = EncoderIdentity(
            name="RN50/random", backend="open_clip", architecture="RN50", pretrained="",
            weights_digest="sha256:random", activation="relu", preprocessing="", image_size=224,
            embedding_size=1024, n_parameters=1, logit_scale=1.0, libraries={},
        )  # fmt: skip

    def prepare(self, picture: Image.Image) -> Image.Image:
        """Return the picture at the model's size."""
        return self._prepare(picture) if self._prepare else picture

    @torch.inference_mode()
    def encode_pictures(
        self, pictures: list[Image.Image], readings: tuple[Reading, ...] = ()
    ) -> EncodedPictures:
        """Return embeddings and pooled units."""
        batch = torch.stack([self._transform(picture) for picture in pictures])
        (first, *units), _ = passed(self.tower, batch, readings, size=BATCH, device="cpu")
        tables = [table.numpy() for table in units]
        return EncodedPictures(
            embeddings=first.numpy(), units=dict(zip(readings, tables, strict=True))
        )


def measure(n: int = 32, rounds: int = 3, size: tuple[int, int] = (1440, 1080)) -> list[Row]:
    """Time a share of 2,000 pictures both ways; both grow with their number."""
    encoder = Bare()
    readings = tuple(Reading(layer=x.name, pooling=x.poolings[0]) for x in encoder.layers)
    with tempfile.TemporaryDirectory() as folder:
        stimuli = [listed(path) for path in written(Path(folder), n, size)]
        runs = iter(range(1000))
        whole = partial(_extract, encoder, stimuli, readings, Path(folder), runs)
        batch = waves(BATCH, 224)
        timed = in_turn(whole, partial(_bare, encoder.tower, batch, n), rounds=rounds)
    made = row(
        timed,
        path=f"RN50, {WHOLE:,} JPEGs to stored shards, every stage read ({encoder.kernel})",
        against="bare forward passes of the same tower",
        goal=1.3,
        at_most=True,
        note=f"both timed on {n} pictures, of {WHOLE:,}; the first batch is opened while the model "
        "waits, which weighs more among few",
    )
    return [made]


def _extract(
    encoder: Any, stimuli: list[Stimulus], readings: tuple[Reading, ...], home: Path, runs: Any
) -> None:
    cache = ActivationCache(home / f"cache-{next(runs)}")
    extract_pictures(encoder, stimuli, load_picture=load_picture, readings=readings, cache=cache)


@torch.inference_mode()
def _bare(tower: FastTower, batch: torch.Tensor, n: int) -> None:
    for start in range(0, n, BATCH):
        tower.embed(batch[: min(BATCH, n - start)])
