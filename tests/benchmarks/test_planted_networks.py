import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))


def part(name):
    return importlib.import_module(f"benchmarks.planted.networks.{name}")


replace_block = importlib.import_module("benchmarks.planted.methods.pages").replace_block


command, making, shapes, sites, table, trial, writing = (
    part(name) for name in ("__main__", "making", "shapes", "sites", "table", "trial", "writing")
)
anything_causal, the_plan = part("judging").anything_causal, part("judging").the_plan
draw_photos, scenes_of = part("scenes").draw_photos, part("scenes").scenes_of
gelu, relu, site_of = sites.gelu, sites.relu, sites.site_of
Sizes, alive = part("sizes").Sizes, part("sizes").alive
differences, natural_sizes = part("sizes").differences, part("sizes").natural_sizes
Readings, copy_function = writing.Readings, writing.copy_function
serve, to_limits, turned = writing.serve, writing.to_limits, writing.turned

torch.set_num_threads(1)

SHAPES = tuple(shapes.CONFIGS)
TINY_TEXT = {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 1, "layers": 1}


@pytest.fixture(scope="module")
def fitting(tmp_path_factory):
    return scenes_of(draw_photos(tmp_path_factory.mktemp("fit"), 0, persons=6, photos=1))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("shown"), 9, persons=8, photos=1)


@pytest.fixture(scope="module")
def shown(photos):
    return scenes_of(photos)


@pytest.fixture(scope="module")
def small_texts():
    kept = {shape: dict(config) for shape, config in shapes.CONFIGS.items()}
    for config in shapes.CONFIGS.values():
        config["text_cfg"] = TINY_TEXT
    pictures, sites.JACOBIAN_PICTURES = sites.JACOBIAN_PICTURES, 4
    yield
    sites.JACOBIAN_PICTURES = pictures
    for shape, config in kept.items():
        shapes.CONFIGS[shape].update(config)


