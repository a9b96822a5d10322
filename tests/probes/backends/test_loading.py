"""The model that was asked for is loaded from every public layout; any other is refused."""

import json
import logging
import os
import random
import socket
import warnings
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import open_clip
import open_clip.factory
import open_clip.pretrained
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from probes.backends import checkpoint
from probes.backends.checkpoint import digest_of, read_checkpoint
from probes.backends.table import load_encoder
from probes.errors import ModelError, ModelNameError

TEXTS = ("rain", "a photo of a baker")
FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.bin",
    "model.pth",
    "weights.pt",
    "epoch_3.pt",
)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def registered(tmp_path, configs, monkeypatch):
    """Architecture names ``Tiny-ViT`` and ``Tiny-RN``, the latter with a QuickGELU twin."""
    known = {
        "Tiny-ViT": configs["vit"],
        "Tiny-RN": {k: v for k, v in configs["resnet"].items() if k != "quick_gelu"},
        "Tiny-RN-quickgelu": configs["resnet"],
    }
    monkeypatch.setattr(
        open_clip.factory, "_MODEL_CONFIGS", {**open_clip.factory._MODEL_CONFIGS, **known}
    )
    return known


@pytest.fixture
def published(registered, models, writers, tmp_path, monkeypatch):
    """A pretrained tag ``openai`` of ``Tiny-RN``, trained with QuickGELU."""
    weights = tmp_path / "published.safetensors"
    writers["open_clip_model.safetensors"](models("resnet").state_dict(), weights)
    tag = {"file": str(weights), "quick_gelu": True, "mean": (0.1, 0.2, 0.3)}
    for name in ("Tiny-RN", "Tiny-RN-quickgelu"):
        monkeypatch.setitem(open_clip.pretrained._PRETRAINED, name, {"openai": tag})
    return weights


@pytest.mark.parametrize("file", FILES)
def test_every_layout_of_a_folder_gives_the_same_model(file, tiny, writers, folders):
    folder, tensors = tiny
    writers[file](tensors, folder / file)
    expected = load_encoder(f"local-dir:{folders('vit')}")

    encoder = load_encoder(f"local-dir:{folder}")

    assert encoder.identity.weights_digest == expected.identity.weights_digest
    assert encoder.identity.pretrained == file
    np.testing.assert_array_equal(encoder.encode_texts(TEXTS), expected.encode_texts(TEXTS))


@pytest.mark.parametrize("file", FILES)
def test_an_architecture_with_a_file_gives_the_same_model(file, tiny, writers, folders, registered):
    folder, tensors = tiny
    writers[file](tensors, folder / file)
    expected = load_encoder(f"local-dir:{folders('vit')}")

    encoder = load_encoder("Tiny-ViT", pretrained=str(folder / file))

    assert encoder.identity.name == f"Tiny-ViT/{file}"
    assert encoder.identity.architecture == "Tiny-ViT"
    assert encoder.identity.weights_digest == expected.identity.weights_digest
    assert encoder.identity.preprocessing == expected.identity.preprocessing


def test_a_file_with_its_configuration_beside_it_is_enough(tiny, writers):
    folder, tensors = tiny
    writers["weights.pt"](tensors, folder / "run-7.pt")

    assert load_encoder(str(folder / "run-7.pt")).identity.pretrained == "run-7.pt"
    assert load_encoder(str(folder)).identity.pretrained == "run-7.pt"


def test_a_half_precision_checkpoint_computes_in_single_precision(tiny, writers):
    folder, tensors = tiny
    halves = {n: t.half() if t.is_floating_point() else t for n, t in tensors.items()}
    writers["open_clip_model.safetensors"](halves, folder / "open_clip_model.safetensors")
    (twin := folder / "twin").mkdir()
    (twin / "open_clip_config.json").write_text((folder / "open_clip_config.json").read_text())
    singles = {n: t.float() if t.is_floating_point() else t for n, t in halves.items()}
    writers["weights.pt"](singles, twin / "weights.pt")

    encoder, same = load_encoder(f"local-dir:{folder}"), load_encoder(f"local-dir:{twin}")

    assert {p.dtype for p in encoder._model.parameters()} == {torch.float32}
    assert encoder.identity.weights_digest == same.identity.weights_digest
    np.testing.assert_array_equal(encoder.encode_texts(TEXTS), same.encode_texts(TEXTS))


