"""Choosing the kernel of an image tower: as exact as it must be, and faster here; both measured."""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from probes.backends.fast_images import FastTower, fast_tower
from probes.backends.kernel_book import HALVED, PLAIN, KernelBook, KernelPlan
from probes.backends.kernels import KERNELS, exact_kernel
from probes.backends.towers import Tap
from probes.encoder import EncoderIdentity

SMALL = 8_000_000
"""Parameters of an image tower below which nothing is gained that anyone would notice."""

LARGE = 150_000_000
"""Parameters from which two pictures are enough to measure with."""

SAME = 1e-5
"""Largest difference of embeddings in exact mode, as a share of the largest value."""

GAIN = 1.15
"""How many times faster a kernel has to be; less is noise."""

CPU_BATCH, CARD_BATCH = 16, 256


def chosen_tower(
    book: KernelBook,
    identity: EncoderIdentity,
    visual: nn.Module,
    taps: Sequence[Tap],
    *,
    device: str,
    resize: str,
) -> tuple[KernelPlan, FastTower | None]:
    """Return the plan of an earlier start, or decide now, and the tower that computes by it.

    Parameters
    ----------
    book : KernelBook
        Where choices are kept.
    identity : EncoderIdentity
        Of the model, without a kernel.
    visual : Module
        The image tower as it was loaded; it is not changed.
    taps : sequence of Tap
        Where its units lie.
    device : str
    resize : {"torch", "pillow"}
        What resizes bytes.

    Returns
    -------
    KernelPlan
    FastTower or None
        None for small towers: nothing is measured or changed there.

    Raises
    ------
    ExtractionError
        If the folder of the book cannot be written.
    """
    if _size(visual) < SMALL:
        return KernelPlan(kernel=PLAIN), None
    plan = book.kept(
        _key(identity, device, resize), lambda: _decided(book, visual, taps, device, resize)
    )
    return plan, built(plan, visual, taps)


def built(plan: KernelPlan, visual: nn.Module, taps: Sequence[Tap]) -> FastTower:
    """Return the tower of a plan; the plain one is the network itself."""
    copy = visual if plan.kernel == PLAIN else KERNELS[plan.kernel](visual)
    return fast_tower(visual, copy, taps)


def _key(identity: EncoderIdentity, device: str, resize: str) -> Mapping[str, str]:
    """Everything that may change the choice; a wish for threads is one of them."""
    return {
        "weights": identity.weights_digest,
        "config": identity.config_digest,
        "torch": str(torch.__version__),
        "machine": machine(device),
        "resize": resize,
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
    }


def _decided(
    book: KernelBook, visual: nn.Module, taps: Sequence[Tap], device: str, resize: str
) -> KernelPlan:
    card = device.startswith("cuda")
    before = torch.get_num_threads()
    plan = KernelPlan(
        kernel=HALVED if book.fast else exact_kernel(visual, device),
        resize=resize,
        batch=CARD_BATCH if card else CPU_BATCH,
        threads=free_threads(before, book.cores, book.load()),
        loaders=max(1, min(16, book.cores - 1)) if card else 1,
    )
    torch.set_num_threads(plan.threads)
    try:
        return measured(plan, visual, taps, device)
    finally:
        torch.set_num_threads(before)


def free_threads(most: int, cores: int, load: float) -> int:
    """Return how many threads suit: one for each idle core, unless the user set their number.

    More threads than idle cores wait for each other, and are slower than one.

    Parameters
    ----------
    most : int
        What torch would take.
    cores : int
        Cores that this process may use.
    load : float
        Cores that are busy.
    """
    if os.environ.get("OMP_NUM_THREADS", "").strip():
        return most
    return max(1, min(most, cores - round(load)))


def measured(plan: KernelPlan, visual: nn.Module, taps: Sequence[Tap], device: str) -> KernelPlan:
    """Return the plan if its kernel is as exact as it must be and faster, else the plain one."""
    if plan.kernel == PLAIN:
        return plan
    batch = _sample(visual, device)
    with torch.inference_mode():
        tower = fast_tower(visual, KERNELS[plan.kernel](visual), taps)
        theirs, ours = _plain(visual, batch), tower.embed(batch)[0].float()
        plan = replace(
            plan,
            difference=float((ours - theirs).abs().max() / theirs.abs().max()),
            distance=centred_distance(ours, theirs),
        )
        if plan.kernel == HALVED:
            return plan
        if not plan.difference <= SAME:
            return replace(plan, kernel=PLAIN, difference=0.0, distance=0.0)
        gain = _gain(lambda: _plain(visual, batch), lambda: tower.embed(batch)[0])
    if gain < GAIN:
        return replace(plan, kernel=PLAIN, difference=0.0, distance=0.0)
    return replace(plan, gain=gain)


def centred_distance(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest cosine distance between rows, less the mean of ``theirs``; 0 is alike."""
    mean = theirs.double().mean(dim=0)
    a, b = ours.double() - mean, theirs.double() - mean
    return float((1 - torch.cosine_similarity(a, b, dim=1)).max())


def machine(device: str) -> str:
    """Name what computes."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        named = [line for line in lines if line.startswith("model name")]
    except OSError:
        named = []
    name = named[0].partition(":")[2].strip() if named else platform.processor()
    return f"{platform.machine()} {name} {torch.backends.cpu.get_cpu_capability()}"


def _size(visual: nn.Module) -> int:
    return sum(p.numel() for p in visual.parameters())


def _sample(visual: nn.Module, device: str) -> Tensor:
    """Waves and noise, as many pictures as can be computed in a second or so."""
    size: Any = visual.image_size
    height, width = size if isinstance(size, tuple | list) else (size, size)
    n = 2 if _size(visual) >= LARGE else 4
    noise = torch.randn(n, 3, height, width, generator=torch.Generator().manual_seed(0))
    number = torch.arange(1, n + 1).reshape(n, 1, 1, 1)
    waves = number * torch.sin(torch.arange(height).reshape(-1, 1) / (2.0 + number))
    return (noise / 2 + waves).to(device)


def _plain(visual: nn.Module, batch: Tensor) -> Tensor:
    out = visual(batch)
    rows: Tensor = out[0] if isinstance(out, tuple) else out
    return rows


def _gain(theirs: Callable[[], Tensor], ours: Callable[[], Tensor], rounds: int = 3) -> float:
    """Time both in turn, after one warm pass each; the best of each counts."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, kept in ((theirs, times[0]), (ours, times[1])):
            began = time.perf_counter()
            work().sum().item()
            kept.append(time.perf_counter() - began)
    return min(times[0]) / min(times[1])
