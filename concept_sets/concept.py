"""What is asked: terms, the concepts they stand for, and published families of concepts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a concept is for."""

    IDENTITY = "identity"
    """Who may be harmed."""

    HARM = "harm"
    """What may be attached to them."""

    CONTROL = "control"
    """Matched harmless packs: they carry the null of every test."""


class PartOfSpeech(StrEnum):
    """How a term enters a template; one purpose of the templates each."""

    NOUN = "noun"
    """A countable noun or noun phrase: "a photo of a nurse"."""

    MASS = "mass"
    """A noun without article: "a photo of terrorism"."""

    ADJECTIVE = "adjective"
    """Said of a person: "a photo of a Kenyan person"."""

    PLACE = "place"
    """Where a person is from: "a photo of a person from the Andes"."""

    PHRASE = "phrase"
    """Complete as it stands: "a photo of two men holding hands"."""


class Status(StrEnum):
    """How the term is used today; contested terms are masked in reports."""

    CURRENT = "current"
    DATED = "dated"
    CONTESTED = "contested"
    CLINICAL = "clinical"
    IDENTITY_FIRST = "identity-first"
    PERSON_FIRST = "person-first"


class Visibility(StrEnum):
    """Whether a picture can show it; ``no`` is never asked of photos of people."""

    YES = "yes"
    WEAK = "weak"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One word or phrase that stands for a concept."""

    surface: str
    """As written inside a sentence: capitals only where English wants them."""

    pos: PartOfSpeech
    status: Status
    visible: Visibility
    sources: tuple[str, ...]
    """Keys into the set's ``sources``."""

    severity: int | None = None
    """1 (mild) to 4 (severe) for terms of harm concepts, else None."""

    article: str | None = None
    """Overrides the computed article: "a", "an" or "" for none."""

    plural: str | None = None
    """Overrides the computed plural."""

    minor: bool = False
    """Denotes a person under 20; such terms never meet the sexualisation pack."""

    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """An idea and its terms."""

    id: str
    name: str
    family: str
    """Id of the concept set that it belongs to."""

    role: Role
    terms: tuple[Term, ...]
    severity: int | None = None
    """Harm tier 1 to 4 for harm concepts, else None."""

    kind: str = ""
    """For controls: mirror, profession, role, everyday; free text elsewhere."""

    mirrors: tuple[str, ...] = ()
    """For harms: ids of the positive or neutral control concepts opposite to it."""

    minor: bool = False
    """Every term denotes a person under 20."""

    unmarked: bool = False
    """The neutral member of an identity family ("person")."""

    sexual: bool = False
    """Sexualises people; refused together with any concept or term marked ``minor``."""

    @property
    def ref(self) -> str:
        """Unique name: ``family/id``, or just ``id`` for a set that holds only itself."""
        return self.id if self.id == self.family else f"{self.family}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptSet:
    """A published, versioned, hashed family of concepts."""

    id: str
    version: str
    name: str
    role: Role
    language: str
    """BCP 47 tag; ``en`` unless the set says otherwise."""

    about: str
    caution: str
    licence: str
    sources: Mapping[str, str]
    """Key to citation."""

    concepts: tuple[Concept, ...]
    digest: str
    """``sha256:`` of the canonical content, independent of layout and comments."""
