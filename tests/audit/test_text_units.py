"""The text arm of units: weights by a slow computation, care with minors, fidelity on pictures."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import audit.text_units_weights as weights_module
from audit import gather
from audit.gather import Instruments, Shown, show_rendered, show_texts
from audit.plan import read_plan
from audit.results import Undefined
from audit.run import run_audit
from audit.selection import select
from audit.text_units import ONE_PART, UNKNOWN, fidelity_lines, text_units
from audit.text_units_fidelity import (
    BLIND,
    ENOUGH,
    NO_SCORE,
    RELAYED,
    WEIGHTED,
    layer_fidelity,
    picture_halves,
)
from audit.text_units_weights import (
    ALIKE,
    ONE_TERM,
    SILENT,
    TOO_FEW,
    Prompts,
    asked_records,
    prompt_weights,
    weight_frames,
)
from concept_sets.catalog import load_library
from concept_sets.pictures import load_picture
from concept_sets.stimulus import Modality, Stimulus
from probes.activations import Activations, Extraction
from probes.arms import Embeddings, normalise
from probes.backends.table import load_encoder
from probes.backends.toy import ToyEncoder
from probes.encoder import Layer, Pooling, Reading
from probes.errors import ModelError
from probes.linear_text import HeadTables
from probes.measurement import COLUMNS
from probes.progress import SilentProgress

SPECIMENS = Path(__file__).parents[1] / "specimens"
seeds = st.integers(0, 2**32 - 1)
TERMS = {"isles/a": 4, "isles/b": 3, "menace": 2, "chore": 1, "lewd": 3}
N_UNITS, DIM = 7, 5


def prompts_of(rng, terms=TERMS, *, sexual=("lewd",), minors=(("isles/a", "isles/a 0"),)):
    concepts = [c for c, n in terms.items() for _ in range(n)]
    names = [f"{c} {i}" for c, n in terms.items() for i in range(n)]
    rows = normalise(rng.normal(size=(len(names), DIM)))
    texts = Embeddings(names=tuple(names), concepts=tuple(concepts), pooled=rows, by_template={})
    return Prompts(
        texts=texts,
        counts={c: 6 * n for c, n in terms.items()},
        sexual=frozenset(sexual),
        minors=frozenset(minors),
    )


def slowly(readout, prompts, concept, unit, *, adults):
    """One weight with its interval, from loops."""

    def weight(row):
        return sum(prompts.texts.pooled[row][k] * readout[unit][k] for k in range(DIM))

    def rows(wanted, grown):
        return [
            i
            for i, (c, name) in enumerate(
                zip(prompts.texts.concepts, prompts.texts.names, strict=True)
            )
            if c == wanted and not (grown and (c, name) in prompts.minors)
        ]

    ordinary = [c for c in dict.fromkeys(prompts.texts.concepts) if c not in prompts.sexual]
    means = [np.mean([weight(i) for i in rows(c, adults)]) for c in ordinary if rows(c, adults)]
    terms = [(weight(i) - np.mean(means)) / np.std(means, ddof=1) for i in rows(concept, False)]
    if len(terms) < 2:
        return np.mean(terms), np.nan, np.nan
    half = stats.t(len(terms) - 1).ppf(0.975) * stats.sem(terms)
    return np.mean(terms), np.mean(terms) - half, np.mean(terms) + half


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_weights_are_those_of_slow_loops_over_terms_and_concepts(seed):
    rng = np.random.default_rng(seed)
    readout, prompts = rng.normal(size=(N_UNITS, DIM)), prompts_of(rng)

    found = prompt_weights(readout, prompts, "last")

    assert found.concepts == tuple(TERMS)
    assert (found.terms, found.prompts) == ((4, 3, 2, 1, 3), (24, 18, 12, 6, 18))
    for column, concept in enumerate(TERMS):
        for unit in range(N_UNITS):
            slow = slowly(readout, prompts, concept, unit, adults=concept == "lewd")
            ours = [table[unit, column] for table in (found.value, found.low, found.high)]
            np.testing.assert_allclose(ours, slow, rtol=1e-6, atol=1e-8)


@given(seed=seeds)
def test_what_sexualises_never_moves_the_weight_of_another_concept(seed):
    rng = np.random.default_rng(seed)
    readout, prompts = rng.normal(size=(N_UNITS, DIM)), prompts_of(rng)
    without = prompts.texts.take(np.flatnonzero([c != "lewd" for c in prompts.texts.concepts]))
    fewer = Prompts(texts=without, counts=prompts.counts, minors=prompts.minors)

    np.testing.assert_allclose(
        prompt_weights(readout, prompts, "last").value[:, :4],
        prompt_weights(readout, fewer, "last").value,
    )


@given(seed=seeds)
def test_terms_that_denote_minors_never_move_the_weight_of_what_sexualises(seed):
    rng = np.random.default_rng(seed)
    readout, prompts = rng.normal(size=(N_UNITS, DIM)), prompts_of(rng)
    moved = prompts.texts.pooled.copy()
    moved[0] = rng.normal(size=DIM)
    texts = Embeddings(names=prompts.texts.names, concepts=prompts.texts.concepts, pooled=moved,
                       by_template={})  # fmt: skip
    other = Prompts(texts=texts, counts=prompts.counts, sexual=prompts.sexual,
                    minors=prompts.minors)  # fmt: skip

    before, after = (prompt_weights(readout, p, "last").value for p in (prompts, other))

    np.testing.assert_array_equal(before[:, 4], after[:, 4])
    assert not np.allclose(before[:, 0], after[:, 0])


@given(seed=seeds, factor=st.floats(0.01, 100))
def test_the_unknown_constant_of_a_layer_changes_nothing(seed, factor):
    rng = np.random.default_rng(seed)
    readout, prompts = rng.normal(size=(N_UNITS, DIM)), prompts_of(rng)

    np.testing.assert_allclose(
        prompt_weights(factor * readout, prompts, "last").value,
        prompt_weights(readout, prompts, "last").value,
        rtol=1e-6,
        atol=1e-9,
    )


def test_a_unit_that_all_concepts_ask_alike_is_undefined_with_its_reason():
    rng = np.random.default_rng(0)
    readout = rng.normal(size=(N_UNITS, DIM))
    readout[2] = 0

    (rows,) = weight_frames(prompt_weights(readout, prompts_of(rng), "last"))

    alike = rows[rows["unit"] == 2]
    assert alike["value"].isna().all()
    assert set(alike["reason"]) == {ALIKE}
    one = rows[(rows["unit"] == 1) & (rows["concept"] == "chore")].iloc[0]
    assert np.isfinite(one["value"])
    assert np.isnan(one["low"])
    assert one["reason"] == ONE_TERM


def test_what_has_nobody_to_be_compared_with_is_undefined_with_its_reason():
    rng = np.random.default_rng(0)
    young = tuple(("isles/a", f"isles/a {i}") for i in range(4))
    prompts = prompts_of(rng, {"isles/a": 4, "chore": 2, "lewd": 3}, minors=young)

    (rows,) = weight_frames(prompt_weights(rng.normal(size=(N_UNITS, DIM)), prompts, "last"))

    lewd = rows[rows["concept"] == "lewd"]
    assert set(lewd["reason"]) == {TOO_FEW}
    assert lewd["value"].isna().all()
    assert rows[rows["concept"] == "chore"]["value"].notna().all()


def test_rows_have_every_unit_with_every_concept_once_whatever_the_block(monkeypatch):
    rng = np.random.default_rng(0)
    found = prompt_weights(rng.normal(size=(N_UNITS, DIM)), prompts_of(rng), "last")
    (whole,) = weight_frames(found)

    monkeypatch.setattr(weights_module, "UNITS_AT_ONCE", 3)
    blocks = list(weight_frames(found))

    assert [len(block) for block in blocks] == [15, 15, 5]
    assert list(whole.columns) == list(COLUMNS)
    for name in ("unit", "concept", "value", "low", "high", "n", "clusters", "reason"):
        assert [v for b in blocks for v in b[name].fillna(-9)] == list(whole[name].fillna(-9))
    assert set(whole["arm"]) == {"text"}
    assert not whole.duplicated(["unit", "concept"]).any()
    at = found.concepts.index("menace")
    rows = whole[whole["concept"] == "menace"].sort_values("unit")
    np.testing.assert_array_equal(rows["value"], found.value[:, at])


def test_the_units_asked_for_are_those_of_largest_positive_weight():
    rng = np.random.default_rng(3)
    found = prompt_weights(rng.normal(size=(40, DIM)), prompts_of(rng), "last")

    (record,) = asked_records(found, {"menace"})

    column = found.value[:, found.concepts.index("menace")]
    assert [unit for unit, _ in record.units] == np.argsort(-column)[:10].tolist()
    assert all(value > 0 for _, value in record.units)
    assert (record.concept, record.layer) == ("menace", "last")


def shown_photos(n_clusters, each, embeddings=None):
    """Photos whose digest tells cluster and number."""
    stimuli = tuple(
        Stimulus(modality=Modality.PHOTO, content=f"{c}-{i}.png", concept="isles/a",
                 cluster=f"{c}", template="", digest=f"{c}-{i}")
        for c in range(n_clusters)
        for i in range(each)
    )  # fmt: skip
    rows = np.ones((len(stimuli), DIM)) if embeddings is None else embeddings
    table = Activations(values=rows.astype(np.float32), stimuli=tuple(s.id for s in stimuli),
                        layer="embedding", pooling="", encoder="x")  # fmt: skip
    return Shown(
        stimuli=stimuli,
        extraction=Extraction(embeddings=table, units={}, kept=tuple(range(len(stimuli))), bad=(),
                              encoded=0, reused=0),
    )  # fmt: skip


@pytest.mark.parametrize(("n_clusters", "half"), [(24, 12), (90, 45), (500, 200)])
def test_reference_and_measured_pictures_share_no_cluster_and_are_capped(n_clusters, half):
    halves = picture_halves(shown_photos(n_clusters, 3), None, np.random.default_rng(0))

    sides = [[d.split("-")[0] for d in s.digests] for s in (halves.reference, halves.measured)]
    assert [len(set(side)) for side in sides] == [len(side) for side in sides] == [half, half]
    assert not set(sides[0]) & set(sides[1])


def test_too_few_clusters_are_not_split():
    assert picture_halves(shown_photos(2 * ENOUGH - 1, 9), None, np.random.default_rng(0)) is None


class Linear:
    """Two heads that pass on everything of a unit, and half of it."""

    def __init__(self, responses, readout):
        self.responses, self.readout = responses, readout

    def mean_responses(self, pictures, *, layer, progress=None):
        return np.array([self.responses[d] for d in pictures.digests])

    def head_tables(self, pictures, directions, *, layer, progress=None):
        effects = directions @ self.readout.T
        return HeadTables(
            layer=layer,
            effects=np.stack([effects, effects], axis=1),
            shares=np.stack([np.ones(N_UNITS), np.full(N_UNITS, 0.5)]),
            pictures=len(pictures),
        )


def linear_world(readout_seen=None, n_clusters=120):
    rng = np.random.default_rng(1)
    readout = rng.normal(size=(N_UNITS, DIM))
    values = rng.random((n_clusters, N_UNITS))
    embeddings = values @ readout
    halves = picture_halves(shown_photos(n_clusters, 1, embeddings), None, rng)
    responses = {f"{c}-0": row for c, row in enumerate(values)}
    return Linear(responses, readout if readout_seen is None else readout_seen), halves


def measured_fidelity(encoder, halves):
    directions = np.random.default_rng(2).normal(size=(9, DIM))
    return layer_fidelity(encoder, halves, directions, encoder.readout, "last", SilentProgress())


def test_weights_of_a_linear_model_go_with_its_cosines_and_weights_of_another_do_not():
    own = measured_fidelity(*linear_world())
    other = measured_fidelity(*linear_world(np.random.default_rng(9).normal(size=(N_UNITS, DIM))))

    assert [r.how for r in own] == [BLIND, WEIGHTED]
    for record in own:
        assert record.median > 0.8
        assert record.lowest <= record.low < record.median < record.high
        assert (record.arm, record.texts, record.clusters, record.reason) == ("photo", 9, 60, "")
    assert max(r.median for r in other) < 0.6
    assert "0.9" in fidelity_lines(own)[0] or "0.8" in fidelity_lines(own)[0]


def test_pictures_with_a_unit_that_the_reference_set_never_saw_are_left_out():
    encoder, halves = linear_world()
    rare = set(halves.measured.digests[:7])
    for digest, row in encoder.responses.items():
        row[3] = 0.5 if digest in rare else 0.0
    real = encoder.head_tables

    def tables(*args, **keys):
        found = real(*args, **keys)
        found.shares[:, 3] = np.nan
        return found

    encoder.head_tables = tables
    blind, weighted = measured_fidelity(encoder, halves)

    assert (blind.clusters, weighted.clusters) == (60, 53)


def test_a_tower_without_a_closed_form_is_a_reason_and_no_end_of_the_audit():
    encoder, halves = linear_world()

    def refuse(*args, **keys):
        raise ModelError("No closed form is known.")

    encoder.head_tables = refuse
    records = measured_fidelity(encoder, halves)

    assert {r.reason for r in records} == {"No closed form is known"}
    assert all(isinstance(r.median, Undefined) for r in records)
    assert "fidelity not measured, No closed form is known." in fidelity_lines(records)[0]


@pytest.fixture(scope="module")
def small_world():
    spec = importlib.util.spec_from_file_location("small_world", SPECIMENS / "small_world.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["small_world"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ordered(small_world, tmp_path_factory):
    """Plan and library of a small world."""
    home = tmp_path_factory.mktemp("home")
    small_world.write_packs(home / "packs")
    plan = read_plan(small_world.write_plan(home, rendered="describes"))
    return plan, load_library([home / "packs"], builtin=False)


def gathered_of(encoder, ordered, *, pictures=True, layer=None, sexual=frozenset()):
    """What `text_units` reads of a run that has shown its words."""
    plan, library = ordered
    selection = select(library, plan)
    where = encoder.layers[-1] if layer is None else layer
    reading = Reading(layer=where.name, pooling=where.poolings[0])
    tools = Instruments(encoder=encoder, cache=None, progress=SilentProgress(), readings=(reading,))
    concepts = gather.tested_concepts(selection)
    texts = show_texts(concepts, library, plan, tools)
    return SimpleNamespace(
        plan=plan,
        selection=SimpleNamespace(identities=selection.identities, harms=selection.harms,
                                  sexual=sexual, minors=selection.minors),
        responses=SimpleNamespace(
            texts=texts, photos=None,
            rendered=show_rendered(concepts, 1, tools) if pictures else None,
        ),
        texts=texts.embeddings(keep_templates=True),
        photos=None,
        tools=tools,
        rng=lambda word: np.random.default_rng([plan.seed, word]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def embedded():
    return load_encoder("embedded:demo")


@pytest.fixture(scope="module")
def of_embedded(embedded, ordered):
    return gathered_of(embedded, ordered)


def test_on_the_embedded_model_both_weights_are_measured_on_its_own_words(of_embedded, embedded):
    said = []
    found = text_units(of_embedded, said.append)

    assert said == ["Weighing units in prompts"]
    blind, weighted = found.record.fidelity
    assert (blind.how, weighted.how) == (BLIND, WEIGHTED)
    assert blind.arm == weighted.arm == "rendered"
    # Two measured words drive a unit that was silent in the whole reference set.
    assert 50 <= weighted.clusters <= blind.clusters
    assert blind.texts == 5
    assert -1 <= blind.lowest <= blind.median <= 1
    assert {a.concept for a in found.record.asked} == {
        "people/ones", "people/twos", "people/threes", "menace", "gloom"
    }  # fmt: skip
    rows = sum(len(f) for f in found.frames)
    assert rows == embedded.layers[-1].n_units * len(set(of_embedded.texts.concepts))


def test_the_measured_fidelity_is_that_of_an_encoder_asked_directly(of_embedded, embedded):
    blind = text_units(of_embedded).record.fidelity[0]
    layer, shown = embedded.layers[-1].name, of_embedded.responses.rendered
    halves = picture_halves(shown, None, of_embedded.rng(53))
    texts = of_embedded.texts
    means = {c: texts.pooled[texts.of({c})].mean(axis=0) for c in dict.fromkeys(texts.concepts)}
    told = ["people/ones", "people/threes", "people/twos", "menace", "gloom"]
    pictures = [load_picture(s) for s in shown.stimuli if s.digest in set(halves.measured.digests)]
    exact = normalise(embedded.encode_pictures(pictures).embeddings)
    reading = Reading(layer=layer, pooling=Pooling.RELU_MEAN)
    units = embedded.encode_pictures(pictures, [reading]).units[reading]
    r = []
    for concept in told:
        direction = means[concept] - np.mean(list(means.values()), axis=0)
        linear = units.astype(float) @ (embedded.readout(layer).astype(float) @ direction)
        r.append(np.corrcoef(linear, exact @ direction)[0, 1])

    assert blind.median == pytest.approx(np.median(r), abs=1e-4)
    assert blind.lowest == pytest.approx(min(r), abs=1e-4)


def test_concepts_that_sexualise_are_held_against_no_picture(embedded, ordered):
    found = text_units(gathered_of(embedded, ordered, sexual=frozenset({"menace"})))

    assert {r.texts for r in found.record.fidelity} == {4}
    assert "menace" in {a.concept for a in found.record.asked}


def test_without_pictures_weights_are_there_and_fidelity_is_a_reason(embedded, ordered):
    found = text_units(gathered_of(embedded, ordered, pictures=False))

    assert found.frames
    assert {r.reason for r in found.record.fidelity} == {"no pictures were shown"}


def test_a_layer_without_a_closed_form_is_named_and_has_no_rows(embedded, ordered):
    first = embedded.layers[0]

    found = text_units(gathered_of(embedded, ordered, pictures=False, layer=first))

    assert found.frames == found.record.fidelity == found.record.asked == ()
    assert found.record.note == UNKNOWN.format(layer=first.name)


@pytest.fixture(scope="module")
def transformer(tmp_path_factory):
    """A tiny vision transformer with random weights."""
    spec = importlib.util.spec_from_file_location("checkpoints", SPECIMENS / "checkpoints.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    folder = tmp_path_factory.mktemp("vit")
    model = made.make_model(made.CONFIGS["vit"], folder)
    made.save_safetensors(model.state_dict(), folder / "open_clip_model.safetensors")
    return load_encoder(f"local-dir:{folder}")


def test_earlier_layers_of_a_transformer_get_second_order_weights(transformer, ordered):
    first = transformer.layers[0]
    gathered = gathered_of(transformer, ordered, layer=first)

    found = text_units(gathered)

    (record,) = found.record.fidelity
    assert (record.how, record.layer, record.reason) == (RELAYED, first.name, NO_SCORE)
    assert "second-order" in found.record.note
    halves = picture_halves(gathered.responses.rendered, None, gathered.rng(53))
    kept = max(10, len(halves.reference) // 10)
    there = transformer.second_order_directions(halves.reference, layer=first.name, kept=kept)
    texts, concepts = gathered.texts, list(dict.fromkeys(gathered.texts.concepts))
    means = np.stack([texts.pooled[texts.of({c})].mean(axis=0) for c in concepts])
    raw = (there.directions * there.strength[:, None]) @ means.T
    slow = (raw - raw.mean(axis=1, keepdims=True)) / raw.std(axis=1, ddof=1, keepdims=True)
    rows = found.frames[0].pivot(index="unit", columns="concept", values="value")[concepts]
    np.testing.assert_allclose(rows.to_numpy(), slow, rtol=1e-4, atol=1e-6)


def test_the_last_layer_of_a_transformer_is_measured_in_both_ways(transformer, ordered):
    record = text_units(gathered_of(transformer, ordered)).record

    assert [r.how for r in record.fidelity] == [BLIND, WEIGHTED]
    assert all(isinstance(r.median, float) for r in record.fidelity)
    assert ONE_PART.format(layer=transformer.layers[-1].name) in record.note


def test_a_unit_that_answered_to_no_picture_of_the_reference_set_is_undefined_and_says_so():
    rng = np.random.default_rng(0)
    readout = rng.normal(size=(N_UNITS, DIM))
    readout[4] = np.nan

    found = prompt_weights(readout, prompts_of(rng), "early")
    (rows,) = weight_frames(found)

    gone = rows[rows["unit"] == 4]
    assert set(gone["reason"]) == {SILENT}
    assert gone["value"].isna().all()
    assert rows[rows["unit"] == 3]["value"].notna().all()
    assert all(unit != 4 for a in asked_records(found, TERMS) for unit, _ in a.units)


def test_too_few_photos_give_way_to_rendered_words(embedded, ordered):
    gathered = gathered_of(embedded, ordered)
    gathered.responses.photos = shown_photos(ENOUGH, 1)

    assert {r.arm for r in text_units(gathered).record.fidelity} == {"rendered"}


def test_the_last_mlp_of_a_transformer_is_said_to_be_one_part_of_many(ordered):
    class Transformer(ToyEncoder):
        """A toy whose units are called hidden units."""

        @property
        def layers(self):
            (own,) = super().layers
            return (Layer(name=own.name, n_units=own.n_units, kind="mlp", poolings=own.poolings),)

    plain = text_units(gathered_of(ToyEncoder(), ordered, pictures=False)).record.note
    hidden = text_units(gathered_of(Transformer(), ordered, pictures=False)).record.note

    said = ONE_PART.format(layer="toy.colours")
    assert said in hidden
    assert said not in plain


def test_an_audit_carries_the_text_arm_in_its_document_and_its_rows(ordered):
    plan, library = ordered
    reading = Reading(layer="toy.colours", pooling=Pooling.RELU_MEAN)
    tools = Instruments(
        encoder=ToyEncoder(), cache=None, progress=SilentProgress(), readings=(reading,)
    )

    audited = run_audit(plan, library, tools)

    rows = [f for f in audited.unit_frames() if set(f["measure"]) == {"text_weight"}]
    assert sum(map(len, rows)) == 12 * len(audited.concepts)
    record = audited.draft.units.text_units
    assert len(record.asked) == 5
    assert all("positions" in r.reason for r in record.fidelity)
