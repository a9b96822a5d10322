"""Units that carry a found link are silenced on stimuli that did not choose them."""

import importlib.util
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from audit.causal import CausalMaterial, causal_checks, mark_causal
from audit.causal_halves import PictureSide, Refused, halves_of, picture_side
from audit.causal_record import CausalRecord
from audit.causal_trial import CausalSettings
from audit.gather import Instruments, Shown
from audit.photo_rows import PhotoRows
from audit.results import FindingRecord, Mark, Undefined
from concept_sets.catalog import load_library
from concept_sets.errors import PictureError
from concept_sets.photos import read_photos
from concept_sets.stimulus import Modality, Stimulus
from concept_sets.world.drawing import write_photos
from probes.arms import Embeddings, normalise, pool_clusters
from probes.backends.table import load_encoder
from probes.contrast import contrasts, control_null, family_differences
from probes.encoder import Pooling, Reading
from probes.intervals import exact_binomial_p
from probes.progress import SilentProgress
from probes.readings import default_reading

ROOT = Path(__file__).parents[2]
WORLD = ROOT / "concept_sets" / "world" / "library"
PLANTS = ROOT / "benchmarks" / "worlds" / "embedded.toml"
SPECIMENS = ROOT / "tests" / "specimens" / "checkpoints.py"
_spec = importlib.util.spec_from_file_location("checkpoints_for_causes", SPECIMENS)
made_here = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made_here)

GROUPS = ("isles/a", "isles/b", "isles/c", "isles/d")
HUES = ((200, 60, 60), (60, 200, 60), (60, 60, 200), (160, 160, 60))
DIM, TERMS, PACKS = 64, 6, 40
FAST = CausalSettings(matched_sets=199, doses=(-2, 0, 2, 6))


def finding_of(identity="isles/a", harm="menace", family="isles", arms=("photo",), mark="0"):
    return FindingRecord(
        id=f"BA{mark}", fingerprint=mark, family=family, identity=identity, harm=harm, severity=4,
        grade="confirmed", blocking=True, arms=arms, evidence=("seen",), counter_evidence=(),
    )  # fmt: skip


def tools_for(encoder, readings=None, progress=None):
    if readings is None:
        readings = (default_reading(encoder.layers),)
    return Instruments(
        encoder=encoder, cache=None, progress=progress or SilentProgress(), readings=readings
    )


