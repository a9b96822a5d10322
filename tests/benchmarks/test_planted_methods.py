import gzip
import importlib
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from audit.evidence import Arm
from audit.selftest.regions import read_regions
from probes.arms import Embeddings, normalise
from probes.errors import MeasureError
from probes.similarity.weat import effect_size

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
sys.path.append(str(ROOT))

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the published data is not present")


def part(name):
    return importlib.import_module(f"benchmarks.planted.methods.{name}")


known, scores, dissect, invert, skew, weat, welch, ours, judged, pages, plot = (
    part(name)
    for name in (
        *("known", "scores", "dissect", "invert", "skew", "weat", "welch", "ours", "judged"),
        *("pages", "plot"),
    )
)
World, Photos = part("world").World, part("world").Photos
METHODS, method, apply = known.METHODS, known.method, scores.apply

DIM, UNITS, PERSONS = 64, 30, 20
GROUPS, HARMS = ("ona", "ilu", "eru"), ("woe", "bane")
CONTROLS = tuple(f"craft{i}" for i in range(26))
LINK, UNIT = ("ilu", "bane"), 11


def plain_world(planted, seed=0, lean=0.9):
    """Terms, photos and units that differ by chance alone, but for one link.

    No group lies nearer to anything than another, so that every method's own null holds.
    """
    rng = np.random.default_rng(seed)
    harms = {h: rng.standard_normal(DIM) / np.sqrt(DIM) for h in (*HARMS, *CONTROLS)}
    groups = {g: rng.standard_normal(DIM) / np.sqrt(DIM) for g in GROUPS}
    rows, names = [], []
    for concept in (*GROUPS, *HARMS, *CONTROLS):
        own = rng.standard_normal((10, DIM)) / np.sqrt(DIM)
        centre = 0.0 if concept in GROUPS else harms[concept]
        if planted and concept == LINK[0]:
            centre = lean * harms[LINK[1]]
        rows.append(own + centre)
        names += [concept] * 10
    texts = Embeddings(
        names=tuple(f"{c}-{i}" for i, c in enumerate(names)),
        concepts=tuple(names),
        pooled=normalise(np.concatenate(rows)),
        by_template={},
    )
    return World(
        name=f"plain-{planted}-{seed}",
        groups=GROUPS,
        harms=HARMS,
        controls=CONTROLS,
        texts=texts,
        photos=plain_photos(rng, harms, groups, planted, lean),
        truth=frozenset([LINK] if planted else []),
        units={LINK: UNIT} if planted else {},
    )


def plain_photos(rng, harms, groups, planted, lean):
    shown = [g for g in GROUPS for _ in range(PERSONS)] + [h for h in harms for _ in range(6)]
    is_group = np.array([s in GROUPS for s in shown])
    embeddings = rng.standard_normal((len(shown), DIM)) / np.sqrt(DIM)
    embeddings += [groups[s] * 0 if s in GROUPS else harms[s] for s in shown]
    responses = rng.standard_normal((len(shown), UNITS))
    readout = rng.standard_normal((UNITS, DIM)) / 40
    if planted:
        embeddings[[s == LINK[0] for s in shown]] += lean * harms[LINK[1]]
        responses[[s in LINK for s in shown], UNIT] += 5
        readout[UNIT] = harms[LINK[1]]
    return Photos(
        groups=tuple(s if g else "" for s, g in zip(shown, is_group, strict=True)),
        badges=tuple("" if g else s for s, g in zip(shown, is_group, strict=True)),
        persons=tuple(f"p{i}" for i in range(len(shown))),
        embeddings=embeddings,
        responses=responses,
        readout=readout,
    )


@pytest.fixture(scope="module")
def plain():
    return plain_world(True)


@pytest.fixture(scope="module")
def twin():
    return plain_world(False)


AT = (GROUPS.index(LINK[0]), HARMS.index(LINK[1]))


