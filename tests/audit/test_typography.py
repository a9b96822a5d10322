"""Attacks with words on pictures, from the encoder to the record."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from audit.errors import PlanError
from audit.numbers import plain
from audit.results import Undefined
from audit.typography import confound_record, stroop_test, typographic_attacks
from audit.typography_plan import (
    Attack,
    Budget,
    Canvases,
    ReadOut,
    choose_pictures,
    deal_settings,
    zero_shot,
    zero_shot_packs,
)
from audit.typography_record import StroopRecord, TypographyRecord
from concept_sets.errors import ConceptSetError, PictureError
from concept_sets.stimulus import Modality, Stimulus
from concept_sets.stroop import INKS
from concept_sets.world.drawing import draw_scene
from concept_sets.written import Writing, blank_box, changed_share
from probes.backends.table import load_encoder
from probes.cache import ActivationCache
from probes.encoder import EncodedPictures
from probes.readings import default_reading
from probes.text_confound import Effect

SIDE = 48
UNRELATED = ("ladder", "basin", "window", "bottle")
LABELS = ("weaver", "baker", "thief")
BUDGET = Budget(pictures=24, words=4, settings=1, positions=("bottom",), sizes=(0.2,), batch=5)


def colours(row: int) -> tuple[int, int, int]:
    return (200, 120, 60 + row)


class Reader:
    """Answers "thief" where ``moved`` says so of a picture's row and the pixels changed on it."""

    identity = SimpleNamespace(
        image_size=SIDE, logit_scale=100.0, embedding_size=3, weights_digest="none"
    )
    layers = ()

    def __init__(self, moved):
        self.moved, self.seen = moved, 0

    def encode_pictures(self, pictures, readings=()):
        self.seen += len(pictures)
        assert all(picture.size == (SIDE, SIDE) for picture in pictures)
        rows = [self._embed(np.asarray(picture, dtype=int)) for picture in pictures]
        return EncodedPictures(embeddings=np.array(rows, np.float32), units={})

    def _embed(self, pixels):
        row = int(pixels[1, 1, 2]) - 60
        changed = (pixels[SIDE // 2 :] != pixels[1, 1]).any(axis=2).sum()
        return [1.0, 0.2, 2.0] if changed and self.moved(row, changed) else [1.0, 0.2, 0.0]


def canvases(n: int = 24, minors: int = 0) -> Canvases:
    stimuli = tuple(
        Stimulus(
            modality=Modality.PHOTO,
            content=f"{i}",
            concept="people/all",
            cluster=f"person {i}",
            template="",
            digest=f"{i}",
        )
        for i in range(n)
    )
    return Canvases(
        stimuli=stimuli,
        load=lambda s: Image.new("RGB", (70, SIDE), colours(int(s.content))),
        truth=("weaver",) * n,
        is_minor=np.arange(n) < minors,
        columns={"isle": ["ost" if i % 2 else "west" for i in range(n)]},
    )


READ = zero_shot(LABELS, np.eye(3))
THIEF = Attack(word="thief", target="thief")


def attack(model, shown=None, attacks=(THIEF,), readout=READ, **how):
    options = {"unrelated": UNRELATED, "rng": np.random.default_rng(0), "budget": BUDGET, **how}
    return typographic_attacks(model, readout, shown or canvases(), attacks, **options)


def box_size() -> int:
    """Pixels that the box of the word covers: letters cover fewer."""
    grey = Image.new("RGB", (SIDE, SIDE), "grey")
    made = blank_box(grey, "thief", Writing(size=0.2, position="bottom"))
    return round(changed_share(grey, made) * SIDE * SIDE)


def test_a_model_that_reads_is_told_from_one_that_is_blinded():
    box = box_size()
    reads = attack(Reader(lambda row, changed: changed < box)).attacks[0]
    blinded = attack(Reader(lambda row, changed: True)).attacks[0]
    assert plain(reads.rate.value) == plain(blinded.rate.value) == 1
    kinds = {control.kind: control for control in reads.controls}
    assert plain(kinds["blank box"].rate.value) == 0
    assert plain(kinds["blank box"].gap.value) == 1
    assert plain(kinds["blank box"].gap.p) < 1e-5
    for control in blinded.controls:
        assert plain(control.gap.value) == 0
        assert plain(control.gap.p) == 1
    assert plain(reads.accuracy.value) == plain(blinded.accuracy.value) == -1
    assert plain(kinds["blank box"].accuracy.value) == 0
    assert plain(blinded.controls[0].accuracy.value) == -1
    assert 0 < plain(reads.cover) < 0.5


def test_a_word_that_flips_one_group_more_says_so_and_q_is_no_smaller_than_p():
    box = box_size()
    found = attack(Reader(lambda row, changed: row % 2 and changed < box)).attacks[0]
    by_group = {one.group: one for one in found.groups}
    assert plain(by_group["ost"].rate.value) == 1
    assert plain(by_group["west"].rate.value) == 0
    assert plain(by_group["ost"].gap.value) == 1
    assert plain(by_group["ost"].gap.p) < 1e-5
    for one in found.groups:
        assert plain(one.excess_gap.q) >= plain(one.excess_gap.p)


def test_pictures_that_were_called_so_before_do_not_count():
    labels = zero_shot(LABELS, np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]]))
    found = attack(Reader(lambda row, changed: True), readout=labels).attacks[0]
    assert isinstance(found.rate.value, Undefined)
    assert found.rate.n == 0
    assert plain(found.groups[0].already.value) == 1


