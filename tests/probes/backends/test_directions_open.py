"""Directions of real towers: silenced, steered, taken apart, against slow versions."""

import numpy as np
import pytest
import torch

from audit.unit_links import Attributing
from probes.backends.frozen import BESIDE
from probes.backends.table import load_encoder
from probes.backends.visualise import Recipe, unit_target
from probes.directions import direction_set
from probes.directions_open import OpenWithDirections, with_directions
from probes.encoder import Pooling, Reading
from probes.errors import MeasureError, ModelError
from probes.interventions import Holding, silence
from probes.testing import check_encoder, sample_pictures

PICTURES = sample_pictures()
NAMES = ("resnet", "vit")


@pytest.fixture(scope="module")
def encoders(folders):
    made = {}

    def get(name):
        if name not in made:
            made[name] = load_encoder(f"local-dir:{folders(name)}")
        return made[name]

    return get


def with_rows(encoder, rows, layer=None):
    layer = layer or encoder.layers[-1]
    found = direction_set(layer.name, "mine", rows)
    return with_directions(encoder, [found]), found


def some_rows(encoder, count=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, encoder.layers[-1].n_units))


def text_directions(encoder, count=2):
    return np.random.default_rng(1).normal(size=(count, encoder.identity.embedding_size))


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_promises_of_an_encoder_and_can_be_opened(name, encoders):
    both, _ = with_rows(encoders(name), some_rows(encoders(name)))

    check_encoder(both)
    assert isinstance(both, OpenWithDirections)
    assert isinstance(both, Holding)
    assert isinstance(both, Attributing)


@pytest.mark.parametrize("name", NAMES)
def test_a_direction_along_one_unit_is_silenced_and_taken_apart_as_that_unit(name, encoders):
    encoder = encoders(name)
    layer, units = encoder.layers[-1], [5, 2]
    both, found = with_rows(encoder, np.eye(layer.n_units)[units])
    plain, held = encoder.hold(PICTURES, layer.name), both.hold(PICTURES, found.name)
    texts = text_directions(encoder)

    for statistic in ("mean", "sd", "rate"):
        theirs = getattr(plain.statistics, statistic)[units]
        assert np.allclose(getattr(held.statistics, statistic), theirs, rtol=1e-12, atol=1e-15)
    assert np.allclose(held.picture_means(), plain.picture_means()[:, units], rtol=1e-12)
    values = plain.statistics.mean[units]
    (ours,) = held.encode_edited_many([silence(found.name, [0, 1], values, n_units=2)])
    (theirs,) = plain.encode_edited_many(
        [silence(layer.name, units, values, n_units=layer.n_units)]
    )
    assert np.array_equal(ours, theirs)
    assert not np.allclose(ours, held.embeddings, rtol=1e-4)
    ours = both.attribute(PICTURES, texts, layer=found.name, maps=[1])
    theirs = encoder.attribute(PICTURES, texts, layer=layer.name, maps=[2])
    assert np.allclose(ours.units, theirs.units[..., units], rtol=1e-4, atol=1e-7)
    assert np.allclose(ours.maps, theirs.maps, rtol=1e-4, atol=1e-7, equal_nan=True)


def projected(encoder, direction, value, layer):
    """Set the response along a direction by hand: position by position, in the tapped module."""
    (tap,) = [tap for tap in encoder._taps if tap.layer.name == layer.name]
    unit = torch.as_tensor(direction / np.linalg.norm(direction), dtype=torch.float32)

    def project(module, inputs):
        changed = inputs[0].clone()
        last = changed.movedim(1, -1) if layer.kind == "conv" else changed
        for position in (
            last.reshape(-1, last.shape[-1]).unbind()
            if last.is_contiguous()
            else [last[index] for index in np.ndindex(*last.shape[:-1])]
        ):
            position += (value - float(position @ unit)) * unit
        return (changed,)

    handle = tap.module.register_forward_pre_hook(project)
    try:
        return encoder.encode_pictures(PICTURES).embeddings
    finally:
        handle.remove()


@pytest.mark.parametrize("name", NAMES)
def test_a_silenced_direction_is_projected_out_at_every_position(name, encoders):
    encoder = encoders(name)
    layer = encoder.layers[-1]
    both, found = with_rows(encoder, some_rows(encoder))
    edit = silence(found.name, [1], [0.25], n_units=3)

    slow = projected(encoder, found.rows[1], 0.25, layer)
    (held,) = both.hold(PICTURES, found.name).encode_edited_many([edit])
    run = both.encode_edited(PICTURES, [edit], [Reading(layer=found.name, pooling=POOL[name])])

    size = np.abs(slow).max()
    assert np.abs(slow - encoder.encode_pictures(PICTURES).embeddings).max() > 1e-3 * size
    assert np.abs(held - slow).max() < 1e-5 * size
    assert np.abs(run.embeddings - slow).max() < 1e-5 * size
    ((_, responses),) = run.units.items()
    assert np.allclose(responses[:, 1], 0.25, atol=1e-5)
    assert not np.allclose(responses[:, 0], 0.25, atol=1e-2)


