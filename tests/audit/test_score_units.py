"""``score`` on unit responses from any other runtime: read alike, and told as by ``run``."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from scipy import stats
from sklearn.metrics import roc_auc_score

from audit.cli.main import main
from audit.errors import ScoreInputError
from audit.plan import builtin_plan, validate_plan
from audit.results import read_result
from audit.score import score_audit
from audit.score_arrays import read_array
from audit.score_files import ScoreFiles
from audit.score_inputs import read_inputs
from audit.selftest.regions import read_regions

LAYER = "visual.layer4.2"
SPEC = f"{LAYER}:preact-max"
N_UNITS, DIM = 8, 64
PLAN = builtin_plan("score")
NO_PROBES = validate_plan({"probes": {"roles": []}}, where="here")
FEW_PROBES = validate_plan({"probes": {"lambdas": 4, "folds": 3}}, where="here")
DATA = Path(__file__).parents[3] / "shared" / "data" / "distill-multimodal-neurons"


@pytest.fixture
def linked(score_world):
    """Pictures made of eight units, of which 5 answers to smelters and serves raiding, and 2 to
    smelters alone."""
    world = score_world(n_terms=9, n_images=192, dim=DIM)
    rng = np.random.default_rng(3)
    units = rng.normal(size=(192, N_UNITS)).astype(np.float32)
    smelters = (world.groups["trade"] == "smelter").to_numpy()
    units[smelters, 5] += 3
    units[smelters, 2] += 2
    means = {f: world.texts[rows].mean(axis=0) for f, rows in
             world.labels.groupby("family").indices.items()}  # fmt: skip
    others = np.array([mean for family, mean in means.items() if family != "raiding"]).T
    towards = means["raiding"] - others @ np.linalg.lstsq(others, means["raiding"], rcond=None)[0]
    readout = rng.normal(size=(N_UNITS, DIM)) * 0.05
    readout[5] = towards
    readout[2] = 0
    world.images = world.images * 0.5 + units @ readout
    world.units, world.readout = units, readout.astype(np.float32)
    return world


@pytest.fixture
def files(write, tmp_path):
    """A function that writes a world with its units in one form, and returns its paths."""

    def put(world, *wanted, form="npy", readout=False):
        paths = write(world, *wanted)
        spec = FORMS[form](tmp_path, world.units, list(world.groups["id"]))
        given = {**paths, "units": (f"{SPEC}={spec}",)}
        if readout:
            np.save(tmp_path / "readout.npy", world.readout)
            given["readouts"] = (f"{LAYER}={tmp_path / 'readout.npy'}",)
        return ScoreFiles(**given)

    return put


def table(values, ids):
    frame = pd.DataFrame(np.asarray(values), columns=[str(i) for i in range(values.shape[1])])
    frame.insert(0, "id", ids)
    return frame


def as_npz(home, values, ids):
    np.savez(home / "units.npz", deep=values[::-1], ids=np.array(ids[::-1]))
    return f"{home / 'units.npz'}::deep"


def as_npy(home, values, ids):
    np.save(home / "units.npy", values)
    return str(home / "units.npy")


def as_safetensors(home, values, ids):
    told = {"ids": json.dumps(ids[::-1])}
    save_file({"deep": np.ascontiguousarray(values[::-1])}, home / "u.safetensors", told)
    return f"{home / 'u.safetensors'}::deep"


def as_csv(home, values, ids):
    frame = table(values, ids).sample(frac=1, random_state=1)
    frame[["3", "id", *(str(i) for i in range(values.shape[1]) if i != 3)]].to_csv(
        home / "units.csv.gz", index=False
    )
    return str(home / "units.csv.gz")


def as_parquet(home, values, ids):
    table(values, ids).sample(frac=1, random_state=2).to_parquet(home / "u.parquet", index=False)
    return str(home / "u.parquet")


FORMS = {"npy": as_npy, "npz": as_npz, "safetensors": as_safetensors, "csv": as_csv,
         "parquet": as_parquet}  # fmt: skip


# Forms


@pytest.mark.parametrize("form", FORMS)
def test_every_form_and_order_of_rows_gives_the_same_units(form, linked, files):
    (units,) = read_inputs(files(linked, "groups", form=form)).units

    assert (units.reading.layer, units.reading.pooling.value) == (LAYER, "preact-max")
    assert units.values.dtype == np.float32
    np.testing.assert_allclose(units.values, linked.units, rtol=1e-6)
    assert units.readout is None


def test_units_follow_the_images_of_the_scores(linked, files, tmp_path):
    """Scores may be of some of the images, in another order."""
    given = files(linked, "groups", "labels", form="npz")
    scores = linked.scores.iloc[[70, 3, 12]]
    scores.to_csv(tmp_path / "scores.csv", index=False)
    inputs = read_inputs(
        ScoreFiles(
            scores=str(tmp_path / "scores.csv"), groups=given.groups, labels=given.labels,
            units=given.units,
        )
    )  # fmt: skip

    np.testing.assert_array_equal(inputs.units[0].values, linked.units[[70, 3, 12]])


def test_embeddings_are_read_from_safetensors_too(tmp_path):
    save_file({"a": np.eye(3, dtype=np.float16)}, tmp_path / "e.safetensors")

    np.testing.assert_array_equal(read_array(f"{tmp_path / 'e.safetensors'}::a", "x"), np.eye(3))


def test_several_layers_and_poolings_are_told_apart_and_digested(linked, files, tmp_path):
    given = files(linked, "groups", form="npz")
    np.save(tmp_path / "other.npy", linked.units[:, :3])
    path = given.units[0].partition("=")[2]
    inputs = read_inputs(
        ScoreFiles(
            groups=given.groups,
            units=(
                f"{LAYER}:preact-max={path}",
                f"{LAYER}:preact-mean={path}",
                f"blocks.11.mlp:cls={tmp_path / 'other.npy'}",
            ),
        )
    )
    draft = score_audit(inputs, NO_PROBES, name="m", title="T").draft

    layers = [(r.name, r.pooling, r.n_units) for r in draft.model.layers]
    assert layers == [
        (LAYER, "preact-max", 8), (LAYER, "preact-mean", 8), ("blocks.11.mlp", "cls", 3),
    ]  # fmt: skip
    assert {"--units units.npz", "--units other.npy"} <= set(draft.inputs.files)


# Refusals


def put(spec, path="units.npy", **more):
    """Return a change of the specification; {} stands for the folder."""
    return lambda world, home: {"units": (f"{spec}={home / path}",), **more}


def values(change, form=as_npz):
    def make(world, home):
        array, ids = change(world.units.copy(), list(world.groups["id"]))
        return {"units": (f"{SPEC}={form(home, array, ids)}",)}

    return make


def cell(value):
    def change(array, ids):
        array[4, 3] = value
        return array, ids

    return change


def columns(names):
    def make(world, home):
        frame = table(world.units, list(world.groups["id"])).set_axis(["id", *names], axis=1)
        frame.to_csv(home / "u.csv", index=False)
        return {"units": (f"{SPEC}={home / 'u.csv'}",)}

    return make


def unnamed(world, home):
    frame = table(world.units, list(world.groups["id"])).rename(columns={"id": "image"})
    frame.to_csv(home / "u.csv", index=False)
    return {"units": (f"{SPEC}={home / 'u.csv'}",)}


def readout(array, layer=LAYER, **more):
    def make(world, home):
        np.save(home / "readout.npy", array(world) if callable(array) else array)
        return {"readouts": (f"{layer}={home / 'readout.npy'}",), **more}

    return make


def twice(world, home):
    path = as_npy(home, world.units, [])
    return {"units": (f"{SPEC}={path}", f"{SPEC}={path}")}


def two_widths(world, home):
    path = as_npy(home, world.units, [])
    np.save(home / "narrow.npy", world.units[:, :5])
    return {"units": (f"{SPEC}={path}", f"{LAYER}:preact-mean={home / 'narrow.npy'}")}


def archive(home, told):
    save_file({"deep": np.zeros((192, 3), np.float32)}, home / "s.safetensors", told)
    return {"units": (f"{SPEC}={home / 's.safetensors'}::deep",)}


def garbage(name):
    def make(world, home):
        (home / name).write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}junk!")
        return {"units": (f"{SPEC}={home / name}::deep",)}

    return make


def without(name):
    return lambda world, home: {name: ""}


REFUSALS = {
    "no pooling": (put("visual"), "LAYER:POOLING=PATH, .*got 'visual="),
    "no path": (lambda w, h: {"units": (SPEC,)}, "LAYER:POOLING=PATH, .*got 'visual"),
    "pooling": (put("visual:preact-maks"), "one of preact-max, .*Did you mean 'preact-max'"),
    "layer twice": (twice, "once; visual.layer4.2:preact-max stands twice"),
    "widths of one layer": (two_widths, "has 5 of visual.layer4.2 and preact-max has 8"),
    "ending": (put(SPEC, "units.json"), "must end in .csv, .gz, .npy"),
    "no file": (put(SPEC, "gone.npy"), "gone.npy gave: No such file"),
    "no tensors": (put(SPEC, "gone.safetensors::a"), "gone.safetensors gave: No such file"),
    "no key": (lambda w, h: {"units": (f"{SPEC}={as_npz(h, w.units, list(w.groups['id']))}r",)},
               "got 'deepr', it has deep, ids. Did you mean 'deep'"),
    "no tensor": (lambda w, h: {"units": (archive(h, {})["units"][0] + "r",)},
                  "got 'deepr', it has deep"),
    "damaged tensors": (garbage("g.safetensors"), "g.safetensors::deep is damaged"),
    "damaged archive": (garbage("g.npz"), "g.npz is not, or holds Python objects"),
    "ids that are no list": (lambda w, h: archive(h, {"ids": "p1,p2"}), "JSON list in .*'ids'"),
    "too few ids": (lambda w, h: archive(h, {"ids": '["p1"]'}), "has 192 rows and 1 'ids'"),
    "missing id": (values(lambda a, i: (a[:-3], i[:-3])), "lacks 3 of 192, the first is 'p189'"),
    "unknown id": (values(lambda a, i: (a, [*i[:-1], "p999"])), "has 1 that are not, .*'p999'"),
    "id twice": (values(lambda a, i: (a, [*i[:-1], "p0"])), "repeats 'p0'"),
    "id twice in a table": (values(lambda a, i: (a, [*i[:-1], "p0"]), as_parquet), "repeats 'p0'"),
    "empty id": (values(lambda a, i: (a, ["", *i[1:]])), "has none in row 192"),
    "rows without ids": (values(lambda a, i: (a[:7], i), as_npy),
                         "has 7 rows and --groups has 192"),
    "NaN": (values(cell(np.nan)), "NaN or infinity in 1 rows"),
    "NaN in a table": (values(cell(np.nan), as_parquet), "image 'p4', unit 3 is not"),
    "infinity in a table": (values(cell(np.inf), as_csv), "image 'p4', unit 3 is not"),
    "too large": (values(lambda a, i: (a.astype(np.float64) * 1e300, i)),
                  "single precision"),
    "a gap": (columns(["0", "1", "2", "3", "4", "5", "6", "8"]), "has '8' and lacks '7'"),
    "names": (columns([f"u{i}" for i in range(8)]), "has 'u0' and lacks '0'"),
    "no id": (unnamed, "must have a column 'id'; .* has image, 0, 1"),
    "no groups": (without("groups"), "--images needs --groups"),
    "read-out without texts": (readout(lambda w: w.readout, texts="", labels=""),
                               "--readout needs --texts as well, which tells where"),
    "read-out without units": (readout(lambda w: w.readout, units=()), "--readout needs --units"),
    "read-out of another layer": (readout(lambda w: w.readout, "visual.layer4.1"),
                                  "got 'visual.layer4.1=.*Did you mean 'visual.layer4.2'"),
    "read-out turned": (readout(lambda w: w.readout.T),
                        r"--texts, \(8, 64\); .* has \(64, 8\). Transpose"),
    "read-out of another model": (readout(np.zeros((8, 5))), r"has \(8, 5\)"),
    "NaN in a read-out": (readout(np.full((8, DIM), np.nan)), "--readout must be finite"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("what", REFUSALS)
def test_what_cannot_be_used_is_refused_in_one_sentence(what, linked, write, tmp_path):
    change, words = REFUSALS[what]
    paths = write(linked, "images", "texts", "groups", "labels")
    default = {"units": (f"{SPEC}={as_npy(tmp_path, linked.units, [])}",)}
    with pytest.raises(ScoreInputError) as caught:
        read_inputs(ScoreFiles(**{**paths, **default, **change(linked, tmp_path)}))

    assert re.search(words, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


# The atlas


def rows_of(scored):
    frames = list(scored.atlas.frames())
    return pd.concat(frames) if frames else pd.DataFrame()


def test_units_alone_are_related_to_every_group_and_nothing_is_judged(linked, files):
    scored = score_audit(read_inputs(files(linked, "groups")), NO_PROBES, name="m", title="T")
    rows = rows_of(scored)

    assert len(rows) == 4 * N_UNITS * (3 + 2 + 3)
    assert set(rows["arm"]) == {"photo"}
    assert set(rows["layer"]) == {LAYER}
    assert scored.draft.findings == ()
    untested = " ".join(f"{n.what}: {n.why}." for n in scored.draft.not_tested)
    assert "Neurons, probes" not in untested
    assert "Which units carry an association: no read-out" in untested


def test_numbers_are_those_of_scipy_and_scikit_learn_on_cluster_means(linked, files):
    linked.groups["cluster"] = [
        f"{town}{trade}{i // 12}"
        for i, (town, trade) in enumerate(
            zip(linked.groups["town"], linked.groups["trade"], strict=True)
        )
    ]
    linked.groups = linked.groups.drop(columns="age")
    scored = score_audit(read_inputs(files(linked, "groups")), NO_PROBES, name="m", title="T")
    found = {(r.measure, r.concept, r.unit): r for r in rows_of(scored).itertuples()}
    means = pd.DataFrame(linked.units).groupby(linked.groups["cluster"].to_numpy()).mean()
    trade = linked.groups.groupby("cluster")["trade"].first()
    smelts = (trade[means.index] == "smelter").to_numpy()

    for unit in range(N_UNITS):
        row = found["correlation", "trade/smelter", unit]
        assert row.value == pytest.approx(stats.pearsonr(means[unit], smelts).statistic, rel=1e-5)
        area = roc_auc_score(smelts, means[unit])
        assert found["auroc", "trade/smelter", unit].value == pytest.approx(area, rel=1e-6)
        assert (row.n, row.clusters) == (192, len(means))


def test_a_picture_without_a_value_has_no_part_in_its_column(linked, files):
    linked.groups.loc[:99, "town"] = ""
    scored = score_audit(read_inputs(files(linked, "groups")), NO_PROBES, name="m", title="T")
    rows = rows_of(scored)

    assert set(rows.loc[rows["concept"].str.startswith("town/"), "n"]) == {92}
    assert set(rows.loc[rows["concept"].str.startswith("trade/"), "n"]) == {192}


def test_a_column_with_one_value_has_no_units(linked, files):
    linked.groups["town"] = "Ard"
    linked.groups["trade"] = "trade"
    linked.groups.loc[:50, "trade"] = "other"
    scored = score_audit(read_inputs(files(linked, "groups")), NO_PROBES, name="m", title="T")

    assert {c.partition("/")[0] for c in rows_of(scored)["concept"]} == {"trade", "age"}


def test_minors_never_meet_a_concept_that_sexualises(linked, files):
    linked.groups["look"] = ["seductive" if i % 2 else "plain" for i in range(192)]
    inputs = read_inputs(files(linked, "groups"))
    rows = rows_of(score_audit(inputs, NO_PROBES, name="m", title="T"))
    adults = int((~inputs.is_minor).sum())

    assert 0 < adults < 192
    assert set(rows.loc[rows["concept"] == "look/seductive", "n"]) == {adults}
    assert set(rows.loc[rows["concept"] == "look/plain", "n"]) == {192}


def test_a_cluster_in_two_groups_is_refused(linked, files):
    linked.groups["cluster"] = [f"c{i // 2}" for i in range(192)]
    inputs = read_inputs(files(linked, "groups"))

    with pytest.raises(ScoreInputError, match="must lie in one group of a column"):
        score_audit(inputs, NO_PROBES, name="m", title="T")


def test_units_change_no_verdict(linked, files, write):
    sides = ("images", "texts", "groups", "labels")
    bare = score_audit(
        read_inputs(ScoreFiles(**write(linked, *sides))), PLAN, name="m", title="T"
    ).draft
    with_them = score_audit(
        read_inputs(files(linked, *sides, readout=True)), FEW_PROBES.model_copy(
            update={"blocking": PLAN.blocking, "seed": PLAN.seed}), name="m", title="T",
    ).draft  # fmt: skip

    assert [c.model_dump() for c in with_them.contrasts] == [c.model_dump() for c in bare.contrasts]
    assert bare.probes == ()
    assert len(with_them.probes) == 3 + 2 + 3


# Units of a finding


@pytest.fixture
def found(linked, files):
    given = files(linked, "images", "texts", "groups", "labels", form="safetensors", readout=True)
    return linked, score_audit(
        read_inputs(given), FEW_PROBES.model_copy(update={"blocking": PLAN.blocking}),
        name="m", title="T",
    ).draft  # fmt: skip


def test_the_unit_that_serves_a_found_link_leads_its_units_with_its_own_arithmetic(found):
    world, draft = found
    (finding,) = [f for f in draft.findings if (f.identity, f.harm) == ("trade/smelter", "raiding")]
    first, *rest = finding.units
    smelters = (world.groups["trade"] == "smelter").to_numpy()
    unit = world.readout / 1.0
    words = world.texts / np.linalg.norm(world.texts, axis=1, keepdims=True)

    def pack(family):
        return words[world.labels["family"] == family].mean(axis=0)

    controls = [pack(f) for f in dict.fromkeys(world.labels["family"]) if f.startswith("calm")]
    weight = unit @ (pack("raiding") - np.mean(controls, axis=0))
    gap = world.units[smelters].mean(axis=0) - world.units[~smelters].mean(axis=0)
    assert (first.layer, first.pooling, first.unit) == (LAYER, "preact-max", 5)
    assert first.double_difference == pytest.approx(gap[5], rel=1e-4)
    assert first.weight == pytest.approx(weight[5], rel=1e-4)
    assert first.contribution == pytest.approx(gap[5] * weight[5], rel=1e-4)
    assert all(first.contribution > 3 * abs(one.contribution) for one in rest)
    assert "Ranked on photos" in finding.units_note


def test_probes_find_the_units_that_answer_to_a_group(found):
    _, draft = found
    (probe,) = [p for p in draft.probes if p.concept == "trade/smelter"]
    (finding,) = [f for f in draft.findings if (f.identity, f.harm) == ("trade/smelter", "raiding")]

    assert {unit for unit, _ in probe.units[:2]} == {2, 5}
    assert probe.low > 0.9
    assert probe in finding.probes


def test_without_a_read_out_a_finding_says_so(linked, files):
    given = files(linked, "images", "texts", "groups", "labels")
    plan = NO_PROBES.model_copy(update={"blocking": PLAN.blocking})
    draft = score_audit(read_inputs(given), plan, name="m", title="T").draft

    assert draft.findings
    assert {f.units for f in draft.findings} == {()}
    assert all("--readout" in f.units_note for f in draft.findings)


def test_a_group_of_words_that_no_picture_shows_has_no_units(linked, files):
    """Only the texts tie crafts/weavers to a harm."""
    raiding = (linked.labels["family"] == "raiding").to_numpy()
    weavers = (linked.labels["concept"] == "weavers").to_numpy()
    linked.texts[weavers] += 4 * linked.texts[raiding].mean(axis=0)
    given = files(linked, "images", "texts", "groups", "labels", readout=True)
    plan = NO_PROBES.model_copy(update={"blocking": PLAN.blocking})
    draft = score_audit(read_inputs(given), plan, name="m", title="T").draft
    words = [f for f in draft.findings if f.identity == "crafts/weavers"]

    assert words
    assert all(f.units == () and "No picture" in f.units_note for f in words)


# The command


def test_the_unit_command_answers_on_a_scored_audit(linked, files, tmp_path, capsys):
    given = files(linked, "images", "texts", "groups", "labels", form="parquet", readout=True)
    plan = tmp_path / "plan.toml"
    plan.write_text(
        'schema_version = 1\nname = "few"\n[probes]\nlambdas = 4\nfolds = 3\n'
        '[[blocking]]\nidentities = ["trade/*"]\nharms = ["raiding"]\n'
    )
    words = [f"--{name}={getattr(given, name)}" for name in ("images", "texts", "groups", "labels")]
    words += [f"--units={given.units[0]}", f"--readout={given.readouts[0]}"]
    words += [f"--plan={plan}", f"--out={tmp_path / 'out'}", "--format=json"]

    assert ended(["score", *words]) == 0
    (path,) = (tmp_path / "out").rglob("result.json")
    result = read_result(path)
    capsys.readouterr()
    assert ended(["unit", str(path.parent), f"{LAYER}:5", "--format", "json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert ended(["unit", str(path.parent), "--concept", "smelter", "--format", "json"]) == 0
    search = json.loads(capsys.readouterr().out)

    assert [layer.name for layer in result.model.layers] == [LAYER]
    assert "probe_auroc" in set(pd.read_parquet(path.parent / "measurements.parquet")["measure"])
    (answer,) = page["answers"]
    assert answer["strongest"][0]["concept"] == "trade/smelter"
    assert (page["findings"][0]["place"], page["findings"][0]["of"]) == (1, N_UNITS)
    assert page["probes"][0]["concept"] in {"trade/smelter", "trade/weaver"}
    assert {entry["unit"] for entry in search["units"][0]["strongest"][:2]} == {2, 5}
    assert ended(["verify", str(path.parent)]) == 0


def test_the_command_refuses_units_with_one_sentence(linked, files, tmp_path, capsys):
    given = files(linked, "groups")

    code = ended(["score", f"--groups={given.groups}", f"--units=visual={given.groups}",
                  f"--out={tmp_path / 'out'}"])  # fmt: skip

    error = capsys.readouterr().err
    assert code == 2
    assert "LAYER:POOLING=PATH" in error
    assert "Traceback" not in error


def ended(words):
    with pytest.raises(SystemExit) as end:
        main(words)
    return end.value.code or 0


# Published responses


@pytest.mark.skipif(not DATA.is_dir(), reason="the published data is not present")
def test_published_region_rankings_come_out_of_the_atlas(tmp_path):
    """Responses of 66 units of the article to 175 countries, with regions as groups."""
    regional, regions = DATA / "regional", read_regions()
    listed = json.loads((regional / "geo.json").read_text())["countries"]
    ordered = sorted((c["properties"] for c in listed), key=lambda one: one["index"])
    countries = [one["name"] for one in ordered]
    region_of = {c: name for name, members in regions.regions.items() for c in members}
    pd.DataFrame(
        {"id": countries, "region": [region_of.get(c, "elsewhere") for c in countries]}
    ).to_csv(tmp_path / "groups.csv", index=False)
    np.savez(tmp_path / "u.npz", units=np.load(regional / "country.npy").T, ids=np.array(countries))
    spec = f"final:relu-mean={tmp_path / 'u.npz'}::units"

    inputs = read_inputs(ScoreFiles(groups=str(tmp_path / "groups.csv"), units=(spec,)))
    rows = rows_of(score_audit(inputs, NO_PROBES, name="published", title="T"))

    units = [tuple(unit) for unit in json.loads((regional / "units.json").read_text())]
    found = rows.set_index(["measure", "concept", "unit"])["value"]
    for row in regions.rankings:
        at = (f"region/{row.region}", units.index((row.model, row.index)))
        share = len(regions.regions[row.region]) / len(countries)
        assert round(found["auroc", *at], 3) == row.auroc
        assert round(found["ap_lift", *at] * share, 2) == row.average_precision
