"""Directions of a model that can be opened: silenced, steered, taken apart and drawn like units."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from probes.directions import DirectionSet, WithDirections
from probes.encoder import EncodedPictures, Encoder, Reading
from probes.errors import MeasureError, ModelError
from probes.inspectable import Attributed, Edit, Floats
from probes.interventions import HeldPictures, UnitStatistics, Where
from probes.readings import check_readings

Array = NDArray[np.float64]

DEPENDENT = 1e-5
"""Directions whose Gram matrix has a smaller eigenvalue are set as the space that they span."""


class HeldUnits(HeldPictures, Protocol):
    """Pictures held at a layer, which also tell how they answer along directions."""

    def statistics_along(self, rows: Floats) -> UnitStatistics:
        """Return what is handed on along each row of shape (n_units,)."""
        ...

    def picture_means_along(self, rows: Floats) -> Array:
        """Return means over positions, shape (n_pictures, n_directions)."""
        ...


@runtime_checkable
class Opened(Encoder, Protocol):
    """An encoder whose tower is at hand, as that of open_clip."""

    def attribute(
        self,
        pictures: Sequence[Image],
        directions: Floats,
        *,
        layer: str | None = None,
        maps: Sequence[int] = (),
        double: bool = False,
        along: Floats | None = None,
    ) -> Attributed:
        """Take dot products apart into contributions of units, or of directions of a layer."""
        ...

    def encode_edited(
        self, pictures: Sequence[Image], edits: Sequence[Edit], readings: Sequence[Reading] = ()
    ) -> EncodedPictures:
        """Encode pictures while units are silenced or steered."""
        ...

    def hold(self, pictures: Sequence[Image], layer: str, where: Where = "everywhere") -> HeldUnits:
        """Run the tower once up to a layer."""
        ...

    def visualise(self, target: Any, *, facet: Any = None, **how: Any) -> Any:
        """Draw pictures that drive units or directions."""
        ...

    def head_tables(
        self, pictures: Sequence[Image], directions: Floats, *, layer: str, progress: Any = None
    ) -> Any:
        """Return what each head of the pooling makes of each unit."""
        ...

    def mean_responses(
        self, pictures: Sequence[Image], *, layer: str, progress: Any = None
    ) -> Floats:
        """Return mean responses, shape (n_pictures, n_units)."""
        ...

    def second_order_directions(
        self, pictures: Sequence[Image], *, layer: str, kept: int, progress: Any = None
    ) -> Any:
        """Return where units push the embedding through later attention."""
        ...

    def opened(self, pictures: Sequence[Image]) -> Any:
        """Return the image tower, and pictures as it takes them."""
        ...


def with_directions(encoder: Encoder, sets: Sequence[DirectionSet]) -> WithDirections:
    """Add a layer for each set of directions to an encoder.

    Parameters
    ----------
    encoder : Encoder
    sets : sequence of DirectionSet

    Returns
    -------
    WithDirections
        An `OpenWithDirections` where the model can be opened.

    Raises
    ------
    ModelNameError, MeasureError
        As `WithDirections`.
    """
    if isinstance(encoder, Opened):
        return OpenWithDirections(encoder, sets)
    return WithDirections(encoder, sets)


class OpenWithDirections(WithDirections):
    """An encoder that can be opened, with a further layer for each set of directions."""

    def __init__(self, base: Opened, sets: Sequence[DirectionSet]) -> None:
        super().__init__(base, sets)
        self._open = base

    def attribute(
        self,
        pictures: Sequence[Image],
        directions: Floats,
        *,
        layer: str | None = None,
        maps: Sequence[int] = (),
        double: bool = False,
    ) -> Attributed:
        """Take dot products apart; see `probes.inspectable.Inspectable`.

        What a layer's directions do not carry, or carry twice where they are not orthogonal, is
        one named part.
        """
        found = self.sets.get(layer or "")
        if found is None:
            return self._open.attribute(pictures, directions, layer=layer, maps=maps, double=double)
        parts = self._open.attribute(
            pictures, directions, layer=found.layer, maps=maps, double=double, along=found.rows
        )
        return replace(parts, layer=found.name)

    def encode_edited(
        self, pictures: Sequence[Image], edits: Sequence[Edit], readings: Sequence[Reading] = ()
    ) -> EncodedPictures:
        """Encode pictures while units and directions are silenced or steered."""
        check_readings(readings, self.layers)
        of_units = [unit_edit(edit, self.sets.get(edit.layer)) for edit in edits]
        found = self._open.encode_edited(pictures, of_units, self.beneath(readings))
        return replace(found, units=self.responses(readings, found.units))

    def hold(
        self, pictures: Sequence[Image], layer: str, where: Where = "everywhere"
    ) -> HeldPictures:
        """Run the tower once up to a layer; statistics are of its units, or of its directions."""
        found = self.sets.get(layer)
        if found is None:
            return self._open.hold(pictures, layer, where)
        return HeldDirections(self._open.hold(pictures, found.layer, where), found)

    def visualise(self, target: Any, *, facet: Any = None, **how: Any) -> Any:
        """Draw pictures that drive units or directions."""
        learned = self.sets.get("" if facet is None else facet.layer)
        if learned is not None:
            weights = facet.weights @ learned.rows
            facet = replace(facet, layer=learned.layer, weights=weights)
        found = self.sets.get(target.reading.layer)
        if found is not None:
            rows, reading = target.directions @ found.rows, self.unit_reading(target.reading)
            target = replace(target, reading=reading, directions=rows.astype(np.float32))
        return self._open.visualise(target, facet=facet, **how)

    def head_tables(
        self, pictures: Sequence[Image], directions: Floats, *, layer: str, progress: Any = None
    ) -> Any:
        """Return what each head of the pooling makes of each unit; refused for directions."""
        self._refuse(layer)
        return self._open.head_tables(pictures, directions, layer=layer, progress=progress)

    def mean_responses(
        self, pictures: Sequence[Image], *, layer: str, progress: Any = None
    ) -> Floats:
        """Return the responses that ``head_tables`` weigh; refused for directions."""
        self._refuse(layer)
        return self._open.mean_responses(pictures, layer=layer, progress=progress)

    def second_order_directions(
        self, pictures: Sequence[Image], *, layer: str, kept: int, progress: Any = None
    ) -> Any:
        """Return where units push the embedding; refused for directions."""
        self._refuse(layer)
        return self._open.second_order_directions(
            pictures, layer=layer, kept=kept, progress=progress
        )

    def opened(self, pictures: Sequence[Image]) -> Any:
        """Return the image tower, and pictures as it takes them."""
        return self._open.opened(pictures)

    def _refuse(self, layer: str) -> None:
        if layer in self.sets:
            raise ModelError(
                f"how heads read the layer is known for its units, not for the directions {layer!r}"
            )


class HeldDirections:
    """Pictures held at a layer that is read along directions."""

    def __init__(self, held: HeldUnits, directions: DirectionSet) -> None:
        self._held, self._directions = held, directions

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """Embeddings without any intervention, shape (n_pictures, embedding_size)."""
        return self._held.embeddings

    @property
    def resumes(self) -> bool:
        """Whether only what follows the layer is run."""
        return self._held.resumes

    @property
    def statistics(self) -> UnitStatistics:
        """Responses along the directions for these pictures."""
        return self._held.statistics_along(self._directions.rows)

    def picture_means(self) -> Array:
        """Mean over positions along each direction, shape (n_pictures, n_directions)."""
        return self._held.picture_means_along(self._directions.rows)

    def encode_edited_many(self, edits: Iterable[Edit]) -> Iterator[NDArray[np.float32]]:
        """Yield the embeddings of all pictures under each edit alone, in order."""
        return self._held.encode_edited_many(self._unit_edits(edits))

    def _unit_edits(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        own = self._directions
        for edit in edits:
            if edit.layer != own.name:
                raise MeasureError(
                    f"These pictures are held at {own.name!r}; got an edit of {edit.layer!r}. "
                    "Hold them at that layer."
                )
            yield unit_edit(edit, own)


def unit_edit(edit: Edit, directions: DirectionSet | None) -> Edit:
    """Say an edit of directions as one of the units that they combine.

    Parameters
    ----------
    edit : Edit
        Its rows combine directions: one 1 where a single direction is meant.
    directions : DirectionSet or None
        Those of the edit's layer; None where it has units.

    Returns
    -------
    Edit
        Of the layer beneath. Directions that depend on each other are set as the space that they
        span, as near to the values as it allows: exactly, where these come from one picture or
        are means.

    Raises
    ------
    MeasureError
        If the edit has another width than there are directions, or combines them to nothing.
    """
    if directions is None:
        return edit
    count = len(directions.rows)
    if edit.directions.ndim != 2 or edit.directions.shape[1] != count:
        raise MeasureError(
            f"Edits of {directions.name!r} must have one column per direction, {count}; "
            f"got shape {edit.directions.shape}."
        )
    rows = np.asarray(edit.directions, dtype=np.float64) @ directions.rows
    lengths = np.linalg.norm(rows, axis=1)
    if not (lengths > DEPENDENT).all():
        raise MeasureError(f"An edit of {directions.name!r} combines directions to nothing.")
    rows, values = rows / lengths[:, None], np.asarray(edit.values, dtype=np.float64)
    if edit.kind == "add":
        return replace(edit, layer=directions.layer, directions=rows, values=values * lengths)
    rows, values = _independent(rows, values / lengths)
    return replace(edit, layer=directions.layer, directions=rows, values=values)


def _independent(rows: Array, values: Array) -> tuple[Array, Array]:
    """Turn dependent rows into an orthonormal basis of their span, and values with them."""
    if np.linalg.eigvalsh(rows @ rows.T).min() >= DEPENDENT:
        return rows, values
    left, size, basis = np.linalg.svd(rows, full_matrices=False)
    kept = size > np.sqrt(DEPENDENT)
    return basis[kept], values @ left[:, kept] / size[kept]
