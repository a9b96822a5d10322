"""An audit goes into a store whole, or not at all."""

import os
import re
import shutil
from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from audit.errors import ResultError
from audit.folder import MANIFEST, RESULT
from audit.store.chain import ChainRecord, Event
from audit.store.contents import audit_id, manifest_digest
from audit.store.disk import copy_file, free_name, is_taken, sync_folder, taken, unwritten
from audit.store.index import Writing, writing
from audit.store.place import ADDING, REMOVED, Store
from audit.verify import verify_folder

State = Literal["added", "already there", "restored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What came of putting an audit into a store."""

    state: State
    """``restored`` where the chain has the audit and its folder had been lost."""

    folder: Path
    record: ChainRecord


def keep(audit: Path, store: Store, *, now: datetime | None = None) -> Kept:
    """Put an audit folder into a store.

    The folder is copied under a temporary name, verified, and given its name; its record on the
    chain is what makes it part of the store. A process that dies before leaves nothing that
    counts, one that dies after has added the audit; the same call again completes either.

    Parameters
    ----------
    audit : Path
        A finished audit folder. It stays where it is.
    store : Store
        An open store.
    now : datetime, optional
        Time to record; the clock's by default.

    Returns
    -------
    Kept

    Raises
    ------
    ResultError
        If the folder is no complete and unchanged audit, or the store does not hold.
    OutputError
        If the store cannot be written.
    """
    moment = now or datetime.now(UTC)
    with ExitStack() as stack:
        with writing(store) as held:
            sweep(held)
            done = _without_copy(audit, held, moment)
            if done is not None:
                return done
            partial = _begin(store)
            stack.enter_context(taken(partial))
            stack.callback(shutil.rmtree, partial, ignore_errors=True)
        _copy(audit, partial)
        verify_folder(partial)
        with writing(store) as held:
            return _settle(partial, _name_of(audit), held, moment)


def remove_source(audit: Path, kept: Kept) -> bool:
    """Remove an audit folder after it was kept; False where the store's copy is another.

    Raises
    ------
    OutputError
        If it cannot be removed.
    """
    if audit.resolve() == kept.folder.resolve() or manifest_digest(audit) != kept.record.manifest:
        return False
    try:
        shutil.rmtree(audit)
    except OSError as error:
        raise unwritten(audit, error) from None
    return True


def sweep(held: Writing) -> None:
    """Clear up after processes that died: unfinished copies, audits that were being removed."""
    kept = held.present
    for folder in _folders(held.store):
        if folder.name.startswith(ADDING) and not is_taken(folder):
            shutil.rmtree(folder, ignore_errors=True)
        elif folder.name.startswith(REMOVED):
            record = kept.get(_id(folder) or "")
            if record is None or (held.store.audits / record.folder).exists():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                _rename(folder, held.store.audits / record.folder)


def set_aside(folder: Path) -> Path:
    """Take an audit out of its place; until the chain says that it is gone, it can come back."""
    return _rename(folder, folder.with_name(f"{REMOVED}{os.urandom(8).hex()}"))


def unrecorded(store: Store, recorded: Collection[str]) -> tuple[Path, ...]:
    """Return folders in the store that no record of its chain is about."""
    return tuple(
        folder
        for folder in _folders(store)
        if folder.name not in recorded and not folder.name.startswith((ADDING, REMOVED))
    )


def _without_copy(audit: Path, held: Writing, now: datetime) -> Kept | None:
    """Return what there is to say where the store already has the audit's files."""
    identity = _identity(audit)
    there = held.present
    record = there.get(identity)
    if record is not None:
        folder = held.store.audits / record.folder
        return (
            Kept(state="already there", folder=folder, record=record) if folder.exists() else None
        )
    for folder in unrecorded(held.store, {r.folder for r in there.values()}):
        if _id(folder) == identity:
            verify_folder(folder)
            name = _name_of(folder)
            named = folder.name == name
            own = folder if named else _rename(folder, free_name(folder.with_name(name)))
            return _record(own, held, now)
    return None


def _identity(audit: Path) -> str:
    if not audit.is_dir():
        raise ResultError(
            f"A store keeps whole audit folders; got {audit}. Give the folder that the audit wrote."
        )
    try:
        return audit_id(audit)
    except OSError:
        raise ResultError(
            f"An audit folder must hold {RESULT}; {audit} has none that can be read. Give the "
            "folder that the audit wrote."
        ) from None


def _id(folder: Path) -> str | None:
    try:
        return audit_id(folder)
    except OSError:
        return None


def _folders(store: Store) -> tuple[Path, ...]:
    return tuple(sorted(p for p in store.audits.iterdir() if p.is_dir() and not p.is_symlink()))


def _begin(store: Store) -> Path:
    partial = store.audits / f"{ADDING}{os.urandom(8).hex()}"
    try:
        partial.mkdir()
    except OSError as error:
        raise unwritten(store.audits, error) from None
    return partial


def _copy(audit: Path, partial: Path) -> None:
    """Copy the files of an audit, which holds nothing else."""
    others = [path for path in audit.iterdir() if path.name != MANIFEST]
    try:
        for path in (*others, audit / MANIFEST):
            if not path.is_file():
                raise ResultError(
                    f"An audit folder must hold files only, {MANIFEST} among them; {path} is none. "
                    "Give the folder that the audit wrote."
                )
            copy_file(path, partial / path.name)
        sync_folder(partial)
    except OSError as error:
        raise unwritten(partial, error) from None


def _name_of(audit: Path) -> str:
    """Return a name for the folder that every file system takes."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", audit.resolve().name).strip(".-")[:120] or "audit"


def _settle(partial: Path, name: str, held: Writing, now: datetime) -> Kept:
    """Give a verified copy its name and its record."""
    identity = audit_id(partial)
    record = held.present.get(identity)
    if record is None:
        final = free_name(held.store.audits / name)
        try:
            return _record(_rename(partial, final), held, now)
        except BaseException:
            # Not recorded, so it must not lie there; where it cannot go back, `verify` names it.
            with suppress(OSError):
                final.rename(partial)
            raise
    folder = held.store.audits / record.folder
    if folder.exists():
        return Kept(state="already there", folder=folder, record=record)
    if manifest_digest(partial) != record.manifest:
        raise ResultError(
            f"An audit that was lost comes back only as it was; {record.folder} was added with "
            "other reports than this folder has. Restore it from a backup."
        )
    _rename(partial, folder)
    held.reindex(record)
    return Kept(state="restored", folder=folder, record=record)


def _rename(partial: Path, folder: Path) -> Path:
    try:
        partial.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise unwritten(folder, error) from None
    return folder


def _record(folder: Path, held: Writing, now: datetime) -> Kept:
    """Put a folder that lies in its place on the chain, and into the index."""
    event = Event(
        what="added",
        subject=audit_id(folder),
        folder=folder.name,
        manifest=manifest_digest(folder),
    )
    return Kept(state="added", folder=folder, record=held.record(event, now))
