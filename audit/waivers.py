"""Waivers: what a person accepted, why, until when; a finding is never hidden by one."""

import hashlib
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.errors import PlanError
from audit.gate_record import WaiverRecord
from audit.results import FindingRecord, ModelRecord

Category = Literal["false_positive", "accepted_risk", "mitigated_downstream", "not_applicable"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class WaiverPolicy(_Table):
    """``[policy]``: what a waiver must satisfy."""

    longest_days: int = Field(default=180, ge=1)
    second_person: bool = True
    """Whether the approver must be somebody else than the owner."""

    shortest_reason: int = Field(default=20, ge=1)
    warn_days: int = Field(default=14, ge=0)
    """Days before the end from which an audit warns."""


class Waiver(_Table):
    """``[[waiver]]``: one accepted finding."""

    finding: str
    """Id (``BA`` and eight digits) or fingerprint."""

    reason: str
    category: Category
    owner: str = Field(min_length=1)
    approved_by: str = Field(min_length=1)
    created: date
    expires: date
    model: str
    """Digest of the weights, or a pattern over the model's name; ``*`` is every model."""

    link: str = ""

    def meets(self, finding: FindingRecord) -> bool:
        """Whether it names this finding."""
        return self.finding in {finding.id, finding.fingerprint}

    def holds_for(self, model: ModelRecord) -> bool:
        """Whether it is about this model."""
        return self.model == model.weights_digest or fnmatchcase(model.name, self.model)


class _WaiverFile(_Table):
    """Waivers: what a person accepted, why, and until when."""

    schema_version: Literal[1] = 1
    policy: WaiverPolicy = WaiverPolicy()
    waiver: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """A waiver file."""

    policy: WaiverPolicy
    waivers: tuple[Waiver, ...]
    digest: str = ""
    """``sha256:`` of the file."""

    def records(
        self, findings: Sequence[FindingRecord], model: ModelRecord, today: date
    ) -> tuple[WaiverRecord, ...]:
        """Say how each waiver stands today."""
        return tuple(_record(w, _state(w, findings, model, today)) for w in self.waivers)

    def active(
        self, findings: Sequence[FindingRecord], model: ModelRecord, today: date
    ) -> frozenset[str]:
        """Return ids of findings that are waived today."""
        return frozenset(
            f.id
            for w in self.waivers
            for f in findings
            if w.meets(f) and _state(w, findings, model, today) == "active"
        )

    def warnings(
        self, findings: Sequence[FindingRecord], model: ModelRecord, today: date
    ) -> Iterator[str]:
        """Yield a sentence for each waiver that a person should look at."""
        for waiver in self.waivers:
            state = _state(waiver, findings, model, today)
            left = (waiver.expires - today).days
            if state == "active" and left <= self.policy.warn_days:
                day = "today" if left == 0 else f"in {left} day{'s' if left != 1 else ''}"
                yield f"The waiver of {waiver.finding} ends {day}, on {waiver.expires}."
            elif state != "active":
                yield _STATES[state].format(w=waiver, model=model)


_STATES = {
    "expired": "The waiver of {w.finding} ended on {w.expires}: the finding counts again.",
    "not yet valid": "The waiver of {w.finding} begins on {w.created} and does not hold yet.",
    "other model": "The waiver of {w.finding} is for the model {w.model}, not for {model.name}.",
    "unused": "The waiver of {w.finding} meets no finding of this audit: remove it, or correct it.",
}


NO_WAIVERS = Waivers(policy=WaiverPolicy(), waivers=())


def waivers_schema() -> dict[str, Any]:
    """Return the JSON Schema of a waiver file; days are texts there, as JSON has none."""
    return _WaiverFile.model_json_schema()


def read_waivers(path: Path) -> Waivers:
    """Read and check a waiver file.

    Raises
    ------
    PlanError
        If it cannot be read, has unknown keys or wrong values, or a waiver breaks the policy; the
        message names file, waiver and key.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PlanError(
            f"Waivers must be a readable TOML file; {path} gave: {error.strerror}. Check the path."
        ) from None
    return parse_waivers(content, where=str(path))


def parse_waivers(content: bytes, *, where: str) -> Waivers:
    """Check the content of a waiver file; ``where`` stands in messages.

    Raises
    ------
    PlanError
        As `read_waivers`.
    """
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise PlanError(f"Waivers must be UTF-8 text; {where} is not. Save it as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(
            f"Waivers must be valid TOML; {where}: {error}. Correct the line."
        ) from None
    try:
        read = _WaiverFile.model_validate(document)
    except ValidationError as error:
        raise PlanError(_sentence(error, where)) from None
    for number, waiver in enumerate(read.waiver, start=1):
        for problem in problems(waiver, read.policy):
            raise PlanError(f"{where}, waiver {number} ({waiver.finding}): {problem}")
    _refuse_doubles(read.waiver, where)
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    return Waivers(policy=read.policy, waivers=read.waiver, digest=digest)


def problems(waiver: Waiver, policy: WaiverPolicy) -> Iterator[str]:
    """Yield a sentence for everything in a waiver that the policy does not allow."""
    if len(waiver.reason) < policy.shortest_reason:
        yield (
            f"a reason must have {policy.shortest_reason} characters at least; got "
            f"{len(waiver.reason)}. Say why the finding is acceptable."
        )
    if waiver.expires < waiver.created:
        yield f"it must end after it begins; got {waiver.created} to {waiver.expires}."
    if waiver.expires - waiver.created > timedelta(days=policy.longest_days):
        yield (
            f"it must end within {policy.longest_days} days; got "
            f"{(waiver.expires - waiver.created).days}. Choose an earlier day."
        )
    if policy.second_person and waiver.owner.casefold() == waiver.approved_by.casefold():
        yield f"it must be approved by a second person; {waiver.owner} is its owner."


def _refuse_doubles(waivers: Sequence[Waiver], where: str) -> None:
    seen: set[tuple[str, str]] = set()
    for waiver in waivers:
        key = (waiver.finding, waiver.model)
        if key in seen:
            raise PlanError(
                f"A finding must be waived once for a model; {where} waives {waiver.finding} for "
                f"{waiver.model} twice. Remove one."
            )
        seen.add(key)


def _state(
    waiver: Waiver, findings: Sequence[FindingRecord], model: ModelRecord, today: date
) -> Literal["active", "expired", "not yet valid", "other model", "unused"]:
    if not waiver.holds_for(model):
        return "other model"
    if not any(waiver.meets(f) for f in findings):
        return "unused"
    return state_on(waiver, today)


def state_on(waiver: Waiver, today: date) -> Literal["active", "expired", "not yet valid"]:
    """Tell how a waiver stands by its days alone, whatever was audited."""
    if today > waiver.expires:
        return "expired"
    return "active" if today >= waiver.created else "not yet valid"


def _record(
    waiver: Waiver,
    state: Literal["active", "expired", "not yet valid", "other model", "unused"],
) -> WaiverRecord:
    told = waiver.model_dump(exclude={"model"})
    return WaiverRecord.model_validate({**told, "state": state})


def _sentence(error: ValidationError, where: str) -> str:
    first = error.errors()[0]
    place = first["loc"]
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
    if first["type"] == "extra_forbidden":
        near = get_close_matches(str(place[-1]), _known(place), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(_known(place))}."
        return f"{where} has an unknown key {key}.{hint}"
    if first["type"] == "missing":
        return f"{where} lacks {key}. Every waiver has finding, reason, category, owner, " \
               "approved_by, created, expires and model."  # fmt: skip
    return f"{where}, key {key}: {first['msg']}; got {first.get('input')!r}. Correct the value."


def _known(place: Collection[int | str]) -> list[str]:
    tables: dict[str, type[BaseModel]] = {"policy": WaiverPolicy, "waiver": Waiver}
    first = str(next(iter(place)))
    return sorted(tables.get(first, _WaiverFile).model_fields)
