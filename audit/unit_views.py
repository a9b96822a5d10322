"""One modality of pictures as pages of units look at it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from audit.gathered import Gathered
from audit.photo_rows import PREFIX
from audit.unit_pages_record import Arm
from audit.unit_tables import UnitTable
from concept_sets.pictures import load_picture
from concept_sets.stimulus import Stimulus
from probes.activations import Activations
from probes.clusters import clusters_of
from probes.encoder import Reading

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Pictures of one arm, and what the units of one reading answered to each."""

    arm: Arm
    stimuli: tuple[Stimulus, ...]
    refs: tuple[frozenset[str], ...]
    """Concept and groups of each picture."""

    values: NDArray[np.float32]
    """Shape (n_stimuli, n_units)."""

    clusters: NDArray[np.intp]
    """0 to n_clusters - 1, shape (n_stimuli,)."""

    is_minor: Flags
    """Denotes, shows or may show somebody under 20."""

    load: Callable[[Stimulus], Image]
    tables: tuple[UnitTable, ...]
    """Of this arm: all clusters first, then those of each group column."""

    def shows(self, concept: str) -> Flags:
        """Mark the pictures of a concept or of a group of a column."""
        return np.array([concept in own for own in self.refs], dtype=bool)

    def adults(self) -> "View":
        """Return the clusters that a sexualising concept may meet."""
        young = np.bincount(self.clusters, weights=self.is_minor) > 0
        kept = np.flatnonzero(~young[self.clusters])
        return View(
            arm=self.arm,
            stimuli=tuple(self.stimuli[i] for i in kept),
            refs=tuple(self.refs[i] for i in kept),
            values=self.values[kept],
            clusters=np.unique(self.clusters[kept], return_inverse=True)[1].astype(np.intp),
            is_minor=self.is_minor[kept],
            load=self.load,
            tables=tuple(table.adults() for table in self.tables),
        )

    def table_of(self, concept: str) -> UnitTable | None:
        """Return the table that holds a concept."""
        return next((table for table in self.tables if concept in table.concepts), None)


def concepts_of(stimulus: Stimulus) -> tuple[str, ...]:
    """Return the concept of a picture and its groups, as references."""
    groups = (f"{PREFIX}{column}/{value}" for column, value in stimulus.groups)
    return tuple(ref for ref in (stimulus.concept, *groups) if ref)


def views_of(gathered: Gathered, reading: Reading) -> tuple[View, ...]:
    """Return every modality of pictures in which a reading was taken."""
    root = gathered.photos.root if gathered.photos is not None else None
    found = []
    for shown, is_minor in zip(gathered.responses.pictures, gathered.minors, strict=True):
        activations: Activations | None = shown.extraction.units.get(reading)
        if activations is None or not shown.stimuli:
            continue
        arm: Arm = "photo" if shown.stimuli[0].modality.value == "photo" else "rendered"
        names = [f"{s.concept}\n{s.cluster}" for s in shown.stimuli]
        tables = (*gathered.tables, *gathered.group_tables)
        found.append(
            View(
                arm=arm,
                stimuli=shown.stimuli,
                refs=tuple(frozenset(concepts_of(s)) for s in shown.stimuli),
                values=activations.values,
                clusters=clusters_of(names).codes,
                is_minor=is_minor,
                load=partial(load_picture, root=root),
                tables=tuple(t for t in tables if t.arm == arm and reading in t.readings),
            )
        )
    return tuple(found)
