"""What a trigger watches: the bytes of the weights, or the packs that would be asked."""

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from audit.errors import PlanError
from audit.folder import file_digest
from audit.plan import AuditPlan, builtin_plan, read_plan
from audit.schedule.errors import TriggerError
from audit.schedule.file import Schedule
from concept_sets.catalog import load_library
from concept_sets.errors import ConceptSetError
from probes.backends.naming import WEIGHT_SUFFIXES, ModelSpec, Source, parse_model
from probes.errors import ModelError, ModelNameError

Watch = Callable[[Schedule, Path], str]
"""Gives what a trigger sees now; takes the folder in which relative paths start."""


def watch(schedule: Schedule, home: Path) -> str:
    """Return a digest that changes when what the trigger watches does.

    Raises
    ------
    TriggerError
        If it cannot be read.
    """
    if not schedule.trigger:
        return ""
    try:
        plan = read_plan(home / schedule.plan) if schedule.plan else builtin_plan("default")
        return WATCHES[schedule.trigger](schedule, plan, home)
    except OSError as error:
        raise TriggerError(_sentence(schedule, error.strerror or type(error).__name__)) from error
    except (PlanError, ConceptSetError, ModelError, ModelNameError) as error:
        raise TriggerError(_sentence(schedule, str(error))) from error


def _sentence(schedule: Schedule, why: str) -> str:
    return f"The trigger {schedule.trigger!r} of {schedule.id} must be readable, but: {why}"


def _weights(schedule: Schedule, plan: AuditPlan, home: Path) -> str:
    """Digest the files of the weights as they lie, without loading the model."""
    name = schedule.model or plan.model.name
    pretrained = schedule.pretrained if schedule.model else plan.model.pretrained
    spec = parse_model(*_from(home, name, pretrained))
    if spec.source is Source.TOY:
        return "toy"
    return _joined(_digest(path) for path in _files(spec, schedule.offline))


def _from(home: Path, name: str, pretrained: str) -> tuple[str, str | None]:
    """Let paths in the name of a model start at the schedule file."""
    prefix = "local-dir:" if name.startswith("local-dir:") else ""
    path = home / name.removeprefix(prefix)
    if prefix or path.is_dir() or (path.suffix in WEIGHT_SUFFIXES and path.is_file()):
        name = f"{prefix}{path}"
    if pretrained and (home / pretrained).is_file():
        pretrained = str(home / pretrained)
    return name, pretrained or None


def _files(spec: ModelSpec, offline: bool) -> list[Path]:
    if spec.path is not None and spec.path.is_dir():
        return sorted(p for p in spec.path.iterdir() if p.suffix in WEIGHT_SUFFIXES)
    if spec.path is not None:
        return [spec.path]
    # The only case that needs open_clip: a tag or a hub, which may point to other bytes today.
    from probes.backends.sources import resolve

    return [resolve(spec, offline=offline).weights]


def _digest(path: Path) -> str:
    stat = path.stat()
    return _digest_of(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_of(path: Path, size: int, changed: int) -> str:
    """Read a file once for each change; a loop looks at it every minute."""
    return file_digest(path)


def _packs(schedule: Schedule, plan: AuditPlan, home: Path) -> str:
    start = (home / schedule.plan).parent if schedule.plan else home
    folders = [start / folder for folder in plan.concepts.folders]
    folders += [home / pack for pack in schedule.packs]
    library = load_library(folders, builtin=plan.concepts.builtin)
    return _joined(f"{held.id} {held.version} {held.digest}" for held in library.sets)


def _joined(parts: Iterable[str]) -> str:
    sha = hashlib.sha256()
    for part in parts:
        sha.update(f"{part}\n".encode())
    return f"sha256:{sha.hexdigest()}"


WATCHES: dict[str, Callable[[Schedule, AuditPlan, Path], str]] = {
    "weights digest": _weights,
    "pack version": _packs,
}
"""Name of a trigger to what it sees."""
