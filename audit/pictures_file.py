"""Small pictures beside a result, in one file whose bytes depend on nothing but them."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from audit.errors import ResultError

PICTURES = "pictures.zip"
MOST_BYTES = 64 * 2**20
"""A file that unpacks to more is refused."""

NO_TIME = (1980, 1, 1, 0, 0, 0)


def pack_pictures(pictures: Mapping[str, bytes]) -> bytes:
    """Return the bytes of ``pictures.zip``.

    Parameters
    ----------
    pictures : mapping
        Name to the bytes of a JPEG, which are stored as they are.

    Examples
    --------
    >>> pack_pictures({"a.jpg": b"1"}) == pack_pictures({"a.jpg": b"1"})
    True
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(pictures.items()):
            archive.writestr(zipfile.ZipInfo(name, NO_TIME), content)
    return stream.getvalue()


def read_pictures(audit: Path) -> dict[str, bytes]:
    """Return the pictures of an audit folder by name; none where it has no such file.

    Raises
    ------
    ResultError
        If the file is damaged, or unpacks to more than it may.
    """
    path = audit / PICTURES
    if not path.is_file():
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
                raise ResultError(
                    f"Pictures of an audit must unpack to at most {MOST_BYTES // 2**20} MiB; "
                    f"{path} has more. Restore the file that the audit wrote."
                )
            return {info.filename: archive.read(info) for info in archive.infolist()}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ResultError(
            f"Pictures of an audit must be a readable zip file; {path} gave: {error}. "
            "Restore the file that the audit wrote."
        ) from None
