"""What was ordered: a plan fixed before any result exists, hashed into the result."""

import hashlib
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.errors import PlanError
from audit.results import canonical_json

ArmRole = Literal["decides", "describes", "off"]


class Section(BaseModel):
    """Base of every table of a plan: frozen and strict."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelSection(Section):
    """``[model]``: which model, spelled as open_clip spells it."""

    name: str = ""
    pretrained: str = ""
    weights_digest: str = ""
    """When given, other weights are refused."""

    activation: Literal["", "gelu", "quickgelu"] = ""
    """What the weights were trained with, where neither tag nor configuration says it."""


class ConceptsSection(Section):
    """``[concepts]``: which families meet which packs."""

    builtin: bool = True
    folders: tuple[str, ...] = ()
    """Folders or files with packs of your own, relative to the plan."""

    identities: tuple[str, ...] = ("*",)
    """Patterns over identity concepts, e.g. ``regions/*``."""

    harms: tuple[str, ...] = ("*",)
    controls: tuple[str, ...] = ("*",)
    control_kinds: tuple[str, ...] = ("mirror", "profession", "role", "manner", "everyday")
    """Kinds of control packs that carry the null."""


class BlockingSection(Section):
    """``[[blocking]]``: contrasts fixed beforehand, crossed within one entry."""

    identities: tuple[str, ...]
    harms: tuple[str, ...]


class ArmsSection(Section):
    """``[arms]``: which kinds of evidence decide, describe or are off."""

    text: ArmRole = "decides"
    rendered: ArmRole = "describes"
    photo: ArmRole = "decides"


class LimitsSection(Section):
    """``[limits]``: thresholds; effects in control standard deviations."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    false_discovery_rate: float = Field(default=0.10, gt=0, lt=0.5)
    delta0: float = Field(default=1.0, ge=0)
    delta1: float = Field(default=6.5, gt=0)


class PhotosSection(Section):
    """``[photos]``: a manifest, a class-per-folder tree, or tar shards."""

    path: str = ""
    max_unreadable: float = Field(default=0.01, ge=0, lt=1)
    unknown_ages: Literal["exclude", "adults"] = "exclude"
    """``adults`` vouches that nobody of unknown age in the photos is under 20."""

    smallest_group: int = Field(default=12, ge=2)
    """Fewest people or scenes of a group, or of a crossing of groups, that get rates."""


class UnitsSection(Section):
    """``[units]``: where units are read."""

    layers: tuple[str, ...] = ()
    """Layer names; empty means the model's default layer."""

    pooling: str = ""
    """Empty means the layer's default pooling."""

    renderings: int = Field(default=3, ge=1)
    """How many renderings of every word are shown."""

    pages: int = Field(default=6, ge=0)
    """Units of findings that get a page of their own."""

    examples: int = Field(default=4, ge=0)
    """Strongest pictures on a page; a middle and a random one stand beside them."""

    people: Literal["off", "blurred", "shown"] = "off"
    """How photos of people are shown; other pictures are shown as they are."""

    drawn: Literal["off", "phase", "fourier"] = "off"
    """Whether pictures are drawn by optimisation until a unit answers."""

    drawn_steps: int = Field(default=128, ge=8)


class ProbesSection(Section):
    """``[probes]``: sparse logistic probes."""

    roles: tuple[Literal["identity", "harm", "control"], ...] = ("identity", "harm")
    lambdas: int = Field(default=20, ge=3)
    folds: int = Field(default=5, ge=2)
    stability: bool = True
    """Whether units are picked on complementary halves of the clusters."""

    pairs: int = Field(default=25, ge=10)
    """Pairs of halves."""

    fixed_units: int = Field(default=3, ge=1)
    """Units of the probe with a fixed number of them."""

    transfer: bool = True
    """Whether probes of a found link's harm are read on its group, and the other way round."""


class CausalSection(Section):
    """``[causal]``: silencing the units of found links."""

    check: bool = True
    units: int = Field(default=10, ge=1)
    """Units that are silenced together."""

    matched_sets: int = Field(default=999, ge=19)
    """Sets of other units that they are held against."""

    max_pictures: int = Field(default=64, ge=8)
    """Pictures of the group, and of the rest of its family, in each half."""


class TypographySection(Section):
    """``[typography]``: words written on pictures."""

    check: bool = True
    pictures: int = Field(default=48, ge=4)
    words: int = Field(default=8, ge=1)
    settings: int = Field(default=2, ge=1)
    """Positions, sizes and colours that each picture gets."""

    stroop: bool = True
    """Whether words that name colours are shown in other colours."""


class ReplicationSection(Section):
    """``[replication]``: a second model in which the links of findings are looked for."""

    name: str = ""
    """As in ``[model]``; empty means none."""

    pretrained: str = ""
    layer: str = ""
    """Empty means the default layer."""


class DeploymentSection(Section):
    """``[deployment]``: the product's own labels, templates, threshold and k."""

    labels: tuple[str, ...] = ()
    """What the product lets a picture be answered with; empty means that it was not told."""

    harmful: dict[str, str] = Field(default_factory=dict)
    """Label to the harm pack that it belongs to."""

    templates: tuple[str, ...] = ()
    """What the product writes around a label, ``{t}`` standing for it; empty means the label
    alone."""

    threshold: float | None = Field(default=None, gt=0, lt=1)
    """Softmax share from which the product acts on a label."""

    k: int | None = Field(default=None, ge=1)
    """How many pictures the product shows for a search."""

    target: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Group column to the share of each group that a search should show."""


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

    def resolved(self) -> dict[str, Any]:
        """Return every value with defaults written out, ready for JSON."""
        return self.model_dump(mode="json")

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
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanError(
            f"A plan must be a readable TOML file; {path} gave: {error.strerror}. "
            "Check the path, or leave it out for the default plan."
        ) from None
    except UnicodeDecodeError:
        raise PlanError(f"A plan must be UTF-8 text; {path} is not. Save it as UTF-8.") from None
    return parse_plan(text, where=str(path))


def builtin_plan(name: str) -> AuditPlan:
    """Return a plan that comes with the tool."""
    text = (files("audit") / "plans" / BUILTIN_PLANS[name]).read_text(encoding="utf-8")
    return parse_plan(text, where=f"the built-in plan {name!r}")


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
