"""``clip-audit decompose``: classes of pictures as sums of units."""

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from audit.class_sums import class_sums, require_classes, require_same_model, strongest_concepts
from audit.cli.kernels import kernel_book
from audit.cli.printing import note, say
from audit.folder import result_path
from audit.folders import cache_folder
from audit.gather import Instruments, Shown, show_photos
from audit.plan import AuditPlan, PhotosSection
from audit.results import read_result
from concept_sets.photos import read_photos
from probes.backends.table import load_encoder
from probes.cache import ActivationCache
from probes.decomposition import Decomposition
from probes.encoder import Encoder, Reading
from probes.errors import ModelNameError
from probes.fixed_units import ARTICLE_UNITS
from probes.measurement import Estimate
from probes.progress import TerminalProgress
from probes.readings import default_reading, parse_reading
from reports.names import Names

FORMAT = "clip-audit decompose 1"
SEED = 73
"""Second word of the seed."""

MEANING = (
    "A weight is the change of a class's log odds per standard deviation of the unit; a class is "
    "told from all others, so other classes would give other sums. Units that go together replace "
    "each other. Names of units are what an audit found them to answer to most: a place to look, "
    "not a meaning."
)


@click.command()
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--pretrained", default="", help="Tag or checkpoint file of the architecture.")
@click.option("--layer", default="", metavar="LAYER[:POOLING]",
              help="Where units are read; the model's default unless given.")  # fmt: skip
@click.option("--units", default=float(ARTICLE_UNITS), show_default=True,
              type=click.FloatRange(min=0, min_open=True),
              help="Units per class, on average.")  # fmt: skip
@click.option("--audit", type=click.Path(path_type=Path, file_okay=False),
              help="Audit folder of the same model, which knows what units answer to.")  # fmt: skip