@pytest.fixture(scope="module", params=SHAPES)
def prepared(request, fitting, shown, small_texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return trial.prepare(request.param, folder, 7, fitting, shown, the_plan(slots=["bare"]))


def embeddings(model, pictures):
    with torch.no_grad():
        return model.encode_image(pictures).double().numpy()


def test_the_unit_hands_on_its_function_and_nothing_else(prepared, shown):
    site = site_of(trial.variant(prepared, "plant"))
    seen = site.look(shown.pictures)
    written = prepared.copied

    before = seen.features @ written.weights + written.bias

    np.testing.assert_allclose(seen.before[:, :, prepared.unit], before, atol=2e-4)


def test_no_size_exceeds_its_limit_on_the_pictures_of_the_audit(prepared, shown):
    site = site_of(trial.variant(prepared, "plant"))
    unit, limits = prepared.unit, prepared.limits
    answers = site.look(shown.pictures).handed[:, unit]
    group = shown.names.index(prepared.group)
    doubled = differences(answers[:, None], shown.groups)[group, 0]

    assert 0 < doubled <= limits.response * 1.001
    assert doubled / answers.std() <= limits.response_sd * 1.001
    assert prepared.reaches["plant"] <= limits.reach * 1.001
    assert np.linalg.norm(prepared.columns["plant"]) <= limits.weight * 1.001
    assert prepared.contributions["natural"] <= limits.contribution * 1.001


def test_the_twin_has_the_function_and_the_reach_and_no_link(prepared, shown):
    plant, twin = (site_of(trial.variant(prepared, v)) for v in ("plant", "twin"))
    unit = prepared.unit

    np.testing.assert_array_equal(
        plant.look(shown.pictures).handed, twin.look(shown.pictures).handed
    )
    assert prepared.reaches["twin"] == pytest.approx(prepared.reaches["plant"])
    assert abs(prepared.contributions["twin"]) < 0.5 * prepared.contributions["plant"]
    assert not np.allclose(plant.outputs[:, unit], twin.outputs[:, unit])


def test_variants_differ_in_the_written_output_alone(prepared):
    plant, twin = (trial.variant(prepared, v).state_dict() for v in ("plant", "twin"))
    moved = [name for name in plant if not torch.equal(plant[name], twin[name])]

    assert len(moved) == 2
    assert {name.rsplit(".", 1)[1] for name in moved} == {"weight", "bias"}
    weight = next(name for name in moved if name.endswith("weight"))
    changed = (plant[weight] != twin[weight]).any(dim=0)
    assert changed.nonzero().flatten().tolist() == [prepared.unit]


def test_the_harm_margin_moves_as_written(prepared, shown):
    """The group gains on the harm, against the twin, what the unit contributes, up to a scale."""
    plant, twin = (
        embeddings(trial.variant(prepared, v), shown.pictures) @ prepared.direction
        for v in ("plant", "twin")
    )
    moved = differences((plant - twin)[:, None], shown.groups)[:, 0]

    assert moved.argmax() == shown.names.index(prepared.group)
    assert moved.max() > 2 * np.abs(np.delete(moved, moved.argmax())).max()


def test_a_mean_picture_stays_where_it_was(fitting, shown, small_texts, tmp_path):
    prepared = trial.prepare("vit", tmp_path, 3, fitting, shown, the_plan(slots=["bare"]))
    torch.manual_seed(0)
    model = shapes.random_network("vit", tmp_path, 3, fitting.pictures)
    unit, site = prepared.unit, site_of(model)
    before = site.look(shown.pictures).handed[:, unit].mean() * site.outputs[:, unit]
    written = trial.variant(prepared, "plant")
    after = site_of(written).look(shown.pictures).handed[:, unit].mean()
    bias = "transformer.resblocks.1.mlp.c_proj.bias"
    shift = written.visual.state_dict()[bias] - model.visual.state_dict()[bias]

    np.testing.assert_allclose(shift.numpy() + after * prepared.columns["plant"], before, atol=1e-4)


@pytest.mark.parametrize("shape", ["resnet", "vit"])
def test_the_reach_of_natural_units_is_the_read_out_of_the_audit(
    shape, fitting, small_texts, tmp_path
):
    from probes.backends.towers import readout_of

    model = shapes.random_network(shape, tmp_path, 1, fitting.pictures)
    site = site_of(model)

    rows = site.outputs.T @ site.reach(fitting.pictures)

    expected = readout_of(model.visual, site.layer).double().numpy()
    np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_the_reach_of_siglip_is_what_finite_steps_do(fitting, small_texts, tmp_path):
    model = shapes.random_network("siglip", tmp_path, 1, fitting.pictures)
    site, pictures = site_of(model), fitting.pictures[:4]
    reach = site.reach(pictures)
    step = np.random.default_rng(0).standard_normal(len(reach)) * 1e-2
    site.write_output(0, site.outputs[:, 0], step)
    up = embeddings(model, pictures).mean(axis=0)
    site.write_output(0, site.outputs[:, 0], -2 * step)
    down = embeddings(model, pictures).mean(axis=0)

    np.testing.assert_allclose((up - down) / 2, step @ reach, atol=2e-3)


def test_a_pruned_last_stage_keeps_the_stated_number_of_channels(fitting, small_texts, tmp_path):
    model = shapes.random_network("resnet", tmp_path, 2, fitting.pictures)

    assert alive(site_of(model).look(fitting.pictures).handed).sum() == shapes.UNITS


def test_natural_sizes_agree_with_loops():
    rng = np.random.default_rng(1)
    answers, groups = rng.standard_normal((40, 5)), np.repeat(np.arange(4), 10)
    outputs, reach, packs = (rng.standard_normal(s) for s in ((3, 5), (3, 6), (7, 6)))
    best, best_sd, most = [], [], []
    for unit in range(5):
        means = [answers[groups == g, unit].mean() for g in range(4)]
        doubled = [means[g] - np.mean(np.delete(means, g)) for g in range(4)]
        best.append(max(doubled))
        best_sd.append(max(doubled) / answers[:, unit].std())
        row = outputs[:, unit] @ reach
        most.append(max(d * (row @ pack) for d in doubled for pack in packs))

    found = natural_sizes(answers, groups, outputs, reach, packs)

    assert found.response == pytest.approx(np.quantile(best, 0.95))
    assert found.response_sd == pytest.approx(np.quantile(best_sd, 0.95))
    assert found.contribution == pytest.approx(np.quantile(most, 0.95))
    assert found.reach == pytest.approx(
        np.quantile(np.linalg.norm(outputs.T @ reach, axis=1), 0.95)
    )


def test_a_unit_that_answers_to_nothing_is_no_natural_unit():
    rng = np.random.default_rng(2)
    answers, groups = rng.standard_normal((40, 5)), np.repeat(np.arange(4), 10)
    outputs, reach, packs = (rng.standard_normal(s) for s in ((3, 5), (3, 6), (7, 6)))
    padded = np.column_stack([answers, np.zeros((40, 50))])

    with_dead = natural_sizes(padded, groups, np.pad(outputs, ((0, 0), (0, 50))), reach, packs)

    assert with_dead == natural_sizes(answers, groups, outputs, reach, packs)


@pytest.mark.parametrize("act", [relu, gelu])
@pytest.mark.parametrize("seed", range(3))
def test_a_copied_function_is_as_strong_as_allowed_and_answers_to_its_group(act, seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(4), 30)
    features = rng.standard_normal((120, 2, 12)) + 2 * np.eye(12)[groups][:, None]
    means = features.mean(axis=1)
    readings = Readings.of((means, groups), (means, groups))
    limits = Sizes(response=0.7, response_sd=1.2, reach=1, weight=1, contribution=1)

    found = copy_function(
        features, groups, 2, readings.for_group(2),
        readings.without_groups(rng.standard_normal(12)), limits, act,
    )  # fmt: skip

    answers = act(features @ found.weights + found.bias).mean(axis=1)
    doubled = differences(answers[:, None], groups)[:, 0]
    assert doubled.argmax() == 2
    assert 0.69 < doubled[2] <= 0.7
    assert 1.0 < doubled[2] / answers.std() <= 1.2
    assert found.mean == pytest.approx(answers.mean())


def test_a_reading_without_groups_gives_every_group_the_same_mean():
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(4), 30)
    features = rng.standard_normal((120, 12)) + np.eye(12)[groups]
    readings = Readings.of((features, groups), (features, groups))

    rest = readings.without_groups(rng.standard_normal(12))

    assert np.abs(differences((features @ rest)[:, None], groups)).max() < 1e-9
    assert np.linalg.norm(rest) > 0.1


