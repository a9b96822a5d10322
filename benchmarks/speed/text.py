"""Prompts through a text tower: repeats, padding and common beginnings, against open_clip."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any

import open_clip
import torch
from torch import Tensor

from benchmarks.speed.measure import Row, Timed, in_turn, row
from probes.backends import texts as texts_module
from probes.backends.kernels import direct, keeps_float32
from probes.backends.prefix_texts import PrefixTower
from probes.backends.texts import TextTower

ARCHITECTURE = "ViT-B-32"
BATCH = 32
"""Prompts in a pass of open_clip, whose speed is flat from 4; and those timed of its share."""

ROUNDS = 3
TEMPLATES = (
    "a photo of a {} person who works as a {}",
    "a portrait photo of a {} man employed as a {}",
    "an image of a {} woman who is a {}",
    "a picture of one {} worker, probably a {}",
    "the face of a {} person who is a {}",
    "a blurry snapshot of a {} neighbour working as a {}",
    "a black and white photograph of a {} {}",
    "a close-up of the {} friend who became a {}",
    "a drawing of a {} child dressed as a {}",
    "a good photo of a {} colleague, the {}",
)
WHO = (
    "tall", "short", "young", "middle-aged", "elderly", "left-handed", "red-haired", "northern",
    "southern", "foreign", "short-sighted", "well-dressed",
)  # fmt: skip
WHAT = (
    "baker", "doctor", "nurse", "bus driver", "teacher", "farmer", "lawyer", "pastry cook",
    "pilot", "painter", "soldier", "bank clerk",
)  # fmt: skip


def grid() -> list[str]:
    """Return 1,440 prompts, all different: ten templates by twelve people by twelve jobs."""
    return [start.format(who, what) for start, who, what in product(TEMPLATES, WHO, WHAT)]


def repeated() -> list[str]:
    """Return 480 prompts of which 140 differ, as arms of an audit ask for them."""
    distinct = [t.format(*pair) for t in TEMPLATES for pair in zip(WHO, WHAT, strict=True)]
    distinct += [f"a photo of a {what}" for what in WHAT] + [f"a {who} person" for who in WHO[:8]]
    return [distinct[i * 37 % len(distinct)] for i in range(480)]


def measure() -> list[Row]:
    """Encode both sets of prompts with the weights of a new, untrained tower of ViT-B-32."""
    torch.manual_seed(0)
    model = open_clip.create_model(ARCHITECTURE).eval()
    tokenize = open_clip.get_tokenizer(ARCHITECTURE)
    return compared(model, tokenize, repeated(), grid())


def compared(
    model: Any, tokenize: Callable[..., Tensor], repeats: Sequence[str], unique: Sequence[str]
) -> list[Row]:
    """Measure prompts with repeats by the path that audits take, a grid by both products."""
    rows = [_repeats(model, tokenize, repeats), _grid(model, tokenize, unique, exact=True)]
    if keeps_float32():
        rows.append(_grid(model, tokenize, unique, exact=False))
    return rows


def _repeats(model: Any, tokenize: Callable[..., Tensor], prompts: Sequence[str]) -> Row:
    tower = TextTower(model, tokenize, "cpu")
    some = prompts[: min(BATCH, len(prompts))]
    timed = _timed(model, tokenize, partial(tower.encode, prompts), some, len(prompts))
    return row(
        timed,
        path=f"{len(prompts)} prompts, {len(set(prompts))} different, as audits encode them",
        against=_against(),
        goal=20,
        difference=_difference(tower.encode(prompts)[: len(some)], model, tokenize, some),
        note=_extrapolated(some, prompts),
    )


def _grid(
    model: Any, tokenize: Callable[..., Tensor], prompts: Sequence[str], *, exact: bool
) -> Row:
    tower = PrefixTower(model, "cpu", None if exact else direct)

    def encode(asked: Sequence[str]) -> Tensor:
        tokens = tokenize(list(asked))
        with torch.inference_mode():
            return tower.embed(tower.packs(tokens, texts_module._lengths(tokens, model)))

    some = list(prompts[:: max(1, len(prompts) // BATCH)])[:BATCH]
    tokens = tokenize(list(prompts))
    lengths = texts_module._lengths(tokens, model)
    nodes = sum(len(pack.tokens) for pack in tower.packs(tokens, lengths))
    timed = _timed(model, tokenize, partial(encode, prompts), some, len(prompts))
    every = encode(prompts)[:: max(1, len(prompts) // BATCH)][:BATCH]
    return row(
        timed,
        path=f"{len(prompts):,} unique prompts of a grid, {'torch' if exact else 'oneDNN'} fp32",
        against=_against(),
        goal=20 if exact else 40,
        limit=f"{tokens.numel():,} padded tokens, {int(lengths.sum()):,} real, {nodes:,} nodes: "
        f"{tokens.numel() / nodes:.1f}x fewer",
        difference=_difference(every, model, tokenize, some),
        note=_extrapolated(some, prompts)
        + ("" if exact else ". Tokens give 26x, oneDNN 1.1 to 1.2x on this processor"),
    )


def _timed(
    model: Any,
    tokenize: Callable[..., Tensor],
    ours: Callable[[], object],
    some: Sequence[str],
    n: int,
) -> Timed:
    stock = partial(plain, model, tokenize, some)
    return in_turn(ours, stock, rounds=ROUNDS, share=len(some) / n)


@torch.inference_mode()
def plain(model: Any, tokenize: Callable[..., Tensor], prompts: Sequence[str]) -> Tensor:
    """Embed prompts as open_clip does, in batches at full context."""
    parts = [prompts[i : i + BATCH] for i in range(0, len(prompts), BATCH)]
    return torch.cat([model.encode_text(tokenize(list(part))) for part in parts])


def _difference(
    ours: Tensor, model: Any, tokenize: Callable[..., Tensor], prompts: Sequence[str]
) -> str:
    theirs = plain(model, tokenize, prompts)
    return f"{(ours - theirs).abs().max():.1e} of {theirs.abs().max():.1f} at most"


def _against() -> str:
    return f"open_clip {open_clip.__version__}, batches of {BATCH} at full context"


def _extrapolated(some: Sequence[str], prompts: Sequence[str]) -> str:
    return f"theirs from {len(some)} of {len(prompts):,} prompts, ours whole"
