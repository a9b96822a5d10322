"""``clip-audit init``: five questions, and a plan that `run` accepts."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import click

from audit.cli.init_questions import QUESTIONS, Question, answered, contrasts, with_labels
from audit.cli.printing import note, say
from audit.errors import PlanError
from audit.folder import write_file
from audit.plan_written import STRICTNESS, Answers, plan_name, written_plan
from concept_sets.errors import ConceptSetError
from probes.errors import ModelError, ModelNameError

REFUSALS = (PlanError, ConceptSetError, ModelNameError, ModelError)
MANY = 100
"""Contrasts from which the loss of power is worth a word."""

Given = dict[str, str | None]


@click.command()
@click.argument("path", metavar="[PATH]", default="plan.toml", type=click.Path(path_type=Path))
@click.option("--model", help='Architecture, or architecture and tag ("ViT-B-32 openai"), '
              "hf-hub:org/name, local-dir:FOLDER; none: named with every run.")  # fmt: skip
@click.option("--pretrained", default="", help="Tag or checkpoint file of the architecture.")
@click.option("--photos", help="Manifest, class-per-folder tree, tar or Parquet shards, or the "
              "address of such in an object store; none.")  # fmt: skip
@click.option("--families", help="Families of groups, and folders or files with packs of your own, "
              "separated by commas; default.")  # fmt: skip
@click.option("--harms", help="Harms that may fail the gate, separated by commas, or severity>=3; "
              "default.")  # fmt: skip
@click.option("--label", "labels", multiple=True, metavar="LABEL[=HARM]",
              help="A label of your product, with its harm where it is one; may be repeated.",
              )  # fmt: skip
@click.option("--gate", type=click.Choice(STRICTNESS),
              help="report: nothing fails; severe: findings of high severity fail; strict: medium "
              "ones, open contrasts and warnings too.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given gets its default.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(
    path: Path,
    pretrained: str,
    labels: tuple[str, ...],
    yes: bool,
    force: bool,
    **typed: str | None,
) -> None:
    """Write a plan to PATH [plan.toml] from five questions, or from their options.

    What cannot be used is refused with the nearest name, and asked again on a terminal.
    """
    path = path / "plan.toml" if path.is_dir() else path
    refuse_overwriting(path, force)
    given: Given = {f"--{name}": value for name, value in typed.items()}
    given["--label"] = "none" if labels else None
    asking = is_terminal() and not yes
    if not (asking or yes):
        refuse_silence(given)
    answers = with_labels(Answers(), labels, path.parent) if labels else Answers()
    answers = ask_all(replace(answers, pretrained=pretrained), given, asking, path.parent)
    text = written_plan(plan_name(path.absolute()), answers)
    count = contrasts(text, path.parent)
    write_file(path, text.encode())
    say(f"{path}: a plan with {count} contrasts fixed beforehand.")
    if count > MANY:
        say("Each contrast costs the others power: shorten [[blocking]] to what could harm.")
    later = "" if answers.model else " --model NAME --pretrained TAG"
    say(f"Next: clip-audit run {shlex.quote(str(path))}{later}")


def ask_all(answers: Answers, given: Given, asking: bool, home: Path) -> Answers:
    """Take what was given, and ask for the rest on a terminal."""
    for heading, parts in QUESTIONS.items():
        if asking and any(given[part.option] is None for part in parts):
            note(heading)
        for part in parts:
            told = given[part.option]
            if told is not None:
                answers = answered(answers, part, told, home)
            elif asking:
                answers = ask(answers, part, home)
    return answers


def ask(answers: Answers, question: Question, home: Path) -> Answers:
    """Ask until the answer can be used."""
    note(f"   {question.text}")
    while True:
        told = click.prompt("  ", default=question.default, err=True, prompt_suffix=" ")
        try:
            return answered(answers, question, told, home)
        except REFUSALS as error:
            note(f"   {error}")


def is_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()


def refuse_overwriting(path: Path, force: bool) -> None:
    """Refuse a file that is there, and a folder that is not.

    Raises
    ------
    PlanError
        Saying what to do.
    """
    if path.exists() and not force:
        raise PlanError(
            f"A plan must not overwrite a file; {path} is there. Give another path, or --force."
        )
    if not path.parent.is_dir():
        raise PlanError(
            f"A plan must go into a folder that is there; {path.parent} is not. Make it first."
        )


def refuse_silence(given: Given) -> None:
    """Refuse to guess where nobody can be asked; labels may be left out.

    Raises
    ------
    PlanError
        Naming the options that answer the open questions.
    """
    missing = [name for name, told in given.items() if told is None and name != "--label"]
    if missing:
        raise PlanError(
            f"Questions need a terminal; there is none. Give {', '.join(missing)}, or --yes for "
            "the defaults."
        )
