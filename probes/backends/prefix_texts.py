"""Grids of prompts through a causal text tower: every common beginning once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from probes.backends.kernels import direct, keeps_float32
from probes.backends.prefix_trie import Pack, prefix_packs

PACK = 128
"""Nodes in a pack: larger ones cost attention, smaller ones repeat more beginnings."""

TOGETHER = 4
"""Packs in one product of oneDNN, which lays out the weights anew for each."""

SAVED_SHARE = 1 / 3
SAVED_OPERATIONS = 1e10
"""What trees must save: this share of the tokens, and as many operations as take a tenth of a
second on one core. Small audits and small towers keep the plain path to its last digits."""

MOST_SAVED = 20_000
"""Tokens that a call of an audit (256 prompts of 77 tokens) can save at most."""

Layers = Callable[[nn.Module], nn.Module]
"""A transformer to one that computes the same."""


class PrefixTower:
    """Runs a causal text tower on trees of prompts, with a mask that lets nodes see ancestors.

    A node takes the position embedding of its depth, and a text reads its last node. Whether
    that is right for a tower is for the caller to measure, with `agrees_with`.
    """

    def __init__(self, tower: Any, device: str, layers: Layers | None = None) -> None:
        """Wrap a tower; ``layers`` may put other matrix products in its transformer.

        They must take masks of shape (n_packs, 1, n_nodes, n_nodes).
        """
        self._tower, self._device = tower, device
        self._transformer = layers(tower.transformer) if layers else tower.transformer
        self._together = TOGETHER if layers else 1
        self._operations = 2.0 * sum(p.numel() for p in tower.transformer.parameters())

    @property
    def label(self) -> str:
        """Name what runs grids of prompts; empty for towers so small that it never pays."""
        if self._operations * MOST_SAVED < SAVED_OPERATIONS:
            return ""
        return "prefix trees, onednn" if self._together > 1 else "prefix trees"

    def packs(self, tokens: Tensor, lengths: Tensor) -> list[Pack]:
        """Lay out texts with tokens of shape (n_texts, context)."""
        return prefix_packs(tokens.cpu().numpy(), lengths.cpu().numpy(), PACK)

    def pays(self, packs: Sequence[Pack], plain: int) -> bool:
        """Tell whether packs save enough of ``plain`` tokens; it depends on counts alone."""
        saved = plain - sum(len(pack.tokens) for pack in packs)
        return saved >= SAVED_SHARE * plain and saved * self._operations >= SAVED_OPERATIONS

    def embed(self, packs: Sequence[Pack]) -> Tensor:
        """Return embeddings of shape (n_texts, embedding_size), in the order of the table."""
        size = max(len(pack.tokens) for pack in packs)
        step = self._together
        parts = [self._rows(packs[i : i + step], size) for i in range(0, len(packs), step)]
        order = torch.cat([torch.from_numpy(pack.texts) for pack in packs])
        return torch.cat(parts)[torch.argsort(order).to(self._device)]

    def agrees_with(self, plain: Tensor, tokens: Tensor, lengths: Tensor, share: float) -> bool:
        """Compare with embeddings of the plain tower, shape (n_texts, embedding_size).

        ``share`` of their largest value is the largest difference allowed. A tower that cannot
        run on trees does not agree.
        """
        try:
            ours = self.embed(self.packs(tokens, lengths))
        except (AttributeError, RuntimeError, TypeError, ValueError):
            return False
        return bool((ours - plain).abs().max() <= share * plain.abs().max())

    def _rows(self, packs: Sequence[Pack], size: int) -> Tensor:
        """Embed the texts of some packs, each filled up to ``size`` nodes."""
        tokens, depths, seen = (torch.from_numpy(x).to(self._device) for x in _filled(packs, size))
        x = self._tower.token_embedding(tokens) + self._tower.positional_embedding[depths]
        mask = torch.zeros(seen.shape, dtype=x.dtype, device=x.device)
        mask.masked_fill_(~seen, float("-inf"))
        out = self._transformer(x, attn_mask=mask[0] if self._together == 1 else mask[:, None])
        ends = [out[i, torch.from_numpy(p.leaves).to(x.device)] for i, p in enumerate(packs)]
        return projected(self._tower, self._tower.ln_final(torch.cat(ends)))


def prefix_tower(
    tower: Any, device: str, plain: Tensor, tokens: Tensor, lengths: Tensor, *, share: float
) -> PrefixTower | None:
    """Return what runs a tower on trees, or None where that gives other embeddings.

    On a CPU matrix products of oneDNN come first, if they compute in float32. No clock is asked,
    so the same machine always chooses the same.

    Parameters
    ----------
    tower : Module
        Known to be causal and to read the end of the text.
    device : str
    plain : Tensor of shape (n_texts, embedding_size)
        What the tower itself gives for some texts that share beginnings.
    tokens : Tensor of shape (n_texts, context)
    lengths : Tensor of shape (n_texts,)
        Tokens up to and with the one that is read.
    share : float
        Largest difference allowed, as a share of the largest value of ``plain``.
    """
    kinds: tuple[Layers | None, ...] = (None,)
    if device == "cpu" and keeps_float32():
        kinds = (direct, None)
    made = (PrefixTower(tower, device, layers) for layers in kinds)
    return next((one for one in made if one.agrees_with(plain, tokens, lengths, share)), None)


def projected(tower: Any, rows: Tensor) -> Tensor:
    """Apply the last linear map of a text tower, where it has one."""
    projection = tower.text_projection
    if projection is None:
        return rows
    out: Tensor = projection(rows) if isinstance(projection, nn.Linear) else rows @ projection
    return out


def _filled(
    packs: Sequence[Pack], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Stack packs; nodes that fill them up see themselves and are seen by none."""
    shape = (len(packs), size)
    tokens, depths = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    seen = np.tile(np.eye(size, dtype=np.bool_), (len(packs), 1, 1))
    for i, pack in enumerate(packs):
        n = len(pack.tokens)
        tokens[i, :n], depths[i, :n], seen[i, :n, :n] = pack.tokens, pack.depths, pack.seen
    return tokens, depths, seen
