"""Strict loading: the weights that were asked for, all of them, finite, trained, or no audit.

By itself open_clip warns and goes on where weights are missing, where the activation function is
another one, where position embeddings must be stretched, and says nothing of NaN.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from open_clip.convert import convert_state_dict
from open_clip.model import convert_to_custom_text_state_dict
from torch import Tensor, nn

from probes.backends.activation import QUICK, activation_of, check_activation
from probes.backends.building import build_network
from probes.backends.checkpoint import digest_of, read_checkpoint
from probes.backends.sources import Resolved
from probes.errors import ModelError

NORMS = (nn.LayerNorm, nn.BatchNorm2d, nn.GroupNorm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A network that holds exactly the weights that were asked for, in float32."""

    model: Any
    weights_digest: str
    activation: str
    """Of image and text tower, e.g. ``relu/quickgelu``."""


def load_network(
    found: Resolved, *, expected_digest: str | None = None, activation: str | None = None
) -> Loaded:
    """Build the network, fill it, and check it.

    Parameters
    ----------
    found : Resolved
        Configuration and weight file.
    expected_digest : str, optional
        What the digest of the weights must be.
    activation : str, optional
        ``gelu`` or ``quickgelu``: what the weights were trained with, where the user knows it.

    Raises
    ------
    ModelError
        If anything differs from what was asked for.
    """
    model: Any = build_network(found.builder, found.preprocessing)
    used = f"{activation_of(model.visual)}/{activation_of(_text_tower(model))}"
    tensors = _fitted(model, read_checkpoint(found.weights))
    _check_fit(model, tensors, found)
    check_activation(
        found.architecture,
        found.pretrained,
        quick=QUICK in used,
        trained=found.quickgelu,
        stated=activation,
    )
    model.load_state_dict(tensors, strict=True)
    model = model.float().eval().requires_grad_(False)
    _check_finite(model, found)
    _check_trained(model, found)
    digest = digest_of(model.state_dict())
    if expected_digest is not None and digest != expected_digest:
        raise ModelError(
            f"The weights of {found.weights.name} must have the digest {expected_digest}, but have "
            f"{digest}; this is another model than the one that was pinned."
        )
    return Loaded(model=model, weights_digest=digest, activation=used)


def _text_tower(model: nn.Module) -> nn.Module:
    tower = getattr(model, "text", None) or getattr(model, "transformer")  # noqa: B009
    if not isinstance(tower, nn.Module):
        raise ModelError("The model must have a text tower to be audited, but has none.")
    return tower


def _fitted(model: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename what older or related formats call differently; never resize."""
    out = dict(convert_state_dict(model, dict(tensors)))
    if "positional_embedding" in out and not hasattr(model, "positional_embedding"):
        out = convert_to_custom_text_state_dict(out)
    if "text.transformer.embeddings.position_ids" not in model.state_dict():
        out.pop("text.transformer.embeddings.position_ids", None)
    for name in ("logit_scale", "logit_bias"):
        ours = getattr(model, name, None)
        if name in out and ours is not None and out[name].numel() == ours.numel():
            out[name] = out[name].reshape(ours.shape)
    return out


def _check_fit(model: nn.Module, tensors: Mapping[str, Tensor], found: Resolved) -> None:
    wanted = model.state_dict()
    common = [name for name in wanted if name in tensors]
    shapes = [
        f"{name} is {tuple(tensors[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in common
        if tensors[name].shape != wanted[name].shape
    ]
    kinds = [
        f"{name} is {tensors[name].dtype}"
        for name in common
        if wanted[name].is_floating_point() and not tensors[name].is_floating_point()
    ]
    problems = (
        _counted([name for name in wanted if name not in tensors], "missing"),
        _counted([name for name in tensors if name not in wanted], "unknown"),
        _counted(shapes, "of another shape"),
        _counted(kinds, "of another type"),
    )
    said = "; ".join(problem for problem in problems if problem)
    if said:
        raise ModelError(
            f"{found.weights.name} must hold the weights of {found.architecture}, but does not: "
            f"{said}; name the architecture that they were trained with."
        )


def _counted(names: list[str], what: str) -> str:
    """Say how many tensors have a problem, and name two."""
    if not names:
        return ""
    more = ", ..." if len(names) > 2 else ""
    return f"{len(names)} {what} ({', '.join(names[:2])}{more})"


def _check_finite(model: nn.Module, found: Resolved) -> None:
    for name, tensor in model.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise ModelError(
                f"The weights of {found.weights.name} must be finite numbers, but {name} holds "
                "NaN or infinity; the checkpoint is damaged or its training failed."
            )


def _check_trained(model: Any, found: Resolved) -> None:
    """Refuse a tower whose normalisation layers all still have their initial values."""
    for tower, what in ((model.visual, "image"), (_text_tower(model), "text")):
        norms = [m for m in tower.modules() if isinstance(m, NORMS) and m.weight is not None]
        if norms and all(_is_initial(norm) for norm in norms):
            raise ModelError(
                f"{found.weights.name} was saved before training: every normalisation layer of "
                f"the {what} tower still has its initial values; a random model is not audited."
            )


def _is_initial(norm: Any) -> bool:
    plain = bool((norm.weight == 1).all() or (norm.weight == 0).all())
    plain &= norm.bias is None or bool((norm.bias == 0).all())
    mean = getattr(norm, "running_mean", None)
    return plain and (mean is None or bool((mean == 0).all()))