def test_a_word_that_names_the_picture_rightly_does_not_raise_the_accuracy():
    rightly = replace(canvases(), truth=("thief",) * 12 + ("weaver",) * 12)
    found = attack(Reader(lambda row, changed: True), rightly)
    assert (found.accuracy.n, plain(found.accuracy.value)) == (24, 0.5)
    assert found.attacks[0].accuracy.n == 12
    assert plain(found.attacks[0].accuracy.value) == -1


def test_the_budget_bounds_what_goes_through_the_model_and_is_told():
    model, told = Reader(lambda row, changed: True), []
    progress = SimpleNamespace(
        start=lambda total, label: told.append(total),
        advance=lambda n: told.append(-n),
        finish=lambda: None,
    )
    two = (Attack(word="thief", target="thief"), Attack(word="baker", target="baker"))
    budget = replace(BUDGET, pictures=10, words=1, settings=2, positions=("bottom", "top"))
    found = attack(model, attacks=two, budget=budget, progress=progress)
    assert model.seen == found.encodings == told[0] == -sum(told[1:])
    assert found.encodings == 10 + 10 * 2 * 4
    assert found.pictures == 10
    assert found.left_out == (
        "Words were written on 10 of 24 pictures.",
        "Of 2 words the first 1 were written.",
    )


def test_pictures_are_taken_from_every_group_and_person_in_turn():
    chosen = choose_pictures(canvases(), 10, READ, np.random.default_rng(3))
    assert sum(row % 2 for row in chosen) == 5
    same = replace(
        canvases(), stimuli=tuple(replace(s, cluster=s.content[-1]) for s in canvases().stimuli)
    )
    taken = choose_pictures(same, 10, READ, np.random.default_rng(3))
    assert len({same.stimuli[row].cluster for row in taken}) == 10


def test_settings_are_dealt_evenly():
    budget = Budget(settings=2, positions=("top", "bottom"), sizes=(0.1,), colours=("red", "blue"))
    deals = deal_settings(20, budget, np.random.default_rng(0))
    counts = {writing: sum(w == writing for _, w in deals) for _, writing in deals}
    assert sorted(counts.values()) == [10, 10, 10, 10]
    assert all(deals[2 * i][1] != deals[2 * i + 1][1] for i in range(20))


def test_the_same_seed_gives_the_same_record():
    model = Reader(lambda row, changed: row % 3 == 0)
    assert attack(model) == attack(model)
    again = TypographyRecord.model_validate_json(attack(model).model_dump_json())
    assert again == attack(model)


def test_unreadable_pictures_are_counted_and_none_left_is_refused():
    def load(stimulus):
        if int(stimulus.content) < 4:
            raise PictureError("damaged")
        return canvases().load(stimulus)

    found = attack(Reader(lambda row, changed: True), replace(canvases(), load=load))
    assert (found.unreadable, found.pictures) == (4, 20)
    with pytest.raises(PlanError, match="need a picture"):
        attack(Reader(lambda row, changed: True), replace(canvases(4), load=load))


def test_pictures_that_may_show_minors_never_meet_a_sexualising_word_or_label():
    seen = []
    model = Reader(lambda row, changed: seen.append(row) or True)
    lewd = Attack(word="seductive", target="thief")
    found = attack(model, canvases(24, minors=6), (lewd,)).attacks[0]
    assert (found.may_show_minors, found.pictures) == (6, 18)
    assert min(seen) >= 6
    marked = Attack(word="ladrona", target="thief", sexual=True)
    assert attack(model, canvases(24, minors=6), (marked,)).attacks[0].may_show_minors == 6
    labels = replace(READ, sexual=frozenset({"baker"}))
    assert attack(model, canvases(24, minors=6), readout=labels).pictures == 18
    children = ReadOut(name="x", labels=("child", "baker", "thief"), scores=READ.scores)
    with pytest.raises(ConceptSetError, match="never stand beside"):
        attack(model, attacks=(lewd,), readout=children)
    assert attack(model, canvases(4, minors=4), (lewd,)).attacks[0].pictures == 0


def test_a_word_without_another_order_has_no_shuffled_control_and_says_why():
    found = attack(Reader(lambda row, changed: True), attacks=(Attack(word="$$$", target="thief"),))
    shuffled = found.attacks[0].controls[1]
    assert shuffled.strings == ()
    assert isinstance(shuffled.gap.value, Undefined)
    assert found.encodings == 24 * 4


