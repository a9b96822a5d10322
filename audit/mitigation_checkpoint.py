"""A treated checkpoint and the note beside it: what was done, to which weights."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from audit.errors import OutputError, PlanError
from audit.folder import output_error
from audit.mitigation_file import mitigation_digest
from audit.mitigation_fits import Fitted
from audit.mitigation_record import MitigationRecord, TreatmentName
from audit.plan import AuditPlan
from probes.errors import MeasureError

FORMAT = "clip-audit treated checkpoint 1"
SUFFIX = ".safetensors"

MEANING = (
    "These weights give the embeddings of the treated model as they were measured. They were not "
    "trained. The measured effects of the treated findings are smaller for the groups, harms, "
    "words and pictures of that audit; nothing else was looked at. Audit them again before use."
)


def check_target(path: Path, treatments: tuple[TreatmentName, ...], strength: float) -> None:
    """Refuse a checkpoint that could not be written, before anything is computed.

    Raises
    ------
    PlanError
        If the file or its note is there already, has another ending, or the treatment is not one
        that weights can hold.
    """
    if len(treatments) != 1:
        raise PlanError(
            "A checkpoint holds one treatment; --save-checkpoint needs exactly one --treatment, "
            f"got {len(treatments)}. Name the one to write."
        )
    if treatments[0] == "balanced-prompts":
        raise PlanError(
            "Balanced prompts change what is asked, not the weights, so no checkpoint can hold "
            "them; mix the embeddings of your labels in your product instead."
        )
    if not 0 < strength <= 1:
        raise PlanError(
            f"The strength of a treatment in a checkpoint must be above 0 and at most 1; got "
            f"{strength:g}."
        )
    if path.suffix != SUFFIX:
        raise PlanError(f"A checkpoint is written as a {SUFFIX} file; got {path.name!r}.")
    for one in (path, note_path(path)):
        if one.exists() or one.is_symlink():
            raise PlanError(
                f"A checkpoint never replaces a file, and {one} is there. Name another."
            )
    if not path.absolute().parent.is_dir():
        raise PlanError(f"The folder of a checkpoint must be there; {path.parent} is not. Make it.")


def note_path(path: Path) -> Path:
    """Return where the note beside a checkpoint lies."""
    return path.with_name(f"{path.name}.json")


def save_checkpoint(
    path: Path,
    fitted: Fitted,
    strength: float,
    record: MitigationRecord,
    plan: AuditPlan,
    *,
    offline: bool,
) -> str:
    """Write a treated checkpoint and the note beside it.

    Parameters
    ----------
    path : Path
        Must not be there.
    fitted : Fitted
    strength : float
    record : MitigationRecord
    plan : AuditPlan
        Names the model.
    offline : bool

    Returns
    -------
    str
        Digest of the new weights.

    Raises
    ------
    MeasureError
        If the architecture cannot hold the treatment.
    OutputError
        If a file cannot be written or has come to be there.
    """
    from probes.backends import baked

    if fitted.ablation is not None:
        write = partial(baked.bake_ablation, ablation=replace(fitted.ablation, strength=strength))
    elif fitted.basis is not None:
        write = partial(baked.bake_projection, basis=fitted.basis, strength=strength)
    else:
        raise MeasureError(f"The treatment {fitted.record.name!r} cannot be written into weights.")
    made = baked.baked_checkpoint(
        plan.model.name,
        pretrained=plan.model.pretrained or None,
        expected_digest=record.audit.weights_digest,
        activation=plan.model.activation or None,
        offline=offline,
        write=write,
    )
    note = _note(fitted, strength, record, plan, made.weights_digest)
    _write_new(path, made.content)
    _write_new(note_path(path), (json.dumps(note, indent=1, ensure_ascii=False) + "\n").encode())
    return made.weights_digest


def _note(
    fitted: Fitted, strength: float, record: MitigationRecord, plan: AuditPlan, digest: str
) -> dict[str, Any]:
    own = fitted.record
    return {
        "format": FORMAT,
        "treatment": own.name,
        "strength": strength,
        "changes": own.what,
        "cannot": own.cannot,
        "findings": list(own.findings),
        "layer": own.layer,
        "units": list(own.units),
        "held_at": [] if fitted.ablation is None else list(fitted.ablation.values),
        "directions": own.directions,
        "weights_digest": digest,
        "source": {
            "model": plan.model.name,
            "pretrained": plan.model.pretrained,
            "weights_digest": record.audit.weights_digest,
        },
        "audit": record.audit.result_digest,
        "mitigation": mitigation_digest(record),
        "loading": (
            "Name it where the source's checkpoint was named: --model ARCHITECTURE --pretrained "
            "FILE; or, for a model that comes as a folder, put it in a folder with that model's "
            "open_clip_config.json and give local-dir:FOLDER. Compute in float32."
        ),
        "meaning": MEANING,
    }


def _write_new(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as stream:
            stream.write(content)
    except FileExistsError:
        raise OutputError(
            f"A checkpoint never replaces a file, and {path} has come to be there. Name another."
        ) from None
    except OSError as error:
        raise output_error(path, error) from None
