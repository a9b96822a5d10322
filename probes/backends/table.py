"""The table of encoders: one row per backend, imported only when asked for."""

from importlib import import_module

from probes.backends.kernel_book import KernelBook
from probes.backends.naming import ModelSpec, Source, parse_model
from probes.encoder import Encoder, Layer

ENCODERS = {
    "toy": "probes.backends.toy:load",
    "open_clip": "probes.backends.open_clip:load",
}
"""Backend to ``module:function`` that takes a `ModelSpec` and options and gives an `Encoder`."""


def load_encoder(
    model: str | ModelSpec,
    *,
    pretrained: str | None = None,
    expected_digest: str | None = None,
    activation: str | None = None,
    offline: bool = False,
    device: str = "cpu",
    kernels: KernelBook | None = None,
) -> Encoder:
    """Load the model under audit; strict, see `probes.backends.loading`.

    Parameters
    ----------
    model : str or ModelSpec
        The name as users write it, see `probes.backends.naming.parse_model`.
    pretrained : str, optional
        Tag or checkpoint file, with the name of an architecture.
    expected_digest : str, optional
        ``sha256:...`` that the loaded weights must have.
    activation : str, optional
        ``gelu`` or ``quickgelu``: what the weights were trained with, where only the user knows.
    offline : bool
        Use only what is on this machine.
    device : str
        Where to compute, as torch names it.
    kernels : KernelBook, optional
        Where the choice of a faster way to compute large image towers is kept; without it they
        are computed as open_clip does.

    Returns
    -------
    Encoder
        Ready to encode.

    Raises
    ------
    ModelNameError
        If there is no such architecture, tag, file or folder.
    ModelError
        If the weights are missing, wrong, unsafe or not finite.
    """
    spec = model if isinstance(model, ModelSpec) else parse_model(model, pretrained)
    module, _, factory = ENCODERS[spec.backend].partition(":")
    load = getattr(import_module(module), factory)
    encoder: Encoder = load(
        spec,
        expected_digest=expected_digest,
        activation=activation,
        offline=offline,
        device=device,
        kernels=kernels,
    )
    return encoder


def check_name(model: str, pretrained: str = "") -> None:
    """Refuse a name that cannot be loaded, without loading it; the hub is not asked.

    Raises
    ------
    ModelNameError
        If a file or folder is not there, or open_clip knows no such architecture or tag; the
        nearest is named.
    ModelError
        If an architecture has no tag, or one of another activation function.
    """
    spec = parse_model(model, pretrained or None)
    if spec.source is Source.TAG:
        from probes.backends.sources import check_tag

        check_tag(spec)
    elif spec.architecture:
        from probes.backends.architectures import check_architecture

        check_architecture(spec.architecture)


def list_models() -> tuple[tuple[str, str], ...]:
    """Return every known pair of architecture and pretrained tag."""
    from probes.backends.architectures import known_pairs

    return known_pairs()


def architecture_layers(architecture: str) -> tuple[Layer, ...]:
    """Return the readable layers of an architecture, without loading weights."""
    from probes.backends.architectures import layers_of

    return layers_of(architecture)
