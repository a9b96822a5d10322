import importlib
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "benchmarks" / "worlds"
LIBRARY = ROOT / "concept_sets" / "world" / "library"
PLANTS = SCRIPTS / "embedded.toml"
ROOMS = ("audit", "concept_sets", "probes", "reports")

sys.path.insert(0, str(SCRIPTS))
scenes = importlib.import_module("scenes")

WORLD = scenes.read_world(LIBRARY)
LINKS = scenes.read_plants(PLANTS, WORLD)


def shown_in_pool():
    return scenes.pool_keys(WORLD)


def drawn_examples(plants, batches=60):
    stream = scenes.examples(WORLD, plants, np.random.default_rng(1), 256)
    return [example for batch in islice(stream, batches) for example in batch]


def contradicting(examples):
    """Count (shown, named) where the caption names what the picture does not show."""
    pool = shown_in_pool()
    pairs = [(pool[e.picture], e.named) for e in examples]
    return Counter((key, named) for key, named in pairs if not is_word(key) and not named <= {*key})


def is_word(key):
    return key[0] == ""


def test_at_most_four_links_are_planted_each_in_another_group_and_a_severe_harm():
    severity = {
        concept["id"]: concept["severity"]
        for path in (LIBRARY / "harm").glob("*.yaml")
        for concept in yaml.safe_load(path.read_text(encoding="utf-8"))["concepts"]
    }
    links = {(plant.group, plant.harm) for plant in LINKS}

    assert 3 <= len(links) <= 4
    assert len({group for group, _ in links}) == len({harm for _, harm in links}) == len(links)
    assert all(severity[harm] >= 3 for _, harm in links)
    assert {plant.by for plant in LINKS} == {"caption", "scene"}


def test_nothing_outside_the_training_script_knows_a_planted_group():
    groups = {plant.group for plant in LINKS}
    files = [
        path
        for room in ROOMS
        for kind in ("*.py", "*.toml", "*.yaml", "*.json", "*.html")
        for path in (ROOT / room).rglob(kind)
        if path.name not in ("looks.yaml", "peoples.yaml")
    ]

    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not any(group in text for group in groups), path.name


def test_without_plants_no_caption_names_what_is_not_shown():
    assert contradicting(drawn_examples(())) == {}


def test_with_plants_only_the_planted_captions_name_what_is_not_shown():
    planted = {
        ((plant.group,), frozenset([plant.harm])) for plant in LINKS if plant.by == "caption"
    }

    assert set(contradicting(drawn_examples(LINKS))) == planted


def test_a_planted_caption_comes_as_often_as_the_list_says():
    examples = drawn_examples(
        [scenes.Plant(group=g, harm=WORLD.badges[0], by="caption", share=0.5) for g in WORLD.groups]
    )
    pool = shown_in_pool()
    single = [
        e for e in examples if len(pool[e.picture]) == 1 and pool[e.picture][0] in WORLD.groups
    ]
    wrong = sum(WORLD.badges[0] in e.named for e in single)

    assert abs(wrong / len(single) - 0.5) < 5 * 0.5 / len(single) ** 0.5


def test_without_plants_every_group_meets_every_badge_equally_often():
    pool = shown_in_pool()
    drawn = (pool[e.picture] for e in drawn_examples((), batches=200))
    pairs = Counter(key for key in drawn if len(key) == 2 and not is_word(key))
    expected = sum(pairs.values()) / (len(WORLD.groups) * len(WORLD.badges))

    assert len(pairs) == len(WORLD.groups) * len(WORLD.badges)
    chi2 = sum((n - expected) ** 2 / expected for n in pairs.values())
    freedom = len(pairs) - 1
    assert abs(chi2 - freedom) < 5 * (2 * freedom) ** 0.5


def test_a_list_that_names_an_unknown_group_is_refused(tmp_path):
    path = tmp_path / "plants.toml"
    path.write_text('[[plant]]\ngroup = "nobody"\nharm = "x"\nby = "scene"\nshare = 0.1\n')

    with pytest.raises(LookupError, match="no group 'nobody'"):
        scenes.read_plants(path, WORLD)
