"""Finished trials of the causal check: a run that was cut goes on after the last of them.

A trial of a large model takes minutes to hours. One file per trial, complete or absent, named by
everything that its numbers depend on, so that a resumed run ends with the same ones.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import scipy
from pydantic import TypeAdapter, ValidationError

from audit import __version__, causal_halves, causal_trial
from audit.causal_halves import Half, Refused
from audit.causal_trial import Bench, Trial
from probes import causal, causal_behaviour, interventions, matched_sets
from probes.cache import put_aside, space_key, sweep, write_atomically
from probes.encoder import EncoderIdentity, Reading
from probes.errors import ExtractionError

FORMAT = "clip-audit causal trial 1"
FOLDER = "causal"
"""Beside the spaces of activations."""

NOT_IN_TRIAL = {"alpha"}
"""Settings that only the verdict depends on."""

_MODULES = (causal_halves, causal_trial, causal, causal_behaviour, matched_sets, interventions)
_TRIAL = TypeAdapter(Trial)

Key = Mapping[str, str]


class TrialCache:
    """A folder of finished trials.

    Parameters
    ----------
    root : Path
        Of the activation cache.
    """

    def __init__(self, root: Path) -> None:
        """Use a folder below ``root``, which need not exist."""
        self._folder = root / FOLDER

    def outcome(self, key: Key, run: Callable[[], Trial]) -> Trial:
        """Return the kept trial, or run it and keep it.

        Parameters
        ----------
        key : mapping of str to str
            From `trial_key`.
        run : callable
            Returns the trial or raises `Refused`, which is kept too.

        Raises
        ------
        Refused
            If the trial was refused, now or when it was kept.
        ExtractionError
            If the folder cannot be read or written.
        """
        known = self._read(key)
        if known is None:
            known = _outcome(run)
            self._write(key, known)
        if isinstance(known, Refused):
            raise known
        return known

    def _read(self, key: Key) -> Trial | Refused | None:
        path = self._path(key)
        try:
            return _parse(path.read_bytes(), key)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._error("readable", error, "correct its permissions") from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            put_aside(path, ValueError(_told(error)))
            return None

    def _write(self, key: Key, outcome: Trial | Refused) -> None:
        path = self._path(key)
        body = _body(outcome)
        document = {"key": dict(key), "checksum": _sha(body), "outcome": body}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(document, indent=1).encode())
            sweep(path.parent)
        except OSError as error:
            raise self._error("writable", error, "free some space") from error

    def _path(self, key: Key) -> Path:
        return self._folder / f"{_sha(json.dumps(dict(key), sort_keys=True))[:32]}.json"

    def _error(self, must: str, error: OSError, remedy: str) -> ExtractionError:
        return ExtractionError(
            f"The cache of finished trials {self._folder} must be {must}, but: "
            f"{error.strerror or error}; {remedy} or name another folder, then run again: "
            "finished trials are kept."
        )


def trial_key(
    bench: Bench, identity: EncoderIdentity, reading: Reading, choosing: Half, measuring: Half
) -> dict[str, str]:
    """Name everything that the numbers of a trial depend on.

    Parameters
    ----------
    bench : Bench
        With its generator as the trial finds it.
    identity : EncoderIdentity
    reading : Reading
    choosing, measuring : Half

    Returns
    -------
    dict of str to str
        Model, layer, settings, generator, both halves, and what computes: this tool with the
        modules of the trial, and libraries with their full versions, since a cut run is gone on
        with where it was started.
    """
    settings = {k: v for k, v in asdict(bench.settings).items() if k not in NOT_IN_TRIAL}
    libraries = {**identity.libraries, "numpy": np.__version__, "scipy": scipy.__version__}
    return {
        **space_key(identity, "causal", reading),
        "format": FORMAT,
        "tool": f"{__version__} {_sha(''.join(map(inspect.getsource, _MODULES)))}",
        "libraries": ", ".join(f"{name} {v}" for name, v in sorted(libraries.items())),
        "where": bench.where,
        "settings": json.dumps(settings, sort_keys=True),
        "generator": _sha(json.dumps(bench.rng.bit_generator.state, sort_keys=True)),
        "choosing": half_digest(choosing),
        "measuring": half_digest(measuring),
    }


def half_digest(half: Half) -> str:
    """Digest pictures, how they are grouped, and text embeddings of a half, in order."""
    link = half.link
    sha = hashlib.sha256("\n".join(half.pictures.digests).encode())
    for array in (link.clusters, link.concepts, link.harm, *link.controls):
        sha.update(f"\n{array.shape} {array.dtype}\n".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def _outcome(run: Callable[[], Trial]) -> Trial | Refused:
    try:
        return run()
    except Refused as why:
        return why


def _body(outcome: Trial | Refused) -> str:
    """Write an outcome as text; Python's floats come back bit by bit."""
    if isinstance(outcome, Refused):
        return json.dumps({"refused": str(outcome)})
    return json.dumps({"trial": asdict(outcome)})


def _parse(content: bytes, key: Key) -> Trial | Refused:
    document = json.loads(content)
    if document["key"] != dict(key):
        raise ValueError("it was kept for another trial")
    if document["checksum"] != _sha(document["outcome"]):
        raise ValueError("its checksum does not fit its content")
    body = json.loads(document["outcome"])
    return Refused(body["refused"]) if "refused" in body else _TRIAL.validate_python(body["trial"])


def _told(error: Exception) -> str:
    """Return one line; pydantic and json tell a page."""
    if isinstance(error, ValidationError):
        return "it is not a trial"
    return str(error).splitlines()[0] if isinstance(error, ValueError) else "it lacks an entry"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
