"""Files of directions: what is read, how it is named, and what is refused."""

import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from audit.directions import (
    direction_digests,
    direction_notes,
    direction_readings,
    read_directions,
    with_direction_files,
)
from audit.errors import PlanError
from audit.unit_drawn import _earlier
from probes.backends.toy import LAYER, ToyEncoder
from probes.encoder import Layer, Pooling, Reading
from probes.errors import MeasureError

ROWS = np.random.default_rng(0).normal(size=(2, LAYER.n_units)).astype(np.float32)


def test_both_kinds_of_files_give_the_same_directions(tmp_path):
    arrays, names = {"toy.colours": ROWS, "b": 2 * ROWS}, {"toy.colours": ["warm", "cold"]}
    save_file(arrays, tmp_path / "mine.safetensors", {"names": json.dumps(names)})
    np.savez(tmp_path / "mine.npz", **arrays, **{"names/toy.colours": np.array(["warm", "cold"])})

    for path in (tmp_path / "mine.safetensors", tmp_path / "mine.npz"):
        read = {one.layer: one for one in read_directions(path)}
        source = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        assert set(read) == {"toy.colours", "b"}
        assert read["toy.colours"].name == "toy.colours@mine"
        assert read["toy.colours"].names == ("warm", "cold")
        assert read["b"].names == ()
        assert {one.source for one in read.values()} == {source}
        for one in read.values():
            assert np.allclose(one.rows, ROWS / np.linalg.norm(ROWS, axis=1)[:, None])


def test_names_of_a_single_layer_need_not_say_which(tmp_path):
    save_file({"a": ROWS}, tmp_path / "one.safetensors", {"names": '["warm", "cold"]'})
    np.savez(tmp_path / "one.npz", a=ROWS, names=np.array(["warm", "cold"]))

    for path in tmp_path.iterdir():
        assert read_directions(path)[0].names == ("warm", "cold")


def test_a_note_says_what_a_direction_is_and_none_is_made_for_units(tmp_path):
    rows = np.zeros((1, LAYER.n_units))
    rows[0, [1, 5]] = 1
    np.savez(tmp_path / "mine.npz", **{LAYER.name: rows, "names": np.array(["warm"])})
    encoder = with_direction_files(ToyEncoder(), [tmp_path / "mine.npz"])

    (note,) = direction_notes(encoder, "toy.colours@mine", 0)

    assert "direction 0 of the file 'mine', which the file calls 'warm'" in note
    assert "2 of 12 units of toy.colours" in note
    assert direction_notes(encoder, "toy.colours", 0) == ()
    assert direction_notes(ToyEncoder(), "toy.colours", 0) == ()


def test_every_file_is_read_and_named_in_the_inputs(tmp_path):
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", **{LAYER.name: ROWS})
    encoder = with_direction_files(ToyEncoder(), [tmp_path / "a.npz", tmp_path / "b.npz"])
    asked = Reading(layer="toy.colours@a", pooling=Pooling.RELU_MEAN)

    assert set(direction_digests(encoder)) == {"directions/a", "directions/b"}
    assert direction_digests(ToyEncoder()) == {}
    assert direction_readings(encoder, [asked], "relu-mean") == (
        Reading(layer="toy.colours@b", pooling=Pooling.RELU_MEAN),
    )
    # A maximum is not linear: the default is.
    assert {r.pooling for r in direction_readings(encoder, [], "preact-max")} == {
        Pooling.PREACT_MEAN
    }
    assert direction_readings(ToyEncoder(), []) == ()


def test_without_files_the_encoder_stays_itself():
    toy = ToyEncoder()

    assert with_direction_files(toy, []) is toy


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.npz", b"", "No such file"),
        ("mine.pt", b"x", "must be a .safetensors or .npz file"),
        ("my@probe.npz", b"x", "Rename it"),
        ("broken.npz", b"x", "damaged"),
        ("broken.safetensors", b"x", "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(name, content, said, tmp_path):
    path = tmp_path / name
    if content:
        path.write_bytes(content)

    with pytest.raises(PlanError, match=said):
        read_directions(path)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "has none"),
        ({"names": np.array(["a"])}, "has none|one text for each|has "),
        ({"a": np.array([object()])}, "Python objects"),
        ({"a": ROWS, "names": np.arange(2)}, "one text for each"),
        ({"a": ROWS, "names/b": np.array(["x", "y"])}, "names those of 'b'"),
    ],
)
def test_an_archive_without_directions_or_with_strange_names_is_refused(arrays, said, tmp_path):
    np.savez(tmp_path / "mine.npz", **arrays)

    with pytest.raises(PlanError, match=said):
        read_directions(tmp_path / "mine.npz")


@pytest.mark.parametrize("names", ["[", '{"a": 3}', '{"b": ["x", "y"]}', "7", '{"a": [1, 2]}'])
def test_metadata_with_strange_names_is_refused(names, tmp_path):
    save_file({"a": ROWS}, tmp_path / "mine.safetensors", {"names": names})

    with pytest.raises(PlanError, match=r"[Nn]ames"):
        read_directions(tmp_path / "mine.safetensors")


def test_what_is_in_the_file_is_checked_too(tmp_path):
    np.savez(tmp_path / "zero.npz", a=np.zeros((1, 3)))
    np.savez(tmp_path / "many.npz", a=ROWS, names=np.array(["only one"]))

    with pytest.raises(MeasureError, match="not all 0"):
        read_directions(tmp_path / "zero.npz")
    with pytest.raises(MeasureError, match="1 names for 2"):
        read_directions(tmp_path / "many.npz")


def test_what_drawn_text_is_learned_on_does_not_depend_on_directions(tmp_path):
    np.savez(tmp_path / "mine.npz", **{LAYER.name: ROWS})
    first = Layer(name="first", n_units=3, kind="conv", poolings=(Pooling.PREACT_MEAN,))

    class Deep(ToyEncoder):
        layers = (first, LAYER)

    deep = with_direction_files(Deep(), [tmp_path / "mine.npz"])

    assert [layer.name for layer in deep.layers] == ["first", "toy.colours@mine", "toy.colours"]
    assert _earlier(deep.layers, "toy.colours") == _earlier(Deep.layers, "toy.colours") == ["first"]
    assert _earlier(deep.layers, "toy.colours@mine") == ["first"]
