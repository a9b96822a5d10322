"""An append-only chain: each record holds the digest of the one before it."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from audit import __version__
from audit.errors import ResultError
from audit.inputs import Record
from audit.results import canonical_json
from audit.store.disk import sync_folder, unwritten
from audit.store.tables import moment_text

What = Literal["began", "added", "removed"]


class ChainRecord(Record):
    """Something that happened to a store."""

    n: int
    """Place in the chain, from 0: the order of a store, whatever the clock said."""

    at: str
    """When, by the clock of the machine that wrote it."""

    what: What
    subject: str
    """``sha256:`` of the audit's ``result.json``; of ``began``, the store's own name."""

    folder: str = Field(default="", pattern=r"^([A-Za-z0-9_-][A-Za-z0-9_.-]*)?$")
    """Name of the audit's folder; never a way out of the store."""

    manifest: str = ""
    """``sha256:`` of the audit's manifest, and so of every file in its folder."""

    reason: str = ""
    """Why an audit was removed."""

    tool: str
    previous: str
    """Digest of the record before it; empty for the first."""

    @property
    def digest(self) -> str:
        """``sha256:`` of everything above."""
        return "sha256:" + hashlib.sha256(canonical_json(self.model_dump())).hexdigest()

    @property
    def line(self) -> str:
        """The record as it stands in the file, without the end of the line."""
        return _line(self, self.digest)


def _line(record: ChainRecord, digest: str) -> str:
    return canonical_json({**record.model_dump(), "digest": digest}).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is to be recorded."""

    what: What
    subject: str
    folder: str = ""
    manifest: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFile:
    """The complete lines of a chain's file."""

    lines: tuple[str, ...]
    size: int
    """Bytes that they take; what lies behind was never finished."""


def following(head: ChainRecord | None, event: Event, now: datetime) -> ChainRecord:
    """Return the record of an event, bound to the one before it.

    Examples
    --------
    >>> from datetime import UTC
    >>> began = following(None, Event(what="began", subject="a"), datetime(2026, 1, 1, tzinfo=UTC))
    >>> began.n, began.previous
    (0, '')
    """
    return ChainRecord(
        n=0 if head is None else head.n + 1,
        at=moment_text(now),
        what=event.what,
        subject=event.subject,
        folder=event.folder,
        manifest=event.manifest,
        reason=event.reason,
        tool=__version__,
        previous="" if head is None else head.digest,
    )


def read_chain(path: Path) -> ChainFile:
    """Read the lines of a chain; a last line that was never finished does not count.

    Raises
    ------
    ResultError
        If the file exists and cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    except OSError as error:
        raise ResultError(
            f"The chain of a store must be readable; {path} gave: {error.strerror}. "
            "Correct its permissions or restore it."
        ) from None
    size = content.rfind(b"\n") + 1
    text = content[:size].decode(errors="backslashreplace")
    return ChainFile(lines=tuple(text.split("\n")[:-1]), size=size)


def parse_line(line: str) -> ChainRecord | None:
    """Return the record of a line; None unless it is byte for byte what we write."""
    try:
        document = json.loads(line)
        stated = document.pop("digest")
        record = ChainRecord.model_validate(document)
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError, ValidationError):
        return None
    return record if record.digest == stated and _line(record, stated) == line else None


def chain_faults(lines: Sequence[str]) -> tuple[str, ...]:
    """Say where a chain was changed, reordered or cut.

    Parameters
    ----------
    lines : sequence of str
        As they stand in the file.

    Returns
    -------
    tuple of str
        A sentence for each fault; none for a chain that holds.
    """
    return _walk(lines).faults


@dataclass(frozen=True, slots=True)
class _Walk:
    records: tuple[ChainRecord, ...]
    faults: tuple[str, ...]


def _walk(lines: Sequence[str]) -> _Walk:
    records, faults, before = [], [], ""
    for place, line in enumerate(lines):
        record = parse_line(line)
        if record is None:
            faults.append(f"Record {place} of the chain was changed after it was written.")
            before = _stated(line)
            continue
        if (record.n, record.previous) != (place, before):
            faults.append(
                f"Record {record.n} of the chain, at place {place}, does not follow the one before "
                "it: a record was removed, moved or put in."
            )
        records.append(record)
        before = _stated(line)
    return _Walk(tuple(records), tuple(faults))


def _stated(line: str) -> str:
    """Return what a changed record says its digest was, so that one change is one fault."""
    try:
        return str(json.loads(line)["digest"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""


def records_of(lines: Sequence[str], where: Path) -> tuple[ChainRecord, ...]:
    """Return the records of a chain that holds.

    Raises
    ------
    ResultError
        If it does not.
    """
    walked = _walk(lines)
    if walked.faults:
        raise ResultError(
            f"The chain of a store must hold; {where}: {walked.faults[0]} `clip-audit store "
            "verify` tells everything that is wrong. Restore the file from a backup."
        )
    return walked.records


def present(records: Iterable[ChainRecord]) -> dict[str, ChainRecord]:
    """Return the record of every audit that was added and not removed, in the order of the chain.

    Examples
    --------
    >>> present([])
    {}
    """
    kept: dict[str, ChainRecord] = {}
    for record in records:
        if record.what == "added":
            kept[record.subject] = record
        elif record.what == "removed":
            kept.pop(record.subject, None)
    return kept


def clock_went_back(records: Sequence[ChainRecord]) -> tuple[str, ...]:
    """Say after which records the clock stood earlier than before; the order stays the chain's."""
    return tuple(
        f"The clock went back between record {one.n} ({one.at}) and record {two.n} ({two.at}); "
        "the order is that of the chain."
        for one, two in pairwise(records)
        if two.at < one.at
    )


def append_line(path: Path, line: str, size: int) -> int:
    """Put a line behind the first ``size`` bytes of a chain; it is on the disk or not at all.

    Returns
    -------
    int
        Bytes that the chain takes now.

    Raises
    ------
    OutputError
        If it cannot be written; the file then ends as it did.
    """
    content = line.encode() + b"\n"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise unwritten(path, error) from None
    try:
        _write_behind(handle, content, size)
        sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            os.ftruncate(handle, size)
        if isinstance(error, OSError):
            raise unwritten(path, error) from None
        raise
    finally:
        os.close(handle)
    return size + len(content)


def _write_behind(handle: int, content: bytes, size: int) -> None:
    os.ftruncate(handle, size)
    os.lseek(handle, size, os.SEEK_SET)
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]
    os.fsync(handle)
