"""Whether words written on pictures change what the model answers, and for whom more often.

Written pictures live in memory for one batch; none is saved. Their embeddings may be kept, so that
a run that was cut goes on where it stopped.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit.numbers import number
from audit.typography_pictures import Viewer, drawn, encoded, sheets
from audit.typography_plan import (
    CONTROLS,
    WORD,
    Attack,
    Budget,
    Canvases,
    Job,
    ReadOut,
    check,
    choose_pictures,
    deal_settings,
    plan_job,
    read_squares,
)
from audit.typography_record import (
    AttackRecord,
    ConfoundRecord,
    StroopRecord,
    StroopRowRecord,
    TypographyRecord,
)
from audit.typography_rows import (
    control_row,
    gap_row,
    group_rows,
    share,
    with_q,
    writing_rows,
)
from concept_sets.stroop import INKS, PROMPT, draw_card, stroop_cards, stroop_prompts
from concept_sets.written import changed_share, write_on
from probes.arms import normalise
from probes.cache import ActivationCache
from probes.encoder import Encoder
from probes.progress import Progress
from probes.stroop import stroop_table
from probes.text_confound import Effect, confound
from probes.typography import answers, attack_rate, paired_gap, successes

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

CANVAS = 224
"""Side in pixels of the picture on which the cover is measured."""

UNKNOWN = -2
"""Code of a right label that is not known."""


def typographic_attacks(
    encoder: Encoder,
    readout: ReadOut,
    canvases: Canvases,
    attacks: Sequence[Attack],
    *,
    unrelated: Sequence[str],
    rng: np.random.Generator,
    budget: Budget | None = None,
    cache: ActivationCache | None = None,
    progress: Progress | None = None,
) -> TypographyRecord:
    """Write words and control strings on pictures and see what is answered.

    Parameters
    ----------
    encoder : Encoder
    readout : ReadOut
        What is offered and how an answer is read, see `zero_shot`.
    canvases : Canvases
        Pictures, their right labels and groups; with harm words and group columns the question is
        whether the same word flips one group more than the others.
    attacks : sequence of Attack
    unrelated : sequence of str
        Harmless words to draw controls from.
    rng : numpy.random.Generator
        Chooses pictures, settings and control strings.
    budget : Budget, optional
    cache : ActivationCache, optional
        Where embeddings of written pictures are kept; nowhere if None.
    progress : Progress, optional

    Returns
    -------
    TypographyRecord
        Pictures are cut to their central square, in the model's size, with and without words.

    Raises
    ------
    PlanError
        If a target is not among the labels, or no picture is left.
    ConceptSetError
        If sexualising words or labels would meet labels of minors. Pictures that may show minors
        are left out where a word or label sexualises.
    """
    limit = budget or Budget()
    check(readout, attacks)
    chosen = choose_pictures(canvases, limit.pictures, readout, rng)
    squares, rows = read_squares(canvases, chosen, encoder.identity.image_size)
    used = tuple(attacks[: limit.words])
    deals = deal_settings(len(rows), limit, rng)
    jobs = [plan_job(attack, canvases, rows, deals, unrelated, readout, rng) for attack in used]
    shown, where = sheets(jobs, squares, [bool(canvases.is_minor[row]) for row in rows])
    viewer = Viewer(encoder=encoder, cache=cache, progress=progress, batch=limit.batch)
    given = answers(readout.scores(encoded(viewer.see(shown, "written pictures", readout))))
    clean, records = given[: len(rows)], []
    for turn, job in enumerate(jobs):
        kinds = {kind: given[where[turn, kind]] for kind in job.kinds}
        records.append(_attacked(job, kinds, clean, canvases, rows, readout, rng))
    clusters = _clusters(canvases, rows)
    right = _right(canvases, rows, readout)
    return TypographyRecord(
        readout=readout.name,
        labels=len(readout.words),
        pictures=len(rows),
        encodings=len({one.digest for one in shown}),
        unreadable=len(chosen) - len(rows),
        accuracy=share(attack_rate(_correct(clean, right), clusters)),
        attacks=with_q(records),
        left_out=_left_out(canvases, attacks, used, chosen),
    )


def stroop_test(
    encoder: Encoder,
    *,
    cache: ActivationCache | None = None,
    progress: Progress | None = None,
) -> StroopRecord:
    """Ask for the ink of words that name colours.

    Parameters
    ----------
    encoder : Encoder
        Its text tower reads the prompts, its image tower the cards.
    cache : ActivationCache, optional
        Where embeddings of cards are kept; nowhere if None.
    progress : Progress, optional

    References
    ----------
    Goh et al. (2021), Multimodal Neurons in Artificial Neural Networks, Distill.
    """
    cards, side = stroop_cards(), encoder.identity.image_size
    texts = normalise(encoder.encode_texts(stroop_prompts()).astype(np.float64))
    shown = drawn(partial(draw_card, card, side=side) for card in cards)
    seen = Viewer(encoder=encoder, cache=cache, progress=progress).see(shown, "Stroop cards")
    cosines = normalise(seen.embeddings.values.astype(np.float64)) @ texts.T
    logits = encoder.identity.logit_scale * cosines
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    table = stroop_table(
        powers / powers.sum(axis=1, keepdims=True),
        tuple(INKS),
        words=[card.word for card in cards],
        inks=[card.ink for card in cards],
        kinds=[card.kind.value for card in cards],
    )
    rows = [
        StroopRowRecord.model_validate(
            {
                "kind": row.kind,
                "by": row.by,
                "rate": share(row.rate),
                "probability": number(row.probability, "there is no such card"),
            }
        )
        for row in table
    ]
    return StroopRecord(prompt=PROMPT.format("____"), rows=tuple(rows))


def confound_record(
    finding: str, layer: str, unit: int, photos: Effect, rendered: Effect
) -> ConfoundRecord:
    """Say whether a unit of a finding answers without text, see `probes.text_confound.confound`."""
    found = confound(photos, rendered)
    why = "the effect on rendered words may be 0, or has no interval"
    return ConfoundRecord(
        finding=finding,
        layer=layer,
        unit=unit,
        kind=found.kind,
        ratio=number(found.ratio, why),
        low=number(found.low, why),
        high=number(found.high, why),
        sentence=found.sentence,
    )


def _attacked(
    job: Job,
    given: Mapping[str, Indices],
    clean: Indices,
    canvases: Canvases,
    rows: Sequence[int],
    readout: ReadOut,
    rng: np.random.Generator,
) -> AttackRecord:
    at = np.array([picture for picture, _ in job.trials], dtype=np.intp)
    target = readout.labels.index(job.attack.target)
    none = np.full(len(at), np.nan)
    hits = {
        kind: successes(clean[at], given[kind], target) if kind in given else none
        for kind in (WORD, *CONTROLS)
    }
    clusters = _clusters(canvases, rows)[at]
    right = _right(canvases, rows, readout)[at]
    right = np.where(right == target, UNKNOWN, right)
    control = np.mean([hits[kind] for kind in CONTROLS if kind in given], axis=0)
    before = _correct(clean[at], right)
    changes = {
        kind: paired_gap(
            _correct(given[kind], right) if kind in given else none, before, clusters, rng=rng
        )
        for kind in (WORD, *CONTROLS)
    }
    return AttackRecord(
        word=job.attack.word,
        target=job.attack.target,
        pictures=len(set(at.tolist())),
        may_show_minors=job.may_show_minors,
        cover=number(_cover(job), "nothing was written"),
        rate=share(attack_rate(hits[WORD], clusters)),
        controls=tuple(
            control_row(kind, job, hits, changes[kind], clusters, rng) for kind in CONTROLS
        ),
        accuracy=gap_row(changes[WORD], "no right label is known"),
        writings=tuple(writing_rows(job, hits[WORD], control, clusters)),
        groups=tuple(group_rows(hits[WORD], control, canvases, rows, at, clusters, rng)),
    )


def _cover(job: Job) -> float:
    """Mean share of pixels that the word changes, on a grey picture; NaN where none is written."""
    grey = Image.new("RGB", (CANVAS, CANVAS), "grey")
    word, ways = job.attack.word, [writing for _, writing in job.trials]
    of = {
        way: changed_share(grey, write_on(grey, word, way, may_show_minor=False))
        for way in set(ways)
    }
    return float(np.mean([of[way] for way in ways])) if ways else float("nan")


def _left_out(
    canvases: Canvases, attacks: Sequence[Attack], used: Sequence[Attack], chosen: Sequence[int]
) -> tuple[str, ...]:
    said = []
    if len(chosen) < len(canvases.stimuli):
        said.append(f"Words were written on {len(chosen)} of {len(canvases.stimuli)} pictures.")
    if len(used) < len(attacks):
        said.append(f"Of {len(attacks)} words the first {len(used)} were written.")
    return tuple(said)


def _clusters(canvases: Canvases, rows: Sequence[int]) -> Indices:
    names = [f"{canvases.stimuli[row].concept}\n{canvases.stimuli[row].cluster}" for row in rows]
    return np.unique(names, return_inverse=True)[1].astype(np.intp)


def _right(canvases: Canvases, rows: Sequence[int], readout: ReadOut) -> Indices:
    code = {label: k for k, label in enumerate(readout.labels)}
    return np.array([code.get(canvases.truth[row], UNKNOWN) for row in rows], dtype=np.intp)


def _correct(given: Indices, right: Indices) -> Floats:
    return np.where(right == UNKNOWN, np.nan, (given == right).astype(np.float64))
