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
