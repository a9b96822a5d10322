"""``clip-audit run``: audit a model."""

import shlex
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from audit.assemble import run_record
from audit.cli.ending import ended
from audit.cli.faulty_packs import refuse_faulty
from audit.cli.gate_asked import GateAsked, gate_options, home_of
from audit.cli.kernels import kernel_book
from audit.cli.options import (
    format_option,
    keep_option,
    language_option,
    order_of,
    out_option,
    plan_of,
)
from audit.cli.photos_given import named_place, photos_given
from audit.cli.printing import note
from audit.cli.publish import Order, publish
from audit.cli.second_model import load_other, other_options, with_other
from audit.cli.sharing import Sharing, crew_of, share_photos, sharing_options
from audit.directions import direction_readings, with_direction_files
from audit.errors import PlanError
from audit.folders import cache_folder
from audit.gather import Instruments
from audit.plan import AuditPlan
from audit.run import run_audit
from audit.tables import catalogue_rows, contrast_rows, frame, probe_rows, rate_rows
from concept_sets.catalog import Library, load_library
from concept_sets.photos import PhotoSet
from probes.backends.table import load_encoder
from probes.cache import ActivationCache
from probes.encoder import KERNEL, Encoder, Reading
from probes.progress import TerminalProgress
from probes.readings import parse_reading


@click.command()
@click.argument("plan_path", metavar="[PLAN]", required=False,
                type=click.Path(path_type=Path, dir_okay=False))  # fmt: skip
@click.option("--model", default="", help="Architecture, hf-hub:org/name, local-dir:FOLDER, or "
              "embedded:demo.")  # fmt: skip
@click.option("--pretrained", default="", help="Tag or checkpoint file of the architecture.")
@other_options
@click.option("--photos", "photos_path", metavar="PATH|ADDRESS",
              help="Manifest (CSV or Parquet), class-per-folder tree, or tar or Parquet shards; "
              "here, or in an object store (s3://bucket/photos.csv).")  # fmt: skip
@click.option("--packs", type=click.Path(path_type=Path), multiple=True,
              help="Folder or file with concept sets of your own.")  # fmt: skip
@click.option("--directions", type=click.Path(path_type=Path, dir_okay=False), multiple=True,
              help="File (.safetensors, .npz) of directions, read as units are.")  # fmt: skip
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--fast", is_flag=True, help="Compute pictures by large towers in bfloat16; the "
              "result says how far that is off.")  # fmt: skip
@sharing_options
@click.option("--offline", is_flag=True, help="Use only what is on this machine.")
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the activation cache.")  # fmt: skip
@out_option
@format_option
@language_option
@keep_option
@gate_options
@click.pass_context
def run(
    context: click.Context,
    plan_path: Path | None,
    model: str,
    pretrained: str,
    other: str,
    other_pretrained: str,
    photos_path: str | None,
    packs: tuple[Path, ...],
    directions: tuple[Path, ...],
    device: str,
    fast: bool,
    sharing: Sharing,
    offline: bool,
    cache: Path | None,
    out: Path,
    formats: str,
    language: str,
    gate: GateAsked,
    store: Path | None,
) -> None:
    """Audit a model by a PLAN file, or by the default plan.

    The default plan asks about regions, religions, skin tones, professions, race and gender with
    their preset harms, in prompts and rendered words.
    """
    crew = crew_of(sharing, device)
    plan = with_model(plan_of(plan_path, "default"), model, pretrained, fast=fast)
    plan = with_other(plan, other, other_pretrained)
    order = order_of(out, formats, gate.order(plan.gate, home_of(plan_path)), store, language)
    folders = packs_of(plan, plan_path, packs)
    library = load_library(folders, builtin=plan.concepts.builtin)
    if folders:
        refuse_faulty(library)
    place = named_place(photos_path, plan.photos.path, home_of(plan_path))
    photos = photos_given(place, library, cache=cache or cache_folder(), offline=offline)
    note(f"Loading {plan.model.name} {plan.model.pretrained}".rstrip())
    load = partial(
        load_encoder,
        plan.model.name,
        pretrained=plan.model.pretrained or None,
        expected_digest=plan.model.weights_digest or None,
        activation=plan.model.activation or None,
        offline=offline,
        device=device,
        kernels=kernel_book(cache, fast=plan.model.mode == "fast"),
    )
    encoder = load()
    say_how_computed(plan, encoder)
    encoder = with_direction_files(encoder, directions_of(plan, plan_path, directions))
    second = load_other(plan, encoder, offline=offline, device=device, cache=cache)
    if sharing.executor is not None:
        shown = photos if plan.arms.photo != "off" else None
        share_photos(sharing.executor, crew, shown, instruments_of(plan, encoder, cache), load)
    code = audit_and_publish(
        plan, library, encoder, photos, order, cache, other=second, device=device
    )
    context.exit(code)


