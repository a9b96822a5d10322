"""Read-outs of image towers as linear maps: attention and layer norms held at their own values.

Every supported tower ends in the same form. With the weights of its pooling and the scales of its
norms held at what they are for a picture, a dot product of its embedding is

    product = sum_h sum_p shares[h, p] (rows[h] . tokens[p]) + parts + constant

over heads h and positions p. The rows know the direction and no picture, the shares know the
picture and no direction.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from probes.errors import ModelError

ATTENTION = "attention"
BIASES = "biases"
BESIDE = "rest of the layer"
EARLIER = "earlier layers"
LATER = "later layers"
POOLING_MLP = "pooling MLP"
POSITIONS = "positional embedding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What a tower makes of its last tokens, for one batch of pictures and some directions."""

    shares: Tensor
    """Weight of each position in each head, shape (n_pictures, n_heads, n_positions)."""

    rows: Tensor
    """Effect of a token on the dot product, shape (n_directions, n_heads, width)."""

    parts: Mapping[str, Tensor]
    """What is added and belongs to no token, each of shape (n_pictures, n_directions)."""

    constant: Tensor
    """What depends on no picture, shape (n_directions,)."""

    grid: tuple[int, int]
    """Rows and columns of the last ``height * width`` positions."""

    class_only: bool = False
    """Whether the class token alone is read, so that contributions have no place."""

    def of(self, tokens: Tensor) -> Tensor:
        """Contribution of tokens of shape (n_pictures, n_positions, width): one per direction."""
        product: Tensor = torch.einsum("nhw,khw->nk", self.shares @ tokens, self.rows)
        return product


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Units of a layer and how they enter the tokens that a read-out reads."""

    responses: Tensor
    """Shape (n_pictures, n_positions, n_units)."""

    effects: Tensor | None
    """What a unit adds to its token, shape (width, n_units); None where units are the tokens."""

    parts: Mapping[str, Tensor]
    """The rest of the tokens, named, each of shape (n_pictures, n_positions, width)."""


def units_along(units: Units, rows: Tensor) -> Units:
    """Return directions in the place of units.

    Parameters
    ----------
    units : Units
    rows : Tensor of shape (n_along, n_units)
        Of length 1.

    Returns
    -------
    Units
        Each responds with the part of a token that lies along its row, and adds that part.
    """
    effects = rows.T if units.effects is None else units.effects @ rows.T
    return Units(responses=units.responses @ rows.T, effects=effects, parts=units.parts)


def unit_rows(readout: Readout, units: Units) -> Tensor:
    """Return the effect of each unit through each head, shape (n_directions, n_heads, n_units)."""
    return readout.rows if units.effects is None else readout.rows @ units.effects


def unit_parts(readout: Readout, units: Units) -> Tensor:
    """Return each unit's contribution, shape (n_pictures, n_directions, n_units)."""
    pooled = readout.shares @ units.responses
    parts: Tensor = torch.einsum("nhu,khu->nku", pooled, unit_rows(readout, units))
    return parts


def unit_maps(readout: Readout, units: Units, asked: list[int]) -> Tensor:
    """Return contributions position by position.

    Shape (n_pictures, n_directions, n_asked, height, width); NaN where the class token alone is
    read, since then they have no place.
    """
    height, width = readout.grid
    place = slice(units.responses.shape[1] - height * width, None)
    rows = unit_rows(readout, units)[..., asked]
    here = units.responses[:, place][..., asked]
    maps = torch.einsum("nhp,npu,khu->nkup", readout.shares[..., place], here, rows)
    if readout.class_only:
        maps = torch.full_like(maps, torch.nan)
    return maps.reshape(*maps.shape[:-1], height, width)


def centred(rows: Tensor) -> Tensor:
    """Take the mean from every row, as a layer norm does."""
    return rows - rows.mean(dim=-1, keepdim=True)


def is_norm(module: object) -> bool:
    """Whether a module is a layer norm over the last axis, or does nothing."""
    if isinstance(module, nn.LayerNorm):
        return len(module.normalized_shape) == 1
    return isinstance(module, nn.Identity)


def before_norm(norm: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Pull rows back through a norm whose scale is left out.

    Returns
    -------
    tuple of Tensor
        Rows for the input of the norm, shape (..., width), and what its bias adds, shape (...).
    """
    if isinstance(norm, nn.Identity):
        return rows, torch.zeros_like(rows[..., 0])
    if not isinstance(norm, nn.LayerNorm) or not is_norm(norm):
        raise ModelError(
            "Contributions are known where a layer norm or none precedes the read-out; "
            f"this model has {type(norm).__name__}."
        )
    scaled = rows if norm.weight is None else rows * norm.weight
    offset = torch.zeros_like(rows[..., 0]) if norm.bias is None else rows @ norm.bias
    return centred(scaled), offset


def norm_scale(norm: nn.Module, inputs: Tensor) -> Tensor:
    """Return what a norm multiplies its centred inputs by, shape ``inputs.shape[:-1]``."""
    if not isinstance(norm, nn.LayerNorm):
        return torch.ones_like(inputs[..., 0])
    return (inputs.var(dim=-1, correction=0) + norm.eps).rsqrt()


def attention_weights(queries: Tensor, keys: Tensor) -> Tensor:
    """Return softmax weights of shape (..., n_heads, n_queries, n_keys).

    Parameters
    ----------
    queries, keys : Tensor of shape (..., n_heads, n, head_width)
    """
    scores = queries @ keys.transpose(-1, -2) * queries.shape[-1] ** -0.5
    weights: Tensor = scores.softmax(dim=-1)
    return weights


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """Turn (..., n, width) into (..., n_heads, n, head_width)."""
    return tokens.reshape(*tokens.shape[:-1], heads, -1).transpose(-2, -3)


def through_heads(rows: Tensor, out: Tensor, value: Tensor, heads: int) -> Tensor:
    """Pull rows back through the output and value maps of attention, head by head.

    Parameters
    ----------
    rows : Tensor of shape (n_directions, size)
    out : Tensor of shape (size, width)
    value : Tensor of shape (width, n_inputs)

    Returns
    -------
    Tensor of shape (n_directions, n_heads, n_inputs)
    """
    by_head = (rows @ out).reshape(len(rows), heads, -1)
    pulled: Tensor = torch.einsum("khd,hdc->khc", by_head, value.reshape(heads, -1, value.shape[1]))
    return pulled


Side = Literal["in", "out"]


@contextmanager
def recorded(
    modules: Mapping[str, tuple[nn.Module, Side]],
) -> Iterator[dict[str, Tensor]]:
    """Copy what goes into modules, or comes out of them, while a tower runs.

    Yields
    ------
    dict of str to Tensor
        Filled by each forward pass. Copies: later modules may work in place.
    """
    found: dict[str, Tensor] = {}

    def before(name: str) -> Any:
        return lambda _, inputs: found.__setitem__(name, inputs[0].clone())

    def after(name: str) -> Any:
        return lambda _, __, output: found.__setitem__(name, output.clone())

    with ExitStack() as stack:
        for name, (module, side) in modules.items():
            handle = (
                module.register_forward_pre_hook(before(name))
                if side == "in"
                else module.register_forward_hook(after(name))
            )
            stack.callback(handle.remove)
        yield found
