"""Audits out of a store: some of them, or a whole store as a backup."""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from audit.errors import PlanError, ResultError
from audit.folder import MANIFEST
from audit.store.chain import append_line
from audit.store.contents import SIGNATURES
from audit.store.disk import copy_file, sync_folder, unwritten, write_new
from audit.store.history import KeptAudit, audits
from audit.store.index import writing
from audit.store.place import AUDITS_FOLDER, CHAIN, SETTINGS, Store, StoreSettings
from audit.verify import verify_folder

SHORTEST = 8
"""Hex digits of an id by which an audit may be named."""


def find_audit(store: Store, name: str) -> KeptAudit:
    """Return the audit with this folder name, or whose id begins so.

    Raises
    ------
    ResultError
        If there is none, or more than one.
    """
    there = audits(store.database)
    digits = name.removeprefix("sha256:")
    by_id = [a for a in there if a.id.removeprefix("sha256:").startswith(digits)]
    found = [a for a in there if a.folder == name] or (by_id if len(digits) >= SHORTEST else [])
    if len(found) != 1:
        raise ResultError(
            f"An audit must be named by its folder or the first {SHORTEST} digits of its id; "
            f"{name!r} names {len(found)} of {len(there)}. `clip-audit store list` shows them."
        )
    return found[0]


def export_audits(store: Store, wanted: Iterable[KeptAudit], out: Path) -> tuple[Path, ...]:
    """Copy audit folders out of a store, verified.

    Raises
    ------
    PlanError
        If a folder of that name is there already.
    ResultError
        If an audit is damaged.
    OutputError
        If they cannot be written.
    """
    written = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for audit in wanted:
            target = out / audit.folder
            if os.path.lexists(target):
                raise PlanError(
                    f"An export must not replace anything; {target} is there already. Choose "
                    "another folder."
                )
            _copy_whole(store.audits / audit.folder, target)
            written.append(target)
    except OSError as error:
        raise unwritten(out, error) from None
    return tuple(written)


def export_store(store: Store, out: Path) -> Path:
    """Copy a whole store as it is at one moment; its index is made where the copy is used.

    Raises
    ------
    PlanError
        If the place is taken.
    ResultError
        If an audit is damaged.
    OutputError
        If it cannot be written.
    """
    if os.path.lexists(out):
        raise PlanError(f"A copy of a store needs a new folder; {out} is there already.")
    with writing(store) as held:
        records = held.records
        folders = [store.audits / record.folder for record in held.present.values()]
    partial = out.with_name(f".{out.name}.partial-{os.urandom(4).hex()}")
    try:
        (partial / AUDITS_FOLDER).mkdir(parents=True)
        for folder in folders:
            _copy_whole(folder, partial / AUDITS_FOLDER / folder.name)
        append_line(partial / CHAIN, "\n".join(record.line for record in records), 0)
        settings = StoreSettings(id=store.id)
        write_new(partial / SETTINGS, (json.dumps(settings.model_dump(), indent=1) + "\n").encode())
        partial.rename(out)
        sync_folder(out.absolute().parent)
    except OSError as error:
        raise unwritten(out, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return out


def _copy_whole(folder: Path, target: Path) -> None:
    """Copy one audit with the signatures beside it, and verify the copy."""
    aside = target.with_name(f".{target.name}-{os.urandom(4).hex()}")
    try:
        aside.mkdir()
        for path in _in_order(folder):
            copy_file(path, aside / path.name)
        verify_folder(aside)
        for path in sorted(p for s in SIGNATURES for p in folder.parent.glob(folder.name + s[1:])):
            copy_file(path, target.parent / path.name)
        sync_folder(aside)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _in_order(folder: Path) -> Sequence[Path]:
    """Return the files of an audit, the manifest last."""
    return sorted(folder.iterdir(), key=lambda path: (path.name == MANIFEST, path.name))