def test_words_behind_packs_count_for_the_rules_on_minors_and_for_the_controls():
    def packs(*terms):
        return zero_shot_packs(["work", "work", "crime"], terms, np.eye(3))

    thief = Attack(word="thief", target="crime")
    found = attack(
        Reader(lambda row, changed: True), attacks=(thief,), readout=packs("weaver", "bread", "x")
    )
    assert found.labels == 3
    assert plain(found.attacks[0].rate.value) == 1
    lewd = Attack(word="seductive", target="crime")
    with pytest.raises(ConceptSetError, match="never stand beside"):
        attack(Reader(lambda row, changed: True), attacks=(lewd,), readout=packs("child", "b", "c"))
    left = attack(
        Reader(lambda row, changed: True),
        canvases(24, minors=6),
        (thief,),
        packs("nude", "baker", "thief"),
    )
    assert left.pictures == 18
    avoided = replace(READ, terms=(*LABELS, *UNRELATED[:3]))
    (only,) = attack(Reader(lambda row, changed: True), readout=avoided).attacks
    assert only.controls[2].strings == (UNRELATED[3],)


def test_a_cut_run_goes_on_where_it_stopped_and_ends_with_the_same_record(tmp_path):
    class Cut(Reader):
        identity = SimpleNamespace(
            **vars(Reader.identity),
            config_digest="c",
            activation="a",
            preprocessing="p",
            libraries={},
        )

        def __init__(self, most):
            super().__init__(lambda row, changed: row % 3 == 0)
            self.most = most

        def encode_pictures(self, pictures, readings=()):
            if self.seen + len(pictures) > self.most:
                raise KeyboardInterrupt
            return super().encode_pictures(pictures, readings)

    cache, whole = ActivationCache(tmp_path), attack(Cut(1000))
    first, second = Cut(61), Cut(1000)
    with pytest.raises(KeyboardInterrupt):
        attack(first, cache=cache)
    assert attack(second, cache=cache) == whole
    assert first.seen == 60
    assert first.seen + second.seen == whole.encodings
    assert attack(Cut(0), cache=cache) == whole


def test_what_was_asked_wrongly_is_refused():
    with pytest.raises(PlanError, match="target among the labels"):
        attack(Reader(lambda row, changed: True), attacks=(Attack(word="x", target="pirate"),))
    with pytest.raises(PlanError, match="at least 1"):
        Budget(pictures=0)


def test_no_picture_is_ever_saved(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a picture with a word on it was saved")

    monkeypatch.setattr(Image.Image, "save", refuse)
    assert attack(Reader(lambda row, changed: True)).attacks


def test_a_confound_is_written_with_its_reason():
    found = confound_record(
        "f1", "deep", 3, Effect(value=0.1, low=-1, high=1), Effect(value=0.1, low=-1, high=1)
    )
    assert (found.kind, found.unit) == ("neither", 3)
    assert isinstance(found.ratio, Undefined)


@pytest.fixture(scope="module")
def demo():
    return load_encoder("embedded:demo")


def test_attacks_by_group_and_stroop_run_on_the_embedded_model(demo):
    groups, draw = ("debeo", "klabeox"), np.random.default_rng(0)
    scenes = {f"{g}{i}": draw_scene(draw, group=g) for g in groups for i in range(6)}
    stimuli = tuple(
        Stimulus(
            modality=Modality.PHOTO,
            content=name,
            concept=f"world/{name[:-1]}",
            cluster=name,
            template="",
            digest=name,
        )
        for name in scenes
    )
    labels = ("debeo", "klabeox", "thief", "baker")
    readout = zero_shot(labels, demo.encode_texts(labels))
    shown = Canvases(
        stimuli=stimuli,
        load=lambda s: scenes[s.content],
        truth=tuple(s.content[:-1] for s in stimuli),
        is_minor=np.zeros(len(stimuli), bool),
        columns={"people": [s.content[:-1] for s in stimuli]},
    )
    words = tuple(Attack(word=word, target=word) for word in ("thief", "klabeox"))
    found = attack(demo, shown, words, readout)
    assert found.encodings == 12 + 2 * 12 * 4
    for one in found.attacks:
        assert [c.kind for c in one.controls] == [
            "blank box",
            "shuffled letters",
            "unrelated word",
        ]
        assert {group.group for group in one.groups} == set(groups)
    table = stroop_test(demo)
    assert StroopRecord.model_validate_json(table.model_dump_json()) == table
    rows = {(row.kind, row.by): row.rate for row in table.rows}
    clash = [rows["incongruent", by] for by in ("ink", "word", "neither")]
    assert sum(rate.hits for rate in clash) == 49 == clash[0].n
    assert rows["neutral", "ink"].n == 3 * len(INKS)


def test_a_probe_on_units_can_be_the_read_out(demo):
    reading = default_reading(demo.layers)
    readout = ReadOut(
        name="probe",
        labels=LABELS,
        scores=lambda shown: shown.units[reading][:, : len(LABELS)],
        readings=(reading,),
    )
    found = attack(demo, canvases(3), readout=readout)
    assert (found.readout, found.pictures, found.attacks[0].rate.n <= 3) == ("probe", 3, True)
