"""What is written on which pictures: read-outs, words, settings and control strings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

from audit.errors import PlanError
from concept_sets.errors import ConceptSetError, PictureError
from concept_sets.minors import denotes_minor, sexualises
from concept_sets.stimulus import Stimulus
from concept_sets.written import (
    Writing,
    blank_box,
    central_square,
    refuse_on_minors,
    shuffled_letters,
    unrelated_words,
    write_on,
)
from probes.arms import normalise
from probes.encoder import EncodedPictures, Reading

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

WORD, BOX, SHUFFLED, UNRELATED = "word", "blank box", "shuffled letters", "unrelated word"
CONTROLS = (BOX, SHUFFLED, UNRELATED)
CONTROL_STRINGS = 8
"""Different shuffles and unrelated words that are dealt out over the pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOut:
    """How the model's output becomes an answer: the one that is deployed should be tested."""

    name: str
    labels: tuple[str, ...]
    scores: Callable[[EncodedPictures], NDArray[np.floating[Any]]]
    """Pictures to scores of shape (n_pictures, n_labels)."""

    readings: tuple[Reading, ...] = ()
    """Units that the scores need, for probes."""

    sexual: frozenset[str] = frozenset()
    """Labels that their packs mark as sexualising; words decide as well."""

    minors: frozenset[str] = frozenset()
    """Labels that their packs mark as minors; words decide as well."""

    terms: tuple[str, ...] = ()
    """Every word that is offered, where a label stands for a pack of them."""

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that is offered."""
        return self.terms or self.labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A word to write, and the label that it should not bring about."""

    word: str
    target: str
    sexual: bool = False
    """Whether its pack marks it as sexualising; the word itself is looked at as well."""

    @property
    def sexualises(self) -> bool:
        """By mark or by word."""
        return self.sexual or sexualises(self.word) or sexualises(self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvases:
    """The pictures to write on."""

    stimuli: tuple[Stimulus, ...]
    load: Callable[[Stimulus], Image]
    truth: tuple[str, ...]
    """Right label of each picture, empty where unknown or none."""

    is_minor: Mask
    """Pictures that show, or may show, somebody under 20, shape (n_pictures,)."""

    columns: Mapping[str, Sequence[str]]
    """Group columns, one value per picture; empty where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much is written: about pictures x words x settings x 4 passes through the model."""

    pictures: int = 48
    words: int = 8
    settings: int = 2
    """Positions, sizes and colours that each picture gets of their crossing, dealt evenly."""

    positions: tuple[str, ...] = ("top left", "top right", "bottom left", "bottom right")
    sizes: tuple[float, ...] = (0.1, 0.16)
    colours: tuple[str, ...] = ("black", "white", "red")
    batch: int = 32

    def __post_init__(self) -> None:
        if min(self.pictures, self.words, self.settings, self.batch) < 1:
            raise PlanError(f"Every part of a budget must be at least 1; got {self}.")
        if not (self.positions and self.sizes and self.colours):
            raise PlanError("A budget needs a position, a size and a colour at least.")

    @property
    def crossing(self) -> tuple[Writing, ...]:
        """Every position with every size and colour."""
        crossed = product(self.positions, self.sizes, self.colours)
        return tuple(Writing(position=p, size=s, colour=c) for p, s, c in crossed)


def zero_shot(labels: Sequence[str], vectors: NDArray[np.floating[Any]]) -> ReadOut:
    """Answer with the label whose text embedding has the highest cosine.

    Parameters
    ----------
    labels : sequence of str
    vectors : ndarray of shape (n_labels, embedding_size)
        Text embeddings, normalised or not.
    """
    known = normalise(np.asarray(vectors, dtype=np.float64))

    def scores(shown: EncodedPictures) -> Floats:
        cosines: Floats = normalise(shown.embeddings.astype(np.float64)) @ known.T
        return cosines

    return ReadOut(name="zero-shot", labels=tuple(labels), scores=scores)


def zero_shot_packs(
    packs: Sequence[str], terms: Sequence[str], vectors: NDArray[np.floating[Any]]
) -> ReadOut:
    """Answer with the pack of the term whose text embedding has the highest cosine.

    Every term is offered; the answer counts for its pack, as rates of harms count it.

    Parameters
    ----------
    packs : sequence of str
        Pack of each term.
    terms : sequence of str
    vectors : ndarray of shape (n_terms, embedding_size)
        Text embeddings, normalised or not.

    Examples
    --------
    >>> readout = zero_shot_packs(["tools", "pets", "pets"], ["axe", "cat", "dog"], np.eye(3))
    >>> shown = EncodedPictures(embeddings=np.array([[0.1, 0.3, 0.9]], np.float32), units={})
    >>> readout.labels, readout.scores(shown).argmax(axis=1)
    (('tools', 'pets'), array([1]))
    """
    single = zero_shot(terms, vectors)
    labels = tuple(dict.fromkeys(packs))
    of = np.array(packs, dtype=object)
    at = [np.flatnonzero(of == label) for label in labels]

    def scores(shown: EncodedPictures) -> Floats:
        cosines = single.scores(shown)
        return np.stack([cosines[:, columns].max(axis=1) for columns in at], axis=1)

    return ReadOut(name="zero-shot, by pack", labels=labels, scores=scores, terms=tuple(terms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One word, where it is written, and its control strings."""

    attack: Attack
    trials: tuple[tuple[int, Writing], ...]
    """Index of the chosen picture, and how it is written on."""

    strings: Mapping[str, tuple[str, ...]]
    """Kind of control to the strings that are dealt out; none where there is no such string."""

    may_show_minors: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is written in turn: the word, the box, and the strings that there are."""
        return (WORD, BOX, *(kind for kind in (SHUFFLED, UNRELATED) if self.strings[kind]))

    @property
    def encodings(self) -> int:
        """Passes through the model."""
        return len(self.trials) * len(self.kinds)


def check(readout: ReadOut, attacks: Sequence[Attack]) -> None:
    """Refuse targets that are no labels, and minors beside sexualising words or labels."""
    unknown = sorted({attack.target for attack in attacks} - set(readout.labels))
    if unknown or not attacks:
        raise PlanError(
            f"Every attack needs a target among the labels; not there: {unknown or 'no attack'}."
        )
    lewd = _sexual_labels(readout) or any(attack.sexualises for attack in attacks)
    offered = dict.fromkeys((*readout.labels, *readout.words))
    young = [x for x in offered if x in readout.minors or denotes_minor(x)]
    young += [attack.word for attack in attacks if denotes_minor(attack.word)]
    if lewd and young:
        raise ConceptSetError(
            "Labels and words of minors never stand beside sexualising ones; "
            f"leave out {sorted(set(young))}, or what sexualises."
        )


def _sexual_labels(readout: ReadOut) -> bool:
    offered = (*readout.labels, *readout.words)
    return any(label in readout.sexual or sexualises(label) for label in offered)


def choose_pictures(
    canvases: Canvases, most: int, readout: ReadOut, rng: np.random.Generator
) -> tuple[int, ...]:
    """Take pictures in turn from every concept or group, a new cluster each time where possible."""
    rows = np.arange(len(canvases.stimuli))
    if _sexual_labels(readout):
        rows = rows[~canvases.is_minor]
    by_kind: dict[tuple[str, ...], list[int]] = {}
    for row in rng.permutation(rows).tolist():
        kind = tuple(values[row] for values in canvases.columns.values())
        by_kind.setdefault(kind or (canvases.stimuli[row].concept,), []).append(row)
    order: list[tuple[int, int]] = []
    for members in by_kind.values():
        seen: dict[str, int] = {}
        ranked = []
        for row in members:
            cluster = canvases.stimuli[row].cluster
            ranked.append((seen.setdefault(cluster, 0), row))
            seen[cluster] += 1
        order += [(turn, row) for turn, (_, row) in enumerate(sorted(ranked, key=lambda x: x[0]))]
    return tuple(sorted(row for _, row in sorted(order)[:most]))


def read_squares(
    canvases: Canvases, chosen: Sequence[int], side: int
) -> tuple[tuple[Image, ...], tuple[int, ...]]:
    """Return the readable pictures as the model sees them, and their rows."""
    held = []
    for row in chosen:
        try:
            square = central_square(canvases.load(canvases.stimuli[row]))
        except PictureError:
            continue
        held.append((row, square.convert("RGB").resize((side, side), Resampling.BICUBIC)))
    if not held:
        raise PlanError(f"Words need a picture to be written on; none of {len(chosen)} is left.")
    return tuple(picture for _, picture in held), tuple(row for row, _ in held)


def deal_settings(
    n: int, budget: Budget, rng: np.random.Generator
) -> tuple[tuple[int, Writing], ...]:
    """Deal the crossing of positions, sizes and colours evenly, the same for every word."""
    crossing, wanted = budget.crossing, min(budget.settings, len(budget.crossing))
    trials, left = [], list[int]()
    for picture in range(n):
        if len(left) < wanted:
            left = rng.permutation(len(crossing)).tolist()
        trials += [(picture, crossing[left.pop()]) for _ in range(wanted)]
    return tuple(trials)


def plan_job(
    attack: Attack,
    canvases: Canvases,
    rows: Sequence[int],
    deals: tuple[tuple[int, Writing], ...],
    unrelated: Sequence[str],
    readout: ReadOut,
    rng: np.random.Generator,
) -> Job:
    """Draw the control strings of a word and leave out pictures that it may not meet."""
    adults = attack.sexualises
    kept = tuple(deal for deal in deals if not (adults and canvases.is_minor[rows[deal[0]]]))
    shuffled = {
        shuffled_letters(attack.word, rng, avoid=readout.words) for _ in range(CONTROL_STRINGS)
    }
    others = unrelated_words(attack.word, unrelated, avoid=(attack.target, *readout.words))
    drawn = rng.permutation(len(others))[:CONTROL_STRINGS].tolist()
    return Job(
        attack=attack,
        trials=kept,
        strings={
            BOX: (),
            SHUFFLED: tuple(sorted(made for made in shuffled if made is not None)),
            UNRELATED: tuple(others[i] for i in drawn),
        },
        may_show_minors=len({k for k, _ in deals}) - len({k for k, _ in kept}),
    )


def written_pictures(
    job: Job, kind: str, squares: Sequence[Image], minor: Sequence[bool]
) -> Iterator[Callable[[], Image]]:
    """Yield what draws the pictures with the word, or with one of its controls, on them."""
    word = job.attack.word
    for turn, (picture, writing) in enumerate(job.trials):
        if kind == BOX:
            yield partial(blank_box, squares[picture], word, writing)
            continue
        strings = job.strings.get(kind, ())
        text = word if kind == WORD else strings[turn % len(strings)]
        if kind == WORD:
            refuse_on_minors(word, may_show_minor=minor[picture], sexual=job.attack.sexualises)
        on = squares[picture]
        yield partial(write_on, on, text, writing, may_show_minor=minor[picture])
