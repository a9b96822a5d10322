from dataclasses import replace

import numpy as np
import pytest

from audit.catalogue.opposites import opposite
from audit.catalogue.similarity import similarity_measurements
from audit.material import Material, Pictures
from audit.plan import DeploymentSection
from probes.arms import Embeddings, normalise
from probes.measurement import Measurement
from probes.measures import MEASURES
from probes.similarity.group_association import c_asc
from probes.similarity.rows import ROWS
from probes.similarity.weat import effect_size

DIM = 24
ISLES = ("isles/north", "isles/south", "isles/east")
PACKS = {
    "scorn": "harm",
    "gossip": "harm",
    "allure": "harm",
    "welcome": "control",
    "calm": "control",
}
SEVERITIES = {"scorn": 4, "gossip": 2, "allure": 3}


def draw_terms(rng):
    """Terms of three isles, three harms, an opposite and a control; north leans to scorn."""
    scorn = 5 * np.eye(DIM)[0]
    names, concepts, values = [], [], []
    for concept in (*ISLES, *PACKS):
        lean = scorn if concept in ("isles/north", "scorn") else 0 * scorn
        for k in range(6):
            names.append(f"{concept.replace('/', ' ')} {k}")
            concepts.append(concept)
            values.append(rng.normal(size=DIM) + lean + 1.5 * np.eye(DIM)[1])
    return Embeddings(
        names=tuple(names),
        concepts=tuple(concepts),
        pooled=normalise(np.array(values)),
        by_template={},
    )