def test_a_loaded_model_is_in_evaluation_mode_and_frozen(folders):
    model = load_encoder(f"local-dir:{folders('resnet')}")._model

    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())


def hub_copy(root: Path, repository: str, folder: Path) -> None:
    """Lay a folder out as the hub's cache does."""
    home = root / f"models--{repository.replace('/', '--')}"
    snapshot = home / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)
    for path in folder.iterdir():
        (snapshot / path.name).write_bytes(path.read_bytes())


@pytest.mark.parametrize("revision", ["", f"@{COMMIT}"])
def test_a_hub_model_loads_offline_from_its_cache_and_says_its_commit(
    revision, tmp_path, folders, monkeypatch
):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(socket.socket, "connect", None)
    hub_copy(tmp_path / "hub", "somebody/tiny", folders("resnet"))

    encoder = load_encoder(f"hf-hub:somebody/tiny{revision}", offline=True)

    assert encoder.identity.pretrained == f"somebody/tiny@{COMMIT[:12]}"
    expected = load_encoder(f"local-dir:{folders('resnet')}").identity
    assert encoder.identity.weights_digest == expected.weights_digest


def test_a_hub_model_that_is_not_cached_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    with pytest.raises(ModelError, match=r"not on this machine .*hub\) .*offline; run once"):
        load_encoder("hf-hub:somebody/tiny", offline=True)


def test_a_tag_that_is_not_cached_is_never_replaced_by_random_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(ModelError, match="name the architecture RN50-quickgelu"):
        load_encoder("RN50", pretrained="openai", offline=True)
    with pytest.raises(ModelError, match=r"timm/resnet50_clip\.openai is not on this machine"):
        load_encoder("RN50-quickgelu", pretrained="openai", offline=True)


def test_a_tag_brings_its_preprocessing_and_its_name(published):
    identity = load_encoder("Tiny-RN-quickgelu", pretrained="openai").identity

    assert identity.name == "Tiny-RN-quickgelu/openai"
    assert '"mean": [0.1, 0.2, 0.3]' in identity.preprocessing
    assert identity.activation == "relu/quickgelu"


def test_another_activation_function_than_the_weights_had_is_refused(published):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        open_clip.create_model("Tiny-RN", pretrained="openai")
    assert any("QuickGELU mismatch" in str(one.message) for one in said), "stock only warns"

    with pytest.raises(ModelError, match=r"trained with quickgelu; name .* Tiny-RN-quickgelu"):
        load_encoder("Tiny-RN", pretrained="openai")
    with pytest.raises(ModelError, match="trained with quickgelu"):
        load_encoder("Tiny-RN", pretrained=str(published))
    with pytest.raises(ModelError, match="trained with gelu"):
        load_encoder("Tiny-RN-quickgelu", pretrained="openai", activation="gelu")
    with pytest.raises(ModelNameError, match="got 'tanh'"):
        load_encoder("Tiny-RN-quickgelu", pretrained="openai", activation="tanh")


def test_a_user_who_knows_the_activation_function_may_state_it(published):
    encoder = load_encoder("Tiny-RN", pretrained=str(published), activation="gelu")

    assert encoder.identity.activation == "relu/gelu"


def test_a_file_is_preprocessed_as_the_published_tags_of_its_architecture_agree(published):
    identity = load_encoder("Tiny-RN-quickgelu", pretrained=str(published)).identity

    assert '"mean": [0.1, 0.2, 0.3]' in identity.preprocessing


