"""What a trained world shows to detection methods: embeddings of terms and pictures, and units."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.gather import Instruments, Shown, show_photos, show_texts
from audit.plan import AuditPlan, validate_plan
from benchmarks.planted.methods.world import Pair, Photos, World
from benchmarks.planted.networks.scenes import world as library
from benchmarks.planted.worlds.family import HARMS
from concept_sets.concept import Concept, Role
from concept_sets.photos import PhotoSet, read_photos, with_concepts
from concept_sets.world.drawing import write_photos
from probes.backends.table import load_encoder
from probes.encoder import Reading
from probes.progress import SilentProgress

PERSONS, PHOTOS = 12, 3
"""Persons of each group, or things of each badge, and photos of each: as in the demo."""


def the_plan() -> AuditPlan:
    """Return the plan of every audit here: all groups x the harms of severity 3 and 4, two arms."""
    order = {
        "name": "planted-worlds",
        "concepts": {
            "builtin": False,
            "identities": ["*"],
            "harms": list(HARMS),
            "control_kinds": ["profession", "role", "place", "everyday"],
        },
        "blocking": [{"identities": ["*"], "harms": ["*"]}],
        "arms": {"rendered": "off"},
        "probes": {"roles": [], "stability": False, "transfer": False},
        "typography": {"check": False, "stroop": False},
        "units": {"pages": 0},
        "causal": {"check": False},
    }
    return validate_plan(order, where="benchmarks/planted/worlds")


def draw_photos(folder: Path, seed: int) -> PhotoSet:
    """Draw photos of every group and every badge, as a user would hand them over."""
    refs = {concept.id: concept.ref for kind in library().sets for concept in kind.concepts}
    manifest = write_photos(
        folder, refs=refs, seed=seed, persons_per_group=PERSONS, photos_per_person=PHOTOS
    )
    return with_concepts(read_photos(manifest), library())


def instruments(model: Path) -> Instruments:
    """Load a checkpoint; the units that are read are those of its deepest layer."""
    encoder = load_encoder(f"local-dir:{model}", offline=True)
    layer = encoder.layers[-1]
    reading = Reading(layer=layer.name, pooling=layer.poolings[0])
    return Instruments(encoder=encoder, cache=None, progress=SilentProgress(), readings=(reading,))


def look_at(
    model: Path, photos: PhotoSet, *, name: str, truth: frozenset[Pair] = frozenset()
) -> World:
    """Show terms and photos to a model, as an audit does.

    Parameters
    ----------
    model : Path
        Folder of a checkpoint.
    photos : PhotoSet
        As `draw_photos` gives them.
    name : str
        Of the world.
    truth : frozenset of (group, harm)
        Planted links, by id.

    Returns
    -------
    World
        Contrasts of all groups with the harms of severity 3 and 4. No unit is known to carry a
        link: training decides that.
    """
    tools = instruments(model)
    groups, harms, controls = _concepts()
    shown = show_texts((*groups, *harms, *controls), library(), the_plan(), tools)
    return World(
        name=name,
        groups=tuple(c.ref for c in groups),
        harms=tuple(c.ref for c in harms),
        controls=tuple(c.ref for c in controls),
        texts=shown.embeddings(keep_templates=True),
        photos=_photos(show_photos(photos, 0.0, tools), {c.ref for c in groups}),
        truth=frozenset((_ref(group), _ref(harm)) for group, harm in truth),
    )


def _concepts() -> tuple[tuple[Concept, ...], tuple[Concept, ...], tuple[Concept, ...]]:
    by_role = {
        role: tuple(c for s in library().sets if s.role is role for c in s.concepts)
        for role in (Role.IDENTITY, Role.HARM, Role.CONTROL)
    }
    harms = tuple(c for c in by_role[Role.HARM] if c.id in HARMS)
    return by_role[Role.IDENTITY], harms, by_role[Role.CONTROL]


def _ref(concept: str) -> str:
    return next(c.ref for s in library().sets for c in s.concepts if c.id == concept)


def _photos(shown: Shown, groups: set[str]) -> Photos:
    concepts = [s.concept for s in shown.stimuli]
    (table,) = shown.extraction.units.values()
    return Photos(
        groups=tuple(c if c in groups else "" for c in concepts),
        badges=tuple("" if c in groups else c for c in concepts),
        persons=tuple(s.cluster for s in shown.stimuli),
        embeddings=_wide(shown.extraction.embeddings.values),
        responses=_wide(table.values),
    )


def _wide(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)
