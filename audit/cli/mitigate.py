"""``clip-audit mitigate``: try what the findings suggest, and audit again."""

import sys
import time
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path

import click

from audit.cli.faulty_packs import refuse_faulty
from audit.cli.kernels import kernel_book
from audit.cli.options import out_option
from audit.cli.photos_given import is_named_here, photos_given
from audit.cli.printing import note, say
from audit.cli.publish import folder_name
from audit.errors import PlanError
from audit.folder import begin_folder, require_writable, result_path
from audit.folders import cache_folder
from audit.gather import Instruments
from audit.mitigate import (
    STRENGTHS,
    MitigationOrder,
    check_strengths,
    chosen_findings,
    mitigate,
)
from audit.mitigation_budget import budget
from audit.mitigation_checkpoint import check_target, note_path, save_checkpoint
from audit.mitigation_file import MITIGATION, PAGE, mitigation_digest, write_mitigation
from audit.mitigation_record import TREATMENTS, MitigationRecord, TreatmentName
from audit.mitigation_world import gather_world, require_same_inputs
from audit.plan import AuditPlan, ModelSection, validate_plan
from audit.results import AuditResult, read_result
from concept_sets.catalog import Library, load_library
from concept_sets.photos import PhotoSet
from concept_sets.world.drawing import write_photos
from probes.backends.table import load_encoder
from probes.cache import ActivationCache
from probes.progress import TerminalProgress
from reports.as_mitigation import render_mitigation, summary_lines

EMBEDDED = "embedded:"
NOTHING = (
    "This audit found no link, so there is nothing to treat. That is not the same as there being "
    "none: see what was not tested."
)


def _strengths(context: click.Context, parameter: click.Parameter, value: str) -> tuple[float, ...]:
    try:
        given = tuple(float(part) for part in value.split(",") if part.strip())
    except ValueError:
        raise PlanError(
            f"Strengths must be numbers from 0 to 1, with commas between; got {value!r}. "
            "For example: --strengths 0,0.25,0.5,0.75,1"
        ) from None
    return check_strengths(given)


@click.command("mitigate")
@click.argument("audit", type=click.Path(path_type=Path, exists=False))
@click.option("--model", default="", help="The audited model, where it is not where the audit "
              "found it.")  # fmt: skip
@click.option("--pretrained", default="", help="Tag or checkpoint file of --model.")
@click.option("--finding", "findings", multiple=True, metavar="ID",
              help="Treat this finding only; repeatable. All together unless given.")  # fmt: skip
@click.option("--treatment", "treatments", multiple=True, type=click.Choice(TREATMENTS),
              help="Try this one only; repeatable.")  # fmt: skip
@click.option("--strengths", callback=_strengths, metavar="S,S,...", show_default=True,
              default=",".join(f"{s:g}" for s in STRENGTHS), help="From 0 to 1.")  # fmt: skip
@click.option("--photos", "photos_path", metavar="PATH|ADDRESS",
              help="The photos of the audit; here, or in an object store.")  # fmt: skip
@click.option("--packs", type=click.Path(path_type=Path), multiple=True,
              help="The concept sets of your own of the audit.")  # fmt: skip
@click.option("--save-checkpoint", "checkpoint", type=click.Path(path_type=Path, dir_okay=False),
              help="Write weights with one --treatment in them; never replaces a "
              "file.")  # fmt: skip
