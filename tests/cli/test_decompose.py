"""``clip-audit decompose``: classes of anybody's pictures as sums of units."""

import json
import shutil

import pytest

from audit.atlas import concepts_of, concepts_of_units, contents
from audit.errors import PlanError
from audit.results import read_result


@pytest.fixture
def pictures(tmp_path, small_world):
    """A manifest with three classes of eight pictures, each class of a colour."""
    return small_world.write_photos(tmp_path / "photos")


def test_classes_are_sums_of_units_with_their_accuracy(cli, pictures):
    end = cli("decompose", "toy", pictures)

    assert end.code == 0, end.err
    assert end.out.startswith("Classes as sums of units of ")
    for name in ("ones", "twos", "threes"):
        assert f"  {name} = " in end.out
    assert "Held-out accuracy: " in end.out
    assert "by chance 33.3 %" in end.out
    assert "Among the five highest: undefined, there are only 3 classes." in end.out
    assert "24 pictures encoded now, 0 from the cache" in end.err
    assert "classes as sums of units: 18 of 18" in end.err


def test_json_tells_what_the_text_tells_and_a_second_run_encodes_nothing(cli, pictures):
    text = cli("decompose", "toy", pictures)
    again = cli("decompose", "toy", pictures, "--format", "json")

    page = json.loads(again.out)
    assert "0 pictures encoded now, 24 from the cache" in again.err
    assert page["audit"] is None
    assert [entry["class"] for entry in page["classes"]] == ["ones", "threes", "twos"]
    for entry in page["classes"]:
        assert f"  {entry['sum']}\n" in text.out
        assert entry["clusters"] == 8
        assert [u["concepts"] for u in entry["units"]] == [[]] * len(entry["units"])
        weights = [abs(u["weight"]) for u in entry["units"]]
        assert weights == sorted(weights, reverse=True)
    accuracy = page["accuracy"]
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert page["top_5_accuracy"]["value"] is None


def test_a_folder_per_class_is_read_as_well(cli, pictures, tmp_path):
    tree = tmp_path / "tree"
    for file in sorted(pictures.parent.glob("*.png")):
        (tree / file.name.partition("-")[0]).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tree / file.name.partition("-")[0] / file.name)

    pages = [
        json.loads(cli("decompose", "toy", source, "--format", "json").out)
        for source in (tree, pictures)
    ]

    assert pages[0]["accuracy"]["value"] == pytest.approx(pages[1]["accuracy"]["value"], abs=0.2)
    assert pages[0]["clusters"] == pages[1]["clusters"] == 24


def test_an_audit_of_the_same_model_names_the_units(cli, pictures, finished_once):
    page = json.loads(
        cli("decompose", "toy", pictures, "--audit", finished_once, "--units", 3,
            "--format", "json").out
    )  # fmt: skip

    result = read_result(finished_once / "result.json")
    assert page["audit"] == result.digest
    known = {c.name for s in result.inputs.concept_sets for c in s.concepts}
    named = [u for entry in page["classes"] for u in entry["units"] if u["concepts"]]
    assert named
    assert all(set(u["concepts"]) <= known and len(u["concepts"]) <= 2 for u in named)
    (unit, *_) = named
    sums = " ".join(entry["sum"] for entry in page["classes"])
    assert f"unit {unit['unit']} ({', '.join(unit['concepts'])})" in sums


def test_an_audit_of_other_weights_is_refused(cli, pictures, finished):
    path = finished / "result.json"
    document = json.loads(path.read_text())
    document["model"]["weights_digest"] = "sha256:" + "0" * 64
    path.write_text(json.dumps(document))

    end = cli("decompose", "toy", pictures, "--audit", finished)

    assert end.code in (2, 3)
    assert "sums" not in end.out


def test_a_class_with_few_pictures_says_so_in_place_of_a_sum(cli, pictures):
    lines = pictures.read_text().splitlines()
    few = [line for line in lines if "threes" not in line or "threes-0" in line]
    pictures.write_text("\n".join(few) + "\n")

    page = json.loads(cli("decompose", "toy", pictures, "--format", "json").out)

    (entry,) = [e for e in page["classes"] if e["class"] == "threes"]
    assert "needs at least 5 clusters, has 1" in entry["sum"]
    assert entry["units"] == []
    assert entry["undefined"]


def test_one_class_is_refused(cli, pictures):
    lines = pictures.read_text().splitlines()
    pictures.write_text("\n".join([lines[0], *(line for line in lines if "twos" in line)]) + "\n")

    end = cli("decompose", "toy", pictures)

    assert end.code == 2
    assert "two classes or more" in end.err


def test_an_unknown_layer_names_the_nearest(cli, pictures):
    end = cli("decompose", "toy", pictures, "--layer", "deep9")

    assert end.code == 2
    assert "no layer 'deep9'" in end.err


@pytest.mark.parametrize("ages", ["", "12-17"])
def test_a_class_that_sexualises_wants_pictures_that_are_known_to_show_adults(cli, pictures, ages):
    head, *lines = pictures.read_text().splitlines()
    lines = [f"{line.replace(',threes,', ',nude,')},{ages}" for line in lines]
    pictures.write_text("\n".join([f"{head},age", *lines]) + "\n")

    end = cli("decompose", "toy", pictures)

    assert end.code == 2
    assert "every picture must then be known to show adults" in end.err


def test_known_adults_may_stand_beside_such_a_class(cli, pictures):
    head, *lines = pictures.read_text().splitlines()
    lines = [f"{line.replace(',threes,', ',nude,')},30-39" for line in lines]
    pictures.write_text("\n".join([f"{head},age", *lines]) + "\n")

    assert cli("decompose", "toy", pictures).code == 0


def test_many_units_are_read_as_one_by_one(finished_once):
    (layer,) = contents(finished_once)

    many = concepts_of_units(finished_once, layer, [2, 0, 999])

    assert many == {unit: concepts_of(finished_once, layer, unit) for unit in (2, 0)}
    with pytest.raises(PlanError, match="A layer must be one that this audit read"):
        concepts_of_units(finished_once, "elsewhere", [0])
