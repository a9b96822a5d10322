"""Models of open_clip behind the one seam: ResNets, vision transformers, SigLIP, CoCa, timm."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch import Tensor

from probes.backends.attribute import attribute_tower
from probes.backends.edits import edited
from probes.backends.facets import Facet
from probes.backends.fast_images import is_hooked, passed, preparer
from probes.backends.held import Held, hold
from probes.backends.kernel_book import PILLOW, PLAIN, TORCH, KernelBook, KernelPlan
from probes.backends.kernel_choice import chosen_tower
from probes.backends.loading import Loaded, load_network
from probes.backends.naming import ModelSpec
from probes.backends.sources import Resolved, resolve
from probes.backends.text_weights import (
    head_tables,
    known_readout,
    mean_responses,
    second_order_directions,
)
from probes.backends.texts import PROBE_TEXTS, TextTower, tokenizer_of
from probes.backends.towers import readout_of, tapped, taps_of
from probes.backends.visualise import (
    Recipe,
    Target,
    Visualisation,
    tower_of,
    visualise_tower,
)
from probes.encoder import (
    KERNEL,
    TEXT_KERNEL,
    EncodedPictures,
    EncoderIdentity,
    Layer,
    Reading,
)
from probes.errors import ModelError
from probes.inspectable import Attributed, Edit
from probes.interventions import Where
from probes.linear_text import HeadTables, UnitDirections
from probes.progress import Progress
from probes.readings import check_readings, find_layer

SAME = 1e-6
"""Embeddings closer than this share of their length are taken for equal."""


class OpenClipEncoder:
    """A loaded model; made by `load`."""

    def __init__(
        self,
        spec: ModelSpec,
        found: Resolved,
        loaded: Loaded,
        device: str,
        kernels: KernelBook | None = None,
    ) -> None:
        self._spec, self._found, self._loaded, self._device = spec, found, loaded, device
        self._model = loaded.model.to(device)
        self._preprocessing = dict(self._model.visual.preprocess_cfg)
        self._transform = image_transform_v2(PreprocessCfg(**self._preprocessing), is_train=False)
        self._taps = taps_of(self._model.visual)
        self._solved: dict[str, NDArray[np.float32] | None] = {}
        tokenize = tokenizer_of(found.tokenizer, dict(found.config))
        self._texts = TextTower(self._model, tokenize, device)
        self._resize = preparer(self._transform) if kernels is not None else None
        self._plan, self._tower = KernelPlan(kernel=PLAIN), None
        if kernels is not None:
            self._plan, self._tower = chosen_tower(
                kernels,
                self._bare_identity(),
                self._model.visual,
                self._taps,
                device=device,
                resize=PILLOW if self._resize is None else TORCH,
            )
        self.batch_size = self._plan.batch
        if self._plan.threads:
            torch.set_num_threads(self._plan.threads)

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Which model this is, and which kernels compute it where those are not the plain ones."""
        bare = self._bare_identity()
        kernels = {KERNEL: self._plan.label, TEXT_KERNEL: self._texts.label}
        told = {name: label for name, label in kernels.items() if label}
        return replace(bare, libraries={**bare.libraries, **told}) if told else bare

    @property
    def loaders(self) -> int:
        """Threads that may prepare pictures while others are encoded."""
        return self._plan.loaders

    def prepare(self, picture: Image.Image) -> Image.Image:
        """Return a picture of the model's own size, of which `encode_pictures` makes the same."""
        if self._tower is None or self._resize is None or self._plan.resize != TORCH:
            return picture
        return self._resize(picture)

    def _bare_identity(self) -> EncoderIdentity:
        return EncoderIdentity(
            name=self._spec.name,
            backend="open_clip",
            architecture=self._found.architecture,
            pretrained=self._found.pretrained,
            weights_digest=self._loaded.weights_digest,
            config_digest=_digest(self._found.config),
            activation=self._loaded.activation,
            preprocessing=json.dumps(self._preprocessing, sort_keys=True),
            embedding_size=int(self._found.config["embed_dim"]),
            image_size=_side(self._model.visual.image_size),
            n_parameters=sum(p.numel() for p in self._model.parameters()),
            logit_scale=float(self._model.logit_scale.exp()),
            libraries={
                "open_clip": version("open_clip_torch"),
                "timm": version("timm"),
                "torch": version("torch"),
            },
        )

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers of the image tower that can be read, the default last."""
        return tuple(tap.layer for tap in self._taps)

    @property
    def trims_texts(self) -> bool:
        """Whether padding is cut away, which was measured to change nothing."""
        return self._texts.trims

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return embeddings of shape (n_texts, embedding_size), in input order."""
        if not texts:
            return np.zeros((0, self.identity.embedding_size), np.float32)
        return _array(self._texts.encode(texts))

    @torch.inference_mode()
    def encode_pictures(
        self, pictures: Sequence[Image.Image], readings: Sequence[Reading] = ()
    ) -> EncodedPictures:
        """Return embeddings and pooled unit responses, in input order.

        Raises
        ------
        ModelNameError
            If the model lacks one of the readings.
        """
        if self._tower is None or is_hooked(self._model.visual):
            return self.encode_edited(pictures, (), readings)
        check_readings(readings, self.layers)
        if not pictures:
            return self._nothing(readings)
        batch = torch.stack([self._transform(self.prepare(picture)) for picture in pictures])
        rows, self.batch_size = passed(
            self._tower, batch, readings, size=self.batch_size, device=self._device
        )
        embeddings, *units = map(_array, rows)
        return EncodedPictures(embeddings=embeddings, units=dict(zip(readings, units, strict=True)))

    @torch.inference_mode()
    def encode_edited(
        self,
        pictures: Sequence[Image.Image],
        edits: Sequence[Edit],
        readings: Sequence[Reading] = (),
    ) -> EncodedPictures:
        """Encode pictures while units are silenced or steered; readings see the edited units.

        Raises
        ------
        ModelNameError
            If the model lacks a layer or one of the readings.
        MeasureError
            If an edit does not fit its layer.
        """
        check_readings(readings, self.layers)
        if not pictures:
            return self._nothing(readings)
        batch = self._batch(pictures)
        with edited(self._taps, edits, batch), tapped(self._taps, readings) as found:
            embeddings = self._model.encode_image(batch, normalize=False)
        return EncodedPictures(
            embeddings=_array(embeddings),
            units={reading: _array(found[reading]) for reading in readings},
        )

    @torch.inference_mode()
    def hold(
        self, pictures: Sequence[Image.Image], layer: str, where: Where = "everywhere"
    ) -> Held:
        """Run the tower once up to a layer, so that many edits run only what follows."""
        return hold(self._model, self._batch(pictures), layer, where)

    def attribute(
        self,
        pictures: Sequence[Image.Image],
        directions: NDArray[np.floating[Any]],
        *,
        layer: str | None = None,
        maps: Sequence[int] = (),
        double: bool = False,
        along: NDArray[np.floating[Any]] | None = None,
    ) -> Attributed:
        """Take dot products with directions apart into contributions of units.

        ``along`` of shape (n_along, n_units) puts directions of the layer where its units stand.

        Raises
        ------
        ModelNameError
            If the model has no such layer.
        ModelError
            If no closed form is known for this tower.
        """
        chosen = find_layer(layer or (self.layers[-1].name if self.layers else ""), self.layers)
        return attribute_tower(
            self._model.visual,
            self._batch(pictures),
            directions,
            layer=chosen.name,
            maps=maps,
            double=double,
            along=along,
        )

    def visualise(
        self,
        target: Target,
        *,
        rng: np.random.Generator,
        recipe: Recipe | None = None,
        facet: Facet | None = None,
        progress: Progress | None = None,
    ) -> Visualisation:
        """Draw pictures that drive a unit, a set or a direction; they illustrate, no more.

        Raises
        ------
        ModelNameError
            If the model lacks a layer or its pooling.
        MeasureError
            If directions or the facet do not fit.
        """
        return visualise_tower(
            tower_of(self._model.visual, self._preprocessing),
            target,
            rng=rng,
            recipe=recipe,
            facet=facet,
            progress=progress,
        )

    def opened(self, pictures: Sequence[Image.Image]) -> tuple[torch.nn.Module, Tensor]:
        """Return the image tower, and pictures as it takes them."""
        return self._model.visual, self._batch(pictures)

    def readout(self, layer: str) -> NDArray[np.float32] | None:
        """Linearised effect of each unit of the last layer on the embedding, where it is known.

        Of SigLIP without its pooling MLP.
        """
        rows = readout_of(self._model.visual, layer)
        if rows is not None:
            return _array(rows.detach())
        if not self._taps or layer != self._taps[-1].layer.name:
            return None
        if layer not in self._solved:
            self._solved[layer] = known_readout(self, layer=layer)
        return self._solved[layer]

    def head_tables(
        self,
        pictures: Sequence[Image.Image],
        directions: NDArray[np.floating[Any]],
        *,
        layer: str,
        progress: Progress | None = None,
    ) -> HeadTables:
        """Return what each head of the pooling makes of each unit, on a reference set."""
        return head_tables(self, pictures, directions, layer=layer, progress=progress)

    def mean_responses(
        self, pictures: Sequence[Image.Image], *, layer: str, progress: Progress | None = None
    ) -> NDArray[np.float64]:
        """Return the responses that `head_tables` weigh, shape (n_pictures, n_units)."""
        return mean_responses(self, pictures, layer=layer, progress=progress)

    def second_order_directions(
        self,
        pictures: Sequence[Image.Image],
        *,
        layer: str,
        kept: int,
        progress: Progress | None = None,
    ) -> UnitDirections:
        """Return where units of an earlier block push the embedding through later attention."""
        return second_order_directions(self, pictures, layer=layer, kept=kept, progress=progress)

    def _batch(self, pictures: Sequence[Image.Image]) -> Tensor:
        if not pictures:
            return torch.zeros(0, device=self._device)
        return torch.stack([self._transform(picture) for picture in pictures]).to(self._device)

    def _nothing(self, readings: Sequence[Reading]) -> EncodedPictures:
        widths = {layer.name: layer.n_units for layer in self.layers}
        return EncodedPictures(
            embeddings=np.zeros((0, self.identity.embedding_size), np.float32),
            units={r: np.zeros((0, widths[r.layer]), np.float32) for r in readings},
        )


