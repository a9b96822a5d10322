"""Pictures inside Parquet tables, as Hugging Face `datasets` write them, read where they lie."""

import json
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from concept_sets.errors import StimulusError
from concept_sets.tar_shards import MAX_MEMBER_BYTES, MAX_MEMBERS, Sample

PICTURE = "image"
"""Column of pictures: bytes, or a struct with a field ``bytes``."""

ROWS_AT_ONCE = 32
"""Pictures that are in memory while a table is listed."""

GROUP_BYTES = 256 * 2**20
"""Row groups up to this size are kept while their pictures are asked for one by one."""

GROUPS_KEPT = 2


def holds_pictures(path: Path) -> bool:
    """Tell whether a Parquet table has pictures in it; what cannot be read has none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError):
        return False
    return PICTURE in schema.names and _are_bytes(schema.field(PICTURE).type)


def read_table(path: Path) -> list[Sample]:
    """List the pictures of a table, some rows at a time.

    Parameters
    ----------
    path : Path
        A table with a column ``image``. The other columns describe the picture as the members
        beside it do in a tar archive; whole numbers that the table has names for become names.

    Returns
    -------
    list of Sample
        One for each row; ``member`` is its number from 0.

    Raises
    ------
    StimulusError
        If the table is damaged or too long, lists paths as well, or a column is no plain value.
    """
    samples = []
    names = _names_of_labels(path)
    for number, cells in enumerate(_rows(path)):
        picture = cells.pop(PICTURE)
        reason = _refusal(picture)
        sample = Sample(key=str(number))
        sample.fields = {name: _said(cell, names.get(name)) for name, cell in cells.items()}
        if reason:
            sample.bad.append((f"row {number}", reason))
        else:
            sample.member, sample.digest = str(number), sha256(_bytes(picture) or b"").hexdigest()
        samples.append(sample)
    return samples


def read_picture(path: Path, member: str) -> bytes:
    """Return the picture of one row, by its number from 0.

    Raises
    ------
    StimulusError
        If the table cannot be read.
    KeyError
        If it has no such row, or no picture there.
    """
    status = path.stat()
    before = 0
    for group, (rows, size) in enumerate(_groups(path, status.st_mtime_ns, status.st_size)):
        place = int(member) - before
        if 0 <= place < rows:
            if size <= GROUP_BYTES:
                found = _group(path, status.st_mtime_ns, status.st_size, group)[place]
            else:
                found = _one(path, group, place)
            if found is None:
                break
            return found
        before += rows
    raise KeyError(member)


def _are_bytes(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _are_bytes(kind.field(place).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _opened(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> StimulusError:
    if getattr(error, "errno", None):
        return StimulusError(f"{path}: cannot be read: {getattr(error, 'strerror', error)}.")
    reason = (str(error).splitlines() or ["it is damaged"])[0].rstrip(".")
    return StimulusError(f"{path.name}: must be a whole Parquet table: {reason}.")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    with _opened(path) as table:
        _check(path, table)
        try:
            for batch in table.iter_batches(batch_size=ROWS_AT_ONCE):
                yield from batch.to_pylist()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(path, error) from error


def _check(path: Path, table: Any) -> None:
    import pyarrow as pa

    schema = table.schema_arrow
    if "path" in schema.names:
        raise StimulusError(
            f"{path.name}: must hold pictures or list paths; it has both columns, 'image' and "
            "'path'. Drop or rename one."
        )
    if table.metadata.num_rows > MAX_MEMBERS:
        raise StimulusError(
            f"{path.name}: must have at most {MAX_MEMBERS:,} rows; has "
            f"{table.metadata.num_rows:,}. Split it into shards."
        )
    for field in schema:
        if field.name != PICTURE and (pa.types.is_nested(field.type) or _are_bytes(field.type)):
            raise StimulusError(
                f"{path.name}: a column beside the pictures must hold plain values; "
                f"{field.name!r} holds {field.type}. Drop it."
            )


def _names_of_labels(path: Path) -> dict[str, list[str]]:
    """Return column to the names of its whole numbers, from what `datasets` notes in the table."""
    with _opened(path) as table:
        noted = (table.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        features = json.loads(noted)["info"]["features"]
        return {
            column: [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _said(cell: object, names: list[str] | None) -> str:
    if names is not None and isinstance(cell, int) and 0 <= cell < len(names):
        return names[cell]
    return "" if cell is None else str(cell)


def _bytes(picture: Any) -> bytes | None:
    found: bytes | None = picture.get("bytes") if isinstance(picture, dict) else picture
    return found


def _refusal(picture: Any) -> str:
    """Return why a picture is not looked at, or nothing."""
    held = _bytes(picture)
    if held:
        return "it is larger than 64 MB" if len(held) > MAX_MEMBER_BYTES else ""
    elsewhere = isinstance(picture, dict) and picture.get("path")
    return "the table names its picture and does not hold it" if elsewhere else "it has no picture"


@lru_cache(maxsize=64)
def _groups(path: Path, _changed: int, _size: int) -> list[tuple[int, int]]:
    """Return rows and bytes of each row group."""
    with _opened(path) as table:
        groups = [table.metadata.row_group(index) for index in range(table.num_row_groups)]
        return [(group.num_rows, group.total_byte_size) for group in groups]


@lru_cache(maxsize=GROUPS_KEPT)
def _group(path: Path, _changed: int, _size: int, group: int) -> list[bytes | None]:
    return [picture for batch in _batches(path, group) for picture in batch]


def _one(path: Path, group: int, place: int) -> bytes | None:
    """Return a picture of a row group that is too large to keep: rows before it are passed."""
    for batch in _batches(path, group):
        if place < len(batch):
            return batch[place]
        place -= len(batch)
    return None


def _batches(path: Path, group: int) -> Iterator[list[bytes | None]]:
    import pyarrow as pa

    with _opened(path) as table:
        try:
            for batch in table.iter_batches(
                batch_size=ROWS_AT_ONCE, row_groups=[group], columns=[PICTURE]
            ):
                yield [_bytes(picture) for picture in batch.column(0).to_pylist()]
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(path, error) from error
