"""Finished steps of an audit, kept on disk: a run that was cut goes on after the last of them.

One file per step, complete or absent, named by everything that its outcome depends on, so that a
resumed run ends with the same numbers and pictures.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import ValidationError

from audit import __version__
from probes.cache import ActivationCache, put_aside, space_key, sweep, write_atomically
from probes.encoder import EncoderIdentity, Reading
from probes.errors import ExtractionError

Key = Mapping[str, str]
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[Outcome]):
    """How outcomes of one kind are written as text and read again."""

    one: str
    """What one is called, e.g. ``trial``."""

    write: Callable[[Outcome], str]
    """Python's floats come back bit by bit from JSON."""

    read: Callable[[str], Outcome]
    """Raises ``ValueError``, ``LookupError`` or ``TypeError`` for what was not written so."""


class FinishedWork(Generic[Outcome]):
    """A folder of outcomes.

    Parameters
    ----------
    folder : Path
        Need not exist.
    form : Form
    """

    def __init__(self, folder: Path, form: Form[Outcome]) -> None:
        """Use a folder."""
        self._folder, self._form = folder, form

    def outcome(self, key: Key, run: Callable[[], Outcome]) -> Outcome:
        """Return the kept outcome, or run the step and keep what comes out.

        Parameters
        ----------
        key : mapping of str to str
            From `work_key`, with what else the outcome depends on.
        run : callable
            What it raises is not kept.

        Raises
        ------
        ExtractionError
            If the folder cannot be read or written.
        """
        known = self._read(key)
        if known is not None:
            return known
        found = run()
        self._write(key, found)
        return found

    def _read(self, key: Key) -> Outcome | None:
        path = self._path(key)
        try:
            return self._parse(path.read_bytes(), key)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._error("readable", error, "correct its permissions") from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            put_aside(path, ValueError(self._told(error)))
            return None

    def _parse(self, content: bytes, key: Key) -> Outcome:
        document = json.loads(content)
        if document["key"] != dict(key):
            raise ValueError(f"it was kept for another {self._form.one}")
        if document["checksum"] != digest_of(document["outcome"]):
            raise ValueError("its checksum does not fit its content")
        return self._form.read(document["outcome"])

    def _write(self, key: Key, outcome: Outcome) -> None:
        path, body = self._path(key), self._form.write(outcome)
        document = {"key": dict(key), "checksum": digest_of(body), "outcome": body}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(document, indent=1).encode())
            sweep(path.parent)
        except OSError as error:
            raise self._error("writable", error, "free some space") from error

    def _path(self, key: Key) -> Path:
        return self._folder / f"{digest_of(json.dumps(dict(key), sort_keys=True))[:32]}.json"

    def _told(self, error: Exception) -> str:
        """Return one line; pydantic and json tell a page."""
        if isinstance(error, ValidationError):
            return f"it is not a {self._form.one}"
        return str(error).splitlines()[0] if isinstance(error, ValueError) else "it lacks an entry"

    def _error(self, must: str, error: OSError, remedy: str) -> ExtractionError:
        kept = f"finished {self._form.one}s"
        return ExtractionError(
            f"The cache of {kept} {self._folder} must be {must}, but: "
            f"{error.strerror or error}; {remedy} or name another folder, then run again: "
            f"{kept} are kept."
        )


def kept_or_run(
    cache: ActivationCache | None,
    folder: str,
    form: Form[Outcome],
    key: Callable[[], Key],
    run: Callable[[], Outcome],
) -> Outcome:
    """Return the outcome that is kept beside a cache, or run the step; see `FinishedWork`.

    Parameters
    ----------
    cache : ActivationCache or None
        None keeps nothing.
    folder : str
        Name below the root of the cache.
    form : Form
    key : callable
        Asked before the step runs, and only where something is kept.
    run : callable
    """
    if cache is None:
        return run()
    return FinishedWork(cache.root / folder, form).outcome(key(), run)


def work_key(
    identity: EncoderIdentity,
    kind: str,
    reading: Reading | None,
    modules: Iterable[ModuleType],
    **more: str,
) -> dict[str, str]:
    """Name what every finished step depends on.

    Parameters
    ----------
    identity : EncoderIdentity
    kind : str
    reading : Reading or None
    modules : iterable of module
        What computes the outcome: their sources are part of the key.
    **more : str
        What else the outcome depends on.

    Returns
    -------
    dict of str to str
        Model, layer, and what computes: this tool, and libraries with their full versions, since
        a cut run is gone on with where it was started.
    """
    libraries = {**identity.libraries, "numpy": np.__version__, "scipy": scipy.__version__}
    return {
        **space_key(identity, kind, reading),
        "tool": f"{__version__} {digest_of(''.join(map(inspect.getsource, modules)))}",
        "libraries": ", ".join(f"{name} {v}" for name, v in sorted(libraries.items())),
        **more,
    }


def content_digest(names: Sequence[str], arrays: Iterable[NDArray[Any]]) -> str:
    """Digest names, e.g. of pictures, and arrays with their shapes and types, in order.

    Examples
    --------
    >>> same, other = np.zeros(2), np.zeros((2, 1))
    >>> content_digest(["a"], [same]) == content_digest(["a"], [other])
    False
    """
    sha = hashlib.sha256("\n".join(names).encode())
    for array in arrays:
        sha.update(f"\n{array.shape} {array.dtype}\n".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def generator_digest(rng: np.random.Generator) -> str:
    """Digest the state of a generator."""
    return digest_of(json.dumps(rng.bit_generator.state, sort_keys=True))


def digest_of(text: str) -> str:
    """Digest a text."""
    return hashlib.sha256(text.encode()).hexdigest()
