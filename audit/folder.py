"""An audit is a folder: complete or absent."""

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.errors import OutputError
from audit.results import AuditResult, MeasurementFile, write_result

RESULT = "result.json"
MANIFEST = "manifest.json"
MANIFEST_FORMAT = "clip-audit folder 1"
UNFINISHED = ".partial-"
"""In the name of a folder that is being written, or was when its run was killed."""

TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}
"""What renaming a folder onto something gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFolder:
    """A folder that is being written under a temporary name."""

    final: Path
    partial: Path

    def path(self, name: str) -> Path:
        """Return where a file is written until the folder is finished."""
        return self.partial / name

    def write(self, name: str, content: bytes) -> None:
        """Write one file completely.

        Raises
        ------
        OutputError
            If the disk is full or the folder cannot be written.
        """
        path = self.path(name)
        try:
            with path.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise output_error(path, error) from None

    def measurement_file(self, name: str, rows: int) -> MeasurementFile:
        """Return the record of a table that was written here."""
        return MeasurementFile(name=name, digest=file_digest(self.path(name)), rows=rows)

    def finish(self) -> Path:
        """Write the manifest and give the folder its name, or the next free one.

        Raises
        ------
        OutputError
            If the manifest cannot be written or the folder not be renamed.
        """
        self.write(MANIFEST, manifest_bytes(self._settled()))
        while True:
            final = _free(self.final)
            try:
                self.partial.rename(final)
            except OSError as error:
                # Another run may have taken the name since it was found free.
                if error.errno not in TAKEN or not os.path.lexists(final):
                    raise output_error(final, error) from None
            else:
                return final

    def _settled(self) -> dict[str, str]:
        """Wait until every file is on the disk; return their digests."""
        try:
            files = sorted(p for p in self.partial.iterdir() if p.name != MANIFEST)
            for path in files:
                with path.open("rb+") as stream:
                    os.fsync(stream.fileno())
            return {path.name: file_digest(path) for path in files}
        except OSError as error:
            raise output_error(self.partial, error) from None

    def abandon(self) -> None:
        """Remove what was written; the cache of activations is elsewhere and stays."""
        shutil.rmtree(self.partial, ignore_errors=True)


def begin_folder(parent: Path, name: str) -> AuditFolder:
    """Open a new audit folder under ``parent``.

    Raises
    ------
    OutputError
        If ``parent`` cannot be written.
    """
    final = _free(parent / name)
    partial = parent / f".{final.name}{UNFINISHED}{secrets.token_hex(4)}"
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise output_error(parent, error) from None
    return AuditFolder(final=final, partial=partial)


def require_writable(parent: Path) -> None:
    """Refuse an output folder in which nothing can be written, before anything is computed.

    Raises
    ------
    OutputError
        If it, or the nearest folder above it that exists, is no folder or cannot be written.
    """
    here = next(p for p in (parent, *parent.absolute().parents) if os.path.lexists(p))
    if not here.is_dir():
        raise output_error(here, NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if not os.access(here, os.W_OK | os.X_OK):
        raise output_error(here, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _free(wanted: Path) -> Path:
    """Return the name, with a number behind it where it is taken."""
    path, number = wanted, 2
    while os.path.lexists(path):
        path = wanted.with_name(f"{wanted.name}-{number}")
        number += 1
    return path


def output_error(path: Path, error: OSError) -> OutputError:
    """Say in a sentence why something could not be written."""
    if error.errno == errno.ENOSPC:
        return OutputError(
            f"The disk that holds {path} is full. Free some space or choose another folder with "
            "--out, then run again: what was encoded is in the cache."
        )
    return OutputError(
        f"The output folder must be writable; {path} gave: {error.strerror}. "
        "Make it writable, or choose another place."
    )


def file_digest(path: Path) -> str:
    """Return ``sha256:`` of a file's bytes."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(content: bytes) -> str:
    """Return ``sha256:`` of bytes, as `file_digest` of a file that holds them."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def write_document(folder: AuditFolder, result: AuditResult) -> None:
    """Write ``result.json``."""
    folder.write(RESULT, write_result(result))


def result_path(audit: Path) -> Path:
    """Return the result of an audit folder, or the file itself."""
    return audit / RESULT if audit.is_dir() else audit


def manifest_bytes(files: Mapping[str, str]) -> bytes:
    """Return the manifest of files and their digests."""
    document = {"format": MANIFEST_FORMAT, "files": dict(sorted(files.items()))}
    return (json.dumps(document, indent=1) + "\n").encode()


def write_file(path: Path, content: bytes) -> None:
    """Write one file outside an audit folder.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise output_error(path, error) from None


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that it holds the old or the new content, whatever happens meanwhile.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    aside = path.with_name(f".{path.name}{UNFINISHED}{secrets.token_hex(4)}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise output_error(path, error) from None
