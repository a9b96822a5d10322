"""Stimuli go through the encoder and come back as embeddings of their clusters."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.gather import (
    Instruments,
    choose_renderings,
    describe,
    minor_rows,
    show_photos,
    show_rendered,
    show_texts,
)
from audit.plan import AuditPlan
from concept_sets.catalog import load_library
from concept_sets.photos import read_photos
from concept_sets.rendered import DEFAULT_RENDERINGS
from probes.arms import Embeddings
from probes.backends.toy import ToyEncoder
from probes.errors import ExtractionError
from probes.progress import SilentProgress
from probes.readings import default_reading


@pytest.fixture(scope="module")
def library():
    return load_library()


@pytest.fixture
def tools():
    encoder = ToyEncoder()
    reading = default_reading(encoder.layers)
    return Instruments(encoder=encoder, cache=None, progress=SilentProgress(), readings=(reading,))


@pytest.fixture
def manifest(tmp_path) -> Path:
    """Four photos, two of one person."""
    (tmp_path / "in").mkdir()
    for shade, name in enumerate(("a.png", "in/b.png", "c.png", "d.png")):
        Image.new("RGB", (8, 8), (40 * shade, 10, 90)).save(tmp_path / name)
    lines = ["path,cluster", "a.png,p", "in/b.png,p", "c.png,", "d.png,"]
    (tmp_path / "photos.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "photos.csv"


def test_every_term_is_shown_in_every_slot_asked_for(library, tools):
    concepts = [library.concept("religions/islam"), library.concept("terrorism")]

    shown = show_texts(concepts, library, AuditPlan(slots=("bare", "photo")), tools)

    terms = [(c.ref, t.surface, slot) for c in concepts for t in c.terms
             for slot in ("bare", "photo")]  # fmt: skip
    assert sorted((s.concept, s.cluster, s.template) for s in shown.stimuli) == sorted(terms)
    assert len(shown.extraction.embeddings.values) == len(terms)


def test_templates_of_a_term_are_pooled_on_the_unit_sphere(library, tools):
    shown = show_texts(
        [library.concept("religions/islam")], library, AuditPlan(slots=("bare", "photo")), tools
    )

    pooled = shown.embeddings(keep_templates=True)

    assert set(pooled.by_template) == {"bare", "photo"}
    np.testing.assert_allclose(np.linalg.norm(pooled.pooled, axis=1), 1)
    first = [i for i, s in enumerate(shown.stimuli) if s.cluster == pooled.names[0]]
    rows = shown.extraction.embeddings.values[first].astype(float)
    mean = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(pooled.pooled[0], mean / np.linalg.norm(mean), rtol=1e-6)


def test_words_are_drawn_as_often_as_asked(library, tools):
    concept = library.concept("terrorism")

    shown = show_rendered([concept], 2, tools)

    assert len(shown.stimuli) == 2 * len(concept.terms)
    assert len({s.cluster for s in shown.stimuli}) == len(concept.terms)


@pytest.mark.parametrize("n", range(1, len(DEFAULT_RENDERINGS) + 1))
def test_fonts_come_before_sizes_and_positions(n):
    chosen = choose_renderings(n)
    fonts = {rendering.font for rendering in DEFAULT_RENDERINGS.values()}

    assert len(chosen) == n
    assert all(DEFAULT_RENDERINGS[name] == rendering for name, rendering in chosen.items())
    assert len({rendering.font for rendering in chosen.values()}) == min(n, len(fonts))


def test_photos_are_called_by_where_they_lie_under_the_manifest(manifest, tools):
    shown = show_photos(read_photos(manifest), 0.0, tools)

    assert [s.content for s in shown.stimuli] == ["a.png", "in/b.png", "c.png", "d.png"]
    assert shown.embeddings(keep_templates=False).names == ("p", "c.png", "d.png")


def test_a_manifest_found_by_a_relative_path_gives_the_same_names(manifest, tools, monkeypatch):
    monkeypatch.chdir(manifest.parent)

    shown = show_photos(read_photos(Path("photos.csv")), 0.0, tools)

    assert shown.stimuli[1].content == "in/b.png"


@pytest.mark.parametrize(
    ("share", "stops"), [(0.0, True), (0.49, True), (0.5, False), (0.9, False)]
)
def test_photos_that_are_missing_and_photos_that_are_damaged_count_together(
    share, stops, manifest, tools
):
    (manifest.parent / "a.png").unlink()
    (manifest.parent / "c.png").write_bytes(b"no picture")
    photos = read_photos(manifest)
    assert len(photos.bad) == 1

    if stops:
        with pytest.raises(ExtractionError, match=r"a\.png"):
            show_photos(photos, share, tools)
        return
    shown = show_photos(photos, share, tools)
    record = describe(shown, source="s", licence="l")
    assert [name for name, _ in record.unreadable] == ["a.png", "c.png"]
    assert record.n_stimuli == 2
    assert not any(str(manifest.parent) in text for bad in record.unreadable for text in bad)


def test_a_description_counts_stimuli_distinct_ones_and_clusters(manifest, tools):
    (manifest.parent / "d.png").write_bytes((manifest.parent / "c.png").read_bytes())

    record = describe(show_photos(read_photos(manifest), 0.0, tools), source="s", licence="CC0")

    assert (record.n_stimuli, record.n_distinct, record.n_clusters) == (4, 3, 3)
    assert (record.modality, record.source, record.licence) == ("photo", "s", "CC0")


def test_a_description_does_not_depend_on_the_order_of_stimuli(library, tools):
    plan = AuditPlan(slots=("bare",))
    concepts = [library.concept("religions/islam"), library.concept("terrorism")]
    digests = {
        describe(show_texts(order, library, plan, tools), source="", licence="").digest
        for order in (concepts, concepts[::-1])
    }

    assert len(digests) == 1


def test_rows_of_minors_are_found_by_concept_and_term():
    rows = Embeddings(
        names=("a", "b", "a"), concepts=("x", "x", "y"), pooled=np.eye(3), by_template={}
    )

    assert minor_rows(rows, frozenset({("x", "a")})).tolist() == [True, False, False]
