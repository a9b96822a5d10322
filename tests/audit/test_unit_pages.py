"""Pages of units on the embedded model: who, in which modality, what share, with what effect."""

from dataclasses import replace
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from audit.causal_record import CausalRecord
from audit.gather import Instruments
from audit.known_units import KnownUnit
from audit.known_units_loaded import PublishedNames
from audit.numbers import plain
from audit.plan import builtin_plan
from audit.results import ConfoundRecord, FindingRecord, Undefined
from audit.run import _gather
from audit.unit_links import _link, take_apart
from audit.unit_pages import unit_pages
from audit.unit_pictures import BLURRED, HARSH, OFF
from audit.unit_story import SEEN_OR_READ
from audit.unit_tables import unit_table
from audit.unit_views import View, views_of
from audit.units import Carriers, add_units
from concept_sets.catalog import load_library
from concept_sets.photos import read_photos, with_concepts
from concept_sets.stimulus import Modality, Stimulus
from concept_sets.world.drawing import write_photos
from probes.arms import normalise
from probes.backends.table import load_encoder
from probes.cache import ActivationCache
from probes.causal import cluster_margins, double_difference
from probes.errors import ModelError
from probes.inspectable import Edit
from probes.progress import SilentProgress
from probes.readings import default_reading

PLANTED = (("trenol", "invented_terror"), ("reobov", "invented_contagion"))
HARMS = ("invented_contagion", "invented_fraud", "invented_terror")
STEPS = 8


def finding(number, group, harm):
    return FindingRecord(
        id=f"BA{number}", fingerprint=str(number), family="peoples", identity=f"peoples/{group}",
        harm=harm, severity=4, grade="confirmed", blocking=True, arms=("photo",), evidence=("s",),
        counter_evidence=(),
    )  # fmt: skip


def planned(gathered, **units):
    """The same with other wishes for pages."""
    section = gathered.plan.units.model_copy(update=units)
    return replace(gathered, plan=gathered.plan.model_copy(update={"units": section}))


