"""Associations of a table in shards, a block of units at a time, in memory that does not grow.

Beside the labels, which the caller holds, about 100 MB are used for any number of rows: a block
of units is read from every shard in turn, and only its moments and bins stay.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError
from probes.shards import ShardTable, read_units
from probes.streaming.exact_ranks import exact_ranks
from probes.streaming.moments import Effects, Floats, SideMoments
from probes.streaming.rank_sketch import Bounded, RankSketch, Singles, edges_of

UNITS_AT_ONCE = 64
"""Units of a block: half a megabyte in one piece of each shard, and few bins to keep."""

ROWS_AT_ONCE = 16_384
"""Of a piece; tables of no more are one piece, whose ranks are exact."""

PILOT_SHARDS = 16
"""Shards, spread over the table, whose rows choose the bins."""

PILOT_ROWS = 4_096


class Piece(NamedTuple):
    """Some neighbouring rows of a block of units."""

    rows: slice
    by_unit: Singles
    """Shape (n_units, n_rows)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedAssociations:
    """Every unit with every concept; arrays have shape (n_units, n_concepts).

    Rows count as independent here. Where they are nested in clusters, the sizes still describe
    the rows; tests belong to `probes.streaming.permuted`.
    """

    n_rows: int
    n_with: NDArray[np.int64]
    """Rows with each concept, shape (n_concepts,)."""

    effects: Effects
    auroc: Bounded
    average_precision: Bounded


def associate_table(
    table: ShardTable, labels: NDArray[np.bool_], *, n_bins: int = 1024
) -> StreamedAssociations:
    """Measure how strongly every unit goes with every concept, out of core.

    Parameters
    ----------
    table : ShardTable
        Responses, one row per stimulus; every value read is checked.
    labels : bool ndarray of shape (n_rows, n_concepts)
        True where the row shows the concept; the others are its reference.
    n_bins : int
        Of each unit, in tables of more than `ROWS_AT_ONCE` rows; ranks of smaller ones are exact.
        The bound on the error of ranks is about 1 / (2 n_bins) for units that vary
        continuously; the bound that holds is in the result.

    Raises
    ------
    MeasureError
        If there is not one label per row.
    ExtractionError
        If a shard is missing, cut off or damaged.
    """
    _check(table, labels)
    found = [
        _associate_block(table, labels, first, after, n_bins)
        for first, after in blocks_of(table.key.n_units, _units_at_once(table.n_rows))
    ]
    return StreamedAssociations(
        n_rows=len(labels),
        n_with=labels.sum(axis=0, dtype=np.int64),
        effects=Effects(
            **{
                name: np.concatenate([getattr(one.effects, name) for one in found])
                for name in Effects.__slots__
            }
        ),
        auroc=_stacked([one.auroc for one in found]),
        average_precision=_stacked([one.precision for one in found]),
    )


def blocks_of(n_units: int, at_once: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield the first unit and the one after the last of every block."""
    step = at_once or UNITS_AT_ONCE
    for first in range(0, n_units, step):
        yield first, min(n_units, first + step)


def _units_at_once(n_rows: int) -> int:
    """Short tables have wide blocks: as many values as in one piece of a long one."""
    return max(UNITS_AT_ONCE, UNITS_AT_ONCE * ROWS_AT_ONCE // n_rows)


def pieces_of(table: ShardTable, first: int, after: int) -> Iterator[Piece]:
    """Yield all rows of neighbouring units, some shards at a time."""
    waiting: list[Singles] = []
    start = end = 0
    for part in table.parts:
        waiting.append(read_units(table, part, first, after).astype(np.float32))
        end += part.rows
        if end - start >= ROWS_AT_ONCE:
            yield Piece(slice(start, end), np.concatenate(waiting, axis=1))
            start, waiting = end, []
    if waiting:
        yield Piece(slice(start, end), np.concatenate(waiting, axis=1))


class _Block(NamedTuple):
    effects: Effects
    auroc: Bounded
    precision: Bounded


def _associate_block(
    table: ShardTable, labels: NDArray[np.bool_], first: int, after: int, n_bins: int
) -> _Block:
    if table.n_rows <= ROWS_AT_ONCE:
        return _small_block(table, labels, first, after)
    sketch = RankSketch.empty(edges_of(_pilot(table, first, after), n_bins), labels.shape[1])
    moments = reduce(SideMoments.merge, _counted(sketch, labels, pieces_of(table, first, after)))
    return _Block(moments.effects(), *sketch.scores())


def _small_block(table: ShardTable, labels: NDArray[np.bool_], first: int, after: int) -> _Block:
    """Measure a table that is one piece, its ranks without error."""
    (piece,) = pieces_of(table, first, after)
    effects = SideMoments.of(piece.by_unit, labels).effects()
    return _Block(effects, *exact_ranks(piece.by_unit, labels))


def _counted(
    sketch: RankSketch, labels: NDArray[np.bool_], pieces: Iterable[Piece]
) -> Iterator[SideMoments]:
    """Count every piece in the sketch, and yield its moments."""
    for piece in pieces:
        shown = labels[piece.rows]
        sketch.add(piece.by_unit, shown)
        yield SideMoments.of(piece.by_unit, shown)


def _pilot(table: ShardTable, first: int, after: int) -> Singles:
    """Evenly spread rows of evenly spread shards: the same ones every time."""
    count = len(table.parts)
    spread = sorted(set(np.linspace(0, count - 1, min(count, PILOT_SHARDS)).astype(int).tolist()))
    rows = sum(table.parts[index].rows for index in spread)
    step = max(1, -(-rows // PILOT_ROWS))
    some = [read_units(table, table.parts[i], first, after)[:, ::step] for i in spread]
    pilot: Singles = np.concatenate(some, axis=1).astype(np.float32)
    return pilot


def _stacked(blocks: list[Bounded]) -> Bounded:
    values: list[Floats] = [one.value for one in blocks]
    return Bounded(
        value=np.concatenate(values), error=np.concatenate([one.error for one in blocks])
    )


def _check(table: ShardTable, labels: NDArray[np.bool_]) -> None:
    if labels.ndim != 2 or len(labels) != table.n_rows or labels.dtype != np.bool_:
        raise MeasureError(
            f"Labels must be true or false for each of the {table.n_rows} rows and every concept; "
            f"got shape {labels.shape} ({labels.dtype})."
        )
    if not table.n_rows:
        raise MeasureError("A table must have a row before anything is measured; it has none.")
