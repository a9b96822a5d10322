"""The model that was asked for is audited in every loading form, and no other ever is."""

import json
from pathlib import Path

import huggingface_hub.constants
import open_clip.factory
import open_clip.pretrained
import pytest
import torch
from safetensors.torch import save_file

from audit.results import Verdict
from probes.backends.checkpoint import digest_of

LAYERS = {
    "resnet": ("custom ResNet 1-2-1-2, width 8", "visual.layer4.1"),
    "vit": ("custom ViT 3, width 32", "visual.transformer.resblocks.2"),
    "siglip": ("custom test_vit3", "visual.trunk.blocks.8"),
    "coca": ("custom ViT 2, width 32", "visual.transformer.resblocks.1"),
}
"""Name to the architecture that the result states, and where units are read by default."""

FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.bin",
    "model.pth",
    "weights.pt",
    "epoch_3.pt",
)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def audit(cli, world):
    """Audit a model in the small world."""

    def run(*words: object):
        return cli("run", "plan.toml", "--format", "json", "--offline", *words)

    return run


@pytest.fixture
def registered(checkpoints, monkeypatch):
    """Architecture names ``Tiny-ViT`` and ``Tiny-RN``, the latter with a QuickGELU twin."""
    resnet = checkpoints.CONFIGS["resnet"]
    known = {
        "Tiny-ViT": checkpoints.CONFIGS["vit"],
        "Tiny-RN": {k: v for k, v in resnet.items() if k != "quick_gelu"},
        "Tiny-RN-quickgelu": resnet,
    }
    monkeypatch.setattr(
        open_clip.factory, "_MODEL_CONFIGS", {**open_clip.factory._MODEL_CONFIGS, **known}
    )


def halved(tensors):
    return {n: t.half() if t.is_floating_point() else t for n, t in tensors.items()}


@pytest.mark.parametrize("name", LAYERS)
def test_every_architecture_is_audited_from_a_folder(name, audit, checkpoint, tensors):
    end = audit("--model", f"local-dir:{checkpoint(name)}")

    assert end.code == 0, end.err
    model = end.result.model
    architecture, layer = LAYERS[name]
    assert model.name == f"local-dir:tiny-{name}"
    assert model.architecture == architecture
    assert model.layers[-1].name.startswith(layer)
    assert model.weights_digest == digest_of(tensors(name))
    assert end.result.verdict.verdict is not None


@pytest.mark.parametrize("file", FILES)
def test_every_weight_file_of_a_folder_is_audited(file, audit, checkpoint, tensors):
    end = audit("--model", f"local-dir:{checkpoint('vit', file)}")

    assert end.code == 0, end.err
    assert end.result.model.pretrained == file
    assert end.result.model.weights_digest == digest_of(tensors("vit"))


@pytest.mark.parametrize("file", [FILES[0], FILES[3], FILES[4]])
def test_an_architecture_with_a_file_is_audited(file, audit, checkpoint, tensors, registered):
    path = checkpoint("vit", file) / file

    end = audit("--model", "Tiny-ViT", "--pretrained", path)

    assert end.code == 0, end.err
    model = end.result.model
    assert (model.name, model.architecture) == (f"Tiny-ViT/{file}", "Tiny-ViT")
    assert model.layers[-1].name.startswith("visual.transformer.resblocks.2")
    assert model.weights_digest == digest_of(tensors("vit"))


def test_a_half_precision_checkpoint_is_audited_in_single_precision(audit, checkpoint, tensors):
    end = audit("--model", f"local-dir:{checkpoint('resnet', change=halved)}")

    assert end.code == 0, end.err
    singles = {n: t.half().float() if t.is_floating_point() else t
               for n, t in tensors("resnet").items()}  # fmt: skip
    assert end.result.model.weights_digest == digest_of(singles)


@pytest.mark.parametrize("revision", ["", f"@{COMMIT}"])
def test_a_hub_model_is_audited_offline_from_its_cache(
    revision, audit, checkpoint, tensors, tmp_path, monkeypatch
):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    home = tmp_path / "hub" / "models--somebody--tiny"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(COMMIT)
    (home / "snapshots").mkdir()
    checkpoint("vit").rename(home / "snapshots" / COMMIT)

    end = audit("--model", f"hf-hub:somebody/tiny{revision}")

    assert end.code == 0, end.err
    assert end.result.model.pretrained == f"somebody/tiny@{COMMIT[:12]}"
    assert end.result.model.weights_digest == digest_of(tensors("vit"))


