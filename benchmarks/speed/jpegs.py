"""From JPEG files to embeddings: extraction as audits do it against open_clip's own loop."""

import io
import statistics
import tempfile
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from benchmarks.speed.images import network, tower_of
from benchmarks.speed.measure import Row, in_turn, row
from benchmarks.speed.peaks import limit
from concept_sets.pictures import load_picture
from concept_sets.stimulus import Modality, Stimulus
from probes.ahead import ahead
from probes.backends.fast_images import passed, preparer
from probes.backends.kernel_choice import centred_distance

KILOBYTES = 500
BATCH = 8


def measure(n: int = 16, rounds: int = 3, size: tuple[int, int] = (1440, 1080)) -> list[Row]:
    """Time both on the same files, exact mode."""
    model = network("RN50")
    with tempfile.TemporaryDirectory() as folder:
        files = written(Path(folder), n, size)
        ours, theirs = _Ours(model, files), _Theirs(model, files)
        timed = in_turn(ours.run, theirs.run, rounds=rounds)
        distance = centred_distance(torch.from_numpy(ours.rows), torch.from_numpy(theirs.rows))
        kilobytes = sum(f.stat().st_size for f in files) / n / 1000
    tower = limit("RN50", n, statistics.median(timed.ours), halved=False)
    made = row(
        timed,
        path=f"RN50, {n} JPEGs of {kilobytes:.0f} kB to embeddings, exact",
        against=f"open_clip {open_clip.__version__}: its transform, one picture at a time",
        goal=2,
        limit=f"{tower}, opening included",
        difference=f"centred cosine distance {distance:.1g}",
        note="decoded by Pillow on both sides; ours opens files in a thread beside the model, on a "
        "second core where one is free. The forward pass is nine tenths of ours, at the "
        "processor's peak: there is no more to gain here",
    )
    return [made]


def written(folder: Path, n: int, size: tuple[int, int]) -> list[Path]:
    """Write JPEGs of about half a megabyte: soft shapes with some grain."""
    rng = np.random.default_rng(0)
    files = []
    for i in range(n):
        coarse = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        soft = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.int16)
        grain = rng.normal(0, 14, (*soft.shape[:2], 1)).astype(np.int16)
        path = folder / f"{i:03d}.jpg"
        path.write_bytes(_jpeg(np.clip(soft + grain, 0, 255).astype(np.uint8)))
        files.append(path)
    return files


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    for quality in (92, 88, 84, 80, 76, 70):
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
        if stream.tell() <= KILOBYTES * 1100:
            break
    return stream.getvalue()


def listed(path: Path) -> Stimulus:
    """Return a file as an audit lists it, with its digest, which is checked when it is read."""
    digest = sha256(path.read_bytes()).hexdigest()
    return Stimulus(
        modality=Modality.PHOTO,
        content=str(path),
        concept="any",
        cluster=path.stem,
        template="",
        digest=digest,
    )


class _Ours:
    def __init__(self, model: object, files: list[Path]) -> None:
        self._model = model
        visual = getattr(model, "visual")  # noqa: B009
        _, self._tower = tower_of(visual, "exact")
        self._transform = image_transform_v2(PreprocessCfg(**visual.preprocess_cfg), is_train=False)
        self._prepare = preparer(self._transform) or (lambda picture: picture)
        self._stimuli = [listed(path) for path in files]
        self.rows = np.zeros((0, 0), np.float32)

    @torch.inference_mode()
    def run(self) -> None:
        opened = ahead(
            self._stimuli, lambda s: self._prepare(load_picture(s)), workers=1, distance=2 * BATCH
        )
        found = []
        while ready := [self._transform(picture) for picture in islice(opened, BATCH)]:
            tables, _ = passed(self._tower, torch.stack(ready), (), size=BATCH, device="cpu")
            found.append(tables[0])
        self.rows = torch.cat(found).numpy()


class _Theirs:
    def __init__(self, model: object, files: list[Path]) -> None:
        self._visual = getattr(model, "visual")  # noqa: B009
        config = PreprocessCfg(**self._visual.preprocess_cfg)
        self._transform = image_transform_v2(config, is_train=False)
        self._files = files
        self.rows = np.zeros((0, 0), np.float32)

    def run(self) -> None:
        found = [self._visual(self._transform(Image.open(f))[None]) for f in self._files]
        self.rows = torch.cat(found).detach().numpy()
