"""Pages of units that were cut go on after the last finished drawing and link, byte for byte."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from audit.results import FindingRecord
from audit.unit_drawing import FOLDER as DRAWINGS
from audit.unit_drawn import drawn_pages
from audit.unit_links import take_apart
from audit.unit_parts import FOLDER as LINKS
from audit.unit_pictures import Care
from audit.unit_views import View
from concept_sets.stimulus import Modality, Stimulus
from probes.arms import Embeddings, normalise
from probes.backends.toy import ToyEncoder
from probes.backends.visualise import Visualisation
from probes.cache import ActivationCache
from probes.encoder import EncodedPictures, Layer, Pooling, Reading
from probes.errors import ModelError
from probes.inspectable import Attributed
from probes.interventions import UnitStatistics
from probes.progress import SilentProgress

UNITS, DIM, SIDE, STEPS = 9, 6, 24, 7
POOLINGS = (Pooling.TOKEN_MEAN, Pooling.CLS)
LAYERS = tuple(
    Layer(name=name, n_units=UNITS, kind="mlp", poolings=POOLINGS) for name in ("early", "deep")
)
READING = Reading(layer="deep", pooling=Pooling.TOKEN_MEAN)
GROUPS = ("isles/a", "isles/b", "isles/c")
CARE = Care(people="off", things=frozenset(), sexual=frozenset(), harsh=())


class Model:
    """Mean colours are units; counts what it is asked, and stops after so many drawings."""

    layers = LAYERS

    def __init__(self, *, stop_after=None, **identity):
        self.identity = replace(ToyEncoder().identity, **identity)
        self.weights = np.random.default_rng(0).normal(size=(UNITS, DIM))
        self.drawings = self.passes = self.silenced = self.taught = 0
        self.stop_after = stop_after

    def units_of(self, pictures):
        small = [np.asarray(p.convert("RGB").resize((3, 1)), float).ravel() for p in pictures]
        return np.array(small).reshape(len(pictures), UNITS) / 255

    def visualise(self, target, *, rng, recipe=None, facet=None, progress=None):
        if self.drawings == self.stop_after:
            raise KeyboardInterrupt
        self.drawings += 1
        progress.advance(recipe.steps)
        shape = (len(target.directions), SIDE, SIDE)
        pull = 0 if facet is None else 1 + float(np.abs(facet.weights).mean())
        found = (target.directions * np.arange(UNITS)).sum(axis=1) + pull
        return Visualisation(
            pictures=(rng.random((*shape, 3)) / (1 + abs(pull))).astype(np.float32),
            opacity=np.ones(shape, np.float32),
            objective=np.zeros((recipe.steps, len(found))),
            before=found / 3, after=found / 7 + rng.random(), steps=recipe.steps, stopped="",
        )  # fmt: skip

    def encode_pictures(self, pictures, readings=()):
        self.taught += len(pictures)
        units = self.units_of(pictures).astype(np.float32)
        # Ink is brighter or darker than anything in a photo.
        units[:, 0] = [np.abs(np.asarray(p, float) - 128).max() for p in pictures]
        return EncodedPictures(
            embeddings=(units @ self.weights).astype(np.float32),
            units=dict.fromkeys(readings, units),
        )

    def attribute(self, pictures, directions, *, layer=None, maps=(), double=False):
        self.passes += 1
        units = self.units_of(pictures)
        parts = np.einsum("pu,ud,kd->pku", units, self.weights, directions)
        embeddings = units @ self.weights
        return Attributed(
            layer="deep", units=parts, others={"rest": np.zeros(parts.shape[:2])},
            constant=np.zeros(parts.shape[:2]), products=embeddings @ directions.T,
            lengths=np.linalg.norm(embeddings, axis=1),
        )  # fmt: skip

    def hold(self, pictures, layer, where="everywhere"):
        return Held(self, self.units_of(pictures))


class Held:
    resumes = True

    def __init__(self, model, units):
        self.model, self.units = model, units
        self.embeddings = (units @ model.weights).astype(np.float32)
        self.statistics = UnitStatistics(
            mean=units.mean(axis=0), sd=units.std(axis=0), rate=np.full(UNITS, 0.5)
        )

    def picture_means(self):
        return self.units

    def encode_edited_many(self, edits):
        for edit in edits:
            self.model.silenced += 1
            units = self.units.copy()
            units[:, edit.directions.argmax(axis=1)] = edit.values
            yield (units @ self.model.weights).astype(np.float32)


def view(seed=0, each=8):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(110, 146, size=(len(GROUPS) * each, SIDE, SIDE, 3), dtype=np.uint8)
    pixels[:each, :, :8] -= 10
    stimuli = tuple(
        Stimulus(
            modality=Modality.PHOTO, content=str(i), concept=GROUPS[i // each], cluster=f"p{i}",
            template="", digest=f"{seed}-{i:060x}",
        )
        for i in range(len(pixels))
    )  # fmt: skip
    return View(
        arm="photo", stimuli=stimuli, refs=tuple(frozenset({s.concept}) for s in stimuli),
        values=rng.normal(size=(len(stimuli), UNITS)).astype(np.float32),
        clusters=np.arange(len(stimuli)), is_minor=np.zeros(len(stimuli), dtype=bool),
        load=lambda s: Image.fromarray(pixels[int(s.content)]), tables=(),
    )  # fmt: skip


def gathered(model, root, *, seed=3, steps=STEPS, drawn="fourier", texts=1):
    rng = np.random.default_rng(texts)
    packs = np.repeat(["menace", "spite", "calm1", "calm2"], 4)
    tools = SimpleNamespace(
        encoder=model, progress=SilentProgress(), cache=ActivationCache(root) if root else None
    )
    return SimpleNamespace(
        plan=SimpleNamespace(seed=seed, units=SimpleNamespace(drawn=drawn, drawn_steps=steps)),
        tools=tools, selection=SimpleNamespace(sexual=frozenset()), families={"isles": GROUPS},
        controls=("calm1", "calm2"), rng=lambda word: np.random.default_rng([seed, word]),
        texts=Embeddings(
            names=tuple(f"w{i}" for i in range(len(packs))), concepts=tuple(packs.tolist()),
            pooled=normalise(rng.normal(size=(len(packs), DIM))), by_template={},
        ),
    )  # fmt: skip


def draw(model, root, units=(2, 5), shown=None, **changes):
    return drawn_pages(gathered(model, root, **changes), READING, units, [shown or view()], CARE)


def finding(harm):
    return FindingRecord(
        id=f"BA-{harm}", fingerprint=harm, family="isles", identity="isles/a", harm=harm,
        severity=4, grade="confirmed", blocking=True, arms=("photo",), evidence=(),
        counter_evidence=(),
    )  # fmt: skip


FINDINGS = (finding("menace"), finding("spite"))


def apart(model, root, units=(1, 4), shown=None, reading=READING, **changes):
    return take_apart(gathered(model, root, **changes), FINDINGS, reading, [shown or view()], units)


def numbers(links):
    """Everything that comes of links, bit by bit."""
    return [
        (
            *(getattr(k.parts.units, n).tobytes() for n in ("value", "low", "high", "control_sd")),
            k.parts.units.clusters, k.parts.total, tuple(k.parts.others.items()),
            tuple(k.alone.items()), k.why,
        )
        for k in links
    ]  # fmt: skip


def kept(root, folder):
    return sorted((root / folder).glob("*.json"))


# Drawings


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_cut_drawings_go_on_after_the_last_finished_one_with_the_same_bytes(done, tmp_path):
    whole = draw(Model(), None)
    with pytest.raises(KeyboardInterrupt):
        draw(Model(stop_after=done), tmp_path)
    model = Model()

    resumed = draw(model, tmp_path)

    assert resumed == whole
    assert len(whole.pictures) == 4
    assert len(set(whole.pictures.values())) == 4
    assert model.drawings == 4 - done
    assert len(kept(tmp_path, DRAWINGS)) == 5


def test_a_second_run_draws_nothing_and_learns_no_facet_again(tmp_path):
    first, second = Model(), Model()

    assert draw(first, tmp_path) == draw(second, tmp_path)
    assert (second.drawings, second.taught) == (0, 0)
    assert first.taught == 48


def test_which_other_units_are_drawn_changes_no_drawing():
    alone, together = draw(Model(), None, units=(5,)), draw(Model(), None)

    assert alone.records[5] == together.records[5]
    assert alone.pictures.items() <= together.pictures.items()


OTHERS = {
    "weights": {"model": lambda: Model(weights_digest="sha256:other")},
    "libraries": {"model": lambda: Model(libraries={"torch": "9.9.9"})},
    "seed": {"seed": 4},
    "steps": {"steps": STEPS + 1},
    "recipe": {"drawn": "phase"},
    "units": {"units": (3, 6)},
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_drawing_is_not_taken_for_a_finished_one(what, tmp_path):
    draw(Model(), tmp_path)
    changes = dict(OTHERS[what])
    model = changes.pop("model", Model)()

    found = draw(model, tmp_path, **changes)

    assert model.drawings == 4
    assert found == draw(Model(), None, **changes)


def test_another_facet_draws_again_what_follows_it_and_nothing_else(tmp_path):
    draw(Model(), tmp_path)
    model = Model()

    found = draw(model, tmp_path, shown=view(seed=8))

    assert model.drawings == 2
    assert found == draw(Model(), None, shown=view(seed=8))


def test_a_changed_calculation_is_another_drawing(tmp_path, monkeypatch):
    draw(Model(), tmp_path)
    monkeypatch.setattr("audit.finished_work.inspect.getsource", lambda module: "changed")
    model = Model()
    draw(model, tmp_path)

    assert model.drawings == 4


def damaged_outcome(path):
    document = json.loads(path.read_text())
    document["outcome"] = document["outcome"].replace("0", "1")
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("damage", [damaged_outcome, lambda path: path.write_bytes(b"{")])
def test_a_damaged_drawing_is_set_aside_and_drawn_again(damage, tmp_path):
    whole = draw(Model(), tmp_path)
    for path in kept(tmp_path, DRAWINGS):
        damage(path)
    model = Model()

    assert draw(model, tmp_path) == whole
    assert model.drawings == 4
    assert len(list((tmp_path / DRAWINGS).glob("*.corrupt"))) == 5


# Links


def test_links_that_were_taken_apart_are_read_again_bit_by_bit(tmp_path):
    first, second = Model(), Model()

    whole, again = apart(first, tmp_path), apart(second, tmp_path)

    assert numbers(again) == numbers(whole) == numbers(apart(Model(), None))
    assert all(set(link.alone) == {1, 4} for link in whole)
    assert (first.passes, first.silenced) == (2, 2)
    assert (second.passes, second.silenced) == (0, 0)
    assert len(kept(tmp_path, LINKS)) == 2


def test_a_run_cut_among_silenced_units_keeps_the_parts(tmp_path, monkeypatch):
    def cut(self, edits):
        raise KeyboardInterrupt
        yield

    with monkeypatch.context() as patch:
        patch.setattr(Held, "encode_edited_many", cut)
        with pytest.raises(KeyboardInterrupt):
            apart(Model(), tmp_path)
    model = Model()

    assert numbers(apart(model, tmp_path)) == numbers(apart(Model(), None))
    assert (model.passes, model.silenced) == (0, 2)


DIFFERENT = {
    "weights": ({"model": lambda: Model(config_digest="sha256:other")}, (2, 2)),
    "pictures": ({"shown": view(seed=8)}, (2, 2)),
    "texts": ({"texts": 2}, (2, 2)),
    "pooling": ({"reading": Reading(layer="deep", pooling=Pooling.CLS)}, (2, 2)),
    "units": ({"units": (1, 4, 7)}, (0, 3)),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_another_link_is_not_taken_for_a_finished_one(what, tmp_path):
    apart(Model(), tmp_path)
    changes, cost = dict(DIFFERENT[what][0]), DIFFERENT[what][1]
    model = changes.pop("model", Model)()

    found = apart(model, tmp_path, **changes)

    assert (model.passes, model.silenced) == cost
    assert numbers(found) == numbers(apart(Model(), None, **changes))


def test_why_a_link_could_not_be_taken_apart_is_asked_again(tmp_path):
    class Closed(Model):
        def attribute(self, pictures, directions, **how):
            raise ModelError("No closed form is known.")

    told = apart(Closed(), tmp_path)

    assert {link.why for link in told} == {"No closed form is known."}
    assert all(link.parts is not None for link in apart(Model(), tmp_path))
