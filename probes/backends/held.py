"""Pictures held at a layer: the tower is run once, and many edits run only what follows."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from probes.backends.edits import Change, edited, prepare, tap_of, units_last
from probes.backends.tails import DenseTail, Place, PooledTail, Tail, WrittenTail, place_of
from probes.backends.towers import Tap, taps_of
from probes.encoder import Pooling
from probes.errors import MeasureError
from probes.inspectable import Edit
from probes.interventions import UnitStatistics, Where

AT_ONCE = 8_000_000
"""Numbers that the edits of one go may need."""

BATCH = 16
"""Pictures that run through the whole tower at once."""

DIRECTIONS = 256
"""Directions along which responses are read at once."""

SAME = 1e-5
"""A tail whose unedited embeddings are off by more than this share is not used."""


class Held:
    """Pictures held at a layer, see `probes.interventions.HeldPictures`; made by `hold`."""

    def __init__(self, model: Any, batch: Tensor, tap: Tap, where: Where) -> None:
        self._model, self._batch, self._tap, self._where = model, batch, tap, where
        place = place_of(model.visual, tap.layer.name)
        units, given, embeddings = _run(model, batch, tap, place)
        self._embeddings, self._units = embeddings, units
        self._tail = None if place is None else _tail(units, given, place, embeddings)

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """Embeddings without any intervention, shape (n_pictures, embedding_size)."""
        return _array(self._embeddings)

    @property
    def resumes(self) -> bool:
        """Whether only what follows the layer is run."""
        return self._tail is not None

    @property
    def statistics(self) -> UnitStatistics:
        """What the layer's units hand on for these pictures."""
        passed = self._passed().flatten(0, -2).double()
        return UnitStatistics(
            mean=passed.mean(dim=0).cpu().numpy(),
            sd=passed.std(dim=0, correction=0).cpu().numpy(),
            rate=(passed > 0).double().mean(dim=0).cpu().numpy(),
        )

    def picture_means(self) -> NDArray[np.float64]:
        """Mean over positions of what each unit hands on, shape (n_pictures, n_units)."""
        means: NDArray[np.float64] = (
            self._passed().flatten(1, -2).double().mean(dim=1).cpu().numpy()
        )
        return means

    def statistics_along(self, rows: NDArray[np.floating[Any]]) -> UnitStatistics:
        """Return what is handed on along directions, rows of shape (n_directions, n_units).

        A row with one entry is that unit. Others are read where edits act: in a ResNet before
        its ReLU, so that holding a direction at its mean leaves the mean of every unit there.
        """
        found = [self._along(part).flatten(0, -2) for part in self._parts(rows)]
        return UnitStatistics(
            mean=np.concatenate([one.mean(dim=0).cpu().numpy() for one in found]),
            sd=np.concatenate([one.std(dim=0, correction=0).cpu().numpy() for one in found]),
            rate=np.concatenate([(one > 0).double().mean(dim=0).cpu().numpy() for one in found]),
        )

    def picture_means_along(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Mean over positions along directions, shape (n_pictures, n_directions)."""
        found = [self._along(part).flatten(1, -2).mean(dim=1) for part in self._parts(rows)]
        means: NDArray[np.float64] = torch.cat(found, dim=1).cpu().numpy()
        return means

    def _parts(self, rows: NDArray[np.floating[Any]]) -> tuple[Tensor, ...]:
        tensor = torch.as_tensor(rows, dtype=torch.float64, device=self._units.device)
        return torch.split(tensor, DIRECTIONS)

    def _along(self, rows: Tensor) -> Tensor:
        """Responses along rows, shape (n_pictures, ..., n_directions)."""
        handed_on = self._passed().double() @ rows.T
        if self._tap.layer.kind != "conv":
            return handed_on
        single = (rows != 0).sum(dim=1) == 1
        return torch.where(single, handed_on, self._units.double() @ rows.T)

    def _passed(self) -> Tensor:
        """Responses as the next layer sees them, at the positions that are looked at."""
        passed = self._units.relu() if self._tap.layer.kind == "conv" else self._units
        return passed[:, :1] if self._where == "class" else passed

    def encode_edited_many(self, edits: Iterable[Edit]) -> Iterator[NDArray[np.float32]]:
        """Yield the embeddings of all pictures under each edit alone, in order.

        Raises
        ------
        MeasureError
            If an edit is of another layer or does not fit this one.
        """
        waiting = iter(edits)
        while some := list(islice(waiting, self._at_once())):
            with torch.inference_mode():
                changes = [self._prepared(edit) for edit in some]
                found = self._plain(some) if self._tail is None else self._tail.embed(changes)
            yield from _array(found)

    def _at_once(self) -> int:
        if self._tail is None:
            return 1
        return max(1, AT_ONCE // max(1, self._tail.row_floats * len(self._batch)))

    def _prepared(self, edit: Edit) -> Change:
        if edit.layer != self._tap.layer.name:
            raise MeasureError(
                f"These pictures are held at {self._tap.layer.name!r}; got an edit of "
                f"{edit.layer!r}. Hold them at that layer, or encode them with `encode_edited`."
            )
        return prepare(edit, self._tap, len(self._batch), self._units)

    def _plain(self, edits: Sequence[Edit]) -> Tensor:
        found = []
        for edit in edits:
            with edited([self._tap], [edit], self._batch):
                found.append(self._model.encode_image(self._batch, normalize=False))
        return torch.stack(found)


@torch.inference_mode()
def hold(model: Any, batch: Tensor, layer: str, where: Where) -> Held:
    """Run the tower once and keep what enters a layer.

    Parameters
    ----------
    model : CLIP
    batch : Tensor of shape (n_pictures, 3, height, width)
        At least one picture, on the model's device.
    layer : str
    where : {"everywhere", "class"}
        Which positions the statistics are of.

    Raises
    ------
    ModelNameError
        If the tower lacks the layer.
    MeasureError
        If there is no picture, or no class token where one is asked for.
    """
    tap = tap_of(taps_of(model.visual), layer)
    if not len(batch):
        raise MeasureError("At least one picture must be held at a layer; got none.")
    if where == "class" and Pooling.CLS not in tap.layer.poolings:
        raise MeasureError(f'The layer {layer!r} has no class token to look at; look "everywhere".')
    return Held(model, batch, tap, where)


def _run(
    model: Any, batch: Tensor, tap: Tap, place: Place | None
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Units, what their block gave (units last, pictures first), and embeddings."""
    units: list[Tensor] = []
    given: list[Tensor] = []
    embeddings: list[Tensor] = []

    def keep_units(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        units.append(units_last(tap, inputs[0]).clone())

    def keep_output(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        laid = output.permute(0, 2, 3, 1) if place is not None and place.transposed else output
        given.append((laid if tap.batch_first else laid.transpose(0, 1)).clone())

    handles = [tap.module.register_forward_pre_hook(keep_units)]
    if place is not None and place.writes is not None:
        handles.append(place.block.register_forward_hook(keep_output))
    try:
        for part in torch.split(batch, BATCH):
            embeddings.append(model.encode_image(part, normalize=False))
    finally:
        for handle in handles:
            handle.remove()
    return torch.cat(units), torch.cat(given) if given else None, torch.cat(embeddings)


def _tail(units: Tensor, given: Tensor | None, place: Place, embeddings: Tensor) -> Tail | None:
    """Return what follows the layer, or None where it does not give the tower's own embeddings."""
    tail: Tail
    if place.writes is not None and given is not None:
        tail = WrittenTail(units, given, place.writes, place)
    elif place.pool is not None:
        tail = PooledTail(units, place.pool, place)
    else:
        tail = DenseTail(units, place)
    first = units.new_zeros(1, units.shape[-1])
    first[0, 0] = 1
    nothing = Change(
        units=torch.zeros(1, dtype=torch.long, device=units.device),
        rows=first,
        values=units.new_zeros(1, 1),
        sets=False,
        solve=units.new_ones(1, 1),
        class_only=False,
    )
    off = (tail.embed([nothing])[0] - embeddings).abs().max()
    return tail if bool(off <= SAME * embeddings.abs().max()) else None


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.to("cpu", torch.float32).contiguous().numpy()
    return array
