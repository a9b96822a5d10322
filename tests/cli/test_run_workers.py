"""Photos shared out to workers: the same document whoever encoded them, and refusals before it."""

import sys
from pathlib import Path

import pytest

RUN = ["run", "plan.toml", "--format", "json", "--photos", "photos/photos.csv", "--cache"]


@pytest.fixture
def photos(world, tmp_path) -> Path:
    """A manifest of 60 pictures and a plan for the embedded model."""
    plan = Path("plan.toml")
    plan.write_text(plan.read_text().replace('"toy"', '"embedded:demo"'))
    return world.write_photos(tmp_path / "photos", each=20)


def shards(cache: Path) -> dict[str, bytes]:
    return {
        path.relative_to(cache).as_posix(): path.read_bytes()
        for path in sorted((cache / "shards").rglob("*"))
        if path.is_file()
    }


def test_the_document_does_not_tell_who_encoded_the_photos(cli, photos):
    alone = cli(*RUN, "c1")
    plain = cli(*RUN, "c2", "--executor", "plain")
    two = cli(*RUN, "c3", "--executor", "processes", "--workers", "2")

    assert (alone.code, plain.code, two.code) == (0, 0, 0), two.err
    assert alone.encoded("photo") == (60, 0)
    assert plain.encoded("photo") == two.encoded("photo") == (0, 60)
    digest = alone.result.digest
    assert plain.result.digest == two.result.digest == digest
    assert shards(Path("c2")) == shards(Path("c3"))
    assert len([name for name in shards(Path("c3")) if name.endswith(".safetensors")]) == 2 * 4
    assert not Path("c1", "shards").exists()
    assert "Sharing out 60 photos to processes, workers: 2" in two.err
    assert "shards: 4 of 4" in two.err


def use_the_toy(more: str = "", *, photo: str = "decides") -> None:
    """Let the plan audit the toy, which takes no time."""
    plan = Path("plan.toml")
    text = plan.read_text().replace('"embedded:demo"', '"toy"')
    plan.write_text(text.replace("[arms]\n", f'[arms]\nphoto = "{photo}"\n') + more)


def test_photos_that_are_in_the_cache_are_not_shared_out_again(cli, photos):
    use_the_toy()
    first = cli(*RUN, "c1")
    again = cli(*RUN, "c1", "--executor", "processes")

    assert again.result.digest == first.result.digest
    assert "nothing to share out: all photos are in the cache" in again.err
    assert not Path("c1", "shards").exists()


def test_without_photos_there_is_nothing_to_share_out(cli, world):
    end = cli("run", "plan.toml", "--format", "json", "--executor", "processes")

    assert end.code == 0, end.err
    assert "nothing to share out: this audit has no photos" in end.err


def test_photos_that_the_plan_leaves_out_are_not_shared_out(cli, photos):
    use_the_toy(photo="off")

    end = cli(*RUN, "c1", "--executor", "plain")

    assert end.code == 0, end.err
    assert "this audit has no photos" in end.err


def test_unreadable_photos_are_counted_as_without_workers(cli, photos):
    for i in range(16):  # a whole shard
        (photos.parent / f"ones-{i}.png").write_bytes(b"no picture %d" % i)
    use_the_toy("[photos]\nmax_unreadable = 0.3\n")

    alone = cli(*RUN, "c1")
    shared = cli(*RUN, "c2", "--executor", "plain")

    assert (alone.code, shared.code) == (0, 0), shared.err
    assert shared.result.digest == alone.result.digest
    (record,) = [s for s in shared.result.inputs.stimuli if s.modality == "photo"]
    assert len(record.unreadable) == 16
    assert shared.encoded("photo") == (0, 44)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--workers", "2"], "--workers needs --executor; got --workers 2 without it."),
        (["--executor", "processes", "--workers", "0"], "0 is not in the range x>=1"),
        (["--executor", "plain", "--workers", "2"], "--workers must be 1; got 2. Use --executor"),
        (["--executor", "processes", "--gpus", "0.5"], "--gpus needs --executor ray; got --gpus"),
        (["--executor", "processes", "--ray-address", "x"], "--ray-address needs --executor ray"),
        (["--executor", "ray", "--gpus", "0"], "0.0 is not in the range x>0"),
        (["--executor", "ray", "--gpus", "0.5"], "got --gpus 0.5 with --device cpu"),
        (["--executor", "ray", "--gpus", "nan", "--device", "cuda"], "got --gpus nan with"),
        (["--executor", "process"], "'process' is not one of 'plain', 'processes', 'ray'"),
    ],
)
def test_options_that_do_not_go_together_are_refused_first(
    cli, world, monkeypatch, words, sentence
):
    monkeypatch.setattr("audit.cli.sharing.load_ray", lambda: None)

    end = cli("run", "nowhere.toml", *words)

    assert end.code == 2
    assert sentence in end.err
    assert "nowhere.toml" not in end.err


def test_a_missing_ray_is_told_before_a_model_is_loaded(cli, world, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)

    end = cli("run", "plan.toml", "--executor", "ray")

    assert end.code == 3
    assert "pip install 'clip-bias-audit[ray]'" in end.err
    assert "Loading" not in end.err
