"""Every architecture keeps the promises of an encoder and gives what open_clip itself gives."""

import dataclasses
import logging

import numpy as np
import open_clip
import pytest
import torch

from probes.backends import attribute as attribute_module
from probes.backends import open_clip as backend
from probes.backends import texts as texts_module
from probes.backends.table import architecture_layers, load_encoder
from probes.backends.text_weights import head_blind_readout, known_readout
from probes.backends.towers import readout_of
from probes.encoder import Pooling, Reading
from probes.errors import ModelError, ModelNameError
from probes.readings import default_reading
from probes.testing import check_encoder, sample_pictures

ARCHITECTURES = (
    "resnet",
    "vit",
    "vit-scaled",
    "siglip",
    "coca",
    "timm-vit",
    "convnext",
    "timm-resnet",
)
TEXTS = ("rain", "a photo of a baker", "a photo of a long red train near the sea", "rain", "snow")


@pytest.fixture(scope="module")
def encoders(folders):
    """Architecture name to a loaded encoder; made once."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = load_encoder(f"local-dir:{folders(name)}")
        return made[name]

    return get


def stock(folder):
    """The same model as open_clip itself loads it, with its own preprocessing."""
    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    return model.eval(), transform, open_clip.get_tokenizer(f"local-dir:{folder}")


def close(ours, theirs, share=1e-5):
    return np.abs(ours - theirs).max() <= share * np.abs(theirs).max()


def capture(module, *, before):
    """Keep copies of what goes into, or comes out of, a module."""
    kept = []

    def pre(_, inputs):
        kept.append(inputs[0].clone())

    def post(_, inputs, output):
        kept.append(output.clone())

    return kept, module.register_forward_pre_hook(pre) if before else module.register_forward_hook(
        post
    )


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_keeps_the_promises_of_an_encoder(name, encoders):
    check_encoder(encoders(name))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_embeddings_are_those_that_open_clip_gives(name, encoders, folders):
    model, transform, tokenize = stock(folders(name))
    pictures = sample_pictures()
    with torch.inference_mode():
        images = model.encode_image(
            torch.stack([transform(p) for p in pictures]), normalize=False
        ).numpy()
        texts = model.encode_text(tokenize(list(TEXTS)), normalize=False).numpy()

    assert close(encoders(name).encode_pictures(pictures).embeddings, images)
    assert close(encoders(name).encode_texts(TEXTS), texts)


def test_units_of_a_resnet_are_the_sum_before_the_last_relu(encoders, models):
    encoder, block = encoders("resnet"), models("resnet").visual.layer4[-1]
    readings = [
        Reading(layer="visual.layer4.1", pooling=pooling)
        for pooling in (Pooling.PREACT_MAX, Pooling.PREACT_MEAN, Pooling.RELU_MEAN)
    ]
    inputs, handle = capture(block, before=True)
    batch = torch.stack([encoder._transform(p) for p in sample_pictures()])
    with torch.inference_mode():
        models("resnet").encode_image(batch)
        handle.remove()
        x = block.act1(block.bn1(block.conv1(inputs[0])))
        x = block.act2(block.bn2(block.conv2(x)))
        maps = (block.bn3(block.conv3(block.avgpool(x))) + inputs[0]).numpy()

    units = encoder.encode_pictures(sample_pictures(), readings).units

    assert (maps < 0).any()
    assert close(units[readings[0]], maps.max(axis=(2, 3)))
    assert close(units[readings[1]], maps.mean(axis=(2, 3)))
    assert close(units[readings[2]], np.maximum(maps, 0).mean(axis=(2, 3)))


def test_a_tensor_kept_from_a_resnet_without_a_copy_would_be_rectified(models):
    kept = []
    visual = models("resnet").visual
    handle = visual.layer4[-1].act3.register_forward_pre_hook(lambda _, x: kept.append(x[0]))
    with torch.inference_mode():
        visual(torch.rand(2, 3, 64, 64))
    handle.remove()

    assert float(kept[0].min()) == 0.0


def test_every_stage_of_a_resnet_reads_though_forward_intermediates_fails(encoders, models):
    with pytest.raises(RuntimeError), torch.inference_mode():
        models("resnet").forward_intermediates(torch.rand(1, 3, 64, 64), image_indices=[1])
    encoder = encoders("resnet")

    out = encoder.encode_pictures(
        sample_pictures(), [Reading(layer="visual.layer1.0", pooling=Pooling.PREACT_MAX)]
    )

    assert [layer.n_units for layer in encoder.layers] == [32, 64, 128, 256]
    assert close(out.embeddings, encoder.encode_pictures(sample_pictures()).embeddings)


@pytest.mark.parametrize("block", [0, 2])
def test_units_of_a_vit_are_its_gelu_outputs_which_forward_intermediates_lacks(
    encoders, models, block
):
    encoder, visual = encoders("vit"), models("vit").visual
    layer = f"visual.transformer.resblocks.{block}.mlp"
    kept, handle = capture(visual.transformer.resblocks[block].mlp.gelu, before=False)
    batch = torch.stack([encoder._transform(p) for p in sample_pictures()])
    with torch.inference_mode():
        blocks = models("vit").forward_intermediates(batch)["image_intermediates"]
    handle.remove()
    hidden = kept[0].numpy()
    readings = {
        pooling: Reading(layer=layer, pooling=pooling) for pooling in encoder.layers[0].poolings
    }

    units = encoder.encode_pictures(sample_pictures(), list(readings.values())).units

    assert hidden.shape[-1] != blocks[block].shape[1]
    assert close(units[readings[Pooling.CLS]], hidden[:, 0])
    assert close(units[readings[Pooling.TOKEN_MAX]], hidden.max(axis=1))
    assert close(units[readings[Pooling.TOKEN_MEAN]], hidden.mean(axis=1))


@pytest.mark.parametrize("name", ["siglip", "timm-vit"])
def test_units_of_a_timm_tower_are_its_activation_outputs(name, encoders, models):
    encoder, trunk = encoders(name), models(name).visual.trunk
    kept, handle = capture(trunk.blocks[-1].mlp.act, before=False)
    with torch.inference_mode():
        models(name).encode_image(torch.stack([encoder._transform(p) for p in sample_pictures()]))
    handle.remove()
    reading = Reading(layer=encoder.layers[-1].name, pooling=Pooling.TOKEN_MAX)

    units = encoder.encode_pictures(sample_pictures(), [reading]).units[reading]

    assert close(units, kept[0].numpy().max(axis=1))


@pytest.mark.parametrize(
    ("name", "poolings"),
    [
        ("vit", ("cls", "token-max", "token-mean")),
        ("vit-scaled", ("token-max", "token-mean", "cls")),
        ("coca", ("token-max", "token-mean", "cls")),
        ("timm-vit", ("cls", "token-max", "token-mean")),
        ("siglip", ("token-max", "token-mean")),
        ("convnext", ("token-max", "token-mean")),
    ],
)
def test_the_default_pooling_is_the_one_that_the_tower_itself_uses(name, poolings, encoders):
    assert encoders(name).layers[-1].poolings == poolings
    assert default_reading(encoders(name).layers).pooling == poolings[0]


def test_a_tower_without_a_known_place_for_units_still_gives_embeddings(encoders):
    encoder = encoders("timm-resnet")

    assert encoder.layers == ()
    assert encoder.readout("anything") is None
    assert encoder.encode_pictures(sample_pictures()).embeddings.shape == (4, 24)
    with pytest.raises(ModelNameError, match="no layer that can be read"):
        encoder.encode_pictures([], [Reading(layer="x", pooling=Pooling.CLS)])


def test_hooks_inside_attention_never_fire_so_read_outs_come_from_weights(models):
    fired = []
    for name, module in (
        ("resnet", models("resnet").visual.attnpool.v_proj),
        ("vit", models("vit").visual.transformer.resblocks[0].attn.out_proj),
    ):
        handle = module.register_forward_hook(lambda *_, name=name: fired.append(name))
        with torch.inference_mode():
            side = models(name).visual.image_size
            models(name).visual(torch.rand(1, 3, *np.broadcast_to(side, 2).tolist()))
        handle.remove()

    assert fired == []


def test_the_readout_of_a_resnet_is_its_attention_pool_on_equal_positions(encoders, models):
    pool = models("resnet").visual.attnpool
    readout = encoders("resnet").readout("visual.layer4.1")
    places = pool.positional_embedding.data
    x = torch.rand(256)
    with torch.inference_mode():
        pool.positional_embedding.data = torch.zeros_like(places)
        at_x = pool(x[None, :, None, None].expand(1, 256, 2, 2))
        at_zero = pool(torch.zeros(1, 256, 2, 2))
        pool.positional_embedding.data = places

    assert close(x.numpy() @ readout, (at_x - at_zero)[0].numpy(), share=1e-4)
    assert encoders("resnet").readout("visual.layer3.0") is None


@pytest.mark.parametrize(
    ("name", "token", "share"), [("vit", 0, 1), ("vit-scaled", 1, 16), ("timm-vit", 0, 1)]
)
def test_the_readout_of_a_transformer_is_its_derivative_but_for_the_frozen_norm(
    name, token, share, encoders, models
):
    """Freezing the norm's scale leaves out one direction, the same for every unit."""
    encoder, visual = encoders(name), models(name).visual
    layer = encoder.layers[-1]
    readout = torch.from_numpy(encoder.readout(layer.name)).double()
    block, norm = (
        (visual.trunk.blocks[-1].mlp.fc2, visual.trunk.norm)
        if name == "timm-vit"
        else (visual.transformer.resblocks[-1].mlp.c_proj, visual.ln_post)
    )
    picture = encoder._transform(sample_pictures()[3])[None]

    def embed(change):
        def add(_, inputs):
            moved = inputs[0].clone()
            moved[:, token] += change
            return (moved,)

        hook = block.register_forward_pre_hook(add)
        out = visual(picture)[0]
        hook.remove()
        return out

    into, handle = capture(norm, before=True)
    derivative = torch.autograd.functional.jacobian(embed, torch.zeros(layer.n_units)).T.double()
    handle.remove()
    hidden = into[0][0] if into[0].ndim == 2 else into[0][0, token]
    scale = float((hidden.detach().var(unbiased=False) + norm.eps).sqrt())
    left_over = torch.linalg.svdvals(derivative * scale * share - readout)

    assert float(left_over[1]) < 1e-4 * float(torch.linalg.svdvals(readout)[0])


