"""The real job of pictures: same bytes whoever dies, refusals, and rows where an audit looks."""

import fcntl
import os
import sys
from dataclasses import replace
from functools import partial
from importlib import import_module, util
from pathlib import Path

import numpy as np
import pytest

from audit.executors import on_ray
from audit.executors.distribute import distribute, lacking
from audit.executors.pictures import picture_job, refuse_another, rows_of_shard
from audit.executors.table import Crew, execute
from audit.executors.work import Work, bad_inputs
from concept_sets.photos import read_photos
from concept_sets.pictures import load_picture
from probes.backends.table import load_encoder
from probes.cache import ActivationCache
from probes.directions import direction_set
from probes.directions_open import with_directions
from probes.encoder import Pooling, Reading
from probes.errors import ExtractionError
from probes.extract import extract_pictures
from probes.progress import SilentProgress

DYING = '''
"""A model whose process dies at its second batch, once; other processes must import it."""
import os
from pathlib import Path

from probes.backends.table import load_encoder


class Dying:
    batch_size, loaders = 16, 1

    def __init__(self, model, notes):
        self.model, self.notes, self.passes = model, notes, 0

    def __getattr__(self, name):
        return getattr(self.model, name)

    def prepare(self, picture):
        return self.model.prepare(picture)

    def encode_pictures(self, pictures, readings=()):
        self.passes += 1
        with (self.notes / "passes").open("a") as notes:
            notes.write(f"{os.getpid()} {len(pictures)}\\n")
        if self.passes == 2:
            try:
                (self.notes / "died").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os._exit(9)
        return self.model.encode_pictures(pictures, readings)


def load(notes):
    return Dying(load_encoder("embedded:demo"), Path(notes))
'''

LOADING = 3
"""Pictures that a model is tried with when it is loaded."""

demo = partial(load_encoder, "embedded:demo")
toy = partial(load_encoder, "toy")


@pytest.fixture
def photos(tmp_path, specimens):
    """60 pictures of which one is damaged after it was listed."""
    listed = read_photos(specimens("small_world").write_photos(tmp_path / "photos", each=20))
    (tmp_path / "photos" / "twos-3.png").write_bytes(b"no picture")
    return listed


@pytest.fixture
def specimens():
    def load(name):
        path = Path(__file__).parents[1] / "specimens" / f"{name}.py"
        spec = util.spec_from_file_location(f"of_jobs_{name}", path)
        module = util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def dying(tmp_path, monkeypatch):
    """What loads the dying model, where workers find it too."""
    folder, notes = tmp_path / "modules", tmp_path / "notes"
    folder.mkdir()
    notes.mkdir()
    (folder / "dying_models.py").write_text(DYING)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(Path.cwd())]))
    sys.modules.pop("dying_models", None)
    return partial(import_module("dying_models").load, str(notes))


@pytest.fixture(scope="module")
def model():
    return demo()


@pytest.fixture(scope="module")
def toy_model():
    return toy()


def readings_of(encoder):
    layer = encoder.layers[-1]
    return (Reading(layer=layer.name, pooling=layer.poolings[0]),)


def job_of(encoder, photos, load, stimuli=None):
    return picture_job(
        encoder, stimuli or photos.stimuli, readings_of(encoder), load=load, root=photos.root
    )


def work_of(job, out):
    return Work(job=job, out=out, batch=job.batch)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def expected(model, photos, tmp_path):
    """Bytes of an undisturbed plain run."""
    tables = execute(work_of(job_of(model, photos, demo), tmp_path / "expected"))
    assert [table.n_rows for table in tables] == [59, 59]
    assert [Path(name).name for name, _ in bad_inputs(tables)] == ["twos-3.png"]
    return contents(tmp_path / "expected")