def audit_and_publish(
    plan: AuditPlan,
    library: Library,
    encoder: Encoder,
    photos: PhotoSet | None,
    order: Order,
    cache: Path | None,
    *,
    other: Encoder | None = None,
    device: str = "cpu",
) -> int:
    """Run the audit, write its folder, print its answer; return the exit code."""
    started = datetime.now(UTC)
    tools = instruments_of(plan, encoder, cache)
    audited = run_audit(plan, library, tools, photos=photos, other=other, say=note)
    draft = audited.draft
    rows = frame(
        [
            *contrast_rows(draft.contrasts),
            *rate_rows(audited.rates),
            *catalogue_rows(audited.values),
            *probe_rows(draft.probes),
        ]
    )
    record = run_record(
        started,
        datetime.now(UTC),
        device=device,
        encoded=audited.encoded,
        reused=audited.reused,
        command=shlex.join(["clip-audit", *sys.argv[1:]]),
    )
    note("Writing tables and reports")
    folder, result = publish(draft, order, rows, audited.unit_frames(), record)
    return ended(result, folder, order, audited.draft.conclusion.trustworthy)


def instruments_of(plan: AuditPlan, encoder: Encoder, cache: Path | None) -> Instruments:
    """Put together what every extraction needs.

    Raises
    ------
    ModelNameError
        If the plan names a layer or pooling that the model lacks.
    """
    return Instruments(
        encoder=encoder,
        cache=ActivationCache(cache or cache_folder()),
        progress=TerminalProgress(sys.stderr),
        readings=readings_of(plan, encoder),
    )


def with_model(plan: AuditPlan, model: str, pretrained: str, *, fast: bool = False) -> AuditPlan:
    """Let the command line name the model, and ask for the fast mode.

    Raises
    ------
    PlanError
        If neither names one.
    """
    update = {"name": model, "pretrained": pretrained} if model else {}
    if fast:
        update["mode"] = "fast"
    if update:
        plan = plan.model_copy(update={"model": plan.model.model_copy(update=update)})
    if not plan.model.name:
        raise PlanError(
            "An audit needs a model; neither --model nor the plan's [model] names one. "
            "`clip-audit models list` shows names; `clip-audit demo` needs none."
        )
    return plan


def say_how_computed(plan: AuditPlan, encoder: Encoder) -> None:
    """Tell what computes pictures where that is not the plain network, or not what was asked."""
    kernel = encoder.identity.libraries.get(KERNEL, "")
    if kernel:
        note(f"Pictures are computed by {kernel}")
    elif plan.model.mode == "fast":
        note("Fast mode is for image towers of 8 million parameters and more; this one is exact.")


def packs_of(plan: AuditPlan, plan_path: Path | None, packs: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return pack folders of the plan, relative to it, then those of the command line."""
    home = home_of(plan_path)
    return (*(home / folder for folder in plan.concepts.folders), *packs)


def directions_of(
    plan: AuditPlan, plan_path: Path | None, given: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Return files of directions of the plan, relative to it, then those of the command line."""
    home = home_of(plan_path)
    return (*(home / path for path in plan.units.directions), *given)


def readings_of(plan: AuditPlan, encoder: Encoder) -> tuple[Reading, ...]:
    """Return the layers and poolings to read: the default layer with its default pooling.

    Layers of directions that the plan does not name are read as well.

    Raises
    ------
    ModelNameError
        If the plan names a layer or pooling that the model lacks.
    """
    if not encoder.layers:
        return ()
    names = plan.units.layers or (encoder.layers[-1].name,)
    ending = f":{plan.units.pooling}" if plan.units.pooling else ""
    asked = tuple(parse_reading(f"{name}{ending}", encoder.layers) for name in names)
    return (*asked, *direction_readings(encoder, asked, plan.units.pooling))