POOL = {"resnet": Pooling.PREACT_MEAN, "vit": Pooling.TOKEN_MEAN}


@pytest.mark.parametrize("name", NAMES)
def test_a_direction_held_at_its_mean_keeps_the_mean_response(name, encoders):
    both, found = with_rows(encoders(name), some_rows(encoders(name)))
    reading = Reading(layer=found.name, pooling=POOL[name])
    held = both.hold(PICTURES, found.name)

    assert np.allclose(
        held.statistics.mean, both.encode_pictures(PICTURES, [reading]).units[reading].mean(axis=0),
        atol=1e-5,
    )  # fmt: skip
    assert np.allclose(held.picture_means().mean(axis=0), held.statistics.mean)
    assert (held.statistics.sd > 0).all()
    assert held.resumes


def test_the_class_token_alone_is_silenced_where_it_alone_is_read(encoders):
    encoder = encoders("vit")
    both, found = with_rows(encoder, some_rows(encoder))
    reading = Reading(layer=found.name, pooling=Pooling.CLS)
    held = both.hold(PICTURES, found.name, "class")

    response = both.encode_pictures(PICTURES, [reading]).units[reading]

    assert found.name in {layer.name for layer in both.layers}
    assert np.allclose(held.picture_means(), response, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_contributions_of_directions_and_what_they_leave_add_up(name, encoders):
    encoder = encoders(name)
    texts = text_directions(encoder)
    both, found = with_rows(encoder, some_rows(encoder, count=4))

    taken = both.attribute(PICTURES, texts, layer=found.name, double=True)

    whole = taken.units.sum(axis=2) + sum(taken.others.values()) + taken.constant
    assert taken.units.shape == (len(PICTURES), 2, 4)
    assert taken.layer == found.name
    assert np.allclose(whole, taken.products, rtol=1e-10, atol=1e-12)
    assert np.abs(taken.others[BESIDE]).max() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_any_axes_of_the_whole_layer_leave_nothing_beside(name, encoders):
    encoder = encoders(name)
    texts, width = text_directions(encoder), encoder.layers[-1].n_units
    turned = np.linalg.qr(np.random.default_rng(2).normal(size=(width, width)))[0]
    both, found = with_rows(encoder, turned)

    taken = both.attribute(PICTURES, texts, layer=found.name, double=True)
    units = encoder.attribute(PICTURES, texts, layer=found.layer, double=True)

    assert np.abs(taken.others[BESIDE]).max() < 1e-9
    assert np.allclose(taken.units.sum(axis=2), units.units.sum(axis=2))
    assert not np.allclose(taken.units, units.units, atol=1e-3)


def test_a_direction_is_drawn_as_its_combination_of_units(encoders):
    encoder = encoders("vit")
    layer, recipe = encoder.layers[-1], Recipe(steps=2)
    both, found = with_rows(encoder, np.eye(layer.n_units)[[3]])

    def drawn(model, name, unit, width):
        target = unit_target(Reading(layer=name, pooling=Pooling.CLS), [unit], width)
        return model.visualise(target, rng=np.random.default_rng(0), recipe=recipe).pictures

    ours, theirs = drawn(both, found.name, 0, 1), drawn(encoder, layer.name, 3, layer.n_units)
    assert np.array_equal(np.asarray(ours[0]), np.asarray(theirs[0]))


def test_edits_of_other_layers_and_what_heads_do_are_refused(encoders):
    encoder = encoders("vit")
    both, found = with_rows(encoder, some_rows(encoder))
    other = silence(found.layer, [0], [0.0], n_units=encoder.layers[-1].n_units)

    with pytest.raises(MeasureError, match="Hold them at that layer"):
        list(both.hold(PICTURES, found.name).encode_edited_many([other]))
    for asked in (
        lambda: both.head_tables(PICTURES, text_directions(encoder), layer=found.name),
        lambda: both.mean_responses(PICTURES, layer=found.name),
        lambda: both.second_order_directions(PICTURES, layer=found.name, kept=1),
    ):
        with pytest.raises(ModelError, match="not for the directions"):
            asked()
