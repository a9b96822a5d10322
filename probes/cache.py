"""Activations kept by content: what was encoded once is never encoded again.

One folder per *space* (weights, configuration, preprocessing, modality, layer, pooling, library
majors), one safetensors file per batch in it. A file is complete or absent, named by its content,
and carries the digests of its rows and a checksum; so two processes can write, read and compact
the same space at once without locks.
"""

import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from probes.encoder import EncoderIdentity, Reading
from probes.errors import ExtractionError

FORMAT = "clip-audit activations 1"
MAX_ROWS = 4096
"""Rows of a compacted file; inside, values lie unit by unit, so one unit reads in one piece."""

STALE = 3600.0
"""Seconds after which an unfinished file belongs to no running process."""

DAMAGE = (SafetensorError, AttributeError, LookupError, TypeError, ValueError)
"""What reading a damaged file raises, depending on where it is damaged."""

log = logging.getLogger(__name__)

Rows: TypeAlias = dict[str, NDArray[np.float32]]
"""Stimulus digest to responses of shape (n_units,)."""


class ActivationCache:
    """A folder of activations, shared by every model and audit.

    Parameters
    ----------
    root : Path
        Made when the first batch is written.
    """

    def __init__(self, root: Path) -> None:
        """Use the folder ``root``."""
        self.root = root

    def space(
        self, identity: EncoderIdentity, modality: str, reading: Reading | None = None
    ) -> "Space":
        """Open the space of one model, modality and layer; embeddings where ``reading`` is None."""
        key = space_key(identity, modality, reading)
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
        return Space(self.root / name, key)


def space_key(
    identity: EncoderIdentity, modality: str, reading: Reading | None
) -> Mapping[str, str]:
    """Name everything that a response depends on beside the stimulus."""
    majors = (f"{name} {v.split('.')[0]}" for name, v in sorted(identity.libraries.items()))
    return {
        "format": FORMAT,
        "weights": identity.weights_digest,
        "config": identity.config_digest,
        "activation": identity.activation,
        "preprocessing": identity.preprocessing,
        "modality": modality,
        "layer": "embedding" if reading is None else reading.layer,
        "pooling": "" if reading is None else str(reading.pooling),
        "libraries": ", ".join(majors),
    }