@pytest.fixture
def at_home_on_the_hub(registered, tmp_path, monkeypatch):
    """A tag ``ours`` of ``Tiny-RN-quickgelu`` whose home is the hub repository somebody/tiny."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    tag = {"hf_hub": "somebody/tiny/", "quick_gelu": True}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "Tiny-RN-quickgelu", {"ours": tag})
    return tmp_path / "hub"


def test_a_tag_loads_offline_from_the_cache_of_the_hub(at_home_on_the_hub, folders):
    hub_copy(at_home_on_the_hub, "somebody/tiny", folders("resnet"))
    by_tag = load_encoder("Tiny-RN-quickgelu/ours", offline=True).identity
    by_hub = load_encoder("hf-hub:somebody/tiny", offline=True).identity

    assert by_tag.weights_digest == by_hub.weights_digest
    assert by_tag.architecture == by_hub.architecture == "Tiny-RN-quickgelu"


def test_a_hub_model_must_have_the_activation_function_of_its_tag(at_home_on_the_hub, folders):
    hub_copy(at_home_on_the_hub, "somebody/tiny", folders("vit"))

    with pytest.raises(ModelError, match="trained with quickgelu"):
        load_encoder("hf-hub:somebody/tiny", offline=True)


def test_a_tokenizer_that_needs_a_missing_package_says_which(folders, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("No module named 'transformers'", name="transformers")

    monkeypatch.setattr(open_clip, "get_tokenizer", missing)

    with pytest.raises(ModelError, match="install it with: pip install transformers"):
        load_encoder(f"local-dir:{folders('vit')}")


def test_a_tokenizer_that_knows_more_words_than_the_model_is_refused(tmp_path, configs, make_model):
    config = {**configs["vit"], "text_cfg": {**configs["vit"]["text_cfg"], "vocab_size": 900}}
    torch.save(make_model(config, tmp_path).state_dict(), tmp_path / "weights.pt")

    with pytest.raises(ModelError, match="gives token 49407, but its text tower knows only 900"):
        load_encoder(f"local-dir:{tmp_path}")


def test_a_configuration_beside_a_file_that_says_another_activation_is_heeded(registered, folders):
    weights = folders("resnet") / "open_clip_model.safetensors"

    with pytest.raises(ModelError, match="trained with quickgelu"):
        load_encoder("Tiny-RN", pretrained=str(weights))


def test_activation_is_part_of_the_identity_though_the_weights_are_equal(published):
    quick = load_encoder("Tiny-RN-quickgelu", pretrained="openai").identity
    plain = load_encoder("Tiny-RN", pretrained=str(published), activation="gelu").identity

    assert quick.weights_digest == plain.weights_digest
    assert quick.config_digest != plain.config_digest


def test_a_folder_without_weights_is_refused_though_open_clip_gives_a_random_model(tiny, caplog):
    folder, _ = tiny
    with caplog.at_level(logging.WARNING):
        open_clip.create_model(f"local-dir:{folder}")
    assert "initialized randomly" in caplog.text

    with pytest.raises(ModelError, match=r"must hold a weight file .*random and is not audited"):
        load_encoder(f"local-dir:{folder}")


def test_an_architecture_without_weights_is_refused_and_its_tags_are_named(registered):
    with pytest.raises(ModelError, match=r"RN50 needs pretrained weights.* openai, yfcc15m, cc12m"):
        load_encoder("RN50")
    with pytest.raises(ModelError, match="give a checkpoint file with --pretrained"):
        load_encoder("Tiny-ViT")


def test_weights_of_another_architecture_are_refused(registered, folders):
    weights = str(folders("resnet") / "open_clip_model.safetensors")

    with pytest.raises(ModelError, match=r"does not: \d+ missing \(.*\d+ unknown \("):
        load_encoder("Tiny-ViT", pretrained=weights)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("visual.proj"), r"1 missing \(visual\.proj\)"),
        (lambda t: t.update(extra=torch.ones(2)), r"1 unknown \(extra\)"),
        (
            lambda t: t.update({"visual.positional_embedding": torch.rand(50, 32)}),
            r"visual\.positional_embedding is \(50, 32\) instead of \(17, 32\)",
        ),
        (
            lambda t: t.update({"visual.proj": torch.ones(32, 24, dtype=torch.int8)}),
            r"visual\.proj is torch\.int8",
        ),
        (lambda t: t["text_projection"].view(-1)[3:4].fill_(np.nan), "text_projection holds NaN"),
        (lambda t: t["visual.proj"].view(-1)[:1].fill_(np.inf), "visual.proj holds NaN or inf"),
        (lambda t: [x.zero_() for x in t.values()], "initial values"),
    ],
    ids=["missing", "unknown", "stretched", "quantised", "nan", "infinite", "zero"],
)
def test_wrong_weights_are_refused_and_named(change, said, tiny, writers):
    folder, tensors = tiny
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    change(tensors)
    writers["weights.pt"](tensors, folder / "weights.pt")

    with pytest.raises(ModelError, match=said):
        load_encoder(f"local-dir:{folder}")


@pytest.mark.parametrize("name", ["vit", "resnet", "siglip", "timm-vit"])
def test_a_network_saved_before_training_is_refused(name, tmp_path, configs):
    content = {"model_cfg": configs[name], "preprocess_cfg": {}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(content))
    model = open_clip.create_model(f"local-dir:{tmp_path}", load_weights=False)
    torch.save(model.state_dict(), tmp_path / "weights.pt")

    with pytest.raises(ModelError, match="saved before training"):
        load_encoder(f"local-dir:{tmp_path}")


def test_a_constant_text_tower_is_refused(tiny, writers):
    folder, tensors = tiny
    tensors = {**tensors, "text_projection": torch.zeros_like(tensors["text_projection"])}
    writers["weights.pt"](tensors, folder / "weights.pt")

    with pytest.raises(ModelError, match=r"text tower .* same embedding for everything"):
        load_encoder(f"local-dir:{folder}")


def test_a_pinned_digest_must_be_met(folders):
    name = f"local-dir:{folders('vit')}"
    digest = load_encoder(name).identity.weights_digest

    assert load_encoder(name, expected_digest=digest).identity.weights_digest == digest
    with pytest.raises(ModelError, match="must have the digest sha256:00, but have sha256:"):
        load_encoder(name, expected_digest="sha256:00")


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_the_digest_depends_on_names_shapes_types_and_bytes_but_not_on_order(seed):
    rng = np.random.default_rng(seed)
    tensors = {"a": torch.from_numpy(rng.random((2, 3))), "b": torch.from_numpy(rng.random(4))}
    digest = digest_of(tensors)

    assert digest_of(dict(reversed(tensors.items()))) == digest
    others = (
        {"a": tensors["a"].reshape(3, 2), "b": tensors["b"]},
        {"a": tensors["a"], "c": tensors["b"]},
        {"a": tensors["a"].float(), "b": tensors["b"]},
        {"a": tensors["a"].clone().index_fill_(0, torch.tensor([1]), 2.0), "b": tensors["b"]},
    )
    assert len({digest, *map(digest_of, others)}) == 5


def test_of_several_weight_files_the_one_that_open_clip_prefers_is_taken(tiny, writers, caplog):
    folder, tensors = tiny
    writers["open_clip_model.safetensors"](tensors, folder / "open_clip_model.safetensors")
    writers["weights.pt"]({"wrong": torch.ones(1)}, folder / "another.pt")

    with caplog.at_level(logging.INFO):
        encoder = load_encoder(f"local-dir:{folder}")

    assert encoder.identity.pretrained == "open_clip_model.safetensors"
    assert "open_clip_model.safetensors is taken" in caplog.text


def test_several_weight_files_without_a_usual_name_are_refused_and_named(tiny, writers):
    folder, tensors = tiny
    for name in ("one.pt", "two.pt"):
        writers["weights.pt"](tensors, folder / name)

    with pytest.raises(ModelError, match=r"2 weight files \(one\.pt, two\.pt\)"):
        load_encoder(f"local-dir:{folder}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "must hold open_clip_config.json"),
        ("{", "must be JSON"),
        ("[1]", "must have a key 'model_cfg'"),
        ('{"model_cfg": {"embed_dim": 3}}', "must have a key 'model_cfg'"),
        (
            '{"model_cfg": {"embed_dim": 8, "vision_cfg": {"wide": 3}, "text_cfg": {}}}',
            "must describe a model that open_clip can build.*wide",
        ),
        (
            '{"model_cfg": {"embed_dim": 8, "vision_cfg": {"timm_model_name": "no_such"},'
            ' "text_cfg": {}}}',
            "must describe a model that open_clip can build.*no_such",
        ),
        (
            '{"model_cfg": {"embed_dim": 8, "vision_cfg": {"timm_model_name": "hf-hub:a/b"},'
            ' "text_cfg": {}}}',
            "got 'hf-hub:a/b', which would be fetched from elsewhere",
        ),
    ],
)
def test_a_configuration_that_describes_no_model_is_refused(content, said, tiny, writers):
    folder, tensors = tiny
    writers["weights.pt"](tensors, folder / "weights.pt")
    (folder / "open_clip_config.json").unlink()
    if content is not None:
        (folder / "open_clip_config.json").write_text(content)

    with pytest.raises(ModelError, match=said):
        load_encoder(f"local-dir:{folder}")


class Canary:
    """Unpickling this runs code that leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt"])
