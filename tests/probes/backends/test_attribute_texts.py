"""Linearised effects of units agree with read-outs, gradients and loops, in every tower."""

import numpy as np
import pytest
import torch

from probes.backends.attribute import opening_of
from probes.backends.frozen import recorded, unit_parts
from probes.backends.second_order import Strongest, principal, relay_modules, second_order
from probes.backends.table import load_encoder
from probes.backends.text_weights import (
    head_blind_readout,
    head_tables,
    mean_responses,
    second_order_directions,
)
from probes.encoder import Pooling, Reading
from probes.errors import MeasureError, ModelError
from probes.linear_text import head_weighted, linear_scores, text_weights
from probes.testing import sample_pictures

SOLVED = ("resnet", "vit", "vit-scaled", "siglip", "timm-vit", "coca")


@pytest.fixture(scope="module")
def encoders(folders):
    made = {}

    def get(name):
        if name not in made:
            made[name] = load_encoder(f"local-dir:{folders(name)}")
        return made[name]

    return get


def layer_of(encoder, at=-1):
    return encoder.layers[at].name


@pytest.mark.parametrize("name", ["resnet", "vit", "vit-scaled", "timm-vit"])
def test_the_head_blind_read_out_is_that_of_the_encoder_where_it_has_one(name, encoders):
    encoder = encoders(name)

    ours = head_blind_readout(encoder, layer=layer_of(encoder))

    theirs = encoder.readout(layer_of(encoder))
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(theirs).max())


def centred(rows):
    return rows - rows.mean(axis=1, keepdims=True)


def array(tensor):
    return tensor.detach().double().numpy()


def test_the_read_out_of_siglip_is_its_norm_then_values_then_projection(encoders):
    encoder = encoders("siglip")
    trunk = encoder.opened([])[0].trunk
    pool = trunk.attn_pool

    ours = head_blind_readout(encoder, layer=layer_of(encoder))

    size = pool.proj.in_features
    value, out = array(pool.kv.weight)[size:], array(pool.proj.weight)
    block = trunk.blocks[-1]
    writes = array(block.mlp.fc2.weight).T * array(block.ls2.gamma)
    through = centred(writes) * array(trunk.norm.weight)
    np.testing.assert_allclose(ours, through @ value.T @ out.T, atol=1e-6)


def test_the_read_out_of_coca_is_two_norms_around_its_attention(encoders):
    encoder = encoders("coca")
    visual = encoder.opened([])[0]
    pool, post = visual.attn_pool, visual.ln_post

    ours = head_blind_readout(encoder, layer=layer_of(encoder))

    writes = array(visual.transformer.resblocks[-1].mlp.c_proj.weight).T
    values = centred(writes) * array(pool.ln_k.weight) @ array(pool.attn.v_proj_weight).T
    pooled = values @ array(pool.attn.out_proj.weight).T
    expected = centred(pooled) * array(post.weight) @ array(visual.proj)
    np.testing.assert_allclose(ours, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["resnet", "siglip", "coca"])
def test_heads_add_up_to_the_head_blind_read_out(name, encoders):
    encoder = encoders(name)
    directions = np.eye(encoder.identity.embedding_size)[:3]

    tables = head_tables(encoder, sample_pictures(), directions, layer=layer_of(encoder))

    blind = head_blind_readout(encoder, layer=layer_of(encoder))[:, :3].T
    assert tables.effects.shape[1] > 1
    np.testing.assert_allclose(
        tables.effects.sum(axis=1), blind, atol=1e-6 * np.abs(blind).max() + 1e-7
    )


@pytest.mark.parametrize("name", SOLVED)
def test_head_weighted_scores_are_exact_on_a_reference_set_of_one_picture(name, encoders):
    encoder, picture = encoders(name), sample_pictures()[:1]
    layer = layer_of(encoder)
    directions = np.random.default_rng(0).normal(size=(2, encoder.identity.embedding_size))

    tables = head_tables(encoder, picture, directions, layer=layer)
    scores = linear_scores(mean_responses(encoder, picture, layer=layer), head_weighted(tables))

    exact = encoder.attribute(picture, directions, layer=layer).units.sum(axis=2)
    np.testing.assert_allclose(scores, exact, rtol=1e-3, atol=1e-5)


def test_the_response_of_a_resnet_is_its_rectified_mean(encoders):
    encoder, pictures = encoders("resnet"), sample_pictures()
    layer = layer_of(encoder)

    ours = mean_responses(encoder, pictures, layer=layer)

    reading = Reading(layer=layer, pooling=Pooling.RELU_MEAN)
    theirs = encoder.encode_pictures(pictures, [reading]).units[reading]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_many_pictures_of_a_reference_set_count_alike(encoders, monkeypatch):
    encoder, pictures = encoders("coca"), sample_pictures()
    directions = np.eye(encoder.identity.embedding_size)[:2]
    whole = head_tables(encoder, pictures, directions, layer=layer_of(encoder))

    monkeypatch.setattr("probes.backends.text_weights.AT_ONCE", 1)
    alone = head_tables(encoder, pictures, directions, layer=layer_of(encoder))

    assert alone.pictures == whole.pictures == len(pictures)
    np.testing.assert_allclose(alone.shares, whole.shares, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 3, 16])
