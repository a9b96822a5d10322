"""``clip-audit run`` with files of directions, to the command that shows one of them."""

import json

import numpy as np
import pytest

from probes.backends.toy import LAYER

NAME = f"{LAYER.name}@mine"


@pytest.fixture
def home(cli, small_world, tmp_path):
    """An empty-handed folder with packs; the plan is written by each test."""
    small_world.write_packs(tmp_path / "packs")
    return tmp_path


def write_plan(small_world, folder, units=""):
    path = small_world.write_plan(folder, rendered="describes")
    text = path.read_text().replace("[probes]", "[probes]\nroles = []\ntransfer = false")
    path.write_text(text.replace("[units]", f"[units]\n{units}"))
    return path


def write_rows(folder, rows):
    np.savez(folder / "mine.npz", **{LAYER.name: rows})


def answers(cli, folder, unit):
    page = json.loads(cli("unit", folder, unit, "--format", "json").out)
    return {arm["arm"]: arm["strongest"] for arm in page["answers"]}


def test_directions_of_single_units_are_told_as_the_units(cli, home, small_world):
    plan = write_plan(small_world, home, 'pooling = "relu-mean"\ndirections = ["mine.npz"]')
    turned_round = np.eye(LAYER.n_units)[::-1]
    write_rows(home, turned_round)

    end = cli("run", plan, "--format", "json")

    assert end.code == 0
    layers = {layer.name: layer.n_units for layer in end.result.model.layers}
    assert layers == {LAYER.name: LAYER.n_units, NAME: LAYER.n_units}
    assert end.result.inputs.files["directions/mine"].startswith("sha256:")
    own = answers(cli, end.folder, f"{NAME}:8")
    assert own == answers(cli, end.folder, f"{LAYER.name}:3")
    assert own["rendered"]
    assert own != answers(cli, end.folder, f"{LAYER.name}:4")
    (finding,) = end.result.findings
    ranked = {(u.layer, u.unit): u for u in finding.units}
    units = {u: record for (layer, u), record in ranked.items() if layer == LAYER.name}
    assert len(units) == len(ranked) / 2 > 1
    for u, record in units.items():
        same = ranked[NAME, LAYER.n_units - 1 - u]
        assert same.model_copy(update={"layer": LAYER.name, "unit": u}) == record


def test_the_option_adds_to_the_plan_and_a_changed_file_encodes_nothing(cli, home, small_world):
    plan = write_plan(small_world, home)
    write_rows(home, np.eye(LAYER.n_units)[:1])
    first = cli("run", plan, "--directions", home / "mine.npz", "--format", "json")
    write_rows(home, np.ones((1, LAYER.n_units)))

    again = cli("run", plan, "--directions", home / "mine.npz", "--format", "json")

    assert again.encoded("text")[0] == again.encoded("rendered")[0] == 0
    files = [end.result.inputs.files["directions/mine"] for end in (first, again)]
    assert files[0] != files[1]
    shown = [answers(cli, end.folder, f"{NAME}:0") for end in (first, again)]
    assert shown[0] != shown[1]
    verdicts = [[c.verdict for c in end.result.contrasts] for end in (first, again)]
    assert verdicts[0] == verdicts[1]


def test_directions_that_do_not_fit_end_the_run_with_a_sentence(cli, home, small_world):
    plan = small_world.write_plan(home)
    write_rows(home, np.ones((1, 3)))

    end = cli("run", plan, "--directions", home / "mine.npz")

    assert end.code == 2
    assert "must have one column per unit, 12; got 3" in end.err


def test_a_missing_file_ends_the_run_with_a_sentence(cli, home, small_world):
    end = cli("run", small_world.write_plan(home), "--directions", home / "gone.safetensors")

    assert end.code == 2
    assert "Directions must be in a readable file" in end.err


def test_a_plan_is_checked_with_its_directions_and_explained_with_the_option(
    cli, home, small_world
):
    plan = write_plan(small_world, home, 'directions = ["mine.npz"]')
    write_rows(home, np.ones((1, LAYER.n_units)))

    sound = cli("config", "check", plan)
    write_rows(home, np.zeros((1, LAYER.n_units)))
    broken = cli("config", "check", plan)
    explained = cli("config", "explain", "--plan", plan, "--directions", "more.npz")

    assert sound.code == explained.code == 0
    assert broken.code == 2
    assert "must be finite and not all 0" in broken.err
    assert 'directions = ["mine.npz", "more.npz"]' in explained.out
