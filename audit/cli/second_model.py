"""The second model of ``run``: what the command line and the plan say of it, and its loading."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from audit.cli.kernels import kernel_book
from audit.cli.printing import note
from audit.errors import PlanError
from audit.plan import AuditPlan
from audit.run_replication_shown import other_reading, refuse_itself
from probes.backends.table import load_encoder
from probes.encoder import Encoder

Command = Callable[..., Any]


def other_options(command: Command) -> Command:
    """Add ``--other`` and ``--other-pretrained``."""
    name = click.option("--other", default="", metavar="NAME",
                        help="A second model in which the links of findings are looked for, named "
                        "as --model is.")  # fmt: skip
    tag = click.option("--other-pretrained", default="", metavar="TAG",
                       help="Tag or checkpoint file of --other.")  # fmt: skip
    return name(tag(command))


def with_other(plan: AuditPlan, other: str, pretrained: str) -> AuditPlan:
    """Let the command line name the second model.

    Raises
    ------
    PlanError
        If there are weights for it and no name.
    """
    if pretrained and not other:
        raise PlanError(
            f"--other-pretrained needs --other, the architecture of the weights; got {pretrained} "
            "alone. Name the second model."
        )
    if not other:
        return plan
    layer = plan.replication.layer if other == plan.replication.name else ""
    named = {"name": other, "pretrained": pretrained, "layer": layer}
    return plan.model_copy(update={"replication": plan.replication.model_copy(update=named)})


def load_other(
    plan: AuditPlan, encoder: Encoder, *, offline: bool, device: str, cache: Path | None = None
) -> Encoder | None:
    """Load the second model as strictly as the first, before anything is encoded.

    Raises
    ------
    PlanError
        If it has the weights of the audited model.
    ModelNameError, ModelError
        As for the audited model, and if it lacks the layer that the plan names.
    """
    wanted = plan.replication
    if not wanted.name:
        return None
    note(f"Loading {wanted.name} {wanted.pretrained}".rstrip() + " as a second model")
    other = load_encoder(
        wanted.name,
        pretrained=wanted.pretrained or None,
        offline=offline,
        device=device,
        kernels=kernel_book(cache, fast=plan.model.mode == "fast"),
    )
    refuse_itself(encoder, other)
    other_reading(plan, other, None)
    return other
