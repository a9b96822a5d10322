"""The benchmark of prompts encodes what it says, at toy size."""

import open_clip
import torch

from benchmarks.speed import text

SMALL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


def test_the_prompts_are_as_many_as_the_rows_say():
    assert len(text.grid()) == len(set(text.grid())) == 1440
    assert len(text.repeated()) == 480
    assert len(set(text.repeated())) == 140


def test_every_row_compares_equal_embeddings():
    torch.manual_seed(0)
    model = open_clip.model.CLIP(**SMALL).eval()
    tokenize = open_clip.tokenizer.SimpleTokenizer(context_length=24)

    rows = text.compared(model, tokenize, text.repeated()[:60], text.grid()[:60])

    assert [row.goal for row in rows[:2]] == [20, 20]
    for row in rows:
        largest, _, scale, *_ = row.difference.split()
        assert float(largest) <= 1e-5 * float(scale)
        assert len(row.ratios) >= 3
