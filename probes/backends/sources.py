"""From the name of a model to its configuration and the one file with its weights."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import open_clip
from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from open_clip.factory import get_model_config

from probes.backends.activation import check_activation
from probes.backends.architectures import (
    check_architecture,
    hub_settings,
    name_of_config,
    published_settings,
    tag_settings,
)
from probes.backends.checkpoint import PREFERRED, choose_weights
from probes.backends.naming import HUB, LOCAL, ModelSpec, Source
from probes.errors import ModelError, ModelNameError

CONFIG = "open_clip_config.json"
DEFAULT_NAMES = (PREFERRED[0], PREFERRED[2])
"""Weight files of a hub repository, the safe format first."""

PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Everything that is needed to load a model, all of it on this machine."""

    builder: str
    """What open_clip builds the empty network from."""

    tokenizer: str
    """What open_clip builds the tokenizer from."""

    config: Mapping[str, Any]
    """``model_cfg``: sizes, activation, text and vision settings."""

    weights: Path
    architecture: str
    pretrained: str
    """Tag, file name, or hub repository with the commit."""

    preprocessing: Mapping[str, Any]
    """Overrides of mean, std, interpolation, resize_mode; empty where the builder knows them."""

    quickgelu: bool | None
    """Whether the weights were trained with QuickGELU; None where nothing says it."""


def resolve(spec: ModelSpec, *, offline: bool = False, activation: str | None = None) -> Resolved:
    """Find the configuration and the weights of a model.

    Parameters
    ----------
    spec : ModelSpec
        Which model.
    offline : bool
        Fetch nothing.
    activation : str, optional
        What the user says that the weights were trained with; a tag that contradicts the
        architecture is refused before anything is fetched.

    Raises
    ------
    ModelNameError
        If there is no such architecture or tag.
    ModelError
        If the configuration or the weights are not here and cannot be had.
    """
    return RESOLVERS[spec.source](spec, offline, activation)


def check_tag(spec: ModelSpec, stated: str | None = None) -> Mapping[str, Any]:
    """Return the settings of a published tag, or refuse it without fetching anything.

    Raises
    ------
    ModelNameError
        If there is no such architecture or tag.
    ModelError
        If no tag is given, or its weights were trained with another activation function.
    """
    check_architecture(spec.architecture)
    if not spec.pretrained:
        raise ModelError(_no_weights_sentence(spec.architecture))
    settings = tag_settings(spec.architecture, spec.pretrained)
    check_activation(
        spec.architecture,
        spec.pretrained,
        quick=bool(get_model_config(spec.architecture).get("quick_gelu", False)),
        trained=bool(settings.get("quick_gelu", False)),
        stated=stated,
    )
    return settings


def _from_tag(spec: ModelSpec, offline: bool, stated: str | None) -> Resolved:
    settings = check_tag(spec, stated)
    return Resolved(
        builder=spec.architecture,
        tokenizer=spec.architecture,
        config=get_model_config(spec.architecture),
        weights=_fetch_tag(spec, settings, offline),
        architecture=spec.architecture,
        pretrained=spec.pretrained,
        preprocessing=_preprocessing_in(settings),
        quickgelu=bool(settings.get("quick_gelu", False)),
    )


def _from_file(spec: ModelSpec, offline: bool, stated: str | None) -> Resolved:
    """Take what a file does not say from beside it, or from the published tags if they agree."""
    check_architecture(spec.architecture)
    path = _path_of(spec)
    beside = _config_in(path.parent) if (path.parent / CONFIG).is_file() else {}
    published = published_settings(spec.architecture)
    if beside:
        preprocessing = _preprocessing_in(beside.get("preprocess_cfg", {}))
        quickgelu: bool | None = bool(beside["model_cfg"].get("quick_gelu", False))
    else:
        ways = [_preprocessing_in(settings) for settings in published]
        preprocessing = ways[0] if ways and all(way == ways[0] for way in ways) else {}
        always = [bool(settings.get("quick_gelu", False)) for settings in published]
        quickgelu = True if always and all(always) else None
    return Resolved(
        builder=spec.architecture,
        tokenizer=spec.architecture,
        config=get_model_config(spec.architecture),
        weights=path,
        architecture=spec.architecture,
        pretrained=path.name,
        preprocessing=preprocessing,
        quickgelu=quickgelu,
    )


def _from_configured_file(spec: ModelSpec, offline: bool, stated: str | None) -> Resolved:
    path = _path_of(spec)
    if not (path.parent / CONFIG).is_file():
        raise ModelNameError(
            f"{path.name} needs {CONFIG} beside it; without one, name the architecture and give "
            "the file with --pretrained."
        )
    return _from_config(path.parent, path, pretrained=path.name)


def _from_folder(spec: ModelSpec, offline: bool, stated: str | None) -> Resolved:
    folder = _path_of(spec)
    if not (folder / CONFIG).is_file():
        raise ModelError(
            f"The folder {folder.name!r} must hold {CONFIG}, but does not; "
            "copy the one that came with the weights."
        )
    weights = choose_weights(folder)
    return _from_config(folder, weights, pretrained=weights.name)