@pytest.mark.parametrize("name", [m.name for m in METHODS])
def test_a_planted_link_is_found_and_stands_first_and_its_twin_is_quiet(name, plain, twin):
    found, silent = (apply(method(name), world, 1) for world in (plain, twin))

    assert found.flagged[AT]
    assert np.unravel_index(np.nanargmax(found.values), found.values.shape) == AT
    assert not silent.flagged.any()
    if found.units is not None:
        assert found.place(*AT, UNIT) == 1


@pytest.mark.parametrize("name", [m.name for m in METHODS])
def test_a_method_says_the_same_twice_and_knows_nothing_of_the_truth(name, plain):
    blind = replace(plain, truth=frozenset(), units={})

    first, again = apply(method(name), plain, 1), apply(method(name), blind, 1)

    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.flagged, again.flagged)


def test_where_concepts_differ_for_ordinary_reasons_permuted_labels_flag_twins_and_arms_do_not():
    spec = importlib.import_module("benchmarks.planted.activations.spec").ActivationSpec
    drawing = importlib.import_module("benchmarks.planted.activations.embedded")
    few = drawing.EmbeddingSpec(dimensions=64)
    twins = [drawing.draw_world(spec(seed=s, units=64, planted=False), few) for s in (1, 2)]

    for world in twins:
        assert apply(method("weat-text"), world, 0).flagged.any()
        assert apply(method("t-text"), world, 0).flagged.any()
        assert not apply(method("arms"), world, 0).flagged.any()


def test_the_arms_say_what_the_audit_itself_says(plain):
    # the same contrasts by hand: double difference over the spread of control packs
    rows, columns = (plain.texts.take(plain.texts.of(set(n))) for n in (GROUPS, HARMS + CONTROLS))
    cosines = rows.pooled @ columns.pooled.T
    means = np.array(
        [
            [cosines[np.ix_(rows.of({g}), columns.of({p}))].mean() for p in (*HARMS, *CONTROLS)]
            for g in GROUPS
        ]
    )
    differences = means - (means.sum(axis=0) - means) / 2
    effect = differences[:, :2] - differences[:, 2:].mean(axis=1, keepdims=True)

    arm = ours._arm(plain, "text", rows)
    cells = importlib.import_module("audit.evidence").cells([arm], dict.fromkeys(HARMS, 4))

    assert isinstance(arm, Arm)
    found = {cell.pair: cell.effect for cell in cells}
    for pair, value in zip(plain.pairs, effect.ravel(), strict=True):
        assert found[pair] == pytest.approx(value)


@needs_data
def test_aurocs_of_the_units_of_the_article_come_back():
    home = DATA / "distill-multimodal-neurons" / "regional"
    countries = [
        c["properties"]["name"]
        for c in sorted(
            json.loads((home / "geo.json").read_text())["countries"],
            key=lambda c: c["properties"]["index"],
        )
    ]
    units = [tuple(u) for u in json.loads((home / "units.json").read_text())]
    responses = np.load(home / "country.npy", allow_pickle=False)
    table = read_regions()

    for row in table.rankings:
        labels = np.isin(countries, table.regions[row.region])[:, None]
        area = invert.auroc(responses[[units.index((row.model, row.index))]].T, labels)
        assert area[0, 0] == pytest.approx(row.auroc, abs=0.0005)


def test_areas_and_p_are_those_of_mann_and_whitney_with_ties_too():
    rng = np.random.default_rng(0)
    values = np.round(rng.standard_normal((60, 4)) * 2)
    labels = rng.random((60, 3)) < 0.3

    areas, p = invert.auroc(values, labels), invert.mann_whitney_p(values, labels)

    for unit in range(4):
        for column in range(3):
            shown = labels[:, column]
            test = stats.mannwhitneyu(
                values[shown, unit],
                values[~shown, unit],
                alternative="greater",
                method="asymptotic",
                use_continuity=False,
            )
            size = shown.sum() * (~shown).sum()
            assert areas[unit, column] == pytest.approx(test.statistic / size)
            assert p[unit, column] == pytest.approx(test.pvalue)


