"""A table of activations in shards: read unit by unit, a block of units, or row by row.

    table.json                what the rows are
    part-000000.safetensors   values of up to 4,096 rows, unit by unit
    part-000000.json          its row ids and checksums: there once the shard is
    manifest.json             all parts: there once the table is whole

Only what is asked for is read, straight from its place in the file, so that memory does not grow
with the table. What is read is checked: one unit by its CRC-32, a whole shard by its SHA-256.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.cache import write_atomically
from probes.errors import ExtractionError
from probes.shard_format import Part, TableKey, Values, bytes_of, ids_digest

MANIFEST = "manifest.json"
TABLE = "table.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardTable:
    """A whole table; open one with `open_table`."""

    folder: Path
    key: TableKey
    parts: tuple[Part, ...]

    @property
    def n_rows(self) -> int:
        """Rows of all shards."""
        return sum(part.rows for part in self.parts)

    def unit(self, unit: int) -> Values:
        """Return the responses of one unit to every row, shape (n_rows,), checked.

        Raises
        ------
        ExtractionError
            If there is no such unit, or a shard is missing, cut off or damaged.
        """
        values: Values = self.units(unit, unit + 1)[0]
        return values

    def units(self, first: int, after: int) -> Values:
        """Return the responses of neighbouring units, shape (n_units, n_rows), checked."""
        out = np.empty((after - first, self.n_rows), np.dtype(self.key.dtype))
        start = 0
        for part in self.parts:
            read_units(self, part, first, after, out=out[:, start : start + part.rows])
            start += part.rows
        return out

    def ids(self) -> Iterator[str]:
        """Yield the id of every row, in order, checked.

        Raises
        ------
        ExtractionError
            If a list of ids is missing or differs from what was written.
        """
        for part in self.parts:
            yield from read_ids(self.folder, part)

    def check(self) -> None:
        """Read every shard whole and hold it to its SHA-256.

        Raises
        ------
        ExtractionError
            Naming the first shard that is missing, cut off or damaged.
        """
        for part in self.parts:
            found = hashlib.sha256(_bytes(self.folder / part.name)).hexdigest()
            if found != part.sha256:
                raise _damaged(self.folder / part.name, "its SHA-256 is not that of the manifest")
            read_ids(self.folder, part)


def open_table(folder: Path) -> ShardTable:
    """Open a finished table of activations.

    Raises
    ------
    ExtractionError
        If the folder holds none, an unfinished one, or a shard is missing or cut off.

    Examples
    --------
    >>> open_table(Path("nowhere"))
    Traceback (most recent call last):
    ...
    probes.errors.ExtractionError: nowhere must hold a finished table of activations (manifest.json), but there is none; finish the extraction that writes it by running it again.
    """  # noqa: E501
    path = folder / MANIFEST
    if not path.is_file():
        raise ExtractionError(
            f"{folder} must hold a finished table of activations ({MANIFEST}), but there is none; "
            "finish the extraction that writes it by running it again."
        )
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        table = ShardTable(
            folder=folder,
            key=TableKey.from_json(said),
            parts=tuple(Part(**one) for one in said["shards"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ExtractionError(
            f"{path} must be the manifest of a table of activations, but: {error}; "
            "extract the table again."
        ) from error
    for part in table.parts:
        _check_size(folder / part.name, part.size)
    return table


def seal(folder: Path, key: TableKey, n_parts: int) -> ShardTable:
    """Write the manifest of a table whose shards are all there; equal shards give equal bytes.

    Raises
    ------
    ExtractionError
        If a part is missing.
    """
    parts = []
    for index in range(n_parts):
        part = read_part(folder, index)
        if part is None:
            raise ExtractionError(
                f"All {n_parts} shards must be there before {folder} is finished, but shard "
                f"{index} is not; run the extraction again: it makes only what is missing."
            )
        parts.append(part)
    said = {**key.as_json(), "shards": [part.as_json() for part in parts]}
    write_atomically(folder / MANIFEST, _json(said))
    return ShardTable(folder=folder, key=key, parts=tuple(parts))


def read_part(folder: Path, index: int) -> Part | None:
    """Return the part with this number, or None where it is not finished."""
    path = folder / f"part-{index:06d}.json"
    if not path.is_file():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        part = Part(**said["shard"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"it is no part of a manifest ({error})") from error
    _check_size(folder / part.name, part.size)
    return part


def write_part(folder: Path, part: Part, ids: Sequence[str], bad: Sequence[Any] = ()) -> None:
    """Say that a shard is complete; what could not be encoded is named beside it."""
    said = {"shard": part.as_json(), "ids": list(ids), "bad": list(bad)}
    write_atomically((folder / part.name).with_suffix(".json"), _json(said))


def read_ids(folder: Path, part: Part) -> list[str]:
    """Return the row ids of one shard, checked."""
    path = (folder / part.name).with_suffix(".json")
    try:
        ids = json.loads(path.read_text(encoding="utf-8"))["ids"]
        good = ids_digest(ids) == part.ids
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"its row ids cannot be read ({error})") from error
    if not good:
        raise _damaged(path, "its row ids are not those of the manifest")
    return [str(one) for one in ids]


def read_units(
    table: ShardTable, part: Part, first: int, after: int, *, out: Values | None = None
) -> Values:
    """Return neighbouring units of one shard, shape (n_units, n_rows), each checked.

    Parameters
    ----------
    table : ShardTable
    part : Part
    first, after : int
        The first unit, and the one after the last.
    out : ndarray of shape (after - first, part.rows), optional
        Where to put them; its rows must be contiguous.

    Raises
    ------
    ExtractionError
        If there are no such units, or the shard is missing, cut off or damaged.
    """
    if not 0 <= first < after <= table.key.n_units:
        raise ExtractionError(
            f"Units of {table.key.layer} run from 0 to {table.key.n_units - 1}; "
            f"got {first} to {after - 1}."
        )
    dtype = np.dtype(table.key.dtype)
    path = table.folder / part.name
    width = part.rows * dtype.itemsize
    count = after - first
    checks, into = np.empty(count, "<u4"), np.empty((count, part.rows), dtype)
    try:
        with path.open("rb", buffering=0) as file:
            _fill(file, part.checks + 4 * first, bytes_of(checks))
            _fill(file, part.values + first * width, bytes_of(into))
    except (OSError, EOFError) as error:
        raise _damaged(path, f"it is missing or cut off ({error})") from error
    for unit, check in zip(into, checks, strict=True):
        if zlib.crc32(unit.data) != check:
            raise _damaged(path, "the values of a unit differ from their checksum")
    if out is None:
        return into
    out[:] = into
    return out


def shards_of(table: ShardTable) -> Iterator[NDArray[np.float32]]:
    """Yield the rows of each shard, shape (n_rows, n_units), in order; one is held at a time."""
    for part in table.parts:
        yield read_units(table, part, 0, table.key.n_units).T.astype(np.float32)


def _fill(file: FileIO, place: int, into: memoryview) -> None:
    """Read straight to where the bytes belong; one call may bring only a part."""
    file.seek(place)
    done = 0
    while done < len(into):
        got = file.readinto(into[done:])
        if not got:
            raise EOFError("the file is too short")
        done += got


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _damaged(path, f"it cannot be read ({error.strerror})") from error


def _check_size(path: Path, size: int) -> None:
    try:
        found = path.stat().st_size
    except OSError as error:
        raise _damaged(path, f"it is missing ({error.strerror})") from error
    if found != size:
        raise _damaged(path, f"it has {found} bytes instead of {size}")


def _damaged(path: Path, why: str) -> ExtractionError:
    return ExtractionError(
        f"The shard {path} must be as it was written, but {why}; remove this file and the .json of "
        "the same name, and run the extraction again: it makes only what is missing."
    )


def _json(said: object) -> bytes:
    return (json.dumps(said, ensure_ascii=False, sort_keys=True, indent=0) + "\n").encode()