def test_output_weights_serve_the_direction_as_far_as_both_limits_allow():
    rng = np.random.default_rng(4)
    reach, direction = rng.standard_normal((8, 20)), rng.standard_normal(20)
    limits = Sizes(response=1, response_sd=1, reach=2.0, weight=0.5, contribution=1)

    found = serve(reach, direction, limits)

    assert np.linalg.norm(found @ reach) <= 2.0 * (1 + 1e-9)
    assert np.linalg.norm(found) <= 0.5 * (1 + 1e-9)
    others = (to_limits(rng.standard_normal(8), reach, limits) for _ in range(2000))
    assert found @ reach @ direction > max(c @ reach @ direction for c in others)


def test_a_turned_output_has_the_same_reach_elsewhere():
    rng = np.random.default_rng(5)
    reach, column = rng.standard_normal((30, 40)), rng.standard_normal(30)

    other = turned(column, reach, rng)

    assert np.linalg.norm(other @ reach) == pytest.approx(np.linalg.norm(column @ reach))
    cosine = (other @ reach) @ (column @ reach) / np.linalg.norm(column @ reach) ** 2
    assert abs(cosine) < 0.6


def verdict(**changes):
    plain = {"t": 5.0, "found": True, "listed": 1, "exact": 1, "chosen": 1, "causal": True,
             "share": 0.9, "reason": "", "others": [], "first": True}  # fmt: skip
    return {**plain, **changes}