def test_no_readout_is_claimed_where_no_closed_form_is_known(encoders):
    assert encoders("convnext").readout(encoders("convnext").layers[-1].name) is None


@pytest.mark.parametrize("name", ["siglip", "coca"])
def test_the_readout_of_an_attention_pooling_is_the_head_blind_one_of_its_last_layer(
    name, encoders
):
    encoder = encoders(name)
    last = encoder.layers[-1].name

    ours = encoder.readout(last)

    theirs = head_blind_readout(encoder, layer=last)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7 * np.abs(theirs).max())
    assert encoder.readout(encoder.layers[0].name) is None
    assert encoder.readout(last) is ours


@pytest.mark.parametrize("name", ["resnet", "vit", "vit-scaled", "timm-vit"])
def test_the_readout_of_other_towers_is_the_one_of_their_weights_number_by_number(
    name, encoders, models
):
    last = encoders(name).layers[-1].name

    theirs = readout_of(models(name).visual, last).detach().numpy()

    np.testing.assert_array_equal(encoders(name).readout(last), theirs)


def test_a_closed_form_that_is_not_that_of_the_tower_is_no_readout(encoders, monkeypatch):
    encoder = encoders("coca")
    real = attribute_module.opening_of

    def other(visual, layer):
        opening = real(visual, layer)

        def solve(found, rows):
            readout, units = opening.solve(found, rows)
            return dataclasses.replace(readout, rows=2 * readout.rows), units

        return dataclasses.replace(opening, solve=solve)

    monkeypatch.setattr(attribute_module, "opening_of", other)

    assert known_readout(encoder, layer=encoder.layers[-1].name) is None


