"""Reading what somebody else computed: arrays of numbers from NumPy and safetensors files."""

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from audit.errors import ScoreInputError
from concept_sets.entry import near

Array = NDArray[np.float64]

IDS = "ids"
"""Name of the rows of an archive: an array of a ``.npz``, an entry of a safetensors' metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRows:
    """A matrix, and what its rows are called."""

    values: Array
    ids: tuple[str, ...] | None
    """None where the file does not say."""


def read_array(path_text: str, what: str) -> Array:
    """Read a finite matrix from ``.npy``, ``file.npz::key`` or ``file.safetensors::key``.

    Raises
    ------
    ScoreInputError
        If it cannot be read, holds objects, or is not a finite matrix.
    """
    return read_named(path_text, what).values


def read_named(path_text: str, what: str) -> NamedRows:
    """Read a finite matrix with the ids of its rows, where the file has them.

    Parameters
    ----------
    path_text : str
        ``.npy``, ``file.npz::key`` (ids: an array ``ids``), or ``file.safetensors::key`` (ids:
        a JSON list in the metadata entry ``ids``).
    what : str
        The option, for the refusal.

    Raises
    ------
    ScoreInputError
        If it cannot be read, holds objects, or is not a finite matrix; if the ids are not one per
        row.
    """
    name, _, key = path_text.partition("::")
    path = Path(name)
    loaded, ids = _opened(path, key, what)
    values = _matrix(loaded, path_text, what)
    if ids is not None and len(ids) != len(values):
        raise ScoreInputError(
            f"{what} must have one id per row; {path_text} has {len(values)} rows and {len(ids)} "
            f"{IDS!r}. Save both anew."
        )
    return NamedRows(values=values, ids=ids)


def _opened(path: Path, key: str, what: str) -> tuple[Any, tuple[str, ...] | None]:
    try:
        if path.suffix == ".safetensors":
            return _tensor(path, key, what)
        return _numpy(path, key, what)
    except OSError as error:
        raise ScoreInputError(
            f"{what} must be a readable .npy file (or file.npz::key, file.safetensors::key); "
            f"{path} gave: {error.strerror or error}. Check the path."
        ) from None


def _numpy(path: Path, key: str, what: str) -> tuple[Any, tuple[str, ...] | None]:
    try:
        loaded: Any = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise ScoreInputError(
            f"{what} must be a .npy array of numbers (or file.npz::key); {path} is not, or holds "
            "Python objects, which are never loaded. Save it with numpy.save."
        ) from None
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        return loaded, None
    ids = _member(loaded, IDS, path, what) if IDS in loaded.files else None
    if ids is not None and (ids.ndim != 1 or ids.dtype.kind not in "Uiu"):
        raise ScoreInputError(
            f"{what} must name its rows by one text or whole number each; {path}::{IDS} has shape "
            f"{ids.shape} and type {ids.dtype}."
        )
    named = None if ids is None else tuple(str(value).strip() for value in ids)
    return _member(loaded, key, path, what), named


def _tensor(path: Path, key: str, what: str) -> tuple[Any, tuple[str, ...] | None]:
    try:
        with safe_open(path, framework="np") as archive:
            _known(key, list(archive.keys()), path, what)
            told = (archive.metadata() or {}).get(IDS)
            loaded = archive.get_tensor(key)
    except (SafetensorError, TypeError, AttributeError):
        raise ScoreInputError(
            f"{what} must be an array of a safetensors file in a type that NumPy has; "
            f"{path}::{key} is damaged or is not (bfloat16, for example). Save it as float32."
        ) from None
    return loaded, None if told is None else _ids_of(told, path, what)


def _ids_of(told: str, path: Path, what: str) -> tuple[str, ...]:
    try:
        ids = json.loads(told)
    except ValueError:
        ids = None
    if not isinstance(ids, list):
        raise ScoreInputError(
            f"{what} must name its rows by a JSON list in the metadata entry {IDS!r}; that of "
            f"{path} is none."
        )
    return tuple(str(value).strip() for value in ids)


def _known(key: str, known: list[str], path: Path, what: str) -> None:
    if key not in known:
        raise ScoreInputError(
            f"{what} must name an array of the archive as {path.name}::key; got {key!r}, it has "
            f"{', '.join(known)}.{near(key, known)}"
        )


def _member(archive: Any, key: str, path: Path, what: str) -> Any:
    _known(key, list(archive.files), path, what)
    try:
        return archive[key]
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        raise ScoreInputError(
            f"{what} must be an array of numbers; {path}::{key} holds Python objects or is damaged."
        ) from None


def _matrix(loaded: Any, where: str, what: str) -> Array:
    array = np.asarray(loaded)
    if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.size:
        raise ScoreInputError(
            f"{what} must be a matrix of numbers (rows, dimensions); {where} has shape "
            f"{array.shape} and type {array.dtype}."
        )
    wide = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(wide).all(axis=1))
    if len(bad):
        raise ScoreInputError(
            f"{what} must be finite; {where} has NaN or infinity in {len(bad)} rows, first row "
            f"{bad[0]} (counted from 0). Leave those rows out of the tables and the array."
        )
    return wide


def unit_rows(array: Array, where: str, what: str) -> Array:
    """Normalise embeddings to unit length.

    Raises
    ------
    ScoreInputError
        If a row is all zeros.
    """
    length = np.linalg.norm(array, axis=1)
    if (length == 0).any():
        raise ScoreInputError(
            f"{what} must have no all-zero row; {where} row {int(np.argmin(length))} is zero."
        )
    return np.asarray(array / length[:, None], dtype=np.float64)