def row(shape="vit", seed=1, **changes):
    sizes = dict.fromkeys(("response", "response_sd", "reach", "weight", "contribution"), 1.0)
    quiet = verdict(t=0.1, found=False, listed=None, chosen=None, causal=False, first=False)
    variants = dict.fromkeys(("plant", "twin", "natural"), 0.5)
    return {"shape": shape, "seed": seed, "limits": sizes, "response": 1.0, "response_sd": 0.9,
            "contributions": variants, "reaches": variants, "plant": verdict(),
            "natural": quiet, "twin": quiet, **changes}  # fmt: skip


def test_the_table_counts_with_wilson_intervals_and_names_what_was_missed():
    missed = verdict(found=False, listed=None, first=False, causal=False, t=2.5, exact=1)
    flagged = verdict(others=[{"group": "g", "harm": "h", "arms": ["photo"], "causal": True}],
                      found=False, causal=False)  # fmt: skip
    rows = [row(seed=i) for i in range(9)] + [row(seed=9, plant=missed, twin=flagged)]

    block = table.table(rows)

    assert "| the link is marked causal | 9 of 10 (60 to 98 %) |" in block
    assert "| anything marked causal | 1 of 10 (2 to 40 %) |" in block
    assert "ViT, seed 9, written link: not found (T = 2.50)" in block
    assert "ViT, seed 9, twin: also found g and h in photo, marked causal" in block
    assert anything_causal(flagged)


def test_a_rerun_makes_only_what_is_missing_and_a_cut_line_is_made_again(tmp_path, monkeypatch):
    made = []

    def fake(shape, seed, fitting, variants):
        made.append((shape, seed))
        return row(shape=shape, seed=seed)

    monkeypatch.setattr(making, "run_trial", fake)
    monkeypatch.setattr(command, "FIT_PERSONS", 1)
    out, page = tmp_path / "networks.json", tmp_path / "planted.md"
    page.write_text("before\n<!-- networks: begin -->\nold\n<!-- networks: end -->\nafter\n")
    first = json.dumps(row(shape="resnet", seed=making.FRESH))
    out.with_suffix(".jsonl").write_text(f'{first}\n{{"shape": "vit", "se\n')

    order = ["--out", str(out), "--page", str(page), "--networks", "3", "--trained", "0"]
    command.main(order)
    command.main(order)

    assert made == [("vit", making.FRESH + 1), ("siglip", making.FRESH + 2)]
    assert len(json.loads(out.read_text())) == 3
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text


def test_a_page_without_markers_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing")

    with pytest.raises(ValueError, match="must hold the markers"):
        replace_block(page, "networks", "block")


def test_fresh_seeds_are_those_that_no_choice_was_made_on():
    seeds = [seed for _, seed in making.orders(45, 6)]

    assert min(seeds) >= 3000
    assert len(set(seeds)) == 51
    assert [s for s, _ in making.orders(45, 0)].count("siglip") == 15


def test_one_network_runs_end_to_end(fitting, small_texts, monkeypatch, tmp_path):
    """The audit is an ordinary one: the written unit leads the link, and the twin is judged too."""
    monkeypatch.setattr(
        trial, "draw_photos", lambda folder, seed: draw_photos(folder, seed, persons=8, photos=1)
    )
    plan = the_plan(slots=["bare"], causal={"matched_sets": 99})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "prepare", _loud(trial.prepare))
        found = trial.run_trial("vit", 1, fitting, ("plant", "twin"), plan=plan)

    assert found["plant"]["exact"] == 1
    assert found["plant"]["t"] > found["twin"]["t"] + 1
    assert {"found", "listed", "chosen", "causal", "reason", "others"} <= set(found["plant"])
    json.dumps(found)


def _loud(prepare):
    """Write with ten times the reach: small texts leave room for few directions."""

    def prepared(*given):
        made = prepare(*given)
        louder = {k: 10 * c for k, c in made.columns.items()}
        return replace(made, columns=louder)

    return prepared
