"""Directions stand where units stand: their responses, what is kept of them, what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concept_sets.stimulus import Modality, Stimulus
from probes.association import associate
from probes.backends.toy import LAYER, SIDE, ToyEncoder
from probes.cache import ActivationCache
from probes.directions import MOST, WithDirections, direction_set
from probes.directions_open import OpenWithDirections, unit_edit, with_directions
from probes.encoder import Layer, Pooling, Reading
from probes.errors import MeasureError, ModelNameError
from probes.extract import extract_pictures, extract_texts
from probes.inspectable import Edit
from probes.interventions import silence, steer
from probes.testing import check_encoder, sample_pictures

UNITS = LAYER.n_units
LINEAR = (Pooling.PREACT_MEAN, Pooling.RELU_MEAN)


def along(rows, file="mine", names=()):
    return direction_set(LAYER.name, file, np.asarray(rows, float), names)


def some_rows(count=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, UNITS))


def reading(pooling=Pooling.PREACT_MEAN, file="mine"):
    return Reading(layer=f"{LAYER.name}@{file}", pooling=pooling)


def stimulus(modality, content):
    return Stimulus(
        modality=modality, content=content, concept="x/y", cluster=content, template="",
        digest=f"sha256:{content}",
    )  # fmt: skip


def pictures_as_stimuli():
    pictures = dict(zip("abcd", sample_pictures(), strict=True))
    stimuli = [stimulus(Modality.PHOTO, name) for name in pictures]
    return stimuli, lambda one: pictures[one.content]


def test_a_toy_with_directions_keeps_the_promises_of_an_encoder():
    check_encoder(with_directions(ToyEncoder(), [along(some_rows()), along(some_rows(2), "b")]))


def test_a_direction_along_one_unit_is_that_unit_exactly():
    toy = ToyEncoder()
    both = with_directions(toy, [along(2.5 * np.eye(UNITS)[[4, 0]])])
    pictures = sample_pictures()

    for pooling in LINEAR:
        unit = Reading(layer=LAYER.name, pooling=pooling)
        found = both.encode_pictures(pictures, [unit, reading(pooling)])
        assert np.array_equal(found.units[reading(pooling)], found.units[unit][:, [4, 0]])
        assert np.array_equal(found.embeddings, toy.encode_pictures(pictures).embeddings)
    assert np.array_equal(both.readout(f"{LAYER.name}@mine"), toy.readout(LAYER.name)[[4, 0]])


@pytest.mark.parametrize("pooling", LINEAR)
def test_a_response_is_the_mean_over_positions_of_the_combination_there(pooling):
    rows = some_rows()
    found = with_directions(ToyEncoder(), [along(rows)]).encode_pictures(
        sample_pictures(), [reading(pooling)]
    )

    for picture, ours in zip(sample_pictures(), found.units[reading(pooling)], strict=True):
        maps = ToyEncoder()._maps(picture)
        maps = np.maximum(maps, 0) if pooling is Pooling.RELU_MEAN else maps
        for row, response in zip(rows, ours, strict=True):
            unit = row / np.sqrt((row**2).sum())
            slow = sum(float(position @ unit) for position in maps) / SIDE**2
            assert response == pytest.approx(slow, rel=1e-4, abs=1e-6)


def test_maxima_over_positions_are_not_offered_and_the_default_layer_stays():
    both = with_directions(ToyEncoder(), [along(some_rows())])

    directions, default = both.layers
    assert default == LAYER
    assert directions.name == f"{LAYER.name}@mine"
    assert directions.kind == "direction"
    assert directions.poolings == LINEAR
    with pytest.raises(ModelNameError, match="preact-max"):
        both.encode_pictures(sample_pictures(), [reading(Pooling.PREACT_MAX)])


def test_a_model_without_a_tower_is_not_said_to_have_one():
    assert not isinstance(with_directions(ToyEncoder(), [along(some_rows())]), OpenWithDirections)


def test_what_no_single_unit_carries_is_found_along_its_direction():
    rng = np.random.default_rng(3)
    hidden, width = np.repeat([True, False], 60), 1600
    direction = rng.choice([-1.0, 1.0], width) / np.sqrt(width)
    # A twentieth of a standard deviation in each unit, two of them along the sum.
    units = rng.normal(size=(len(hidden), width)) + 2.0 * hidden[:, None] * direction
    found = direction_set("mlp", "planted", direction[None])

    def correlation(responses, labels):
        return associate(responses, labels[:, None]).estimates["correlation"]

    along_it = correlation(units @ found.rows.T, hidden)
    alone = np.abs(correlation(units, hidden).value).max()
    chance = [np.abs(correlation(units, rng.permutation(hidden)).value).max() for _ in range(19)]

    assert along_it.low[0, 0] > max(alone, *chance)
    assert alone < max(chance)


def test_another_file_of_the_same_name_reuses_units_and_no_responses(tmp_path):
    cache = ActivationCache(tmp_path)
    stimuli, load = pictures_as_stimuli()
    rows = [some_rows(seed=1), some_rows(seed=2)]
    found = [
        extract_pictures(
            with_directions(ToyEncoder(), [along(own)]), stimuli, load_picture=load,
            readings=[reading()], cache=cache,
        )
        for own in rows
    ]  # fmt: skip

    assert (found[0].encoded, found[1].encoded, found[1].reused) == (4, 0, 4)
    for own, one in zip(rows, found, strict=True):
        fresh = with_directions(ToyEncoder(), [along(own)])
        direct = fresh.encode_pictures(sample_pictures(), [reading()]).units[reading()]
        assert list(one.units) == [reading()]
        assert one.units[reading()].layer == f"{LAYER.name}@mine"
        assert np.array_equal(one.units[reading()].values, direct)
    assert not np.allclose(*(one.units[reading()].values for one in found))


def test_texts_are_not_encoded_anew_for_directions(tmp_path):
    cache = ActivationCache(tmp_path)
    texts = [stimulus(Modality.TEXT, "rain")]
    extract_texts(ToyEncoder(), texts, cache=cache)

    again = extract_texts(with_directions(ToyEncoder(), [along(some_rows())]), texts, cache=cache)

    assert (again.encoded, again.reused) == (0, 1)


def test_the_identity_knows_the_directions_and_keeps_the_weights():
    plain = ToyEncoder().identity
    one, same, other = (
        with_directions(ToyEncoder(), [along(some_rows(seed=seed))]).identity for seed in (1, 1, 2)
    )

    assert one == same
    assert len({plain.config_digest, one.config_digest, other.config_digest}) == 3
    assert one.weights_digest == plain.weights_digest


@pytest.mark.parametrize(
    ("rows", "names", "said"),
    [
        (np.zeros((1, 3)), (), "row 0"),
        (np.array([[1.0, 2], [np.nan, 1]]), (), "row 1"),
        (np.array([[1.0, np.inf]]), (), "row 0"),
        (np.ones((MOST + 1, 2)), (), "at most 4,096"),
        (np.ones(3), (), r"shape \(3,\)"),
        (np.ones((0, 3)), (), r"shape \(0, 3\)"),
        (np.array([["a"]]), (), "matrix of numbers"),
        (np.ones((2, 2)), ("one",), "1 names for 2"),
    ],
)
def test_what_is_no_direction_is_refused(rows, names, said):
    with pytest.raises(MeasureError, match=said):
        direction_set("mlp", "mine", rows, names)


def test_directions_must_fit_the_model():
    with pytest.raises(MeasureError, match="one column per unit, 12; got 5"):
        with_directions(ToyEncoder(), [along(np.ones((1, 5)))])
    with pytest.raises(ModelNameError, match=r"did you mean 'toy\.colours'"):
        with_directions(ToyEncoder(), [direction_set("toy.colour", "mine", np.ones((1, UNITS)))])
    with pytest.raises(MeasureError, match="different names"):
        with_directions(ToyEncoder(), [along(some_rows()), along(some_rows(seed=1))])


def test_a_layer_that_is_read_by_maxima_alone_has_no_directions():
    class Peaks(ToyEncoder):
        @property
        def layers(self):
            return (
                Layer(name=LAYER.name, n_units=UNITS, kind="conv", poolings=(Pooling.PREACT_MAX,)),
            )

    with pytest.raises(MeasureError, match="preact-max alone"):
        WithDirections(Peaks(), [along(some_rows())])


def applied(edit, units):
    """What the edit makes of units, shape (n_positions, n_units), in closed form."""
    rows, values = edit.directions, edit.values
    if edit.kind == "add":
        return units + values @ rows
    return units + (values - units @ rows.T) @ np.linalg.pinv(rows @ rows.T) @ rows


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 6))
def test_set_directions_have_their_values_also_where_they_depend_on_each_other(seed, count):
    rng = np.random.default_rng(seed)
    free = rng.normal(size=(count, UNITS))
    # The sum of all, and the first turned round: no new space.
    found = along(np.concatenate([free, free.sum(axis=0, keepdims=True), -free[:1]]))
    units = rng.normal(size=(7, UNITS))
    mean = (units @ found.rows.T).mean(axis=0)
    every = range(len(found.rows))

    edit = unit_edit(silence(found.name, every, mean, n_units=len(found.rows)), found)
    after = applied(edit, units)

    assert edit.layer == LAYER.name
    assert np.allclose(np.linalg.norm(edit.directions, axis=1), 1)
    assert np.allclose(after @ found.rows.T, mean)
    beside = np.linalg.qr(free.T)[0]
    outside = np.eye(UNITS) - beside @ beside.T
    assert np.allclose(after @ outside, units @ outside)


def test_steering_adds_along_the_direction_and_edits_of_units_pass_through():
    found, units = along(some_rows()), some_rows(7, seed=4)
    edit = unit_edit(steer(found.name, np.array([[0.0, 1.0, 0.0]]), [2.0]), found)
    mixed = unit_edit(steer(found.name, np.array([[3.0, 4.0, 0.0]]), [2.0]), found)
    of_units = silence(LAYER.name, [1], [0.0], n_units=UNITS)

    assert np.allclose(applied(edit, units), units + 2 * found.rows[1])
    assert np.allclose(
        applied(mixed, units), units + 2 * (0.6 * found.rows[0] + 0.8 * found.rows[1])
    )
    assert unit_edit(of_units, None) is of_units


def test_an_edit_of_nothing_or_of_another_width_is_refused():
    found = along(np.stack([np.ones(UNITS), -np.ones(UNITS)]))
    nothing = Edit(
        layer=found.name, directions=np.full((1, 2), 0.5**0.5), kind="add", values=np.ones(1)
    )

    with pytest.raises(MeasureError, match="to nothing"):
        unit_edit(nothing, found)
    with pytest.raises(MeasureError, match="one column per direction, 2"):
        unit_edit(silence(found.name, [0], [0.0], n_units=UNITS), found)
