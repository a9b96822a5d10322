"""``clip-audit models``: what can be audited, and what is inside."""

from collections.abc import Sequence

import click

from audit.cli.printing import note, say
from probes.backends.table import architecture_layers, list_models, load_encoder
from probes.encoder import Layer


@click.group()
def models() -> None:
    """List known models and inspect one."""


@models.command("list")
@click.argument("filter_text", metavar="[TEXT]", default="")
def list_all(filter_text: str) -> None:
    """List architectures and pretrained tags, all or those that contain TEXT."""
    found = [
        f"{architecture:<40} {tag}"
        for architecture, tag in list_models()
        if filter_text.lower() in f"{architecture} {tag}".lower()
    ]
    for line in found:
        say(line)
    note(
        f"{len(found)} pairs. Also: hf-hub:org/name, local-dir:FOLDER, embedded:demo, or an "
        "architecture with --pretrained FILE (.safetensors, .pt)."
    )


@models.command()
@click.argument("name")
@click.option("--pretrained", default=None, help="Tag or checkpoint file of an architecture.")
@click.option("--offline", is_flag=True, help="Use only what is on this machine.")
def inspect(name: str, pretrained: str | None, offline: bool) -> None:
    """Show a model's layers and unit counts; with weights, its identity too.

    An architecture alone shows its layers; anything with weights is loaded strictly.
    """
    if not pretrained and name in {architecture for architecture, _ in list_models()}:
        say(f"{'architecture':<15} {name}, without weights")
        _show_layers(architecture_layers(name))
        return
    encoder = load_encoder(name, pretrained=pretrained, offline=offline)
    identity = encoder.identity
    for key, value in (
        ("name", identity.name),
        ("architecture", identity.architecture),
        ("pretrained", identity.pretrained),
        ("weights", identity.weights_digest),
        ("parameters", f"{identity.n_parameters:,}"),
        ("activation", identity.activation),
        ("embedding size", identity.embedding_size),
        ("image size", identity.image_size),
        ("logit scale", f"{identity.logit_scale:.4g}"),
        ("preprocessing", identity.preprocessing),
    ):
        say(f"{key:<15} {value}")
    _show_layers(encoder.layers)


def _show_layers(layers: Sequence[Layer]) -> None:
    if not layers:
        say("no layer of this model can be read; text and photo arms still run")
        return
    say("layers (the last is the default):")
    for layer in layers:
        poolings = ", ".join(layer.poolings)
        say(f"  {layer.name:<36} {layer.n_units:>6} units  {layer.kind:<5} {poolings}")