def test_shards_hold_what_an_audit_would_have_encoded(model, photos, tmp_path):
    job = job_of(model, photos, demo)

    embedding, units = execute(work_of(job, tmp_path / "out"))

    found = extract_pictures(
        model,
        photos.stimuli,
        load_picture=partial(load_picture, root=photos.root),
        readings=readings_of(model),
        max_bad_fraction=0.1,
    )
    width = found.embeddings.values.shape[1]
    np.testing.assert_array_equal(embedding.units(0, width).T, found.embeddings.values)
    (table,) = found.units.values()
    np.testing.assert_array_equal(units.units(0, units.key.n_units).T, table.values)
    assert list(embedding.ids()) == [photos.stimuli[i].digest for i in found.kept]


def test_a_process_that_dies_in_the_middle_leaves_the_same_bytes(
    model, photos, tmp_path, expected, dying
):
    work = work_of(job_of(model, photos, dying), tmp_path / "out")

    execute(work, "processes", Crew(workers=2))

    assert contents(tmp_path / "out") == expected
    passes = (tmp_path / "notes" / "passes").read_text().splitlines()
    assert (tmp_path / "notes" / "died").exists()
    assert len(passes) == 4 + 1
    assert len({line.split()[0] for line in passes}) == 3


def test_an_interrupted_run_encodes_only_what_is_missing(model, photos, tmp_path, monkeypatch):
    cache, job = ActivationCache(tmp_path / "cache"), job_of(model, photos, demo)
    seen, encode = [], type(model).encode_pictures

    def interrupted(self, pictures, readings=()):
        if len(pictures) > LOADING:
            seen.append(len(pictures))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return encode(self, pictures, readings)

    monkeypatch.setattr(type(model), "encode_pictures", interrupted)
    with pytest.raises(KeyboardInterrupt):
        distribute(job, cache, "plain", Crew(), SilentProgress())
    assert lacking(cache, model, photos.stimuli, readings_of(model)) == list(photos.stimuli)
    seen += [0]

    distribute(job, cache, "plain", Crew(), SilentProgress())

    assert seen[4:] == [16, 12]
    (bad,) = lacking(cache, model, photos.stimuli, readings_of(model))
    assert Path(bad.content).name == "twos-3.png"


def test_only_rows_that_the_cache_lacks_are_filed(toy_model, photos, tmp_path, monkeypatch):
    cache, read = ActivationCache(tmp_path / "cache"), readings_of(toy_model)
    some = job_of(toy_model, photos, toy, photos.stimuli[:20])
    distribute(some, cache, "plain", Crew(), SilentProgress())
    written = []
    write = type(cache.space(toy_model.identity, "picture")).write

    def noting(self, digests, values):
        written.extend(digests)
        write(self, digests, values)

    monkeypatch.setattr("probes.cache.Space.write", noting)

    distribute(job_of(toy_model, photos, toy), cache, "plain", Crew(), SilentProgress())

    known = {stimulus.digest for stimulus in photos.stimuli[:20]}
    assert len(written) == 2 * 39
    assert not known & set(written)
    assert len(lacking(cache, toy_model, photos.stimuli, read)) == 1


def test_filing_that_is_cut_off_finds_its_shards_again(toy_model, photos, tmp_path, monkeypatch):
    cache, read = ActivationCache(tmp_path / "cache"), readings_of(toy_model)
    job = job_of(toy_model, photos, toy)
    compact = type(cache.space(toy_model.identity, "picture")).compact

    def cut_off(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("probes.cache.Space.compact", cut_off)
    with pytest.raises(KeyboardInterrupt):
        distribute(job, cache, "plain", Crew(), SilentProgress())
    monkeypatch.setattr("probes.cache.Space.compact", compact)

    pending = lacking(cache, toy_model, photos.stimuli, read)

    assert job_of(toy_model, photos, toy, pending).digest == job.digest


def test_directions_are_read_beneath_as_units(model, photos):
    layer = model.layers[-1]
    rows = np.ones((2, layer.n_units), np.float32)
    wider = with_directions(model, [direction_set(layer.name, "probe", rows)])
    asked = (Reading(layer=f"{layer.name}@probe", pooling=Pooling.RELU_MEAN),)

    job = picture_job(wider, photos.stimuli, asked, load=demo)

    assert job.identity == model.identity
    assert job.readings == (Reading(layer=layer.name, pooling=Pooling.RELU_MEAN),)
    assert job.widths == (128, layer.n_units)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"weights_digest": "sha256:0"}, "weights"),
        ({"preprocessing": "none"}, "preprocessing"),
        ({"libraries": {"torch": "99.0"}}, "libraries"),
    ],
)
def test_a_worker_with_another_model_is_refused(toy_model, change, what):
    other = replace(toy_model.identity, **change)

    with pytest.raises(ExtractionError, match=f"its {what} are .* give every machine the same"):
        refuse_another(toy_model.identity, other)