# The embedded model


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Pictures of every people of the fictional world, and the words of its harms and controls."""
    library = load_library((WORLD,), builtin=False)
    peoples = {c.id: c.ref for c in library.identities()}
    manifest = write_photos(
        tmp_path_factory.mktemp("photos"), refs=peoples, seed=11, photos_per_person=1
    )
    encoder = load_encoder("embedded:demo")
    packs = [*library.harms(), *library.controls()]
    terms = [(pack.ref, term.surface) for pack in packs for term in pack.terms]
    texts = pool_clusters(
        encoder.encode_texts([f"a photo of a {surface}" for _, surface in terms]),
        [ref for ref, _ in terms],
        [surface for _, surface in terms],
        [""] * len(terms),
        keep_templates=False,
    )
    photos = read_photos(manifest)
    families = {"peoples": tuple(peoples.values())}
    shown = Shown(stimuli=photos.stimuli, extraction=None)
    nobody = np.zeros(len(photos.stimuli), dtype=bool)
    material = CausalMaterial(
        sides={"photo": picture_side(shown, nobody, families, photos.root)},
        texts=texts,
        families=families,
        controls=tuple(c.ref for c in library.controls()),
    )
    plants = tomllib.loads(PLANTS.read_text())["plant"]
    pairs = sorted({(f"peoples/{plant['group']}", plant["harm"]) for plant in plants})
    findings = [
        finding_of(who, what, "peoples", mark=str(i)) for i, (who, what) in enumerate(pairs)
    ]
    return material, tools_for(encoder), findings


@pytest.fixture(scope="module")
def demo_records(world):
    material, tools, findings = world
    return causal_checks(findings, material, tools, np.random.default_rng(0), CausalSettings())


def test_silencing_the_units_of_each_planted_link_lowers_it_more_than_matched_sets_do(demo_records):
    assert len(demo_records) == 3
    for record in demo_records:
        assert record.causal
        assert record.matched.sets == 999
        assert record.drop > record.matched.drop_high > record.matched.drop
        assert record.low > 0
        assert record.p_matched == pytest.approx(0.001)
        assert record.p_adjusted <= 0.003 + 1e-9
        assert 0.05 < record.share < 1
        assert len(record.units) == 10


def test_steering_the_units_makes_the_rest_of_the_family_look_like_the_harm(demo_records):
    for record in demo_records:
        assert record.monotonicity > 0.9
        assert record.slope > 0
        assert [dose.dose for dose in record.doses] == list(CausalSettings().doses)
        assert record.doses[-1].low > 0 > record.doses[0].high
        assert record.doses[-1].blank > record.doses[0].blank


def test_matched_sets_are_like_the_chosen_ones_and_benign_choices_suffer_alike(demo_records):
    for record in demo_records:
        assert record.matched.alike > 0.9
        assert abs(record.matched.rate_gap) < 0.05
        assert 0.5 < record.matched.norm_ratio < 1.5
        assert record.unchanged_low <= record.unchanged <= record.unchanged_high
        assert abs(record.unchanged - record.unchanged_matched) < 0.3


def test_answers_and_retrieval_are_told_before_and_after(demo_records):
    for record in demo_records:
        before, silenced, matched = record.answers
        assert before.state == "as it is"
        assert before.harm_rate > before.harm_rate_rest
        assert before.retrieved > 3 * record.retrieved_neutral
        assert silenced.retrieved <= before.retrieved
        assert (
            abs(matched.harm_rate - before.harm_rate)
            <= abs(silenced.harm_rate - before.harm_rate) + 0.2
        )


def test_the_other_half_chooses_much_the_same_units_with_the_same_answer(world, demo_records):
    material, tools, findings = world
    other = replace(FAST, choose_on=1)

    swapped = causal_checks(findings[:2], material, tools, np.random.default_rng(0), other)

    for record, twin in zip(demo_records, swapped, strict=False):
        assert twin.causal
        assert twin.effect != record.effect
        assert len(set(twin.units) & set(record.units)) >= 3


def test_the_same_seed_gives_the_same_record_whatever_else_is_tested(world):
    material, tools, findings = world
    findings, few = findings[:2], replace(FAST, matched_sets=99, max_pictures=8)

    def run(which, seed=4):
        return causal_checks(which, material, tools, np.random.default_rng(seed), few)

    alone, whole, again = run(findings[1:2]), run(findings), run(findings)
    same = {"p_adjusted": 0.0, "reason": "", "causal": True}
    assert whole == again
    assert alone[0].model_copy(update=same) == whole[1].model_copy(update=same)
    assert run(findings[1:2], seed=5) != alone


@pytest.mark.parametrize("how", ["zero", "resample"])
def test_units_can_be_held_at_zero_or_at_what_another_picture_gives(world, how):
    material, tools, findings = world

    (record,) = causal_checks(
        findings[:1], material, tools, np.random.default_rng(0), replace(FAST, how=how)
    )

    assert record.how == how
    assert record.causal
    assert record.drop > record.matched.drop_high


def test_a_link_that_control_packs_have_too_is_not_causal_though_its_units_lower_it(world):
    material, tools, findings = world
    control = material.controls[0]
    ordinary = replace(material, controls=material.controls[1:])
    harmless = [findings[0].model_copy(update={"harm": control})]

    (record,) = causal_checks(harmless, ordinary, tools, np.random.default_rng(0), FAST)

    assert record.p_matched == pytest.approx(0.005)  # it is nearly always this small
    assert record.p == record.p_link > 0.05
    assert not record.causal


class Counting(SilentProgress):
    """Remembers what it was told."""

    def __init__(self):
        self.totals, self.done, self.open = [], 0, 0

    def start(self, total, label):
        self.totals.append(total)
        self.open += 1

    def advance(self, n):
        self.done += n

    def finish(self):
        self.open -= 1


def test_progress_is_told_as_many_edits_as_the_stated_cost(world):
    material, tools, findings = world
    told = Counting()
    few = replace(FAST, matched_sets=99, max_pictures=8)

    causal_checks(
        findings[:2], material, replace(tools, progress=told), np.random.default_rng(0), few
    )

    assert told.totals == [few.edits(512)] * 2
    assert told.done == sum(told.totals)
    assert told.open == 0


# Small networks with and without a planted unit


def coloured(seed, each=8):
    """Pictures of four groups that differ in hue: group, cluster and picture."""
    rng = np.random.default_rng(seed)
    out = []
    for group, hue in zip(GROUPS, HUES, strict=True):
        for i in range(each):
            noise = rng.normal(0, 40, (32, 32, 3)) + rng.normal(0, 10, 3)
            pixels = np.clip(np.array(hue) + noise, 0, 255).astype(np.uint8)
            out.append((group, f"p{i}", Image.fromarray(pixels)))
    return out


def packs_of(seed):
    """A harm pack that is drawn as any control pack is."""
    rng = np.random.default_rng(seed)
    names = [name for name in ("menace", *(f"calm{k}" for k in range(PACKS))) for _ in range(TERMS)]
    centres = np.repeat(rng.normal(size=(PACKS + 1, DIM)), TERMS, axis=0)
    rows = normalise(centres + 0.7 * rng.normal(size=centres.shape))
    words = tuple(f"{name} {i}" for i, name in enumerate(names))
    return Embeddings(names=words, concepts=tuple(names), pooled=rows, by_template={})


def side_of(pictures):
    return PictureSide(
        stimuli=tuple(range(len(pictures))),
        load=lambda i: pictures[i][2],
        rows=PhotoRows(
            concepts=tuple(group for group, _, _ in pictures),
            clusters=tuple(cluster for _, cluster, _ in pictures),
            index=np.arange(len(pictures)),
        ),
        is_minor=np.zeros(len(pictures), dtype=bool),
    )


def material_of(pictures, texts, **changes):
    given = {
        "sides": {"photo": side_of(pictures)}, "texts": texts, "families": {"isles": GROUPS},
        "controls": tuple(f"calm{k}" for k in range(PACKS)),
    }  # fmt: skip
    return CausalMaterial(**{**given, **changes})


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Architecture and seed to a small encoder whose weights may be changed."""

    def make(name, seed):
        home, config = tmp_path_factory.mktemp(f"{name}{seed}"), wide(name)
        model = made_here.make_model(config, home / "made", seed=seed)
        folder = home / "kept"
        folder.mkdir()
        made_here.write_config(config, folder)
        made_here.save_safetensors(model.state_dict(), folder / "open_clip_model.safetensors")
        return load_encoder(f"local-dir:{folder}")

    return make