def opened(gathered, encoder):
    """The same with another model behind it, and nothing kept of what the first one did."""
    return replace(gathered, tools=replace(gathered.tools, encoder=encoder, cache=None))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Photos of every people and drawn words of every concept, and what the model made of them."""
    library = load_library((files("concept_sets") / "world" / "library",), builtin=False)
    refs = {c.id: c.ref for c in library.identities()}
    manifest = write_photos(
        tmp_path_factory.mktemp("photos"), refs=refs, seed=5, photos_per_person=1
    )
    photos = with_concepts(read_photos(manifest), library)
    plan = builtin_plan("demo")
    units = {"renderings": 1, "pages": 2, "examples": 3, "drawn": "off", "drawn_steps": STEPS}
    plan = plan.model_copy(
        update={
            "slots": ("bare",),
            "units": plan.units.model_copy(update=units),
            "concepts": plan.concepts.model_copy(
                update={"harms": HARMS, "controls": ("invented_roles/*",)}
            ),
        }
    )
    encoder = load_encoder("embedded:demo")
    tools = Instruments(
        encoder=encoder, cache=ActivationCache(tmp_path_factory.mktemp("cache")),
        progress=SilentProgress(), readings=(default_reading(encoder.layers),),
    )  # fmt: skip
    return _gather(plan, library, tools, photos, None, lambda line: None)


@pytest.fixture(scope="module")
def found(world):
    """Findings of two planted links, with the units that carry them."""
    carriers = Carriers(
        encoder=world.tools.encoder, tables=world.tables, texts=world.texts,
        families=world.families, controls=world.controls,
    )  # fmt: skip
    return add_units([finding(i, *pair) for i, pair in enumerate(PLANTED)], carriers)


@pytest.fixture(scope="module")
def reading(world):
    return world.tools.readings[0]


@pytest.fixture(scope="module")
def pages(world, found):
    return unit_pages(world, found, ())


@pytest.fixture(scope="module")
def drawn(world, found):
    """One page with drawn pictures, and no photo of people."""
    return unit_pages(planned(world, drawn="phase", people="off", pages=1), found, ())


def first(records, **keys):
    return next(r for r in records if all(getattr(r, k) == v for k, v in keys.items()))


# What a page says


def test_every_planted_link_gets_a_page_whose_unit_contributes_to_it(pages, found):
    assert [page.findings[0] for page in pages.records] == [f.id for f in found]
    for page in pages.records:
        (own,) = (c for c in page.contributions if c.finding == page.findings[0])
        assert own.low > 0
        assert own.low < own.value < own.high
        assert 0.01 < own.share < 0.5
        assert own.place <= 10


def test_a_unit_that_was_made_to_answer_to_one_people_is_told_by_them(world, found, reading):
    shown, is_minor = world.shown("photo")
    unit = found[0].units[0].unit
    is_group = np.array([s.concept == "peoples/trenol" for s in shown.stimuli])
    values = shown.extraction.units[reading].values.copy()
    values[:, unit] = 3 * is_group + np.random.default_rng(0).normal(0, 0.5, len(values))
    made = replace(shown.extraction.units[reading], values=values)
    extraction = replace(shown.extraction, units={reading: made})
    photos = replace(shown, extraction=extraction)
    planted = replace(
        world,
        responses=replace(world.responses, photos=photos),
        tables=(world.tables[0], unit_table(photos, is_minor)),
    )

    page = unit_pages(planted, found[:1], ()).records[0]

    lead = first(page.leads, arm="photo")
    curve = first(page.curves, arm="photo", concept="peoples/trenol")
    spreads = [s for s in page.spreads if s.arm == "photo"]
    tops = [e for e in page.examples if (e.arm, e.kind) == ("photo", "top")]
    shares = [plain(share) for share in curve.shares]
    assert page.unit == unit
    assert (lead.concept, lead.value > 0.8) == ("peoples/trenol", True)
    assert max(spreads, key=lambda s: s.median).concept == "peoples/trenol"
    assert {s.concept for s in spreads} == set(world.families["peoples"])
    assert [e.concept for e in tops] == ["peoples/trenol"] * 3
    assert shares[-3] > 0.9 > 0.05 > shares[3]
    assert "more to photos of “Trenol” than to other photos" in page.story[0]


def test_shares_of_a_histogram_add_up_and_every_arm_has_one(pages):
    for page in pages.records:
        assert {h.arm for h in page.histograms} == {"photo", "rendered"}
        assert all(sum(h.shares) == pytest.approx(1) for h in page.histograms)
        assert all(len(h.edges) == len(h.shares) + 1 <= 42 for h in page.histograms)


def test_the_curve_of_drawn_words_of_the_harm_is_told(pages):
    assert first(pages.records[0].curves, arm="rendered", concept="invented_terror")


def test_text_weights_make_a_third_arm(world, found):
    unit = found[0].units[0].unit
    frame = pd.DataFrame(
        {
            "arm": "text", "measure": "text_weight", "layer": found[0].units[0].layer,
            "unit": unit, "concept": ["peoples/trenol", "invented_terror", "peoples/brinam"],
            "value": [2.0, 1.0, -1.0], "low": [1.5, 0.5, -1.5], "high": [2.5, 1.5, -0.5],
        }
    )  # fmt: skip

    page = unit_pages(world, found[:1], (), text_weights=(frame,)).records[0]

    told = [lead.concept for lead in page.leads if lead.arm == "text"]
    assert told == ["peoples/trenol", "invented_terror"]
    assert page.agreement.arms == ("photo", "rendered", "text")
    assert {family.arm for family in page.families} == {"photo", "rendered", "text"}
    assert "prompts about “Trenol” ask for it more than prompts on average do" in page.story[0]
    assert any("Prompts about “Terror (invented)” ask for it more" in s for s in page.story)


# Contributions


def test_contributions_of_all_units_and_named_parts_add_up_to_the_link(world, found, reading):
    for one in found:
        (link,) = take_apart(world, [one], reading, views_of(world, reading))
        parts = link.parts
        together = np.nansum(parts.units.value) + sum(parts.others.values())
        assert together == pytest.approx(parts.total, abs=1e-5)
        assert sum(link.share(u) for u in range(512) if np.isfinite(link.share(u))) == (
            pytest.approx(np.nansum(parts.units.value) / parts.total)
        )


def test_the_link_is_the_double_difference_of_cosines(world, found, reading):
    (link,) = take_apart(world, found[:1], reading, views_of(world, reading))
    compared = link.compared
    embeddings = world.tools.encoder.encode_pictures(compared.pictures()).embeddings
    cosines = normalise(embeddings) @ link.direction
    by_cluster = [
        (compared.concepts[compared.clusters == c][0], cosines[compared.clusters == c].mean())
        for c in np.unique(compared.clusters)
    ]
    concepts, means = np.array([c for c, _ in by_cluster]), np.array([m for _, m in by_cluster])

    assert link.parts.total == pytest.approx(double_difference(means[:, None], concepts), abs=1e-5)


def test_findings_of_one_group_are_measured_on_the_same_pictures(world, reading):
    both = [finding(0, *PLANTED[0]), finding(1, "trenol", "invented_fraud")]

    together = take_apart(world, both, reading, views_of(world, reading), [3])
    (alone,) = take_apart(world, both[1:], reading, views_of(world, reading), [3])

    np.testing.assert_array_equal(together[1].compared.index, alone.compared.index)
    np.testing.assert_allclose(
        together[1].parts.units.value, alone.parts.units.value, atol=1e-6, equal_nan=True
    )
    assert together[1].alone[3] == pytest.approx(alone.alone[3], abs=1e-6)


def test_silencing_alone_is_what_holding_the_unit_at_its_mean_does(world, found, reading):
    unit, encoder = found[0].units[0].unit, world.tools.encoder
    (link,) = take_apart(world, found[:1], reading, views_of(world, reading), [unit])
    pictures = link.compared.pictures()
    mean = encoder.hold(pictures, reading.layer).statistics.mean[[unit]]
    edit = Edit(layer=reading.layer, directions=np.eye(512)[[unit]], kind="set", values=mean)
    asked = _link(world, found[0], link.compared)
    margins = [
        cluster_margins(encoder.encode_edited(pictures, edits).embeddings, asked)
        for edits in ([], [edit])
    ]
    before, after = (double_difference(m, asked.concepts) for m in margins)

    assert link.alone[unit] == pytest.approx(before - after, abs=1e-5)
    assert abs(link.alone[unit]) > 1e-3


class Closed:
    """A model that answers and cannot be opened."""

    def __init__(self, inner):
        self.identity, self.layers = inner.identity, inner.layers
        self.encode_texts, self.encode_pictures = inner.encode_texts, inner.encode_pictures
        self.readout = inner.readout


class Unknown(Closed):
    """A tower for which no closed form is known."""

    def attribute(self, pictures, directions, *, layer=None, maps=(), double=False):
        raise ModelError("No closed form is known for this tower.")


@pytest.mark.parametrize(
    ("kind", "why"), [(Closed, "cannot be taken apart"), (Unknown, "No closed form is known")]
)
def test_without_a_closed_form_there_is_a_note_and_no_number(world, found, kind, why):
    pages = unit_pages(opened(world, kind(world.tools.encoder)), found, ())

    for page in pages.records:
        assert page.contributions == ()
        assert any(why in note for note in page.notes)
        assert any("is not known" in sentence for sentence in page.story)
        assert page.leads
        assert not any(example.map for example in page.examples)


def test_the_page_says_on_how_many_pictures_contributions_rest(pages):
    for page in pages.records:
        assert any("12 of 12 pictures of the group and 63 of 84" in n for n in page.notes)


# The story


def silenced(one, *, causal=True):
    return CausalRecord(
        finding=one.id, arm="photo", layer=one.units[0].layer, pooling=one.units[0].pooling,
        units=(one.units[1].unit, one.units[0].unit), how="mean", effect=0.5, drop=0.1, low=0.05,
        high=0.15, share=0.2, causal=causal, reason="as the test wants it",
    )  # fmt: skip


def test_a_story_tells_in_a_few_sentences_and_names_no_reference(pages):
    for page in pages.records:
        assert 3 <= len(page.story) <= 6
        assert not any("peoples/" in s or "invented_" in s for s in page.story)
        assert all(s.endswith(".") and s[0].isupper() for s in page.story)
        assert any("not a unit for" in s for s in page.story)


def test_only_the_causal_record_makes_a_story_say_causal(world, found):
    stories = [
        " ".join(unit_pages(world, found[:1], records).records[0].story)
        for records in ((), (silenced(found[0], causal=False),), (silenced(found[0]),))
    ]

    assert "causal" not in stories[0]
    assert "does not earn the mark causal" in stories[1]
    assert "marked causal" in stories[2]
    assert "silenced with 1 other, on" in stories[2]
    assert "falls by 0.1 (0.05 to 0.15), 20 % of it" in stories[2]


@pytest.mark.parametrize("kind", ["seen and read", "seen", "read", "opposed", "neither", "unknown"])
def test_a_story_says_whether_the_unit_sees_or_reads_the_group(world, found, kind):
    one, why = found[0], Undefined(undefined="not asked here")
    at = {"layer": one.units[0].layer, "unit": one.units[0].unit, "kind": kind}
    ends = {"ratio": why, "low": why, "high": why, "sentence": "S."}
    own, other = (ConfoundRecord(finding=f, **at, **ends) for f in (one.id, "BA-other"))

    told, plainly = (
        unit_pages(world, found[:1], (), confounds=(record,)).records[0].story
        for record in (own, other)
    )

    said = "The difference between “Trenol” and the rest of the family is"
    assert [s for s in told if s not in plainly] == [
        f"{s} {said} {SEEN_OR_READ[kind]}."
        for s in plainly
        if s.startswith(("No concept is among", "Modalities agree")) and kind in SEEN_OR_READ
    ]
    assert (said in " ".join(told)) is (kind not in ("neither", "unknown"))
    assert said not in " ".join(plainly)


def test_a_link_that_was_found_in_prompts_alone_is_told_as_such(world, found):
    prompts = found[0].model_copy(update={"arms": ("text",)})

    stories = [unit_pages(world, [f], ()).records[0].story for f in (prompts, found[0])]

    said = ["the link was not found in photos" in " ".join(story) for story in stories]
    assert said == [True, False]


def test_a_published_name_is_told_only_where_it_was_verified(world, found, reading, monkeypatch):
    unit = found[0].units[0].unit
    known = KnownUnit(model="RN50x4", index=unit, family="f", name="a name", words=("a",))
    names = PublishedNames(layer=reading.layer, units={unit: known})
    plainly = unit_pages(world, found[:1], ()).records[0].name

    monkeypatch.setattr("audit.unit_pages.published_names", lambda tools, rng: names)

    assert plainly == ""
    assert unit_pages(world, found[:1], ()).records[0].name == "a name"


def test_silenced_units_come_first(world, found):
    page = unit_pages(world, found[:1], (silenced(found[0]),)).records[0]

    assert page.unit == found[0].units[1].unit


# Care


def of(pages, arm):
    return [e for page in pages.records for e in page.examples if e.arm == arm]


def test_photos_of_people_follow_the_plan_and_the_choice_does_not_depend_on_it(world, found):
    shown, blurred, off = (
        unit_pages(planned(world, people=people), found, ())
        for people in ("shown", "blurred", "off")
    )

    chosen = [[(e.kind, e.concept, e.response) for e in of(p, "photo")] for p in (shown, off)]
    assert chosen[0] == chosen[1]
    assert all(e.picture and not e.hidden for e in of(shown, "photo"))
    assert {(e.picture, e.map, e.hidden) for e in of(off, "photo")} == {("", "", OFF)}
    for sharp, soft in zip(of(shown, "photo"), of(blurred, "photo"), strict=True):
        assert soft.hidden == BLURRED
        assert len(blurred.pictures[soft.picture]) < len(shown.pictures[sharp.picture])
        assert soft.map in {*blurred.pictures, ""}
        if soft.map:
            assert blurred.pictures[soft.map] != shown.pictures[sharp.map]


def test_pictures_that_no_record_names_are_not_written(drawn):
    named = {
        name
        for page in drawn.records
        for record in (*page.examples, *page.drawn)
        for name in (record.picture, getattr(record, "map", ""))
        if name
    }
    assert named == set(drawn.pictures)
    assert not any("photo" in name for name in named)


def test_drawn_words_of_grave_harms_are_withheld(world, found):
    library = world.library
    graves = {c.ref for c in library.harms() if c.severity >= 3}
    pages = unit_pages(planned(world, examples=24, pages=1), found, ())

    words = of(pages, "rendered")
    assert {e.concept for e in words} & graves
    for example in words:
        grave = example.concept in graves
        assert (example.hidden == HARSH) == grave
        assert bool(example.picture) != grave


@pytest.fixture(scope="module")
def young(world):
    """The same world, where one harm sexualises and photos of one people may show minors."""
    harms = tuple(
        replace(c, sexual=True) if c.ref == "invented_terror" else c for c in world.selection.harms
    )
    shown, _ = world.shown("photo")
    photo_minors = np.array([s.concept == "peoples/brinam" for s in shown.stimuli])
    minors = (world.minors[0], photo_minors)
    return replace(
        world,
        selection=replace(world.selection, harms=harms),
        minors=minors,
        tables=tuple(
            unit_table(s, m) for s, m in zip(world.responses.pictures, minors, strict=True)
        ),
    )


def test_photos_of_minors_are_nowhere_on_a_page_of_a_harm_that_sexualises(young, found, reading):
    pages = unit_pages(planned(young, examples=40, pages=2), found, ())

    page = first(pages.records, findings=("BA0",))
    parts = [r for r in (*page.examples, *page.leads, *page.spreads, *page.curves)]
    assert not [r for r in parts if (r.arm, r.concept) == ("photo", "peoples/brinam")]
    assert any("may show somebody under 20 are left out" in note for note in page.notes)
    (link,) = take_apart(young, found[:1], reading, views_of(young, reading))
    assert not link.compared.view.is_minor[link.compared.index].any()
    other = first(pages.records, findings=("BA1",))
    assert [e for e in other.examples if e.concept == "peoples/brinam" and e.picture]


def test_a_page_on_which_something_that_sexualises_leads_is_as_careful(young, found):
    unit = found[1].units[0]
    frame = pd.DataFrame(
        {
            "arm": "text", "measure": "text_weight", "layer": unit.layer, "unit": unit.unit,
            "concept": ["invented_terror", "peoples/trenol"], "value": [3.0, -1.0],
            "low": [2.0, -2.0], "high": [4.0, 0.0],
        }
    )  # fmt: skip

    page = unit_pages(
        planned(young, examples=40, pages=1), found[1:], (), text_weights=(frame,)
    ).records[0]

    assert not [e for e in page.examples if (e.arm, e.concept) == ("photo", "peoples/brinam")]


def test_a_picture_that_has_gone_is_said_to_be_missing(world, found, tmp_path):
    gone = replace(world, photos=replace(world.photos, root=tmp_path))

    page = unit_pages(gone, found, ()).records[0]

    assert all("no longer be read" in e.hidden for e in page.examples if e.arm == "photo")
    assert page.contributions == ()
    assert any("can no longer be read" in note for note in page.notes)


# Drawn pictures, seeds, and plans without pages


def test_units_are_drawn_plain_and_as_text_in_as_many_steps_as_planned(drawn):
    (page,) = drawn.records

    assert [d.facet for d in page.drawn] == ["", "text"]
    assert all(d.steps == STEPS for d in page.drawn)
    assert all(d.after > d.before for d in page.drawn)
    top = max(plain(e.response) for e in page.examples if e.arm == "photo")
    assert page.drawn[0].strongest_shown >= top - 1e-6
    assert any("AUROC" in note for note in page.notes)


def test_a_facet_that_tells_nothing_is_not_drawn(world, found, monkeypatch):
    monkeypatch.setattr("audit.unit_drawn.CHANCE", 0.999)

    page = unit_pages(planned(world, drawn="phase", pages=1), found, ()).records[0]

    assert [d.facet for d in page.drawn] == [""]
    assert any("No picture was drawn as written text" in note for note in page.notes)


def test_a_model_that_cannot_be_drawn_from_gets_a_note(world, found):
    closed = opened(planned(world, drawn="phase"), Closed(world.tools.encoder))

    page = unit_pages(closed, found, ()).records[0]

    assert page.drawn == ()
    assert any("cannot be drawn from" in note for note in page.notes)


def test_the_same_seed_gives_the_same_bytes(world, found, drawn):
    afresh = opened(planned(world, drawn="phase", people="off", pages=1), world.tools.encoder)
    again = unit_pages(afresh, found, ())

    assert again == drawn
    assert again.pictures == drawn.pictures


def test_another_seed_gives_other_random_examples(world, found, pages):
    other = replace(world, plan=world.plan.model_copy(update={"seed": 7}))

    elsewhere = unit_pages(other, found, ())

    kinds = ("random", "top")
    drawn = [[[e.response for e in of(p, "photo") if e.kind == kind] for p in (pages, elsewhere)]
             for kind in kinds]  # fmt: skip
    assert drawn[0][0] != drawn[0][1]
    assert drawn[1][0] == drawn[1][1]


def test_pictures_are_small_jpegs(pages):
    for data in pages.pictures.values():
        with Image.open(BytesIO(data)) as picture:
            assert picture.format == "JPEG"
            assert max(picture.size) <= 112
            assert not picture.info.get("comment")
            assert not picture.getexif()


def test_no_pages_where_the_plan_wants_none_or_nothing_was_found(world, found):
    assert unit_pages(planned(world, pages=0), found, ()).records == ()
    assert unit_pages(world, (), ()).records == ()


def test_without_examples_a_page_still_tells_its_numbers(world, found):
    pages = unit_pages(planned(world, examples=0), found, ())

    assert pages.pictures == {}
    assert all(page.examples == () and page.contributions for page in pages.records)


def test_a_unit_that_never_varies_is_told_without_numbers(world, found, reading):
    unit = found[0].units[0].unit
    still = []
    for shown in world.responses.pictures:
        values = shown.extraction.units[reading].values.copy()
        values[:, unit] = 1.5
        made = replace(shown.extraction.units[reading], values=values)
        still.append(replace(shown, extraction=replace(shown.extraction, units={reading: made})))
    rendered, photos = still
    quiet = replace(
        world,
        responses=replace(world.responses, rendered=rendered, photos=photos),
        tables=tuple(unit_table(s, m) for s, m in zip(still, world.minors, strict=True)),
    )

    page = unit_pages(quiet, found[:1], ()).records[0]

    assert (page.curves, page.histograms, page.examples) == ((), (), ())
    assert all("same response" in n for n in page.notes if n.startswith("No curve"))
    assert page.story


@pytest.fixture
def towns(world, tmp_path):
    """The same photos, of adults, with a column that says who is from where."""
    manifest = pd.read_csv(world.photos.root / "manifest.csv")
    manifest["town"] = np.where(manifest["concept"] == "peoples/trenol", "Ard", "Bel")
    manifest["path"] = [str(world.photos.root / path) for path in manifest["path"]]
    for path in manifest["path"]:
        (tmp_path / Path(path).name).write_bytes(Path(path).read_bytes())
    manifest["path"] = [Path(path).name for path in manifest["path"]]
    manifest.drop(columns="concept").to_csv(tmp_path / "manifest.csv", index=False)
    photos = read_photos(tmp_path / "manifest.csv")
    section = world.plan.photos.model_copy(update={"unknown_ages": "adults"})
    plan = world.plan.model_copy(update={"photos": section})
    return _gather(plan, world.library, world.tools, photos, None, lambda line: None)


def test_a_group_of_a_column_is_told_against_the_other_groups_of_the_column(towns, found):
    one = finding(5, "x", "invented_terror").model_copy(
        update={
            "family": "photos:town", "identity": "photos:town/Ard", "units": found[0].units[:1]
        }
    )  # fmt: skip

    page = unit_pages(towns, [one], ()).records[0]

    assert "photos of “Ard (town)” than to other photos" in page.story[0]
    assert "of 2 concepts" in page.story[0]
    assert {s.concept for s in page.spreads} == {"photos:town/Ard", "photos:town/Bel"}
    assert page.contributions[0].value
    assert {e.concept for e in page.examples if e.arm == "photo"} <= set(
        towns.groups["photos:town"]
    )


def test_groups_of_a_column_are_found_among_pictures():
    stimulus = Stimulus(
        modality=Modality.PHOTO, content="a", concept="", cluster="c", template="", digest="",
        groups=(("town", "Ard"),),
    )  # fmt: skip
    view = View(
        arm="photo", stimuli=(stimulus,), refs=(frozenset({"photos:town/Ard"}),),
        values=np.zeros((1, 2), np.float32), clusters=np.zeros(1, np.intp),
        is_minor=np.zeros(1, bool), load=lambda s: Image.new("RGB", (4, 4)), tables=(),
    )  # fmt: skip

    assert view.shows("photos:town/Ard").tolist() == [True]
    assert view.shows("photos:town/Bel").tolist() == [False]


def test_undefined_numbers_carry_their_reason(pages):
    for page in pages.records:
        for curve in page.curves:
            missing = [s for s in curve.shares if isinstance(s, Undefined)]
            assert all(s.undefined for s in missing)
            assert len(curve.edges) + 1 == len(curve.shares) == len(curve.clusters)