def test_every_picture_is_told_of_once_while_it_goes_through(at_once, encoders, monkeypatch):
    class Told:
        done = 0

        def advance(self, n):
            self.done += n

    monkeypatch.setattr("probes.backends.text_weights.AT_ONCE", at_once)
    encoder, pictures, told = encoders("vit"), sample_pictures(), Told()
    directions = np.eye(encoder.identity.embedding_size)[:2]

    encoder.head_tables(pictures, directions, layer=layer_of(encoder), progress=told)
    encoder.mean_responses(pictures, layer=layer_of(encoder), progress=told)
    encoder.second_order_directions(pictures, layer=layer_of(encoder, 0), kept=2, progress=told)

    assert told.done == 3 * len(pictures)


def test_a_unit_that_never_answers_has_no_share(encoders):
    encoder, pictures = encoders("resnet"), sample_pictures()[:1]
    layer = layer_of(encoder)
    directions = np.eye(encoder.identity.embedding_size)[:1]
    silent = mean_responses(encoder, pictures, layer=layer)[0] == 0
    assert silent.any()

    tables = head_tables(encoder, pictures, directions, layer=layer)

    assert np.isnan(tables.shares[:, silent]).all()
    assert np.isfinite(tables.shares[:, ~silent]).all()


def slow_second_order(visual, batch, layer, direction):
    """Loops over later blocks, heads and tokens, both norms held; class token only."""
    blocks = list(visual.transformer.resblocks)
    start = int(layer.split(".")[-2])
    kept = {}
    handles = [
        block.register_forward_pre_hook(lambda _, x, at=at: kept.__setitem__(at, x[0].clone()))
        for at, block in enumerate(blocks)
    ]
    handles.append(
        blocks[start].mlp.c_proj.register_forward_pre_hook(
            lambda _, x: kept.__setitem__("units", x[0].clone())
        )
    )
    handles.append(
        visual.ln_post.register_forward_pre_hook(lambda _, x: kept.__setitem__("post", x[0]))
    )
    with torch.no_grad():
        visual(batch)
    for handle in handles:
        handle.remove()

    def norm(layer_norm, held, vector):
        spread = held.var(correction=0).add(layer_norm.eps).sqrt()
        return layer_norm.weight * (vector - vector.mean()) / spread

    units = kept["units"]
    found = torch.zeros(len(batch), units.shape[-1], dtype=batch.dtype)
    writes = blocks[start].mlp.c_proj.weight
    for picture in range(len(batch)):
        for at in range(start + 1, len(blocks)):
            block, stream = blocks[at], kept[at][picture]
            attention, size = block.attn, stream.shape[1]
            q, k, _ = (
                block.ln_1(stream) @ attention.in_proj_weight.T + attention.in_proj_bias
            ).split(size, dim=1)
            value = attention.in_proj_weight[2 * size :]
            width = size // attention.num_heads
            for head in range(attention.num_heads):
                own = slice(head * width, (head + 1) * width)
                share = ((q[0, own] @ k[:, own].T) / width**0.5).softmax(0)
                for token, held in enumerate(stream):
                    for unit in range(units.shape[-1]):
                        moved = norm(block.ln_1, held, writes[:, unit])
                        out = attention.out_proj.weight[:, own] @ (value[own] @ moved)
                        end = norm(visual.ln_post, kept["post"][picture, 0], out) @ visual.proj
                        found[picture, unit] += (
                            share[token] * units[picture, token, unit] * (end @ direction)
                        )
    return found.numpy()


@pytest.mark.parametrize("at", [0, 1])
def test_effects_through_later_attention_are_those_of_slow_loops(at, models, monkeypatch):
    visual = models("vit").visual
    layer = f"visual.transformer.resblocks.{at}.mlp"
    chosen = [0, 3, 17]
    batch = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    direction = torch.randn(1, 24, generator=torch.Generator().manual_seed(2))
    with torch.no_grad(), recorded(relay_modules(visual, layer)) as found:
        visual(batch)
        whole, maps = second_order(visual, layer, found, direction, asked=chosen)

    with torch.no_grad():
        oracle = slow_second_order(visual, batch, layer, direction[0])

    np.testing.assert_allclose(whole[:, 0].numpy(), oracle, atol=1e-5)
    assert maps.shape == (1, 1, 3, 4, 4)
    assert torch.isfinite(maps).all()


