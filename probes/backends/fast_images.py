"""Pictures through a copy of the image tower that was chosen for speed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from open_clip.modified_resnet import ModifiedResNet
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize
from torchvision.transforms.v2 import functional as v2

from probes.backends.towers import Tap, tapped
from probes.encoder import Reading

LEVELS = 1
"""Grey levels of 255 by which one pixel may differ from Pillow's resizing."""

WIDEST = 2
"""Width over height up to which torch rounds like Pillow.

Tall pictures of noise were seen to differ by up to 24 levels (117 of 690 shapes).
"""

Prepare = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class FastTower:
    """A copy of an image tower, and where its units lie."""

    visual: nn.Module
    taps: tuple[Tap, ...]
    dtype: torch.dtype
    channels_last: bool

    def embed(
        self, batch: Tensor, readings: Sequence[Reading] = ()
    ) -> tuple[Tensor, Mapping[Reading, Tensor]]:
        """Return embeddings, not normalised, and pooled units of one batch."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        with tapped(self.taps, readings) as found:
            out: Any = self.visual(batch.to(dtype=self.dtype, memory_format=layout))
        return (out[0] if isinstance(out, tuple) else out), found


def fast_tower(original: nn.Module, copy: nn.Module, taps: Sequence[Tap]) -> FastTower:
    """Find the taps of a tower in its copy, by the names of their modules."""
    names = {module: name for name, module in original.named_modules()}
    moved = tuple(
        Tap(
            layer=tap.layer,
            module=copy.get_submodule(names[tap.module]),
            batch_first=tap.batch_first,
        )
        for tap in taps
    )
    first = next(copy.parameters())
    return FastTower(
        visual=copy,
        taps=moved,
        dtype=first.dtype,
        channels_last=copy is not original and isinstance(copy, ModifiedResNet),
    )


def is_hooked(visual: nn.Module) -> bool:
    """Tell whether somebody changes or watches the modules of a tower.

    They would see nothing of a pass through a copy.
    """
    return any(m._forward_hooks or m._forward_pre_hooks for m in visual.modules())


def by_halves(
    work: Callable[[Tensor], Sequence[Tensor]], batch: Tensor, size: int
) -> tuple[list[Tensor], int]:
    """Do work on a batch in parts, smaller ones when the device's memory does not suffice.

    Parameters
    ----------
    work : callable
        Part of the batch to tensors with one row for each of its items.
    batch : Tensor of shape (n_items, ...)
        At least one item.
    size : int
        Items of a part to begin with.

    Returns
    -------
    list of Tensor
        Rows in the order of the items.
    int
        Items of a part that found room; begin with it next time.

    Raises
    ------
    torch.OutOfMemoryError
        If not even one item finds room.
    """
    done: list[Sequence[Tensor]] = []
    start = 0
    while start < len(batch):
        try:
            done.append(work(batch[start : start + size]))
            start += size
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size = (min(size, len(batch) - start) + 1) // 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
    return [torch.cat(list(parts)) for parts in zip(*done, strict=True)], size


def uploaded(parts: Sequence[Tensor], device: str) -> Iterator[Tensor]:
    """Yield batches on a device, the next one on its way while the last is computed.

    Parameters
    ----------
    parts : sequence of Tensor
        In main memory.
    device : str
        On a graphics card, transfers run in a stream of their own from page-locked memory.
    """
    if not device.startswith("cuda"):
        for part in parts:
            yield part.to(device)
        return
    aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    waiting: Tensor | None = None
    for part in parts:
        with torch.cuda.stream(aside):
            coming = part.pin_memory().to(device, non_blocking=True)
        if waiting is not None:
            yield waiting
        torch.cuda.current_stream(device).wait_stream(aside)
        coming.record_stream(torch.cuda.current_stream(device))
        waiting = coming
    if waiting is not None:
        yield waiting


def passed(
    tower: FastTower, batch: Tensor, readings: Sequence[Reading], *, size: int, device: str
) -> tuple[list[Tensor], int]:
    """Send pictures through a tower.

    Parameters
    ----------
    tower : FastTower
    batch : Tensor of shape (n_pictures, 3, height, width)
        In main memory, at least one picture.
    readings : sequence of Reading
    size : int
        Pictures of one pass.
    device : str

    Returns
    -------
    list of Tensor
        Embeddings, then one table for each reading, float32 in main memory.
    int
        Pictures of one pass that found room.
    """

    def work(part: Tensor) -> list[Tensor]:
        embeddings, units = tower.embed(part, readings)
        rows = [embeddings, *(units[reading] for reading in readings)]
        return [row.to("cpu", torch.float32) for row in rows]

    tables: list[list[Tensor]] = []
    for part in uploaded(torch.split(batch, size), device):
        rows, size = by_halves(work, part, size)
        tables.append(rows)
    return [torch.cat(rows) for rows in zip(*tables, strict=True)], size


def preparer(transform: Compose) -> Prepare | None:
    """Return a faster way to a model's own size, or None where none is as exact.

    Pillow's resizing costs as much as decoding; torch's for bytes rounds like it, but for a
    level here and there. Decoding stays with Pillow: it is the same library at the same speed,
    and refuses damaged files with a reason.

    Parameters
    ----------
    transform : Compose
        The model's evaluation transform.

    Returns
    -------
    callable or None
        RGB picture to one that the transform only normalises.
    """
    resize, crop = _resize_of(transform)
    if resize is None:
        return None

    def pillow(picture: Image.Image) -> Image.Image:
        resized: Image.Image = resize(picture)
        return resized if crop is None else crop(resized)

    def prepare(picture: Image.Image) -> Image.Image:
        if not 1 <= picture.width / picture.height <= WIDEST:
            return pillow(picture)
        pixels = np.asarray(picture.convert("RGB"))
        laid = torch.from_numpy(pixels.copy() if not pixels.flags.writeable else pixels)
        tensor = v2.resize(
            laid.permute(2, 0, 1),
            [resize.size],
            interpolation=resize.interpolation,
            antialias=True,
        )
        if crop is not None:
            tensor = v2.center_crop(tensor, list(crop.size))
        return Image.fromarray(tensor.permute(1, 2, 0).contiguous().numpy())

    return prepare if _as_pillow(prepare, pillow, int(resize.size)) else None


def _resize_of(transform: Compose) -> tuple[Any, Any]:
    """Return resizing and crop of a transform; None where it does anything else first."""
    steps = list(transform.transforms)
    first = steps[0] if steps else None
    known = (InterpolationMode.BICUBIC, InterpolationMode.BILINEAR)
    if not isinstance(first, Resize) or first.interpolation not in known or first.max_size:
        return None, None
    if not isinstance(first.size, int):
        # Where width and height shrink by different factors, pixels of a detailed picture were seen
        # to differ from Pillow's by ten levels and more (268 of 960 shapes).
        return None, None
    second = steps[1] if len(steps) > 1 and isinstance(steps[1], CenterCrop) else None
    rest = [type(step).__name__ for step in steps[1 + (second is not None) :]]
    allowed = {"MaybeConvertMode", "MaybeToTensor", "ToTensor", "Normalize", "function"}
    return (first, second) if set(rest) <= allowed else (None, None)


def _as_pillow(prepare: Prepare, pillow: Prepare, side: int) -> bool:
    """Compare with Pillow on a picture of noise, stripes and a ramp."""
    height = 3 * side // 2
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 256, (height, height + height // 3, 3), dtype=np.uint8)
    drawn[: height // 3] = np.linspace(0, 255, drawn.shape[1], dtype=np.uint8)[:, None]
    drawn[height // 3 : height // 2, ::7] = 255
    picture = Image.fromarray(drawn)
    ours, theirs = prepare(picture), pillow(picture)
    if ours.size != theirs.size:
        return False
    return bool(np.abs(np.asarray(ours, int) - np.asarray(theirs, int)).max() <= LEVELS)
