"""Rows into shards: whole shards at disk speed, single batches so that a kill loses one batch.

A shard under way is a log of batches beside the finished ones. A batch is complete, with its
checksum, or it is as if it had never come; whoever goes on starts after the last complete one.
"""

import io
import json
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from probes.cache import write_atomically
from probes.errors import ExtractionError
from probes.shard_format import Part, TableKey, Values, encode_shard, part_name
from probes.shards import MANIFEST, TABLE, ShardTable, read_part, seal, write_part


def write_shard(
    folder: Path,
    index: int,
    ids: Sequence[str],
    values: Values,
    key: TableKey,
    bad: Sequence[Any] = (),
) -> Part:
    """Write one shard and its part of the manifest, durably.

    Parameters
    ----------
    folder : Path
        Of the table; made by `begin`.
    index : int
        Number of the shard.
    ids : sequence of str
        Of the rows.
    values : ndarray of shape (n_rows, n_units)
    key : TableKey
    bad : sequence
        Inputs without a row, as plain values.

    Raises
    ------
    ExtractionError
        If the values do not fit the key, are not finite, or cannot be written.
    """
    pieces, part = encode_shard(values, ids, key, part_name(index))
    try:
        _write_pieces(folder / part.name, pieces)
        write_part(folder, part, ids, bad)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return part


def begin(folder: Path, key: TableKey) -> None:
    """Make the folder of a table, or go on with one of the same key.

    Raises
    ------
    ExtractionError
        If the folder holds a table of another model, layer, width or type, or cannot be written.
    """
    path = folder / TABLE
    said = json.dumps(key.as_json(), sort_keys=True, indent=1) + "\n"
    try:
        if path.is_file():
            before = path.read_text(encoding="utf-8")
            if before != said:
                raise ExtractionError(
                    f"{folder} must be empty or hold the same table, but {path} says "
                    f"{before.split()} instead of {said.split()}; name another folder."
                )
            return
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, said.encode())
    except OSError as error:
        raise _unwritable(folder, error) from error


