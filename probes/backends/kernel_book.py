"""The kernel that computes a model's image tower on this machine: chosen once, then kept.

A measured choice can fall otherwise the next time, and another kernel rounds other last digits.
So the first start writes its choice down, every later one reads it, and the cache of activations
keeps rows of different kernels apart. No torch here: the roof makes a book before a model is
loaded; `probes.backends.kernel_choice` measures.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from probes.cache import put_aside, write_atomically
from probes.errors import ExtractionError

PLAIN = "plain"
FUSED = "fused"
DIRECT = "onednn"
HALVED = "bf16"
NAMES = (PLAIN, FUSED, DIRECT, HALVED)
PILLOW, TORCH = "pillow", "torch"

FORMAT = "clip-audit kernel 1"


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelPlan:
    """How pictures go through a model, as it was decided at the first start."""

    kernel: str
    """``plain``, ``fused`` (ResNets), ``onednn`` (transformers) or ``bf16``."""

    resize: str = PILLOW
    """``torch`` where bytes are resized by torch."""

    batch: int = 16
    """Pictures in one pass."""

    threads: int = 0
    """Threads of one operation; 0 leaves them as they are."""

    loaders: int = 1
    """Threads that open and resize pictures meanwhile."""

    gain: float = 1.0
    """How many times faster than the plain tower it was, when it was chosen."""

    difference: float = 0.0
    """Largest difference to plain embeddings then, as a share of the largest value."""

    distance: float = 0.0
    """Largest cosine distance to plain embeddings then, less their mean: 0 is no difference."""

    @property
    def label(self) -> str:
        """What a document says; empty for the plain network.

        Examples
        --------
        >>> KernelPlan(kernel="fused", resize="torch").label
        'fused, torch resize'
        """
        if self.kernel == PLAIN and self.resize == PILLOW:
            return ""
        told = f", centred cosine distance {self.distance:.0e}" if self.kernel == HALVED else ""
        return f"{self.kernel}, {self.resize} resize{told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelBook:
    """Where choices are kept, and what the machine offers."""

    folder: Path
    cores: int = 1
    """Cores that this process may use."""

    load: Callable[[], float] = _load
    """How many cores others keep busy."""

    fast: bool = False
    """Weights of bfloat16: several times faster, and measurably less exact."""

    def kept(self, key: Mapping[str, str], decide: Callable[[], KernelPlan]) -> KernelPlan:
        """Return the plan of an earlier start, or decide and write it down.

        Parameters
        ----------
        key : mapping of str to str
            Everything that may change the choice.
        decide : callable
            Asked where nothing was decided before, or the file is damaged.

        Raises
        ------
        ExtractionError
            If the folder cannot be written.
        """
        whole = {"format": FORMAT, "mode": "fast" if self.fast else "exact", **key}
        path = self.folder / f"{hashlib.sha256(_text(whole)).hexdigest()[:32]}.json"
        plan = _read(path)
        if plan is None:
            plan = decide()
            _write(path, whole, plan)
        return plan


def _text(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode()


def _read(path: Path) -> KernelPlan | None:
    """Read a plan; None where there is none, or a damaged one, which is set aside."""
    try:
        plan = KernelPlan(**json.loads(path.read_text(encoding="utf-8"))["plan"])
        if plan.kernel not in NAMES:
            raise ValueError(f"no kernel is called {plan.kernel!r}")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ExtractionError(
            f"The folder {path.parent} must be readable, but: {error.strerror or error}; correct "
            "its permissions or name another cache."
        ) from error
    except (ValueError, TypeError, LookupError) as error:
        put_aside(path, error)
        return None
    return plan


def _write(path: Path, key: Mapping[str, str], plan: KernelPlan) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, _text({"key": key, "plan": asdict(plan)}))
    except OSError as error:
        raise ExtractionError(
            f"The folder {path.parent} must be writable, but: {error.strerror or error}; free some "
            "space or name another cache, then run again."
        ) from error
