"""Where a unit lies in a tower: what it reads, what it hands on, and what it writes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor, nn

from probes.backends.towers import taps_of

Array = NDArray[np.float64]

JACOBIAN_PICTURES = 16
"""Pictures over which the read-out of a tower without a closed form is averaged."""


def relu(values: Array) -> Array:
    return np.maximum(values, 0.0)


def gelu(values: Array) -> Array:
    return np.asarray(values * special.ndtr(values), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the last layer read and handed on, at the positions that the read-out looks at."""

    features: Array
    """What every unit reads, shape (n_pictures, n_positions, n_features)."""

    before: Array
    """Units before their activation function, shape (n_pictures, n_positions, n_units)."""

    handed: Array
    """Mean over positions of what each unit hands on, shape (n_pictures, n_units)."""


class Site:
    """The last readable layer of a tower, whose units can be written.

    A unit is ``act(weights . features + bias)`` at every position; it writes its response times
    its column of ``outputs`` to a stream that `reach` takes to the embedding.
    """

    def __init__(self, model: Any, reads: Any, writes: Any, first_only: bool) -> None:
        self._model, self._reads, self._writes = model, reads, writes
        self._first_only = first_only
        self.tap = taps_of(model.visual)[-1]
        self.layer = self.tap.layer.name
        self.is_conv = self.tap.layer.kind == "conv"
        self.act: Callable[[Array], Array] = relu if self.is_conv else gelu

    @torch.no_grad()
    def look(self, pictures: Tensor) -> Seen:
        """Run pictures of shape (n_pictures, 3, side, side) through the tower."""
        kept: dict[str, Tensor] = {}

        def keep(name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
            def hook(_: nn.Module, inputs: tuple[Any, ...]) -> None:
                kept[name] = inputs[0].clone()

            return hook

        inner = self.tap.module if self.is_conv else self._activation()
        handles = [
            self._reads.register_forward_pre_hook(keep("features")),
            inner.register_forward_pre_hook(keep("before")),
        ]
        try:
            self._model.encode_image(pictures)
        finally:
            for handle in handles:
                handle.remove()
        before = self._laid(kept["before"])
        return Seen(
            features=self._laid(kept["features"]),
            before=before,
            handed=np.asarray(self.act(before).mean(axis=1)),
        )

    def _activation(self) -> nn.Module:
        block: Any = self._model.visual
        if hasattr(block, "trunk"):
            return block.trunk.blocks[-1].mlp.act  # type: ignore[no-any-return]
        return block.transformer.resblocks[-1].mlp.gelu  # type: ignore[no-any-return]

    def _laid(self, found: Tensor) -> Array:
        """Positions, then units; the class token alone where the read-out looks at no other."""
        rows = found.flatten(2).transpose(1, 2) if self.is_conv else found
        rows = rows[:, :1] if self._first_only else rows
        return rows.double().numpy()

    def weights(self, unit: int) -> Array:
        """Return what a unit makes of its features, shape (n_features,)."""
        if not self.is_conv:
            return _double(self._reads.weight[unit])
        norm: Any = self._block().bn3
        scale = norm.weight[unit] / torch.sqrt(norm.running_var[unit] + norm.eps)
        return _double(self._reads.weight[unit, :, 0, 0] * scale)

    def _block(self) -> Any:
        return self._model.visual.layer4[-1]

    @property
    def outputs(self) -> Array:
        """What each unit writes per response, shape (stream_size, n_units)."""
        return _double(self._writes.weight)

    @torch.no_grad()
    def write_function(self, unit: int, weights: Array, bias: float) -> None:
        """Make a unit ``act(weights . features + bias)`` and nothing else."""
        row = torch.as_tensor(weights, dtype=torch.float32)
        if not self.is_conv:
            self._reads.weight[unit] = row
            self._reads.bias[unit] = bias
            return
        block = self._block()
        self._reads.weight[unit, :, 0, 0] = row
        for norm, shift in ((block.bn3, bias), (block.downsample[-1], 0.0)):
            norm.running_mean[unit] = 0.0
            norm.running_var[unit] = 1.0
            norm.weight[unit] = (1 + norm.eps) ** 0.5
            norm.bias[unit] = shift
        block.downsample[-1].weight[unit] = 0.0

    @torch.no_grad()
    def write_output(self, unit: int, column: Array, shift: Array) -> None:
        """Make a unit write its response times ``column``; both of shape (stream_size,).

        ``shift`` is added to the biases of the stream.
        """
        self._writes.weight[:, unit] = torch.as_tensor(column, dtype=torch.float32)
        self._writes.bias.add_(torch.as_tensor(shift, dtype=torch.float32))

    def reach(self, pictures: Tensor) -> Array:
        """Return what the stream does to the embedding, shape (stream_size, embedding_size).

        The closed form of the audit's read-out where there is one, up to a constant; else the
        mean Jacobian over pictures of adding the same to every position.
        """
        visual = self._model.visual
        if self.is_conv:
            return _double(visual.attnpool.c_proj.weight.T)
        if hasattr(visual, "trunk"):
            return self._jacobian(pictures[:JACOBIAN_PICTURES])
        centred = torch.eye(visual.proj.shape[0]) - 1 / visual.proj.shape[0]
        return _double(centred * visual.ln_post.weight @ visual.proj)

    def _jacobian(self, pictures: Tensor) -> Array:
        shift = torch.zeros(self._writes.out_features, requires_grad=True)
        handle = self._writes.register_forward_hook(lambda _m, _i, out: out + shift)
        try:
            mean = self._model.encode_image(pictures).mean(dim=0)
            rows = [torch.autograd.grad(one, shift, retain_graph=True)[0] for one in mean]
        finally:
            handle.remove()
        return _double(torch.stack(rows).T)


def site_of(model: Any) -> Site:
    """Return the last readable layer of a network."""
    visual = model.visual
    if hasattr(visual, "trunk"):
        mlp = visual.trunk.blocks[-1].mlp
        return Site(model, mlp.fc1, mlp.fc2, first_only=False)
    if hasattr(visual, "layer4"):
        return Site(model, visual.layer4[-1].conv3, visual.attnpool.v_proj, first_only=False)
    mlp = visual.transformer.resblocks[-1].mlp
    return Site(model, mlp.c_fc, mlp.c_proj, first_only=True)


def _double(tensor: Tensor) -> Array:
    return np.asarray(tensor.detach().double().numpy(), dtype=np.float64)
