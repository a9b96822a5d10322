"""Signatures over an audit folder: a DSSE envelope beside its manifest.

The payload is the in-toto statement of the audit, with the digest of the manifest in it; the
manifest has the digest of every file. So one signature covers the outcome and every byte.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from audit.errors import ResultError
from audit.folder import MANIFEST, file_digest, replace_file
from audit.verify import SIGNATURE, verify_folder

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class SigningKey(Protocol):
    """A private key that signs bytes."""

    @property
    def id(self) -> str:
        """``sha256:`` of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        ...


class CheckingKey(Protocol):
    """A public key that checks signatures."""

    @property
    def id(self) -> str:
        """``sha256:`` of the key."""
        ...

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Tell whether a signature was made over this message by the private key."""
        ...


class SignatureMissingError(ResultError):
    """An audit has no signature where one was asked for (exit 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload with its signatures."""

    payload: bytes
    signatures: Mapping[str, bytes]
    """Key id to signature."""

    def to_bytes(self) -> bytes:
        """Write it, always in the same way."""
        document = {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(self.payload).decode(),
            "signatures": [
                {"keyid": id, "sig": base64.b64encode(signature).decode()}
                for id, signature in sorted(self.signatures.items())
            ],
        }
        return (json.dumps(document, indent=1) + "\n").encode()


def signed_bytes(payload: bytes) -> bytes:
    """Return what is signed: the payload with its type and both lengths.

    References
    ----------
    DSSE, Dead Simple Signing Envelope, protocol v1: pre-authentication encoding.
    """
    kind = PAYLOAD_TYPE.encode()
    return b" ".join((b"DSSEv1", _length(kind), kind, _length(payload), payload))


def _length(part: bytes) -> bytes:
    return str(len(part)).encode()


def bound(statement: bytes, audit: Path) -> bytes:
    """Put the digest of an audit's manifest into its in-toto statement.

    Parameters
    ----------
    statement : bytes
        The statement, as the export writes it.
    audit : Path
        The folder.

    Returns
    -------
    bytes
        The same statement, with the manifest as the last thing of its configuration.
    """
    document = json.loads(statement)
    digest = {"sha256": file_digest(audit / MANIFEST).removeprefix("sha256:")}
    document["predicate"]["configuration"].append({"name": MANIFEST, "digest": digest})
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def sign_folder(audit: Path, statement: bytes, key: SigningKey) -> Path:
    """Sign an audit that is as its manifest says.

    Parameters
    ----------
    audit : Path
        The folder.
    statement : bytes
        The in-toto statement of its result.
    key : SigningKey
        A second key adds its signature to what the first one signed.

    Returns
    -------
    Path
        The signature's file.

    Raises
    ------
    ResultError
        If the folder does not verify, or is signed as it was before somebody changed it.
    """
    if not audit.is_dir():
        raise ResultError(
            f"Only an audit folder can be signed, with every file in it; got {audit}. Give the "
            "folder."
        )
    verify_folder(audit)
    path = audit / SIGNATURE
    envelope = read_envelope(audit) if path.exists() else None
    if envelope is None:
        envelope = Envelope(payload=bound(statement, audit), signatures={})
    _require_same(envelope, audit)
    signature = key.sign(signed_bytes(envelope.payload))
    both = Envelope(payload=envelope.payload, signatures={**envelope.signatures, key.id: signature})
    replace_file(path, both.to_bytes())
    return path


def check_signature(audit: Path, key: CheckingKey) -> Envelope:
    """Check that a key signed an audit folder as it is now.

    Raises
    ------
    SignatureMissingError
        If nobody signed it.
    ResultError
        If another key did, if the signature is not over what it says, or if the folder was changed
        since. The files themselves are for `audit.verify.verify_folder`.
    """
    envelope = read_envelope(audit)
    if key.id not in envelope.signatures:
        raise ResultError(
            f"The audit must be signed by this key, {key.id}; {audit} is signed by "
            f"{', '.join(envelope.signatures) or 'none'}. Ask who signed it for their public key."
        )
    if not key.holds(envelope.signatures[key.id], signed_bytes(envelope.payload)):
        raise ResultError(
            f"The signature must hold; {audit / SIGNATURE} was changed, or is not of this key. "
            "Restore it."
        )
    _require_same(envelope, audit)
    return envelope


def read_envelope(audit: Path) -> Envelope:
    """Read the signature of an audit folder, which must be byte for byte as we write it.

    Raises
    ------
    SignatureMissingError
        If there is none.
    ResultError
        If it is none of ours.
    """
    path = audit / SIGNATURE
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise SignatureMissingError(
            f"A signature was asked for, and {audit} has none. Ask for the signed audit, or sign "
            "it: clip-audit sign AUDIT --key KEY."
        ) from None
    except OSError as error:
        raise ResultError(
            f"The signature must be readable; {path} gave: {error.strerror}."
        ) from None
    envelope = _parsed(content)
    if envelope is None or envelope.to_bytes() != content:
        raise ResultError(
            f"The signature must be an envelope as clip-audit writes it; {path} is none, or was "
            "changed. Restore it."
        )
    return envelope


def _parsed(content: bytes) -> Envelope | None:
    try:
        document = json.loads(content)
        return Envelope(
            payload=base64.b64decode(document["payload"], validate=True),
            signatures={
                str(entry["keyid"]): base64.b64decode(entry["sig"], validate=True)
                for entry in document["signatures"]
            },
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _require_same(envelope: Envelope, audit: Path) -> None:
    """Refuse a signature over another state of the folder."""
    digest = file_digest(audit / MANIFEST)
    if f"sha256:{_manifest_digest(envelope.payload)}" != digest:
        raise ResultError(
            f"The signature must be over the folder as it is; that of {audit} is over another "
            f"manifest than {digest}. Restore what was signed, or take {SIGNATURE} away and sign "
            "again."
        )


def _manifest_digest(payload: bytes) -> str:
    try:
        document: Any = json.loads(payload)
        things = document["predicate"]["configuration"]
        found = [thing["digest"]["sha256"] for thing in things if thing.get("name") == MANIFEST]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return str(found[0]) if len(found) == 1 else ""
