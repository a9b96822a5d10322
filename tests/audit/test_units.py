"""Every unit with every concept, and the units that carry a finding."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from audit.concept_probes import concept_probes
from audit.gather import Shown
from audit.plan import ProbesSection
from audit.unit_tables import association_frames, group_tables, unit_table
from audit.units import Carriers, add_units
from concept_sets.concept import Role
from concept_sets.stimulus import Modality, Stimulus
from probes.activations import Activations, Extraction
from probes.arms import pool_clusters
from probes.encoder import Pooling, Reading
from probes.errors import MeasureError
from probes.measurement import COLUMNS
from probes.progress import SilentProgress

READING = Reading(layer="deep", pooling=Pooling.PREACT_MAX)
N_UNITS, DIM = 6, 4
GROUPS = ("isles/a", "isles/b", "isles/c")


def stimulus(number: int, concept: str, cluster: str, **groups: str) -> Stimulus:
    return Stimulus(
        modality=Modality.PHOTO,
        content=f"{number}.png",
        concept=concept,
        cluster=cluster,
        template="",
        digest=f"{number}",
        groups=tuple(sorted(groups.items())),
    )


def shown(stimuli, values) -> Shown:
    def table(array):
        return Activations(
            values=np.asarray(array, np.float32), stimuli=tuple(s.id for s in stimuli),
            layer="deep", pooling="", encoder="x",
        )  # fmt: skip

    extraction = Extraction(
        embeddings=table(np.ones((len(stimuli), DIM))), units={READING: table(values)},
        kept=tuple(range(len(stimuli))), bad=(), encoded=0, reused=0,
    )  # fmt: skip
    return Shown(stimuli=tuple(stimuli), extraction=extraction)


@pytest.fixture
def pictures():
    """Three groups and a harm, eight clusters of two photos each; unit 2 answers to group a."""
    rng = np.random.default_rng(0)
    concepts = [*GROUPS, "menace"]
    stimuli = [
        stimulus(i, concept, f"p{i // 2}", tone=("dark", "light")[concept == "isles/b"])
        for i, concept in enumerate(c for c in concepts for _ in range(16))
    ]
    values = rng.normal(size=(len(stimuli), N_UNITS))
    values[:16, 2] += 4
    values[:, 5] = 1.0
    return shown(stimuli, values)


@pytest.fixture
def nobody(pictures):
    return np.zeros(len(pictures.stimuli), dtype=bool)


def test_photos_of_one_cluster_are_averaged(pictures, nobody):
    table = unit_table(pictures, nobody)

    values = pictures.extraction.units[READING].values
    assert table.arm == "photo"
    assert table.sizes.tolist() == [2] * 32
    assert table.concepts.count("menace") == 8
    np.testing.assert_allclose(table.readings[READING][0], values[:2].mean(axis=0), rtol=1e-6)


def test_a_cluster_with_one_photo_of_a_minor_is_a_minors(pictures, nobody):
    nobody[3] = True

    table = unit_table(pictures, nobody)

    assert table.is_minor.tolist() == [False, True] + [False] * 30
    assert len(table.adults().concepts) == 31
    assert table.adults().sizes.sum() == 62


def test_every_unit_is_measured_with_every_concept_that_is_shown(pictures, nobody):
    table = unit_table(pictures, nobody)

    frames = list(association_frames(table, [*GROUPS, "menace", "unseen"]))

    assert all(tuple(part.columns) == COLUMNS for part in frames)
    cells = {(r.measure, r.concept, r.unit) for part in frames for r in part.itertuples()}
    assert len(cells) == sum(len(part) for part in frames) == 4 * 4 * N_UNITS
    assert {concept for _, concept, _ in cells} == {*GROUPS, "menace"}


def test_numbers_are_those_of_scipy_and_scikit_learn_on_cluster_means(pictures, nobody):
    table = unit_table(pictures, nobody)
    means = table.readings[READING]
    is_a = np.array([c == "isles/a" for c in table.concepts])

    rows = {
        (r.measure, r.unit): r
        for part in association_frames(table, ["isles/a"])
        for r in part.itertuples()
    }

    for unit in range(5):
        correlation = stats.pearsonr(means[:, unit], is_a).statistic
        assert rows["correlation", unit].value == pytest.approx(correlation, rel=1e-5)
        area = roc_auc_score(is_a, means[:, unit])
        assert rows["auroc", unit].value == pytest.approx(area, rel=1e-6)
        assert (rows["auroc", unit].n, rows["auroc", unit].clusters) == (64, 32)
    assert np.isnan(rows["correlation", 5].value)
    assert rows["correlation", 5].reason


def test_a_sexualising_concept_is_measured_on_adults_only(pictures, nobody):
    nobody[:16] = True
    table = unit_table(pictures, nobody)

    parts = list(association_frames(table, [*GROUPS, "menace"], {"menace"}))

    by_concept = {r.concept: r for part in parts for r in part.itertuples()}
    assert (by_concept["menace"].clusters, by_concept["menace"].n) == (24, 48)
    assert (by_concept["isles/a"].clusters, by_concept["isles/a"].n) == (32, 64)


@dataclass
class LinearEncoder:
    """Knows only how units add up to the embedding."""

    weights: np.ndarray | None

    def readout(self, layer: str):
        return self.weights


class Finding(SimpleNamespace):
    def model_copy(self, update):
        return Finding(**{**vars(self), **update})


@pytest.fixture
def finding():
    return Finding(identity="isles/a", family="isles", harm="menace", units=(), units_note="")


@pytest.fixture
def carriers(pictures, nobody):
    rng = np.random.default_rng(1)
    concepts = ["menace"] * 5 + ["calm"] * 5
    texts = pool_clusters(
        rng.normal(size=(10, DIM)).astype(np.float32),
        concepts,
        [f"t{i}" for i in range(10)],
        [""] * 10,
        keep_templates=False,
    )
    direction = texts.pooled[:5].mean(axis=0) - texts.pooled[5:].mean(axis=0)
    weights = np.tile(direction, (N_UNITS, 1)).astype(np.float32)
    return Carriers(
        encoder=LinearEncoder(weights),
        tables=(unit_table(pictures, nobody),),
        texts=texts,
        families={"isles": GROUPS},
        controls=("calm",),
    )


def test_the_unit_that_answers_to_the_group_carries_the_finding(finding, carriers, pictures):
    (told,) = add_units([finding], carriers)

    first = told.units[0]
    means = carriers.tables[0].readings[READING].astype(float)
    own = np.array(carriers.tables[0].concepts)
    rest = np.mean([means[own == c].mean(axis=0) for c in GROUPS[1:]], axis=0)
    doubled = means[own == "isles/a"].mean(axis=0) - rest
    assert (first.unit, first.layer, first.pooling) == (2, "deep", "preact-max")
    assert first.double_difference == pytest.approx(doubled[2], rel=1e-5)
    assert first.contribution == pytest.approx(first.double_difference * first.weight, rel=1e-5)
    assert "Ranked on photos" in told.units_note


def test_units_come_strongest_first(finding, carriers):
    (told,) = add_units([finding], carriers)

    found = [u.contribution for u in told.units if isinstance(u.contribution, float)]
    assert found == sorted(found, reverse=True)


def test_a_model_without_a_closed_form_says_so(finding, carriers):
    (told,) = add_units([finding], replace(carriers, encoder=LinearEncoder(None)))

    assert told.units == ()
    assert "No closed form" in told.units_note


def test_a_group_that_was_not_shown_says_so(finding, carriers):
    (told,) = add_units([finding.model_copy({"identity": "isles/d"})], carriers)

    assert told.units == ()
    assert "No picture or rendered word" in told.units_note


def test_units_of_a_sexualising_finding_are_read_on_adults_only(
    finding, carriers, pictures, nobody
):
    nobody[:8] = True
    values = pictures.extraction.units[READING].values
    values[:8, 4] += 50
    table = unit_table(pictures, nobody)
    meets = replace(carriers, tables=(table,), sexual=frozenset({"menace"}))

    (told,) = add_units([finding], meets)
    (careless,) = add_units([finding], replace(meets, sexual=frozenset()))

    assert told.units[0].unit == 2
    assert careless.units[0].unit == 4


def test_a_finding_about_a_group_of_photos_has_units_too(finding, carriers, pictures, nobody):
    groups = {"photos:tone": ("photos:tone/dark", "photos:tone/light")}
    tables = group_tables(pictures, groups, nobody)
    about = finding.model_copy({"identity": "photos:tone/dark", "family": "photos:tone"})

    (told,) = add_units([about], replace(carriers, tables=tables, families=groups))

    assert [set(table.concepts) for table in tables] == [set(groups["photos:tone"])]
    assert told.units
    assert "Ranked on photos" in told.units_note


def concept(ref: str, role: Role) -> SimpleNamespace:
    return SimpleNamespace(ref=ref, role=role)


SECTION = ProbesSection(lambdas=5, folds=4)


def test_a_probe_is_fitted_for_every_concept_that_is_shown_and_wanted(pictures):
    wanted = [concept(ref, Role.IDENTITY) for ref in (*GROUPS, "isles/unseen")]
    wanted += [concept("menace", Role.CONTROL)]

    probes = concept_probes(pictures, wanted, SECTION, np.random.default_rng(0), SilentProgress())

    assert [p.concept for p in probes] == list(GROUPS)
    assert probes[0].units[0][0] == 2
    assert probes[0].auroc > 0.9
    assert probes[0].modality == "photo"


def test_a_probe_of_a_sexualising_concept_sees_adults_only(pictures, nobody, monkeypatch):
    nobody[:16] = True
    seen = []

    def spy(values, labels, clusters, **_):
        seen.append((len(values), int(labels.sum())))
        raise MeasureError("seen")

    monkeypatch.setattr("audit.concept_probes.fit_sparse_probe", spy)
    wanted = [concept("isles/b", Role.IDENTITY), concept("menace", Role.HARM)]

    probes = concept_probes(
        pictures, wanted, SECTION, np.random.default_rng(0), SilentProgress(),
        sexual={"menace"}, is_minor=nobody,
    )  # fmt: skip

    assert seen == [(64, 16), (48, 16)]
    assert [p.reason for p in probes] == ["seen", "seen"]
