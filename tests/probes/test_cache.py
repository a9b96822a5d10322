"""The cache: what was written is read, what was damaged is not, whatever interrupts."""

import errno
import itertools
import json
import logging
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes import cache as module
from probes.backends.toy import LAYER, ToyEncoder
from probes.cache import ActivationCache, write_atomically
from probes.encoder import Pooling, Reading
from probes.errors import ExtractionError

IDENTITY = ToyEncoder().identity
READING = Reading(layer=LAYER.name, pooling=Pooling.PREACT_MAX)


def space(root):
    return ActivationCache(root).space(IDENTITY, "text")


def rows(start, stop, width=5):
    """Digests and their values, the same for the same number."""
    digests = [f"{i:064x}" for i in range(start, stop)]
    values = np.array([np.random.default_rng(i).random(width) for i in range(start, stop)])
    return digests, values.astype(np.float32).reshape(len(digests), width)


def fill(here, *bounds):
    for start, stop in bounds:
        here.write(*rows(start, stop))


def check(here, start, stop):
    digests, values = rows(start, stop)
    found = here.read(digests)
    assert sorted(found) == digests
    np.testing.assert_array_equal(np.array([found[d] for d in digests]), values)


def shards(here):
    return sorted(here.folder.glob("*.safetensors"))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(1, 39), max_size=6, unique=True),
    wanted=st.sets(st.integers(0, 60)),
    compacts=st.booleans(),
)
def test_any_way_of_writing_gives_the_same_rows(cuts, wanted, compacts, tmp_path_factory):
    here = space(tmp_path_factory.mktemp("cache"))
    bounds = [0, *sorted(cuts), 40]
    fill(here, *itertools.pairwise(bounds))
    if compacts:
        here.compact()

    found = here.read({f"{i:064x}" for i in wanted})

    assert sorted(found) == [f"{i:064x}" for i in sorted(wanted) if i < 40]
    for digest, row in found.items():
        np.testing.assert_array_equal(row, rows(int(digest, 16), int(digest, 16) + 1)[1][0])


def test_an_empty_cache_has_nothing_and_makes_no_folder(tmp_path):
    here = space(tmp_path / "cache")

    assert here.read({"a"}) == {}
    here.write([], np.zeros((0, 5), np.float32))
    here.compact()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "other",
    [
        lambda root: ActivationCache(root).space(IDENTITY, "picture"),
        lambda root: ActivationCache(root).space(IDENTITY, "text", READING),
        lambda root: ActivationCache(root).space(
            replace(IDENTITY, weights_digest="sha256:1"), "text"
        ),
        lambda root: ActivationCache(root).space(
            replace(IDENTITY, config_digest="sha256:1"), "text"
        ),
        lambda root: ActivationCache(root).space(replace(IDENTITY, activation="gelu"), "text"),
        lambda root: ActivationCache(root).space(replace(IDENTITY, preprocessing="x"), "text"),
        lambda root: ActivationCache(root).space(
            replace(IDENTITY, libraries={"numpy": "99.0"}), "text"
        ),
    ],
    ids=["modality", "layer", "weights", "config", "activation", "preprocessing", "major"],
)
def test_rows_are_kept_apart_by_everything_they_depend_on(other, tmp_path):
    fill(space(tmp_path), (0, 3))

    assert other(tmp_path).read(rows(0, 3)[0]) == {}


def test_another_minor_version_or_name_of_the_same_model_shares_its_rows(tmp_path):
    old = replace(IDENTITY, libraries={"torch": "2.13.0"}, name="one")
    new = replace(IDENTITY, libraries={"torch": "2.15.1+cpu"}, name="two")
    fill(ActivationCache(tmp_path).space(old, "text"), (0, 3))

    check(ActivationCache(tmp_path).space(new, "text"), 0, 3)


def test_a_space_says_in_words_what_it_holds(tmp_path):
    here = ActivationCache(tmp_path).space(IDENTITY, "picture", READING)
    fill(here, (0, 1))

    said = json.loads((here.folder / "space.json").read_text())
    assert (said["modality"], said["layer"], said["pooling"]) == (
        "picture",
        "toy.colours",
        "preact-max",
    )


def test_compaction_joins_small_files_up_to_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_ROWS", 10)
    here = space(tmp_path)
    fill(here, (0, 10), (10, 14), (14, 17), (17, 19), (19, 22))

    here.compact()

    assert len(shards(here)) == 3
    check(here, 0, 22)
    before = shards(here)
    here.compact()
    assert shards(here) == before