def wpmi_of_the_formula(responses, cosines, top):
    """SoftWPMI term by term as the paper's code has it: no published number is within reach."""
    n_units, n_concepts = responses.shape[1], cosines.shape[1]
    s = np.zeros((n_units, n_concepts))
    for unit in range(n_units):
        best = sorted(range(len(responses)), key=lambda i: -responses[i, unit])[:top]
        for concept in range(n_concepts):
            for rank, i in enumerate(best):
                chances = np.exp(10 * cosines[i])
                weight = 0.998 - rank / top * (0.998 - 0.97)
                share = chances[concept] / chances.sum()
                s[unit, concept] += np.log(1 + weight * (share - 1) + 1e-7)
    return s - np.log(np.exp(s).mean(axis=0))


def test_soft_wpmi_is_that_of_the_formula_term_by_term():
    rng = np.random.default_rng(2)
    responses, cosines = rng.standard_normal((40, 5)), rng.uniform(-0.3, 0.6, (40, 4))

    found = dissect.soft_wpmi(responses, cosines, top=12)

    np.testing.assert_allclose(found, wpmi_of_the_formula(responses, cosines, 12), rtol=1e-9)


def test_soft_wpmi_names_a_unit_after_what_its_strongest_pictures_show():
    cosines = np.repeat(np.eye(3) * 0.8, 20, axis=0)
    responses = np.repeat(np.eye(3), 20, axis=0) + np.random.default_rng(0).uniform(0, 0.1, (60, 3))

    found = dissect.soft_wpmi(responses, cosines, top=10)

    assert found.argmax(axis=1).tolist() == [0, 1, 2]


@needs_data
def test_image_association_tests_come_back_with_their_counted_p():
    home = DATA / "ieat"
    tests = pd.read_csv(home / "tests.csv").set_index("test")
    rows = pd.read_csv(home / "published.csv").query("model == 'simclr'").set_index("test")
    archive, counted = np.load(home / "simclr.npz", allow_pickle=False), 0
    for test, row in rows.iterrows():
        sets = [archive[tests.loc[test, s].replace("/", "__")] for s in "XYAB"]
        d, p = weat.weat(*sets, np.random.default_rng(0), max_exact=10_000)
        assert d == pytest.approx(row["d_published"], abs=1e-6)
        if math.comb(len(sets[0]) + len(sets[1]), len(sets[0])) <= 10_000:
            counted += 1
            assert p == pytest.approx(row["p_published"], abs=1e-9)

    assert len(rows) == 39
    assert counted >= 3


