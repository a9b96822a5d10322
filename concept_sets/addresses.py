"""Addresses of photos in object stores: what is one, and which are refused before anything runs."""

import re
import unicodedata
from pathlib import Path

EXTRAS = {
    **{"s3": "s3", "s3a": "s3"},
    **{"gs": "gcs", "gcs": "gcs"},
    **{"abfs": "azure", "abfss": "azure", "az": "azure"},
}
"""Beginning of an address to the extra that brings its driver."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://(.*)", re.DOTALL)
_LOCAL = ("file", "local")
_WEB = ("http", "https")
_HOST = re.compile(r"[^:@]*(@[^:@]*)?")
_HOST_WITH_PORT = re.compile(_HOST.pattern + r"(:\d+)?")


def is_address(text: str) -> bool:
    """Tell an address from a path.

    Examples
    --------
    >>> is_address("s3://bucket/photos.csv"), is_address("photos/photos.csv")
    (True, False)
    """
    return _ADDRESS.fullmatch(text) is not None


def protocol(address: str) -> str:
    """Return what an address begins with.

    Examples
    --------
    >>> protocol("S3://bucket/photos.csv")
    's3'
    """
    return address.partition("://")[0].lower()


def local_path(text: str) -> Path | None:
    """Return the path that a text names on this machine, or None where it names a store.

    Examples
    --------
    >>> local_path("file:///data/photos.csv"), local_path("s3://bucket/photos.csv")
    (PosixPath('/data/photos.csv'), None)
    """
    if not is_address(text):
        return Path(text)
    return Path(text.partition("://")[2]) if protocol(text) in _LOCAL else None


def seen_from(home: Path, text: str) -> str:
    """Return what a plan in ``home`` means by a text: addresses stay, paths start there.

    Examples
    --------
    >>> seen_from(Path("plans"), "photos.csv"), seen_from(Path("plans"), "s3://bucket/photos.csv")
    ('plans/photos.csv', 's3://bucket/photos.csv')
    """
    return text if is_address(text) else str(home / text)


def fault_of(text: str) -> str:
    """Return the sentence that refuses an address, or nothing; paths have no fault here.

    What may hold a password is left out of the sentence.

    Examples
    --------
    >>> fault_of("s3://key:secret@bucket/photos.csv").partition(";")[0]
    'An address of photos must not hold a password or token'
    >>> fault_of("s3://bucket/photos.csv")
    ''
    """
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return ""
    if "::" in text:
        return _CHAIN_SENTENCE
    begins, rest = protocol(text), found[1]
    host = rest.partition("/")[0]
    if begins in _LOCAL:
        return "" if rest.startswith("/") else _LOCAL_SENTENCE.format(begins=begins)
    pattern = _HOST if begins in EXTRAS else _HOST_WITH_PORT
    if not pattern.fullmatch(host) or "?" in rest:
        return _SECRET_SENTENCE.format(begins=begins)
    if begins in _WEB:
        return _WEB_SENTENCE.format(begins=begins)
    return _SHAPE_SENTENCE.format(text=text) if _is_misshapen(host, rest) else ""


def _is_misshapen(host: str, rest: str) -> bool:
    return (
        not host
        or "\\" in rest
        or any(part in (".", "..") for part in rest.split("/"))
        or any(unicodedata.category(sign) == "Cc" for sign in rest)
    )


_LOCAL_SENTENCE = (
    "An address that begins with {begins}:// must go on with a whole path, as in "
    "{begins}:///data/photos.csv. Correct it, or give the path alone."
)
_SECRET_SENTENCE = (
    "An address of photos must not hold a password or token; one that begins with {begins}:// has "
    "a part that may be one (before an @, behind a colon or a question mark). Leave it out: the "
    "store's driver takes credentials from the environment or from its own configuration files."
)
_WEB_SENTENCE = (
    "Photos come from this machine or from a store that can list what it holds; {begins}:// "
    "cannot. Download them, or give the address of the store (s3://, gs://, abfs://)."
)
_CHAIN_SENTENCE = (
    "An address of photos must name one store, as in s3://bucket/photos.csv; this one joins "
    "several with '::'. Correct it."
)
_SHAPE_SENTENCE = (
    "An address of photos must be a store, a bucket and a name, as in s3://bucket/photos.csv, "
    "without '..', backslashes and control characters; got {text!r}. Correct it."
)
