"""What a store asks of a file system: whole files, names that last, folders that are taken."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from audit.errors import OutputError

CHUNK = 1 << 20

MOUNTS = Path("/proc/self/mounts")
"""Where Linux lists file systems; elsewhere nothing can be told."""

NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "fuse.sshfs"}
"""File systems on which several machines may write and SQLite's log is not safe."""


def unwritten(path: Path, error: OSError) -> OutputError:
    """Say in a sentence why something in a store could not be written."""
    if error.errno == errno.ENOSPC:
        return OutputError(
            f"The disk that holds {path} is full. Nothing was half-added; free some space and give "
            "the same command again."
        )
    return OutputError(
        f"A store must be writable; {path} gave: {error.strerror}. Nothing was half-added; make it "
        "writable, or choose another store."
    )


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file and wait until it is on the disk."""
    with source.open("rb") as read, target.open("xb") as write:
        shutil.copyfileobj(read, write, CHUNK)
        write.flush()
        os.fsync(write.fileno())


def write_new(path: Path, content: bytes) -> bool:
    """Write a file that nobody else has written yet, whole; False where it is there already."""
    aside = path.with_name(f".{path.name}-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with aside.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(aside, path)
        sync_folder(path.parent)
    except FileExistsError:
        return False
    finally:
        aside.unlink(missing_ok=True)
    return True


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Hold a folder: while this process lives, `is_taken` says so to the others."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise unwritten(folder, error) from None
    try:
        # Where a file system has no such locks, `is_taken` says yes and nothing is cleared.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def is_taken(folder: Path) -> bool:
    """Whether another process holds a folder; where the file system cannot tell, it may."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def free_name(wanted: Path) -> Path:
    """Return the path, with a number behind its name where that is taken."""
    path, number = wanted, 2
    while os.path.lexists(path):
        path = wanted.with_name(f"{wanted.name}-{number}")
        number += 1
    return path


def network_type(path: Path, mounts: str) -> str:
    r"""Return the type of the network file system that holds a path; empty for a local one.

    Parameters
    ----------
    path : Path
        Absolute; it need not exist.
    mounts : str
        Lines as Linux lists them.

    Examples
    --------
    >>> network_type(Path("/mnt/a/b"), "disk / ext4 rw 0 0\nhost:/x /mnt/a nfs4 rw 0 0\n")
    'nfs4'
    >>> network_type(Path("/home"), "disk / ext4 rw 0 0\nhost:/x /mnt/a nfs4 rw 0 0\n")
    ''
    """
    rows = [line.split() for line in mounts.splitlines()]
    holding = [
        (len(row[1]), row[2])
        for row in rows
        if len(row) > 2 and path.is_relative_to(row[1].replace(r"\040", " "))
    ]
    kind = max(holding, key=lambda pair: pair[0], default=(0, ""))[1]
    return kind if kind in NETWORK else ""


def refuse_network(folder: Path) -> None:
    """Refuse a folder for an SQLite file that several machines may reach.

    Raises
    ------
    OutputError
        If it lies on a network file system.
    """
    try:
        mounts = MOUNTS.read_text(errors="replace")
    except OSError:
        return
    kind = network_type(folder.resolve(), mounts)
    if kind:
        raise OutputError(
            f"An index in a file needs a local disk; {folder} lies on {kind}, where SQLite's log "
            "is not safe. Choose a local folder, or keep the index in PostgreSQL: "
            "`clip-audit store init --index URL`."
        )