@needs_data
@pytest.mark.parametrize(
    ("names", "d"),
    [
        (("flowers", "insects", "pleasant_5", "unpleasant_5a"), 1.5393),
        (("male_names", "female_names", "career", "family"), 1.8899),
        (("math", "arts", "male_terms", "female_terms"), 0.9664),
    ],
)
def test_word_association_tests_come_back(names, d):
    home, vectors = DATA / "weat-word2vec", {}
    with gzip.open(home / "weat_w2v.txt.gz", "rt", encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            word, *values = line.split()
            vectors[word] = np.array(values, dtype=np.float64)
    lists = json.loads((home / "WEAT.json").read_text(encoding="utf-8"))
    sets = [
        np.array([vectors.get(w, vectors.get(w.lower())) for w in lists[n]
                  if w in vectors or w.lower() in vectors])
        for n in names
    ]  # fmt: skip

    found, p = weat.weat(*sets, np.random.default_rng(0))

    assert found == pytest.approx(d, abs=5e-5)
    assert p < 0.05


def skew_of_the_definition(cosines, groups, k):
    """Definition 2 of Geyik et al.; no published table comes with its data."""
    first = np.argsort(-cosines)[:k]
    return [
        np.log(max((groups[first] == g).sum(), 1) / k / (groups == g).mean())
        for g in range(groups.max() + 1)
    ]


def test_skew_is_that_of_the_definition_and_its_p_is_fishers(plain):
    rows = plain.photos.of_people
    groups = np.array([GROUPS.index(plain.photos.groups[i]) for i in rows])
    query = normalise(plain.terms("bane").mean(axis=0)[None])[0]
    cosines = normalise(plain.photos.embeddings[rows]) @ query

    found = apply(method("skew"), plain, 0).values[:, 1]
    counts = skew.counts_at_k(cosines[:, None], groups, 10)[:, 0]

    np.testing.assert_allclose(found, skew_of_the_definition(cosines, groups, 10))
    assert counts.sum() == 10
    inside = counts[AT[0]]
    table = [[inside, 10 - inside], [PERSONS - inside, 2 * PERSONS - 10 + inside]]
    p = stats.fisher_exact(table, alternative="greater").pvalue
    assert skew.hypergeometric_tail(inside, PERSONS, 60, 10).upper == pytest.approx(p)


@needs_data
def test_skew_of_real_faces_is_that_of_the_definition():
    home = DATA / "clip-rn50-fairface2000"
    faces = np.load(home / "image_embeddings.npy", allow_pickle=False).astype(np.float64)
    nouns = pd.read_csv(home / "texts.csv")["noun"].tolist()
    texts = np.load(home / "text_embeddings.npy", allow_pickle=False).astype(np.float64)
    codes = pd.read_csv(home / "images.csv")["race"].astype("category").cat.codes
    groups = codes.to_numpy(dtype=np.intp)
    query = normalise(texts[[nouns.index("body servant")]])
    cosines = normalise(faces) @ query.T

    counts = skew.counts_at_k(cosines, groups, 100)
    found = skew.skew(counts.T, np.bincount(groups), skew.RULE)[0]

    np.testing.assert_allclose(found, skew_of_the_definition(cosines[:, 0], groups, 100))


def test_t_and_p_are_welchs():
    rng = np.random.default_rng(0)
    values, labels = rng.standard_normal((50, 3)), rng.random((50, 2)) < 0.2
    values[labels[:, 0]] *= 3

    t, p = welch.welch(values, labels)

    for outcome in range(3):
        for column in range(2):
            shown = labels[:, column]
            test = stats.ttest_ind(
                values[shown, outcome],
                values[~shown, outcome],
                equal_var=False,
                alternative="greater",
            )
            assert t[outcome, column] == pytest.approx(test.statistic)
            assert p[outcome, column] == pytest.approx(test.pvalue)


def test_the_null_of_control_packs_holds_its_level():
    rng = np.random.default_rng(0)
    drawn = rng.normal(2.0, 3.0, (4_000, 21))

    p = scores.beside_controls(drawn[:, :1], drawn[:, 1:])

    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.012)


def test_few_control_packs_widen_their_null_as_a_prediction_interval_does():
    controls = np.array([[1.0, 2.0, 4.0]])
    t = (9.0 - controls.mean()) / (controls.std(ddof=1) * np.sqrt(4 / 3))

    p = scores.beside_controls(np.array([[9.0]]), controls)

    assert p[0, 0] == pytest.approx(stats.t.sf(t, 2))


def test_a_group_that_differs_the_other_way_is_not_flagged():
    p = np.array([[1e-9, 1e-9]])

    assert scores.flags(p, np.array([[0.3, -0.3]])).tolist() == [[True, False]]
    assert scores.flags(p).all()


def test_the_p_of_a_unit_is_adjusted_for_every_group_as_well_as_for_every_unit(plain):
    photos, rng = plain.photos, np.random.default_rng(3)
    rows = photos.of_people
    shown = np.array([[photos.groups[i] == g for g in GROUPS] for i in rows])
    values = photos.responses[rows]
    alone = [
        ours.step_down_max_t(values, column, rng=rng, draws=ours.UNIT_DRAWS) for column in shown.T
    ]

    found = ours._side(
        photos.responses, rows, photos.groups, photos.persons, GROUPS, np.random.default_rng(3)
    )[1]

    np.testing.assert_allclose(found, np.minimum(1, 3 * np.stack(alone)))


