"""Photos in an object store: what is needed is copied once, then read as from a folder."""

import json
import os
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path, PurePosixPath

from concept_sets.addresses import fault_of, protocol
from concept_sets.errors import StimulusError
from concept_sets.manifest import PARQUET, read_rows
from concept_sets.parquet_shards import holds_pictures
from concept_sets.photos import MANIFESTS, BadPhoto, PhotoSet, read_photos
from concept_sets.store_copies import (
    FILES,
    Progress,
    copy_files,
    keep_only,
    lacking,
    write_whole,
)
from concept_sets.store_files import (
    Store,
    StoredFile,
    find_listed,
    in_folder,
    in_tree,
    misfit,
    open_store,
    the_file,
)
from concept_sets.tar_shards import OTHER_PICTURES, PICTURE_ENDINGS

ARCHIVES = (".tar",)
"""Endings of archives; one in a folder makes it a folder of archives."""

COPIES = "photos"
"""Folder below the cache that holds the copies of every address."""

WHOLE = "whole.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Copies of all that an address names."""

    path: Path
    """What `read_photos` reads."""

    bad: tuple[BadPhoto, ...]
    """What the store has under names that no folder can hold."""


def read_stored_photos(
    address: str, cache: Path, *, offline: bool = False, progress: Progress | None = None
) -> PhotoSet:
    """Read photos of an object store, as `read_photos` reads those of a disk.

    Names and digest are those of the same files in a folder.

    Parameters
    ----------
    address : str
        Of a manifest, a folder with one folder per concept, an archive or a folder of archives.
    cache : Path
        Folder below which copies are kept. Later calls copy what changed in the store.
    offline : bool
        Whether to use the copies as they are.
    progress : Progress, optional

    Raises
    ------
    StimulusError
        If the address is refused, the store or disk does not do what is needed, or the photos
        cannot be used.
    """
    if fault := fault_of(address):
        raise StimulusError(fault)
    home = home_of(address, cache)
    fetched = _kept(address, home) if offline else _fetched(address, home, progress)
    try:
        photos = read_photos(fetched.path)
    except StimulusError as error:
        raise StimulusError(str(error).replace(str(fetched.path), address)) from error
    return replace(photos, bad=(*photos.bad, *fetched.bad))


def home_of(address: str, cache: Path) -> Path:
    """Return the folder for the copies of an address; it need not exist yet."""
    plain = f"{protocol(address)}://{address.partition('://')[2].rstrip('/')}"
    return cache / COPIES / sha256(plain.encode()).hexdigest()[:16]


def _kept(address: str, home: Path) -> Fetched:
    try:
        said = json.loads((home / WHOLE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StimulusError(
            f"--offline uses what is on this machine; the photos of {address} were not copied, or "
            "not all of them. Run once without --offline."
        ) from None
    bad = tuple(_misfit(name) for name in said["left_out"])
    return Fetched(path=home / FILES / said["path"], bad=bad)


def _fetched(address: str, home: Path, progress: Progress | None) -> Fetched:
    store = open_store(address)
    file = the_file(store)
    if file is not None:
        _refuse_others(address, file)
    try:
        (home / FILES).mkdir(parents=True, exist_ok=True)
        if file is None:
            return _folder(store, home, progress)
        return _single(store, home, file, progress)
    except OSError as error:
        raise StimulusError(
            f"{address}: copies must be kept in {home}, which cannot be written: "
            f"{error.strerror or error}. Name another folder with --cache."
        ) from error


def _refuse_others(address: str, file: StoredFile) -> None:
    if PurePosixPath(file.name).suffix.lower() not in MANIFESTS + ARCHIVES:
        raise StimulusError(
            f"Photos come from a {', '.join(MANIFESTS + ARCHIVES)} file, or a folder; {address} is "
            "none of these."
        )


def _single(store: Store, home: Path, file: StoredFile, progress: Progress | None) -> Fetched:
    """Copy an archive, or a manifest with the pictures that it lists."""
    _bring(store, home, [file], progress)
    names = _listed(home / FILES / file.name)
    pictures = find_listed(store, names) if names else []
    _bring(store, home, pictures, progress)
    return _finish(store, home, [file, *pictures], path=file.name)


def _listed(path: Path) -> frozenset[str]:
    """Return the pictures of a manifest; none where it is no manifest or will be refused."""
    if path.suffix.lower() not in MANIFESTS or holds_pictures(path):
        return frozenset()
    try:
        given = [row.cells["path"] for row in read_rows(path)[1]]
    except StimulusError:
        return frozenset()
    names = frozenset(posixpath.normpath(name) for name in given if name)
    upward = {name for name in given if ".." in name.split("/")}
    refused = len(names) < len(given) or any(misfit(name) for name in names | upward)
    return frozenset() if refused else names


def _folder(store: Store, home: Path, progress: Progress | None) -> Fetched:
    """Copy the archives of a folder; where it has none, its tables and the pictures below it."""
    here = list(in_folder(store))
    files = [file for file in here if file.name.endswith(ARCHIVES)]
    # only a copy tells whether a table holds pictures
    tables = [file for file in here if file.name.endswith(PARQUET)]
    files = files or tables + [file for file in in_tree(store) if _is_shown(file.name)]
    good = [file for file in files if not misfit(file.name)]
    _bring(store, home, good, progress)
    return _finish(store, home, good, left_out=[file.name for file in files if misfit(file.name)])


def _is_shown(name: str) -> bool:
    """Tell whether a tree shows a file: a picture in the folder of a concept."""
    return "/" in name and name.lower().endswith(PICTURE_ENDINGS + OTHER_PICTURES)


def _bring(store: Store, home: Path, files: list[StoredFile], progress: Progress | None) -> None:
    pending = lacking(home, files)
    if pending:
        (home / WHOLE).unlink(missing_ok=True)
        copy_files(store, home, pending, progress)


def _finish(
    store: Store,
    home: Path,
    files: list[StoredFile],
    *,
    path: str = "",
    left_out: Iterable[str] = (),
) -> Fetched:
    names = sorted(left_out)
    (home / WHOLE).unlink(missing_ok=True)
    keep_only(home, (file.name for file in files))
    said = {"address": store.address, "path": path, "left_out": names}
    write_whole(home / WHOLE, json.dumps(said, ensure_ascii=False, indent=1) + "\n")
    return Fetched(
        path=Path(os.path.join(home, FILES, path)), bad=tuple(_misfit(name) for name in names)
    )


def _misfit(name: str) -> BadPhoto:
    shown = name.encode("unicode_escape").decode()
    return BadPhoto(where=shown, path=shown, reason=misfit(name))
