"""An empty network of a given architecture, as open_clip builds it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import open_clip
from torch import nn

from probes.errors import ModelError


def build_network(
    name: str, preprocessing: Mapping[str, Any] | None = None, *, device: str = "cpu"
) -> nn.Module:
    """Build a network with initial values, to be filled at once.

    Parameters
    ----------
    name : str
        An architecture, or ``local-dir:`` with a folder that holds ``open_clip_config.json``.
    preprocessing : mapping, optional
        Overrides of mean, std, interpolation, resize_mode.
    device : str
        Where the parameters lie; ``meta`` for shapes without memory.

    Raises
    ------
    ModelError
        If the configuration cannot be built.
    """
    try:
        with _no_random_warning():
            model: nn.Module = open_clip.create_model(
                name,
                device=device,
                load_weights=False,
                pretrained_text=False,
                force_preprocess_cfg=dict(preprocessing or {}),
            )
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{name} needs the package {error.name!r}, which is not installed; "
            f"install it with: pip install {error.name}"
        ) from error
    except RuntimeError as error:
        if "pip install transformers" not in str(error):
            raise ModelError(_cannot_build(name, error)) from error
        raise ModelError(
            f"{name} needs the package 'transformers', which is not installed; "
            "install it with: pip install transformers"
        ) from error
    except (AssertionError, LookupError, OSError, TypeError, ValueError) as error:
        raise ModelError(_cannot_build(name, error)) from error
    return model


def _cannot_build(name: str, error: Exception) -> str:
    return (
        f"The configuration of {name} must describe a model that open_clip can build, but: "
        f"{str(error).strip() or type(error).__name__}."
    )


@contextmanager
def _no_random_warning() -> Iterator[None]:
    """Keep open_clip from telling users of a random network that is about to be filled."""
    root, quiet = logging.getLogger(), logging.NullHandler()

    def ours(record: logging.LogRecord) -> bool:
        return record.module != "factory"

    root.addHandler(quiet)
    root.addFilter(ours)
    try:
        yield
    finally:
        root.removeFilter(ours)
        root.removeHandler(quiet)
