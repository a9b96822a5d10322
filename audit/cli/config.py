"""``clip-audit config``: the schema of plans and waivers, what a plan says, what is wrong in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from audit.cli.gate_asked import GateAsked, gate_options
from audit.cli.printing import note, say
from audit.errors import PlanError
from audit.plan import AuditPlan, builtin_text, parse_plan, plan_text, validate_plan
from audit.plan_check import Checked, check_one, check_packs, kind_of
from audit.plan_explained import Explained, explain_plan, explained_lines
from audit.plan_lines import Key, key_lines
from audit.waivers import waivers_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS = {"plan": AuditPlan.model_json_schema, "waivers": waivers_schema}
KINDS = ("plan", "waivers", "baseline", "packs")


@click.group()
def config() -> None:
    """Show, explain and check plans, waivers and packs; nothing is measured."""


@config.command()
@click.option("--of", "kind", type=click.Choice(tuple(SCHEMAS)), default="plan", show_default=True,
              help="Kind of file.")  # fmt: skip
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of file, for editors and other tools."""
    document = {"$schema": DIALECT, **SCHEMAS[kind](), "title": f"clip-audit {kind}"}
    for line in json.dumps(document, indent=2, ensure_ascii=False).splitlines():
        say(line)


@config.command()
@click.option("--plan", "plan_path", type=click.Path(path_type=Path, dir_okay=False),
              help="Plan file (TOML) instead of the built-in one.")  # fmt: skip
@click.option("--model", default="", help="As for `run`.")
@click.option("--pretrained", default="", help="As for `run`.")
@click.option("--other", default="", help="As for `run`.")
@click.option("--other-pretrained", default="", help="As for `run`.")
@click.option("--fast", is_flag=True, help="As for `run`.")
@click.option("--photos", default="", help="As for `run`.")
@click.option("--packs", multiple=True, help="As for `run`.")
@click.option("--directions", multiple=True, help="As for `run`.")
@gate_options
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text",
              show_default=True)  # fmt: skip
def explain(plan_path: Path | None, gate: GateAsked, form: str, **typed: Any) -> None:
    """Print every key with its value and origin: default, line of the plan, or option.

    The text is a plan that means the same.
    """
    where = str(plan_path) if plan_path is not None else "built-in plan default"
    text = plan_text(plan_path) if plan_path is not None else builtin_text("default")
    plan = parse_plan(text, where=where)
    changes = {**dict(_typed(plan, typed)), **_gate_typed(gate)}
    changed = _changed(plan, {key: value for key, (value, _) in changes.items()})
    options = {key: option for key, (_, option) in changes.items()}
    explained = explain_plan(changed, key_lines(text), where, options)
    for line in explained_lines(explained) if form == "text" else _json(explained):
        say(line)


def _typed(plan: AuditPlan, typed: dict[str, Any]) -> Iterator[tuple[Key, tuple[Any, str]]]:
    """Yield each key that `run` would take from these options, with its value and the option."""
    if typed["model"]:
        yield ("model", "name"), (typed["model"], "--model")
        told = "--pretrained" if typed["pretrained"] else "--model"
        yield ("model", "pretrained"), (typed["pretrained"], told)
    if typed["fast"]:
        yield ("model", "mode"), ("fast", "--fast")
    if typed["other"]:
        yield ("replication", "name"), (typed["other"], "--other")
        told = "--other-pretrained" if typed["other_pretrained"] else "--other"
        yield ("replication", "pretrained"), (typed["other_pretrained"], told)
        if typed["other"] != plan.replication.name:
            yield ("replication", "layer"), ("", "--other")
    if typed["photos"]:
        yield ("photos", "path"), (typed["photos"], "--photos")
    if typed["packs"]:
        yield ("concepts", "folders"), ((*plan.concepts.folders, *typed["packs"]), "--packs")
    if typed["directions"]:
        files = (*plan.units.directions, *typed["directions"])
        yield ("units", "directions"), (files, "--directions")


def _gate_typed(gate: GateAsked) -> dict[Key, tuple[Any, str]]:
    return {
        ("gate", name): (str(value) if isinstance(value, Path) else value, _option(name, value))
        for name, value in gate.given.items()
    }


def _option(name: str, value: object) -> str:
    return f"--{'no-' if value is False else ''}{name.replace('_', '-')}"


def _changed(plan: AuditPlan, changes: dict[Key, Any]) -> AuditPlan:
    document = plan.model_dump(mode="json", exclude_none=True)
    for (table, name), value in changes.items():
        document[str(table)][name] = value
    return validate_plan(document, where="The command line")


def _json(explained: tuple[Explained, ...]) -> Iterator[str]:
    rows = [
        {"key": ".".join(map(str, e.key)), "value": e.value, "origin": e.origin} for e in explained
    ]
    yield from json.dumps(rows, indent=1, ensure_ascii=False).splitlines()


@config.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "kind", type=click.Choice(KINDS), default=None,
              help="What the files are, where name and content do not say it.")  # fmt: skip
@click.option("--no-builtin", is_flag=True, help="The packs are used without the built-in ones.")
@click.pass_context
def check(
    context: click.Context, files: tuple[Path, ...], kind: str | None, no_builtin: bool
) -> None:
    """Check plans, waivers, baselines and packs; no model is loaded and nothing is measured.

    A plan is checked with the packs, waivers and baseline that it names. Exits with 2 if a file
    cannot be used, else with 0.
    """
    kinds = {path: kind or _kind(path) for path in dict.fromkeys(files)}
    packs = tuple(path for path, what in kinds.items() if what == "packs")
    checked = [check_one(path, what) for path, what in kinds.items() if what != "packs"]
    checked += check_packs(packs, builtin=not no_builtin)
    for file in checked:
        _tell(file)
    context.exit(2 if any(file.errors for file in checked) else 0)


def _kind(path: Path) -> str:
    if not path.exists():
        raise PlanError(f"A file to check must be there; {path} is not. Check the path.")
    return kind_of(path)


def _tell(file: Checked) -> None:
    for sentence in file.errors:
        note(f"Error: {sentence}")
    for sentence in file.notes:
        note(f"Note: {file.path}: {sentence}")
    if not file.errors:
        say(f"{file.path}: {file.kind} without errors")