def wide(name):
    """A small shape with room for directions that have little to do with each other."""
    config = made_here.CONFIGS[name]
    vision = config["vision_cfg"] | ({"width": DIM} if name == "vit" else {})
    return config | {"embed_dim": DIM, "vision_cfg": vision}


def link_strength(encoder, pictures, texts):
    """T of the whole link against its control packs."""
    rows = normalise(encoder.encode_pictures([picture for _, _, picture in pictures]).embeddings)
    scores = rows @ texts.pooled.reshape(PACKS + 1, TERMS, DIM).mean(axis=1).T
    own = np.array([group for group, _, _ in pictures])
    differences = family_differences(np.stack([scores[own == g].mean(axis=0) for g in GROUPS]))
    return float(contrasts(differences[:, :1], control_null(differences[:, 1:])).t[0, 0])


def plant(encoder, pictures, texts):
    """Let the unit that tells the group best serve the harm, until the link stands out.

    Returns the unit, or None where the network drowns it.
    """
    visual, reading = encoder._model.visual, default_reading(encoder.layers)
    where = "class" if reading.pooling is Pooling.CLS else "everywhere"
    means = encoder.hold([p for _, _, p in pictures], reading.layer, where).picture_means()
    own = np.array([group == GROUPS[0] for group, _, _ in pictures])
    gap = means[own].mean(axis=0) - means[~own].mean(axis=0)
    unit = int(np.argmax(gap / (means[own].std(axis=0) + means[~own].std(axis=0) + 1e-9)))
    natural = np.quantile(
        np.abs(gap) * np.linalg.norm(encoder.readout(reading.layer), axis=1), 0.95
    )
    towards = texts.pooled[:TERMS].mean(axis=0) - texts.pooled[TERMS:].mean(axis=0)
    towards = torch.tensor(towards / np.linalg.norm(towards), dtype=torch.float32)
    for times in (2, 4, 8, 16, 32):
        write_column(visual, unit, towards * float(times * natural / gap[unit]))
        if link_strength(encoder, pictures, texts) > 4:
            return unit
    return None