@click.option("--seed", default=AuditPlan().seed, show_default=True, type=click.IntRange(min=0),
              help="Deals the folds.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True)  # fmt: skip
@click.option("--reveal", is_flag=True, help="Show harmful terms of the audit in full.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--offline", is_flag=True, help="Use only what is on this machine.")
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the activation cache.")  # fmt: skip
def decompose(
    model: str,
    folder: Path,
    pretrained: str,
    layer: str,
    units: float,
    audit: Path | None,
    seed: int,
    form: str,
    reveal: bool,
    device: str,
    offline: bool,
    cache: Path | None,
) -> None:
    """Show the classes of FOLDER as sums of units of MODEL.

    FOLDER is a folder with one folder of pictures per class, or a manifest with a column
    'concept': any label set. Each class is told from all others by a few units, and the sums are
    scored on pictures that they were not fitted to.
    """
    photos = read_photos(folder)
    require_classes(photos)
    encoder = load_encoder(
        model,
        pretrained=pretrained or None,
        offline=offline,
        device=device,
        kernels=kernel_book(cache),
    )
    reading = _reading(layer, encoder)
    known = _Known.of(audit, encoder, reveal=reveal)
    tools = Instruments(
        encoder=encoder,
        cache=ActivationCache(cache or cache_folder()),
        progress=TerminalProgress(sys.stderr),
        readings=(reading,),
    )
    shown = show_photos(photos, PhotosSection().max_unreadable, tools)
    done = shown.extraction
    note(f"{done.encoded} pictures encoded now, {done.reused} from the cache")
    found = class_sums(
        shown,
        reading,
        mean_units=units,
        rng=np.random.default_rng([seed, SEED]),
        progress=tools.progress,
    )
    names = known.names_of(found, reading)
    page = {
        "format": FORMAT,
        "model": encoder.identity.name,
        "weights": encoder.identity.weights_digest,
        "layer": reading.layer,
        "pooling": reading.pooling.value,
        "pictures": photos.digest,
        "seed": seed,
        "audit": known.digest,
        **_page(found, shown, names, known),
        "reading": MEANING,
    }
    if form == "json":
        click.echo(json.dumps(page, indent=2, allow_nan=False))
    else:
        _say_page(page)


def _reading(layer: str, encoder: Encoder) -> Reading:
    if layer:
        return parse_reading(layer, encoder.layers)
    reading = default_reading(encoder.layers)
    if reading is None:
        raise ModelNameError(
            f"Classes are sums of units; no layer of {encoder.identity.name} can be read. "
            "`clip-audit models inspect` shows layers."
        )
    return reading


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What an audit of the model tells of its units, if one is given."""

    folder: Path | None = None
    names: Names | None = None
    digest: str | None = None
    reveal: bool = False

    @classmethod
    def of(cls, folder: Path | None, encoder: Encoder, *, reveal: bool) -> "_Known":
        if folder is None:
            return cls(reveal=reveal)
        result = read_result(result_path(folder))
        require_same_model(folder, result, encoder.identity)
        names = Names(inputs=result.inputs)
        return cls(folder=folder, names=names, digest=result.digest, reveal=reveal)

    def names_of(self, found: Decomposition, reading: Reading) -> Mapping[int, tuple[str, ...]]:
        """Return the display names of the concepts that the units of the sums answer to."""
        units = sorted({term.unit for name in found.classes for term in found.terms(name)})
        if self.folder is None or self.names is None or not units:
            return {}
        refs = strongest_concepts(self.folder, reading, units)
        return {unit: tuple(map(self.names.concept, own)) for unit, own in refs.items()}

    def shown(self, label: str) -> str:
        """Mask what the audit masks, in the name of a class."""
        if self.names is None or self.reveal:
            return label
        return self.names.hidden_within(label)


def _page(
    found: Decomposition, shown: Shown, names: Mapping[int, tuple[str, ...]], known: _Known
) -> dict[str, Any]:
    called = {unit: f"unit {unit} ({', '.join(own)})" for unit, own in names.items()}
    clusters = {(s.concept, s.cluster) for s in shown.stimuli}
    return {
        "pictures_used": len(shown.stimuli),
        "unreadable": len(shown.extraction.bad),
        "clusters": found.clusters,
        "units_per_class": found.mean_units,
        "penalty": found.penalty,
        "accuracy": _number(found.accuracy),
        "top_5_accuracy": _number(found.top_accuracy),
        "classes": [
            {
                "class": known.shown(name),
                "clusters": sum(concept == name for concept, _ in clusters),
                "sum": found.equation(name, names=called).replace(name, known.shown(name), 1),
                "units": [
                    {
                        "unit": term.unit,
                        "weight": term.weight,
                        "concepts": list(names.get(term.unit, ())),
                    }
                    for term in found.terms(name)
                ],
                "undefined": found.reasons.get(name),
            }
            for name in found.classes
        ],
    }


def _number(estimate: Estimate) -> dict[str, Any]:
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    plain = {name: value if math.isfinite(value) else None for name, value in ends.items()}
    chance = estimate.neutral if plain["value"] is not None else None
    return {**plain, "chance": chance, "undefined": estimate.reason or None}


def _say_page(page: dict[str, Any]) -> None:
    say(f"Classes as sums of units of {page['layer']} ({page['pooling']}) of {page['model']}",
        bold=True)  # fmt: skip
    for entry in page["classes"]:
        say(f"  {entry['sum']}")
    say(
        f"{page['units_per_class']:.2g} units per class on average; {page['pictures_used']} "
        f"pictures in {page['clusters']} clusters, {page['unreadable']} unreadable."
    )
    say(_accuracy_line("Held-out accuracy", page["accuracy"]))
    say(_accuracy_line("Among the five highest", page["top_5_accuracy"]))
    say(page["reading"])


def _accuracy_line(label: str, share: dict[str, Any]) -> str:
    if share["value"] is None:
        return f"{label}: undefined, {share['undefined']}."
    value, low, high, chance = (
        f"{100 * share[name]:.1f}" for name in ("value", "low", "high", "chance")
    )
    return f"{label}: {value} % (95 % {low} to {high}; by chance {chance} %)."
