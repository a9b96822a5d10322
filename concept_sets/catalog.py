"""The library: every built-in concept set, and those that a user adds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from importlib import resources
from pathlib import Path

from concept_sets.concept import Concept, ConceptSet, Role
from concept_sets.entry import near
from concept_sets.errors import ConceptSetError
from concept_sets.load import read_concept_set
from concept_sets.templates import Templates, read_templates

TEMPLATES_NAME = "templates.yaml"
MAX_FILES = 2000

SCENE = "scene"
"""Kind of the controls that are not about people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Concept sets with unique names, and the templates that go with them."""

    sets: tuple[ConceptSet, ...]
    """By role (identity, harm, control), then by id."""

    templates: Templates

    @property
    def concepts(self) -> tuple[Concept, ...]:
        """Every concept, in the order of the sets."""
        return tuple(concept for held in self.sets for concept in held.concepts)

    @property
    def digest(self) -> str:
        """``sha256:`` over the digests of all sets and of the templates."""
        parts = [f"{held.id}={held.digest}" for held in self.sets]
        joined = "\n".join([*sorted(parts), self.templates.digest])
        return f"sha256:{sha256(joined.encode()).hexdigest()}"

    def identities(self) -> tuple[Concept, ...]:
        """Return the concepts that say who may be harmed."""
        return self._with_role(Role.IDENTITY)

    def harms(self) -> tuple[Concept, ...]:
        """Return the concepts that may be attached to them."""
        return self._with_role(Role.HARM)

    def controls(self) -> tuple[Concept, ...]:
        """Return the harmless concepts that carry the null; scenes are too unlike harms for it."""
        return tuple(control for control in self._with_role(Role.CONTROL) if control.kind != SCENE)

    def scenes(self) -> tuple[Concept, ...]:
        """Return the controls about things and weather, kept for reference."""
        return tuple(control for control in self._with_role(Role.CONTROL) if control.kind == SCENE)

    def family(self, name: str) -> ConceptSet:
        """Return the concept set called ``name``.

        Raises
        ------
        ConceptSetError
            If there is none; the nearest name is suggested.
        """
        for held in self.sets:
            if held.id == name:
                return held
        ids = [held.id for held in self.sets]
        raise ConceptSetError(
            f"No concept set named {name!r}; `clip-audit concepts list` shows all {len(ids)}."
            f"{near(name, ids)}"
        )

    def concept(self, name: str) -> Concept:
        """Return a concept by its reference, or by its id where only one has it.

        Raises
        ------
        ConceptSetError
            If there is none, or several families have one; the names to choose from are given.
        """
        for concept in self.concepts:
            if concept.ref == name:
                return concept
        found = [concept for concept in self.concepts if concept.id == name]
        if len(found) == 1:
            return found[0]
        refs = [concept.ref for concept in found or self.concepts]
        if found:
            raise ConceptSetError(f"The concept {name!r} is ambiguous; write one of {refs}.")
        raise _no_concept(name, refs + [concept.id for concept in self.concepts])

    def select(self, patterns: Iterable[str], *, role: Role | None = None) -> tuple[Concept, ...]:
        """Return the concepts that any of the patterns names.

        Parameters
        ----------
        patterns : iterable of str
            References (``regions/africa``), ids, names of whole sets (``regions``), or
            references with ``*`` and ``?`` (``regions/*``).
        role : Role, optional
            Look only among concepts with this role.

        Returns
        -------
        tuple of Concept
            In the order of the library, each once.

        Raises
        ------
        ConceptSetError
            If a pattern names nothing.
        """
        among = self.concepts if role is None else self._with_role(role)
        refs: set[str] = set()
        for pattern in patterns:
            hits = {concept.ref for concept in among if _names(pattern, concept)}
            if not hits:
                raise _no_concept(
                    pattern, [name for held in among for name in (held.ref, held.id, held.family)]
                )
            refs |= hits
        return tuple(concept for concept in among if concept.ref in refs)

    def _with_role(self, role: Role) -> tuple[Concept, ...]:
        return tuple(concept for concept in self.concepts if concept.role is role)


def load_library(extra: Sequence[Path] = (), *, builtin: bool = True) -> Library:
    """Read the built-in concept sets and the user's.

    Parameters
    ----------
    extra : sequence of Path
        Concept-set files, or folders that are searched for ``*.yaml`` and ``*.yml``. A
        ``templates.yaml`` among them replaces the built-in templates.
    builtin : bool
        False leaves the built-in sets out; the built-in templates stay.

    Returns
    -------
    Library
        Sets in an order that does not depend on where they came from.

    Raises
    ------
    ConceptSetError
        If a path is missing or holds no concept set, a file is wrong, or two different sets
        have one id.
    """
    home = Path(str(resources.files("concept_sets"))) / "library"
    files = _files(home) if builtin else []
    files += [file for path in extra for file in _files(path, needed=True)]
    templates = [file for file in files if file.name == TEMPLATES_NAME] or [home / TEMPLATES_NAME]
    sets = _unique([file for file in files if file.name != TEMPLATES_NAME])
    order = list(Role)
    return Library(
        sets=tuple(sorted(sets, key=lambda held: (order.index(held.role), held.id))),
        templates=read_templates(templates[-1]),
    )


def concept_files(path: Path) -> list[Path]:
    """Return the YAML files of a file or folder, sorted.

    Raises
    ------
    ConceptSetError
        If there is none.
    """
    return _files(path, needed=True)


def _files(path: Path, *, needed: bool = False) -> list[Path]:
    if path.is_file():
        return [path]
    found = sorted(file for end in ("yaml", "yml") for file in path.rglob(f"*.{end}"))
    if not found and needed:
        what = "holds no *.yaml file" if path.is_dir() else "does not exist"
        raise ConceptSetError(f"A concept set is needed at {path}; the path {what}.")
    if len(found) > MAX_FILES:
        raise ConceptSetError(f"{path}: must hold at most {MAX_FILES} files; has {len(found)}.")
    return found


def _unique(files: Sequence[Path]) -> list[ConceptSet]:
    kept: dict[str, tuple[Path, ConceptSet]] = {}
    for file in files:
        held = read_concept_set(file)
        first, other = kept.setdefault(held.id, (file, held))
        if other.digest != held.digest:
            raise ConceptSetError(
                f"{file} and {first} are different concept sets with the id {held.id!r}; "
                "give yours another id and file name."
            )
    return [held for _, held in kept.values()]


def _names(pattern: str, concept: Concept) -> bool:
    return pattern in (concept.ref, concept.id, concept.family) or fnmatchcase(concept.ref, pattern)


def _no_concept(name: str, known: Iterable[str]) -> ConceptSetError:
    return ConceptSetError(
        f"No concept named {name!r}; `clip-audit concepts list` shows all.{near(name, known)}"
    )
