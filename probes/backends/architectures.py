"""Architectures and pretrained tags that open_clip knows, and the layers of each."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import open_clip
import torch
from open_clip.factory import get_model_config
from open_clip.pretrained import get_pretrained_cfg

from probes.backends.building import build_network
from probes.backends.towers import taps_of
from probes.encoder import Layer
from probes.errors import ModelNameError

LISTING = "see them all with: clip-audit models list"


def known_pairs() -> tuple[tuple[str, str], ...]:
    """Return every known pair of architecture and pretrained tag."""
    return tuple((str(architecture), str(tag)) for architecture, tag in open_clip.list_pretrained())


def check_architecture(name: str) -> None:
    """Refuse an architecture that open_clip does not know, naming the nearest."""
    known = open_clip.list_models()
    if name in known:
        return
    near = get_close_matches(name, known, n=1, cutoff=0.0)[0]
    raise ModelNameError(f"No architecture is called {name!r}; did you mean {near!r}? ({LISTING})")


def tag_settings(architecture: str, tag: str) -> Mapping[str, Any]:
    """Return what open_clip knows of a pretrained tag: address, preprocessing, activation.

    Raises
    ------
    ModelNameError
        If the architecture has no such tag; the message names the nearest.
    """
    settings: Mapping[str, Any] = get_pretrained_cfg(architecture, tag)
    if settings:
        return settings
    known = open_clip.list_pretrained_tags_by_model(architecture)
    if not known:
        raise ModelNameError(
            f"No weights of {architecture} are published, so it has no tag {tag!r}; "
            "give a checkpoint file instead."
        )
    near = get_close_matches(tag, known, n=1, cutoff=0.0)[0]
    raise ModelNameError(
        f"{architecture} has no pretrained tag {tag!r}; did you mean {near!r}? ({LISTING})"
    )


def published_settings(architecture: str) -> tuple[Mapping[str, Any], ...]:
    """Return the settings of every published tag of an architecture."""
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    return tuple(get_pretrained_cfg(architecture, tag) for tag in tags)


def hub_settings(repository: str) -> Mapping[str, Any]:
    """Return the settings of the tag that a hub repository is the home of; empty if none."""
    for architecture, tag in known_pairs():
        settings: Mapping[str, Any] = get_pretrained_cfg(architecture, tag)
        if settings.get("hf_hub", "").startswith(f"{repository}/"):
            return settings
    return {}


def name_of_config(config: Mapping[str, Any]) -> str:
    """Name an architecture by its configuration: the built-in name where one is equal."""
    for name in open_clip.list_models():
        if get_model_config(name) == config:
            return str(name)
    vision = config["vision_cfg"]
    if "timm_model_name" in vision:
        return f"custom {vision['timm_model_name']}"
    layers = vision.get("layers", 12)
    kind = "ViT" if isinstance(layers, int) else "ResNet"
    depth = layers if isinstance(layers, int) else "-".join(map(str, layers))
    return f"custom {kind} {depth}, width {vision.get('width', 768)}"


def layers_of(architecture: str) -> tuple[Layer, ...]:
    """Return the readable layers of an architecture; no weights are needed."""
    name = architecture.replace("/", "-")
    check_architecture(name)
    with torch.device("meta"):
        model: Any = build_network(name, device="meta")
    return tuple(tap.layer for tap in taps_of(model.visual))
