"""What was ordered and what came back, as every later step of ``run`` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.gather import Instruments, Shown
from audit.plan import AuditPlan
from audit.run_arms import Responses
from audit.selection import Selection
from audit.unit_tables import UnitTable
from concept_sets.catalog import Library
from concept_sets.photos import PhotoSet
from probes.arms import Embeddings
from probes.encoder import Encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The order, the stimuli, and the responses of the model to them."""

    plan: AuditPlan
    library: Library
    selection: Selection
    groups: Mapping[str, tuple[str, ...]]
    """Families that come from group columns of the photos."""

    responses: Responses
    texts: Embeddings
    """Pooled prompts of all terms."""

    minors: tuple[NDArray[np.bool_], ...]
    """For each modality of pictures, those that denote or may show somebody under 20."""

    photos: PhotoSet | None
    tools: Instruments
    tables: tuple[UnitTable, ...]
    """Units by cluster, one for each modality of pictures."""

    group_tables: tuple[UnitTable, ...]
    """The same for every group column of the photos."""

    other: Encoder | None = None
    """A second model to look for the same links in."""

    @property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Identity concepts by family, of concept sets and of group columns."""
        return {**self.selection.families, **self.groups}

    @property
    def controls(self) -> tuple[str, ...]:
        """References of the control packs."""
        return tuple(c.ref for c in self.selection.controls)

    @property
    def photo_minors(self) -> NDArray[np.bool_]:
        """Photos that show, or may show, somebody under 20; empty where there are no photos."""
        return self.minors[-1] if self.responses.photos is not None else np.zeros(0, dtype=bool)

    def shown(self, arm: str) -> tuple[Shown, NDArray[np.bool_]] | None:
        """Return one modality of pictures with its minors; None where it was not shown."""
        pairs = zip(self.responses.pictures, self.minors, strict=True)
        return next((p for p in pairs if p[0].stimuli[0].modality.value == arm), None)

    def rng(self, word: int) -> np.random.Generator:
        """Return a generator of its own for one step, so that steps do not disturb each other."""
        return np.random.default_rng([self.plan.seed, word])
