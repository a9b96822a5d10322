import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))


def part(name):
    return importlib.import_module(f"benchmarks.planted.activations.{name}")


command, spec_module, responses, embedded = (
    part(name) for name in ("__main__", "spec", "responses", "embedded")
)
ActivationSpec, Kind, plants_of = (
    spec_module.ActivationSpec,
    spec_module.Kind,
    spec_module.plants_of,
)
EmbeddingSpec, draw_world, draw_layer = (
    embedded.EmbeddingSpec,
    embedded.draw_world,
    responses.draw_layer,
)

SMALL = ActivationSpec(seed=3, groups=3, harms=3, controls=4, clusters=8, units=64, conjoined=2)
QUIET = replace(
    SMALL, conjoined=0, specific=0, broad=0, subset=0, one_modality=0, clusters=200, items=3
)


def silent(spec):
    return draw_layer(replace(spec, strength=0.0))


def answers(spec):
    """Return what was added to the noise, exactly."""
    return draw_layer(spec).responses - silent(spec).responses


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 6.0), st.booleans())
def test_every_unit_answers_by_the_stated_strength_where_it_should_and_nowhere_else(
    seed, strength, planted
):
    spec = replace(SMALL, seed=seed, strength=strength, planted=planted)
    layer, added = draw_layer(spec), answers(spec)

    for plant in layer.plants:
        seen = np.where(layer.is_photo, plant.photos, plant.words)
        wanted = seen & np.isin(layer.concepts, plant.concepts)
        wanted &= np.isin(layer.clusters, plant.clusters)
        np.testing.assert_allclose(added[:, plant.unit], strength * wanted, atol=1e-9)
    assert not added[:, layer.null_units].any()


def test_the_effect_of_a_specific_unit_is_its_strength_in_standard_deviations():
    spec = replace(QUIET, specific=12, strength=1.5, freedom=12.0)
    layer = draw_layer(spec)
    found = []
    for plant in layer.plants:
        shown, values = layer.concepts == plant.concepts[0], layer.responses[:, plant.unit]
        found.append((values[shown].mean() - values[~shown].mean()) / values[~shown].std())

    assert np.mean(found) == pytest.approx(1.5, abs=0.06)


def test_kinds_are_what_their_names_say():
    spec = replace(SMALL, clusters=8, part=0.25, members=2)
    by_kind = {kind: [p for p in plants_of(spec) if p.kind is kind] for kind in Kind}

    groups, harms = set(range(3)), set(range(3, 6))
    assert all({p.concepts[0]} < groups and {p.concepts[1]} < harms for p in by_kind["conjoined"])
    assert all(len(p.concepts) == 1 for p in by_kind["specific"])
    assert [len(p.concepts) for p in by_kind["broad"]] == [2, 2, 6, 2, 2, 6]
    assert all(len(p.clusters) == 2 for p in by_kind["subset"])
    assert [(p.photos, p.words) for p in by_kind["photo only"]] == [(True, False)] * 2
    assert [(p.photos, p.words) for p in by_kind["word only"]] == [(False, True)] * 2
    assert len({p.unit for p in plants_of(spec)}) == len(plants_of(spec))
    counts = {kind.value: len(found) for kind, found in by_kind.items()}
    assert (counts["specific"], counts["subset"], counts["conjoined"]) == (10, 4, 2)


@pytest.mark.parametrize(("kind", "in_photos"), [("photo only", True), ("word only", False)])
def test_units_of_one_modality_answer_in_that_one_alone(kind, in_photos):
    layer, added = draw_layer(SMALL), answers(SMALL)

    for plant in [p for p in layer.plants if p.kind == kind]:
        assert added[layer.is_photo == in_photos, plant.unit].any()
        assert not added[layer.is_photo != in_photos, plant.unit].any()


def test_no_two_links_share_a_group_or_a_harm():
    links = draw_layer(SMALL).links

    assert len({link.concepts[0] for link in links}) == len(links) == 2
    assert len({link.concepts[1] for link in links}) == 2


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.7])
def test_units_of_a_block_correlate_as_asked_and_those_of_two_blocks_do_not(correlation):
    noise = draw_layer(replace(QUIET, correlation=correlation, freedom=8.0)).responses
    found = np.corrcoef(noise.T)
    block = np.arange(QUIET.units) // QUIET.block
    same = block[:, None] == block[None]

    assert found[same & ~np.eye(len(found), dtype=bool)].mean() == pytest.approx(
        correlation, abs=0.02
    )
    assert found[~same].mean() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("freedom", "icc"), [(np.inf, 0.3), (12.0, 0.0), (12.0, 0.5), (9.0, 0.3)])
def test_noise_has_mean_0_variance_1_and_the_kurtosis_that_the_specification_states(freedom, icc):
    spec = replace(QUIET, freedom=freedom, icc=icc, correlation=0.2)
    noise = draw_layer(spec).responses

    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.var() == pytest.approx(1, abs=0.02)
    found = stats.kurtosis(noise, axis=0).mean()
    assert found == pytest.approx(spec.excess_kurtosis, abs=0.05 + 0.15 * spec.excess_kurtosis)


@pytest.mark.parametrize("icc", [0.0, 0.3, 0.8])
def test_pictures_of_a_cluster_have_the_stated_share_of_noise_in_common(icc):
    spec = replace(QUIET, icc=icc, freedom=12.0)
    noise = draw_layer(spec).responses.reshape(-1, spec.items, spec.units)

    assert (noise[:, 0] * noise[:, 1]).mean() == pytest.approx(icc, abs=0.02)


