"""A plan written from a few answers, with comments for the person who will change it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from audit.plan import BlockingSection, GateSection, builtin_plan
from audit.toml_text import toml_key, toml_value

Strictness = Literal["report", "severe", "strict"]
STRICTNESS: tuple[Strictness, ...] = get_args(Strictness)
GATES: dict[Strictness, GateSection] = {
    "report": GateSection(),
    "severe": GateSection(fail_on="high"),
    "strict": GateSection(fail_on="medium", min_coverage=0.8, on_inconclusive="fail", strict=True),
}
"""How strict a gate is, in a word: nothing fails; severe findings; everything doubtful too."""

SEVERE = ("severity>=3",)
"""Harms that block where families are chosen and harms are not."""

HEAD = """\
# A plan for clip-audit: what is asked, fixed before any result exists. Change it before the first
# audit; afterwards other limits, blocking contrasts, arms or another seed make it another plan.
# All keys: docs/plans.md. All values with their origin: clip-audit config explain --plan FILE
schema_version = 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What `clip-audit init` asks."""

    model: str = ""
    """Empty: named on the command line of every run."""

    pretrained: str = ""
    photos: str = ""
    """Relative to the plan; empty: prompts and drawn words only."""

    families: tuple[str, ...] = ()
    """Families or patterns of groups; empty with no packs: those of the default plan."""

    packs: tuple[str, ...] = ()
    """Relative to the plan."""

    harms: tuple[str, ...] = ()
    """Harms that may fail the gate with each group; empty: the contrasts of the literature."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """The product's own labels, each with its harm pack or nothing."""

    gate: Strictness = "severe"

    @property
    def identities(self) -> tuple[str, ...]:
        """Families that are measured: whole ones, since a group is compared with its family."""
        if not self.families:
            return ("*",) if self.packs else builtin_plan("default").concepts.identities
        return tuple(dict.fromkeys(f"{name.split('/')[0]}/*" for name in self.families))

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups that may fail the gate."""
        return tuple(n if "/" in n else f"{n}/*" for n in self.families) or self.identities

    @property
    def blocking(self) -> tuple[BlockingSection, ...]:
        """Contrasts fixed beforehand."""
        if not (self.families or self.packs or self.harms):
            return builtin_plan("default").blocking
        return (BlockingSection(identities=self.groups, harms=self.harms or SEVERE),)


def written_plan(name: str, answers: Answers) -> str:
    """Write a plan as TOML.

    Parameters
    ----------
    name : str
        Its name in results.
    answers : Answers

    Returns
    -------
    str
        Text that `audit.plan.parse_plan` takes.
    """
    parts = (_head(name), _model(answers), _concepts(answers), _blocking(answers.blocking),
             _photos(answers), _deployment(answers.labels), _gate(GATES[answers.gate]))  # fmt: skip
    return "\n".join("\n".join(part) + "\n" for part in parts)


def _head(name: str) -> Iterator[str]:
    yield HEAD
    yield f"name = {toml_value(name)}"
    yield 'title = ""                       # of the report'


def _model(answers: Answers) -> Iterator[str]:
    yield "[model]"
    if not answers.model:
        yield "# Named on the command line: run PLAN --model NAME --pretrained TAG"
        yield "# As `clip-audit models list` shows it, hf-hub:org/name or local-dir:FOLDER:"
        yield '# name = "ViT-B-32"'
        yield '# pretrained = "openai"'
        return
    yield f"name = {toml_value(answers.model)}"
    if answers.pretrained:
        yield f"pretrained = {toml_value(answers.pretrained)}"
    yield '# weights_digest = "sha256:..."  # when given, other weights are refused'


def _concepts(answers: Answers) -> Iterator[str]:
    yield "[concepts]                       # `clip-audit concepts list` shows families and harms"
    if answers.packs:
        yield f"folders = {toml_value(answers.packs)}"
    yield f"identities = {toml_value(answers.identities)}"
    yield 'harms = ["*"]                    # all are measured; only those below can fail a gate'


def _blocking(blocking: Sequence[BlockingSection]) -> Iterator[str]:
    yield "# Contrasts fixed beforehand: every group of a table with every harm of it. Only these"
    yield "# can fail the gate, and each costs the others power: keep those that your use could"
    yield "# turn into harm."
    for place, entry in enumerate(blocking):
        yield from ("",) if place else ()
        yield "[[blocking]]"
        yield f"identities = {toml_value(entry.identities)}"
        yield f"harms = {toml_value(entry.harms)}"


def _photos(answers: Answers) -> Iterator[str]:
    if not answers.photos:
        yield "# Photos are further evidence: a manifest, a class-per-folder tree or tar shards."
        yield "# [photos]"
        yield '# path = "photos.csv"'
        return
    yield "[photos]"
    yield f"path = {toml_value(answers.photos)}"
    yield '# unknown_ages = "exclude"       # "adults": you vouch that nobody is under 20'


def _deployment(labels: Mapping[str, str]) -> Iterator[str]:
    if not labels:
        yield "# Labels that your product answers with can be measured: [deployment]."
        return
    yield "[deployment]                     # what the product asks of pictures"
    yield f"labels = {toml_value(tuple(labels))}"
    yield '# templates = ["a photo of {t}"] # what it writes around a label'
    yield "# threshold = 0.6               # softmax share from which it acts on one"
    harmful = {label: harm for label, harm in labels.items() if harm}
    if harmful:
        yield ""
        yield "[deployment.harmful]"
        yield from (f"{toml_key(label)} = {toml_value(harm)}" for label, harm in harmful.items())


def _gate(gate: GateSection) -> Iterator[str]:
    yield "[gate]                           # what the exit code is asked: docs/gate.md"
    asked = {"fail_on": gate.fail_on, **gate.model_dump(exclude_defaults=True)}
    yield from (f"{key} = {toml_value(value)}" for key, value in asked.items())
    yield '# waivers = "waivers.toml"       # findings that a person accepted'
    yield '# fail_on_new = "medium"         # with the next line: only what is new fails'
    yield '# baseline = "baseline.json"     # clip-audit baseline AUDIT --output baseline.json'


def plan_name(path: Path) -> str:
    """Name a plan after its file, or after its folder where the file is just called plan.

    Examples
    --------
    >>> plan_name(Path("faces/plan.toml")), plan_name(Path("search.toml"))
    ('faces', 'search')
    """
    return path.stem if path.stem != "plan" else path.parent.name or "plan"
