"""Texts through a text tower: each distinct one once, padding cut away, grids laid out as trees."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import open_clip
import torch
from torch import Tensor

from probes.backends.prefix_texts import PrefixTower, prefix_tower, projected
from probes.errors import ModelError

log = logging.getLogger(__name__)

BATCH = 64
PROBE_TEXTS = (
    "rain",
    "a photo of a baker",
    "a photo of a long red train near the old stone bridge over the river",
    "the sea",
)
TOLERANCE = 1e-5
"""Largest difference allowed to padded embeddings, as a share of the largest padded value."""


class TextTower:
    """Encodes texts with an open_clip model.

    Causal towers that read out the end-of-text token cannot see the padding behind it, so
    batches are cut to their longest text; whether that holds for this model is measured when it
    is loaded, and towers where it does not are given the padded text. Large grids of prompts,
    whose beginnings repeat, run each beginning once where that too was measured to agree; the
    choice depends on the texts and the tower, not on a clock.
    """

    def __init__(self, model: Any, tokenize: Callable[..., Tensor], device: str) -> None:
        """Wrap a loaded model and its tokenizer."""
        self._model = model
        self._tokenize = tokenize
        self._device = device
        self._tower = getattr(model, "text", model)
        self.trims = _may_trim(self._tower) and self._agrees()
        self._prefixes = self._prefix_tower() if self.trims else None

    @property
    def shares_prefixes(self) -> bool:
        """Whether common beginnings may be run once, which was measured to change nothing."""
        return self._prefixes is not None

    @property
    def label(self) -> str:
        """What a document says of grids of prompts; empty where they go the plain way."""
        return "" if self._prefixes is None else self._prefixes.label

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Return embeddings of shape (n_texts, embedding_size), not normalised, in input order."""
        distinct = list(dict.fromkeys(texts))
        tokens = self._tokenize(distinct)
        _warn_of_cut(distinct, tokens, self._tokenize)
        table = self._table(tokens).to("cpu", torch.float32)
        place = {text: i for i, text in enumerate(distinct)}
        out: Tensor = table[[place[text] for text in texts]]
        return out

    def _table(self, tokens: Tensor) -> Tensor:
        """Embed tokens of shape (n_texts, context), in order."""
        lengths = _lengths(tokens, self._tower) if self.trims else torch.zeros(len(tokens))
        order = torch.argsort(lengths, stable=True)
        batches = torch.split(order, BATCH)
        if self._prefixes is not None:
            packs = self._prefixes.packs(tokens, lengths)
            if self._prefixes.pays(packs, sum(len(b) * int(lengths[b].max()) for b in batches)):
                return self._prefixes.embed(packs)
        rows: list[Tensor] = []
        for chosen in batches:
            batch = tokens[chosen].to(self._device)
            if self.trims:
                batch = batch[:, : int(lengths[chosen].max())]
            rows.append(self._forward(batch).to("cpu", torch.float32))
        return torch.cat(rows)[torch.argsort(order)]

    def _forward(self, tokens: Tensor) -> Tensor:
        if self.trims:
            return trimmed_forward(self._tower, tokens)
        embeddings: Tensor = self._model.encode_text(tokens, normalize=False)
        return embeddings

    @torch.inference_mode()
    def _agrees(self) -> bool:
        """Compare trimmed with padded embeddings on a few texts."""
        tokens = self._tokenize(list(PROBE_TEXTS)).to(self._device)
        padded = self._model.encode_text(tokens, normalize=False)
        for row, length in enumerate(_lengths(tokens, self._tower).tolist()):
            short = trimmed_forward(self._tower, tokens[row : row + 1, :length])
            if (short - padded[row]).abs().max() > TOLERANCE * padded.abs().max():
                return False
        return True

    @torch.inference_mode()
    def _prefix_tower(self) -> PrefixTower | None:
        tokens = self._tokenize(list(PROBE_TEXTS)).to(self._device)
        plain = self._model.encode_text(tokens, normalize=False)
        lengths = _lengths(tokens, self._tower)
        return prefix_tower(self._tower, self._device, plain, tokens, lengths, share=TOLERANCE)


def trimmed_forward(tower: Any, tokens: Tensor) -> Tensor:
    """Run a causal text tower on tokens shorter than its context."""
    n = tokens.shape[1]
    x = tower.token_embedding(tokens) + tower.positional_embedding[:n]
    x = tower.transformer(x, attn_mask=tower.attn_mask[:n, :n])
    ends = _lengths(tokens, tower) - 1
    x = tower.ln_final(x)[torch.arange(len(x), device=x.device), ends]
    return projected(tower, x)


def tokenizer_of(name: str, config: dict[str, Any]) -> Callable[..., Tensor]:
    """Make the tokenizer of a model.

    Parameters
    ----------
    name : str
        As open_clip takes it: an architecture, ``hf-hub:org/name`` or ``local-dir:folder``.
    config : dict
        The model configuration, for its size of vocabulary.

    Raises
    ------
    ModelError
        If it needs a package or file that is not here, or does not fit the vocabulary.
    """
    try:
        tokenize: Callable[..., Tensor] = open_clip.get_tokenizer(name)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"The tokenizer of {name} needs the package {error.name!r}, which is not installed; "
            f"install it with: pip install {error.name}"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"The tokenizer of {name} cannot be made: {error}.") from error
    highest = int(tokenize(list(PROBE_TEXTS)).max())
    size = int(config["text_cfg"].get("vocab_size", 49408))
    if "hf_model_name" not in config["text_cfg"] and highest >= size:
        raise ModelError(
            f"The tokenizer of {name} gives token {highest}, but its text tower knows only "
            f"{size}; the configuration and the tokenizer do not belong together."
        )
    return tokenize


def _warn_of_cut(texts: Sequence[str], tokens: Tensor, tokenize: Callable[..., Tensor]) -> None:
    """Name the texts whose end the model does not read."""
    context = tokens.shape[1]
    longer = tokenize(list(texts), context_length=2 * context)[:, :context]
    cut = torch.nonzero((longer != tokens).any(dim=1)).flatten().tolist()
    if cut:
        log.warning(
            "%d texts are longer than the %d tokens that the model reads, and were cut: %r ...",
            len(cut),
            context,
            texts[cut[0]],
        )


def _may_trim(tower: Any) -> bool:
    """Tell whether a text tower is causal and reads out the end of the text."""
    mask = getattr(tower, "attn_mask", None)
    if not isinstance(mask, Tensor) or getattr(tower, "cls_emb", None) is not None:
        return False
    above = torch.ones_like(mask, dtype=torch.bool).triu(1)
    causal = bool(torch.isneginf(mask[above]).all() and (mask[~above] == 0).all())
    return causal and _pool_type(tower) in ("argmax", "eos")


def _pool_type(tower: Any) -> str:
    return str(getattr(tower, "text_pool_type", getattr(tower, "pool_type", "")))


def _lengths(tokens: Tensor, tower: Any) -> Tensor:
    """Tokens up to and with the one that is read out, shape (n_texts,)."""
    if _pool_type(tower) == "argmax":
        return tokens.argmax(dim=-1) + 1
    eos = torch.tensor(getattr(tower, "text_eos_id", getattr(tower, "eos_id", -1)))
    return tokens.eq(eos.to(tokens.device)).int().argmax(dim=-1) + 1
