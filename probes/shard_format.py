"""One shard of activations as bytes: a safetensors file that lies unit by unit, with checksums.

The values of one unit are one contiguous piece, each with a CRC-32 of its own, so that one unit
is read and checked without the others. Equal rows give equal bytes, whoever writes them.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.errors import ExtractionError

FORMAT = "clip-audit shards 1"
ROWS_PER_SHARD = 4096
"""Rows of a full shard; measured best among 512 to 65,536 for reading and appending."""

DTYPES = {"float16": "F16", "float32": "F32"}
"""numpy's names of what is stored to those of safetensors."""

_ROWS_AT_ONCE = 128
"""Rows turned together: a block of all units then stays in the cache."""

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableKey:
    """What the rows of a table are; equal in every shard."""

    layer: str
    """Layer name, or ``embedding``."""

    pooling: str
    """Pooling, or empty for embeddings."""

    encoder: str
    """``EncoderIdentity.weights_digest``."""

    n_units: int
    dtype: str = "float32"
    """``float32``, or ``float16``: half the size, values rounded to 11 bits."""

    rows_per_shard: int = ROWS_PER_SHARD

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "format": FORMAT,
            "layer": self.layer,
            "pooling": self.pooling,
            "encoder": self.encoder,
            "units": self.n_units,
            "dtype": self.dtype,
            "rows_per_shard": self.rows_per_shard,
        }

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> "TableKey":
        """Return the key that `as_json` wrote; KeyError or ValueError where it is none."""
        if read["format"] != FORMAT:
            raise ValueError(f"the format must be {FORMAT!r}; got {read['format']!r}")
        if read["dtype"] not in DTYPES:
            raise ValueError(f"the dtype must be float16 or float32; got {read['dtype']!r}")
        return cls(
            layer=str(read["layer"]),
            pooling=str(read["pooling"]),
            encoder=str(read["encoder"]),
            n_units=int(read["units"]),
            dtype=str(read["dtype"]),
            rows_per_shard=int(read["rows_per_shard"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What the manifest says about one shard."""

    name: str
    """File name of the shard."""

    rows: int
    sha256: str
    """Of the whole file, in hex."""

    size: int
    """Bytes of the whole file."""

    checks: int
    """Where in the file the CRC-32 of each unit start."""

    values: int
    """Where in the file the values start."""

    ids: str
    """SHA-256 of the row ids, one a line."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: getattr(self, name) for name in Part.__slots__}


def part_name(index: int) -> str:
    """Return the file name of a shard.

    Examples
    --------
    >>> part_name(7)
    'part-000007.safetensors'
    """
    return f"part-{index:06d}.safetensors"


def encode_shard(
    values: Values, ids: Sequence[str], key: TableKey, name: str, *, room: Values | None = None
) -> tuple[tuple[memoryview, ...], Part]:
    """Return the bytes of one shard, in pieces, and its line of the manifest.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_units)
        Finite responses; rounded to the key's type.
    ids : sequence of str
        One per row, without line breaks.
    key : TableKey
    name : str
        File name that the line should carry.
    room : ndarray of shape (n_units, rows_per_shard), optional
        Memory of the key's type that the pieces may lie in; fresh memory costs as much as turning.

    Raises
    ------
    ExtractionError
        If shapes disagree, or a value is not finite in the key's type.
    """
    _check(values, ids, key)
    if room is None or len(values) != room.shape[1]:
        room = np.empty((key.n_units, len(values)), np.dtype(key.dtype))
    columns = _unit_by_unit(values, room)
    if columns is None:
        raise ExtractionError(
            f"Activations of {key.layer} must be finite numbers in {key.dtype}, but {name} would "
            "hold NaN or infinity; store float32, or look at the model."
        )
    checks = np.array([zlib.crc32(unit.data) for unit in columns], "<u4")
    head = _header(key, len(values))
    pieces = (memoryview(head), bytes_of(checks), bytes_of(columns))
    sha = hashlib.sha256()
    for piece in pieces:
        sha.update(piece)
    part = Part(
        name=name,
        rows=len(values),
        sha256=sha.hexdigest(),
        size=sum(len(piece) for piece in pieces),
        checks=len(head),
        values=len(head) + checks.nbytes,
        ids=ids_digest(ids),
    )
    return pieces, part


def bytes_of(values: NDArray[Any]) -> memoryview:
    """Return the memory of a contiguous array; a view of no rows could not be cast."""
    return values.reshape(-1).view(np.uint8).data


def ids_digest(ids: Sequence[str]) -> str:
    """SHA-256 of row ids, one a line."""
    return hashlib.sha256("".join(f"{one}\n" for one in ids).encode()).hexdigest()


def _header(key: TableKey, rows: int) -> bytes:
    """Head of a safetensors file with the tensors ``checks`` and ``values``."""
    checks = 4 * key.n_units
    size = key.n_units * rows * np.dtype(key.dtype).itemsize
    said = {
        "__metadata__": {"format": FORMAT, "layer": key.layer, "pooling": key.pooling},
        "checks": {"dtype": "U32", "shape": [key.n_units], "data_offsets": [0, checks]},
        "values": {
            "dtype": DTYPES[key.dtype],
            "shape": [key.n_units, rows],
            "data_offsets": [checks, checks + size],
        },
    }
    text = json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _unit_by_unit(values: Values, columns: Values) -> Values | None:
    """Turn rows into columns; None where a value is not finite in the columns' type."""
    for first in range(0, len(values), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        with np.errstate(over="ignore"):
            block = values[rows].astype(columns.dtype, copy=False)
        if not _finite(block):
            return None
        columns[:, rows] = block.T
    return columns


def _finite(block: Values) -> bool:
    if block.dtype == np.float16:
        # numpy widens every half to look at it; its exponent says the same in whole numbers
        exponent = np.uint16(0x7C00)
        return not bool(((block.view(np.uint16) & exponent) == exponent).any())
    return bool(np.isfinite(block).all())


def _check(values: Values, ids: Sequence[str], key: TableKey) -> None:
    if values.ndim != 2 or values.shape != (len(ids), key.n_units):
        raise ExtractionError(
            f"A shard of {key.layer} must have one row per id and {key.n_units} units; "
            f"got shape {values.shape} for {len(ids)} ids."
        )
    broken = [one for one in ids if "\n" in one]
    if broken:
        raise ExtractionError(f"Row ids must not hold line breaks; got {broken[0]!r}.")
