"""Activation functions: which one a network has, and which one its weights were trained with."""

import open_clip
from torch import nn

from probes.errors import ModelError, ModelNameError

QUICK = "quickgelu"
STATED = ("gelu", QUICK)
"""What a user may state."""

ACTIVATIONS = frozenset(
    {"relu", "gelu", QUICK, "gelutanh", "silu", "swish", "mish", "leakyrelu", "hardswish"}
    | {"newgeluactivation", "geluactivation", "quickgeluactivation"}
)
"""Class names of activation functions, in lower case."""


def activation_of(tower: nn.Module) -> str:
    """Name the activation functions of a tower, e.g. ``relu`` or ``quickgelu``."""
    names = {type(module).__name__.lower() for module in tower.modules()}
    return "+".join(sorted(names & ACTIVATIONS)) or "none"


def check_activation(
    architecture: str, pretrained: str, *, quick: bool, trained: bool | None, stated: str | None
) -> None:
    """Refuse weights that were trained with another activation function.

    Parameters
    ----------
    architecture, pretrained : str
        How to call them.
    quick : bool
        Whether the network is built with QuickGELU.
    trained : bool or None
        Whether the weights were trained with it; None where nothing says it.
    stated : str or None
        What the user says of the weights, ``gelu`` or ``quickgelu``; overrides ``trained``.

    Raises
    ------
    ModelError
        If they differ.
    ModelNameError
        If ``stated`` is something else.
    """
    if stated not in (None, *STATED):
        raise ModelNameError(f"The activation function must be gelu or {QUICK}; got {stated!r}.")
    if stated is not None:
        trained = stated == QUICK
    if trained is None or trained == quick:
        return
    came, built = (QUICK, "gelu") if trained else ("gelu", QUICK)
    bare = architecture.removesuffix("-quickgelu")
    twin = f"{bare}-quickgelu" if trained else bare
    remedy = f"name the architecture {twin}" if twin in open_clip.list_models() else "correct that"
    raise ModelError(
        f"{architecture} is built with {built}, but the weights {pretrained} were trained with "
        f"{came}; {remedy}, or state the activation function that the weights were trained with."
    )
