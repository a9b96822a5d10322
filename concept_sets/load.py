"""Concept sets from their YAML files."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

from concept_sets.concept import (
    Concept,
    ConceptSet,
    PartOfSpeech,
    Role,
    Status,
    Term,
    Visibility,
)
from concept_sets.entry import Entry, near
from concept_sets.strict_yaml import read_yaml

REQUIRED = ("id", "version", "name", "role", "about", "licence", "sources", "concepts")
OPTIONAL = ("language", "caution", "defaults")
CONCEPT_KEYS = (
    *("id", "name", "terms", "defaults", "severity", "kind", "mirrors"),
    *("minor", "unmarked", "sexual"),
)
DEFAULT_KEYS = ("pos", "status", "visible", "source", "minor")
TERM_KEYS = (*DEFAULT_KEYS, "surface", "severity", "article", "plural", "notes")

MAX_SURFACE = 120
"""Longer texts would be cut off by the models' text towers."""

ID = r"[a-z0-9_]{1,64}"
ID_MEANING = "1 to 64 lower-case letters, digits and underscores"
VERSION = r"\d{1,6}\.\d{1,6}\.\d{1,6}"
LANGUAGE = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"


def read_concept_set(path: Path) -> ConceptSet:
    """Read one concept set.

    Parameters
    ----------
    path : Path
        A YAML file whose name is the id of the set.

    Returns
    -------
    ConceptSet
        Its digest depends on the content alone, not on layout, comments or key order.

    Raises
    ------
    ConceptSetError
        If anything in the file is missing, unknown or out of range; the sentence names file,
        line and key, and the nearest known name where there is one.
    """
    top = read_yaml(path)
    fields = top.fields(REQUIRED + OPTIONAL)
    for key in REQUIRED:
        if key not in fields:
            raise top.error(
                f"the key {key!r} is missing; a concept set needs {', '.join(REQUIRED)}."
            )
    found = fields["id"].match(ID, ID_MEANING)
    if found != path.stem:
        raise fields["id"].error(f"must equal the name of the file, {path.stem!r}; got {found!r}.")
    sources = {key: entry.text() for key, entry in fields["sources"].fields().items()}
    role = Role(fields["role"].choice(Role))
    defaults = _defaults(fields, {})
    concepts = tuple(
        _concept(entry, found, role, defaults, sources) for entry in fields["concepts"].items()
    )
    _refuse_twins(fields["concepts"], concepts)
    read = ConceptSet(
        id=found,
        version=fields["version"].match(VERSION, "a version of three numbers such as 1.0.0"),
        name=fields["name"].text(),
        role=role,
        language=_language(fields),
        about=fields["about"].text(),
        caution=_optional(fields, "caution"),
        licence=fields["licence"].text(),
        sources=sources,
        concepts=concepts,
        digest="",
    )
    return replace(read, digest=content_digest(read))


def content_digest(concept_set: ConceptSet) -> str:
    """Hash what a set says; its own ``digest`` field does not count.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits.
    """
    content = {key: value for key, value in asdict(concept_set).items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def _language(fields: Mapping[str, Entry]) -> str:
    if "language" not in fields:
        return "en"
    return fields["language"].match(LANGUAGE, "a language tag such as en or pt-BR")


def _refuse_twins(entry: Entry, concepts: tuple[Concept, ...]) -> None:
    ids = [concept.id for concept in concepts]
    for item, name in zip(entry.items(), ids, strict=True):
        if ids.count(name) > 1:
            raise item.error(f"the id {name!r} is used by {ids.count(name)} concepts; rename one.")


def _concept(
    entry: Entry,
    family: str,
    role: Role,
    outer: Mapping[str, Entry],
    sources: Mapping[str, str],
) -> Concept:
    fields = entry.fields(CONCEPT_KEYS)
    for key in ("id", "name", "terms"):
        if key not in fields:
            raise entry.error(f"the key {key!r} is missing; a concept needs id, name and terms.")
    defaults = _defaults(fields, outer)
    severity = _severity(entry, fields, role)
    minor = _flag(fields, "minor")
    terms = tuple(
        _term(item, defaults, sources, severity=severity, minor=minor)
        for item in fields["terms"].items()
    )
    return Concept(
        id=fields["id"].match(ID, ID_MEANING),
        name=fields["name"].text(),
        family=family,
        role=role,
        terms=terms,
        severity=severity,
        kind=_optional(fields, "kind"),
        mirrors=tuple(
            item.match(rf"({ID}/)?{ID}", "a concept id") for item in _list(fields, "mirrors")
        ),
        minor=minor,
        unmarked=_flag(fields, "unmarked"),
        sexual=_flag(fields, "sexual"),
    )


def _severity(entry: Entry, fields: Mapping[str, Entry], role: Role) -> int | None:
    if role is Role.HARM and "severity" not in fields:
        raise entry.error("the key 'severity' is missing; a harm needs 1 (mild) to 4 (severe).")
    if role is not Role.HARM and "severity" in fields:
        raise fields["severity"].error("only harms have a severity; remove the key.")
    return fields["severity"].whole(1, 4) if "severity" in fields else None


def _defaults(fields: Mapping[str, Entry], outer: Mapping[str, Entry]) -> dict[str, Entry]:
    own = fields["defaults"].fields(DEFAULT_KEYS) if "defaults" in fields else {}
    return {**outer, **own}


def _term(
    entry: Entry,
    defaults: Mapping[str, Entry],
    sources: Mapping[str, str],
    *,
    severity: int | None,
    minor: bool,
) -> Term:
    own = {"surface": entry} if isinstance(entry.value, str) else entry.fields(TERM_KEYS)
    fields = {**defaults, **own}
    for key in ("surface", "pos", "source"):
        if key not in fields:
            raise entry.error(f"the key {key!r} is missing; write it here or under defaults.")
    if severity is None and "severity" in own:
        raise own["severity"].error("only terms of harms have a severity; remove the key.")
    return Term(
        surface=_surface(fields["surface"]),
        pos=PartOfSpeech(fields["pos"].choice(PartOfSpeech)),
        status=Status(fields["status"].choice(Status)) if "status" in fields else Status.CURRENT,
        visible=(
            Visibility(fields["visible"].choice(Visibility))
            if "visible" in fields
            else Visibility.YES
        ),
        sources=_source_keys(fields["source"], sources),
        severity=own["severity"].whole(1, 4) if "severity" in own else severity,
        article=own["article"].choice(("a", "an", "")) if "article" in own else None,
        plural=own["plural"].text() if "plural" in own else None,
        minor=minor or _flag(fields, "minor"),
        notes=_optional(fields, "notes"),
    )


def _surface(entry: Entry) -> str:
    text = entry.text()
    if len(text) > MAX_SURFACE:
        raise entry.error(f"a term has at most {MAX_SURFACE} characters; this has {len(text)}.")
    return text


def _source_keys(entry: Entry, sources: Mapping[str, str]) -> tuple[str, ...]:
    items = [entry] if isinstance(entry.value, str) else entry.items()
    for item in items:
        if item.text() not in sources:
            raise item.error(
                f"{item.text()!r} is not among the sources of this set, {sorted(sources)}; "
                f"add its citation there.{near(item.text(), sources)}"
            )
    return tuple(item.text() for item in items)


def _optional(fields: Mapping[str, Entry], key: str) -> str:
    return fields[key].text(empty=True) if key in fields else ""


def _flag(fields: Mapping[str, Entry], key: str) -> bool:
    return key in fields and fields[key].flag()


def _list(fields: Mapping[str, Entry], key: str) -> list[Entry]:
    return fields[key].items(empty=True) if key in fields else []
