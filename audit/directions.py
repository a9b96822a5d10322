"""Files of linear directions that an audit reads where it reads units."""

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from audit.errors import PlanError
from probes.directions import KIND, DirectionSet, WithDirections, direction_set
from probes.directions_open import with_directions
from probes.encoder import Encoder, Reading

NAMES = "names"
"""Entry with what a file calls its directions; in an archive ``names/LAYER`` where there are
several layers."""

STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def with_direction_files(encoder: Encoder, paths: Sequence[Path]) -> Encoder:
    """Add a layer to an encoder for every layer of every file.

    Parameters
    ----------
    encoder : Encoder
    paths : sequence of Path
        As `read_directions` takes them.

    Returns
    -------
    Encoder
        The encoder itself where there are no files.

    Raises
    ------
    PlanError, MeasureError, ModelNameError
        If a file cannot be used, or the model has no such layer or one of another width.
    """
    sets = [one for path in paths for one in read_directions(path)]
    return with_directions(encoder, sets) if sets else encoder


def read_directions(path: Path) -> tuple[DirectionSet, ...]:
    """Read a file with a matrix (n_directions, n_units) for each layer, named by the layer.

    Parameters
    ----------
    path : Path
        ``.safetensors``, whose metadata may have ``names``: a JSON list, or an object from layer
        to list; or ``.npz``, which may have an array of strings ``names`` or ``names/LAYER``.

    Raises
    ------
    PlanError
        If it is not such a file, or its name cannot be part of the name of a layer.
    MeasureError
        If a matrix holds no directions.
    """
    if not STEM.fullmatch(path.stem):
        raise PlanError(
            "Layers of directions are named by their file, by letters, digits, dots, dashes and "
            f"underscores; got {path.name!r}. Rename it."
        )
    readers = {".safetensors": _safetensors, ".npz": _archive}
    if path.suffix not in readers:
        raise PlanError(
            f"Directions must be a .safetensors or .npz file; got {path}. Save them as one."
        )
    try:
        content = path.read_bytes()
        tables, names = readers[path.suffix](path)
    except OSError as error:
        raise PlanError(
            f"Directions must be in a readable file; {path} gave: {error.strerror or error}. "
            "Check the path."
        ) from None
    if not tables:
        raise PlanError(
            f"Directions must be arrays named by the layer that they are of; {path} has none."
        )
    source = "sha256:" + hashlib.sha256(content).hexdigest()
    return tuple(
        direction_set(layer, path.stem, rows, names.get(layer, ()), source=source)
        for layer, rows in tables.items()
    )


Named = Mapping[str, Sequence[str]]


def _safetensors(path: Path) -> tuple[dict[str, Any], Named]:
    try:
        with safe_open(path, framework="np") as archive:
            tables = {name: archive.get_tensor(name) for name in sorted(archive.keys())}
            told = (archive.metadata() or {}).get(NAMES, "{}")
    except (SafetensorError, TypeError, AttributeError):
        raise PlanError(
            f"Directions must be tensors in a type that NumPy has; {path} is damaged or has "
            "others (bfloat16, for example). Save them as float32."
        ) from None
    return tables, _names_of(told, path, list(tables))


def _names_of(told: str, path: Path, layers: Sequence[str]) -> Named:
    try:
        read = json.loads(told)
    except (json.JSONDecodeError, RecursionError):
        read = None
    if isinstance(read, list) and len(layers) == 1:
        read = {layers[0]: read}
    if not isinstance(read, dict) or not all(_are_names(own) for own in read.values()):
        raise PlanError(
            f"The metadata entry {NAMES!r} must be a JSON object from layer to a list of names (or "
            f"a list, where there is one layer); that of {path} is not. Correct it."
        )
    return _known(read, path, layers)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _known(names: Named, path: Path, layers: Sequence[str]) -> Named:
    strange = sorted(set(names) - set(layers))
    if strange:
        raise PlanError(
            f"Names must be of layers that have directions; {path} names those of {strange[0]!r} "
            f"and has {', '.join(layers)}."
        )
    return names


def _archive(path: Path) -> tuple[dict[str, Any], Named]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile):
        raise PlanError(
            f"Directions must be an archive of numpy.savez; {path} is damaged, is none, or holds "
            "Python objects, which are never loaded. Save it anew."
        ) from None
    tables = {k: v for k, v in found.items() if k.partition("/")[0] != NAMES}
    named = {k.partition("/")[2]: v for k, v in found.items() if k not in tables}
    if "" in named and len(tables) == 1:
        named[next(iter(tables))] = named.pop("")
    if any(own.ndim != 1 or own.dtype.kind != "U" for own in named.values()):
        raise PlanError(
            f"Names of directions must be an array with one text for each; that of {path} is not. "
            "Correct it, or leave it out."
        )
    known = {layer: [str(name) for name in own] for layer, own in named.items()}
    return tables, _known(known, path, list(tables))


def direction_readings(
    encoder: Encoder, asked: Sequence[Reading], pooling: str = ""
) -> tuple[Reading, ...]:
    """Return how layers of directions are read that were not asked for by name.

    Parameters
    ----------
    encoder : Encoder
    asked : sequence of Reading
    pooling : str
        What the plan asks of units: it is taken where it is linear, else the layer's default.
    """
    named = {reading.layer for reading in asked}
    return tuple(
        Reading(
            layer=layer.name,
            pooling=next((p for p in layer.poolings if p == pooling), layer.poolings[0]),
        )
        for layer in encoder.layers
        if layer.kind == KIND and layer.name not in named
    )


def direction_digests(encoder: Encoder) -> dict[str, str]:
    """Return the digest of every file of directions, for the inputs of a result."""
    if not isinstance(encoder, WithDirections):
        return {}
    return {f"directions/{one.file}": one.source for one in encoder.sets.values()}


def direction_notes(encoder: Encoder, layer: str, index: int) -> tuple[str, ...]:
    """Say what a direction is; nothing of a unit."""
    if not isinstance(encoder, WithDirections) or layer not in encoder.sets:
        return ()
    found = encoder.sets[layer]
    called = f", which the file calls {found.names[index]!r}" if found.names else ""
    used = int(np.count_nonzero(found.rows[index]))
    return (
        f"Not a unit: direction {index} of the file {found.file!r}{called}, of length 1 in "
        f"{used} of {found.rows.shape[1]} units of {found.layer}.",
    )