def test_a_published_tag_is_audited_from_this_machine(
    audit, checkpoint, tensors, registered, monkeypatch
):
    weights = checkpoint("resnet") / "open_clip_model.safetensors"
    tag = {"file": str(weights), "quick_gelu": True}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "Tiny-RN-quickgelu", {"ours": tag})

    end = audit("--model", "Tiny-RN-quickgelu/ours")

    assert end.code == 0, end.err
    model = end.result.model
    assert (model.architecture, model.pretrained) == ("Tiny-RN-quickgelu", "ours")
    assert model.activation == "relu/quickgelu"
    assert model.weights_digest == digest_of(tensors("resnet"))


def test_one_more_concept_encodes_only_what_is_new_in_a_resnet(
    audit, cli, checkpoint, world, tmp_path
):
    world.write_packs(tmp_path / "packs", controls=3)
    roles = {"rendered": "describes", "more": 'roles = ["identity"]'}
    world.write_plan(
        tmp_path, **roles, name="two.toml", identities='["people/ones", "people/twos"]'
    )
    world.write_plan(tmp_path, **roles)
    model = f"local-dir:{checkpoint('resnet')}"
    first = cli("run", "two.toml", "--format", "json", "--model", model)

    second = audit("--model", model)

    before = 4 * world.TERMS + 3 * world.CONTROL_TERMS
    assert first.encoded() == first.encoded("rendered") == (before, 0)
    assert second.encoded() == second.encoded("rendered") == (world.TERMS, before)
    assert second.result.verdict.verdict is Verdict.INSUFFICIENT


# --- models that are refused ---------------------------------------------------------------------