def test_effects_of_the_last_but_one_block_are_gradients_less_the_direct_path(models):
    visual = models("vit-scaled").visual
    layer, last = "visual.transformer.resblocks.0.mlp", visual.transformer.resblocks[-1]
    batch = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    direction = torch.randn(1, 24, generator=torch.Generator().manual_seed(2))
    with torch.no_grad(), recorded(relay_modules(visual, layer)) as found:
        visual(batch)
        whole, _ = second_order(visual, layer, found, direction)

    stream, first = found["stream 1"], visual.transformer.resblocks[0]
    written = (first.mlp.c_proj.weight * first.ls_2.gamma[:, None]).detach()
    responses = found["units"].clone().requires_grad_()
    held = (stream - responses.detach() @ written.T) + responses @ written.T

    def norm(layer_norm, x):
        spread = (x.var(-1, correction=0, keepdim=True) + layer_norm.eps).sqrt().detach()
        return layer_norm.weight * (x - x.mean(-1, keepdim=True)) / spread + layer_norm.bias

    normed, attention = norm(last.ln_1, held), last.attn
    q, k, v = (normed @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, dim=-1)
    q, k, v = (x.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2) for x in (q, k, v))
    weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1).detach()
    mixed = last.ls_1(attention.out_proj((weights @ v).transpose(1, 2).flatten(2)))
    post = found["post"]
    spread = (post.var(-1, correction=0, keepdim=True) + visual.ln_post.eps).sqrt()
    read = visual.ln_post.weight * (mixed - mixed.mean(-1, keepdim=True)) / spread
    score = (read[:, 1:].mean(dim=1) @ visual.proj @ direction[0]).sum()
    (slope,) = torch.autograd.grad(score, responses)

    expected = (slope * responses).sum(dim=1).detach()
    torch.testing.assert_close(whole[:, 0], expected, atol=1e-5, rtol=1e-3)


def test_directions_of_units_are_principal_directions_of_their_strongest_effects():
    rng = torch.Generator().manual_seed(0)
    rows = torch.randn(6, 4, 5, generator=rng)
    passed = torch.randn(40, 4, 5, generator=rng)
    strongest = Strongest(rows, 10)
    for part in passed.split(7):
        strongest.add(part)

    directions, strength, explained = principal(strongest)

    for unit in range(5):
        effects = (passed[:, :, unit] @ rows[:, :, unit].T).double()
        top = effects[effects.norm(dim=1).argsort(descending=True)[:10]]
        _, sizes, turned = torch.linalg.svd(top)
        along = float((top @ turned[0]).mean())
        oracle = turned[0] * (1 if along > 0 else -1)
        torch.testing.assert_close(directions[unit], oracle, atol=1e-5, rtol=1e-4)
        assert float(strength[unit]) == pytest.approx(abs(along), rel=1e-4)
        share = float(sizes[0] ** 2 / (sizes**2).sum())
        assert float(explained[unit]) == pytest.approx(share, rel=1e-4)


def test_a_unit_that_never_answers_has_no_direction():
    strongest = Strongest(torch.ones(3, 2, 1), 4)
    strongest.add(torch.zeros(5, 2, 1))

    directions, _, explained = principal(strongest)

    assert torch.isnan(directions).all()
    assert torch.isnan(explained).all()


def test_directions_predict_what_the_units_of_a_vit_do_to_texts(encoders):
    encoder, pictures = encoders("vit"), sample_pictures()
    layer = layer_of(encoder, 0)

    found = second_order_directions(encoder, pictures, layer=layer)

    texts = encoder.encode_texts(["rain", "a photo of a baker"])
    weights = text_weights(found.directions * found.strength[:, None], texts)
    visual, batch = encoder.opened(pictures)
    with torch.no_grad(), recorded(relay_modules(visual, layer)) as kept:
        visual(batch)
        effects, _ = second_order(visual, layer, kept, torch.from_numpy(texts))
    mean = effects.mean(dim=0).numpy()
    rank_one = found.explained > 0.9
    assert rank_one.sum() > 20
    assert np.corrcoef(weights[:, rank_one].ravel(), mean[:, rank_one].ravel())[0, 1] > 0.9


@pytest.mark.parametrize("name", ["siglip", "coca", "resnet"])
def test_effects_through_later_attention_are_refused_where_they_are_not_known(name, encoders):
    encoder = encoders(name)

    with pytest.raises(ModelError, match="known for vision transformers of open_clip"):
        second_order_directions(encoder, sample_pictures(), layer=layer_of(encoder, 0))


def test_the_last_block_has_no_later_attention(encoders):
    encoder = encoders("vit")

    with pytest.raises(ModelError, match="Ask for an earlier layer"):
        second_order_directions(encoder, sample_pictures(), layer=layer_of(encoder))


def test_a_reference_set_has_at_least_one_picture(encoders):
    encoder = encoders("vit")
    layer = layer_of(encoder, 0)

    for asked in (
        lambda: head_tables(encoder, [], np.ones((1, 24)), layer=layer),
        lambda: mean_responses(encoder, [], layer=layer),
        lambda: second_order_directions(encoder, [], layer=layer),
    ):
        with pytest.raises(MeasureError, match="at least 1 picture"):
            asked()


def test_direct_and_later_effects_are_different_things(models):
    visual = models("vit").visual
    layer = "visual.transformer.resblocks.0.mlp"
    batch = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    opening, direction = opening_of(visual, layer), torch.ones(1, 24)
    with (
        torch.no_grad(),
        recorded({**opening.modules, **relay_modules(visual, layer)}) as found,
    ):
        visual(batch)
        direct = unit_parts(*opening.solve(found, direction))
        later, _ = second_order(visual, layer, found, direction)

    assert direct.shape == later.shape
    assert not torch.allclose(direct, later)
