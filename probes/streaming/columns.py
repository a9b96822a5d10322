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
from probes.shard_format import Values
from probes.shards import ShardTable, read_units
from probes.streaming.exact_ranks import exact_ranks
from probes.streaming.halves import MOST_ROWS, doubles, half_bins, half_ranks
from probes.streaming.moments import Effects, Floats, SideMoments
from probes.streaming.rank_sketch import Bounded, RankSketch, Singles, edges_of

UNITS_AT_ONCE = 64
"""Units of a block: half a megabyte in one piece of each shard, and few bins to keep."""

ROWS_AT_ONCE = 16_384
"""Of a piece."""

EXACT_ROWS = {"float16": MOST_ROWS, "float32": ROWS_AT_ONCE}
"""By dtype: tables of no more rows are ranked exactly; beyond, counting in bins is cheaper."""

PILOT_SHARDS = 16
"""Shards, spread over the table, whose rows choose the bins."""

PILOT_ROWS = 4_096


class Piece(NamedTuple):
    """Some neighbouring rows of a block of units."""

    rows: slice
    by_unit: Values
    """Shape (n_units, n_rows), as stored."""


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
        Of each unit, in tables of more rows than `EXACT_ROWS`; ranks of smaller ones are exact.
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
        _associate_block(table, labels, first, after, n_bins) for first, after in blocks_of(table)
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


def blocks_of(table: ShardTable) -> Iterator[tuple[int, int]]:
    """Yield the first unit and the one after the last of every block."""
    n_units, step = table.key.n_units, _units_at_once(table)
    for first in range(0, n_units, step):
        yield first, min(n_units, first + step)


def _units_at_once(table: ShardTable) -> int:
    """Blocks that are one piece have as many values as a piece of a long table."""
    if _is_small(table):
        return max(1, UNITS_AT_ONCE * ROWS_AT_ONCE // table.n_rows)
    return UNITS_AT_ONCE


def _is_small(table: ShardTable) -> bool:
    return table.n_rows <= EXACT_ROWS[table.key.dtype]


def pieces_of(table: ShardTable, first: int, after: int) -> Iterator[Piece]:
    """Yield all rows of neighbouring units, some shards at a time."""
    most = EXACT_ROWS[table.key.dtype] if _is_small(table) else ROWS_AT_ONCE
    waiting: list[Values] = []
    start = end = 0
    for part in table.parts:
        waiting.append(read_units(table, part, first, after))
        end += part.rows
        if end - start >= most:
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
    if _is_small(table):
        return _small_block(table, labels, first, after)
    sketch = RankSketch.empty(edges_of(_pilot(table, first, after), n_bins), labels.shape[1])
    bins = half_bins(sketch.edges) if table.key.dtype == "float16" else None
    counted = _counted(sketch, labels, pieces_of(table, first, after), bins)
    return _Block(reduce(SideMoments.merge, counted).effects(), *sketch.scores())


def _small_block(table: ShardTable, labels: NDArray[np.bool_], first: int, after: int) -> _Block:
    """Measure a table that is one piece, its ranks without error."""
    (piece,) = pieces_of(table, first, after)
    effects = SideMoments.of(doubles(piece.by_unit), labels).effects()
    if piece.by_unit.dtype == np.float16:
        return _Block(effects, *half_ranks(piece.by_unit, labels))
    return _Block(effects, *exact_ranks(piece.by_unit.astype(np.float32), labels))


def _counted(
    sketch: RankSketch,
    labels: NDArray[np.bool_],
    pieces: Iterable[Piece],
    bins: NDArray[np.int32] | None,
) -> Iterator[SideMoments]:
    """Count every piece in the sketch, and yield its moments."""
    for piece in pieces:
        shown = labels[piece.rows]
        sketch.add(piece.by_unit, shown, bins)
        yield SideMoments.of(doubles(piece.by_unit), shown)


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
