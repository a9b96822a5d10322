import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
import yaml

from concept_sets.world.drawing import draw_scene

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "concept_sets" / "world" / "library"
MODELS = ROOT / "probes" / "embedded"
PAIR = ("demo", "twin")

CONCEPTS = [
    concept
    for path in sorted(LIBRARY.glob("*/*.yaml"))
    for concept in yaml.safe_load(path.read_text(encoding="utf-8"))["concepts"]
]
IDS = [concept["id"] for concept in CONCEPTS]
PEOPLES = [
    c["id"] for c in yaml.safe_load((LIBRARY / "identity/peoples.yaml").read_text())["concepts"]
]


@pytest.fixture(scope="module", params=PAIR)
def loaded(request):
    source = f"local-dir:{MODELS / request.param}"
    model, _, preprocess = open_clip.create_model_and_transforms(source)
    return model.eval(), preprocess, open_clip.get_tokenizer(source)


@torch.no_grad()
def label_embeddings(model, tokenizer):
    texts = [f"a photo of a {name}" for concept in CONCEPTS for name in concept["terms"]]
    terms = model.encode_text(tokenizer(texts), normalize=True)
    return torch.nn.functional.normalize(terms.reshape(len(IDS), 8, -1).mean(1), dim=-1)


@torch.no_grad()
def accuracy(loaded, scenes, wanted):
    model, preprocess, tokenizer = loaded
    pictures = model.encode_image(torch.stack([preprocess(s) for s in scenes]), normalize=True)
    guessed = (pictures @ label_embeddings(model, tokenizer).T).argmax(1).tolist()
    return np.mean([IDS[g] == w for g, w in zip(guessed, wanted, strict=True)])


def test_unseen_pictures_of_things_are_named_right(loaded):
    rng = np.random.default_rng(2024)
    wanted = [key for key in IDS if key not in PEOPLES for _ in range(4)]

    assert accuracy(loaded, [draw_scene(rng, things=[key]) for key in wanted], wanted) >= 0.97


def test_unseen_persons_are_named_right(loaded):
    rng = np.random.default_rng(2025)
    wanted = [key for key in PEOPLES for _ in range(12)]

    assert accuracy(loaded, [draw_scene(rng, group=key) for key in wanted], wanted) >= 0.95


@pytest.mark.parametrize("name", PAIR)
def test_a_model_is_small_and_says_its_activation_function(name):
    config = json.loads((MODELS / name / "open_clip_config.json").read_text())

    assert (MODELS / name / "open_clip_model.safetensors").stat().st_size < 10_000_000
    assert config["model_cfg"]["quick_gelu"] is False


def test_the_twin_has_the_same_architecture_and_other_weights():
    first, second = (MODELS / name for name in PAIR)
    configs = [(folder / "open_clip_config.json").read_text() for folder in (first, second)]
    weights = [(folder / "open_clip_model.safetensors").read_bytes() for folder in (first, second)]

    assert configs[0] == configs[1]
    assert weights[0] != weights[1]
