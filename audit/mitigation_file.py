"""``mitigation.json``: written with its digest, read only if it matches."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from audit.errors import ResultError
from audit.mitigation_record import MitigationRecord
from audit.results import canonical_json

MITIGATION = "mitigation.json"
PAGE = "mitigation.html"
FORMAT_VERSION = "1.0"


def mitigation_digest(record: MitigationRecord) -> str:
    """Return ``sha256:`` of the canonical content; fields at their default are left out."""
    content = record.model_dump(mode="json", exclude_defaults=True)
    body = {"format_version": record.format_version, **content}
    return "sha256:" + hashlib.sha256(canonical_json(body)).hexdigest()


def write_mitigation(record: MitigationRecord) -> bytes:
    """Return the bytes of the document, with its digest on top."""
    document = {"digest": mitigation_digest(record), **record.model_dump(mode="json")}
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_mitigation(path: Path) -> MitigationRecord:
    """Read and verify a document.

    Raises
    ------
    ResultError
        If it is missing, is no such document, or was changed after it was written.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(
            f"Results of treatments must be readable; {path} gave: {error.strerror}. "
            f"Give the {MITIGATION} that `clip-audit mitigate` wrote."
        ) from None
    except (ValueError, RecursionError):
        raise ResultError(
            f"Results of treatments must be JSON; {path} is not. Restore the file."
        ) from None
    return parse_mitigation(document, where=str(path))


def parse_mitigation(document: Any, *, where: str) -> MitigationRecord:
    """Check format, shape and digest of a decoded document.

    Raises
    ------
    ResultError
        As `read_mitigation`.
    """
    version = document.get("format_version") if isinstance(document, dict) else None
    if version != FORMAT_VERSION:
        raise ResultError(
            f"Results of treatments must have format_version {FORMAT_VERSION}; {where} has "
            f"{version!r}. Use the version of clip-audit that wrote it."
        )
    stated = document.pop("digest", None)
    try:
        record = MitigationRecord.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ResultError(
            f"Results of treatments must follow the published schema; {where}, key {key}: "
            f"{first['msg']}. Restore the file."
        ) from None
    if stated != mitigation_digest(record):
        raise ResultError(
            f"Results of treatments must match their digest; {where} states {stated} and holds "
            f"{mitigation_digest(record)}. It was changed after it was written."
        )
    return record


def mitigation_schema() -> dict[str, Any]:
    """Return the published JSON Schema (2020-12) of the document."""
    schema = MitigationRecord.model_json_schema(mode="serialization")
    schema["properties"]["digest"] = {
        "type": "string",
        "description": "sha256 of the canonical content.",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
