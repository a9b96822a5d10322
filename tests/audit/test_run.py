"""``run_audit``: a library and an encoder go in, a judged draft comes out."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit.errors import PlanError
from audit.gather import Instruments
from audit.plan import read_plan
from audit.results import Undefined, Verdict
from audit.run import run_audit
from concept_sets.catalog import load_library
from concept_sets.photos import read_photos, with_concepts
from probes.backends.toy import ToyEncoder
from probes.encoder import Pooling, Reading
from probes.errors import ExtractionError
from probes.measurement import COLUMNS
from probes.progress import SilentProgress

SPECIMENS = Path(__file__).parents[1] / "specimens"


@pytest.fixture(scope="module")
def small_world():
    spec = importlib.util.spec_from_file_location("small_world", SPECIMENS / "small_world.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["small_world"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def home(small_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    small_world.write_packs(folder / "packs")
    small_world.write_photos(folder / "photos")
    return folder


@pytest.fixture(scope="module")
def library(home):
    return load_library([home / "packs"], builtin=False)


@pytest.fixture
def order(home, small_world):
    """A function that makes a plan."""
    return lambda **keys: read_plan(small_world.write_plan(home, **keys))


def tools(encoder=None) -> Instruments:
    encoder = encoder or ToyEncoder()
    reading = Reading(layer="toy.colours", pooling=Pooling.RELU_MEAN)
    return Instruments(encoder=encoder, cache=None, progress=SilentProgress(), readings=(reading,))


def test_the_planted_link_is_found_and_nothing_else(library, order):
    audited = run_audit(order(), library, tools())

    (finding,) = audited.draft.findings
    assert (finding.identity, finding.harm) == ("people/ones", "menace")
    assert audited.draft.conclusion.verdict.verdict is Verdict.FOUND
    assert audited.draft.conclusion.trustworthy


def test_shuffled_responses_carry_no_link(library, order):
    class Shuffled(ToyEncoder):
        """Answers every prompt with the answer to another."""

        def encode_texts(self, texts):
            rows = super().encode_texts(texts)
            return rows[np.random.default_rng(0).permutation(len(rows))]

    audited = run_audit(order(), library, tools(Shuffled()))

    assert not [f for f in audited.draft.findings if f.blocking]


def test_every_identity_meets_every_harm_in_every_arm(library, order, small_world, home):
    photos = with_concepts(read_photos(home / "photos" / "photos.csv"), library)

    audited = run_audit(order(rendered="describes"), library, tools(), photos=photos)

    met = [(c.arm, c.identity, c.harm) for c in audited.draft.contrasts]
    assert len(set(met)) == len(met) == 3 * len(small_world.GROUPS) * len(small_world.HARMS)
    assert {arm for arm, _, _ in met} == {"text", "rendered", "photo"}
    assert {t.arm for t in audited.tables} == {"rendered", "photo"}
    assert set(audited.encoded) == {"text", "rendered", "photo"}


def test_arms_that_are_off_are_not_shown(library, order):
    audited = run_audit(order(), library, tools())

    assert set(audited.encoded) == {"text"}
    assert audited.tables == ()
    assert {arm for part in audited.unit_frames() for arm in part.arm} == {"text"}


def test_a_text_arm_that_is_off_asks_nothing_of_units(library, order):
    plan = order(rendered="decides")
    arms = plan.arms.model_copy(update={"text": "off"})

    audited = run_audit(plan.model_copy(update={"arms": arms}), library, tools())

    assert {arm for part in audited.unit_frames() for arm in part.arm} == {"rendered"}
    assert audited.draft.units.text_units.asked == ()
    assert "text arm is off" in audited.draft.units.text_units.note


def test_units_are_read_where_the_instruments_say(library, order):
    audited = run_audit(order(rendered="describes"), library, tools())

    frames = list(audited.unit_frames())
    assert frames
    assert all(tuple(part.columns) == COLUMNS for part in frames)
    assert {(a, p) for part in frames for a, p in zip(part.arm, part.pooling, strict=True)} == {
        ("text", ""), ("rendered", "relu-mean")
    }  # fmt: skip
    assert {(r.name, r.pooling, r.n_units) for r in audited.draft.model.layers} == {
        ("toy.colours", "relu-mean", 12)
    }


def test_what_happens_is_told_in_order(library, order):
    said = []
    run_audit(order(), library, tools(), say=said.append)

    assert [line.split()[0] for line in said] == [
        "Encoding", "text:", "Judging", "Measuring", "Weighing"
    ]  # fmt: skip


def test_equal_seeds_give_equal_drafts(library, order):
    plan = order(rendered="describes")
    one, other = (run_audit(plan, library, tools()).draft for _ in range(2))

    assert one.contrasts == other.contrasts
    assert one.findings == other.findings
    assert one.probes == other.probes
    assert one.conclusion.arms == other.conclusion.arms


def test_nan_from_the_model_stops_the_audit(library, order):
    class Broken(ToyEncoder):
        def encode_texts(self, texts):
            return super().encode_texts(texts) * np.nan

    with pytest.raises(ExtractionError, match="must be finite numbers"):
        run_audit(order(), library, tools(Broken()))


def test_a_model_that_answers_everything_alike_finds_nothing(library, order):
    class Constant(ToyEncoder):
        def encode_texts(self, texts):
            return np.ones_like(super().encode_texts(texts))

    audited = run_audit(order(), library, tools(Constant()))

    assert audited.draft.findings == ()
    assert audited.draft.conclusion.verdict.verdict is Verdict.INSUFFICIENT
    assert all(isinstance(c.t, Undefined) for c in audited.draft.contrasts)


def test_a_family_of_one_is_left_out_and_named(library, order, small_world):
    with pytest.raises(PlanError, match=r"concepts\.identities selects none"):
        run_audit(order(identities='["people/ones"]'), library, tools())


def test_photos_of_unknown_concepts_change_no_contrast(library, order, home):
    photos = read_photos(home / "photos" / "photos.csv")
    strangers = replace(photos, stimuli=tuple(replace(s, concept="") for s in photos.stimuli))

    audited = run_audit(order(), library, tools(), photos=strangers)

    assert {c.arm for c in audited.draft.contrasts} == {"text"}
    assert audited.rates == ()
    assert "Groups of people in photographs" in {n.what for n in audited.draft.not_tested}
