"""Arms of ``run``: prompts, rendered words and photos against prompts about harms."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Arm
from audit.gather import Shown, minor_rows
from audit.photo_rows import PhotoRows, photo_embeddings, photo_rows
from audit.plan import AuditPlan
from audit.scoring import build_arm, embedded
from audit.selection import Selection
from probes.arms import Embeddings


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """What came back from the model."""

    texts: Shown
    rendered: Shown | None
    photos: Shown | None

    @property
    def pictures(self) -> tuple[Shown, ...]:
        """Modalities whose units were read."""
        return tuple(shown for shown in (self.rendered, self.photos) if shown is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Identity clusters of one arm."""

    name: str
    title: str
    rows: Embeddings
    is_minor: NDArray[np.bool_]


def run_arms(
    plan: AuditPlan,
    selection: Selection,
    groups: Mapping[str, tuple[str, ...]],
    responses: Responses,
    texts: Embeddings,
    photo_minors: NDArray[np.bool_],
) -> list[Arm]:
    """Build the arms that the plan wants and the responses allow.

    Parameters
    ----------
    plan : AuditPlan
        Roles of the arms.
    selection : Selection
        Identities, harms, controls, minors.
    groups : mapping
        Families that come from group columns of the photos.
    responses : Responses
        What came back from the model.
    texts : Embeddings
        Pooled prompts of all terms.
    photo_minors : bool ndarray of shape (n_photos,)
        Photos that show, or may show, somebody under 20; empty where there are no photos.

    Returns
    -------
    list of Arm
        In the order text, rendered, photo.
    """
    targets = {c.ref for c in (*selection.harms, *selection.controls)}
    columns = texts.take(texts.of(targets))
    null = tuple(c.ref for c in selection.controls)
    roles = plan.arms.model_dump()
    made = [
        build_arm(
            side.name,
            side.title,
            roles[side.name],
            embedded(side.rows, columns),
            families={**selection.families, **groups},
            controls={harm.ref: null for harm in selection.harms},
            sexual=selection.sexual,
            is_minor=side.is_minor,
        )
        for side in sides(plan, selection, groups, responses, texts, photo_minors)
    ]
    return [arm for arm in made if arm is not None]


def sides(
    plan: AuditPlan,
    selection: Selection,
    groups: Mapping[str, tuple[str, ...]],
    responses: Responses,
    texts: Embeddings,
    photo_minors: NDArray[np.bool_],
) -> Iterator[Side]:
    """Yield the identity clusters of each arm; parameters as in `run_arms`."""
    identities = {c.ref for c in selection.identities}
    if plan.arms.text != "off":
        title = "Prompts about each group against prompts about harms"
        yield _word_side("text", title, texts, identities, selection)
    if responses.rendered is not None:
        drawn = responses.rendered.embeddings(keep_templates=False)
        title = "Each group's words, drawn as pictures, against prompts about harms"
        yield _word_side("rendered", title, drawn, identities, selection)
    if responses.photos is not None:
        refs = identities | {g for members in groups.values() for g in members}
        rows = photo_rows(responses.photos.stimuli, refs)
        if rows.concepts:
            yield _photo_side(responses.photos, rows, photo_minors)


def _word_side(
    name: str, title: str, words: Embeddings, identities: Collection[str], selection: Selection
) -> Side:
    own = words.take(words.of(identities))
    return Side(name=name, title=title, rows=own, is_minor=minor_rows(own, selection.minors))


def _photo_side(shown: Shown, rows: PhotoRows, minor: NDArray[np.bool_]) -> Side:
    pairs = list(zip(rows.concepts, rows.clusters, strict=True))
    marked = {pair for pair, i in zip(pairs, rows.index, strict=True) if minor[i]}
    embedded_rows = photo_embeddings(shown, rows)
    own = zip(embedded_rows.concepts, embedded_rows.names, strict=True)
    return Side(
        name="photo",
        title="Photos of each group against prompts about harms",
        rows=embedded_rows,
        is_minor=np.array([pair in marked for pair in own], dtype=bool),
    )