def _from_hub(spec: ModelSpec, offline: bool, stated: str | None) -> Resolved:
    config = _fetch(spec.pretrained, [CONFIG], spec.revision, offline)
    commit = config.parent.name
    weights = _fetch(spec.pretrained, DEFAULT_NAMES, commit, offline)
    found = _from_config(config.parent, weights, pretrained=f"{spec.pretrained}@{commit[:12]}")
    tag = hub_settings(spec.pretrained)
    borrows = "hf_tokenizer_name" in found.config["text_cfg"]
    return replace(
        found,
        tokenizer=f"{HUB}{spec.pretrained}" if borrows else found.tokenizer,
        quickgelu=bool(tag.get("quick_gelu", False)) if tag else found.quickgelu,
    )


def _from_config(folder: Path, weights: Path, *, pretrained: str) -> Resolved:
    content = _config_in(folder)
    return Resolved(
        builder=f"{LOCAL}{folder}",
        tokenizer=f"{LOCAL}{folder}",
        config=content["model_cfg"],
        weights=weights,
        architecture=name_of_config(content["model_cfg"]),
        pretrained=pretrained,
        preprocessing={},
        quickgelu=bool(content["model_cfg"].get("quick_gelu", False)),
    )


def _config_in(folder: Path) -> dict[str, Any]:
    """Read ``open_clip_config.json``."""
    path = folder / CONFIG
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{folder.name}/{CONFIG} must be JSON, but: {error}.") from error
    model = content.get("model_cfg") if isinstance(content, dict) else None
    keys = {"embed_dim", "vision_cfg", "text_cfg"}
    if not isinstance(model, dict) or not keys <= model.keys():
        raise ModelError(
            f"{folder.name}/{CONFIG} must have a key 'model_cfg' with {', '.join(sorted(keys))}; "
            "copy the one that came with the weights."
        )
    timm = str(model["vision_cfg"].get("timm_model_name", ""))
    if ":" in timm:
        raise ModelError(
            f"{folder.name}/{CONFIG} must name a model that timm knows by itself; got {timm!r}, "
            "which would be fetched from elsewhere."
        )
    return dict(content)


def _fetch_tag(spec: ModelSpec, settings: Mapping[str, Any], offline: bool) -> Path:
    """Return the weight file of a published tag, from this machine or the network."""
    if "file" in settings:
        return Path(settings["file"])
    repository, _, name = str(settings.get("hf_hub", "")).rpartition("/")
    if not repository:
        raise ModelError(
            f"The weights of {spec.name} are not on the hub; fetch {settings.get('url')} and "
            "give the file with --pretrained."
        )
    return _fetch(repository, _names_of(name), None, offline)


def _names_of(name: str) -> list[str]:
    """Ask for the safetensors twin of a pickle first."""
    if name in ("", PREFERRED[2]):
        return list(DEFAULT_NAMES)
    return list(dict.fromkeys([Path(name).with_suffix(".safetensors").name, name]))


def _fetch(repository: str, names: Sequence[str], revision: str | None, offline: bool) -> Path:
    """Return the first of the files of a hub repository that can be had; the cached one first."""
    why = "this run is offline"
    for local_only in (True,) if offline else (True, False):
        for name in names:
            try:
                return Path(
                    hf_hub_download(
                        repository, name, revision=revision, local_files_only=local_only
                    )
                )
            except LocalEntryNotFoundError:
                if not local_only:
                    why = "the hub cannot be reached"
                    break
            except (EntryNotFoundError, OSError, RuntimeError, ValueError) as error:
                why = str(error).strip().splitlines()[0]
    raise ModelError(
        f"The file {' or '.join(names)} of {repository} is not on this machine (looked in "
        f"{constants.HF_HUB_CACHE}) and cannot be fetched: {why}; run once with network access, "
        "or give a checkpoint file with --pretrained."
    )


def _preprocessing_in(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: settings[key] for key in PREPROCESSING if key in settings}


def _path_of(spec: ModelSpec) -> Path:
    if spec.path is None:
        raise ModelNameError(f"{spec.name!r} must name a file or folder.")
    return spec.path


def _no_weights_sentence(architecture: str) -> str:
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    hint = f"one of the tags {', '.join(tags)}" if tags else "a checkpoint file"
    return (
        f"{architecture} needs pretrained weights, and none were named; give {hint} with "
        "--pretrained. A random model is never audited."
    )


RESOLVERS: Mapping[Source, Callable[[ModelSpec, bool, str | None], Resolved]] = {
    Source.TAG: _from_tag,
    Source.FILE: _from_file,
    Source.CONFIGURED_FILE: _from_configured_file,
    Source.FOLDER: _from_folder,
    Source.HUB: _from_hub,
}
