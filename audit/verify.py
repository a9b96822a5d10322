"""An audit folder verifies itself, and takes up reports that were rendered again."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.errors import ResultError
from audit.folder import (
    MANIFEST,
    RESULT,
    UNFINISHED,
    digest_of,
    file_digest,
    manifest_bytes,
    replace_file,
)
from audit.results import AuditResult, read_result

SIGNATURE = "manifest.dsse.json"
"""A signature over the folder; as it covers the manifest, the manifest cannot list it."""


def verify_folder(audit: Path) -> AuditResult:
    """Check every file of an audit folder against its manifest, and the result's own digest.

    Raises
    ------
    ResultError
        Naming the first file that is missing, changed or not listed.
    """
    if not audit.is_dir():
        return read_result(audit)
    if UNFINISHED in audit.resolve().name:
        raise ResultError(
            f"An audit folder must be finished; {audit} was left by a run that was stopped. "
            "Remove it and run the audit again: what was encoded is in the cache."
        )
    files = _manifest(audit)
    for name, digest in files.items():
        path = audit / name
        if not path.is_file():
            raise ResultError(f"The audit folder must hold {name}; {audit} lacks it. Restore it.")
        if _digest(path) != digest:
            raise ResultError(
                f"Every file must match the manifest; {path} was changed after the audit. "
                "Restore it, or render it again with `clip-audit report`."
            )
    known = {*files, MANIFEST, SIGNATURE}
    unlisted = sorted(p.name for p in audit.iterdir() if p.name not in known)
    if unlisted:
        raise ResultError(
            f"The audit folder must hold only what its manifest lists; {audit} also has "
            f"{unlisted[0]}. Move it out of the folder."
        )
    result = read_result(audit / RESULT)
    for table in result.measurements:
        if files.get(table.name) != table.digest:
            raise ResultError(
                f"Every table must be the one that the result names; {audit / table.name} is "
                "another. Restore it."
            )
    return result


def write_again(audit: Path, reports: Mapping[str, bytes]) -> None:
    """Replace reports of a finished audit, and record them in its manifest.

    Raises
    ------
    ResultError
        If the result itself is not the one that the manifest lists, or the folder is signed.
    OutputError
        If a file cannot be written.
    """
    files = _manifest(audit)
    if reports and (audit / SIGNATURE).exists():
        raise ResultError(
            f"A signed audit must stay as it was signed; {audit} has {SIGNATURE}. Render elsewhere "
            "with --output, or take the signature away and sign again."
        )
    if _digest(audit / RESULT) != files[RESULT]:
        raise ResultError(
            f"The result must match the manifest; {audit / RESULT} was changed after the audit. "
            "Restore it."
        )
    for name, content in reports.items():
        replace_file(audit / name, content)
        files[name] = digest_of(content)
    replace_file(audit / MANIFEST, manifest_bytes(files))


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise ResultError(
            f"Every file of an audit must be readable; {path} gave: {error.strerror}. "
            "Correct its permissions or restore it."
        ) from None


def _manifest(audit: Path) -> dict[str, str]:
    """Read the manifest, which must be byte for byte as we write it."""
    try:
        content = (audit / MANIFEST).read_bytes()
        document = json.loads(content)
    except (OSError, ValueError, RecursionError):
        content, document = b"", None
    files = _listed(document)
    if RESULT not in files or content != manifest_bytes(files):
        raise ResultError(
            f"An audit folder must have its {MANIFEST} unchanged; {audit} has none that is. "
            "Give the folder that the audit wrote, or restore it."
        )
    return files


def _listed(document: Any) -> dict[str, str]:
    """Return the files of a manifest that lie in its folder; none if it is no manifest."""
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, dict) or any(Path(name).name != name for name in files):
        return {}
    return {name: str(digest) for name, digest in files.items()}