class Space:
    """Rows of one model, modality and layer, by stimulus digest."""

    def __init__(self, folder: Path, key: Mapping[str, str]) -> None:
        """Use the folder ``folder``, which need not exist."""
        self.folder = folder
        self.set_aside: list[str] = []
        """Names of damaged files that were renamed to ``*.corrupt``."""
        self._key = key

    def read(self, wanted: Collection[str]) -> Rows:
        """Return the rows that are here, of those wanted.

        Damaged files are set aside and count as absent.

        Raises
        ------
        ExtractionError
            If the folder cannot be read.
        """
        found: Rows = {}
        try:
            for _ in range(3):
                if self._read_into(found, set(wanted)):
                    break
        except OSError as error:
            raise self._unreadable(error) from error
        return found

    def digests(self) -> set[str]:
        """Return which stimuli have a row here, by the heads of the files alone.

        A file whose values are damaged still counts: `read` finds that out.

        Raises
        ------
        ExtractionError
            If the folder cannot be read.
        """
        try:
            return {digest for path in self._shards() for digest in self._named(path)}
        except OSError as error:
            raise self._unreadable(error) from error

    def write(self, digests: Sequence[str], values: NDArray[np.float32]) -> None:
        """Add rows, durably: when this returns they survive a crash.

        Parameters
        ----------
        digests : sequence of str
            Stimulus digests, no two alike.
        values : ndarray of shape (n_digests, n_units)
            Finite responses.

        Raises
        ------
        ExtractionError
            If the folder cannot be written; what was there stays.
        """
        if not len(digests):
            return
        try:
            self._write_key()
            self._write_shard(digests, values)
        except OSError as error:
            raise ExtractionError(
                f"The activation cache {self.folder.parent} must be writable, but: "
                f"{error.strerror or error}; free some space or name another folder, "
                "then run again: finished batches are kept."
            ) from error

    def compact(self) -> None:
        """Join small files into files of up to `MAX_ROWS` rows.

        Nothing is removed before its rows lie in a finished file. A full disk leaves things as
        they are.
        """
        try:
            for group in self._small_groups():
                self._join(group)
            sweep(self.folder)
        except FileNotFoundError:
            return  # another process is compacting
        except OSError as error:
            log.warning("The activation cache was not compacted: %s.", error)

    def _shards(self) -> list[Path]:
        return sorted(self.folder.glob("*.safetensors"))

    def _read_into(self, found: Rows, wanted: set[str]) -> bool:
        """Look through all files once; False if one vanished, which another process compacted."""
        complete = True
        for path in self._shards():
            if not (wanted - found.keys()):
                return True
            try:
                if wanted.intersection(self._digests(path)):
                    rows = self._rows(path)
                    found.update({d: rows[d] for d in wanted.intersection(rows)})
            except FileNotFoundError:
                complete = False
        return complete

    def _unreadable(self, error: OSError) -> ExtractionError:
        return ExtractionError(
            f"The activation cache {self.folder.parent} must be readable, but: "
            f"{error.strerror or error}; correct its permissions or name another folder."
        )

    def _named(self, path: Path) -> list[str]:
        """Digests of the rows of a file; none if it has just been compacted away."""
        try:
            return self._digests(path)
        except FileNotFoundError:
            return []

    def _digests(self, path: Path) -> list[str]:
        """Digests of the rows of a file; none if it is damaged."""
        try:
            with safe_open(path, framework="np") as shard:
                return _digests_of(shard.metadata())
        except DAMAGE as error:
            self._put_aside(path, error)
            return []

    def _rows(self, path: Path) -> Rows:
        """Rows of a file, checked; none if it is damaged."""
        try:
            with safe_open(path, framework="np") as shard:
                metadata = shard.metadata()
                values = shard.get_tensor("values")
            digests = _digests_of(metadata)
            if metadata.get("checksum") != _checksum(digests, values):
                raise ValueError("its checksum does not fit its content")
        except DAMAGE as error:
            self._put_aside(path, error)
            return {}
        by_row = np.ascontiguousarray(values.T)
        return dict(zip(digests, by_row, strict=True))

    def _put_aside(self, path: Path, why: Exception) -> None:
        if put_aside(path, why):
            self.set_aside.append(path.name)

    def _write_key(self) -> None:
        """Say in plain words what the folder holds."""
        note = self.folder / "space.json"
        if not note.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(note, json.dumps(self._key, indent=1).encode())

    def _write_shard(self, digests: Sequence[str], values: NDArray[np.float32]) -> Path:
        order = np.argsort(np.array(digests))
        names = [digests[i] for i in order]
        columns = np.ascontiguousarray(np.asarray(values, np.float32)[order].T)
        checksum = _checksum(names, columns)
        metadata = {"format": FORMAT, "digests": "\n".join(names), "checksum": checksum}
        path = self.folder / f"{checksum[:32]}.safetensors"
        write_atomically(path, save({"values": columns}, metadata))
        return path

    def _small_groups(self) -> Iterator[list[Path]]:
        """Group files so that each group fits into one; groups of one are left alone."""
        sizes = {path: n for path in self._shards() if (n := len(self._digests(path)))}
        group: list[Path] = []
        rows = 0
        for path in sorted(sizes, key=lambda p: (sizes[p], p.name)):
            if rows + sizes[path] > MAX_ROWS:
                break
            group.append(path)
            rows += sizes[path]
            if rows == MAX_ROWS:
                break
        if len(group) > 1:
            yield group
            yield from self._small_groups()

    def _join(self, group: Sequence[Path]) -> None:
        rows: Rows = {}
        for path in group:
            rows.update(self._rows(path))
        if not rows:
            return
        kept = self._write_shard(list(rows), np.stack(list(rows.values())))
        for path in group:
            if path != kept:
                path.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is complete or absent, whatever happens meanwhile."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with aside.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    _sync_folder(path.parent)


def put_aside(path: Path, why: Exception) -> bool:
    """Rename a damaged file to ``*.corrupt`` and say so; False where it is gone already."""
    try:
        os.replace(path, path.with_name(path.name + ".corrupt"))
    except FileNotFoundError:
        return False
    log.warning("Set aside the damaged cache file %s (%s); computing it again.", path, why)
    return True


def sweep(folder: Path) -> None:
    """Remove unfinished files that a killed process left behind."""
    for path in folder.glob(".*.tmp"):
        if time.time() - path.stat().st_mtime > STALE:
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable where the system can open folders."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digests_of(metadata: Mapping[str, str] | None) -> list[str]:
    if not metadata or metadata.get("format") != FORMAT:
        raise ValueError(f"it is not in the format {FORMAT!r}")
    return metadata["digests"].split("\n")


def _checksum(digests: Sequence[str], columns: NDArray[np.float32]) -> str:
    """SHA-256 over shape, row names and values."""
    sha = hashlib.sha256(f"{columns.shape} {columns.dtype}\n".encode())
    sha.update("\n".join(digests).encode())
    sha.update(np.ascontiguousarray(columns).data)
    return sha.hexdigest()
