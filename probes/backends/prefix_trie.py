"""Texts that begin alike, laid out as a tree whose nodes are their common beginnings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pack:
    """Some texts as one sequence of nodes; a node stands for a beginning that texts share."""

    tokens: NDArray[np.int64]
    """Last token of each beginning, shape (n_nodes,); a node follows those that it sees."""

    depths: NDArray[np.int64]
    """Place of that token in its text, shape (n_nodes,); 0 is the first."""

    seen: NDArray[np.bool_]
    """Shape (n_nodes, n_nodes): row i is true for node i and the beginnings of its beginning."""

    leaves: NDArray[np.int64]
    """Node at which each text ends, shape (n_texts,)."""

    texts: NDArray[np.int64]
    """Row of each text in the table of tokens, shape (n_texts,)."""


def prefix_packs(tokens: Integers, lengths: Integers, size: int) -> list[Pack]:
    """Lay texts out as trees of at most ``size`` nodes.

    In a causal tower the state at a token depends on the text up to it and on nothing else, so
    texts with one beginning share the states of that beginning.

    Parameters
    ----------
    tokens : int ndarray of shape (n_texts, context)
        Tokens of each text, padding behind.
    lengths : int ndarray of shape (n_texts,)
        Tokens of each text that count, at least 1.
    size : int
        Nodes in a pack; a single longer text has one of its own.

    Returns
    -------
    list of Pack
        Every text in one of them. Beginnings shared across packs are in each of them.

    Examples
    --------
    >>> pack, = prefix_packs(np.array([[7, 1, 9], [7, 2, 9]]), np.array([3, 3]), 256)
    >>> pack.tokens, pack.depths
    (array([7, 1, 9, 2, 9]), array([0, 1, 2, 1, 2]))
    >>> pack.seen[pack.leaves[1]]
    array([ True, False, False,  True,  True])
    """
    if not len(tokens):
        return []
    order = np.lexsort(tokens.T[::-1])
    rows, ends = np.asarray(tokens[order], np.int64), np.asarray(lengths[order], np.int64)
    shared = _shared(rows, ends)
    return [
        _pack(rows[part], ends[part], shared[part], order[part])
        for part in _parts(ends.tolist(), shared.tolist(), size)
    ]


def _shared(rows: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tokens that each text has in common with the one before it, shape (n_texts,)."""
    alike = np.cumprod(rows[1:] == rows[:-1], axis=1).sum(axis=1)
    return np.concatenate([[0], np.minimum(alike, np.minimum(ends[1:], ends[:-1]))])


def _parts(ends: Sequence[int], shared: Sequence[int], size: int) -> Iterator[slice]:
    """Cut the sorted texts where the next one would make a pack too large."""
    start = nodes = 0
    for i, (end, common) in enumerate(zip(ends, shared, strict=True)):
        if i > start and nodes + end - common > size:
            yield slice(start, i)
            start, nodes = i, 0
        nodes += end if i == start else end - common
    yield slice(start, len(ends))


def _pack(
    rows: NDArray[np.int64],
    ends: NDArray[np.int64],
    shared: NDArray[np.int64],
    texts: NDArray[np.int64],
) -> Pack:
    places = np.arange(ends.max())
    common = np.concatenate([[0], shared[1:]])
    is_new = (places >= common[:, None]) & (places < ends[:, None])
    numbers = np.cumsum(is_new).reshape(is_new.shape) - 1
    # The node of a text at a depth is the newest one there: sorted texts never come back to one.
    paths = np.maximum.accumulate(np.where(is_new, numbers, -1), axis=0)
    owners, depths = np.nonzero(is_new)
    n = len(owners)
    seen = np.zeros((n, n + 1), np.bool_)
    above = np.where(places <= depths[:, None], paths[owners], n)
    seen[np.arange(n)[:, None], above] = True
    return Pack(
        tokens=rows[owners, depths],
        depths=depths,
        seen=seen[:, :n],
        leaves=paths[np.arange(len(ends)), ends - 1],
        texts=texts,
    )
