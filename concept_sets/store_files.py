"""Files of an object store: what it lists, with size and version; fsspec speaks with the store."""

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import fsspec

from concept_sets.addresses import EXTRAS, fault_of, protocol
from concept_sets.errors import StimulusError

AT_ONCE = 16
"""Requests that a store gets side by side."""

VERSIONS = (
    *("ETag", "etag", "e_tag", "md5Hash", "content_md5", "checksum", "crc32c", "generation"),
    *("LastModified", "last_modified", "mtime", "modified", "updated", "created"),
)
"""What stores call the thing that changes with a file; the first that is told counts."""

LONGEST_PART = 255
"""Bytes that folders allow between two slashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file as its store lists it."""

    key: str
    """What the store calls it."""

    name: str
    """The same, seen from the folder of the photos."""

    size: int | None
    """None where the store does not tell."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store that was reached, and what the address names in it."""

    address: str
    filesystem: Any
    key: str

    @property
    def folder(self) -> str:
        """Key of the folder that a file of this address lies in."""
        return self.key.rpartition("/")[0]


def open_store(address: str) -> Store:
    """Find the driver of an address.

    Raises
    ------
    StimulusError
        If the address is refused, or its driver is not known or not installed.
    """
    if fault := fault_of(address):
        raise StimulusError(fault)
    begins = protocol(address)
    if begins not in fsspec.available_protocols():
        raise StimulusError(
            f"Photos come from stores that fsspec knows, as s3://, gs:// and abfs://; got {address}"
            ". Correct the beginning of the address, or copy the photos to this machine."
        )
    try:
        with asking(address):
            filesystem, key = fsspec.core.url_to_fs(address)
            filesystem.invalidate_cache()
    except ImportError as error:
        raise StimulusError(_without_driver(begins, error)) from error
    return Store(address=address, filesystem=filesystem, key=key.rstrip("/"))


def _without_driver(begins: str, error: ImportError) -> str:
    if begins in EXTRAS:
        todo = f"pip install 'clip-bias-audit[{EXTRAS[begins]}]'"
    else:
        todo = f"install its driver for fsspec ({error})"
    return (
        f"Photos at {begins}:// need a driver, which is not installed: {todo}, or copy the photos "
        "to this machine."
    )


@contextmanager
def asking(address: str) -> Iterator[None]:
    """Turn what a store answers into a sentence; a file that is not there stays one.

    Raises
    ------
    StimulusError
        With the reason, without what may be a token.
    """
    try:
        yield
    except (StimulusError, FileNotFoundError, ImportError):
        raise
    except Exception as error:  # every store has exceptions of its own
        raise StimulusError(
            f"{address}: the store must answer, and did not: {reason_of(error)}. Check address, "
            "credentials and network."
        ) from error


def reason_of(error: BaseException) -> str:
    """Return the first line of an error; what follows a question mark may be a token."""
    lines = str(error).splitlines() or [""]
    told = re.sub(r"\?\S+", "?...", lines[0]).rstrip(".")
    return f"{type(error).__name__}: {told}" if told else type(error).__name__


def the_file(store: Store) -> StoredFile | None:
    """Return the file that the address names, or None where it is a folder.

    Raises
    ------
    StimulusError
        If it names nothing.
    """
    try:
        with asking(store.address):
            info = store.filesystem.info(store.key)
            if info["type"] == "directory":
                return None
            return _stored(store, info, store.folder)
    except FileNotFoundError:
        raise StimulusError(
            f"Photos come from what a store holds; {store.address} is not there. Check the address."
        ) from None


def in_folder(store: Store, folder: str = "", *, seen_from: str | None = None) -> list[StoredFile]:
    """Return the files of one folder, without those of folders in it.

    Parameters
    ----------
    store : Store
    folder : str
        Below ``seen_from``.
    seen_from : str, optional
        Key that names start from; what the address names unless told.
    """
    root = store.key if seen_from is None else seen_from
    try:
        with asking(store.address):
            listed = store.filesystem.ls(f"{root}/{folder}".rstrip("/"), detail=True)
            return [_stored(store, info, root) for info in listed if _is_file(info)]
    except FileNotFoundError:
        return []


def in_tree(store: Store) -> list[StoredFile]:
    """Return every file below what the address names."""
    try:
        with asking(store.address):
            listed = store.filesystem.find(store.key, detail=True).values()
            return [_stored(store, info, store.key) for info in listed if _is_file(info)]
    except FileNotFoundError:
        return []


def find_listed(store: Store, names: Iterable[str]) -> list[StoredFile]:
    """Return those of some names, seen from beside the address, that the store has.

    Their folders are listed, since a listing tells of a thousand files in one answer.
    """
    wanted = set(names)
    folders = sorted({posixpath.dirname(name) for name in wanted})
    with ThreadPoolExecutor(AT_ONCE) as pool:
        listed = pool.map(lambda folder: in_folder(store, folder, seen_from=store.folder), folders)
        return [file for files in listed for file in files if file.name in wanted]


def misfit(name: str) -> str:
    """Return why no folder on a disk can hold a name of the store, or nothing.

    Examples
    --------
    >>> misfit("faces/../../passwd")
    'its name leads out of the folder'
    """
    parts = name.split("/")
    if any(unicodedata.category(sign) == "Cc" for sign in name):
        return "its name holds control characters"
    if ".." in parts or "\\" in name or name.startswith("/"):
        return "its name leads out of the folder"
    if any(part in ("", ".") for part in parts):
        return "its name has an empty part"
    return "its name is too long" if max(len(p.encode()) for p in parts) > LONGEST_PART else ""


def _is_file(info: Mapping[str, Any]) -> bool:
    return info["type"] == "file" and not info["name"].endswith("/")


def _stored(store: Store, info: Mapping[str, Any], root: str) -> StoredFile:
    key, size = info["name"], info.get("size")
    told = next((f"{name} {info[name]}" for name in VERSIONS if info.get(name)), "")
    return StoredFile(
        key=key,
        name=key.lstrip("/").removeprefix(root.lstrip("/")).removeprefix("/"),
        size=None if size is None else int(size),
        version=told or f"ukey {store.filesystem.ukey(key)}",
    )