@click.option("--strength", default=1.0, show_default=True,
              help="Strength of the treatment in the checkpoint.")  # fmt: skip
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--offline", is_flag=True, help="Use only what is on this machine.")
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the activation cache.")  # fmt: skip
@out_option
def mitigate_findings(
    audit: Path,
    model: str,
    pretrained: str,
    findings: tuple[str, ...],
    treatments: tuple[TreatmentName, ...],
    strengths: tuple[float, ...],
    photos_path: str | None,
    packs: tuple[Path, ...],
    checkpoint: Path | None,
    strength: float,
    device: str,
    offline: bool,
    cache: Path | None,
    out: Path,
) -> None:
    """Try treatments on the findings of AUDIT and show measured effect against benign accuracy.

    Each treatment is fitted on one half of the stimuli and judged as the audit judged; the model
    itself is not changed. A checkpoint is written only when asked for.
    """
    from probes.backends.softened import soften  # it loads torch, which --help does without

    started = datetime.now(UTC)
    result = read_result(result_path(audit))
    chosen = chosen_findings(result, findings)
    if checkpoint is not None:
        check_target(checkpoint, treatments, strength)
        strengths = (*strengths, strength)
    if not chosen:
        say(NOTHING)
        return
    require_writable(out)
    order = MitigationOrder(
        findings=findings, treatments=treatments or TREATMENTS, strengths=strengths
    )
    plan = _plan(result, model, pretrained)
    home = cache or cache_folder()
    library = _library(plan, packs)
    photos = _photos(plan, result, library, photos_path, home, offline=offline)
    note(f"Loading {plan.model.name} {plan.model.pretrained}".rstrip())
    tools = Instruments(
        encoder=load_encoder(
            plan.model.name,
            pretrained=plan.model.pretrained or None,
            expected_digest=result.model.weights_digest,
            activation=plan.model.activation or None,
            offline=offline,
            device=device,
            kernels=kernel_book(home),
        ),
        cache=ActivationCache(home),
        progress=TerminalProgress(sys.stderr),
        readings=(),
    )
    world = gather_world(plan, library, tools, photos, note)
    require_same_inputs(world, result)
    note(budget(result, world, order, time.monotonic).sentence)
    done = mitigate(result, world, order, soften, note)
    folder = _publish(done.record, out, f"mitigation-{folder_name(result.model.name, started)}")
    for line in summary_lines(done.record):
        say(line)
    say(f"  {folder / PAGE}")
    say(f"  {folder / MITIGATION}")
    if checkpoint is not None:
        (name,) = treatments
        if name not in done.fitted:
            why = next(t.why_not for t in done.record.treatments if t.name == name)
            raise PlanError(f"No checkpoint was written: {name} was not tried, since {why}.")
        save_checkpoint(checkpoint, done.fitted[name], strength, done.record, plan, offline=offline)
        say(f"  {checkpoint}")
        say(f"  {note_path(checkpoint)}")


def _plan(result: AuditResult, model: str, pretrained: str) -> AuditPlan:
    """Return the order of the audit; the command line may say where the model is now."""
    plan = validate_plan(result.plan.resolved, where="the plan in the result")
    if pretrained and not model:
        raise PlanError(
            f"--pretrained needs --model, the architecture of the weights; got {pretrained} alone."
        )
    if not model:
        return plan
    section = ModelSection(name=model, pretrained=pretrained, activation=plan.model.activation)
    return plan.model_copy(update={"model": section})


def _library(plan: AuditPlan, packs: tuple[Path, ...]) -> Library:
    """Load the concept sets of the audit; those of embedded models travel with the tool."""
    embedded = plan.model.name.startswith(EMBEDDED) and not plan.concepts.builtin
    if packs or not embedded:
        folders = packs or tuple(Path(folder) for folder in plan.concepts.folders)
        library = load_library(folders, builtin=plan.concepts.builtin)
        if folders:
            refuse_faulty(library)
        return library
    with as_file(files("concept_sets") / "world" / "library") as folder:
        return load_library((folder,), builtin=False)


def _photos(
    plan: AuditPlan,
    result: AuditResult,
    library: Library,
    given: str | None,
    home: Path,
    *,
    offline: bool,
) -> PhotoSet | None:
    """Read the photos of the audit; those of the fictional world are drawn again."""
    shown = any(s.modality == "photo" for s in result.inputs.stimuli)
    if not shown:
        return None
    if given is None and is_named_here(plan.photos.path):
        given = plan.photos.path
    if given is None and plan.model.name.startswith(EMBEDDED) and not plan.photos.path:
        drawn = write_photos(
            home / "world-photos",
            refs={c.id: c.ref for s in library.sets for c in s.concepts},
            seed=plan.seed,
        )
        given = str(drawn)
    if given is None:
        raise PlanError("The audit looked at photos; give the same ones with --photos.")
    return photos_given(given, library, cache=home, offline=offline)


def _publish(record: MitigationRecord, out: Path, name: str) -> Path:
    """Write the folder, complete or not at all."""
    folder = begin_folder(out, name)
    try:
        folder.write(MITIGATION, write_mitigation(record))
        folder.write(PAGE, render_mitigation(record, mitigation_digest(record)))
        return folder.finish()
    except BaseException:
        folder.abandon()
        raise
