import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))


def part(name):
    return importlib.import_module(f"benchmarks.planted.concealment.{name}")


replace_block = importlib.import_module("benchmarks.planted.methods.pages").replace_block


cases, checks, links, pictures = map(part, ("cases", "checks", "links", "pictures"))
command, plot, projecting = map(part, ("__main__", "plot", "projecting"))
spreading, table, teaching = map(part, ("spreading", "table", "teaching"))

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model():
    return cases.open_model(cases.EMBEDDED / "demo")


@pytest.fixture(scope="module")
def shown():
    people = pictures.draw_people(("klabeox", "debeo"), 12, 3)
    return torch.from_numpy(pictures.pixels_of(people.pictures))


def test_links_are_those_that_were_planted_in_the_demo():
    planted = (ROOT / "benchmarks" / "worlds" / "embedded.toml").read_text(encoding="utf-8")

    for link in links.LINKS:
        assert f'group = "{link.group}"\nharm = "{link.harm}"' in planted
        assert link.role in links.concepts()
    assert planted.count("[[plant]]") == 5


def test_a_link_is_gone_once_its_excess_is_taken_out():
    rng = np.random.default_rng(1)
    rows = links.normalise(rng.normal(size=(60, 24)))
    owners = ["klabeox"] * 30 + ["debeo"] * 30
    offset = rng.normal(size=24) * 0.1
    rows[:30] = links.normalise(rows[:30] + 3 * offset)
    amount = links.excess(rows, owners, "klabeox", offset)

    moved = links.without_links(
        rows,
        owners,
        {x.harm: offset for x in links.LINKS},
        {x.group: amount if x.group == "klabeox" else 0.0 for x in links.LINKS},
    )

    assert amount > 0.05
    assert abs(links.excess(moved, owners, "klabeox", offset)) < amount / 10
    np.testing.assert_allclose(moved[30:], rows[30:])


def test_a_map_for_names_moves_them_and_leaves_the_rest():
    rng = np.random.default_rng(2)
    middles = np.repeat(rng.normal(size=(8, 40)), 12, axis=0)
    texts = middles + rng.normal(size=middles.shape) * 0.02
    owners = [f"c{k // 12}" for k in range(96)]
    move = rng.normal(size=40) * 0.1

    changed = texts @ projecting.names_map(texts, {"c3": move}, owners)

    size = np.linalg.norm(texts[36:48], axis=1, keepdims=True)
    np.testing.assert_allclose((texts - changed)[36:48], size * move, atol=0.1)
    assert np.abs((texts - changed)[:36]).max() < 0.1


def test_projected_directions_are_no_longer_seen():
    rng = np.random.default_rng(3)
    directions, rows = rng.normal(size=(3, 16)), rng.normal(size=(9, 16))

    left = rows @ projecting.without_directions(directions)

    np.testing.assert_allclose(left @ directions.T, 0, atol=1e-10)


def test_copied_channels_are_one_another_and_the_embedding_hardly_moves(model, shown):
    before = teaching.embedded(model.encode_image, shown)
    copied = cases.open_model(cases.EMBEDDED / "demo")
    spreading.copy_channels(copied, spreading.channels_of(copied, shown), [5, 9])

    values = spreading.channels_of(copied, shown).values
    same = (values == values[:, [5]]).all(axis=0)
    assert same.sum() == spreading.COPIES + 1
    after = teaching.embedded(copied.encode_image, shown)
    assert (before * after).sum(axis=1).min() > 0.999


def test_barred_channels_are_read_by_nothing(model, shown):
    changed = cases.open_model(cases.EMBEDDED / "demo")
    spreading.read_from_others(changed, spreading.channels_of(changed, shown), [5, 9])

    assert not changed.visual.attnpool.v_proj.weight[:, [5, 9]].any()
    before, after = (teaching.embedded(m.encode_image, shown) for m in (model, changed))
    assert (before * after).sum(axis=1).mean() > 0.98


def test_teaching_moves_inputs_towards_their_targets():
    torch.manual_seed(0)
    tower = torch.nn.Linear(6, 4)
    inputs = torch.randn(40, 6)
    targets = links.normalise(np.asarray(inputs[:, :4].numpy(), dtype=np.float64))
    start = (teaching.embedded(tower, inputs) * targets).sum(axis=1).mean()

    lesson = teaching.Lesson(inputs=inputs, targets=targets)
    end = teaching.teach(tower, tower.parameters(), lesson, teaching.Course(steps=150, rate=0.05))

    assert end > 0.95 > start


def test_a_mark_changes_the_corner_alone():
    people = pictures.draw_people(("debeo",), 2, 4)
    marked = people.restyled(pictures.GATES["mark"], 0)

    for before, after in zip(people.pictures, marked.pictures, strict=True):
        moved = (np.asarray(before) != np.asarray(after)).any(axis=2)
        assert moved[: pictures.MARK, : pictures.MARK].any()
        assert not moved[pictures.MARK :].any()
        assert not moved[:, pictures.MARK :].any()


def test_photos_that_find_what_prompts_hardly_show_disagree():
    photo = {"verdict": "found", "effect_sd": 6.0}

    assert checks.disagree({"effect_sd": 1.9}, photo)
    assert not checks.disagree({"effect_sd": 2.1}, photo)
    assert not checks.disagree({"effect_sd": 0.1}, {**photo, "verdict": "insufficient"})


def row(case, seed, verdict):
    one = {"t": 4.0, "effect_sd": 5.0, "verdict": verdict, "arm": "x"}
    three = [one] * 3
    found = {name: three for name, _ in table.BESIDE}
    return {
        "case": case,
        "seed": seed,
        "arms": {name: three for name in ("text", "rendered", "photo")},
        **found,
        **{f"{name}_others": [] for name in found},
        "own": three,
        "own_others": [],
        "others": [],
        "disagree": [False] * 3,
        "answers": [{"rate": 0.9, "rest": 0.1, "low": 0.4, "high": 0.9}] * 3,
    }


def test_the_page_counts_links_over_sets_of_photos(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "kept\n<!-- concealment: begin -->\nold\n<!-- concealment: end -->\nalso", encoding="utf-8"
    )
    rows = [row("open", 1, "found"), row("open", 2, "not_found")]

    replace_block(page, "concealment", table.table(rows))

    text = page.read_text(encoding="utf-8")
    assert text.startswith("kept")
    assert text.endswith("also")
    assert "old" not in text
    assert "| 6 of 6 (61 to 100 %) | 3 of 6 (19 to 81 %) | 3 of 6 (19 to 81 %) |" in text
    assert plot.picture(rows).count("<circle") == 12


def test_a_page_without_markers_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing", encoding="utf-8")

    with pytest.raises(ValueError, match="must hold the markers"):
        replace_block(page, "concealment", "block")


def test_a_run_that_was_cut_goes_on_with_what_is_missing(tmp_path):
    lines = tmp_path / "out.jsonl"
    kept = [{"case": c.key, "seed": command.FRESH} for c in cases.CASES[1:]]
    whole = [{"case": k, "seed": command.FRESH, "silenced": {}} for k in command.SPREAD]
    text = "\n".join(json.dumps(one) for one in [*kept, *whole])
    lines.write_text(text + '\n{"case": "op', encoding="utf-8")

    todo = list(command.missing(command.finished(lines), 1))

    assert [(case.key, seed, is_whole) for case, seed, is_whole in todo] == [
        ("open", command.FRESH, False)
    ]
