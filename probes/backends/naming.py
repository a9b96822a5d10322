"""Models named as users name them; nothing is loaded here, and nothing heavy imported."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from probes.errors import ModelNameError

WEIGHT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
HUB = "hf-hub:"
LOCAL = "local-dir:"
EMBEDDED = "embedded:"
EMBEDDED_FOLDER = Path(__file__).parents[1] / "embedded"
"""Where the models that travel with the tool lie."""


class Source(StrEnum):
    """Where the weights come from."""

    TOY = "toy"
    """No weights."""

    TAG = "tag"
    """A published pretrained tag of a known architecture."""

    FILE = "file"
    """A checkpoint file of a known architecture."""

    CONFIGURED_FILE = "configured-file"
    """A checkpoint file with its configuration beside it."""

    FOLDER = "folder"
    """A folder with configuration and weights."""

    HUB = "hub"
    """A repository on the model hub, or its cached copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """Which model is meant."""

    name: str
    """How results call it; never a full path of this machine."""

    source: Source
    architecture: str = ""
    """Architecture name as open_clip spells it; empty where a configuration says it."""

    pretrained: str = ""
    """Tag, or name of the repository on the hub."""

    revision: str | None = None
    """Commit or branch on the hub; its main branch if None."""

    path: Path | None = None
    """Folder or checkpoint file."""

    @property
    def backend(self) -> str:
        """Row of the ``ENCODERS`` table."""
        return "toy" if self.source is Source.TOY else "open_clip"


def parse_model(name: str, pretrained: str | None = None) -> ModelSpec:
    """Read the name of a model.

    Parameters
    ----------
    name : str
        ``RN50-quickgelu``, ``RN50-quickgelu/openai``, ``hf-hub:org/name`` (``@commit`` pins one),
        ``local-dir:./folder``, ``embedded:demo``, a checkpoint file, or ``toy``.
    pretrained : str, optional
        A tag or a checkpoint file; only with an architecture.

    Returns
    -------
    ModelSpec
        What is meant; whether the architecture and tag exist is found when it is loaded.

    Raises
    ------
    ModelNameError
        If the name contradicts itself or a file or folder does not exist.

    Examples
    --------
    >>> parse_model("RN50-quickgelu", "openai").name
    'RN50-quickgelu/openai'
    >>> parse_model("hf-hub:timm/resnet50_clip.openai").source
    <Source.HUB: 'hub'>
    """
    if not name.strip():
        raise ModelNameError(
            "A model needs a name, for example RN50-quickgelu with --pretrained openai; got none."
        )
    alone = _parse_alone(name)
    if alone is None:
        return _parse_architecture(name, pretrained)
    if pretrained:
        raise ModelNameError(
            f"{name!r} already says where its weights are; got pretrained {pretrained!r} as well. "
            "Leave one of them out."
        )
    return alone


def _parse_alone(name: str) -> ModelSpec | None:
    """Names that need no pretrained tag; None for the name of an architecture."""
    if name == "toy" or name.startswith("toy/"):
        return ModelSpec(name="toy/letters", source=Source.TOY)
    if name.startswith(HUB):
        return _parse_hub(name)
    if name.startswith(LOCAL):
        return _parse_folder(name, Path(name.removeprefix(LOCAL)))
    if name.startswith(EMBEDDED):
        return _parse_embedded(name)
    if name.endswith(WEIGHT_SUFFIXES):
        return _parse_file(Path(name))
    if Path(name).is_dir() and (Path(name) / "open_clip_config.json").is_file():
        return _parse_folder(f"{LOCAL}{Path(name).resolve().name}", Path(name))
    return None


def _parse_hub(name: str) -> ModelSpec:
    repository, _, revision = name.removeprefix(HUB).partition("@")
    if repository.count("/") != 1 or not all(repository.split("/")):
        raise ModelNameError(f"A model on the hub is named hf-hub:org/name; got {name!r}.")
    return ModelSpec(name=name, source=Source.HUB, pretrained=repository, revision=revision or None)


def _parse_folder(name: str, folder: Path) -> ModelSpec:
    if not folder.is_dir():
        raise ModelNameError(
            f"{name!r} must name a folder with open_clip_config.json and weights; "
            "there is no such folder."
        )
    called = f"{LOCAL}{folder.resolve().name}"
    return ModelSpec(name=called, source=Source.FOLDER, path=folder)


def _parse_embedded(name: str) -> ModelSpec:
    here = sorted(config.parent.name for config in EMBEDDED_FOLDER.glob("*/open_clip_config.json"))
    wanted = name.removeprefix(EMBEDDED)
    if wanted not in here:
        raise ModelNameError(
            f"No embedded model is called {wanted!r}; known: {', '.join(here) or 'none'}."
        )
    return ModelSpec(name=name, source=Source.FOLDER, path=EMBEDDED_FOLDER / wanted)


def _parse_file(path: Path) -> ModelSpec:
    if not path.is_file():
        raise ModelNameError(f"{str(path)!r} must name a checkpoint file; there is no such file.")
    return ModelSpec(name=path.name, source=Source.CONFIGURED_FILE, path=path)


def _parse_architecture(name: str, pretrained: str | None) -> ModelSpec:
    """Read an architecture with a tag or a file; the tag may also follow a slash."""
    if not pretrained:
        architecture, _, tag = name.rpartition("/")
        if architecture and not _is_patch(tag):
            return _parse_architecture(architecture, tag)
    architecture = name.replace("/", "-")
    if pretrained and pretrained.endswith(WEIGHT_SUFFIXES):
        path = Path(pretrained)
        if not path.is_file():
            raise ModelNameError(
                f"The weights of {architecture} were asked from the file {pretrained!r}; "
                "there is no such file."
            )
        called = f"{architecture}/{path.name}"
        return ModelSpec(name=called, source=Source.FILE, architecture=architecture, path=path)
    called = f"{architecture}/{pretrained}" if pretrained else architecture
    return ModelSpec(
        name=called, source=Source.TAG, architecture=architecture, pretrained=pretrained or ""
    )


def _is_patch(text: str) -> bool:
    """Tell whether what follows the slash is a patch size, as in ``ViT-B/32`` or ``L/14@336px``."""
    return text[:1].isdigit() and text.split("@")[0].split("-")[0].isdigit()
