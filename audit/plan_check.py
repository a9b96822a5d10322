"""Plans, waivers, baselines and packs that are read and checked, and nothing measured."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.baseline import read_baseline
from audit.deployment_check import check_deployment
from audit.errors import PlanError, ResultError
from audit.plan import AuditPlan, read_plan
from audit.selection import select
from audit.waivers import read_waivers
from concept_sets.addresses import local_path, seen_from
from concept_sets.catalog import Library, load_library
from concept_sets.check import check_file, check_library
from concept_sets.errors import ConceptSetError
from concept_sets.minors import concept_sexualises
from concept_sets.problem import Problem, ProblemSeverity
from probes.errors import MeasureError

PHOTO_GROUP = "photos:"
"""What blocking patterns over groups of a manifest begin with."""

WAIVER_TABLES = {"waiver", "policy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of one file."""

    path: Path
    kind: str
    errors: tuple[str, ...] = ()
    """Sentences; none where the file can be used."""

    notes: tuple[str, ...] = ()
    """What could not be looked at here."""


def kind_of(path: Path) -> str:
    """Tell what a file is meant to be: ``plan``, ``waivers``, ``baseline`` or ``packs``.

    Parameters
    ----------
    path : Path
        A folder or YAML file holds packs, JSON is a baseline, and TOML is a plan unless it has a
        table that only waivers have, or cannot be read and is called so.

    Raises
    ------
    PlanError
        If it is none of these.
    """
    kinds = {".yaml": "packs", ".yml": "packs", ".json": "baseline", ".toml": "plan"}
    kind = "packs" if path.is_dir() else kinds.get(path.suffix.lower())
    if kind is None:
        raise PlanError(
            f"A file to check must be a plan or waivers (.toml), a pack (.yaml or a folder) or a "
            f"baseline (.json); got {path}. Say what it is with --as."
        )
    return "waivers" if kind == "plan" and _holds_waivers(path) else kind


def _holds_waivers(path: Path) -> bool:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return "waiver" in path.name.lower()
    return bool(WAIVER_TABLES & set(document))


def check_one(path: Path, kind: str) -> Checked:
    """Check a plan, a waiver file or a baseline."""
    reader: dict[str, Callable[[Path], object]] = {
        "waivers": read_waivers,
        "baseline": read_baseline,
    }
    notes: tuple[str, ...] = ()
    try:
        if kind == "plan":
            notes = tuple(check_plan(path))
        else:
            reader[kind](path)
    except (PlanError, ResultError, ConceptSetError, MeasureError) as error:
        told = str(error)
        return Checked(
            path=path, kind=kind, errors=(told if str(path) in told else f"{path}: {told}",)
        )
    return Checked(path=path, kind=kind, notes=notes)


def check_plan(path: Path) -> Iterator[str]:
    """Check a plan and the files and names that it refers to.

    Yields
    ------
    str
        What only a run can see.

    Raises
    ------
    PlanError
        If a key is wrong, a pattern names nothing, the labels of the product contradict
        themselves, or waivers or directions cannot be used.
    ConceptSetError
        If its packs cannot be read or have errors.
    ResultError
        If its baseline cannot be used.
    MeasureError
        If a file of directions holds rows that are none.
    """
    plan, home = read_plan(path), path.parent
    folders = tuple(home / folder for folder in plan.concepts.folders)
    library = load_library(folders, builtin=plan.concepts.builtin)
    for problem in errors_of(library) if folders else ():
        raise ConceptSetError(f"{problem.where} {problem.sentence}")
    check_names(plan, library)
    if plan.gate.waivers:
        read_waivers(home / plan.gate.waivers)
    if plan.gate.baseline:
        read_baseline(home / plan.gate.baseline)
    if plan.units.directions:
        # Imported here: other plans are checked without numerical libraries.
        from audit.directions import read_directions

        for file in plan.units.directions:
            read_directions(home / file)
    photos = local_path(seen_from(home, plan.photos.path))
    if photos is None:
        yield f"its photos, {plan.photos.path}, are in a store and were not looked at."
    elif plan.photos.path and not photos.exists():
        yield f"its photos, {plan.photos.path}, are not here and were not looked at."


def check_names(plan: AuditPlan, library: Library) -> None:
    """Refuse patterns that select nothing, and labels of the product with unknown packs.

    Raises
    ------
    PlanError
        Naming the key and the nearest name.
    """
    patterns = [p for entry in plan.blocking for p in entry.identities]
    # Groups of a manifest are known once it is read.
    select(library, plan, groups=[p for p in patterns if p.startswith(PHOTO_GROUP)])
    harms = library.harms()
    check_deployment(
        plan.deployment,
        {harm.ref: harm.severity or 1 for harm in harms},
        frozenset(harm.ref for harm in harms if concept_sexualises(harm)),
    )


def check_packs(paths: tuple[Path, ...], *, builtin: bool = True) -> tuple[Checked, ...]:
    """Check packs alone, then together with each other and with the built-in ones.

    Parameters
    ----------
    paths : tuple of Path
        Files and folders.
    builtin : bool
        Whether the packs are used beside the built-in ones.
    """
    alone = tuple(Checked(path=path, kind="packs", errors=_errors_in(path)) for path in paths)
    if not paths or any(checked.errors for checked in alone):
        return alone
    try:
        together = tuple(_sentence(p) for p in errors_of(load_library(paths, builtin=builtin)))
    except ConceptSetError as error:
        together = (str(error),)
    return (Checked(path=paths[0], kind="packs", errors=together),) if together else alone


def _errors_in(path: Path) -> tuple[str, ...]:
    try:
        problems = check_file(path)
    except ConceptSetError as error:
        return (str(error),)
    return tuple(_sentence(p) for p in problems if p.severity is ProblemSeverity.ERROR)


def _sentence(problem: Problem) -> str:
    return f"{problem.where}: {problem.sentence}"


def errors_of(library: Library) -> tuple[Problem, ...]:
    """Return what must be corrected.

    Too few control packs are no error here: the audit runs, and its verdict says so.
    """
    return tuple(
        problem
        for problem in check_library(library)
        if problem.severity is ProblemSeverity.ERROR and problem.code != "few_controls"
    )
