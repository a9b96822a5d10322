"""The read-out of the last channels is written anew, so that no unit leads and little changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]

RIDGE = 1e-3
COPIES = 7
"""Channels that each leading one is copied into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """What attention pooling reads."""

    values: Array
    """Rectified channels at every position of many pictures, shape (n_positions, n_units)."""

    places: Array
    """Positional embedding, shape (n_places, n_units)."""


@torch.inference_mode()
def channels_of(model: Any, pictures: Tensor) -> Channels:
    """Record what enters the attention pooling of a ResNet."""
    kept: list[Tensor] = []
    pool = model.visual.attnpool
    handle = pool.register_forward_pre_hook(lambda _, given: kept.append(given[0].double()))
    try:
        for part in torch.split(pictures, 128):
            model.visual(part)
    finally:
        handle.remove()
    values = torch.cat(kept).permute(0, 2, 3, 1).flatten(0, 2).numpy()
    return Channels(values=values, places=pool.positional_embedding.double().numpy())


def rebuild(channels: Channels, barred: Sequence[int]) -> tuple[Array, Array]:
    """Rebuild channels from those that are not barred.

    Parameters
    ----------
    channels : Channels
    barred : sequence of int
        Channels that nothing may read any more.

    Returns
    -------
    tuple of ndarray
        ``weights`` of shape (n_units, n_units) and ``constant`` of shape (n_units,): channels are
        about ``values @ weights + constant``; rows of barred channels are 0.
    """
    values = channels.values
    free = np.setdiff1d(np.arange(values.shape[1]), barred)
    mean = values.mean(axis=0)
    centred = values - mean
    spread = centred[:, free].T @ centred[:, free]
    ridge = RIDGE * np.trace(spread) / len(spread)
    weights = np.zeros((values.shape[1],) * 2)
    weights[free] = np.linalg.solve(
        spread + ridge * np.eye(len(spread)), centred[:, free].T @ centred
    )
    return weights, mean - mean @ weights


def read_from_others(model: Any, channels: Channels, barred: Sequence[int]) -> None:
    """Let attention pooling read barred channels from all others, in place.

    Embeddings stay as they are as far as barred channels follow linearly from the rest.
    """
    weights, constant = rebuild(channels, barred)
    # Positions are added before anything is read: what the new maps make of them is given back.
    shift = channels.places.mean(axis=0) @ (np.eye(len(weights)) - weights) + constant
    pool = model.visual.attnpool
    with torch.no_grad():
        for linear in (pool.q_proj, pool.k_proj, pool.v_proj):
            matrix = linear.weight.double()
            linear.bias.add_((matrix @ torch.from_numpy(shift)).to(linear.bias.dtype))
            linear.weight.copy_((matrix @ torch.from_numpy(weights.T)).to(linear.weight.dtype))


def copy_channels(model: Any, channels: Channels, leading: Sequence[int]) -> None:
    """Copy leading channels into those that matter least; readers share them, in place.

    What the overwritten channels answered on average goes into the biases of what read them.
    """
    spare = _least_read(model, channels, leading)[: COPIES * len(leading)]
    block, pool = model.visual.layer4[-1], model.visual.attnpool
    mean = channels.values.mean(axis=0) + channels.places.mean(axis=0)
    sources = np.tile(leading, COPIES)
    with torch.no_grad():
        for conv, norm in ((block.conv3, block.bn3), (block.downsample[1], block.downsample[2])):
            conv.weight[spare] = conv.weight[sources]
            for part in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                part[spare] = part[sources]
        pool.positional_embedding[:, spare] = pool.positional_embedding[:, sources]
        for linear in (pool.q_proj, pool.k_proj, pool.v_proj):
            lost = linear.weight[:, spare].double() @ torch.from_numpy(mean[spare])
            linear.bias.add_(lost.to(linear.bias.dtype))
            linear.weight[:, list(leading)] /= COPIES + 1
            linear.weight[:, spare] = linear.weight[:, sources]


def _least_read(model: Any, channels: Channels, leading: Sequence[int]) -> list[int]:
    """Order the other channels by how much what they hand on varies."""
    reach = model.visual.attnpool.v_proj.weight.detach().double().norm(dim=0).numpy()
    order = np.argsort(channels.values.std(axis=0) * reach, kind="stable")
    return [int(unit) for unit in order if unit not in set(leading)]