class Call:
    """What would call a function when it is read."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


def pickled_code(folder: Path, tensors) -> None:
    torch.save({**tensors("vit"), "x": Call(open, "it-ran", "w")}, folder / "model.pth")


def pickled_builtin(folder: Path, tensors) -> None:
    torch.save({**tensors("vit"), "x": Call(eval, "open('it-ran', 'w')")}, folder / "model.pth")


def truncated(folder: Path, tensors) -> None:
    path = folder / "open_clip_model.safetensors"
    save_file({n: t.contiguous() for n, t in tensors("vit").items()}, path)
    path.write_bytes(path.read_bytes()[:-100])


def truncated_pickle(folder: Path, tensors) -> None:
    torch.save(tensors("vit"), folder / "model.pth")
    (folder / "model.pth").write_bytes((folder / "model.pth").read_bytes()[:5000])


def not_a_number(folder: Path, tensors) -> None:
    broken = {n: t.clone() for n, t in tensors("vit").items()}
    broken["visual.proj"][0, 0] = float("nan")
    save_file(broken, folder / "open_clip_model.safetensors")


def other_shapes(folder: Path, tensors) -> None:
    save_file({n: t.contiguous() for n, t in tensors("coca").items()}, folder / "model.safetensors")


def some_missing(folder: Path, tensors) -> None:
    kept = {n: t.contiguous() for n, t in tensors("vit").items() if "resblocks.1" not in n}
    save_file(kept, folder / "model.safetensors")


def two_candidates(folder: Path, tensors) -> None:
    for name in ("a.pt", "b.pt"):
        torch.save(tensors("vit"), folder / name)


def nothing(folder: Path, tensors) -> None:
    pass


def empty_file(folder: Path, tensors) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def no_configuration(folder: Path, tensors) -> None:
    (folder / "open_clip_config.json").unlink()


WRONG = {
    nothing: "must hold a weight file",
    other_shapes: "must hold the weights of custom ViT 3, width 32, but does not",
    some_missing: "missing",
    not_a_number: "visual.proj holds NaN",
    pickled_code: "refers to code (io.open); nothing in it was run",
    pickled_builtin: "refers to code (eval); nothing in it was run",
    truncated: "must be a complete safetensors file",
    truncated_pickle: "is damaged or not a checkpoint",
    empty_file: "must be a complete safetensors file",
    two_candidates: "holds 2 weight files",
    no_configuration: "must hold open_clip_config.json",
}


@pytest.mark.parametrize("damage", WRONG, ids=lambda damage: damage.__name__)
def test_a_folder_with_other_weights_is_refused(damage, audit, checkpoints, tensors, tmp_path):
    folder = tmp_path / "wrong"
    folder.mkdir()
    checkpoints.write_config(checkpoints.CONFIGS["vit"], folder)
    damage(folder, tensors)

    end = audit("--model", f"local-dir:{folder}")

    assert end.code == 3
    assert_refused(end, WRONG[damage])
    assert not (tmp_path / "it-ran").exists()


def assert_refused(end, said: str) -> None:
    """One sentence after the progress line, and no audit."""
    loading, sentence = end.err.splitlines()
    assert loading.startswith("Loading ")
    assert sentence.startswith("Error: ")
    assert said in sentence
    assert end.out == ""
    assert not Path("audit-runs").exists()


def test_weights_other_than_the_pinned_ones_are_refused(audit, checkpoint, world, tmp_path):
    folder = checkpoint("vit")
    plan = (tmp_path / "plan.toml").read_text()
    pinned = f'name = "local-dir:{folder}"\nweights_digest = "sha256:{"0" * 64}"'
    (tmp_path / "plan.toml").write_text(plan.replace('name = "toy"', pinned))

    end = audit()

    assert end.code == 3
    assert_refused(end, f"must have the digest sha256:{'0' * 64}")


def test_an_activation_function_other_than_the_trained_one_is_refused(
    audit, checkpoint, registered, monkeypatch
):
    weights = checkpoint("resnet") / "open_clip_model.safetensors"
    tag = {"file": str(weights), "quick_gelu": True}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "Tiny-RN", {"ours": tag})

    end = audit("--model", "Tiny-RN", "--pretrained", "ours")

    assert end.code == 3
    assert_refused(end, "name the architecture Tiny-RN-quickgelu")


def test_an_architecture_without_weights_is_refused(audit):
    end = audit("--model", "RN50-quickgelu")

    assert end.code == 3
    assert_refused(end, "needs pretrained weights, and none were named")


def test_weights_that_are_not_on_this_machine_are_refused_offline(audit, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    end = audit("--model", "ViT-B-32", "--pretrained", "laion2b_s34b_b79k")

    assert end.code == 3
    assert_refused(end, "this run is offline")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "RN50-quickgelo", "--pretrained", "openai"], "did you mean 'RN50-quickgelu'"),
        (["--model", "RN50-quickgelu", "--pretrained", "opnai"], "did you mean 'openai'"),
        (["--model", "hf-hub:tiny"], "is named hf-hub:org/name"),
        (["--model", "local-dir:nowhere"], "there is no such folder"),
        (["--model", "nowhere.pt"], "there is no such file"),
        (["--model", "RN50", "--pretrained", "nowhere.pt"], "there is no such file"),
        (["--model", "embedded:dmo"], "known: "),
        (["--model", "toy", "--pretrained", "openai"], "Leave one of them out"),
    ],
)
def test_an_unknown_name_is_a_matter_of_usage(words, said, audit):
    end = audit(*words)

    assert end.code == 2
    assert_refused(end, said)


@pytest.mark.parametrize("name", ["resnet", "vit", "siglip"])
def test_inspect_shows_identity_layers_and_unit_counts(name, cli, checkpoint, tensors):
    end = cli("models", "inspect", f"local-dir:{checkpoint(name)}")

    assert end.code == 0
    assert digest_of(tensors(name)) in end.out
    assert LAYERS[name][0] in end.out
    assert f"  {LAYERS[name][1]}" in end.out.splitlines()[-1]
    assert "units" in end.out.splitlines()[-1]


def test_inspect_refuses_what_run_refuses(cli, checkpoint):
    folder = checkpoint("vit")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {}}))

    end = cli("models", "inspect", f"local-dir:{folder}")

    assert end.code == 3
    assert end.out == ""
    assert "copy the one that came with the weights" in end.err


@pytest.mark.parametrize(("name", "units"), [("RN50", 2048), ("ViT-B-32", 3072)])
def test_an_architecture_alone_shows_its_layers_and_no_identity(name, units, cli):
    end = cli("models", "inspect", name)

    assert end.code == 0
    assert f"{units} units" in end.out
    assert "weights_digest" not in end.out
    assert "without weights" in end.out