def test_values_lie_unit_by_unit_inside_a_file(tmp_path):
    from safetensors.numpy import load_file

    here = space(tmp_path)
    fill(here, (0, 7))

    assert load_file(shards(here)[0])["values"].shape == (5, 7)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_changed_byte_is_found_set_aside_and_reported(place, flip, tmp_path_factory):
    here = space(tmp_path_factory.mktemp("cache"))
    fill(here, (0, 4), (4, 8))
    path = shards(here)[0]
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= flip
    path.write_bytes(content)

    found = here.read(rows(0, 8)[0])

    for digest, row in found.items():
        np.testing.assert_array_equal(row, rows(int(digest, 16), int(digest, 16) + 1)[1][0])
    if len(found) < 8:
        assert here.set_aside == [path.name]
        assert path.with_name(path.name + ".corrupt").exists()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_a_truncated_file_is_set_aside_and_the_rest_is_read(share, tmp_path, caplog):
    here = space(tmp_path)
    fill(here, (0, 4), (4, 8))
    path = shards(here)[0]
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    with caplog.at_level(logging.WARNING):
        found = here.read(rows(0, 8)[0])

    assert len(found) == 4
    assert "Set aside the damaged cache file" in caplog.text
    here.compact()
    assert len(shards(here)) == 1


def test_compaction_loses_no_good_row_beside_a_damaged_file(tmp_path):
    here = space(tmp_path)
    fill(here, (0, 4), (4, 8), (8, 12))
    path = shards(here)[1]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    here.compact()

    assert len(here.read(rows(0, 12)[0])) == 8


def test_pickles_and_other_strangers_in_the_folder_are_ignored(tmp_path):
    here = space(tmp_path)
    fill(here, (0, 2))
    (here.folder / "evil.joblib").write_bytes(b"cos\nsystem\n(S'exit'\ntR.")
    (here.folder / "stranger.safetensors").write_bytes(
        module.save({"values": np.zeros((5, 1), np.float32)})
    )

    check(here, 0, 2)
    here.read(rows(0, 3)[0])
    assert here.set_aside == ["stranger.safetensors"]


@pytest.mark.parametrize("call", range(1, 9))
def test_a_full_disk_at_any_call_is_one_sentence_and_loses_nothing(call, tmp_path, monkeypatch):
    here, calls = space(tmp_path), []

    def failing(real):
        def wrapped(*arguments):
            calls.append(real)
            if len(calls) == call:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments)

        return wrapped

    fill(here, (0, 4))
    monkeypatch.setattr(module.os, "fsync", failing(module.os.fsync))
    monkeypatch.setattr(module.os, "replace", failing(module.os.replace))
    try:
        fill(here, (4, 8))
        here.compact()
    except ExtractionError as error:
        said = str(error)
        assert "No space left on device; free some space" in said
    monkeypatch.undo()

    check(space(tmp_path), 0, 4)
    assert not list(here.folder.glob(".*.tmp"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "cache").write_text("a file, not a folder")

    with pytest.raises(ExtractionError, match=f"The activation cache {tmp_path}/cache must be"):
        fill(space(tmp_path / "cache"), (0, 1))


def test_a_file_is_complete_or_absent(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def stop(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new, and longer")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_unfinished_files_of_killed_processes_are_swept_but_not_those_of_running_ones(tmp_path):
    here = space(tmp_path)
    fill(here, (0, 2))
    old, young = here.folder / ".a.safetensors.1.x.tmp", here.folder / ".b.safetensors.2.y.tmp"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (1, 1))

    here.compact()

    assert (old.exists(), young.exists()) == (False, True)
    check(here, 0, 2)


WRITER = """
import sys
sys.path[:0] = {paths!r}
from test_cache import fill, space, check
from pathlib import Path
root, first = Path(sys.argv[1]), int(sys.argv[2])
for step in range(12):
    here = space(root)
    fill(here, (first + 3 * step, first + 3 * step + 3))
    here.read([f"{{i:064x}}" for i in range(400)])
    here.compact()
    check(here, first, first + 3 * step + 3)
"""


def test_processes_that_write_read_and_compact_at_once_lose_nothing(tmp_path):
    """Ranges overlap, so that they also write the same rows."""
    script = WRITER.format(paths=[str(p) for p in (*sys.path, str(module.Path(__file__).parent))])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), str(20 * i)], stderr=subprocess.PIPE
        )
        for i in range(4)
    ]
    for process in running:
        assert process.wait(timeout=120) == 0, process.stderr.read().decode()

    here = space(tmp_path)
    check(here, 0, 96)
    assert here.set_aside == []
    assert not list(here.folder.glob("*.corrupt"))
