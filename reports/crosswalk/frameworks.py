"""What a framework's file must hold: its status, its clauses, and a rule for the state of each."""

from collections.abc import Collection
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reports.crosswalk.evidence import EVIDENCE
from reports.crosswalk.human import HUMAN_FIELDS, YES_OR_NO
from reports.crosswalk.parts import PARTS

Kind = Literal["law", "standard", "guidance"]
ALWAYS = "always"
Words = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]


class Part(BaseModel):
    """Base of everything in a file: frozen and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Rule(Part):
    """From what the state of a clause is computed."""

    needs: tuple[str, ...] = ()
    """Rows of `reports.crosswalk.evidence.EVIDENCE` that must all be there."""

    fields: tuple[str, ...] = ()
    """Fields of the governance file that must all be filled."""

    rest_with_people: bool = False
    """Whether people owe more than any field of a report can hold; then it is partial at most."""

    only_if: tuple[str, ...] = ()
    """Evidence without which there is nothing that the clause could be about."""

    applies: str = ""
    """Human field whose answer “no” takes the clause out of the reckoning; empty for that of the
    framework, ``always`` for none."""

    @model_validator(mode="after")
    def _known(self) -> "Rule":
        for name in (*self.needs, *self.only_if):
            _require(name, EVIDENCE, "evidence")
        for name in self.fields:
            _require(name, HUMAN_FIELDS, "human field")
        if self.applies:
            _require(self.applies, (*YES_OR_NO, ALWAYS), "field that is answered yes or no")
        return self


class Clause(Part):
    """One clause and what serves it."""

    id: Words
    asks: Words
    """In our own words."""

    evidence: Words
    """How an audit serves it."""

    sections: tuple[str, ...]
    """Rows of `reports.crosswalk.parts.PARTS`."""

    human: str = ""
    """What people must supply whatever the audit holds."""

    verified: bool = True
    """Whether the clause itself was read, and not what others write about it."""

    rule: Rule

    @model_validator(mode="after")
    def _known_sections(self) -> "Clause":
        for name in self.sections:
            _require(name, PARTS, "report section")
        return self


class Framework(Part):
    """A law, a standard or guidance, as of one day."""

    id: Name
    version: Words
    """Of this file; it rises with every change of a clause, a rule or a date."""

    as_of: date
    """The day on which the status was last looked at."""

    short: Words
    title: Words
    jurisdiction: Words
    kind: Kind
    status: Words
    verified: bool
    not_verified: str = ""
    """What was not read in the original."""

    caution: str = ""
    """What a reader must not take this table for."""

    applies: str = ""
    """Human field whose answer “no” makes every clause not applicable."""

    replaced_by: str = ""
    """Id of the framework that stands in the place of this one; then no clause applies."""

    sources: tuple[Words, ...] = Field(min_length=1)
    clauses: tuple[Clause, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> "Framework":
        if self.applies:
            _require(self.applies, YES_OR_NO, "field that is answered yes or no")
        if not self.verified and not self.not_verified:
            raise ValueError("not_verified must say what was not read where verified is false")
        ids = [clause.id for clause in self.clauses]
        twice = sorted({id for id in ids if ids.count(id) > 1})
        if twice:
            raise ValueError(
                f"every clause must have an id of its own; {twice[0]!r} is there twice"
            )
        return self


class ClauseTexts(Part):
    """The texts of one clause in another language; what is left out stays English."""

    asks: str = ""
    evidence: str = ""
    human: str = ""


class Texts(Part):
    """The texts of a framework in another language; what is left out stays English."""

    short: str = ""
    title: str = ""
    jurisdiction: str = ""
    status: str = ""
    not_verified: str = ""
    caution: str = ""
    of_version: Words
    """Version of the English file that was translated; with another one, English is shown."""

    clauses: dict[str, ClauseTexts] = Field(default_factory=dict)


def _require(name: str, known: Collection[str], what: str) -> None:
    if name not in known:
        raise ValueError(f"every {what} must be one of {', '.join(known)}; got {name!r}")
