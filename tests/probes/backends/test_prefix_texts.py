"""Grids of prompts give the embeddings of the plain tower, or are not laid out as trees."""

import logging
from itertools import product

import numpy as np
import pytest
import torch

from probes.backends import prefix_texts, texts
from probes.backends.kernels import direct
from probes.backends.prefix_texts import PrefixTower
from probes.backends.table import load_encoder
from probes.encoder import TEXT_KERNEL, kernels_of

GRID = [
    f"{start} {who} {what}"
    for start, who, what in product(
        ("a photo of a", "a drawing of one", "here is the"),
        ("tall", "very quiet", "young"),
        ("baker", "bus driver", "cook at work", "clerk"),
    )
]


@pytest.fixture(scope="module")
def encoders(folders):
    made = {}

    def get(name):
        if name not in made:
            made[name] = load_encoder(f"local-dir:{folders(name)}")
        return made[name]

    return get


@pytest.fixture
def always(monkeypatch):
    """Trees even for towers so small that they save nothing worth having."""
    monkeypatch.setattr(prefix_texts, "SAVED_OPERATIONS", 0.0)
    monkeypatch.setattr(prefix_texts, "PACK", 40)


def plainly(encoder, prompts):
    model, tokenize = encoder._model, encoder._texts._tokenize
    with torch.inference_mode():
        return model.encode_text(tokenize(list(prompts)), normalize=False).numpy()


def watched(monkeypatch):
    """Count the calls that ran on trees."""
    calls, real = [], PrefixTower.embed

    def embed(self, packs):
        calls.append(len(packs))
        return real(self, packs)

    monkeypatch.setattr(PrefixTower, "embed", embed)
    return calls


@pytest.mark.parametrize("name", ["resnet", "vit", "vit-scaled", "timm-vit", "convnext"])
def test_a_grid_on_trees_has_the_embeddings_of_the_plain_tower(name, encoders, always, monkeypatch):
    encoder = encoders(name)
    calls = watched(monkeypatch)

    ours = encoder.encode_texts([*GRID, GRID[0]])

    theirs = plainly(encoder, [*GRID, GRID[0]])
    assert calls[0] > 1
    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()


@pytest.mark.parametrize("layers", [None, direct])
def test_both_kinds_of_matrix_products_give_the_plain_embeddings(layers, encoders, always):
    encoder = encoders("vit")
    tokens = encoder._texts._tokenize(GRID)
    tower = PrefixTower(encoder._texts._tower, "cpu", layers)
    with torch.inference_mode():
        ours = tower.embed(tower.packs(tokens, texts._lengths(tokens, encoder._texts._tower)))

    theirs = plainly(encoder, GRID)
    assert np.abs(ours.numpy() - theirs).max() <= 1e-5 * np.abs(theirs).max()


@pytest.mark.parametrize(
    ("name", "shares"), [("resnet", True), ("vit", True), ("siglip", False), ("coca", False)]
)
def test_beginnings_are_shared_only_by_causal_towers_that_read_the_end_of_the_text(
    name, shares, encoders
):
    assert encoders(name)._texts.shares_prefixes is shares


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", ["vit", "siglip"])
def test_who_runs_prompts_is_told_where_it_is_not_the_plain_tower(name, folders):
    encoder = load_encoder(f"local-dir:{folders(name)}")

    told = encoder.identity.libraries.get(TEXT_KERNEL, "")

    assert bool(told) is encoder._texts.shares_prefixes is (name == "vit")
    assert told in ("", "prefix trees", "prefix trees, onednn")
    assert kernels_of(encoder.identity) == ({TEXT_KERNEL: told} if told else {})


def test_towers_too_small_for_trees_keep_their_name(encoders):
    assert kernels_of(encoders("vit").identity) == {}


def test_a_tower_whose_tokens_know_their_place_in_the_sequence_is_not_laid_out_as_trees(
    models, encoders
):
    """As a tower with rotary positions would: trimming is right for it, trees are not."""
    encoder = encoders("vit")
    block = encoder._model.transformer.resblocks[0]
    handle = block.register_forward_hook(
        lambda _, __, out: out * (1 + torch.arange(out.shape[1])[:, None] / 50)
    )
    try:
        tower = texts.TextTower(encoder._model, encoder._texts._tokenize, "cpu")
    finally:
        handle.remove()

    assert tower.trims
    assert not tower.shares_prefixes


def test_matrix_products_that_are_not_exact_are_not_taken(encoders, monkeypatch):
    def rough(transformer):
        exact = direct(transformer)

        def run(x, attn_mask):
            out = exact(x, attn_mask=attn_mask)
            return out + out.square() / 100

        return run

    monkeypatch.setattr(prefix_texts, "direct", rough)
    encoder = encoders("vit")

    tower = texts.TextTower(encoder._model, encoder._texts._tokenize, "cpu")

    assert tower.shares_prefixes
    assert tower._prefixes._transformer is encoder._model.transformer


def test_small_audits_keep_the_plain_path_to_the_last_digit(encoders, monkeypatch):
    calls = watched(monkeypatch)
    encoder = encoders("vit")
    before = encoder.encode_texts(GRID)
    monkeypatch.setattr(encoder._texts, "_prefixes", None)

    np.testing.assert_array_equal(before, encoder.encode_texts(GRID))
    assert calls == []


def test_texts_without_common_beginnings_are_not_laid_out_as_trees(encoders, always, monkeypatch):
    calls = watched(monkeypatch)
    encoders("vit").encode_texts(["rain falls", "snow lies", "the sea", "winds blow", "sun"])

    assert calls == []


def test_the_same_grid_gives_the_same_bytes(encoders, always):
    encoder = encoders("vit")

    np.testing.assert_array_equal(encoder.encode_texts(GRID), encoder.encode_texts(GRID))


def test_a_text_that_fills_the_context_runs_on_a_tree(encoders, always, caplog):
    caplog.set_level(logging.ERROR)
    encoder = encoders("vit")
    prompts = [*GRID, "snow " * 40]

    ours, theirs = encoder.encode_texts(prompts), plainly(encoder, prompts)

    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()
