"""``inspect``: the units that any sentence asks for."""

import json
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import click

from audit.atlas import ARMS, leading_concepts
from audit.atlas_table import require_unchanged
from audit.atlas_uses import findings_of
from audit.cli.printing import note, say
from audit.errors import PlanError, ResultError
from audit.folder import result_path
from audit.folders import cache_folder
from audit.results import AuditResult, read_result
from audit.text_units import fidelity_lines
from audit.text_units_sentences import Asked, ask
from concept_sets.catalog import Library, load_library
from probes.backends.table import load_encoder
from probes.cache import ActivationCache
from probes.encoder import Encoder
from probes.linear_text import STRONGEST, Inspected
from probes.progress import TerminalProgress
from reports.names import Names

FORMAT = "clip-audit inspect 1"
EMBEDDED = "embedded:"
SHOWN = {"text": "prompts", "rendered": "rendered words", "photo": "photos"}
MEANING = (
    "Weights are of the wording alone, in standard deviations of neutral prompts; below 0 a unit "
    "speaks against the sentence. No picture was looked at, and no harm is found by them."
)
NOT_MEASURED = (
    "How far such weights go with the scores of this model was not measured here: --audit with an "
    "audit of it tells."
)


@click.command("inspect")
@click.argument("model")
@click.argument("sentences", metavar="SENTENCE...", nargs=-1, required=True)
@click.option("--minus", default="", help="Take this sentence away from each.")
@click.option("--pretrained", default=None, help="Tag or checkpoint file of an architecture.")
@click.option("--offline", is_flag=True, help="Use only what is on this machine.")
@click.option("--layer", default="", help="Layer of the units; the last by default.")
@click.option("--top", type=click.IntRange(1, 1000), default=STRONGEST, show_default=True,
              help="Units shown of each sentence.")  # fmt: skip
@click.option("--audit", type=click.Path(path_type=Path, exists=False),
              help="Folder of an audit of this model: names units by what they answer "
              "to.")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the activation cache.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True)  # fmt: skip
def inspect_sentences(
    model: str,
    sentences: tuple[str, ...],
    minus: str,
    pretrained: str | None,
    offline: bool,
    layer: str,
    top: int,
    audit: Path | None,
    cache: Path | None,
    form: str,
) -> None:
    """Show the units that a SENTENCE asks for most, in the model's own text tower.

    The scale are the library's control prompts, so that units that every text asks for stay out.
    """
    result = None if audit is None else _audit(audit)
    library = library_for(model)
    encoder = load_encoder(model, pretrained=pretrained, offline=offline)
    if result is not None:
        _same_model(encoder, result)
    asked = ask(
        encoder,
        sentences,
        library,
        minus=minus,
        layer=layer,
        top=top,
        cache=ActivationCache(cache or cache_folder()),
        progress=TerminalProgress(sys.stderr),
    )
    page = _page(encoder, asked, audit, result)
    if form == "json":
        click.echo(json.dumps(page, indent=2, allow_nan=False))
    else:
        _say(page)


def library_for(model: str) -> Library:
    """Return the built-in library, or that of the fictional world for embedded models."""
    if not model.startswith(EMBEDDED):
        return load_library()
    with as_file(files("concept_sets") / "world" / "library") as folder:
        return load_library((folder,), builtin=False)


def _audit(audit: Path) -> AuditResult:
    result = read_result(result_path(audit))
    if not audit.is_dir():
        raise ResultError(f"--audit needs the audit folder, with its tables; got the file {audit}.")
    require_unchanged(audit, result)
    return result


def _same_model(encoder: Encoder, result: AuditResult) -> None:
    own, theirs = encoder.identity.weights_digest, result.model.weights_digest
    if own != theirs:
        raise PlanError(
            f"--audit must be an audit of the weights that are inspected, {own[:19]}; this one is "
            f"of {result.model.name} with {theirs[:19] or 'no weights'}. Its units are others."
        )


def _page(
    encoder: Encoder, asked: Asked, folder: Path | None, result: AuditResult | None
) -> dict[str, Any]:
    names = None if result is None else Names(inputs=result.inputs)
    measured = result.text_units.fidelity if result is not None and result.text_units else ()
    return {
        "format": FORMAT,
        "model": encoder.identity.name,
        "layer": asked.layer,
        "neutral_prompts": asked.neutral,
        "audit": result.digest if result is not None else None,
        "sentences": [
            _sentence(one, asked.layer, folder, result, names) for one in asked.sentences
        ],
        "fidelity": fidelity_lines([f for f in measured if f.layer == asked.layer]),
        "reading": MEANING,
    }


def _sentence(
    one: Inspected, layer: str, folder: Path | None, result: AuditResult | None, names: Names | None
) -> dict[str, Any]:
    entries = [
        {"unit": unit, "weight": weight}
        for unit, weight in zip(one.units.tolist(), one.weights.tolist(), strict=True)
    ]
    if folder is None or result is None or names is None:
        return {"sentence": one.text, "units": entries}
    leads = leading_concepts(folder, layer, one.units.tolist())
    for entry in entries:
        own = leads[entry["unit"]]
        entry["leads"] = {arm: [names.concept(c) for c in own[arm]] for arm in ARMS if arm in own}
        entry["findings"] = [c.finding.id for c in findings_of(result, layer, entry["unit"])]
    return {"sentence": one.text, "units": entries}


def _say(page: dict[str, Any]) -> None:
    say(f"Units of {page['layer']} of {page['model']}", bold=True)
    say(f"The scale are {page['neutral_prompts']} neutral prompts.")
    for one in page["sentences"]:
        say(f"“{one['sentence']}” asks for:")
        for entry in one["units"]:
            say(f"  {page['layer']}:{entry['unit']:<6} {entry['weight']:+8.2f}{_led(entry)}")
        if not one["units"]:
            say("  no unit: all texts ask alike of them")
    for line in page["fidelity"] or [NOT_MEASURED]:
        say(line)
    say(page["reading"])
    if page["audit"] is None:
        note("--audit AUDIT names units by the concepts that they answer to.")


def _led(entry: dict[str, Any]) -> str:
    leads = [
        f"{SHOWN[arm]}: {', '.join(own) or 'nothing'}"
        for arm, own in entry.get("leads", {}).items()
    ]
    findings = entry.get("findings", [])
    leads += [f"carries {', '.join(findings)}"] if findings else []
    return f"  {'; '.join(leads)}" if leads else ""
