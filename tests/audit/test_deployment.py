"""The product's own labels: refused where they contradict, measured as the product offers them."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit.behaviour import Choices
from audit.catalogue.deployment import deployed_material, deployment_measurements
from audit.deployment import (
    Deployed,
    deployed_photos,
    deployment_stimuli,
    deployment_untested,
)
from audit.deployment_check import check_deployment
from audit.errors import PlanError
from audit.gather import Instruments
from audit.label_sets import battery_concepts
from audit.numbers import plain
from audit.plan import (
    AuditPlan,
    DeploymentSection,
    PhotosSection,
    builtin_plan,
    read_plan,
    validate_plan,
)
from audit.results import Mark
from audit.run import run_audit
from audit.score import score_audit
from audit.score_inputs import ScoreFiles, read_inputs
from audit.sensitivity import measure_behaviour
from concept_sets.catalog import load_library
from concept_sets.photos import read_photos, with_concepts
from probes.arms import pool_clusters
from probes.backends.toy import ToyEncoder
from probes.encoder import Pooling, Reading
from probes.progress import SilentProgress
from probes.rates import argmax_shares

PACKS = {"crime": 3, "sexualisation": 4}
LABELS = ("shop visitor", "suspicious person", "staff member")
SECTION = DeploymentSection(
    labels=LABELS,
    harmful={"suspicious person": "crime"},
    templates=("{t}", "camera picture of a {t}", "frame with a {t}"),
    threshold=0.5,
    k=20,
    target={"trade": {"weaver": 0.5, "baker": 0.5}},
)


# Plans


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"labels": ("one",)}, "two or more labels"),
        ({"labels": ("a", "a")}, "each once"),
        ({"labels": ("a", " ")}, "none empty"),
        ({"harmful": {"suspicious persn": "crime"}}, "Did you mean 'suspicious person'"),
        ({"harmful": {"suspicious person": "crimes"}}, "Did you mean 'crime'"),
        ({"templates": ("a picture",)}, r"\{t\} once"),
        ({"templates": ("{t} and {t}",)}, r"\{t\} once"),
        ({"templates": ("{a} {t}",)}, "no other braces"),
        ({"templates": ("{t} }",)}, "no other braces"),
        ({"labels": ()}, "deployment.harmful says what is done"),
        ({"labels": (), "harmful": {}}, "deployment.templates"),
        ({"labels": (), "harmful": {}, "templates": ()}, "deployment.threshold"),
        (
            {"labels": (*LABELS, "schoolgirl"), "harmful": {"schoolgirl": "sexualisation"}},
            "Minors are never paired",
        ),
    ],
)
def test_a_section_that_contradicts_itself_is_refused(changes, sentence):
    with pytest.raises(PlanError, match=sentence):
        check_deployment(SECTION.model_copy(update=changes), PACKS, {"sexualisation"})


def test_a_section_that_fits_is_taken_and_so_is_none():
    check_deployment(SECTION, PACKS)
    check_deployment(DeploymentSection(), PACKS)
    check_deployment(DeploymentSection(k=20), PACKS)


def test_every_label_stands_in_every_template():
    prompts = {s.content for s in deployment_stimuli(SECTION)}

    assert prompts == {t.replace("{t}", la) for t in SECTION.templates for la in LABELS}
    alone = SECTION.model_copy(update={"templates": ()})
    assert {s.content for s in deployment_stimuli(alone)} == set(LABELS)


def test_what_was_not_told_of_the_product_is_said():
    assert "own labels" in deployment_untested(DeploymentSection())[0].what
    assert "calls none" in deployment_untested(DeploymentSection(labels=LABELS))[0].why
    assert deployment_untested(SECTION) == ()


# Photos


def standard(n=240, minors=0.0, seed=0):
    rng = np.random.default_rng(seed)
    trades = ["weaver" if i % 2 else "baker" for i in range(n)]
    return Choices(
        cosines=rng.normal(size=(n, 3)), labels=("thief", "friend", "helper"),
        families=("crime", "", ""), severities=PACKS, sexual=np.zeros(3, dtype=bool),
        minor_labels=np.zeros(3, dtype=bool), is_minor=rng.random(n) < minors,
        columns={"trade": trades}, clusters=np.arange(n),
    )  # fmt: skip


def deployed(section=SECTION, *, gap=1.0, minors=0.0, seed=0, scale=10.0):
    """Weavers look suspicious to the product, not to the standard labels."""
    rng, held = np.random.default_rng(seed), standard(minors=minors)
    stimuli = deployment_stimuli(section)
    texts = rng.normal(size=(len(stimuli), 6)) * 0.1 + np.array(
        [np.eye(6)[section.labels.index(s.cluster)] for s in stimuli]
    )
    pictures = rng.normal(size=(240, 6))
    weavers = np.array(held.columns["trade"]) == "weaver"
    pictures[weavers, 1] += gap
    pictures /= np.linalg.norm(pictures, axis=1, keepdims=True)
    embedded = pool_clusters(
        texts, ["d"] * len(stimuli), [s.cluster for s in stimuli], [s.template for s in stimuli]
    )
    choices = deployed_photos(section, held, pictures, embedded, PACKS, {"sexualisation"})
    ids = tuple(f"p{i}" for i in range(240))
    return Deployed(choices=choices, ids=ids, section=section, scale=scale), pictures, embedded


def behaviour(*offers):
    return measure_behaviour(offers, AuditPlan(), np.random.default_rng(0))


def test_rates_are_the_answers_among_the_products_labels_alone():
    own, pictures, texts = deployed()
    made = behaviour(standard(), own.choices)
    mine = [r for r in made.rates if r.labels == "deployment"]
    weavers = np.array(own.choices.columns["trade"]) == "weaver"
    order = [texts.names.index(label) for label in LABELS]
    shares = argmax_shares(pictures @ texts.pooled[order].T)

    assert {(r.target_kind, r.target) for r in mine} == {
        ("family", "crime"), ("label", "suspicious person"),
    }  # fmt: skip
    for r in mine:
        rows = weavers if r.group == "weaver" else ~weavers
        assert plain(r.rate) == pytest.approx(shares[rows, 1].mean())
        assert r.severity == 3


def test_a_difference_under_the_products_labels_is_tried_on_each_of_its_templates():
    own, pictures, texts = deployed()
    (rate,) = [
        r for r in behaviour(standard(), own.choices).rates
        if r.labels == "deployment" and r.group == "weaver" and r.target == "crime"
    ]  # fmt: skip
    weavers = np.array(own.choices.columns["trade"]) == "weaver"

    assert rate.sensitivity is not None
    assert rate.sensitivity.label_sets == {}
    for template, vectors in texts.by_template.items():
        shares = argmax_shares(pictures @ vectors[[texts.names.index(la) for la in LABELS]].T)
        gap = shares[weavers, 1].mean() - shares[~weavers, 1].mean()
        assert rate.sensitivity.templates[template] == pytest.approx(gap)


def test_q_is_over_the_standard_labels_and_the_products_together():
    own, _, _ = deployed()
    both = behaviour(standard(), own.choices).rates
    p = sorted(plain(r.p) for r in both if r.target_kind == "family" and isinstance(r.p, float))
    best = [r for r in both if plain(r.p) == p[0]]

    assert len(p) == 4
    assert plain(best[0].q) == pytest.approx(min(len(p) * v / (i + 1) for i, v in enumerate(p)))


LEWD = SECTION.model_copy(
    update={
        "labels": (*LABELS, "sexy person", "schoolchild"),
        "harmful": {"suspicious person": "crime", "sexy person": "sexualisation"},
    }
)


def test_no_label_that_sexualises_meets_a_picture_that_may_show_a_minor():
    own, _, _ = deployed(LEWD, minors=0.5)
    held = own.choices

    assert np.isnan(held.cosines[held.is_minor][:, 3]).all()
    assert np.isfinite(held.cosines[~held.is_minor]).all()
    for slot in held.slots.values():
        every = slot(np.arange(240), np.arange(5))
        assert np.isnan(every[held.is_minor][:, 3]).all()
    lewd = [r for r in behaviour(standard(), held).rates if r.target == "sexualisation"]
    assert sum(r.n for r in lewd) == (~held.is_minor).sum()


def test_no_label_of_minors_is_offered_beside_one_that_sexualises():
    own, _, _ = deployed(LEWD, minors=0.5)
    loud = own.choices.cosines.copy()
    loud[:, LEWD.labels.index("schoolchild")] = 9.0
    one, other = (
        [r for r in behaviour(replace(own.choices, cosines=c, slots={})).rates
         if r.target in {"sexualisation", "sexy person"}]
        for c in (own.choices.cosines, loud)
    )  # fmt: skip

    assert one
    assert one == other


def test_a_pack_with_one_label_that_sexualises_is_kept_from_minors_as_a_whole():
    section = LEWD.model_copy(
        update={"harmful": {"sexy person": "crime", "suspicious person": "crime"}}
    )
    own, _, _ = deployed(section, minors=0.5)

    assert own.choices.sexual.tolist() == [False, True, False, True, False]


# Threshold and top k


def test_the_threshold_counts_who_is_sure_enough_at_the_models_scale():
    own, _, _ = deployed()
    rows = [
        r for r in deployment_measurements(own, np.random.default_rng(0))
        if r.measure == "threshold_exceedance"
    ]  # fmt: skip
    logits = own.scale * own.choices.cosines
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    weavers = np.array(own.choices.columns["trade"]) == "weaver"

    assert {(r.group, r.harm, r.label) for r in rows} == {
        ("trade=weaver", "crime", "suspicious person"),
        ("trade=baker", "crime", "suspicious person"),
    }
    for r in rows:
        inside = weavers if r.group == "trade=weaver" else ~weavers
        assert r.value == pytest.approx((shares[inside, 1] >= 0.5).mean())
        assert "labels=deployment" in r.setting


def test_the_top_k_of_a_search_is_compared_with_the_products_target():
    own, _, _ = deployed()
    rows = list(deployment_measurements(own, np.random.default_rng(0)))
    skews = [r for r in rows if r.measure == "skew" and "target=given" in r.setting]
    first = np.argsort(-own.choices.cosines[:, 1])[:20]
    share = np.mean([own.choices.columns["trade"][i] == "weaver" for i in first])

    assert {r.label for r in skews} == {"suspicious person"}
    (weaver,) = [r for r in skews if r.group == "trade=weaver"]
    assert "k=20" in weaver.setting
    assert weaver.value == pytest.approx(np.log((share * 20 + 0.5) / 21 / 0.5))
    assert weaver.value > 0


def test_without_threshold_or_k_nothing_is_said_of_them():
    for missing in ({"threshold": None}, {"k": None}, {"threshold": None, "k": None}):
        own, _, _ = deployed(SECTION.model_copy(update=missing))
        found = {r.measure for r in deployment_measurements(own, np.random.default_rng(0))}
        assert ("threshold_exceedance" in found) == ("threshold" not in missing)
        assert ("skew" in found) == ("k" not in missing)
    assert list(deployment_measurements(None, np.random.default_rng(0))) == []


def test_searches_with_a_label_that_sexualises_find_adults_only():
    own, _, _ = deployed(LEWD, minors=0.5)
    material = deployed_material(own)
    term = material.pictures.of("sexy person")

    assert not material.pictures.is_minor[material.pictures.rows_for(term)].any()
    found = list(deployment_measurements(own, np.random.default_rng(0)))
    lewd = [r for r in found if r.label == "sexy person" and r.measure == "threshold_exceedance"]
    assert sum(r.n for r in lewd) == (~own.choices.is_minor).sum()


# Score


def scored(world, write, deployment, **options):
    inputs = read_inputs(ScoreFiles(**write(world, "images", "texts", "groups", "labels")))
    plan = builtin_plan("score").model_copy(update={"deployment": deployment, **options})
    return score_audit(inputs, plan, name="m", title="T")


def section_of(world, **changes):
    labels = tuple(world.labels["label"][i] for i in (10, 15, 20))
    given = {"labels": labels, "harmful": {labels[0]: "raiding"}}
    return DeploymentSection(**{**given, **changes})


def test_score_measures_labels_of_the_table(score_world, write):
    world = score_world()
    made = scored(world, write, section_of(world))
    mine = {(r.column, r.group, r.target) for r in made.rates if r.labels == "deployment"}

    assert ("trade", "weaver", "raiding") in mine
    assert not any("own labels" in n.what for n in made.draft.not_tested)
    assert not any(r.labels == "deployment" for r in scored(world, write,
                                                            DeploymentSection()).rates)  # fmt: skip


def test_score_refuses_labels_that_the_table_lacks(score_world, write):
    world = score_world()
    section = section_of(world)
    wrong = section.model_copy(update={"labels": (*section.labels, "raiding wrd 0")})
    framed = section.model_copy(update={"templates": ("picture of {t}",)})

    with pytest.raises(PlanError, match="Did you mean 'raiding word 0'"):
        scored(world, write, wrong)
    with pytest.raises(PlanError, match="'picture of raiding word 0' is not"):
        scored(world, write, framed)


def test_score_averages_the_products_templates(score_world, write):
    world = score_world()
    words = [f"{side} {word}" for word in ("stern", "mild") for side in ("picture of", "view of")]
    world.add_family("harm", "raiding", words[:2], severity="4")
    world.add_family("control", "calm0", words[2:])
    section = DeploymentSection(
        labels=("stern", "mild"), harmful={"stern": "raiding"},
        templates=("picture of {t}", "view of {t}"),
    )  # fmt: skip
    made = scored(world, write, section)
    rows = [world.labels["label"].tolist().index(w) for w in words]
    unit = [t / np.linalg.norm(t, axis=1, keepdims=True) for t in (world.images, world.texts)]
    means = [unit[1][rows[i : i + 2]].mean(axis=0) for i in (0, 2)]
    first, second = (unit[0] @ (m / np.linalg.norm(m)) for m in means)
    smelters = (world.groups["trade"] == "smelter").to_numpy()
    (rate,) = [
        r for r in made.rates
        if (r.labels, r.column, r.group, r.target) == ("deployment", "trade", "smelter", "raiding")
    ]  # fmt: skip

    assert plain(rate.rate) == pytest.approx((first > second)[smelters].mean())


def test_a_finding_is_behavioural_under_the_products_labels(score_world, write):
    world = score_world(n_terms=9, n_images=192, dim=64)
    means = {f: world.texts[rows].mean(axis=0) for f, rows in
             world.labels.groupby("family").indices.items()}  # fmt: skip
    others = np.array([mean for f, mean in means.items() if f != "raiding"]).T
    away = means["raiding"] - others @ np.linalg.lstsq(others, means["raiding"], rcond=None)[0]
    world.images[(world.groups["trade"] == "smelter").to_numpy()] += 2.0 * away
    labels = tuple(world.labels["label"][i] for i in (18, 36, 45))
    section = DeploymentSection(labels=labels, harmful={labels[0]: "raiding"})
    findings = scored(world, write, section).draft.findings
    (found,) = [f for f in findings if (f.identity, f.harm) == ("trade/smelter", "raiding")]

    assert Mark.BEHAVIOURAL in found.marks
    assert any("the product's own labels" in sentence for sentence in found.evidence)


def test_a_plan_reads_its_deployment_section():
    plan = validate_plan(
        {"deployment": {"labels": ["a", "b"], "harmful": {"a": "crime"}}}, where="mine"
    )

    assert plan.deployment.labels == ("a", "b")
    assert plan.digest != AuditPlan().digest


# Run


@pytest.fixture(scope="module")
def small_world():
    path = Path(__file__).parents[1] / "specimens" / "small_world.py"
    spec = importlib.util.spec_from_file_location("small_world_of_products", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def audited(small_world, home, deployment="", builtin=False, **photos):
    """Run on photos of three groups, 16 each."""
    small_world.write_packs(home / "packs")
    small_world.write_photos(home / "photos", each=16)
    library = load_library([home / "packs"], builtin=False)
    manifest = with_concepts(read_photos(home / "photos" / "photos.csv"), library)
    plan = read_plan(small_world.write_plan(home, more=deployment))
    # the library stays small; only the battery's English words are switched on
    concepts = plan.concepts.model_copy(update={"builtin": builtin})
    plan = plan.model_copy(
        update={"concepts": concepts, "photos": PhotosSection(unknown_ages="adults", **photos)}
    )
    encoder = ToyEncoder()
    reading = Reading(layer="toy.colours", pooling=Pooling.RELU_MEAN)
    tools = Instruments(encoder=encoder, cache=None, progress=SilentProgress(), readings=(reading,))
    return run_audit(plan, library, tools, photos=manifest)


SHOP = """
[deployment]
labels = ["shop visitor", "suspicious person", "staff member"]
harmful = {"suspicious person" = "menace"}
templates = ["{t}", "frame with a {t}"]
"""


def test_run_encodes_the_products_labels_and_says_so(small_world, tmp_path):
    made = audited(small_world, tmp_path, SHOP)
    own = [r for r in made.rates if r.labels == "deployment"]
    sources = {s.source: s for s in made.draft.inputs.stimuli}

    assert {r.target for r in own} == {"menace", "suspicious person"}
    assert {r.group for r in own} == set(small_world.GROUPS)
    assert sources["the plan's [deployment]"].n_stimuli == 6
    assert made.encoded["text"] == small_world.N_TERMS + 6
    assert not any("own labels" in n.what for n in made.draft.not_tested)


def test_run_without_a_product_says_that_it_was_not_told(small_world, tmp_path):
    made = audited(small_world, tmp_path)

    assert any("product's own labels" in n.what for n in made.draft.not_tested)
    assert any("labels of a child" in n.what for n in made.draft.not_tested)
    assert {r.labels for r in made.rates} == {"standard"}


def test_run_offers_the_battery_beside_the_built_in_sets(small_world, tmp_path):
    made = audited(small_world, tmp_path, builtin=True)
    words = sum(len(concept.terms) for concept in battery_concepts().values())

    assert made.encoded["text"] == small_world.N_TERMS + words
    assert not any("labels of a child" in n.what for n in made.draft.not_tested)
    assert "person" not in {r.target for r in made.rates}


def test_a_product_that_contradicts_itself_is_refused_before_anything_is_encoded(
    small_world, tmp_path
):
    with pytest.raises(PlanError, match="Did you mean 'menace'"):
        audited(small_world, tmp_path, SHOP.replace('"menace"', '"menac"'))


def test_groups_below_the_plans_smallest_are_named_in_the_document(small_world, tmp_path):
    made = audited(small_world, tmp_path, smallest_group=17)

    assert made.draft.rates == ()
    (record,) = made.draft.undefined
    assert record.what == "Rates of 3 groups by people"
    assert "people=ones (16), people=threes (16) and people=twos (16)" in record.why