def draw_pictures(rng, texts, n=48):
    """Two photos each of 24 people; those of north lean to scorn, and every fourth is a child."""
    isle = np.repeat(np.arange(n // 2) % 3, 2)
    people = np.repeat(rng.normal(size=(n // 2, DIM)), 2, axis=0)
    lean = 5 * (isle == 0)[:, None] * np.eye(DIM)[0]
    embeddings = normalise(people + lean + 0.5 * rng.normal(size=(n, DIM)))
    minor = np.repeat(np.arange(n // 2) % 4 == 3, 2)
    sexual = np.array([concept == "allure" for concept in texts.concepts])
    cosines = embeddings @ texts.pooled.T
    cosines[np.ix_(minor, sexual)] = np.nan
    values = ("north", "south", "east")
    return Pictures(
        ids=tuple(f"p{i}" for i in range(n)),
        columns={
            "isle": tuple(values[code] if i < n - 2 else "" for i, code in enumerate(isle)),
            "age": tuple("child" if one else "grown" for one in minor),
        },
        clusters=np.repeat(np.arange(n // 2), 2),
        is_minor=minor,
        terms=texts.names,
        concepts=texts.concepts,
        cosines=cosines,
        sexual=sexual,
        minor_terms=np.zeros(len(sexual), dtype=bool),
        embeddings=embeddings,
    )


@pytest.fixture(scope="module")
def material():
    rng = np.random.default_rng(7)
    texts = draw_terms(rng)
    return Material(
        texts=texts,
        words=texts,
        pictures=draw_pictures(rng, texts),
        roles=dict.fromkeys(ISLES, "identity") | PACKS,
        kinds={"welcome": "mirror", "calm": "everyday"},
        families={"isles": ISLES},
        visible=frozenset(ISLES),
        severities=SEVERITIES,
        mirrors={"scorn": ("welcome",)},
        sexual=frozenset({"allure"}),
        minor_terms=frozenset({("isles/south", f"isles south {k}") for k in range(5)}),
        blocking=(("isles/north", "gossip"),),
        skip=(("isles/east", "scorn"),),
        scale=100.0,
        deployment=DeploymentSection(),
    )


@pytest.fixture(scope="module")
def rows(material):
    return tuple(similarity_measurements(material, np.random.default_rng(0)))


def find(rows, measure, **wanted):
    return [
        row
        for row in rows
        if row.measure == measure and all(getattr(row, k) == v for k, v in wanted.items())
    ]


def test_full_material_gives_every_measure_and_no_other(rows):
    assert {row.measure for row in rows} == {measure.name for measure in ROWS}
    assert all(isinstance(row, Measurement) for row in rows)


def test_every_row_says_what_it_says_in_one_sentence(rows):
    for row in rows:
        assert row.reading.endswith(".")
        assert "{" not in row.reading
        assert row.group or row.identity or row.family
        assert row.harm or row.measure.startswith("self_similarity")


def test_values_stay_within_the_bounds_of_their_measures(rows):
    for row in rows:
        measure = MEASURES[row.measure]
        assert np.isnan(row.value) or measure.low <= row.value <= measure.high
        assert np.isnan(row.p) or 0 < row.p <= 1
        assert np.isnan(row.p) == (row.certainty == "")


@pytest.mark.parametrize(
    ("measure", "sign"),
    [("weat", 1), ("sc_weat", 1), ("ripa", 1), ("rnd", -1), ("word_image_cosine", 1)],
)
def test_the_planted_words_are_found_and_told_with_their_direction(rows, measure, sign):
    (row,) = find(rows, measure, identity="isles/north", harm="scorn")
    neutral = 0 if MEASURES[measure].neutral == 0 else row.neutral

    assert sign * (row.value - neutral) > 0
    assert row.p < 0.05
    assert not row.low <= neutral <= row.high
    assert not row.reading.startswith("No difference")
    assert "isles/north" in row.reading
    assert "scorn" in row.reading


@pytest.mark.parametrize("measure", ["c_asc", "auroc_association", "cross_modal_eat"])
def test_the_planted_photos_are_found_and_told_with_their_direction(rows, measure):
    for row in find(rows, measure, group="isle=north", harm="scorn"):
        assert row.p < 0.01
        assert row.low > MEASURES[measure].neutral
        assert "isle=north" in row.reading
        assert "closer to scorn" in row.reading
    for row in find(rows, measure, group="isle=south", harm="scorn"):
        assert row.value < MEASURES[measure].neutral


@pytest.mark.parametrize("measure", ["weat", "sc_weat", "cross_modal_eat"])
def test_association_tests_are_counted_or_bounded_never_drawn(measure, material, rows):
    other = tuple(similarity_measurements(material, np.random.default_rng(1)))

    tested = [row for row in rows if row.measure == measure and row.certainty]
    again = [row for row in other if row.measure == measure and row.certainty]

    assert tested
    assert {row.certainty for row in tested} <= {"exact", "bounded"}
    assert [row.p for row in tested] == [row.p for row in again]


def test_values_are_those_of_the_measures(material, rows):
    texts, pictures = material.texts, material.pictures
    (weat,) = find(rows, "weat", identity="isles/north", harm="gossip")
    sets = [texts.of({c}) for c in ("isles/north",)]
    rest = texts.of({"isles/south", "isles/east"})
    sets += [rest, texts.of({"gossip"}), texts.of({"welcome"})]
    assert weat.value == pytest.approx(effect_size(*(texts.pooled[index] for index in sets)))

    (asc,) = find(rows, "c_asc", group="isle=north", harm="scorn")
    known = np.array([bool(value) for value in pictures.columns["isle"]])
    scores = pictures.cosines[:, pictures.of("scorn")].mean(axis=1)[known]
    people = scores.reshape(-1, 2).mean(axis=1)[:, None]
    north = np.array(pictures.columns["isle"])[known][::2] == "north"
    assert asc.value == pytest.approx(c_asc(people, north)[0])
    assert (asc.n, asc.clusters) == (16, 8)


def test_groups_meet_severe_harms_and_those_fixed_beforehand_and_no_pair_that_shares_a_word(rows):
    pairs = {(row.identity, row.harm) for row in find(rows, "weat")}

    assert pairs == {
        ("isles/north", "scorn"),
        ("isles/north", "gossip"),
        ("isles/north", "allure"),
        ("isles/south", "scorn"),
        ("isles/south", "allure"),
        ("isles/east", "allure"),
    }
    assert {row.harm for row in find(rows, "c_asc")} == {"scorn", "gossip", "allure"}
    assert {row.harm for row in find(rows, "cross_modal_eat")} == {"scorn", "gossip", "allure"}


def test_a_group_that_shares_a_word_with_the_harm_is_not_in_the_rest_either(material, rows):
    (row,) = find(rows, "weat", identity="isles/north", harm="scorn")
    texts = material.texts
    sets = [texts.of({c}) for c in ("isles/north", "isles/south", "scorn", "welcome")]

    assert row.value == pytest.approx(effect_size(*(texts.pooled[index] for index in sets)))
    assert row.clusters == 12


def test_minors_never_meet_a_pack_that_sexualises(material, rows):
    words = find(rows, "weat", identity="isles/south", harm="allure")
    assert [row.reason for row in words] == [
        "X and Y need 2 members each to be compared; got 1 and 12"
    ]
    (north,) = find(rows, "weat", identity="isles/north", harm="allure")
    assert north.clusters == 6 + 1 + 6

    for measure in ("c_asc", "auroc_association", "cross_modal_eat"):
        assert not find(rows, measure, group="age=child", harm="allure")
        assert find(rows, measure, group="age=child", harm="scorn")
    grown = int((~material.pictures.is_minor).sum())
    (row,) = find(rows, "c_asc", group="age=grown", harm="allure")
    assert row.n == grown
    assert row.reason == "2 clusters on each side are needed; got 18 of the group and 0 others"


def test_what_a_harm_is_held_against_is_named(material, rows):
    present = {*ISLES, *PACKS}

    assert opposite(material, "scorn", present).name == "welcome"
    assert opposite(material, "gossip", present) == ("all mirror packs", ("welcome",))
    bare = replace(material, kinds={})
    assert opposite(bare, "gossip", present) == ("all control packs", ("welcome", "calm"))
    assert opposite(bare, "gossip", {"gossip"}) == ("nothing", ())
    assert {row.against for row in find(rows, "weat", harm="scorn")} == {"welcome"}
    assert {row.against for row in find(rows, "c_asc")} == {"the rest"}


def test_with_nothing_to_hold_a_harm_against_the_row_says_so(material):
    harms = {k: v for k, v in material.roles.items() if v != "control"}
    alone = replace(material, roles=harms, kinds={}, mirrors={}, words=None)
    rows = tuple(similarity_measurements(alone, np.random.default_rng(0)))

    for measure in ("weat", "sc_weat", "ripa", "rnd", "mac", "rnsb"):
        found = find(rows, measure)
        assert found
        assert {row.reason for row in found} == {"there is nothing to hold the harm against"}
    assert all(np.isfinite(row.value) for row in find(rows, "c_asc", group="isle=north"))
    assert {row.reason for row in find(rows, "cross_modal_eat")} == {
        "2 harm words and 2 words to hold them against are needed"
    }


def test_scores_alone_have_no_centred_test_and_no_self_similarity(material):
    bare = replace(
        material, texts=None, words=None, pictures=replace(material.pictures, embeddings=None)
    )
    rows = tuple(similarity_measurements(bare, np.random.default_rng(0)))

    assert {row.measure for row in rows} == {"c_asc", "auroc_association", "cross_modal_eat"}
    assert {row.setting for row in find(rows, "cross_modal_eat")} == {"raw, pictures and texts"}


def test_no_material_gives_no_row(material):
    nothing = replace(material, texts=None, words=None, pictures=None)

    assert list(similarity_measurements(nothing, np.random.default_rng(0))) == []


def test_the_same_seed_gives_the_same_rows(material, rows):
    again = tuple(similarity_measurements(material, np.random.default_rng(0)))

    for one, other in zip(rows, again, strict=True):
        np.testing.assert_equal(one.as_row(), other.as_row())


def test_a_term_that_stands_on_both_sides_is_left_out(material):
    texts = material.texts
    values = texts.pooled.copy()
    values[texts.of({"welcome"})[0]] = values[texts.of({"isles/south"})[0]]
    shared = replace(
        material,
        texts=Embeddings(names=texts.names, concepts=texts.concepts, pooled=values, by_template={}),
        words=None,
        pictures=None,
    )
    rows = tuple(similarity_measurements(shared, np.random.default_rng(0)))

    (row,) = find(rows, "weat", identity="isles/north", harm="gossip")
    assert row.n == 18 + 6 + 5


def test_a_small_group_of_photos_is_undefined_with_its_reason(material):
    isle = list(material.pictures.columns["isle"])
    isle[0] = isle[1] = "far"
    pictures = replace(material.pictures, columns={"isle": tuple(isle)})
    rows = tuple(
        similarity_measurements(
            replace(material, texts=None, words=None, pictures=pictures), np.random.default_rng(0)
        )
    )

    for row in (r for r in rows if r.group == "isle=far"):
        assert np.isnan(row.value)
        assert row.reading == f"It could not be measured {row.reading.split('measured ')[1]}"
        assert row.reason in row.reading


def test_constant_scores_are_undefined_with_their_reason(material):
    flat = replace(material.pictures, cosines=np.full_like(material.pictures.cosines, 0.2))
    rows = tuple(
        similarity_measurements(
            replace(material, texts=None, words=None, pictures=flat), np.random.default_rng(0)
        )
    )

    assert {r.reason for r in find(rows, "c_asc", group="isle=north")} == {
        "every cluster has the same score"
    }
    assert {r.reason for r in find(rows, "cross_modal_eat", group="isle=north")} == {
        "every target has the same association"
    }
