"""The tables of a plan: one class each, every key with its default."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from audit.gate import Level, OnInconclusive

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

    mode: Literal["exact", "fast"] = "exact"
    """How pictures are computed by large towers; ``fast`` uses weights of bfloat16."""


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
    """Relative to the plan, or an address in an object store."""

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

    directions: tuple[str, ...] = ()
    """Files of linear directions that are read as units are, relative to the plan."""

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


class GateSection(Section):
    """``[gate]``: what the exit code is asked; the command line wins over it.

    It turns no number into a verdict and stays out of the plan's digests.
    """

    fail_on: Level = "none"
    fail_on_new: Level = "none"
    fail_on_worse: float | None = Field(default=None, ge=0)
    """Control standard deviations."""

    min_coverage: float | None = Field(default=None, ge=0, le=1)
    on_inconclusive: OnInconclusive = "pass"
    strict: bool = False
    baseline: str = ""
    """File, relative to the plan."""

    waivers: str = ""
    """File, relative to the plan."""