class ShardWriter:
    """Appends rows to a table, shard by shard.

    Rows are turned and checksummed here while a thread writes the shard before. A shard is
    durable when `append` has returned for the one after the next, and all are after `close`.

    Parameters
    ----------
    folder : Path
        A new one, or one that an interrupted writer left: ``n_rows`` says where to go on.
    key : TableKey

    Raises
    ------
    ExtractionError
        If the folder holds another table or one that is finished.
    """

    def __init__(self, folder: Path, key: TableKey) -> None:
        """Open the folder and count what is there."""
        begin(folder, key)
        if (folder / MANIFEST).exists():
            raise ExtractionError(
                f"{folder} holds a finished table; name another folder to append to."
            )
        self.n_rows = 0
        """Rows in finished shards and under way."""
        self._folder, self._key, self._index = folder, key, 0
        while (part := read_part(folder, self._index)) is not None:
            self.n_rows += part.rows
            self._index += 1
        self._ids: list[str] = []
        self._waiting: list[Values] = []
        # one is filled while the other is written
        shape = (key.n_units, key.rows_per_shard)
        self._rooms = [np.empty(shape, np.dtype(key.dtype)) for _ in range(2)]
        self._thread = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None

    def append(self, ids: Sequence[str], values: Values) -> None:
        """Add rows; full shards go out, the rest waits for more.

        Parameters
        ----------
        ids : sequence of str
        values : ndarray of shape (n_ids, n_units)
            Copied where they wait.

        Raises
        ------
        ExtractionError
            If they do not fit, are not finite, or an earlier shard could not be written.
        """
        if values.shape != (len(ids), self._key.n_units):
            raise ExtractionError(
                f"Rows for {self._folder} must have one id each and {self._key.n_units} units; "
                f"got shape {values.shape} for {len(ids)} ids."
            )
        full, first = self._key.rows_per_shard, 0
        while first < len(ids):
            after = min(len(ids), first + full - len(self._ids))
            self._ids += ids[first:after]
            piece = values[first:after]
            complete = len(self._ids) == full
            self._waiting.append(piece if complete else piece.astype(self._key.dtype))
            first = after
            if complete:
                self._flush()
        self.n_rows += len(ids)

    def close(self) -> ShardTable:
        """Write the rows that wait and the manifest."""
        if self._ids:
            self._flush()
        self.abandon()
        return seal(self._folder, self._key, self._index)

    def abandon(self) -> None:
        """Wait for the shard under way; rows that wait for a full one are lost."""
        self._thread.shutdown()
        if self._written is not None:
            self._written.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the table; after an error, only what is under way."""
        if kind is None:
            self.close()
        else:
            self.abandon()

    def _flush(self) -> None:
        rows = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
        ids, name = self._ids, part_name(self._index)
        room = self._rooms[self._index % 2]
        pieces, part = encode_shard(rows, ids, self._key, name, room=room)
        if self._written is not None:
            self._written.result()
        self._written = self._thread.submit(self._out, pieces, part, ids)
        self._ids, self._waiting, self._index = [], [], self._index + 1

    def _out(self, pieces: Sequence[memoryview], part: Part, ids: Sequence[str]) -> None:
        try:
            _write_pieces(self._folder / part.name, pieces)
            write_part(self._folder, part, ids)
        except OSError as error:
            raise _unwritable(self._folder, error) from error


@dataclass(slots=True, kw_only=True)
class BatchLog:
    """Batches of the shard under way, each durable once it is added.

    A batch is what its encoder gave: the ids of its rows, the values of every table side by side
    and the inputs without a row. Open one with `open_log`.
    """

    path: Path
    width: int
    """Values of a row, all tables together."""

    batches: int = 0
    """Complete batches."""

    ids: list[str] = field(default_factory=list)
    bad: list[Any] = field(default_factory=list)
    rows: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, ids: Sequence[str], values: NDArray[np.float32], bad: Sequence[Any]) -> None:
        """Keep one batch.

        Raises
        ------
        ExtractionError
            If it has another width or cannot be written.
        """
        if values.shape != (len(ids), self.width):
            raise ExtractionError(
                f"A batch must have one row per id and {self.width} values; "
                f"got shape {values.shape} for {len(ids)} ids."
            )
        rows = np.ascontiguousarray(values, "<f4")
        said = json.dumps({"ids": list(ids), "bad": list(bad)}).encode()
        body = len(said).to_bytes(8, "little") + said + rows.tobytes()
        record = len(body).to_bytes(8, "little") + zlib.crc32(body).to_bytes(4, "little") + body
        try:
            with self.path.open("ab") as file:
                file.write(record)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unwritable(self.path.parent, error) from error
        self._take(ids, rows, bad)

    def values(self) -> NDArray[np.float32]:
        """Rows of all batches, shape (n_rows, width)."""
        return np.concatenate([np.empty((0, self.width), np.float32), *self.rows])

    def remove(self) -> None:
        """Forget the log: its shard is finished."""
        self.path.unlink(missing_ok=True)

    def _take(self, ids: Sequence[str], rows: NDArray[np.float32], bad: Sequence[Any]) -> None:
        self.batches += 1
        self.ids += ids
        self.bad += bad
        self.rows.append(rows)


def open_log(path: Path, width: int) -> BatchLog:
    """Open the log of a shard under way; what a kill left half-written is cut off."""
    log = BatchLog(path=path, width=width)
    if not path.exists():
        return log
    content = path.read_bytes()
    stream, good = io.BytesIO(content), 0
    while (record := _next(stream)) is not None:
        said, rows = record
        log._take(said["ids"], rows.reshape(len(said["ids"]), width), said["bad"])
        good = stream.tell()
    if good < len(content):
        os.truncate(path, good)
    return log


def _next(stream: io.BytesIO) -> tuple[dict[str, Any], NDArray[np.float32]] | None:
    """Return the next batch; None at the end, or where one is incomplete."""
    head = stream.read(12)
    if len(head) < 12:
        return None
    size, check = int.from_bytes(head[:8], "little"), int.from_bytes(head[8:], "little")
    body = stream.read(size)
    if len(body) < size or zlib.crc32(body) != check:
        return None
    words = int.from_bytes(body[:8], "little")
    said: dict[str, Any] = json.loads(body[8 : 8 + words])
    return said, np.frombuffer(body, "<f4", offset=8 + words)


def _write_pieces(path: Path, pieces: Sequence[memoryview]) -> None:
    """Write a shard under another name, make it durable, rename it."""
    aside = path.with_name(f".{path.name}.tmp")
    with aside.open("wb", buffering=0) as file:
        for piece in pieces:
            done = 0
            while done < len(piece):
                done += file.write(piece[done:])
        os.fsync(file.fileno())
    os.replace(aside, path)


def _unwritable(folder: Path, error: OSError) -> ExtractionError:
    return ExtractionError(
        f"The folder {folder} must be writable, but: {error.strerror or error}; free some space or "
        "name another folder, then run again: finished shards are kept."
    )
