"""Image towers that compute the same with less work: copies, the loaded network stays as it is.

A copy keeps the names of its modules, so whatever is read of the tower is read of the copy.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import torch
from open_clip.modified_resnet import Bottleneck, ModifiedResNet
from torch import Tensor, nn
from torch.nn import functional

from probes.backends.kernel_book import DIRECT, FUSED, HALVED, PLAIN

ROUNDING = 2e-6
"""Largest error of a float32 matrix product, as a share of the sum of its absolute terms.

Products of bfloat16, which some CPUs substitute unasked, miss it a hundred times over.
"""


def fused(visual: nn.Module) -> nn.Module:
    """Return a copy of a ResNet whose normalisations are part of its convolutions.

    Parameters
    ----------
    visual : Module
        In evaluation mode.

    Returns
    -------
    Module
        With channels last; normalisations are replaced by `torch.nn.Identity`.
    """
    copy = deepcopy(visual)
    for owner, convolution, norm in _pairs(copy):
        _fuse(owner.get_submodule(convolution), owner.get_submodule(norm))
        setattr(owner, norm, nn.Identity())
    return copy.to(memory_format=torch.channels_last)


def _pairs(visual: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    """Convolutions and the normalisations right behind them, with the module that owns both."""
    for module in list(visual.modules()):
        if isinstance(module, ModifiedResNet | Bottleneck):
            for number in "123":
                yield module, f"conv{number}", f"bn{number}"
        if isinstance(module, Bottleneck) and module.downsample is not None:
            yield module.downsample, "0", "1"


def _fuse(convolution: Any, norm: Any) -> None:
    """Scale the filters and shift what comes out, computed in float64 and rounded once."""
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = convolution.weight.double() * scale[:, None, None, None]
    shift = norm.bias.double() - norm.running_mean.double() * scale
    convolution.weight = nn.Parameter(weight.float(), requires_grad=False)
    convolution.bias = nn.Parameter(shift.float(), requires_grad=False)


def direct(visual: nn.Module) -> nn.Module:
    """Return a tower whose matrix products go to oneDNN; weights are shared with the original.

    On some processors the library behind `torch.nn.Linear` runs at half speed. The operation is
    called by name: switching the library by torch's precision setting would allow bfloat16
    arithmetic on processors that have it.
    """
    copy = deepcopy(visual, _shared(visual))
    for owner in list(copy.modules()):
        for name, child in list(owner.named_children()):
            if type(child) is nn.Linear and not isinstance(owner, nn.MultiheadAttention):
                setattr(owner, name, DirectLinear(child.weight, child.bias))
            elif type(child) is nn.MultiheadAttention and _plain_attention(child):
                setattr(owner, name, DirectAttention(child))
    return copy


def _shared(visual: nn.Module) -> dict[int, Any]:
    """Tensors that a deep copy takes as they are."""
    return {id(t): t for t in (*visual.parameters(), *visual.buffers())}


def _plain_attention(module: nn.MultiheadAttention) -> bool:
    plain = module.in_proj_weight is not None and module.bias_k is None
    return plain and not module.add_zero_attn


def direct_linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``inputs @ weight.T + bias`` as oneDNN computes it, in float32."""
    out: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
    return out


class DirectLinear(nn.Module):
    """A linear map by oneDNN."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias
        self.out_features, self.in_features = weight.shape

    def forward(self, inputs: Tensor) -> Tensor:
        """Map the last axis."""
        return direct_linear(inputs, self.weight, self.bias)


class DirectAttention(nn.Module):
    """Multi-head attention without dropout, its linear maps by oneDNN."""

    def __init__(self, stock: nn.MultiheadAttention) -> None:
        super().__init__()
        self.num_heads, self.batch_first = stock.num_heads, stock.batch_first
        biases = (None,) * 3 if stock.in_proj_bias is None else stock.in_proj_bias.chunk(3)
        self._one = DirectLinear(stock.in_proj_weight, stock.in_proj_bias)
        self._three = nn.ModuleList(
            DirectLinear(w, b) for w, b in zip(stock.in_proj_weight.chunk(3), biases, strict=True)
        )
        self._out = DirectLinear(stock.out_proj.weight, stock.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        need_weights: bool = False,
        attn_mask: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """Attend; weights are never returned."""
        if key is query and value is query:
            three = self._one(query).chunk(3, dim=-1)
        else:
            three = tuple(m(x) for m, x in zip(self._three, (query, key, value), strict=True))
        q, k, v = (self._split(part) for part in three)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask)
        return self._out(self._join(mixed)), None

    def _split(self, tokens: Tensor) -> Tensor:
        batch = tokens if self.batch_first else tokens.transpose(0, 1)
        heads = batch.reshape(*batch.shape[:2], self.num_heads, -1)
        return heads.transpose(1, 2)

    def _join(self, heads: Tensor) -> Tensor:
        tokens = heads.transpose(1, 2).flatten(2)
        return tokens if self.batch_first else tokens.transpose(0, 1)


def halved(visual: nn.Module) -> nn.Module:
    """Return a copy with weights of bfloat16, the fast and less exact mode.

    Weights are rounded once. Automatic casting would round them again in every pass.
    """
    copy = fused(visual) if isinstance(visual, ModifiedResNet) else deepcopy(visual)
    return copy.to(torch.bfloat16)


def keeps_float32(rows: int = 64) -> bool:
    """Tell whether `direct_linear` computes in float32 on this machine.

    Compared with float64, for rounding of bfloat16 would pass for speed.
    """
    maker = torch.Generator().manual_seed(0)
    inputs = torch.randn(rows, 768, generator=maker)
    weight = torch.randn(512, 768, generator=maker)
    bias = torch.zeros(512)
    exact = inputs.double() @ weight.double().T
    room = inputs.abs().double() @ weight.abs().double().T
    try:
        ours = direct_linear(inputs, weight, bias)
    except (AttributeError, NotImplementedError, RuntimeError):
        return False
    return bool(((ours.double() - exact).abs() <= ROUNDING * room).all())


KERNELS: Mapping[str, Callable[[nn.Module], nn.Module]] = {
    FUSED: fused,
    DIRECT: direct,
    HALVED: halved,
}
"""Ways of computing an image tower; ``plain`` is the network as it was loaded."""


def exact_kernel(visual: nn.Module, device: str) -> str:
    """Name the exact kernel that may suit a tower; whether it does is measured."""
    if isinstance(visual, ModifiedResNet):
        return FUSED
    large = any(isinstance(m, nn.MultiheadAttention | nn.Linear) for m in visual.modules())
    return DIRECT if large and device == "cpu" and keeps_float32() else PLAIN
