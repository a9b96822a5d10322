"""Monosemanticity over the pictures of an audit, and the share of units that stand for places."""

from itertools import combinations
from math import comb
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audit.atlas import contents, measured_concepts
from audit.atlas_uses import likeness_of
from audit.gather import Shown
from audit.tables import complete
from audit.unit_indices import (
    NO_PREFERENCE,
    NOT_SHOWN,
    PLACES,
    monosemanticity_frames,
    region_indices,
)
from audit.unit_tables import UnitTable
from concept_sets.concept import Concept, Role
from concept_sets.stimulus import Modality, Stimulus
from probes.activations import Activations, Extraction
from probes.encoder import Pooling, Reading
from probes.intervals import wilson
from probes.measures import MEASURES

READING = Reading(layer="deep", pooling=Pooling.PREACT_MAX)
N_UNITS, DIM = 6, 5
PEOPLE = ("isles/a", "isles/b", "isles/c")


def shown(values, embeddings, *, left_out=(), per=2, concepts=(*PEOPLE, "lewd")):
    """Photos of three clusters of every concept, ``per`` of each, without those left out."""
    names = [(c, f"p{k}") for c in concepts for k in range(3) for _ in range(per)]
    rows = [i for i, name in enumerate(names) if name not in left_out]
    stimuli = tuple(
        Stimulus(
            modality=Modality.PHOTO, content=f"{i}", concept=names[i][0], cluster=names[i][1],
            template="", digest=f"{i:064x}",
        )
        for i in rows
    )  # fmt: skip

    def activations(table, layer):
        return Activations(
            values=table[rows].astype(np.float32), stimuli=tuple(s.id for s in stimuli),
            layer=layer, pooling="", encoder="e",
        )  # fmt: skip

    extraction = Extraction(
        embeddings=activations(embeddings, "embedding"),
        units={READING: activations(values, "deep")},
        kept=tuple(rows), bad=(), encoded=len(rows), reused=0,
    )  # fmt: skip
    return Shown(stimuli=stimuli, extraction=extraction)


def gathered(own, *, name="", other=None, sexual=("lewd",)):
    return SimpleNamespace(
        plan=SimpleNamespace(replication=SimpleNamespace(name=name)),
        other=other,
        selection=SimpleNamespace(sexual=frozenset(sexual)),
        responses=SimpleNamespace(pictures=(own,)),
    )


def two_models(seed=0, left_out=()):
    rng = np.random.default_rng(seed)
    values, embeddings = rng.normal(size=(24, N_UNITS)), rng.normal(size=(24, DIM))
    values[:, 5] = 2.0
    here = shown(values, rng.normal(size=(24, DIM)))
    there = shown(rng.normal(size=(24, N_UNITS)), embeddings, left_out=left_out)
    return values, embeddings, here, there


def witness_of(there):
    return SimpleNamespace(responses=SimpleNamespace(pictures=(there,)))


def slowly(values, embeddings, clusters):
    """Weighted mean cosine over all pairs of clusters, and the plain one, from loops."""
    means = np.array([np.mean([values[i] for i in rows], axis=0) for rows in clusters])
    unit = [e / np.linalg.norm(e) for e in embeddings]
    other = np.array([np.mean([unit[i] for i in rows], axis=0) for rows in clusters])
    other = np.array([row / np.linalg.norm(row) for row in other])
    weights = (means - means.min(axis=0)) / np.ptp(means, axis=0)
    pairs = list(combinations(range(len(clusters)), 2))
    top = sum(weights[i] * weights[j] * (other[i] @ other[j]) for i, j in pairs)
    bottom = sum(weights[i] * weights[j] for i, j in pairs)
    return top / bottom, np.mean([other[i] @ other[j] for i, j in pairs])


# Monosemanticity


