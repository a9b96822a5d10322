"""Models are named as users name them; a wrong name is answered with the nearest right one."""

import pytest

from probes.backends import naming
from probes.backends.naming import Source, parse_model
from probes.backends.table import ENCODERS, architecture_layers, list_models, load_encoder
from probes.errors import ModelNameError


@pytest.mark.parametrize(
    ("name", "pretrained", "called", "architecture", "tag"),
    [
        ("RN50", None, "RN50", "RN50", ""),
        ("RN50-quickgelu", "openai", "RN50-quickgelu/openai", "RN50-quickgelu", "openai"),
        ("RN50-quickgelu/openai", None, "RN50-quickgelu/openai", "RN50-quickgelu", "openai"),
        ("ViT-B/32", "openai", "ViT-B-32/openai", "ViT-B-32", "openai"),
        ("ViT-B/32", None, "ViT-B-32", "ViT-B-32", ""),
        ("ViT-B/32/openai", None, "ViT-B-32/openai", "ViT-B-32", "openai"),
        ("ViT-B/32-quickgelu", None, "ViT-B-32-quickgelu", "ViT-B-32-quickgelu", ""),
    ],
)
def test_architecture_and_tag_are_told_apart(name, pretrained, called, architecture, tag):
    spec = parse_model(name, pretrained)

    assert (spec.name, spec.architecture, spec.pretrained) == (called, architecture, tag)
    assert (spec.source, spec.backend) == (Source.TAG, "open_clip")


def test_a_hub_name_may_pin_a_revision():
    spec = parse_model("hf-hub:org/name@abc")

    assert (spec.source, spec.pretrained, spec.revision) == (Source.HUB, "org/name", "abc")
    assert parse_model("hf-hub:org/name").revision is None


def test_files_and_folders_are_called_by_their_last_name_only(tmp_path):
    (tmp_path / "secret-client").mkdir()
    folder = tmp_path / "secret-client" / "model"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text("{}")
    (folder / "w.safetensors").write_bytes(b"")

    named = [
        parse_model(f"local-dir:{folder}"),
        parse_model(str(folder)),
        parse_model(str(folder / "w.safetensors")),
        parse_model("RN50", str(folder / "w.safetensors")),
    ]

    assert [spec.source for spec in named] == [
        Source.FOLDER,
        Source.FOLDER,
        Source.CONFIGURED_FILE,
        Source.FILE,
    ]
    assert [spec.name for spec in named] == [
        "local-dir:model",
        "local-dir:model",
        "w.safetensors",
        "RN50/w.safetensors",
    ]


@pytest.mark.parametrize(
    ("name", "pretrained", "said"),
    [
        ("", None, "needs a name"),
        ("toy", "openai", "already says where its weights are"),
        ("hf-hub:name", None, "hf-hub:org/name"),
        ("hf-hub:a/b/c", None, "hf-hub:org/name"),
        ("local-dir:./nowhere", None, "no such folder"),
        ("./nowhere.safetensors", None, "no such file"),
        ("RN50", "./nowhere.pt", "'./nowhere.pt'; there is no such file"),
        ("embedded:nothing", None, "No embedded model is called 'nothing'"),
    ],
)
def test_a_name_that_means_nothing_is_refused(name, pretrained, said):
    with pytest.raises(ModelNameError, match=said):
        parse_model(name, pretrained)


def test_embedded_models_are_found_by_name(tmp_path, monkeypatch):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "open_clip_config.json").write_text("{}")
    monkeypatch.setattr(naming, "EMBEDDED_FOLDER", tmp_path)

    assert parse_model("embedded:small").path == tmp_path / "small"
    assert parse_model("embedded:small").name == "embedded:small"


@pytest.mark.parametrize(
    ("name", "pretrained", "said"),
    [
        ("RN5", "openai", "did you mean 'RN50'.*models list"),
        ("ViT-B-32", "laion2b_s34b_b79", "did you mean 'laion2b_s34b_b79k'"),
        ("RN50-quickgelu", "openay", "did you mean 'openai'"),
        ("ViT-M-16", "openai", "No weights of ViT-M-16 are published"),
    ],
)
def test_an_unknown_architecture_or_tag_is_answered_with_the_nearest(name, pretrained, said):
    with pytest.raises(ModelNameError, match=said):
        load_encoder(name, pretrained=pretrained, offline=True)


def test_the_layers_of_an_unknown_architecture_are_not_guessed():
    with pytest.raises(ModelNameError, match="did you mean 'RN50x4'"):
        architecture_layers("RN50x5")


def test_every_published_pair_can_be_listed():
    pairs = list_models()

    assert ("RN50x4-quickgelu", "openai") in pairs
    assert len(pairs) > 150
    assert all(parse_model(*pair).source is Source.TAG for pair in pairs)


def test_every_row_of_the_table_can_be_imported():
    from importlib import import_module

    for row in ENCODERS.values():
        module, _, function = row.partition(":")
        assert callable(getattr(import_module(module), function))


def test_the_toy_needs_neither_weights_nor_torch():
    assert load_encoder("toy").identity.backend == "toy"
    assert load_encoder("toy/letters").identity.name == "toy/letters"
