"""The common input of all detection methods: embeddings, responses, and the truth about them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from probes.arms import Embeddings
from probes.errors import MeasureError

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]
Pair = tuple[str, str]

MIN_PICTURES = 2
"""Of a group, and of a badge that is shown alone."""


@dataclass(frozen=True, kw_only=True)
class Photos:
    """Pictures of people, of badges, and of people with badges."""

    groups: tuple[str, ...]
    """Group of each picture, empty where nobody is shown, shape (n_pictures,)."""

    persons: tuple[str, ...]
    """Person or scene of each picture, shape (n_pictures,)."""

    badges: tuple[str, ...]
    """Harm or control that each picture shows, empty for none, shape (n_pictures,)."""

    embeddings: Array
    """Of any length but 0, shape (n_pictures, dim)."""

    responses: Array | None = None
    """Shape (n_pictures, n_units); None where units were not read."""

    readout: Array | None = None
    """Change of the embedding per unit of response, shape (n_units, dim); None where unknown."""

    def __post_init__(self) -> None:
        n = len(self.groups)
        sizes = {"persons": len(self.persons), "badges": len(self.badges)}
        sizes["embeddings"] = len(self.embeddings)
        if self.responses is not None:
            sizes["responses"] = len(self.responses)
        for name, size in sizes.items():
            if size != n:
                raise MeasureError(f"Photos need one row of {name} per picture ({n}); got {size}.")
        for name, values in (("embeddings", self.embeddings), ("responses", self.responses)):
            if values is not None and not (values.ndim == 2 and np.isfinite(values).all()):
                raise MeasureError(f"{name} must be a table of finite numbers, and are not.")
        if self.readout is not None:
            self._check_readout(self.readout)

    def _check_readout(self, readout: Array) -> None:
        units = 0 if self.responses is None else self.responses.shape[1]
        wanted = (units, self.embeddings.shape[1])
        if readout.shape != wanted:
            raise MeasureError(
                f"The read-out must have shape {wanted}, units by dimensions; got {readout.shape}."
            )

    @cached_property
    def of_people(self) -> Indices:
        """Pictures of a person without a badge."""
        shown = zip(self.groups, self.badges, strict=True)
        return np.flatnonzero([bool(group) and not badge for group, badge in shown])

    @cached_property
    def of_badges(self) -> Indices:
        """Pictures of a badge without a person."""
        shown = zip(self.groups, self.badges, strict=True)
        return np.flatnonzero([bool(badge) and not group for group, badge in shown])

    def show_group(self, group: str) -> Mask:
        """Mark the pictures of a group, with a badge or without."""
        return np.array([own == group for own in self.groups], dtype=np.bool_)

    def show_badge(self, badge: str) -> Mask:
        """Mark the pictures of a badge, with a person or without."""
        return np.array([own == badge for own in self.badges], dtype=np.bool_)


@dataclass(frozen=True, kw_only=True)
class World:
    """One model, what was shown to it, and which links were planted."""

    name: str
    """Also says which random draws methods make."""

    groups: tuple[str, ...]
    harms: tuple[str, ...]
    """Every group with every harm is a contrast fixed beforehand."""

    controls: tuple[str, ...]
    texts: Embeddings
    """Terms of groups, harms and controls."""

    photos: Photos | None = None
    truth: frozenset[Pair] = frozenset()
    """Planted links; empty for a twin."""

    units: dict[Pair, int] = field(default_factory=dict)
    """Planted link to the unit that carries it, where one does."""

    def __post_init__(self) -> None:
        if len(self.groups) < 2 or not self.harms or not self.controls:
            raise MeasureError(
                "A world needs 2 groups, 1 harm and 1 control pack at least; got "
                f"{len(self.groups)}, {len(self.harms)} and {len(self.controls)}."
            )
        shown = set(self.texts.concepts)
        missing = [c for c in (*self.groups, *self.harms, *self.controls) if c not in shown]
        if missing:
            raise MeasureError(f"Every concept needs a term; {missing[0]!r} has none.")
        unknown = sorted({*self.truth, *self.units} - set(self.pairs))
        if unknown:
            raise MeasureError(f"Planted links must be contrasts of the world; got {unknown[0]}.")
        if self.photos is not None:
            self._check_photos(self.photos)

    def _check_photos(self, photos: Photos) -> None:
        others = sorted({*photos.groups} - {*self.groups, ""})
        if others:
            raise MeasureError(f"Photos must show groups of the world; got {others[0]!r}.")
        alone = [photos.groups[i] for i in photos.of_people]
        few = [group for group in self.groups if alone.count(group) < MIN_PICTURES]
        if few:
            raise MeasureError(
                f"Every group needs {MIN_PICTURES} pictures without a badge; {few[0]!r} has "
                f"{alone.count(few[0])}. Leave the photos out, or show more."
            )
        if photos.embeddings.shape[1] != self.texts.pooled.shape[1]:
            raise MeasureError(
                "Photos and texts must lie in one space; got "
                f"{photos.embeddings.shape[1]} and {self.texts.pooled.shape[1]} dimensions."
            )

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every contrast, groups in the outer loop."""
        return tuple((group, harm) for group in self.groups for harm in self.harms)

    @property
    def planted(self) -> Mask:
        """True where a link is planted, shape (n_groups, n_harms)."""
        flat = [pair in self.truth for pair in self.pairs]
        return np.array(flat, dtype=np.bool_).reshape(len(self.groups), len(self.harms))

    @property
    def has(self) -> frozenset[str]:
        """What methods may look at: texts, photos, badges, units."""
        found = {"texts"}
        if self.photos is not None:
            found.add("photos")
            alone = [self.photos.badges[i] for i in self.photos.of_badges]
            if all(alone.count(b) >= MIN_PICTURES for b in (*self.harms, *self.controls)):
                found.add("badges")
            if self.photos.responses is not None:
                found.add("units")
        return frozenset(found)

    def need_photos(self) -> Photos:
        """Return the photos.

        Raises
        ------
        MeasureError
            If the world has none.
        """
        if self.photos is None:
            raise MeasureError(f"This method looks at photos; world {self.name!r} has none.")
        return self.photos

    def need_responses(self) -> Array:
        """Return the responses of units, shape (n_pictures, n_units).

        Raises
        ------
        MeasureError
            If no unit was read, or none ever changes.
        """
        values = self.need_photos().responses
        if values is None:
            raise MeasureError(f"This method ranks units; world {self.name!r} has no responses.")
        if not (np.ptp(values, axis=0) > 0).any():
            raise MeasureError("No unit answers differently to any two pictures.")
        return values

    def terms(self, concept: str) -> Array:
        """Return the embeddings of the terms of a concept, shape (n_terms, dim)."""
        return self.texts.pooled[self.texts.of({concept})]
