"""Photos in object stores: copied once to a folder of this machine, then only what changed.

What is read afterwards are the copies, by the code that reads every other folder; digests, names
and what is refused are therefore the same wherever the photos lie.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from threading import get_ident
from typing import Any, Protocol

from concept_sets.copies import Copies, Copy, is_plain
from concept_sets.errors import StimulusError
from concept_sets.manifest import PARQUET, read_rows
from concept_sets.parquet_shards import holds_pictures
from concept_sets.photos import MANIFESTS
from concept_sets.tar_shards import OTHER_PICTURES, PICTURE_ENDINGS

ARCHIVES = (".tar",)

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "az": "azure",
          "abfss": "azure", "adl": "azure"}  # fmt: skip
"""Protocol to the extra that installs its driver."""

AT_ONCE = 16
"""Files that are copied side by side: a store answers slowly and many at a time."""

SPARE = 2**28
"""Bytes of disk that copying leaves free."""

MARKS = ("ETag", "etag", "content_md5", "md5Hash", "md5", "crc32c", "generation", "versionId",
         "LastModified", "last_modified", "updated", "mtime", "created")  # fmt: skip
"""What stores say of an object that differs once it was written anew."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Steps(Protocol):
    """Told how far copying is; `probes.progress` has some."""

    def start(self, total: int, label: str) -> None:
        """Begin with so many files."""

    def advance(self, n: int) -> None:
        """Say that ``n`` more are here."""

    def finish(self) -> None:
        """End, finished or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    """A file system of fsspec, and the folder in it that names are relative to."""

    files: Any
    base: str

    def inside(self, path: str) -> str:
        """Return the name of what the store calls ``path``, relative to the folder."""
        return path.lstrip("/").removeprefix(self.base.strip("/") + "/")

    def within(self, name: str) -> str:
        return f"{self.base.rstrip('/')}/{name}"


def is_address(given: str) -> bool:
    """Tell whether photos are asked for by an address rather than a path.

    Examples
    --------
    >>> is_address("s3://bucket/photos.csv"), is_address("photos.csv"), is_address("C:/photos")
    (True, False, False)
    """
    return _ADDRESS.match(given) is not None


def fetch_photos(address: str, home: Path, steps: Steps, *, offline: bool = False) -> Path:
    """Copy photos of an object store, and return where they can be read.

    Parameters
    ----------
    address : str
        As fsspec writes it (``s3://bucket/photos.csv``), of what `concept_sets.photos.read_photos`
        reads: a manifest with its pictures, a folder per concept, a tar archive or a folder of
        them.
    home : Path
        Folder for copies of any address.
    steps : Steps
        Told of every file that is copied.
    offline : bool
        Ask no store; use what was copied completely before.

    Returns
    -------
    Path
        The copy of the manifest, archive or folder. Files that the store no longer has are gone,
        and those that changed, by what it says of them, are new.

    Raises
    ------
    StimulusError
        If the address cannot be used, its driver is not installed, the store refuses or breaks
        off, or the disk is too small. What was copied stays, and the next call goes on there.
    """
    protocol, path = _checked(address)
    if protocol in ("file", "local"):
        return Path(path)
    copies = Copies(home / sha256(address.encode()).hexdigest()[:20])
    if offline:
        return _held(copies, address)
    with _told(address):
        store, name, wanted = _asked(address, copies)
        _bring(store, copies, wanted, steps, address)
        copies.finish(name, wanted)
    return copies.folder / name


def _checked(address: str) -> tuple[str, str]:
    """Return protocol and path of an address that may be used."""
    protocol, _, rest = address.partition("://")
    account, _, place = rest.rpartition("@")
    place, query, _ = place.partition("?")
    # abfs names an account before the sign, and only secrets follow a colon
    if ":" in account or query:
        raise StimulusError(
            f"An address of photos must hold no credentials and no query; {protocol}://{place} "
            "came with some. Give credentials as the store's own tools read them: in its "
            "configuration file or the environment."
        )
    if protocol.lower() in ("http", "https") or "::" in address:
        raise StimulusError(
            f"Photos must lie in a file, folder or object store (s3, gs, abfs); {address} is "
            "none. Download it first and give its path."
        )
    return protocol.lower(), rest


def _held(copies: Copies, address: str) -> Path:
    name = copies.finished()
    if name is None:
        raise StimulusError(
            f"With --offline the photos of {address} must have been copied before; they were not, "
            "or not all. Run once without --offline."
        )
    return copies.folder / name


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Turn what a driver raises into one sentence."""
    try:
        yield
    except StimulusError:
        raise
    except FileNotFoundError as error:
        raise StimulusError(f"{address}: must be there; the store has no such thing.") from error
    except ImportError as error:
        protocol = address.partition("://")[0]
        extra = EXTRAS.get(protocol.lower())
        how = f"pip install 'clip-bias-audit[{extra}]'" if extra else str(error)
        raise StimulusError(
            f"{address}: {protocol} addresses need a driver that is not installed: {how}"
        ) from error
    except Exception as error:  # drivers raise classes of their own, which nothing unites
        said = " ".join(str(error).split()) or "no reason was given"
        raise StimulusError(
            f"{address}: cannot be read ({type(error).__name__}: {said.rstrip('.')}). What was "
            "copied is kept; the same command goes on there."
        ) from error


def _asked(address: str, copies: Copies) -> tuple[_Store, str, dict[str, Copy]]:
    """Ask the store what there is: the file to read, and every file that this needs."""
    from fsspec.core import url_to_fs  # drivers take long to import

    files, path = url_to_fs(address, use_listings_cache=False)
    path = path.rstrip("/")
    about = files.info(path)
    if about["type"] == "directory":
        store = _Store(files=files, base=path)
        return store, "", _of_a_folder(store)
    folder, _, name = path.rpartition("/")
    store = _Store(files=files, base=folder)
    own = {name: _copy(about)}
    ending = PurePosixPath(name).suffix.lower()
    if ending in MANIFESTS:
        copies.begin()
        _copy_one(store, copies, name, own[name])
        here = copies.folder / name
        inside = ending in PARQUET and holds_pictures(here)
        return store, name, own if inside else own | _listed(store, here)
    if ending in ARCHIVES:
        return store, name, own
    raise StimulusError(
        f"Photos come from a {', '.join(MANIFESTS)} or {', '.join(ARCHIVES)} file, or a folder; "
        f"{address} is none of these."
    )


def _of_a_folder(store: _Store) -> dict[str, Copy]:
    """Return its archives, or where it has none its tables and every picture below it."""
    found = _files(store, store.files.ls(store.base, detail=True))
    archives = {name: copy for name, copy in found.items() if name.lower().endswith(ARCHIVES)}
    if archives:
        return archives
    below = _files(store, store.files.find(store.base, detail=True).values())
    endings = PICTURE_ENDINGS + OTHER_PICTURES
    pictures = {name: copy for name, copy in below.items() if name.lower().endswith(endings)}
    pictures |= {name: copy for name, copy in found.items() if name.lower().endswith(PARQUET)}
    for name in pictures:
        if not is_plain(name):
            raise StimulusError(
                f"Names in a store must be usable as paths below one folder; got {name!r}. "
                "Rename it."
            )
    return pictures


def _listed(store: _Store, manifest: Path) -> dict[str, Copy]:
    """Return the pictures of a manifest that the store has; reading it names the others."""
    # names that lead out are refused with their row once the manifest is read
    names = {os.path.normpath(n) for n in _paths(manifest) if n and is_plain(os.path.normpath(n))}
    found: dict[str, Copy] = {}
    for folder in sorted({name.rpartition("/")[0] for name in names}):
        try:
            inside = store.files.ls(store.within(folder) if folder else store.base, detail=True)
        except FileNotFoundError:
            continue
        found |= _files(store, inside)
    return {name: found[name] for name in sorted(names & found.keys())}


def _paths(manifest: Path) -> Iterator[str]:
    for row in read_rows(manifest)[1]:
        yield row.cells["path"]


def _files(store: _Store, listed: Iterable[Mapping[str, Any]]) -> dict[str, Copy]:
    return {
        store.inside(about["name"]): _copy(about) for about in listed if about["type"] == "file"
    }


def _copy(about: Mapping[str, Any]) -> Copy:
    told = [f"{key}={about[key]}" for key in MARKS if about.get(key) is not None]
    return Copy(size=int(about["size"] or 0), mark=sha256("\n".join(told).encode()).hexdigest())


def _bring(
    store: _Store, copies: Copies, wanted: dict[str, Copy], steps: Steps, address: str
) -> None:
    """Copy what is not here as the store has it, and remove what it no longer has."""
    lacking = [name for name, copy in wanted.items() if not copies.holds(name, copy)]
    copies.begin()
    copies.keep_only(wanted)
    if not lacking:
        return
    _check_disk(copies.folder, sum(wanted[name].size for name in lacking), address)
    steps.start(len(lacking), "Copying photos")
    try:
        for _ in _side_by_side(lambda name: _copy_one(store, copies, name, wanted[name]), lacking):
            steps.advance(1)
    finally:
        steps.finish()


def _check_disk(folder: Path, needed: int, address: str) -> None:
    free = shutil.disk_usage(folder).free
    if needed + SPARE > free:
        raise StimulusError(
            f"Copying {address} needs {needed / 1e9:.2f} GB below {folder.parent}, and leaves "
            f"{SPARE / 1e9:.2f} free; {free / 1e9:.2f} are. Free some, or give a folder on a "
            "larger disk with --cache."
        )


def _side_by_side(work: Callable[[str], None], names: list[str]) -> Iterator[None]:
    """Do the work for every name, some at a time; the first failure ends it."""
    waiting: set[Future[None]] = set()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        # no more are handed in than run, so that after a failure nothing further is begun
        for name in names:
            waiting.add(threads.submit(work, name))
            if len(waiting) == AT_ONCE:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        for future in waiting:
            yield future.result()


def _copy_one(store: _Store, copies: Copies, name: str, copy: Copy) -> None:
    """Copy a file under another name and move it into place: half a file is never seen."""
    if copies.holds(name, copy):
        return
    place = copies.folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.{os.getpid()}-{get_ident()}.part")
    try:
        store.files.get_file(store.within(name), str(part))
        if part.stat().st_size != copy.size:
            raise StimulusError(
                f"{name}: must have {copy.size:,} bytes as the store lists it; "
                f"{part.stat().st_size:,} came. Run the same command again."
            )
        part.replace(place)
    except FileNotFoundError:
        # gone since it was listed: reading names it, as a file that is missing from a folder
        return
    finally:
        part.unlink(missing_ok=True)
    copies.note(name, copy)