def test_a_worker_whose_weights_are_others_stops_the_work(model, toy_model, photos, tmp_path):
    job = job_of(toy_model, photos, demo)

    with pytest.raises(ExtractionError, match="must have the model of the audit"):
        execute(work_of(job, tmp_path / "out"))


def test_responses_that_are_no_numbers_are_refused(toy_model, photos, tmp_path, monkeypatch):
    encode = type(toy_model).encode_pictures

    def broken(self, pictures, readings=()):
        out = encode(self, pictures, readings)
        out.embeddings[1, 0] = np.nan
        return out

    monkeypatch.setattr(type(toy_model), "encode_pictures", broken)

    with pytest.raises(ExtractionError, match=r"embedding gave NaN or infinity for .*ones-1\.png"):
        execute(work_of(job_of(toy_model, photos, toy), tmp_path / "out"))


def test_a_second_process_is_kept_from_the_same_shards(toy_model, photos, tmp_path):
    cache, job = ActivationCache(tmp_path / "cache"), job_of(toy_model, photos, toy)
    folder = cache.root / "shards" / job.digest[:32]
    folder.mkdir(parents=True)
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(ExtractionError, match="another is writing"):
            distribute(job, cache, "plain", Crew(), SilentProgress())
    finally:
        os.close(handle)

    distribute(job, cache, "plain", Crew(), SilentProgress())


def test_a_cache_that_cannot_be_written_is_told(toy_model, photos, tmp_path):
    (tmp_path / "cache").write_text("a file")
    job = job_of(toy_model, photos, toy)

    with pytest.raises(ExtractionError, match="must be writable"):
        distribute(job, ActivationCache(tmp_path / "cache"), "plain", Crew(), SilentProgress())


@pytest.mark.parametrize("batch", [1, 16, 100, 256, 5000])
@pytest.mark.parametrize("n", [1, 63, 1000, 10**6])
def test_shards_are_whole_batches_of_the_wanted_size(n, batch):
    rows = rows_of_shard(n, batch)

    assert rows % batch == 0
    assert rows <= max(4096, batch)


def test_the_name_of_a_job_is_not_where_its_pictures_lie(toy_model, photos):
    job = job_of(toy_model, photos, toy)
    moved = tuple(replace(s, content="elsewhere.png") for s in photos.stimuli)

    assert job_of(toy_model, photos, toy, moved).digest == job.digest
    assert job_of(toy_model, photos, toy, moved[1:]).digest != job.digest
    assert replace(job, batch=8).digest != job.digest


@pytest.mark.slow
def test_two_ray_workers_of_which_one_dies_make_the_same_shards(
    model, photos, tmp_path, expected, dying
):
    if util.find_spec("ray") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("With CI=true the extra ray must be installed; run make setup.")
        pytest.skip("the extra ray is not installed")
    work = work_of(job_of(model, photos, dying), tmp_path / "out")

    execute(work, "ray", Crew(workers=2))

    assert contents(tmp_path / "out") == expected
    assert (tmp_path / "notes" / "died").exists()


def test_a_cluster_is_joined_only_where_it_is_named():
    here, there = on_ray._where(Crew(workers=3)), on_ray._where(Crew(address="10.0.0.5:6379"))

    assert here == {"address": "local", "num_cpus": 4}
    assert there == {"address": "10.0.0.5:6379"}