def test_a_place_counts_ties_against_the_unit():
    made = scores.Scores(
        values=np.zeros((1, 1)),
        flagged=np.zeros((1, 1), dtype=bool),
        units=np.array([[[0.5, 0.9, 0.5, np.nan]]]),
    )

    assert [made.place(0, 0, unit) for unit in range(4)] == [3, 1, 3, 4]
    assert replace(made, units=None).place(0, 0, 1) is None


def without(world, **changes):
    return replace(world, photos=replace(world.photos, **changes))


@pytest.mark.parametrize("name", [m.name for m in METHODS if "photos" in m.needs])
def test_a_method_of_photos_says_that_there_are_none(name, plain):
    with pytest.raises(MeasureError, match=r"needs .*photos.*; plain-True-0 has none"):
        apply(method(name), replace(plain, photos=None), 0)


@pytest.mark.parametrize("name", [m.name for m in METHODS if "units" in m.needs])
def test_a_method_of_units_says_that_none_was_read_or_that_none_ever_changes(name, plain):
    blind = without(plain, responses=None, readout=None)
    with pytest.raises(MeasureError, match="needs units; plain-True-0 has none"):
        apply(method(name), blind, 0)

    dead = without(plain, responses=np.ones_like(plain.photos.responses))
    with pytest.raises(MeasureError, match="No unit answers differently"):
        apply(method(name), dead, 0)


def test_units_that_never_change_lead_no_list(plain):
    half = plain.photos.responses.copy()
    half[:, :5] = 1.0
    world = without(plain, responses=half)

    for name in ("max-t", "invert-both", "invert-either", "t-unit", "dissect"):
        found = apply(method(name), world, 0)
        assert found.flagged[AT], name
        assert found.place(*AT, UNIT) == 1, name


def test_arms_refuse_to_decide_from_few_control_packs(plain):
    few = replace(plain, controls=CONTROLS[:10])

    with pytest.raises(MeasureError, match="from 24 control packs; plain-True-0 has 10"):
        apply(method("text"), few, 0)
    with pytest.raises(MeasureError, match="needs 3 at least; got 2"):
        apply(method("dissect"), replace(plain, controls=CONTROLS[:2]), 0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: invert.auroc(np.ones((4, 1)), np.ones((4, 1), bool)), "holds for 4 of 4"),
        (lambda: invert.auroc(np.ones((4, 1)), np.zeros((4, 1), bool)), "holds for 0 of 4"),
        (lambda: invert.auroc(np.ones((4, 1)), np.ones((3, 1), bool)), r"\(4, 1\) and \(3, 1\)"),
        (lambda: dissect.soft_wpmi(np.ones((4, 1)), np.ones((3, 2))), r"\(4, 1\) and \(3, 2\)"),
        (lambda: dissect.soft_wpmi(np.ones((4, 1)), np.ones((4, 2)), top=5), "1 and 4 .*got 5"),
        (
            lambda: weat.weat(*[np.eye(3)[:1]] * 4, np.random.default_rng(0)),
            "got 1 and 1 targets",
        ),
        (lambda: welch.welch(np.ones((4, 1)), np.arange(4)[:, None] < 1), "got 1 on the smallest"),
        (lambda: scores.Scores(values=np.ones((1, 2)), flagged=np.ones((2, 1), bool)), "both be"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_a_sentence(call, said):
    with pytest.raises(MeasureError, match=said):
        call()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: replace(w, groups=("ona",)), "2 groups, 1 harm and 1 control pack"),
        (lambda w: replace(w, harms=("sorrow",)), "'sorrow' has none"),
        (lambda w: replace(w, truth=frozenset([("ona", "craft1")])), "contrasts of the world"),
        (lambda w: replace(w, groups=GROUPS[:2]), "groups of the world; got 'eru'"),
        (lambda w: without(w, persons=("p0",)), "one row of persons per picture"),
        (lambda w: without(w, readout=np.ones((2, 3))), r"shape \(30, 64\)"),
        (
            lambda w: without(w, embeddings=w.photos.embeddings[:, :5], readout=None),
            "5 and 64 dimensions",
        ),
        (
            lambda w: without(w, responses=np.full_like(w.photos.responses, np.nan)),
            "responses must be a table of finite numbers",
        ),
        (lambda w: without(w, badges=("woe",) * len(w.photos.groups)), "'ona' has 0"),
    ],
)
def test_a_world_that_does_not_fit_together_is_refused(change, said, plain):
    with pytest.raises(MeasureError, match=said):
        change(plain)


