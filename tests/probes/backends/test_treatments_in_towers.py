"""Units drawn towards values by hooks, and by weights: both give the same embeddings."""

import importlib.util
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from probes.backends.baked import bake_ablation, bake_projection, baked_checkpoint
from probes.backends.softened import soften, softened
from probes.backends.table import load_encoder
from probes.backends.toy import ToyEncoder
from probes.errors import MeasureError, ModelError, ModelNameError
from probes.interventions import silence
from probes.treatments import Ablation, basis_of, project_out

SPECIMENS = Path(__file__).parents[2] / "specimens" / "checkpoints.py"
_spec = importlib.util.spec_from_file_location("checkpoints_for_treatments", SPECIMENS)
made_here = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made_here)
DEMO = Path(__file__).parents[3] / "probes" / "embedded" / "demo"

TEXTS = ["a photo of a cat", "two boats", "a very long word"]


def pictures(side=48, n=3):
    rng = np.random.default_rng(5)
    return [
        Image.fromarray(rng.integers(0, 255, (side, side, 3), dtype=np.uint8)) for _ in range(n)
    ]


@pytest.fixture(scope="module")
def demo():
    return load_encoder("embedded:demo")


def network(encoder):
    """A copy of the network beneath an encoder, which may be changed."""
    visual, _ = encoder.opened(())
    return visual


def ablation_of(encoder, layer, strength, where="everywhere", units=(3, 1, 7)):
    held = encoder.hold(pictures(), layer, where).statistics.mean[list(units)]
    values = tuple(float(v) for v in held)
    return Ablation(layer=layer, units=units, values=values, where=where, strength=strength)


def close(one, other):
    length = np.linalg.norm(one, axis=1, keepdims=True)
    return np.abs(one - other).max() / length.max() < 1e-5


@pytest.mark.parametrize(
    ("architecture", "strength"),
    [("resnet", 0.5), ("resnet", 1.0), ("vit", 1.0), ("vit-scaled", 0.5), ("timm-vit", 1.0),
     ("convnext", 0.5)],
)  # fmt: skip
def test_weights_hold_units_of_every_layer_as_hooks_do(architecture, strength, tmp_path):
    encoder = made_here_encoder(architecture, tmp_path)
    for layer in encoder.layers:
        ablation = ablation_of(encoder, layer.name, strength)
        wanted = soften(encoder, ablation).encode_pictures(pictures()).embeddings
        plain = encoder.encode_pictures(pictures()).embeddings
        treated = made_here_encoder(architecture, tmp_path)
        with torch.no_grad():
            bake_ablation(_Model(network(treated)), ablation)

        assert close(wanted, treated.encode_pictures(pictures()).embeddings), layer.name
        assert not close(wanted, plain), layer.name


class _Model:
    """What baking looks at, where no text tower is needed."""

    def __init__(self, visual):
        self.visual = visual


def made_here_encoder(architecture, folder):
    made = folder / architecture
    if not made.exists():
        made_here_folder(architecture, made)
    return load_encoder(f"local-dir:{made}")


def made_here_folder(architecture, folder):
    model = made_here.make_model(made_here.CONFIGS[architecture], folder)
    weights = folder / "open_clip_model.safetensors"
    made_here.save_safetensors(model.state_dict(), weights)


def test_full_strength_is_the_edit_of_the_causal_check(demo):
    layer = demo.layers[-1]
    ablation = ablation_of(demo, layer.name, 1.0)
    edit = silence(layer.name, ablation.units, ablation.values, n_units=layer.n_units)

    edited = demo.encode_edited(pictures(), [edit]).embeddings

    assert close(edited, soften(demo, ablation).encode_pictures(pictures()).embeddings)