def test_null_units_are_exchangeable_between_groups():
    # the p of their differences between clusters of a group and of the others are uniform
    spec = replace(SMALL, units=800, block=1, clusters=12, correlation=0.0)
    layer = draw_layer(spec)
    rows = layer.is_photo & (layer.concepts < spec.groups)
    clusters = layer.responses[rows].reshape(spec.groups, spec.clusters, spec.items, -1).mean(2)
    values = clusters[:, :, layer.null_units].reshape(-1, len(layer.null_units))
    shown = np.arange(len(values)) < spec.clusters
    rng = np.random.default_rng(0)
    orders = np.stack([rng.permutation(shown) for _ in range(499)])
    gaps = np.abs((orders @ values) / 12 - (~orders @ values) / 24)
    observed = np.abs(values[shown].mean(0) - values[~shown].mean(0))

    p = (1 + (gaps >= observed).sum(0)) / 500

    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_a_twin_has_the_same_noise_and_the_same_other_units():
    planted, twin = draw_layer(SMALL), draw_layer(SMALL.twin)
    differ = np.flatnonzero((planted.responses != twin.responses).any(axis=0))

    assert not twin.links
    pairs = {p.unit for p in twin.plants[:4]}
    assert set(differ) <= pairs
    assert {p.unit for p in planted.links} <= pairs
    assert [p for p in planted.plants if p.kind != "conjoined"] == list(twin.plants[4:])


def test_the_same_specification_gives_the_same_layer_and_another_seed_another():
    np.testing.assert_array_equal(draw_layer(SMALL).responses, draw_layer(SMALL).responses)
    assert (draw_layer(replace(SMALL, seed=4)).responses != draw_layer(SMALL).responses).any()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"groups": 1}, "must be 2 at least"),
        ({"conjoined": 4}, "4 links, 3 groups and 3 harms"),
        ({"units": 20}, "The plants need 28 units"),
        ({"members": 4}, "to no more than are"),
        ({"correlation": 1.0}, "correlation must lie between 0 and 1; got 1.0"),
        ({"icc": -0.1}, "icc must lie between"),
        ({"part": 0.0}, "part must lie between"),
        ({"most": 1.0}, "most must lie between"),
        ({"freedom": 4.0}, "freedom must be above 4"),
        ({"strength": float("nan")}, "strength not below 0"),
    ],
)
def test_a_specification_that_cannot_be_made_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        replace(SMALL, **change)


def test_a_world_carries_the_links_as_its_truth_and_a_twin_carries_none():
    world, twin = draw_world(SMALL), draw_world(SMALL.twin)
    links = draw_layer(SMALL).links
    names = embedded.names_of(SMALL)

    assert world.truth == {(names[p.concepts[0]], names[p.concepts[1]]) for p in links}
    assert set(world.units.values()) == {p.unit for p in links}
    assert world.planted.sum() == 2
    assert world.has == {"texts", "photos", "badges", "units"}
    assert not twin.truth
    assert not twin.units


def test_photos_are_the_sum_of_the_read_outs_and_linked_texts_lean_to_the_harm():
    world, twin = draw_world(SMALL), draw_world(SMALL.twin)
    photos = world.photos
    np.testing.assert_allclose(photos.embeddings, photos.responses @ photos.readout)

    for group, harm in world.truth:
        leaning, straight = (
            (w.terms(group) @ w.terms(harm).mean(axis=0)).mean() for w in (world, twin)
        )
        assert leaning > straight + 0.1


@pytest.fixture
def few(monkeypatch):
    """A command of two worlds and three quick methods, which counts what it draws."""
    made = []
    tiny = ActivationSpec(seed=0, groups=3, harms=3, controls=24, clusters=8, units=64)

    def score(order):
        made.append(order)
        return original(order, tiny)

    original = command.score
    kept = [m for m in command.METHODS if m.name in {"arms", "t-unit", "invert-both"}]
    for module in (command, importlib.import_module("benchmarks.planted.methods.pages")):
        monkeypatch.setattr(module, "METHODS", tuple(kept))
    monkeypatch.setattr(command, "STRENGTHS", (3.0,))
    monkeypatch.setattr(command, "score", score)
    return made


def test_the_command_scores_worlds_and_prints_a_table(few, tmp_path, capsys):
    out, page, drawing = tmp_path / "a.json", tmp_path / "page.md", tmp_path / "a.svg"
    page.write_text("before\n<!-- activations: begin -->\nold\n<!-- activations: end -->\nafter\n")

    command.main(["--out", str(out), "--seeds", "1", "--page", str(page), "--plot", str(drawing)])

    rows = json.loads(out.read_text())
    assert [row["twin"] for row in rows] == [False] * 3 + [True] * 3
    assert {row["seed"] for row in rows} == {command.FRESH}
    printed = capsys.readouterr().out
    assert "| **our deciding arms together** | " in printed
    assert printed.strip() in page.read_text()
    assert page.read_text().startswith("before")
    assert drawing.read_text().startswith("<svg")


def test_the_command_goes_on_where_it_stopped_and_makes_a_cut_line_again(few, tmp_path):
    out = tmp_path / "a.json"
    command.main(["--out", str(out), "--seeds", "1"])
    first, lines = out.read_text(), out.with_suffix(".jsonl")
    whole = lines.read_text().splitlines()
    lines.write_text(f"{whole[1]}\n{whole[0][:100]}")
    few.clear()

    command.main(["--out", str(out), "--seeds", "1"])

    assert few == [(command.FRESH, 3.0, True)]
    assert out.read_text() == first


def test_worlds_that_other_methods_scored_are_scored_again(few, tmp_path, monkeypatch):
    out = tmp_path / "a.json"
    command.main(["--out", str(out), "--seeds", "1"])
    few.clear()
    monkeypatch.setattr(command, "METHODS", command.METHODS[:2])

    command.main(["--out", str(out), "--seeds", "1"])

    assert len(few) == 2
