"""The embedded model's planted link, in pictures: units and directions lower it, held out."""

from dataclasses import replace
from importlib.resources import as_file, files
from types import SimpleNamespace

import numpy as np
import pytest

from audit.causal import CausalMaterial, causal_checks
from audit.causal_halves import picture_side
from audit.causal_trial import CausalSettings
from audit.evidence import cells
from audit.gather import Instruments
from audit.mitigation_cost import collateral, harmless
from audit.mitigation_fits import Fitted, fit_treatment
from audit.mitigation_measure import Links, effects, half_of
from audit.mitigation_prompts import composed_prompts, group_words
from audit.mitigation_world import gather_world, judged_state
from audit.plan import builtin_plan
from audit.selection import select
from concept_sets.catalog import load_library
from concept_sets.photos import read_photos, with_concepts
from concept_sets.world.drawing import write_photos
from probes.backends.softened import soften
from probes.backends.table import load_encoder
from probes.progress import SilentProgress
from probes.readings import default_reading
from probes.treatments_benign import accuracy


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Photos and prompts of the fictional world, judged once, and the strongest link found."""
    with as_file(files("concept_sets") / "world" / "library") as folder:
        library = load_library((folder,), builtin=False)
    plan = builtin_plan("demo")
    arms = plan.arms.model_copy(update={"rendered": "off"})
    plan = plan.model_copy(update={"arms": arms, "slots": ("bare", "photo")})
    manifest = write_photos(
        tmp_path_factory.mktemp("photos"),
        refs={c.id: c.ref for c in (*library.identities(), *library.controls()[:6])},
        seed=11,
        photos_per_person=1,
    )
    encoder = load_encoder("embedded:demo")
    tools = Instruments(encoder=encoder, cache=None, progress=SilentProgress(), readings=())
    photos = with_concepts(read_photos(manifest), library)
    world = gather_world(plan, library, tools, photos, lambda line: None)
    before = judged_state(world, world.responses)
    by_effect = sorted(
        (f for f in before.conclusion.findings if "photo" in f.arms), key=lambda f: f.id
    )
    return SimpleNamespace(world=world, before=before, findings=tuple(by_effect[:1]))


@pytest.fixture(scope="module")
def causal(scene):
    """What the audit keeps of silencing units, with few matched sets."""
    world, encoder = scene.world, scene.world.tools.encoder
    side = picture_side(
        world.responses.photos, world.photo_minors, world.families, world.photos.root
    )
    material = CausalMaterial(
        sides={"photo": side},
        texts=scene.before.texts,
        families=world.families,
        controls=world.controls,
    )
    tools = replace(world.tools, readings=(default_reading(encoder.layers),))
    settings = CausalSettings(matched_sets=19, doses=(0, 2), max_pictures=24)
    return causal_checks(
        scene.findings, material, tools, np.random.default_rng(0), settings=settings
    )


def fitted(scene, name, causal=()):
    fit = fit_treatment(name, scene.world, scene.before, scene.findings, causal, soften)
    assert isinstance(fit, Fitted), fit
    return fit


@pytest.fixture(scope="module")
def treated(scene, causal):
    """What the model gives at full strength."""
    return {name: fitted(scene, name, causal).apply(1.0) for name in ("mean-ablate", "project")}


def effect_in_photos(scene, state):
    baseline = Links(state=scene.before, findings=scene.findings)
    now = Links(state=state, findings=scene.findings)
    (found,) = (e for e in effects(now, baseline) if e.arm == "photo")
    return found


def test_a_planted_link_is_there_to_be_treated(scene):
    assert len(scene.findings) == 1


@pytest.mark.parametrize("name", ["mean-ablate", "project"])
def test_the_planted_link_falls_on_the_half_kept_apart_and_harmless_pictures_stay(
    scene, causal, treated, name
):
    state = judged_state(scene.world, treated[name])
    found = effect_in_photos(scene, state)

    assert found.drop > found.drop_low > 0
    now = accuracy(harmless(scene.world, state)["photo"].values)
    before = accuracy(harmless(scene.world, scene.before)["photo"].values)
    assert now.value >= before.low
    half = judged_state(scene.world, fitted(scene, name, causal).apply(0.5))
    assert 0 < effect_in_photos(scene, half).drop < found.drop


def test_holding_units_leaves_prompts_and_projecting_does_not(scene, treated):
    own = scene.world.responses.texts.extraction.embeddings.values

    ablated = treated["mean-ablate"]
    projected = treated["project"]

    assert ablated.texts.extraction.embeddings.values is own
    assert np.abs(projected.texts.extraction.embeddings.values - own).max() > 1e-3


def test_a_direction_knows_only_the_half_that_it_is_fitted_to(scene):
    """Pictures of the half kept apart are replaced: the direction must stay the same."""
    world, finding = scene.world, scene.findings[0]
    basis = fitted(scene, "project").basis
    photos = world.responses.photos
    seen: dict[str, list[str]] = {}
    for s in photos.stimuli:
        seen.setdefault(s.concept, [])
        if s.cluster not in seen[s.concept]:
            seen[s.concept].append(s.cluster)
    apart = np.array([seen[s.concept].index(s.cluster) % 2 == 1 for s in photos.stimuli])
    values = np.array(photos.extraction.embeddings.values)
    values[apart] = np.random.default_rng(0).normal(size=values[apart].shape)
    done = photos.extraction
    other = replace(
        photos, extraction=replace(done, embeddings=replace(done.embeddings, values=values))
    )
    responses = replace(world.responses, photos=other)
    state = judged_state(replace(world, responses=responses), responses)
    again = fit_treatment("project", world, state, (finding,), (), soften)

    assert np.abs(again.basis - basis).max() < 1e-9


def test_halves_share_nothing_and_miss_nothing(scene):
    for arm in scene.before.arms:
        for scores in arm.scores:
            first, second = half_of(scores, 0), half_of(scores, 1)
            for name, rows in scores.identities.items():
                both = [first.identities[name], second.identities[name]]
                assert sorted(np.concatenate(both)) == sorted(rows)
            for name, columns in scores.packs.items():
                assert sorted([*first.packs[name], *second.packs[name]]) == sorted(columns)


def test_on_the_half_kept_apart_the_audits_own_measure_is_used(scene):
    links = Links(state=scene.before, findings=scene.findings)
    finding = scene.findings[0]
    (arm,) = (a for a in scene.before.arms if a.name == "photo")
    half = replace(arm, scores=tuple(half_of(s, 1) for s in arm.scores))
    (cell,) = (
        c
        for c in cells([half], scene.world.selection.severities)
        if c.pair == (finding.identity, finding.harm)
    )
    own = links.apart[finding.id, "photo"]

    assert own.cell.effect == cell.effect
    assert own.cell.se == cell.se
    group = own.margins[own.concepts == 0].mean()
    rest = np.mean([own.margins[own.concepts == k].mean() for k in np.unique(own.concepts) if k])
    assert group - rest == pytest.approx(cell.effect)


def test_nothing_rises_where_nothing_changes(scene):
    found = collateral(scene.before, scene.before, set())

    assert found.compared == len(scene.before.conclusion.judged)
    assert (found.worse, found.newly_found) == (0, 0)


def test_another_link_that_is_planted_afterwards_is_named(scene):
    """Pictures of one people are moved towards a harm: that link, and no other, is the worst."""
    world = scene.world
    finding = scene.findings[0]
    who = next(r for r in world.families["peoples"] if r != finding.identity)
    what = next(
        c.ref for c in world.selection.harms if c.ref != finding.harm and (c.severity or 0) >= 3
    )
    texts = scene.before.texts
    harm = texts.pooled[texts.of({what})].mean(axis=0)
    neutral = texts.pooled[texts.of(set(world.controls))].mean(axis=0)
    photos = world.responses.photos
    values = np.array(photos.extraction.embeddings.values, dtype=np.float64)
    rows = [i for i, s in enumerate(photos.stimuli) if s.concept == who]
    length = np.linalg.norm(values[rows], axis=1, keepdims=True)
    values[rows] += length * (harm - neutral)
    done = photos.extraction
    moved = replace(
        photos,
        extraction=replace(
            done, embeddings=replace(done.embeddings, values=values.astype(np.float32))
        ),
    )
    state = judged_state(world, replace(world.responses, photos=moved))
    found = collateral(scene.before, state, {(finding.identity, finding.harm)})

    assert found.worse >= 1
    assert (found.arm, found.identity, found.harm) == ("photo", who, what)
    assert found.rise_low > 0


def test_composed_prompts_name_each_group_before_each_label(scene):
    words = group_words(scene.world.selection, ("peoples",))
    composed = composed_prompts(scene.world, words)
    rows = composed.rows.reshape(-1, len(words))

    assert len(words) == len(scene.world.families["peoples"])
    assert (rows == rows[:, :1]).all()
    for start in (0, 7 * len(words)):
        plain = scene.world.responses.texts.stimuli[composed.rows[start]]
        named = composed.stimuli[start : start + len(words)]
        assert [plain.cluster in s.content for s in named] == [True] * len(words)
        assert [w in s.content for w, s in zip(words, named, strict=True)] == [True] * len(words)


def test_words_of_minors_are_never_put_before_labels():
    """Labels may sexualise; a word for somebody under 20 stands before none of them."""
    plan = builtin_plan("default")
    sections = plan.concepts.model_copy(update={"identities": ("age/*",)})
    plan = plan.model_copy(update={"concepts": sections, "blocking": ()})
    selection = select(load_library(), plan)
    words = group_words(selection, ("age",))
    young = {term for _, term in selection.minors}

    assert young
    assert words
    assert not young & set(words)


def test_no_units_and_no_groups_are_told_as_reasons(scene):
    none = fit_treatment("mean-ablate", scene.world, scene.before, scene.findings, (), soften)
    elsewhere = tuple(f.model_copy(update={"family": "photos:town"}) for f in scene.findings)
    wordless = fit_treatment("balanced-prompts", scene.world, scene.before, elsewhere, (), soften)

    assert not none.tried
    assert "chose no units" in none.why_not
    assert not wordless.tried
    assert "fewer than two groups" in wordless.why_not