@pytest.mark.parametrize(
    ("name", "trims"),
    [("resnet", True), ("vit", True), ("convnext", True), ("siglip", False), ("coca", False)],
)
def test_padding_is_cut_only_from_causal_towers_that_read_the_end_of_the_text(
    name, trims, encoders
):
    assert encoders(name).trims_texts is trims


def test_a_tower_where_cutting_changes_the_embedding_gets_the_padded_text(
    folders, encoders, monkeypatch
):
    real, expected = texts_module.trimmed_forward, encoders("vit").encode_texts(TEXTS)
    monkeypatch.setattr(texts_module, "trimmed_forward", lambda *a: real(*a) * 1.001)

    encoder = load_encoder(f"local-dir:{folders('vit')}")

    assert not encoder.trims_texts
    assert close(encoder.encode_texts(TEXTS), expected)


def test_equal_texts_are_encoded_once_and_short_ones_together(encoders, monkeypatch):
    shapes, real = [], texts_module.trimmed_forward

    def watch(tower, tokens):
        shapes.append(tuple(tokens.shape))
        return real(tower, tokens)

    monkeypatch.setattr(texts_module, "trimmed_forward", watch)
    monkeypatch.setattr(texts_module, "BATCH", 2)

    encoders("vit").encode_texts(["snow " * 9, "rain", "a long photo of rain", "rain", "sea"])

    assert shapes == [(2, 3), (2, 11)]


