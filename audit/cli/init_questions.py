"""The questions of ``clip-audit init``: what each asks, and what an answer changes."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from audit.cli.faulty_packs import refuse_faulty
from audit.errors import PlanError
from audit.plan import parse_plan
from audit.plan_check import check_names
from audit.plan_written import STRICTNESS, Answers, Strictness, written_plan
from audit.selection import select
from concept_sets.addresses import fault_of, is_address, local_path
from concept_sets.catalog import load_library
from concept_sets.entry import near
from probes.backends.naming import HUB, LOCAL
from probes.backends.table import check_name

NOTHING = {"", "none", "default"}
"""Answers that leave a question to its default."""

PACK_SUFFIXES = {".yaml", ".yml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, with the option that answers it."""

    option: str
    text: str
    default: str
    change: Callable[[Answers, str, Path], Answers]
    """Takes what was answered so far, the answer, and the folder of the plan; or refuses."""


def _model(answers: Answers, given: str, home: Path) -> Answers:
    whole = given.startswith((HUB, LOCAL))
    name, _, tag = (given, "", "") if whole else given.partition(" ")
    tag = tag.strip() or answers.pretrained
    check_name(name, tag)
    return replace(answers, model=name, pretrained=tag)


def _photos(answers: Answers, given: str, home: Path) -> Answers:
    if fault := fault_of(given):
        raise PlanError(fault)
    path = local_path(given)
    if path is not None and not path.exists():
        raise PlanError(
            "Photos must be a file or folder that is there, or an address (s3://bucket/photos.csv)"
            f"; {given} is not. Check the path, or answer none."
        )
    return replace(answers, photos=seen_from(home, given))


def _families(answers: Answers, given: str, home: Path) -> Answers:
    known = {held.id for held in load_library().sets}
    names = listed(given)
    packs = [name for name in names if name not in known and _may_be_packs(name)]
    families = tuple(name for name in names if name not in packs)
    return checked(
        replace(answers, families=families, packs=tuple(seen_from(home, pack) for pack in packs)),
        home,
    )


def _may_be_packs(name: str) -> bool:
    return Path(name).is_dir() or Path(name).suffix in PACK_SUFFIXES


def _harms(answers: Answers, given: str, home: Path) -> Answers:
    return checked(replace(answers, harms=listed(given)), home)


def _labels(answers: Answers, given: str, home: Path) -> Answers:
    return with_labels(answers, listed(given), home)


def _gate(answers: Answers, given: str, home: Path) -> Answers:
    wanted: Mapping[str, Strictness] = {name: name for name in STRICTNESS}
    if given not in wanted:
        raise PlanError(
            f"A gate must be one of {', '.join(STRICTNESS)}; got {given!r}.{near(given, wanted)}"
        )
    return replace(answers, gate=wanted[given])


QUESTIONS: dict[str, tuple[Question, ...]] = {
    "1. Which model?": (
        Question(
            option="--model",
            text="architecture and tag as `clip-audit models list` shows them, hf-hub:org/name, "
            "local-dir:FOLDER; none: named with every run",
            default="none",
            change=_model,
        ),
    ),
    "2. Photos?": (
        Question(
            option="--photos",
            text="manifest, class-per-folder tree or tar shards, here or in an object store "
            "(s3://bucket/photos.csv); none: prompts and drawn words",
            default="none",
            change=_photos,
        ),
    ),
    "3. Which groups?": (
        Question(
            option="--families",
            text="families as `clip-audit concepts list` shows them, or folders of packs of your "
            "own, separated by commas; default: regions, religions, skin tones, professions, "
            "race and gender",
            default="default",
            change=_families,
        ),
    ),
    "4. Which harms may fail the gate, and what does your product say?": (
        Question(
            option="--harms",
            text="harms, or severity>=3, separated by commas; default: what the literature found, "
            "or severity>=3 where you chose groups",
            default="default",
            change=_harms,
        ),
        Question(
            option="--label",
            text="labels of your product, separated by commas, LABEL=HARM where one harms; none",
            default="none",
            change=_labels,
        ),
    ),
    "5. How strict is the gate?": (
        Question(
            option="--gate",
            text="report: nothing fails; severe: findings of high severity; strict: medium ones, "
            "open contrasts and warnings too",
            default="severe",
            change=_gate,
        ),
    ),
}


def answered(answers: Answers, question: Question, given: str, home: Path) -> Answers:
    """Take an answer.

    Raises
    ------
    PlanError, ConceptSetError, ModelNameError, ModelError
        If it cannot be used; the message has the nearest name where there is one.
    """
    given = given.strip()
    return answers if given in NOTHING else question.change(answers, given, home)


def with_labels(answers: Answers, labels: tuple[str, ...], home: Path) -> Answers:
    """Add labels of the product, each ``LABEL`` or ``LABEL=HARM``."""
    pairs = (label.rpartition("=") if "=" in label else (label, "", "") for label in labels)
    return checked(replace(answers, labels={p[0].strip(): p[2].strip() for p in pairs}), home)


def listed(given: str) -> tuple[str, ...]:
    """Split what commas separate."""
    return tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))


def seen_from(home: Path, path: str) -> str:
    """Return a path as a plan in ``home`` names it; absolute paths and addresses stay."""
    if Path(path).is_absolute() or is_address(path):
        return path
    return Path(os.path.relpath(path, home)).as_posix()


def checked(answers: Answers, home: Path) -> Answers:
    """Refuse answers whose plan would be refused."""
    contrasts(written_plan("plan", answers), home)
    return answers


def contrasts(text: str, home: Path) -> int:
    """Return how many contrasts a plan fixes beforehand, or refuse it as `run` would."""
    plan = parse_plan(text, where="The plan")
    library = load_library(
        [home / folder for folder in plan.concepts.folders], builtin=plan.concepts.builtin
    )
    if plan.concepts.folders:
        refuse_faulty(library)
    check_names(plan, library)
    return len(select(library, plan).blocking)