@pytest.mark.parametrize("left_out", [(), (("isles/b", "p1"),)])
def test_each_unit_has_the_likeness_of_the_pairs_of_clusters_that_both_models_saw(left_out):
    values, embeddings, here, there = two_models(left_out=left_out)

    (frame,), missing = monosemanticity_frames(gathered(here), witness_of(there))

    names = [(c, f"p{k}") for c in PEOPLE for k in range(3)]
    clusters = [[2 * i, 2 * i + 1] for i, name in enumerate(names) if name not in left_out]
    slow, neutral = slowly(values[:, :5], embeddings, clusters)
    np.testing.assert_allclose(frame["value"].to_numpy()[:5], slow, rtol=1e-5)
    np.testing.assert_allclose(frame["neutral"], neutral, rtol=1e-5)
    assert set(frame["clusters"]) == {len(clusters)}
    assert set(frame["n"]) == {2 * len(clusters)}
    assert set(frame["arm"]) == {"photo"}
    assert (set(frame["layer"]), set(frame["pooling"])) == ({"deep"}, {"preact-max"})
    assert frame["unit"].tolist() == list(range(N_UNITS))
    assert missing == ()
    assert set(frame["measure"]) <= set(MEASURES)


def test_a_unit_that_answers_alike_to_everything_has_a_reason_and_no_number():
    _, _, here, there = two_models()
    (frame,), _ = monosemanticity_frames(gathered(here), witness_of(there))

    assert np.isnan(frame["value"].iloc[5])
    assert frame["reason"].tolist() == [""] * 5 + [NO_PREFERENCE]


def test_pictures_of_what_sexualises_have_no_part():
    values, embeddings, here, there = two_models()
    (frame,), _ = monosemanticity_frames(gathered(here), witness_of(there))
    loud = values.copy()
    loud[18:] += 50
    turned = embeddings.copy()
    turned[18:] *= -3
    (same,), _ = monosemanticity_frames(
        gathered(shown(loud, embeddings)), witness_of(shown(values, turned))
    )
    (more,), _ = monosemanticity_frames(gathered(here, sexual=()), witness_of(there))

    pd.testing.assert_frame_equal(frame, same)
    assert set(more["clusters"]) == {12}


@pytest.mark.parametrize(
    ("name", "other", "told"), [("", None, 0), ("ViT-B-32", None, 1), ("", object(), 1)]
)
def test_what_was_not_measured_is_said_where_a_second_model_was_asked_for(name, other, told):
    _, _, here, _ = two_models()

    frames, missing = monosemanticity_frames(gathered(here, name=name, other=other), None)

    assert frames == ()
    assert [line.why for line in missing] == [NOT_SHOWN] * told


def test_too_few_common_clusters_give_no_row():
    _, _, here, there = two_models(
        left_out=[(c, f"p{k}") for c in PEOPLE for k in range(3) if (c, k) not in {(PEOPLE[0], 0)}]
    )

    assert monosemanticity_frames(gathered(here), witness_of(there)) == ((), ())


def test_the_atlas_of_a_finished_audit_tells_it_and_knows_no_nameless_concept(tmp_path):
    _, _, here, there = two_models()
    (frame,), _ = monosemanticity_frames(gathered(here), witness_of(there))
    named = {"arm": "photo", "measure": "auroc", "concept": "isles/a", "layer": "deep", "unit": 0}
    rows = pd.concat([complete(pd.DataFrame([named])), frame], ignore_index=True)
    table = pa.Table.from_pandas(rows, preserve_index=False)
    pq.write_table(table, tmp_path / "measurements.parquet")

    (told,) = likeness_of(tmp_path, "deep", 3)

    assert (told.arm, told.pooling, told.clusters) == ("photo", "preact-max", 9)
    assert told.value == pytest.approx(frame["value"].iloc[3])
    assert told.neutral == pytest.approx(frame["neutral"].iloc[3])
    assert np.isnan(likeness_of(tmp_path, "deep", 5)[0].value)
    assert likeness_of(tmp_path, "elsewhere", 3) == ()
    assert measured_concepts(tmp_path) == ("isles/a",)
    assert contents(tmp_path) == {"deep": N_UNITS}


# Region index


def concept(set_id, n):
    return Concept(id=f"c{n}", name=f"C {n}", family=set_id, role=Role.IDENTITY, terms=())