def load(
    spec: ModelSpec,
    *,
    expected_digest: str | None = None,
    activation: str | None = None,
    offline: bool = False,
    device: str = "cpu",
    kernels: KernelBook | None = None,
) -> OpenClipEncoder:
    """Load the model that ``spec`` names; see `probes.backends.table.load_encoder`."""
    _compute_exactly()
    found = resolve(spec, offline=offline, activation=activation)
    loaded = load_network(found, expected_digest=expected_digest, activation=activation)
    encoder = OpenClipEncoder(spec, found, loaded, device, kernels)
    check_outputs(encoder)
    return encoder


def check_outputs(encoder: OpenClipEncoder) -> None:
    """Refuse a model whose embeddings are not finite, or alike for everything.

    Raises
    ------
    ModelError
        Naming the tower.
    """
    texts = encoder.encode_texts(PROBE_TEXTS)
    pictures = encoder.encode_pictures(probe_pictures()).embeddings
    for what, rows in (("text", texts), ("image", pictures)):
        if not np.isfinite(rows).all():
            raise ModelError(
                f"The {what} tower of {encoder.identity.name} must give finite embeddings, but "
                "gives NaN or infinity; the checkpoint is damaged or its training failed."
            )
        lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
        spread = np.abs(rows - rows[:1]).max()
        if lengths.min() == 0 or spread <= SAME * lengths.max():
            raise ModelError(
                f"The {what} tower of {encoder.identity.name} gives the same embedding for "
                "everything; its weights are not those of a trained model."
            )


def probe_pictures(side: int = 64) -> tuple[Image.Image, ...]:
    """Return three plain pictures that any model tells apart: grey, a ramp, a board."""
    ramp = np.linspace(0, 255, side, dtype=np.uint8)
    across = np.stack([np.tile(ramp, (side, 1)), np.tile(ramp[:, None], (1, side))] * 2, axis=2)
    board = (np.indices((side, side)).sum(axis=0) // 8 % 2 * 255).astype(np.uint8)
    return (
        Image.new("RGB", (side, side), (127, 127, 127)),
        Image.fromarray(across[..., :3]),
        Image.fromarray(board).convert("RGB"),
    )


def _compute_exactly() -> None:
    """Keep graphics cards from rounding float32 products."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.to("cpu", torch.float32).contiguous().numpy()
    return array


def _digest(config: Mapping[str, Any]) -> str:
    text = json.dumps(config, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _side(size: Any) -> int:
    return int(size[0] if isinstance(size, tuple | list) else size)