def test_no_method_is_called_twice_and_an_unknown_one_is_named():
    names = [m.name for m in METHODS]

    assert len(set(names)) == len(names)
    assert known.DECIDING in names
    with pytest.raises(LookupError, match="No method 'guess'; there are arms, text"):
        method("guess")


def results():
    made = []
    for seed in (0, 1):
        for planted in (True, False):
            for lean in (0.3, 0.9):
                world = plain_world(planted, seed, lean)
                made += [
                    judged.judged(
                        method(name),
                        replace(world, name=f"{world.name}-{lean}"),
                        setting="plain",
                        seed=seed,
                        strength=lean,
                        twin=not planted,
                    )
                    for name in ("arms", "t-photo", "invert-both")
                ]
    return made


@pytest.fixture(scope="module")
def stored():
    return results()


def test_a_judged_world_holds_scores_flags_truth_and_the_place_of_the_unit(plain):
    found = judged.judged(method("max-t"), plain, setting="plain", seed=0, strength=0.9, twin=False)

    assert found.pairs[found.planted.index(True)] == LINK
    assert sum(found.planted) == 1
    assert found.flagged[found.planted.index(True)]
    assert found.places == (1,)


def test_the_table_has_a_row_for_every_method_that_was_run(stored):
    made = pages.table(stored, np.random.default_rng(0), middle=0.9)
    rows = [line.split(" | ") for line in made.splitlines()]

    assert [row[0].strip("| *") for row in rows[2:]] == [
        method(name).title for name in ("arms", "invert-both", "t-photo")
    ]
    assert rows[2][1] == "2 of 2 (34 to 100 %)"
    assert len({line.count("|") for line in made.splitlines()}) == 1


def test_the_plot_is_a_drawing_with_words_for_those_who_do_not_see_it(stored):
    made = plot.plot(stored, title="Found & not", across="lean")
    tree = ElementTree.fromstring(made)

    space = "{http://www.w3.org/2000/svg}"
    assert tree.find(f"{space}title").text == "Found & not"
    assert tree.find(f"{space}desc").text.startswith("Found & not. Dots")
    assert len(tree.findall(f"{space}g")) == 3
    assert len(tree.findall(f".//{space}circle")) == 6
    assert "nan" not in made
    assert made.count("alarm in 0 of 4 twins") == 3


def test_a_plot_of_twins_alone_is_refused(stored):
    with pytest.raises(ValueError, match="planted worlds; none came"):
        plot.plot([row for row in stored if row.twin], title="t", across="a")


def test_alarms_in_twins_are_listed_by_name(stored):
    twins = [row for row in stored if row.twin and row.method == "arms"]
    loud = replace(twins[0], flagged=(True, *twins[0].flagged[1:]))

    assert pages.alarms(twins) == "- nothing"
    assert pages.alarms([loud]) == f"- {loud.world}: ona and woe"


def test_a_block_is_replaced_and_a_page_without_markers_is_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n")

    pages.replace_block(page, "x", "new")
    assert page.read_text() == "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nb\n"
    with pytest.raises(ValueError, match="must hold the markers"):
        pages.replace_block(page, "y", "new")
    assert "new" in page.read_text()


def test_d_is_that_of_the_measure_of_the_audit(plain):
    rest = np.concatenate([plain.terms(g) for g in GROUPS if g != "ilu"])
    control = np.concatenate([plain.terms(c) for c in CONTROLS])
    d = effect_size(plain.terms("ilu"), rest, plain.terms("bane"), control)

    assert apply(method("weat-text"), plain, 0).values[AT] == pytest.approx(d)