def test_strength_0_and_texts_are_as_the_model_gives_them_and_no_hook_stays(demo):
    ablation = ablation_of(demo, demo.layers[-1].name, 1.0)
    plain = demo.encode_pictures(pictures()).embeddings
    none = soften(demo, replace(ablation, strength=0.0))

    assert (none.encode_pictures(pictures()).embeddings == plain).all()
    assert (soften(demo, ablation).encode_texts(TEXTS) == demo.encode_texts(TEXTS)).all()
    with pytest.raises(RuntimeError), softened(network(demo), ablation):
        raise RuntimeError
    assert (demo.encode_pictures(pictures()).embeddings == plain).all()


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_baked_checkpoint_loads_strictly_and_gives_the_treated_embeddings(
    demo, strength, tmp_path
):
    layer = demo.layers[-1].name
    basis = basis_of(list(np.random.default_rng(2).normal(size=(2, 128))))
    ablation = ablation_of(demo, layer, strength)
    for name, write in {
        "ablated": partial(bake_ablation, ablation=ablation),
        "projected": partial(bake_projection, basis=basis, strength=strength),
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(DEMO / "open_clip_config.json", folder)
        baked = baked_checkpoint(
            "embedded:demo", pretrained=None, expected_digest=demo.identity.weights_digest,
            activation=None, offline=True, write=write,
        )  # fmt: skip
        (folder / "open_clip_model.safetensors").write_bytes(baked.content)
        loaded = load_encoder(f"local-dir:{folder}", expected_digest=baked.weights_digest)
        seen = loaded.encode_pictures(pictures()).embeddings
        read = loaded.encode_texts(TEXTS)
        if name == "ablated":
            assert close(soften(demo, ablation).encode_pictures(pictures()).embeddings, seen)
            assert (read == demo.encode_texts(TEXTS)).all()
        else:
            plain = demo.encode_pictures(pictures()).embeddings
            assert close(project_out(plain, basis, strength), seen)
            assert close(project_out(demo.encode_texts(TEXTS), basis, strength), read)


@pytest.mark.parametrize("architecture", ["resnet", "vit", "timm-vit", "siglip"])
def test_a_projection_goes_into_both_towers_or_is_refused(architecture, tmp_path):
    folder = tmp_path / architecture
    made_here_folder(architecture, folder)
    encoder = load_encoder(f"local-dir:{folder}")
    size = encoder.identity.embedding_size
    basis = basis_of([np.random.default_rng(3).normal(size=size)])
    write = partial(bake_projection, basis=basis, strength=1.0)
    bake = partial(
        baked_checkpoint, f"local-dir:{folder}", pretrained=None, expected_digest=None,
        activation=None, offline=True, write=write,
    )  # fmt: skip
    if architecture == "siglip":
        with pytest.raises(MeasureError, match="does not end in a linear map"):
            bake()
        return
    weights = next(folder.glob("*.safetensors"))
    baked = bake()
    weights.write_bytes(baked.content)
    treated = load_encoder(f"local-dir:{folder}")

    plain = encoder.encode_pictures(pictures()).embeddings
    assert close(project_out(plain, basis, 1.0), treated.encode_pictures(pictures()).embeddings)
    assert close(project_out(encoder.encode_texts(TEXTS), basis, 1.0), treated.encode_texts(TEXTS))


def test_a_class_token_of_the_last_block_can_be_held_by_weights_and_of_an_earlier_not(tmp_path):
    encoder = made_here_encoder("vit", tmp_path)
    first, last = encoder.layers[0].name, encoder.layers[-1].name
    ablation = ablation_of(encoder, last, 1.0, where="class")
    wanted = soften(encoder, ablation).encode_pictures(pictures()).embeddings
    treated = made_here_encoder("vit", tmp_path)
    with torch.no_grad():
        bake_ablation(_Model(network(treated)), ablation)

    assert close(wanted, treated.encode_pictures(pictures()).embeddings)
    with pytest.raises(MeasureError, match="class token alone"):
        bake_ablation(_Model(network(treated)), replace(ablation, layer=first))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"layer": "visual.nowhere"}, ModelNameError, "nowhere"),
        ({"units": (9999,), "values": (0.0,)}, MeasureError, "numbered 0 to 511; got 9999"),
        ({"where": "class"}, MeasureError, "no class token"),
    ],
)
def test_an_ablation_that_does_not_fit_is_refused(demo, change, error, words):
    ablation = ablation_of(demo, demo.layers[-1].name, 1.0)

    with pytest.raises(error, match=words):
        soften(demo, replace(ablation, **change))


def test_a_model_without_a_tower_is_refused():
    ablation = Ablation(layer="toy.colours", units=(0,), values=(0.0,))

    with pytest.raises(MeasureError, match="its tower is not at hand"):
        soften(ToyEncoder(), ablation)
    with pytest.raises(MeasureError, match="no weights that a treatment"):
        baked_checkpoint(
            "toy", pretrained=None, expected_digest=None, activation=None, offline=True,
            write=lambda model: None,
        )  # fmt: skip


def test_weights_that_are_not_the_audited_ones_are_not_baked():
    with pytest.raises(ModelError, match="must have the digest"):
        baked_checkpoint(
            "embedded:demo", pretrained=None, expected_digest="sha256:0", activation=None,
            offline=True, write=lambda model: None,
        )  # fmt: skip