def audit_of(n_places, n_others, *, set_id=PLACES, words=3, seed=0, sexual=()):
    concepts = [concept(set_id, i) for i in range(n_places)]
    concepts += [concept("trades", i) for i in range(n_others)]
    refs = [c.ref for c in concepts]
    owners = tuple(ref for ref in refs for _ in range(words))
    values = np.random.default_rng(seed).normal(size=(len(owners), 40))
    values[:, 7] = 1.0
    values[: n_places * words, :5] += 9  # the first five units answer to places
    table = UnitTable(
        arm="rendered", readings={READING: values}, concepts=owners,
        sizes=np.ones(len(owners), dtype=np.intp), is_minor=np.zeros(len(owners), dtype=bool),
    )  # fmt: skip
    selection = SimpleNamespace(
        identities=tuple(concepts), harms=(), controls=(), sexual=frozenset(sexual)
    )
    return SimpleNamespace(selection=selection, tables=(table,)), refs, values


def text_frames(refs, n_units=30, seed=1):
    weights = np.random.default_rng(seed).normal(size=(n_units, len(refs)))
    weights[:4, :] += 8 * np.array([ref.startswith(PLACES) for ref in refs])
    weights[9] = np.nan
    rows = {
        "arm": "text", "measure": "text_weight", "concept": np.tile(refs, n_units),
        "layer": "deep", "unit": np.repeat(np.arange(n_units), len(refs)),
        "value": weights.ravel(),
    }  # fmt: skip
    whole = complete(pd.DataFrame(rows))
    halves = [whole[whole["unit"] < 15], whole[whole["unit"] >= 15]]
    return [*halves, complete(pd.DataFrame([{"arm": "photo", "measure": "x"}]))], weights


def hits(profiles, refs):
    """Places among the five that lead, unit by unit."""
    return [
        sum(name.startswith(PLACES) for _, name in sorted(zip(-row, refs, strict=True))[:5])
        for row in profiles
        if np.isfinite(row).all() and np.ptp(row) > 0
    ]


def test_units_whose_five_leading_concepts_are_places_are_counted_in_both_arms():
    gathered, refs, values = audit_of(8, 12)
    frames, weights = text_frames(refs)

    text, words = region_indices(gathered, frames)

    own = [np.mean(values[3 * i : 3 * i + 3], axis=0) for i in range(20)]
    for record, profiles in ((text, weights), (words, np.array(own).T)):
        counts = np.bincount(hits(profiles, refs), minlength=6)
        assert record.counts == tuple(counts)
        assert record.units == counts.sum()
        assert record.share == pytest.approx(counts[5] / counts.sum())
        ends = wilson(counts[5], counts.sum())
        assert record.low == pytest.approx(float(ends.low))
        assert record.high == pytest.approx(float(ends.high))
        assert (record.concepts, record.places) == (20, 8)
        assert record.by_chance == pytest.approx(comb(8, 5) / comb(20, 5))
    assert (text.arm, text.layer, text.pooling, text.units) == ("text", "deep", "", 29)
    assert (words.arm, words.pooling, words.units) == ("rendered", "preact-max", 39)
    assert text.counts[5] >= 4
    assert words.counts[5] >= 5


@pytest.mark.parametrize(("places", "set_id"), [(4, PLACES), (0, PLACES), (8, "peoples")])
def test_without_five_places_there_is_no_index(places, set_id):
    gathered, refs, _ = audit_of(places, 12, set_id=set_id)

    assert region_indices(gathered, text_frames(refs)[0]) == ()


def test_what_sexualises_cannot_lead():
    gathered, refs, _ = audit_of(8, 12, sexual=("trades/c0", "trades/c1"))

    records = region_indices(gathered, text_frames(refs)[0])

    assert [record.concepts for record in records] == [18, 18]


def test_without_a_text_arm_words_are_still_counted():
    gathered, _, _ = audit_of(8, 12)

    assert [record.arm for record in region_indices(gathered, ())] == ["rendered"]
