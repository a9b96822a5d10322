"""A causal check that was cut goes on after the last finished trial, with the same numbers."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from audit.causal import CausalMaterial, causal_checks
from audit.causal_cache import FOLDER
from audit.causal_halves import PictureSide
from audit.causal_trial import CausalSettings
from audit.gather import Instruments
from audit.photo_rows import PhotoRows
from audit.results import FindingRecord, Undefined
from concept_sets.errors import PictureError
from concept_sets.stimulus import Modality, Stimulus
from probes.arms import Embeddings, normalise
from probes.backends.toy import ToyEncoder
from probes.cache import ActivationCache
from probes.encoder import Layer, Pooling, Reading
from probes.errors import ExtractionError
from probes.interventions import UnitStatistics
from probes.progress import SilentProgress

GROUPS = ("isles/a", "isles/b", "isles/c")
HARMS = ("menace", "spite", "ruin")
UNITS, DIM, TERMS, PACKS = 64, 16, 6, 12
LAYER = Layer(name="deep", n_units=UNITS, kind="mlp", poolings=(Pooling.TOKEN_MEAN,))
READING = Reading(layer="deep", pooling=Pooling.TOKEN_MEAN)
FEW = CausalSettings(matched_sets=120, units=3, doses=(0, 2))


class Linear:
    """Pixels are units, and the embedding is linear in them; stops after so many edits."""

    layers = (LAYER,)

    def __init__(self, stop_after=None, **identity):
        self.weights = np.random.default_rng(0).normal(size=(UNITS, DIM))
        self.identity = replace(ToyEncoder().identity, **identity)
        self.edits, self.stop_after = 0, stop_after

    def hold(self, pictures, layer, where="everywhere"):
        grey = [p.convert("L").resize((8, 8)) for p in pictures]
        return Held(self, np.array([np.asarray(p, float).ravel() for p in grey]))


class Held:
    resumes = True

    def __init__(self, encoder, units):
        self.encoder, self.units = encoder, units
        self.embeddings = (units @ encoder.weights).astype(np.float32)
        self.statistics = UnitStatistics(
            mean=units.mean(axis=0), sd=units.std(axis=0), rate=np.full(UNITS, 0.5)
        )

    def picture_means(self):
        return self.units

    def encode_edited_many(self, edits):
        for edit in edits:
            if self.encoder.edits == self.encoder.stop_after:
                raise KeyboardInterrupt
            self.encoder.edits += 1
            units = self.units.copy()
            units[:, edit.directions.argmax(axis=1)] = edit.values
            yield (units @ self.encoder.weights).astype(np.float32)


def pictures(seed=0, each=8):
    """Group a lights the first six units; each harm lies where two of them lead."""
    rng = np.random.default_rng(seed)
    values = rng.integers(60, 120, size=(len(GROUPS), each, UNITS))
    values[0, :, :6] += 100
    shown = values.reshape(-1, 8, 8).astype(np.uint8)
    stimuli = tuple(
        Stimulus(
            modality=Modality.PHOTO, content=f"{seed}:{i}", concept=GROUPS[i // each],
            cluster=f"p{i % each}", template="", digest=f"{seed}-{i:060x}",
        )
        for i in range(len(shown))
    )  # fmt: skip
    return PictureSide(
        stimuli=stimuli,
        load=lambda s: Image.fromarray(shown[int(s.content.partition(":")[2])]),
        rows=PhotoRows(
            concepts=tuple(s.concept for s in stimuli),
            clusters=tuple(s.cluster for s in stimuli),
            index=np.arange(len(stimuli)),
        ),
        is_minor=np.zeros(len(stimuli), dtype=bool),
    )


def material(seed=0, sides=None):
    rng = np.random.default_rng(100 + seed)
    weights = Linear().weights
    harms = [weights[2 * h] + weights[2 * h + 1] for h in range(len(HARMS))]
    centres = [*harms, *rng.normal(size=(PACKS, DIM)) * 4]
    rows = np.repeat(centres, TERMS, axis=0) + rng.normal(size=((len(HARMS) + PACKS) * TERMS, DIM))
    packs = (*HARMS, *(f"calm{k}" for k in range(PACKS)))
    return CausalMaterial(
        sides=sides or {"photo": pictures(seed)},
        texts=Embeddings(
            names=tuple(f"w{i}" for i in range(len(rows))),
            concepts=tuple(np.repeat(packs, TERMS)),
            pooled=normalise(rows),
            by_template={},
        ),
        families={"isles": GROUPS},
        controls=packs[len(HARMS) :],
    )


FINDINGS = [
    FindingRecord(
        id=f"BA{i}", fingerprint=str(i), family="isles", identity="isles/a", harm=harm, severity=4,
        grade="confirmed", blocking=True, arms=("photo",), evidence=(), counter_evidence=(),
    )
    for i, harm in enumerate(HARMS)
]  # fmt: skip


def check(encoder, root, given=None, findings=FINDINGS, seed=0, settings=FEW):
    tools = Instruments(
        encoder=encoder, cache=ActivationCache(root) if root else None,
        progress=SilentProgress(), readings=(READING,),
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    return causal_checks(findings, given or material(), tools, rng, settings)


@pytest.fixture(scope="module")
def uncut():
    """Records and cost of a check that nothing cut and nothing was kept for."""
    encoder = Linear()
    return check(encoder, None), encoder.edits


def kept(root):
    return sorted((root / FOLDER).glob("*.json"))


# Cut and resumed


@pytest.mark.parametrize("share", [0.01, 0.4, 0.7, 0.99])
def test_a_cut_check_goes_on_after_the_last_finished_finding_with_the_same_numbers(
    share, uncut, tmp_path
):
    records, edits = uncut
    cut = Linear(stop_after=int(share * edits))
    with pytest.raises(KeyboardInterrupt):
        check(cut, tmp_path)
    finished = int(share * len(FINDINGS))

    resumed = Linear()
    again = check(resumed, tmp_path)

    assert again == records
    assert [r.model_dump_json() for r in again] == [r.model_dump_json() for r in records]
    assert resumed.edits == edits * (len(FINDINGS) - finished) / len(FINDINGS)


def test_the_trials_are_ones_whose_numbers_could_differ(uncut):
    records, edits = uncut

    assert edits > 3 * FEW.matched_sets
    assert all(isinstance(r.drop, float) and r.matched.sets == 120 for r in records)
    assert any(r.causal for r in records)
    assert len({r.drop for r in records}) == 3


def test_a_second_check_edits_nothing(uncut, tmp_path):
    records, edits = uncut
    first, second = Linear(), Linear()

    assert check(first, tmp_path) == check(second, tmp_path) == records
    assert (first.edits, second.edits) == (edits, 0)


def test_without_a_cache_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check(Linear(), None, findings=FINDINGS[:1])

    assert list(tmp_path.iterdir()) == []


def test_findings_that_are_added_or_turned_around_find_their_trials(tmp_path):
    check(Linear(), tmp_path, findings=FINDINGS[1:])
    more = Linear()

    turned = check(more, tmp_path, findings=FINDINGS[::-1])

    assert turned == check(Linear(), None, findings=FINDINGS[::-1])
    assert more.edits == FEW.edits(UNITS) + len(FEW.doses)  # the blank picture


def test_a_refusal_that_took_edits_is_kept_too(tmp_path):
    """Where no unit lowers the link, only the search among single units was done."""
    grey = replace(pictures(), load=lambda s: Image.fromarray(np.full((8, 8), 90, np.uint8)))
    flat = material(sides={"photo": grey})
    first, second = Linear(), Linear()

    (told,) = check(first, tmp_path, flat, FINDINGS[:1])
    (again,) = check(second, tmp_path, flat, FINDINGS[:1])

    assert "silencing no single unit lowers the link" in told.reason
    assert isinstance(told.p, Undefined)
    assert again == told
    assert (first.edits, second.edits) == (UNITS, 0)


def test_a_picture_that_cannot_be_read_is_tried_again(tmp_path):
    def gone(stimulus):
        raise PictureError("gone.png is missing")

    absent = material(sides={"photo": replace(pictures(), load=gone)})
    (told,) = check(Linear(), tmp_path, absent, FINDINGS[:1])

    assert "gone.png" in told.reason
    assert check(Linear(), tmp_path, findings=FINDINGS[:1])[0].drop != told.drop
    assert len(kept(tmp_path)) == 1


# What a trial depends on

OTHERS = {
    "weights": lambda: {"encoder": Linear(weights_digest="sha256:other")},
    "configuration": lambda: {"encoder": Linear(config_digest="sha256:other")},
    "activation": lambda: {"encoder": Linear(activation="gelu")},
    "preprocessing": lambda: {"encoder": Linear(preprocessing="other")},
    "libraries": lambda: {"encoder": Linear(libraries={"torch": "9.9.9"})},
    "seed": lambda: {"seed": 1},
    "matched sets": lambda: {"settings": replace(FEW, matched_sets=119)},
    "doses": lambda: {"settings": replace(FEW, doses=(0, 3))},
    "what units are held at": lambda: {"settings": replace(FEW, how="zero")},
    "half": lambda: {"settings": replace(FEW, choose_on=1)},
    "pictures": lambda: {"given": replace(material(), sides={"photo": pictures(7)})},
    "texts": lambda: {"given": replace(material(3), sides=material().sides)},
    "control packs": lambda: {"given": replace(material(), controls=material().controls[1:])},
    "finding": lambda: {"findings": [FINDINGS[0].model_copy(update={"id": "BAx"})]},
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_trial_is_not_taken_for_a_finished_one(what, tmp_path):
    check(Linear(), tmp_path, findings=FINDINGS[:1])
    asked = {"encoder": Linear(), "findings": FINDINGS[:1], **OTHERS[what]()}

    found = check(root=tmp_path, **asked)

    assert asked["encoder"].edits > UNITS
    assert len(kept(tmp_path)) == 2
    assert found == check(root=None, **asked)


def test_a_changed_calculation_is_another_trial(tmp_path, monkeypatch):
    check(Linear(), tmp_path, findings=FINDINGS[:1])
    monkeypatch.setattr("audit.finished_work.inspect.getsource", lambda module: "changed")
    again = Linear()

    check(again, tmp_path, findings=FINDINGS[:1])

    assert again.edits > UNITS


def test_another_threshold_uses_the_same_trial(tmp_path):
    strict = Linear()
    check(Linear(), tmp_path, findings=FINDINGS[:1])
    (record,) = check(strict, tmp_path, findings=FINDINGS[:1], settings=replace(FEW, alpha=1e-9))

    assert strict.edits == 0
    assert not record.causal


# Damage


def edit_json(change):
    def damage(path):
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return damage


DAMAGED = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "not text": lambda path: path.write_bytes(bytes(range(256))),
    "a list": lambda path: path.write_text("[]"),
    "a number": lambda path: path.write_text("7"),
    "without an outcome": edit_json(lambda d: d.pop("outcome")),
    "an outcome of another type": edit_json(lambda d: d.update(outcome=3)),
    "another key": edit_json(lambda d: d["key"].update(weights="sha256:other")),
    "a changed number": edit_json(
        lambda d: d.update(outcome=d["outcome"].replace('"unchanged": ', '"unchanged": 1'))
    ),
    "another checksum": edit_json(lambda d: d.update(checksum="0" * 64)),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_or_foreign_entry_is_set_aside_and_computed_again(how, uncut, tmp_path, caplog):
    check(Linear(), tmp_path)
    path = kept(tmp_path)[0]
    DAMAGED[how](path)
    again = Linear()

    with caplog.at_level(logging.WARNING):
        records = check(again, tmp_path)

    assert records == uncut[0]
    assert again.edits == uncut[1] / len(FINDINGS)
    assert path.with_name(path.name + ".corrupt").exists()
    assert "Set aside the damaged cache file" in caplog.text
    assert len(kept(tmp_path)) == 3


@pytest.mark.parametrize(("call", "must"), [("read_bytes", "readable"), ("mkdir", "writable")])
def test_a_folder_that_cannot_be_used_is_one_sentence(call, must, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(f"pathlib.Path.{call}", refuse)

    with pytest.raises(ExtractionError, match=f"must be {must}, but: Permission denied"):
        check(Linear(), tmp_path, findings=FINDINGS[:1])
