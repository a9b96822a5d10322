"""Whoever makes the shards, the bytes are the same; who dies costs one batch."""

import os
import sys
from importlib import import_module, util
from pathlib import Path

import numpy as np
import pytest

from audit.executors import on_ray, processes
from audit.executors.processes import environment_of
from audit.executors.table import EXECUTORS, Crew, execute
from audit.executors.work import Work, bad_inputs, make_shard, prepare
from probes.errors import ExtractionError

JOB = '''
"""An extraction that can be told to die; other processes must be able to import it."""
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit.executors.work import Encoded
from probes.shard_format import TableKey


@dataclass(frozen=True)
class LetterJob:
    inputs: int
    notes: Path
    dies_at: int = -1
    fails: bool = False

    def keys(self):
        return [
            TableKey(layer=name, pooling="", encoder="sha256:e", n_units=n, rows_per_shard=20)
            for name, n in (("embedding", 3), ("layer", 5))
        ]

    def count(self):
        return self.inputs

    def open(self):
        def encode(first, after):
            with (self.notes / "encoded").open("a") as notes:
                notes.write(f"{first} {os.environ.get('CUDA_VISIBLE_DEVICES', '-')}\\n")
            if self.fails:
                raise RuntimeError("the model is not well")
            died = self.notes / "died"
            if first == self.dies_at and not died.exists():
                died.touch()
                os._exit(9)
            numbers = [i for i in range(first, after) if i % 17]
            rows = [np.random.default_rng(i).standard_normal(8) for i in numbers]
            table = np.array(rows, np.float32).reshape(len(numbers), 8)
            return Encoded(
                ids=tuple(f"photo:{i}" for i in numbers),
                tables=(table[:, :3], table[:, 3:]),
                bad=tuple((f"photo:{i}", "torn") for i in range(first, after) if not i % 17),
            )

        return encode
'''


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """The module of the job, where workers find it too."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "letter_jobs.py").write_text(JOB)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(Path.cwd())]))
    sys.modules.pop("letter_jobs", None)
    return import_module("letter_jobs")


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def work_of(jobs, tmp_path, name, **job):
    notes = tmp_path / f"notes-{name}"
    notes.mkdir()
    work = Work(job=jobs.LetterJob(inputs=70, notes=notes, **job), out=tmp_path / name, batch=8)
    work.out.mkdir()
    return work


def batches_of(work):
    return [line.split()[0] for line in (work.job.notes / "encoded").read_text().splitlines()]


@pytest.fixture
def expected(jobs, tmp_path):
    """Bytes of an undisturbed plain run."""
    work = work_of(jobs, tmp_path, "expected")
    tables = execute(work)
    assert [table.n_rows for table in tables] == [65, 65]
    assert [one[0] for one in bad_inputs(tables)] == [f"photo:{i}" for i in range(0, 70, 17)]
    return contents(work.out)


def test_rows_are_those_of_the_encoder_in_order(jobs, tmp_path):
    work = work_of(jobs, tmp_path, "plain")

    embedding, layer = execute(work)

    numbers = [i for i in range(70) if i % 17]
    rows = np.array([np.random.default_rng(i).standard_normal(8) for i in numbers], np.float32)
    np.testing.assert_array_equal(embedding.units(0, 3), rows[:, :3].T)
    np.testing.assert_array_equal(layer.units(0, 5), rows[:, 3:].T)
    assert list(layer.ids()) == [f"photo:{i}" for i in numbers]


def test_processes_leave_the_same_bytes(jobs, tmp_path, expected):
    work = work_of(jobs, tmp_path, "processes")

    execute(work, "processes", Crew(workers=2, devices=("0", "1")))

    assert contents(work.out) == expected
    seen = dict(line.split() for line in (work.job.notes / "encoded").read_text().splitlines())
    # shards 0 and 2 by the first worker, 1 and 3 by the second
    assert {seen["0"], seen["40"]} == {"0"}
    assert {seen["20"], seen["60"]} == {"1"}


def test_a_process_that_dies_costs_one_batch(jobs, tmp_path, expected):
    work = work_of(jobs, tmp_path, "dying", dies_at=28)

    execute(work, "processes", Crew(workers=2))

    assert contents(work.out) == expected
    batches = batches_of(work)
    assert sorted(set(batches)) == sorted({b for b in batches if batches.count(b) == 1} | {"28"})
    assert batches.count("28") == 2


def test_an_interrupted_plain_run_goes_on_after_its_last_batch(jobs, tmp_path, expected):
    work = work_of(jobs, tmp_path, "again")
    prepare(work)
    real = work.job.open()

    def interrupted(first, after):
        if first == 56 - 20:
            raise KeyboardInterrupt
        return real(first, after)

    make_shard(work, interrupted, 0)
    with pytest.raises(KeyboardInterrupt):
        make_shard(work, interrupted, 1)
    done = len(batches_of(work))
    assert prepare(work) == [1, 2, 3]

    execute(work)

    assert contents(work.out) == expected
    assert len(batches_of(work)) == done + 1 + 3 + 2


def test_nothing_is_encoded_twice(jobs, tmp_path, expected):
    work = work_of(jobs, tmp_path, "twice")
    execute(work)
    before = batches_of(work)

    execute(work, "processes")

    assert batches_of(work) == before
    assert contents(work.out) == expected


def test_work_that_is_refused_is_not_tried_for_ever(jobs, tmp_path, capfd):
    work = work_of(jobs, tmp_path, "failing", fails=True)

    with pytest.raises(ExtractionError, match="one ended with 1"):
        execute(work, "processes", Crew(workers=1))
    assert len(batches_of(work)) == 1
    assert "the model is not well" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("devices", "expected"),
    [((), [None] * 3), (("0", "1"), ["0", "1", "0"]), (("GPU-a",), ["GPU-a"] * 3)],
)
def test_gpus_are_dealt_out_in_turn(devices, expected):
    given = [environment_of(worker, devices) for worker in range(3)]

    assert [one.get("CUDA_VISIBLE_DEVICES") for one in given] == expected


def test_an_unknown_executor_is_told_with_the_nearest(jobs, tmp_path):
    with pytest.raises(LookupError, match="Did you mean 'processes'"):
        execute(work_of(jobs, tmp_path, "none"), "process")


def test_no_worker_is_refused(jobs, tmp_path):
    with pytest.raises(ExtractionError, match="at least 1 worker; got 0"):
        execute(work_of(jobs, tmp_path, "none"), "plain", Crew(workers=0))


@pytest.mark.parametrize("name", EXECUTORS)
def test_every_executor_can_be_imported_without_its_library(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    module, _, function = EXECUTORS[name].partition(":")

    assert callable(getattr(import_module(module), function))


def test_a_missing_ray_is_told_with_what_to_install(jobs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(ExtractionError, match=r"pip install 'clip-bias-audit\[ray\]'"):
        execute(work_of(jobs, tmp_path, "none"), "ray")


def test_processes_give_up_on_workers_that_keep_dying(jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "LOSSES", 0)

    with pytest.raises(ExtractionError, match="finished shards and batches are kept"):
        execute(work_of(jobs, tmp_path, "dead", dies_at=0), "processes")


@pytest.fixture
def ray():
    if util.find_spec("ray") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("With CI=true the extra ray must be installed; run make setup.")
        pytest.skip("the extra ray is not installed")
    return on_ray


@pytest.mark.slow
def test_two_ray_workers_of_which_one_dies_leave_the_same_bytes(ray, jobs, tmp_path, expected):
    work = work_of(jobs, tmp_path, "ray", dies_at=28)

    execute(work, "ray", Crew(workers=2))

    assert contents(work.out) == expected
    batches = batches_of(work)
    assert (work.job.notes / "died").exists()
    assert batches.count("28") == 2
    assert len(batches) == len(set(batches)) + 1
