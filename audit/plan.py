"""What was ordered: a plan fixed before any result exists, hashed into the result."""

import hashlib
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from audit.errors import PlanError
from audit.plan_sections import (
    ArmRole,
    ArmsSection,
    BlockingSection,
    CausalSection,
    ConceptsSection,
    DeploymentSection,
    GateSection,
    LimitsSection,
    ModelSection,
    PhotosSection,
    ProbesSection,
    ReplicationSection,
    Section,
    TypographySection,
    UnitsSection,
)
from audit.results import canonical_json
from concept_sets.addresses import fault_of

__all__ = [
    "BUILTIN_PLANS",
    "ArmRole",
    "ArmsSection",
    "AuditPlan",
    "BlockingSection",
    "CausalSection",
    "ConceptsSection",
    "DeploymentSection",
    "GateSection",
    "LimitsSection",
    "ModelSection",
    "PhotosSection",
    "ProbesSection",
    "ReplicationSection",
    "TypographySection",
    "UnitsSection",
    "builtin_plan",
    "builtin_text",
    "parse_plan",
    "plan_text",
    "read_plan",
    "validate_plan",
]


class AuditPlan(Section):
    """The whole order."""

    schema_version: Literal[1] = 1
    name: str = "default"
    title: str = ""
    seed: int = Field(default=20260101, ge=0)
    slots: tuple[str, ...] = ()
    """Template slots; empty means all."""

    model: ModelSection = ModelSection()
    concepts: ConceptsSection = ConceptsSection()
    blocking: tuple[BlockingSection, ...] = ()
    arms: ArmsSection = ArmsSection()
    limits: LimitsSection = LimitsSection()
    photos: PhotosSection = PhotosSection()
    deployment: DeploymentSection = DeploymentSection()
    units: UnitsSection = UnitsSection()
    probes: ProbesSection = ProbesSection()
    causal: CausalSection = CausalSection()
    typography: TypographySection = TypographySection()
    replication: ReplicationSection = ReplicationSection()
    gate: GateSection = GateSection()

    def resolved(self) -> dict[str, Any]:
        """Return every value of the order with defaults written out, ready for JSON.

        What the gate is asked is left out: it belongs to a call, not to what is measured.
        """
        return self.model_dump(mode="json", exclude={"gate"})

    @property
    def digest(self) -> str:
        """``sha256:`` of the resolved plan."""
        return _digest(self.resolved())

    @property
    def thresholds_digest(self) -> str:
        """``sha256:`` of what turns a number into a verdict."""
        resolved = self.resolved()
        return _digest({key: resolved[key] for key in ("limits", "blocking", "arms", "seed")})


BUILTIN_PLANS = {"default": "default.toml", "demo": "demo.toml", "score": "score.toml"}
"""Plans that come with the tool; any other name is a file."""


def read_plan(path: Path) -> AuditPlan:
    """Read a plan file.

    Raises
    ------
    PlanError
        If the file cannot be read, is not TOML, or has unknown keys or wrong values; the message
        names file and key, and the nearest known key.
    """
    return parse_plan(plan_text(path), where=str(path))


def plan_text(path: Path) -> str:
    """Return the text of a plan file.

    Raises
    ------
    PlanError
        If it cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanError(
            f"A plan must be a readable TOML file; {path} gave: {error.strerror}. "
            "Check the path, or leave it out for the default plan."
        ) from None
    except UnicodeDecodeError:
        raise PlanError(f"A plan must be UTF-8 text; {path} is not. Save it as UTF-8.") from None


def builtin_plan(name: str) -> AuditPlan:
    """Return a plan that comes with the tool."""
    return parse_plan(builtin_text(name), where=f"the built-in plan {name!r}")


def builtin_text(name: str) -> str:
    """Return the text of a plan that comes with the tool."""
    return (files("audit") / "plans" / BUILTIN_PLANS[name]).read_text(encoding="utf-8")


def parse_plan(text: str, *, where: str) -> AuditPlan:
    """Parse and validate TOML text."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(f"A plan must be valid TOML; {where}: {error}. Correct the line.") from None
    return validate_plan(document, where=where)


def validate_plan(document: Mapping[str, Any], *, where: str) -> AuditPlan:
    """Validate a decoded plan.

    Examples
    --------
    >>> validate_plan({"limits": {"alfa": 0.1}}, where="plan.toml")
    Traceback (most recent call last):
        ...
    audit.errors.PlanError: plan.toml has an unknown key limits.alfa. Did you mean 'alpha'?
    """
    try:
        plan = AuditPlan.model_validate(dict(document))
    except ValidationError as error:
        raise PlanError(_sentence(error, where)) from None
    if plan.limits.delta0 >= plan.limits.delta1:
        raise PlanError(
            f"limits.delta0 must be smaller than limits.delta1; {where} has "
            f"{plan.limits.delta0} and {plan.limits.delta1}. Lower delta0 or raise delta1."
        )
    if fault := fault_of(plan.photos.path):
        # Not a validator: its sentence would repeat the address, with what may be a password.
        raise PlanError(f"{where}, key photos.path: {fault}")
    return plan


def _sentence(error: ValidationError, where: str) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _known_keys(first["loc"][:-1])
        near = get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}."
        return f"{where} has an unknown key {key}. {hint}"
    return f"{where}, key {key}: {first['msg']}; got {first.get('input')!r}. Correct the value."


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    section: type[BaseModel] = AuditPlan
    for part in location:
        if isinstance(part, str):
            annotation = section.model_fields[part].annotation
            arguments = getattr(annotation, "__args__", (annotation,))
            section = next(a for a in arguments if isinstance(a, type) and issubclass(a, BaseModel))
    return sorted(section.model_fields)


def _digest(value: Any) -> str:
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()