def test_code_in_a_checkpoint_is_never_run(suffix, zipped, nested, tiny):
    folder, tensors = tiny
    bait = Canary(folder / "ran")
    content = {"state_dict": tensors, "optimizer": bait} if nested else {**tensors, "x": bait}
    torch.save(content, folder / f"w{suffix}", _use_new_zipfile_serialization=zipped)

    with pytest.raises(ModelError, match=r"refers to code \(\w+\.mkdir\); nothing in it was run"):
        load_encoder(f"local-dir:{folder}")

    assert not (folder / "ran").exists()
    torch.load(folder / f"w{suffix}", weights_only=False)
    assert (folder / "ran").exists(), "the bait works, so the test can fail"


@pytest.mark.filterwarnings("ignore:.*jit.script")
def test_a_torchscript_archive_is_refused(tiny):
    folder, _ = tiny
    torch.jit.script(torch.nn.Linear(2, 2)).save(folder / "weights.pt")

    with pytest.raises(ModelError, match="TorchScript archive, which holds code"):
        load_encoder(f"local-dir:{folder}")


def test_a_torch_too_old_to_read_pickles_safely_is_refused(tiny, writers, monkeypatch):
    folder, tensors = tiny
    writers["weights.pt"](tensors, folder / "weights.pt")
    monkeypatch.setattr(checkpoint.torch, "__version__", "2.9.1+cpu")

    with pytest.raises(ModelError, match=r"torch 2\.9\.1\+cpu cannot read those safely"):
        load_encoder(f"local-dir:{folder}")


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {}, {"state_dict": {"a": 1}}])
def test_a_file_that_holds_no_named_tensors_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "weights.pt")

    with pytest.raises(ModelError, match="must hold named tensors"):
        read_checkpoint(tmp_path / "weights.pt")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(suffix, share, tmp_path, models):
    path = tmp_path / f"weights{suffix}"
    tensors = {"a": torch.rand(40, 50), "b": torch.rand(7)}
    save_file(tensors, path) if suffix == ".safetensors" else torch.save(tensors, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])

    with pytest.raises(ModelError, match=f"weights{suffix}.*fetch it again"):
        read_checkpoint(path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_a_damaged_checkpoint_is_read_or_refused_never_a_crash(suffix, seed, tmp_path):
    rng, path = random.Random(seed), tmp_path / f"weights{suffix}"
    tensors = {"a": torch.rand(3, 4), "b": torch.rand(7)}
    if suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=suffix == ".pt")
    content = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 8)):
        content[rng.randrange(min(len(content), 600))] = rng.randrange(256)
    path.write_bytes(content)

    try:
        read = read_checkpoint(path)
    except ModelError:
        read = {}
    assert all(isinstance(tensor, torch.Tensor) for tensor in read.values())
