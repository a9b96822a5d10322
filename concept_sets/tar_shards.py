"""Pictures inside tar archives, read where they lie: nothing is ever extracted."""

import json
import tarfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from concept_sets.errors import StimulusError

PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif")
OTHER_PICTURES = (".bmp", ".tif", ".tiff", ".svg", ".heic", ".avif", ".jp2", ".ico")
"""Pictures that are not read; listed as bad instead of passed over."""

MAX_MEMBERS = 200_000
MAX_MEMBER_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 64 * 2**30
MAX_SIDECAR_BYTES = 64 * 2**10
CHUNK = 2**20

REGULAR = {tarfile.REGTYPE, tarfile.AREGTYPE}
"""Sparse and linked members are not what they seem, so only these are read."""


@dataclass(slots=True, kw_only=True)
class Sample:
    """The members of an archive that share a name up to the first dot."""

    key: str
    member: str = ""
    """Name of the picture; empty until it was met."""

    digest: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    """What the ``.json`` and ``.cls`` members say."""

    bad: list[tuple[str, str]] = field(default_factory=list)
    """Member and reason, for members that were passed over."""


def read_shard(path: Path) -> list[Sample]:
    """Read one tar archive as a stream, in the order of its members.

    Raises
    ------
    StimulusError
        If the file is no plain tar archive, is cut off, or exceeds a cap.
    """
    samples: dict[str, Sample] = {}
    for member, file in _members(path):
        key = _key(member.name)
        sample = samples.setdefault(key, Sample(key=key))
        reason = _refusal(member) or _take(sample, member, file)
        if reason:
            sample.bad.append((_visible(member.name), reason))
    return list(samples.values())


def read_member(path: Path, name: str) -> bytes:
    """Return the bytes of one member.

    Raises
    ------
    StimulusError
        If the archive cannot be read.
    KeyError
        If it has no such regular member.
    """
    status = path.stat()
    start, size = _places(path, status.st_mtime_ns, status.st_size)[name]
    with path.open("rb") as file:
        file.seek(start)
        return file.read(size)


@lru_cache(maxsize=64)
def _places(path: Path, _changed: int, _size: int) -> dict[str, tuple[int, int]]:
    """Return where each regular member starts and how long it is; the first of a name counts."""
    found: dict[str, tuple[int, int]] = {}
    for member, _ in _members(path):
        if not _refusal(member):
            found.setdefault(member.name, (member.offset_data, member.size))
    return found


class _Capped:
    """A file that refuses the huge reads which a lying header asks for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_MEMBER_BYTES:
            raise tarfile.ReadError("a header asks for too much memory")
        return self._file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()


def _members(path: Path) -> Iterator[tuple[tarfile.TarInfo, BinaryIO]]:
    total = count = 0
    try:
        with (
            path.open("rb") as file,
            tarfile.open(fileobj=_Capped(file), mode="r:") as archive,  # type: ignore[call-overload]
        ):
            for member in archive:
                count, total = count + 1, total + member.size
                if member.size < 0:
                    raise tarfile.ReadError("a member has a negative size")
                if count > MAX_MEMBERS or total > MAX_TOTAL_BYTES:
                    raise StimulusError(
                        f"{path.name}: must have at most {MAX_MEMBERS:,} members and "
                        f"{MAX_TOTAL_BYTES:,} bytes; split it into shards."
                    )
                yield member, file
    except StimulusError:
        raise
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise StimulusError(
            f"{path.name}: must be a plain, complete tar archive: {error or 'it is cut off'}."
        ) from error
    except OSError as error:
        raise StimulusError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _refusal(member: tarfile.TarInfo) -> str:
    """Return why a member is not looked at, or nothing."""
    if any(unicodedata.category(sign).startswith("C") for sign in member.name):
        return "its name holds control characters"
    if (
        member.name.startswith("/")
        or "\\" in member.name
        or ".." in PurePosixPath(member.name).parts
    ):
        return "its name leads out of the archive"
    if member.type not in REGULAR or member.issparse():
        return "" if member.isdir() else "it is a link, device or sparse file"
    return "it is larger than 64 MB" if member.size > MAX_MEMBER_BYTES else ""


def _take(sample: Sample, member: tarfile.TarInfo, file: BinaryIO) -> str:
    """Add a member to its sample; return why it could not be, or nothing."""
    ending = PurePosixPath(member.name).suffix.lower()
    if member.isdir():
        return ""
    if ending in PICTURE_ENDINGS:
        if sample.member:
            return f"its sample has the picture {sample.member!r} already"
        digest = _digest(member, file)
        if not digest:
            return "it is cut off"
        sample.member, sample.digest = member.name, digest
        return ""
    if ending in OTHER_PICTURES:
        return f"{ending} pictures are not read"
    return _sidecar(sample, member, file) if ending in (".json", ".cls") else ""


def _digest(member: tarfile.TarInfo, file: BinaryIO) -> str:
    file.seek(member.offset_data)
    left, found = member.size, sha256()
    while left:
        block = file.read(min(left, CHUNK))
        if not block:
            return ""
        found.update(block)
        left -= len(block)
    return found.hexdigest()


def _sidecar(sample: Sample, member: tarfile.TarInfo, file: BinaryIO) -> str:
    if member.size > MAX_SIDECAR_BYTES:
        return "its description is larger than 64 kB"
    file.seek(member.offset_data)
    try:
        text = file.read(member.size).decode()
        said = {"concept": text} if member.name.lower().endswith(".cls") else json.loads(text)
    except (ValueError, RecursionError):
        return "its description is neither text nor JSON"
    if not isinstance(said, dict) or any(isinstance(value, dict | list) for value in said.values()):
        return "its description must be one flat JSON object"
    sample.fields |= {name: "" if value is None else str(value) for name, value in said.items()}
    return ""


def _key(name: str) -> str:
    """Return the name up to the first dot of its last part, as WebDataset groups members."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.split('.', 1)[0]}"


def _visible(name: str) -> str:
    return name.encode("unicode_escape").decode()