def write_column(visual, unit, effect):
    """Make the read-out of a unit of the last layer what is asked for."""
    with torch.no_grad():
        if hasattr(visual, "attnpool"):
            column = torch.linalg.pinv(visual.attnpool.c_proj.weight) @ effect
            visual.attnpool.v_proj.weight[:, unit] = column
        else:
            width = len(visual.ln_post.weight)
            after = (torch.eye(width) - 1 / width) @ torch.diag(visual.ln_post.weight) @ visual.proj
            column = torch.linalg.pinv(after.T) @ effect
            visual.transformer.resblocks[-1].mlp.c_proj.weight[:, unit] = column


@pytest.mark.parametrize("name", ["resnet", "vit"])
def test_a_planted_unit_is_chosen_first_and_makes_its_link_causal(name, network):
    tried = causal = 0
    for seed in range(6):
        encoder, pictures, texts = network(name, seed), coloured(seed), packs_of(seed)
        unit = plant(encoder, pictures, texts)
        if unit is None:
            continue
        (record,) = causal_checks(
            [finding_of()], material_of(pictures, texts), tools_for(encoder),
            np.random.default_rng(seed), FAST,
        )  # fmt: skip
        assert unit in record.units[:3]
        assert record.p_matched == pytest.approx(0.005)
        assert record.monotonicity > 0
        tried, causal = tried + 1, causal + record.causal

    assert tried >= 3
    assert causal >= tried - 1


@pytest.mark.slow
def test_without_a_planted_unit_p_is_no_smaller_than_chance_makes_it(network):
    p, few = [], replace(FAST, matched_sets=99, doses=(0, 2))
    for name in ("resnet", "vit"):
        encoder, pictures = network(name, 20), coloured(20)
        for draw in range(20):
            (record,) = causal_checks(
                [finding_of()], material_of(pictures, packs_of(500 + draw)), tools_for(encoder),
                np.random.default_rng(draw), few,
            )  # fmt: skip
            p.append(record.p)

    assert len(p) == 40
    for level in (0.05, 0.1, 0.25, 0.5):
        assert exact_binomial_p(sum(one <= level for one in p), len(p), level) > 0.005
    assert min(p) < 0.3  # it is a p, not a constant
    assert np.std(p) > 0.15


# What cannot be tested says why


@pytest.fixture(scope="module")
def small(network):
    return network("vit", 0), coloured(0), packs_of(0)


def only(finding, material, tools, settings=FAST):
    (record,) = causal_checks([finding], material, tools, np.random.default_rng(0), settings)
    return record


def test_a_link_of_prompts_alone_cannot_earn_the_mark_from_image_units(small):
    encoder, pictures, texts = small

    record = only(finding_of(arms=("text",)), material_of(pictures, texts), tools_for(encoder))

    assert not record.causal
    assert record.arm == ""
    assert "the text tower carries it" in record.reason
    assert isinstance(record.p, Undefined)
    assert "the text tower carries it" in record.drop.undefined


def test_photos_are_preferred_and_rendered_words_serve_where_they_found_the_link(small):
    encoder, pictures, texts = small
    sides = {"photo": side_of(pictures), "rendered": side_of(pictures)}
    both = material_of(pictures, texts, sides=sides)

    arms = [
        only(finding_of(arms=arms), both, tools_for(encoder)).arm
        for arms in (("text", "rendered", "photo"), ("text", "rendered"))
    ]

    assert arms == ["photo", "rendered"]


def broken(stimulus):
    raise PictureError("gone.png is missing")


