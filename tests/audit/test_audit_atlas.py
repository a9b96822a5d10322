"""The atlas of a finished audit: rows are found, ordered, and damage is a sentence."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.atlas import (
    HARMS,
    AtlasRow,
    arms_agree,
    concepts_of,
    contents,
    family_of,
    find_concept,
    leading_concepts,
    measured_concepts,
    units_for,
)
from audit.errors import PlanError, ResultError
from audit.tables import complete
from probes.measurement import Estimate

CONCEPTS = ["people/ones", "people/twos", "people/threes", "people/fours", "menace", "gloom"]
LAYERS = {"visual.a": 4, "visual.b": 3}
ARMS = ("rendered", "photo")


def strength(measure, arm, layer, unit, concept):
    """A different number for every row, by which rows can be told apart."""
    key = [*measure.encode(), *arm.encode(), *layer.encode(), unit, concept]
    return float(np.random.default_rng(key).random())


def write(folder, *, undefined=()):
    """Write a table in several row groups, after rows that are not about units."""
    rows = [
        {"arm": "text", "measure": "contrast", "identity": "people/ones", "value": 0.1},
        {"arm": "probe", "measure": "probe_auroc", "concept": "people/ones", "value": 0.9},
    ]
    for arm in ARMS:
        for layer, n in LAYERS.items():
            for measure in ("correlation", "ap_lift", "glass_delta", "auroc"):
                for unit in range(n):
                    for c, concept in enumerate(CONCEPTS):
                        gone = (unit, concept) in undefined
                        value = np.nan if gone else strength(measure, arm, layer, unit, c)
                        rows.append(
                            {"arm": arm, "measure": measure, "concept": concept, "layer": layer,
                             "unit": unit, "pooling": "max", "value": value, "low": value - 0.1,
                             "high": value + 0.1, "n": 90, "clusters": 30,
                             "reason": "it does not vary" if gone else ""}
                        )  # fmt: skip
    table = complete(pd.DataFrame(rows))
    for name in ("arm", "measure", "concept", "layer", "pooling", "reason"):
        table[name] = table[name].astype("category")
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False),
                   folder / "measurements.parquet", row_group_size=50)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("audit"))


def test_a_unit_has_every_concept_once_in_every_arm_with_its_own_numbers(folder):
    rows = concepts_of(folder, "visual.b", 2)

    assert sorted((r.arm, r.concept) for r in rows) == sorted(
        (arm, c) for arm in ARMS for c in CONCEPTS
    )
    for row in rows:
        assert (row.layer, row.unit) == ("visual.b", 2)
        for measure, estimate in row.estimates.items():
            c = CONCEPTS.index(row.concept)
            assert estimate.value == strength(measure, row.arm, "visual.b", 2, c)
            assert estimate.low < estimate.value < estimate.high
            assert (estimate.n, estimate.clusters) == (90, 30)


def test_a_concept_has_every_unit_once_in_every_layer_and_arm(folder):
    rows = units_for(folder, "menace")

    assert sorted((r.arm, r.layer, r.unit) for r in rows) == sorted(
        (arm, layer, u) for arm in ARMS for layer, n in LAYERS.items() for u in range(n)
    )


def test_what_leads_by_both_measures_stands_first(folder):
    rows = [r for r in units_for(folder, "gloom") if (r.arm, r.layer) == ("photo", "visual.a")]

    def place(row, measure):
        return sum(other.value(measure) > row.value(measure) for other in rows)

    worse = [max(place(r, "correlation"), place(r, "ap_lift")) for r in rows]
    assert worse == sorted(worse)


def test_what_is_undefined_stands_last_with_its_reason(tmp_path):
    write(tmp_path, undefined=[(1, "people/twos")])

    photo = [r for r in concepts_of(tmp_path, "visual.a", 1) if r.arm == "photo"]

    assert photo[-1].concept == "people/twos"
    assert np.isnan(photo[-1].value("correlation"))
    assert photo[-1].estimates["correlation"].reason == "it does not vary"


def test_the_contents_count_units_and_concepts_and_no_probe_or_contrast(folder):
    assert contents(folder) == LAYERS
    assert measured_concepts(folder) == tuple(sorted(CONCEPTS))


@pytest.mark.parametrize(
    ("layer", "unit", "sentence"),
    [
        ("visual.a", 4, "A unit of visual.a must be a whole number from 0 to 3; got 4"),
        ("visal.b", 0, "visual.a, visual.b; got 'visal.b'. Did you mean 'visual.b'"),
    ],
)
def test_an_unknown_unit_gets_the_nearest(folder, layer, unit, sentence):
    with pytest.raises(PlanError, match=sentence):
        concepts_of(folder, layer, unit)


def test_a_concept_without_units_gets_the_nearest(folder):
    with pytest.raises(PlanError, match=r"no picture or rendered word.*Did you mean 'menace'"):
        units_for(folder, "menaces")


def test_an_audit_that_read_no_units_says_so(tmp_path):
    table = complete(pd.DataFrame([{"arm": "text", "measure": "contrast", "value": 0.1}]))
    pq.write_table(pa.Table.from_pandas(table), tmp_path / "measurements.parquet")

    with pytest.raises(PlanError, match="this one read none"):
        concepts_of(tmp_path, "visual.a", 0)


def test_a_missing_table_is_a_sentence(tmp_path):
    with pytest.raises(ResultError, match="Give the whole audit folder"):
        units_for(tmp_path, "menace")


@pytest.mark.parametrize("damage", ["empty", "cut", "overwritten"])
def test_a_damaged_table_is_a_sentence(damage, tmp_path):
    path = write(tmp_path) / "measurements.parquet"
    content = path.read_bytes()
    middle = content[:40] + bytes(len(content) // 2) + content[40 + len(content) // 2 :]
    path.write_bytes({"empty": b"", "cut": content[:-100], "overwritten": middle}[damage])

    with pytest.raises(ResultError, match="must be a Parquet table"):
        units_for(tmp_path, "menace")


def test_a_table_of_something_else_is_a_sentence(tmp_path):
    pq.write_table(pa.table({"unit": [1], "concept": ["menace"]}),
                   tmp_path / "measurements.parquet")  # fmt: skip

    with pytest.raises(ResultError, match="arm, clusters, high"):
        units_for(tmp_path, "menace")


NAMES = {
    "regions/middle_east": "Middle East",
    "regions/near_east": "Near East",
    "terrorism": "Terrorism and political violence",
    "moods/calm": "Calm",
}


@pytest.mark.parametrize(
    ("asked", "ref"),
    [
        ("regions/middle_east", "regions/middle_east"),
        ("middle_east", "regions/middle_east"),
        ("MIDDLE EAST", "regions/middle_east"),
        ("midle east", "regions/middle_east"),
        ("political violence", "terrorism"),
        ("terorism", "terrorism"),
    ],
)
def test_a_concept_is_found_by_reference_name_part_or_near_spelling(asked, ref):
    assert find_concept(asked, NAMES) == ref


@given(st.sampled_from([*NAMES, *NAMES.values()]))
def test_every_reference_and_name_finds_its_own_concept(spelling):
    assert spelling in (ref := find_concept(spelling, NAMES), NAMES[ref])


def test_what_could_be_several_concepts_is_not_guessed():
    with pytest.raises(PlanError, match="any of: regions/middle_east, regions/near_east"):
        find_concept("east", NAMES)


def test_what_is_nothing_gets_the_nearest():
    with pytest.raises(PlanError, match=r"got 'clams', which is none\. Nearest: moods/calm"):
        find_concept("clams", NAMES)


@pytest.mark.parametrize("asked", ["", "  ", "///", "zzz"])
def test_what_names_nothing_is_refused(asked):
    with pytest.raises(PlanError, match="one of the 4 of this audit"):
        find_concept(asked, NAMES)


def test_arms_are_compared_over_the_concepts_that_both_showed(folder):
    rows = concepts_of(folder, "visual.a", 0)
    fewer = [r for r in rows if (r.arm, r.concept) != ("photo", "gloom")]

    concepts, found = arms_agree(fewer)

    assert concepts == tuple(sorted(set(CONCEPTS) - {"gloom"}))
    own = {(r.arm, r.concept): r.value("correlation") for r in rows}
    table = [[own[arm, c] for c in concepts] for arm in ("photo", "rendered")]
    assert found.correlation[0, 0] == pytest.approx(np.corrcoef(table)[0, 1])


def text_row(unit, concept, value):
    reason = "alike" if np.isnan(value) else ""
    return {"arm": "text", "measure": "text_weight", "concept": concept, "layer": "visual.a",
            "unit": unit, "pooling": "", "value": value, "reason": reason, "n": 9,
            "clusters": 3}  # fmt: skip


@pytest.fixture(scope="module")
def with_text(tmp_path_factory):
    """The table with weights of prompts for one layer; a unit that all ask alike is undefined."""
    folder = write(tmp_path_factory.mktemp("text"))
    table = pd.read_parquet(folder / "measurements.parquet")
    rows = [
        text_row(unit, concept, np.nan if unit == 3 else float((unit + c) % 6 - 2))
        for unit in range(4)
        for c, concept in enumerate(CONCEPTS)
    ]
    whole = pd.concat([table.astype(object), complete(pd.DataFrame(rows)).astype(object)])
    for name in ("value", "low", "high"):
        whole[name] = whole[name].astype(float)
    whole["unit"] = whole["unit"].astype("Int64")
    pq.write_table(
        pa.Table.from_pandas(whole, preserve_index=False), folder / "measurements.parquet"
    )
    return folder


def test_text_weights_come_first_by_weight_and_what_is_undefined_last(with_text):
    rows = concepts_of(with_text, "visual.a", 1)

    assert list(dict.fromkeys(r.arm for r in rows)) == ["text", "rendered", "photo"]
    text = [r for r in rows if r.arm == "text"]
    assert [r.strength for r in text] == [3, 2, 1, 0, -1, -2]
    assert [r.arm for r in concepts_of(with_text, "visual.b", 1)].count("text") == 0
    silent = [r for r in concepts_of(with_text, "visual.a", 3) if r.arm == "text"]
    assert [r.estimates["text_weight"].reason for r in silent] == ["alike"] * 6


def test_all_three_arms_are_compared_however_pictures_were_pooled(with_text):
    _, found = arms_agree(concepts_of(with_text, "visual.a", 0))

    assert found.arms == ("text", "rendered", "photo")
    assert found.correlation.shape == (1, 3)


def test_leading_concepts_of_several_units_are_those_of_each_alone(with_text):
    found = leading_concepts(with_text, "visual.a", [2, 0, 3], k=2)

    assert list(found) == [2, 0, 3]
    for unit, arms in found.items():
        rows = concepts_of(with_text, "visual.a", unit)
        for arm, leads in arms.items():
            own = [r.concept for r in rows if r.arm == arm and r.strength > 0]
            assert leads == tuple(own[:2])
    assert found[3]["text"] == ()
    with pytest.raises(PlanError, match="from 0 to 3; got 9"):
        leading_concepts(with_text, "visual.a", [9])


def test_one_arm_alone_has_nothing_to_agree_with(folder):
    assert arms_agree([r for r in concepts_of(folder, "visual.a", 0) if r.arm == "photo"]) is None


def test_packs_of_one_harm_are_one_family():
    rows = [
        AtlasRow(arm="photo", layer="a", pooling="max", unit=0, concept=concept,
                 estimates={"correlation": Estimate(value=0.5 if "/" not in concept else -0.1)})
        for concept in CONCEPTS
    ]  # fmt: skip

    found = family_of(rows, "photo")

    assert (found.nearest[0], found.shared[0]) == (HARMS, 2)
    # Two of six concepts fall on top together in one of fifteen draws.
    assert found.p[0] == pytest.approx(1 / 15)
