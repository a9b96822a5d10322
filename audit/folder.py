"""An audit is a folder: complete or absent, and able to verify itself."""

import errno
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from audit.errors import OutputError, ResultError
from audit.results import AuditResult, MeasurementFile, read_result, write_result

RESULT = "result.json"
MANIFEST = "manifest.json"
MANIFEST_FORMAT = "clip-audit folder 1"


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
        """Write the manifest and give the folder its name."""
        names = sorted(p.name for p in self.partial.iterdir() if p.name != MANIFEST)
        files = {name: file_digest(self.path(name)) for name in names}
        document = {"format": MANIFEST_FORMAT, "files": files}
        self.write(MANIFEST, (json.dumps(document, indent=1) + "\n").encode())
        try:
            self.partial.rename(self.final)
        except OSError as error:
            raise output_error(self.final, error) from None
        return self.final

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
    partial = parent / f".{final.name}.partial-{os.getpid()}"
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise output_error(parent, error) from None
    return AuditFolder(final=final, partial=partial)


def _free(wanted: Path) -> Path:
    """Return the name, with a number behind it where it is taken."""
    path, number = wanted, 2
    while path.exists():
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
        "Choose another folder with --out."
    )


def file_digest(path: Path) -> str:
    """Return ``sha256:`` of a file's bytes."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def write_document(folder: AuditFolder, result: AuditResult) -> None:
    """Write ``result.json``."""
    folder.write(RESULT, write_result(result))


def result_path(audit: Path) -> Path:
    """Return the result of an audit folder, or the file itself."""
    return audit / RESULT if audit.is_dir() else audit


def verify_folder(audit: Path) -> AuditResult:
    """Check every file of an audit folder against its manifest, and the result's own digest.

    Raises
    ------
    ResultError
        Naming the first file that is missing, changed or not listed.
    """
    if not audit.is_dir():
        return read_result(audit)
    files = _manifest(audit)
    for name, digest in files.items():
        path = audit / name
        if not path.is_file():
            raise ResultError(f"The audit folder must hold {name}; {audit} lacks it. Restore it.")
        if file_digest(path) != digest:
            raise ResultError(
                f"Every file must match the manifest; {path} was changed after the audit. "
                "Restore it, or render it again with `clip-audit report`."
            )
    unlisted = sorted(p.name for p in audit.iterdir() if p.name not in {*files, MANIFEST})
    if unlisted:
        raise ResultError(
            f"The audit folder must hold only what its manifest lists; {audit} also has "
            f"{unlisted[0]}. Move it out of the folder."
        )
    return read_result(audit / RESULT)


def _manifest(audit: Path) -> dict[str, str]:
    try:
        document = json.loads((audit / MANIFEST).read_text(encoding="utf-8"))
        files = document["files"]
        known = document["format"] == MANIFEST_FORMAT and RESULT in files
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise ResultError(
            f"An audit folder must have a readable {MANIFEST}; {audit} has none. "
            "Give the folder that the audit wrote."
        )
    return dict(files)


def refresh_manifest(audit: Path, names: list[str]) -> None:
    """Record files that were rendered again; the result itself must still verify."""
    files = _manifest(audit)
    files.update({name: file_digest(audit / name) for name in names})
    document = {"format": MANIFEST_FORMAT, "files": dict(sorted(files.items()))}
    temporary = audit / f".{MANIFEST}.partial"
    temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    temporary.replace(audit / MANIFEST)