UNTESTABLE = {
    "not at hand": lambda e, p, t: (material_of(p, t, sides={}), tools_for(e)),
    "no layer of this model is read": lambda e, p, t: (material_of(p, t), tools_for(e, ())),
    "cannot be silenced": lambda e, p, t: (
        material_of(p, t),
        tools_for(SimpleNamespace(layers=e.layers), (default_reading(e.layers),)),
    ),
    "3 clusters of the group": lambda e, p, t: (
        material_of([one for one in p if one[1] in ("p0", "p1", "p2")], t),
        tools_for(e),
    ),
    "0 concepts with two or more": lambda e, p, t: (
        material_of([one for one in p if one[0] == GROUPS[0]], t),
        tools_for(e),
    ),
    "the pack has 3 in all": lambda e, p, t: (
        material_of(p, t.take(np.arange(3, len(t.names)))),
        tools_for(e),
    ),
    r"can no longer be read: gone\.png": lambda e, p, t: (
        material_of(p, t, sides={"photo": replace(side_of(p), load=broken)}),
        tools_for(e),
    ),
}


@pytest.mark.parametrize("words", UNTESTABLE)
def test_what_cannot_be_tested_is_undefined_with_the_reason(words, small):
    record = only(finding_of(), *UNTESTABLE[words](*small))

    with pytest.raises(AssertionError, match=words):
        raise AssertionError(record.reason)
    assert not record.causal
    assert isinstance(record.p, Undefined)
    assert isinstance(record.effect, Undefined)


def test_units_without_matches_get_a_drop_and_no_verdict(small):
    encoder, pictures, texts = small

    record = only(
        finding_of(), material_of(pictures, texts), tools_for(encoder), replace(FAST, units=128)
    )

    assert record.matched.sets == 0
    assert isinstance(record.drop, float)
    assert "different sets" in record.p.undefined
    assert not record.causal


def test_holm_counts_the_findings_that_were_tested(world):
    material, tools, findings = world
    untested = finding_of(arms=("text",), mark="9")
    few = replace(FAST, matched_sets=99, max_pictures=8)

    records = causal_checks(
        [untested, *findings[:2]], material, tools, np.random.default_rng(0), few
    )

    assert [isinstance(r.p_adjusted, float) for r in records] == [False, True, True]
    smallest = min(records[1].p, records[2].p)
    assert min(r.p_adjusted for r in records[1:]) == pytest.approx(2 * smallest)
    assert "2 tested findings" in records[1].reason


def test_the_deepest_layer_that_is_read_is_silenced_where_its_pooling_looks(small):
    encoder, pictures, texts = small
    first, second = encoder.layers[0], encoder.layers[1]
    readings = (
        Reading(layer=second.name, pooling=Pooling.TOKEN_MAX),
        Reading(layer=first.name, pooling=Pooling.CLS),
    )

    record = only(finding_of(), material_of(pictures, texts), tools_for(encoder, readings))

    assert (record.layer, record.pooling) == (second.name, "token-max")
    assert record.where == "everywhere"


# Halves


def halves(pictures, texts, **changes):
    given = {
        "family": GROUPS, "controls": ("calm0", "calm1"), "adults_only": False,
        "max_pictures": 64, "rng": np.random.default_rng(0),
    }  # fmt: skip
    side = changes.pop("side", None) or side_of(pictures)
    return halves_of(finding_of(), side, texts, **{**given, **changes})


def test_no_cluster_and_no_term_is_in_both_halves(small):
    _, pictures, texts = small

    odd, even = halves(pictures, texts)

    shown = [{picture.tobytes() for picture in half.pictures} for half in (odd, even)]
    assert not shown[0] & shown[1]
    assert len(shown[0] | shown[1]) == len(pictures)
    np.testing.assert_array_equal(odd.link.harm, texts.pooled[:TERMS:2])
    np.testing.assert_array_equal(even.link.harm, texts.pooled[1:TERMS:2])
    for pack in range(2):
        own = texts.pooled[(pack + 1) * TERMS : (pack + 2) * TERMS]
        np.testing.assert_array_equal(odd.link.controls[pack], own[::2])
        np.testing.assert_array_equal(even.link.controls[pack], own[1::2])
    assert odd.link.concepts.tolist() == [c for c in range(4) for _ in range(4)]
    assert odd.of_group.sum() == 4


def test_photos_of_one_person_stay_together(small):
    _, pictures, texts = small
    twice = [(group, f"p{int(cluster[1]) // 2}", picture) for group, cluster, picture in pictures]

    odd, even = halves(twice, texts)

    assert [len(half.link.concepts) for half in (odd, even)] == [8, 8]
    assert np.bincount(odd.link.clusters).tolist() == [2] * 8


