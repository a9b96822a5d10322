import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from concept_sets.world import looks as looks_module
from concept_sets.world.drawing import MANIFEST_COLUMNS, draw_scene, write_photos
from concept_sets.world.figures import new_individual
from concept_sets.world.looks import read_looks

LIBRARY = Path(looks_module.__file__).parent / "library"
SETS = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in LIBRARY.glob("*/*.yaml")]
CONCEPTS = [(content, concept) for content in SETS for concept in content["concepts"]]
NAMES = [(concept["id"], name) for _, concept in CONCEPTS for name in concept["terms"]]
LOOKS = read_looks()

seeds = st.integers(0, 2**32 - 1)
groups = st.sampled_from(sorted(LOOKS.groups))
badges = st.sampled_from(sorted(LOOKS.badges))


def pixels(picture):
    return np.asarray(picture).astype(int)


def roles(role):
    return [concept for content, concept in CONCEPTS if content["role"] == role]


def test_the_world_is_large_enough_for_the_test_that_an_audit_makes():
    severe = [concept for concept in roles("harm") if concept["severity"] >= 3]

    assert len(roles("identity")) >= 6
    assert len(roles("harm")) >= 6
    assert len(roles("control")) >= 40
    assert len(roles("identity")) * len(severe) <= 40
    assert all(len(concept["terms"]) >= 8 for _, concept in CONCEPTS)


def test_every_set_lies_in_the_folder_of_its_role_under_its_own_id():
    for path in LIBRARY.glob("*/*.yaml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert (path.parent.name, path.stem) == (content["role"], content["id"])


def test_names_of_different_concepts_never_begin_alike():
    for (left, a), (right, b) in itertools.combinations(NAMES, 2):
        assert left == right or a[:4] != b[:4]


def test_every_name_is_lower_case_letters_and_begins_with_a_consonant():
    assert all(name.isascii() and name.isalpha() and name.islower() for _, name in NAMES)
    assert all(name[0] not in "aeiou" for _, name in NAMES)


def test_every_concept_has_a_look_and_no_look_is_left_over():
    drawn = [*LOOKS.groups, *LOOKS.badges]

    assert sorted(drawn) == sorted(concept["id"] for _, concept in CONCEPTS)


def test_no_two_groups_share_a_trait_and_no_two_badges_look_alike():
    dress = [(look.hue, look.headgear, look.pattern) for look in LOOKS.groups.values()]
    signs = [(look.outer, look.inner) for look in LOOKS.badges.values()]

    assert all(len(set(column)) == len(dress) for column in zip(*dress, strict=True))
    assert len(set(signs)) == len(signs)


def test_harms_take_every_frame_that_controls_take():
    def frames(role):
        return {LOOKS.badges[concept["id"]].frame for concept in roles(role)}

    assert frames("harm") == frames("control")


@settings(max_examples=20, deadline=None)
@given(seed=seeds, group=groups, badge=badges)
def test_the_same_seed_draws_the_same_scene(seed, group, badge):
    first, again = (
        draw_scene(np.random.default_rng(seed), group=group, things=[badge]) for _ in range(2)
    )

    assert first.size == (64, 64)
    assert np.array_equal(pixels(first), pixels(again))


@settings(max_examples=20, deadline=None)
@given(seed=seeds, left=groups, right=groups)
def test_persons_differ_exactly_when_their_peoples_do(seed, left, right):
    a, b = (pixels(draw_scene(np.random.default_rng(seed), group=g)) for g in (left, right))

    assert np.array_equal(a, b) == (left == right)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, badge=badges)
def test_one_person_differs_from_picture_to_picture(seed, badge):
    rng = np.random.default_rng(seed)
    traits = new_individual(rng)
    first, second = (draw_scene(rng, things=[badge], individual=traits) for _ in range(2))

    assert not np.array_equal(pixels(first), pixels(second))


def test_an_empty_scene_is_refused():
    with pytest.raises(ValueError, match="needs a group or at least one thing"):
        draw_scene(np.random.default_rng(0))


def test_a_group_that_the_world_does_not_have_is_refused_by_name():
    with pytest.raises(KeyError, match="nobody"):
        draw_scene(np.random.default_rng(0), group="nobody")


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    refs = {"debeo": "peoples/debeo", "invented_fraud": "invented_fraud"}
    folder = tmp_path_factory.mktemp("album")
    manifest = write_photos(folder, refs=refs, seed=3, persons_per_group=2, photos_per_person=3)
    with manifest.open(encoding="utf-8") as file:
        return folder, list(csv.DictReader(file))


def test_the_manifest_lists_every_picture_with_its_person(album):
    folder, rows = album

    assert tuple(rows[0]) == MANIFEST_COLUMNS
    assert {row["path"] for row in rows} == {path.name for path in folder.glob("*.png")}
    assert [row["concept"] for row in rows] == ["peoples/debeo"] * 6 + ["invented_fraud"] * 6
    assert len({row["cluster"] for row in rows}) == 4


def test_one_more_concept_changes_no_other_picture(album, tmp_path):
    folder, _ = album
    refs = {"drum": "invented_things/drum", "invented_fraud": "invented_fraud"}
    write_photos(tmp_path, refs=refs, seed=3, persons_per_group=2, photos_per_person=3)

    for path in tmp_path.glob("invented_fraud*.png"):
        with Image.open(path) as here, Image.open(folder / path.name) as there:
            assert np.array_equal(pixels(here), pixels(there))
