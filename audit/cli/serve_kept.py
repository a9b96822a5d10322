"""What the folder of a kept audit says, and its files as they were kept or not at all."""

import json
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from audit.folder import MANIFEST, RESULT, digest_of
from audit.results import GateRecord, InputsRecord
from audit.store.place import Store
from audit.store.remembered import KeptAudit
from reports.history.facts import FileFact, GateFact
from reports.names import Names

PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,254}")
"""Names of folders and files that are looked for: none is a way out of the store."""

REMEMBERED = 64
"""Results whose words are kept in memory; a kept audit never changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What pages need of a result."""

    hidden: frozenset[str]
    """Terms that no page shows in full."""

    spoken: frozenset[str]
    """Names of concepts and families."""

    gate: GateFact


def folder_of(store: Store, audit: KeptAudit) -> Path | None:
    """Return the folder of an audit; None where its name in the index is no plain one."""
    return store.audits / audit.folder if PLAIN_NAME.fullmatch(audit.folder) else None


def told_by(store: Store, audit: KeptAudit) -> Told | None:
    """Return what the result of an audit says; None where it is not as it was kept."""
    folder = folder_of(store, audit)
    if folder is None:
        return None
    try:
        seen = (folder / RESULT).stat()
    except OSError:
        return None
    return _told(folder / RESULT, audit.id, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=REMEMBERED)
def _told(path: Path, known_by: str, _changed: int, _size: int) -> Told | None:
    content = read_plain(path)
    if content is None or digest_of(content) != known_by:
        return None
    try:
        document = json.loads(content)
        names = Names(inputs=InputsRecord.model_validate(document["inputs"]))
        gate = GateRecord.model_validate(document["gate"])
    except (ValueError, RecursionError, KeyError, TypeError, ValidationError):
        return None
    concepts = {record.name for record in names.concepts.values() if record.name}
    return Told(
        hidden=names.masked_terms,
        spoken=frozenset(concepts | {name for name in names.families.values() if name}),
        gate=GateFact(
            rule=gate.rule,
            rules=tuple((rule.name, rule.outcome, rule.sentence) for rule in gate.rules),
            warnings=gate.warnings,
        ),
    )


def words_of(store: Store, kept: Iterable[KeptAudit]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the terms that audits hide, and the names that they speak."""
    told = [found for audit in kept if (found := told_by(store, audit)) is not None]
    hidden = frozenset(term for one in told for term in one.hidden)
    return hidden, frozenset(name for one in told for name in one.spoken)


def recorded(store: Store, audit: KeptAudit) -> dict[str, str]:
    """Return the files of an audit with their digests, as recorded when it was kept.

    Where the manifest is not the one that was recorded, only the manifest and the result are
    known: their digests stand in the chain.
    """
    known = {RESULT: audit.id, MANIFEST: audit.manifest}
    folder = folder_of(store, audit)
    content = read_plain(folder / MANIFEST) if folder is not None else None
    if content is None or digest_of(content) != audit.manifest:
        return known
    with suppress(ValueError, RecursionError, KeyError, AttributeError):
        listed = json.loads(content)["files"].items()
        return {
            **{str(name): str(digest) for name, digest in listed if PLAIN_NAME.fullmatch(name)},
            **known,
        }
    return known


def files_of(store: Store, audit: KeptAudit) -> tuple[FileFact, ...]:
    """Return every file of an audit, compared with what was recorded."""
    folder = folder_of(store, audit)
    if folder is None:
        return ()
    return tuple(
        _file(folder / name, name, digest)
        for name, digest in sorted(recorded(store, audit).items())
    )


def _file(path: Path, name: str, digest: str) -> FileFact:
    content = read_plain(path)
    if content is None:
        return FileFact(name=name, size=0, state="missing")
    kept = digest_of(content) == digest
    return FileFact(name=name, size=len(content), state="as kept" if kept else "changed")


def content_of(store: Store, audit: KeptAudit, name: str) -> bytes | FileFact | None:
    """Return the bytes of a file as it was kept.

    Returns
    -------
    bytes, FileFact or None
        What is wrong with the file where it is missing or was changed; None where the audit has
        no file of this name.
    """
    folder, digest = folder_of(store, audit), recorded(store, audit).get(name)
    if folder is None or digest is None:
        return None
    content = read_plain(folder / name)
    if content is None or digest_of(content) != digest:
        return _file(folder / name, name, digest)
    return content


def read_plain(path: Path) -> bytes | None:
    """Read a file that is no link and no device; None where there is none that can be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            return None
        try:
            return stream.read()
        except OSError:
            return None