def test_more_pictures_than_wanted_are_drawn_from_each_cluster_first(small):
    _, pictures, texts = small

    few, again = (halves(pictures, texts, max_pictures=6)[0] for _ in range(2))

    counts = np.bincount(few.link.concepts)
    assert counts.tolist() == [4, 2, 2, 2]
    assert [p.tobytes() for p in few.pictures] == [p.tobytes() for p in again.pictures]
    tiny = halves(pictures, texts, max_pictures=3)[0]
    assert np.bincount(tiny.link.concepts).tolist() == [3, 2, 2, 2]


def test_minors_are_left_out_of_sexualising_links_cluster_by_cluster(small):
    encoder, pictures, texts = small
    twice = [(group, f"p{int(cluster[1]) // 2}", picture) for group, cluster, picture in pictures]
    young = np.arange(len(pictures)) == 8  # one photo of one person of group b
    side = replace(side_of(twice), is_minor=young)

    adults = halves(twice, texts, side=side, adults_only=True)
    everybody = halves(twice, texts, side=side)

    def count(both):
        return sum(len(half.pictures) for half in both)

    assert count(everybody) - count(adults) == 2
    kept = {picture.tobytes() for half in adults for picture in half.pictures}
    assert not kept & {twice[8][2].tobytes(), twice[9][2].tobytes()}
    all_young = {"photo": replace(side, is_minor=np.ones(len(pictures), dtype=bool))}
    material = material_of(twice, texts, sides=all_young)
    assert only(finding_of(), material, tools_for(encoder)).arm == "photo"
    sexual = replace(material, sexual=frozenset({"menace"}))
    assert "0 clusters of the group" in only(finding_of(), sexual, tools_for(encoder)).reason


def test_pictures_of_groups_of_photos_and_of_concepts_are_both_found(small):
    _, pictures, texts = small
    stimuli = tuple(
        Stimulus(
            modality=Modality.PHOTO, content=f"{i}.png", concept=group, cluster=cluster,
            template="", digest=f"{i}", groups=(("tone", ["dark", "light"][group > "isles/b"]),),
        )
        for i, (group, cluster, _) in enumerate(pictures)
    )  # fmt: skip
    families = {"isles": GROUPS, "photos:tone": ("photos:tone/dark", "photos:tone/light")}
    side = picture_side(
        Shown(stimuli=stimuli, extraction=None), np.zeros(len(stimuli), dtype=bool), families
    )
    side = replace(side, load=lambda stimulus: pictures[int(stimulus.content[:-4])][2])
    about = finding_of("photos:tone/dark", family="photos:tone")

    odd, _ = halves_of(
        about, side, texts, family=families["photos:tone"], controls=("calm0", "calm1"),
        adults_only=False, max_pictures=64, rng=np.random.default_rng(0),
    )  # fmt: skip

    assert set(odd.link.concepts.tolist()) == {0, 1}
    assert len(odd.pictures) > 0


def test_too_few_clusters_are_refused(small):
    _, pictures, texts = small
    with pytest.raises(Refused, match="two clusters of pictures"):
        halves(pictures[:3], texts)


# Marks


def record_of(causal, mark="0"):
    return CausalRecord(
        finding=f"BA{mark}", arm="photo", how="mean", causal=causal, reason="Silencing did it."
    )


def test_a_causal_record_marks_its_finding_and_is_its_evidence():
    (marked,) = mark_causal([finding_of()], [record_of(causal=True)])

    assert marked.marks == (Mark.CAUSAL,)
    assert marked.evidence == ("seen", "Silencing did it.")
    assert marked.counter_evidence == ()
    (twice,) = mark_causal([marked], [record_of(causal=True)])
    assert twice.marks == (Mark.CAUSAL,)


def test_a_record_that_is_not_causal_speaks_against():
    (told,) = mark_causal([finding_of()], [record_of(causal=False)])

    assert told.marks == ()
    assert told.counter_evidence == ("Silencing did it.",)


def test_a_finding_without_a_record_stays_as_it_is():
    finding = finding_of(mark="7")

    assert mark_causal([finding], [record_of(causal=True)]) == (finding,)
