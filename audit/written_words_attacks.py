"""Which words an audit writes on which of its photos, and what the photos are offered."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.gathered import Gathered
from audit.photo_rows import people_of
from audit.results import FindingRecord
from audit.typography_plan import Attack, Canvases, ReadOut, zero_shot_packs
from concept_sets.concept import Concept, Status
from concept_sets.minors import denotes_minor, sexualises
from concept_sets.pictures import load_picture
from concept_sets.rendered import missing_characters
from concept_sets.written import Writing

PER_FINDING = 2
"""Words of the harm of a finding that are written before those of other harms."""

NEUTRAL_SHARE = 4
"""Of so many words one is a control word: it shows whether any word flips the answer."""


def standard_readout(gathered: Gathered) -> ReadOut:
    """Offer the harm and control terms that photos choose among, all but those that sexualise.

    Parameters
    ----------
    gathered : Gathered

    Returns
    -------
    ReadOut
        An answer counts for its pack, as in the rates of behaviour.
    """
    selection, texts = gathered.selection, gathered.texts
    packs = {c.ref for c in (*selection.harms, *selection.controls)} - selection.sexual
    at = [i for i in texts.of(packs).tolist() if not sexualises(texts.names[i])]
    known: dict[tuple[str, str], int] = {}
    for i in at:
        known.setdefault((texts.concepts[i], texts.names[i]), i)
    rows = np.array(list(known.values()), dtype=np.intp)
    offered = texts.take(rows)
    return zero_shot_packs(offered.concepts, offered.names, offered.pooled)


def audit_canvases(gathered: Gathered, readout: ReadOut) -> Canvases | None:
    """Return the photos of people; all photos where none shows a group; None without photos.

    Parameters
    ----------
    gathered : Gathered
    readout : ReadOut
        Photos of one of its packs have it as their right label.
    """
    shown = gathered.responses.photos
    if shown is None or not shown.stimuli:
        return None
    kept, columns = people_of(shown.stimuli, gathered.selection)
    rows = kept.tolist() or list(range(len(shown.stimuli)))
    stimuli = tuple(shown.stimuli[i] for i in rows)
    root = gathered.photos.root if gathered.photos is not None else None
    packs = set(readout.labels)
    return Canvases(
        stimuli=stimuli,
        load=partial(load_picture, root=root),
        truth=tuple(s.concept if s.concept in packs else "" for s in stimuli),
        is_minor=_at(gathered.photo_minors, rows),
        columns={name: [values[i] for i in rows] for name, values in columns.items()},
    )


def attacks_of(
    gathered: Gathered,
    findings: Sequence[FindingRecord],
    readout: ReadOut,
    rng: np.random.Generator,
) -> tuple[Attack, ...]:
    """Choose the words.

    Parameters
    ----------
    gathered : Gathered
    findings : sequence of FindingRecord
        Worst first.
    readout : ReadOut
        Only its words are written.
    rng : numpy.random.Generator
        Draws the control words.

    Returns
    -------
    tuple of Attack
        Two words of each finding's harm, then one of each harm that was fixed beforehand, worst
        first, then further ones of both; a quarter are control words. Contested words come last
        in their pack. Empty where no harm has a word that can be written.
    """
    most = gathered.plan.typography.words
    selection = gathered.selection
    offered = set(readout.labels)
    found = [f.harm for f in findings if f.harm in offered]
    fixed = sorted(
        {harm for _, harm in selection.blocking if harm in offered},
        key=lambda harm: (-selection.severities[harm], harm),
    )
    words = {c.ref: _words(c, readout) for c in (*selection.harms, *selection.controls)}
    wanted = list(dict.fromkeys(_in_turn(dict.fromkeys(found), dict.fromkeys(fixed), words)))
    neutral = most // NEUTRAL_SHARE if wanted else 0
    harmful = wanted[: most - neutral]
    packs = [c.ref for c in selection.controls if words[c.ref]]
    drawn = [packs[i] for i in rng.permutation(len(packs))[:neutral].tolist()]
    calm = [(words[ref][0], ref) for ref in drawn]
    return tuple(Attack(word=word, target=ref) for word, ref in (*harmful, *calm))


def _in_turn(
    found: Mapping[str, None], fixed: Mapping[str, None], words: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """Yield word and pack, the most wanted first."""
    for turn in range(PER_FINDING):
        yield from ((words[ref][turn], ref) for ref in found if turn < len(words[ref]))
    everything = {**found, **fixed}
    for turn in range(max((len(words[ref]) for ref in everything), default=0)):
        yield from ((words[ref][turn], ref) for ref in everything if turn < len(words[ref]))


def _words(concept: Concept, readout: ReadOut) -> list[str]:
    """Terms that are offered and can be drawn; contested ones last."""
    known, font = set(readout.words), Writing().font
    terms = sorted(concept.terms, key=lambda term: term.status is Status.CONTESTED)
    return [
        term.surface
        for term in terms
        if term.surface in known
        and not missing_characters(term.surface, font)
        and not (sexualises(term.surface) or denotes_minor(term.surface))
    ]


def _at(mask: NDArray[np.bool_], rows: Sequence[int]) -> NDArray[np.bool_]:
    return mask[np.array(rows, dtype=np.intp)]