@pytest.mark.parametrize("name", ["vit", "siglip", "coca"])
def test_texts_that_are_longer_than_the_model_reads_are_named(name, encoders, caplog):
    encoder = encoders(name)
    caplog.clear()
    caplog.set_level(logging.WARNING, logger="probes.backends.texts")
    encoder.encode_texts(["rain", "snow " * 29])
    assert caplog.text == ""

    encoder.encode_texts(["rain", "snow " * 31, "sea " * 40])

    assert "2 texts are longer than the 32 tokens that the model reads" in caplog.text


def test_no_texts_and_no_pictures_give_empty_tables(encoders):
    encoder = encoders("vit")
    reading = default_reading(encoder.layers)

    assert encoder.encode_texts([]).shape == (0, 24)
    out = encoder.encode_pictures([], [reading])
    assert out.embeddings.shape == (0, 24)
    assert out.units[reading].shape == (0, 128)


def test_the_identity_says_which_model_it_is(encoders, models):
    resnet, siglip = encoders("resnet").identity, encoders("siglip").identity

    assert resnet.name == "local-dir:resnet"
    assert resnet.architecture == "custom ResNet 1-2-1-2, width 8"
    assert (resnet.activation, siglip.activation) == ("relu/quickgelu", "gelu/gelu")
    assert resnet.image_size == 64
    assert resnet.n_parameters == sum(p.numel() for p in models("resnet").parameters())
    assert resnet.logit_scale == pytest.approx(float(models("resnet").logit_scale.detach().exp()))
    assert '"mean": [0.5, 0.5, 0.5]' in resnet.preprocessing
    assert resnet.weights_digest != siglip.weights_digest


@pytest.mark.parametrize(
    ("architecture", "n_layers", "last", "n_units"),
    [
        ("RN50x4", 4, "visual.layer4.5", 2560),
        ("ViT-L/14", 24, "visual.transformer.resblocks.23.mlp", 4096),
        ("ViT-B-16-SigLIP", 12, "visual.trunk.blocks.11.mlp", 3072),
    ],
)
def test_layers_of_a_published_architecture_are_known_without_its_weights(
    architecture, n_layers, last, n_units
):
    layers = architecture_layers(architecture)

    assert len(layers) == n_layers
    assert (layers[-1].name, layers[-1].n_units) == (last, n_units)


@pytest.mark.parametrize("tower", ["text", "image"])
@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "finite embeddings"), (0.25, "same embedding")]
)
def test_a_tower_that_gives_nonsense_is_refused(encoders, monkeypatch, tower, value, said):
    encoder = encoders("vit")
    real = encoder.encode_pictures

    def nonsense(*arguments):
        out = real(*arguments)
        out.embeddings[:] = value
        return out

    if tower == "text":
        monkeypatch.setattr(encoder, "encode_texts", lambda t: np.full((len(t), 24), value))
    else:
        monkeypatch.setattr(encoder, "encode_pictures", nonsense)

    with pytest.raises(ModelError, match=f"The {tower} tower .* {said}"):
        backend.check_outputs(encoder)
