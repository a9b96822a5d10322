"""Ed25519 keys in PEM files; cryptography is imported only here, and only when asked for."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import PlanError
from audit.folder import output_error

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PRIVATE_MODE = 0o600
LARGEST = 64_000
"""Bytes of a key file."""

Passphrase = Callable[[], str]


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs."""

    key: "Ed25519PrivateKey"
    id: str

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return self.key.sign(message)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks."""

    key: "Ed25519PublicKey"
    id: str

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Tell whether a signature was made over this message by the private key."""
        from cryptography.exceptions import InvalidSignature

        try:
            self.key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def new_pair(path: Path, passphrase: str = "") -> tuple[Path, str]:
    """Write a new private key that only its owner may read, and its public key beside it.

    Parameters
    ----------
    path : Path
        File of the private key; the public one gets ``.pub.pem`` in the place of its ending.
    passphrase : str
        Encrypts the private key; empty leaves it plain.

    Returns
    -------
    tuple of Path and str
        The public key's file, and its id.

    Raises
    ------
    PlanError
        If either file is there already, or cryptography is not installed.
    OutputError
        If they cannot be written.
    """
    serial = _serialization()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public_path = path.with_name(f"{path.name.removesuffix('.pem')}.pub.pem")
    key = Ed25519PrivateKey.generate()
    lock = (
        serial.BestAvailableEncryption(passphrase.encode()) if passphrase else serial.NoEncryption()
    )
    private = key.private_bytes(serial.Encoding.PEM, serial.PrivateFormat.PKCS8, lock)
    public = key.public_key().public_bytes(
        serial.Encoding.PEM, serial.PublicFormat.SubjectPublicKeyInfo
    )
    for place in (path, public_path):
        if os.path.lexists(place):
            raise PlanError(f"A new key must not replace a file; {place} is there. Name another.")
    _write(path, private, PRIVATE_MODE)
    _write(public_path, public, 0o644)
    return public_path, key_id(key.public_key())


def _write(path: Path, content: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise output_error(path, error) from None


def read_private(path: Path, passphrase: Passphrase) -> PrivateKey:
    """Read a private key.

    Parameters
    ----------
    path : Path
        PEM, PKCS 8.
    passphrase : callable
        Asked only where the key is encrypted.

    Raises
    ------
    PlanError
        If the file is no private Ed25519 key, or the passphrase is wrong.
    """
    serial, content = _serialization(), _content(path)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    words = passphrase().encode() if b"BEGIN ENCRYPTED PRIVATE KEY" in content else None
    key = _loaded(path, lambda: serial.load_pem_private_key(content, words), "private")
    if not isinstance(key, Ed25519PrivateKey):
        raise _wrong(path, "private", type(key).__name__)
    return PrivateKey(key, key_id(key.public_key()))


def read_public(path: Path) -> PublicKey:
    """Read a public key.

    Raises
    ------
    PlanError
        If the file is no public Ed25519 key.
    """
    serial, content = _serialization(), _content(path)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if b"PRIVATE KEY" in content:
        raise _wrong(path, "public", "a private key; keep that to yourself")
    key = _loaded(path, lambda: serial.load_pem_public_key(content), "public")
    if not isinstance(key, Ed25519PublicKey):
        raise _wrong(path, "public", type(key).__name__)
    return PublicKey(key, key_id(key))


def key_id(key: "Ed25519PublicKey") -> str:
    """Return ``sha256:`` of a public key in DER, as other programs compute it too."""
    serial = _serialization()
    der = key.public_bytes(serial.Encoding.DER, serial.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{sha256(der).hexdigest()}"


def is_open_to_others(path: Path) -> bool:
    """Tell whether others than its owner may read a file, where the system knows owners."""
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _serialization() -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise PlanError(
            "Signing needs the extra sign: `pip install clip-bias-audit[sign]`."
        ) from None
    return serialization


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise PlanError(f"A key must be readable; {path} gave: {error.strerror}.") from None
    return content if len(content) <= LARGEST else b""


def _loaded(path: Path, load: Callable[[], Any], kind: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return load()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        said = str(error).split(".")[0][:80] or "nothing that can be read"
        raise _wrong(path, kind, said) from None


def _wrong(path: Path, kind: str, what: str) -> PlanError:
    return PlanError(
        f"A {kind} key must be Ed25519 in a PEM file, with the right passphrase where it has one; "
        f"{path} is not: {what}. `clip-audit key new KEY.pem` makes a pair."
    )
