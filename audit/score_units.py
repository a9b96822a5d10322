"""Unit responses that another runtime computed: read, checked, and lined up with the images."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.errors import ScoreInputError
from audit.score_arrays import NamedRows, read_array, read_named
from audit.score_files import ScoreFiles
from audit.score_tables import ID, read_table
from concept_sets.entry import near
from probes.encoder import Pooling, Reading

Single = NDArray[np.float32]

TABLES = {".csv", ".gz", ".parquet"}
ARRAYS = {".npy", ".npz", ".safetensors"}
POOLINGS = tuple(pooling.value for pooling in Pooling)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUnits:
    """Responses of the units of one layer, pooled over positions."""

    reading: Reading
    values: Single
    """Shape (n_images, n_units), in the units the layer emits."""

    readout: Single | None = None
    """Change of the embedding per unit of activation, up to one positive constant, shape (n_units,
    embedding_size); None where it was not given."""


def read_units(
    files: ScoreFiles, listed: Sequence[str], wanted: Sequence[str], size: int | None
) -> tuple[GivenUnits, ...]:
    """Read the responses of every layer, and the read-outs that go with them.

    Parameters
    ----------
    files : ScoreFiles
        With the specifications ``LAYER:POOLING=PATH`` and ``LAYER=PATH``.
    listed : sequence of str
        Images of ``--groups``, in its order: what rows without names follow.
    wanted : sequence of str
        Images that are audited.
    size : int or None
        Width of the text embeddings; None where there are none.

    Returns
    -------
    tuple of GivenUnits
        In the order given; a read-out serves every pooling of its layer.

    Raises
    ------
    ScoreInputError
        If a layer or pooling is not named, an image is missing, repeated or unknown, a response
        is not a number, or widths disagree.
    """
    given: list[GivenUnits] = []
    for spec in files.units:
        reading, path = _reading(spec, [units.reading for units in given])
        values = _lined_up(_named(path), listed, wanted, path)
        _same_width(reading, values, given, path)
        given.append(GivenUnits(reading=reading, values=values))
    readouts = _readouts(files.readouts, given, size)
    return tuple(replace(u, readout=readouts.get(u.reading.layer)) for u in given)


def _reading(spec: str, before: Collection[Reading]) -> tuple[Reading, str]:
    place, _, path = spec.partition("=")
    layer, _, pooling = place.rpartition(":")
    if not (layer and pooling and path):
        raise ScoreInputError(
            "--units must name layer, pooling and file as LAYER:POOLING=PATH, for example "
            f"visual.layer4.2:preact-max=units.npz::layer4; got {spec!r}."
        )
    if pooling not in POOLINGS:
        raise ScoreInputError(
            f"A pooling of --units must be one of {', '.join(POOLINGS)}; got {pooling!r} for "
            f"{layer}.{near(pooling, POOLINGS)}"
        )
    reading = Reading(layer=layer, pooling=Pooling(pooling))
    if reading in before:
        raise ScoreInputError(
            f"--units must give every layer and pooling once; {place} stands twice. Remove one."
        )
    return reading, path


def _named(path: str) -> NamedRows:
    """Read a table or an array by the ending of its name."""
    file = Path(path.partition("::")[0])
    if file.suffix in TABLES:
        return _table(file)
    if file.suffix in ARRAYS:
        return read_named(path, "--units")
    raise ScoreInputError(
        f"--units must end in {', '.join(sorted(TABLES | ARRAYS))} before any ::key; got {path!r}."
    )


def _table(path: Path) -> NamedRows:
    """Read `id` and a column per unit, which is named by its number."""
    table = read_table(path, "--units")
    columns = {str(name): name for name in table.columns}
    if ID not in columns:
        known = ", ".join(list(columns)[:8])
        raise ScoreInputError(f"--units must have a column {ID!r}; {path} has {known}.")
    names = sorted(set(columns) - {ID})
    wanted = [str(unit) for unit in range(len(names))]
    if set(names) != set(wanted) or not names:
        lacks = next((unit for unit in wanted if unit not in columns), "0")
        other = next((name for name in names if name not in wanted), "no unit")
        raise ScoreInputError(
            f"Columns of --units beside {ID!r} must be the units' numbers from 0 without a gap; "
            f"{path} has {other!r} and lacks {lacks!r}. Number all units of the layer."
        )
    ids = tuple("" if pd.isna(cell) else str(cell).strip() for cell in table[columns[ID]])
    cells = table[[columns[unit] for unit in wanted]]
    values = cells.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    rows, units = np.nonzero(~np.isfinite(values))
    if len(rows):
        raise ScoreInputError(
            f"Every unit response must be a number; {path}, image {ids[rows[0]]!r}, unit "
            f"{units[0]} is not. Leave the image out everywhere or compute it again."
        )
    return NamedRows(values=values, ids=ids)


def _lined_up(rows: NamedRows, listed: Sequence[str], wanted: Sequence[str], path: str) -> Single:
    """Bring rows into the order of the images that are audited."""
    ids = rows.ids
    if ids is None:
        if len(rows.values) != len(listed):
            raise ScoreInputError(
                f"--units without ids must have one row per row of --groups, in its order; {path} "
                f"has {len(rows.values)} rows and --groups has {len(listed)}. Name the rows, or "
                "bring them to the same images."
            )
        ids = tuple(listed)
    position = _positions(ids, path)
    _known_images(position, set(listed), listed, path)
    missing = [image for image in wanted if image not in position]
    if missing:
        raise ScoreInputError(
            f"Every image needs its unit responses; {path} lacks {len(missing)} of {len(wanted)}, "
            f"the first is {missing[0]!r}.{near(missing[0], ids[:2000])} Compute them, or leave "
            "the images out everywhere."
        )
    return _single(rows.values[[position[image] for image in wanted]], path)


def _positions(ids: Sequence[str], path: str) -> dict[str, int]:
    position: dict[str, int] = {}
    for row, image in enumerate(ids):
        if not image or image in position:
            problem = f"repeats {image!r}" if image else f"has none in row {row + 1} of its values"
            raise ScoreInputError(f"--units must name every image once; {path} {problem}.")
        position[image] = row
    return position


def _known_images(
    position: Collection[str], known: Collection[str], listed: Sequence[str], path: str
) -> None:
    unknown = [image for image in position if image not in known]
    if unknown:
        raise ScoreInputError(
            f"Every row of --units must be an image of --groups; {path} has {len(unknown)} that "
            f"are not, the first is {unknown[0]!r}.{near(unknown[0], listed[:2000])} Add the "
            "images to --groups or remove the rows."
        )


def _single(values: NDArray[np.float64], path: str) -> Single:
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    if not np.isfinite(single).all():
        raise ScoreInputError(
            f"Responses and read-outs must fit single precision; {path} has "
            f"{np.abs(values).max():.3g}. Scale the layer down."
        )
    return single


def _same_width(reading: Reading, values: Single, given: Sequence[GivenUnits], path: str) -> None:
    for other in given:
        if other.reading.layer == reading.layer and other.values.shape[1] != values.shape[1]:
            raise ScoreInputError(
                f"Every pooling of a layer must have the same units; {path} has "
                f"{values.shape[1]} of {reading.layer} and {other.reading.pooling.value} has "
                f"{other.values.shape[1]}."
            )


def _readouts(
    specs: Sequence[str], given: Sequence[GivenUnits], size: int | None
) -> dict[str, Single]:
    widths = {units.reading.layer: units.values.shape[1] for units in given}
    found: dict[str, Single] = {}
    for spec in specs:
        layer, _, path = spec.partition("=")
        if layer not in widths or layer in found or not path:
            raise ScoreInputError(
                "--readout must name a layer of --units, each once, as LAYER=PATH; got "
                f"{spec!r}, and the layers are {', '.join(widths)}.{near(layer, list(widths))}"
            )
        matrix = read_array(path, "--readout")
        if matrix.shape != (widths[layer], size):
            raise ScoreInputError(
                f"--readout must have one row per unit of {layer} and one column per dimension of "
                f"--texts, ({widths[layer]}, {size}); {path} has {matrix.shape}. Transpose it, or "
                "take layer and texts from one model."
            )
        found[layer] = _single(matrix, path)
    return found
