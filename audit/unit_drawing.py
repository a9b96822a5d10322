"""Single drawings of units and what steers them, kept so that a resumed run draws only the rest."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit import unit_pictures
from audit.finished_work import (
    Form,
    content_digest,
    generator_digest,
    kept_or_run,
    work_key,
)
from audit.gathered import Gathered
from audit.unit_pictures import LONG_SIDE, jpeg
from probes.encoder import Reading
from probes.measurement import Estimate
from probes.progress import Progress
from probes.readings import find_layer

if TYPE_CHECKING:
    from probes.backends.facets import Facet
    from probes.backends.visualise import Recipe, Target, Visualisation

SEED = 59
FORMAT = "clip-audit drawing 1"
FOLDER = "drawings"
"""Beside the spaces of activations."""


@runtime_checkable
class Drawing(Protocol):
    """An encoder that pictures can be optimised for, see `probes.backends.visualise`."""

    def visualise(
        self,
        target: "Target",
        *,
        rng: np.random.Generator,
        recipe: "Recipe | None" = None,
        facet: "Facet | None" = None,
        progress: Progress | None = None,
    ) -> "Visualisation":
        """Draw pictures that drive a unit, a set or a direction."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture drawn for one unit."""

    picture: bytes
    """JPEG, as pages show it."""

    before: float
    """Response to what it began as, in the units that the layer emits."""

    after: float
    steps: int


class Quiet:
    """Steps of one drawing, told to the progress of them all."""

    def __init__(self, progress: Progress) -> None:
        """Pass steps on to ``progress``, which was started."""
        self._progress = progress

    def start(self, total: int, label: str) -> None:
        """Say nothing."""

    def advance(self, n: int) -> None:
        """Pass ``n`` steps on."""
        self._progress.advance(n)

    def finish(self) -> None:
        """Say nothing."""


def draw_unit(
    gathered: Gathered,
    encoder: Drawing,
    reading: Reading,
    unit: int,
    recipe: "Recipe",
    facet: "Facet | None" = None,
) -> Drawn:
    """Draw one unit, or read the finished drawing.

    Parameters
    ----------
    gathered : Gathered
        Its progress is told of the steps that are taken.
    encoder : Drawing
    reading : Reading
    unit : int
    recipe : Recipe
    facet : Facet, optional

    Returns
    -------
    Drawn
        With a seed of the unit's own: which other units are drawn changes nothing.

    Raises
    ------
    MeasureError, ModelError
        If it cannot be drawn.
    ExtractionError
        If finished drawings cannot be kept.
    """
    # Imported here: an audit that draws nothing does not wait for it.
    from probes.backends import facets, image_parameters, visualise

    tools = gathered.tools
    rng, layer = _rng(gathered, reading, unit), find_layer(reading.layer, tools.encoder.layers)

    def key() -> dict[str, str]:
        modules = (visualise, facets, image_parameters, unit_pictures)
        return work_key(
            tools.encoder.identity,
            "drawing",
            reading,
            modules,
            format=FORMAT,
            pillow=version("pillow"),
            unit=str(unit),
            recipe=json.dumps(asdict(recipe), sort_keys=True),
            facet="" if facet is None else _digest(facet),
            generator=generator_digest(rng),
        )

    def run() -> Drawn:
        made = encoder.visualise(
            visualise.unit_target(reading, [unit], layer.n_units),
            rng=rng,
            recipe=recipe,
            facet=facet,
            progress=Quiet(tools.progress),
        )
        fades = recipe.parametrisation == "phase"
        shown = visualise.over_grey(made) if fades else made.pictures
        return Drawn(
            picture=jpeg(_image(shown[0])),
            before=float(made.before[0]),
            after=float(made.after[0]),
            steps=made.steps,
        )

    return kept_or_run(tools.cache, FOLDER, _DRAWN, key, run)


def text_facet(
    gathered: Gathered,
    generic: Sequence[Image.Image],
    digests: Sequence[str],
    layer: str,
    words: Sequence[str],
    strength: float,
    rng: np.random.Generator,
) -> "Facet":
    """Learn what written text is from photos with and without a word, or read what was learned.

    Parameters
    ----------
    gathered : Gathered
    generic : sequence of PIL.Image.Image
    digests : sequence of str
        Of the stimuli that they are.
    layer : str
        Where the probe reads.
    words : sequence of str
        Written on the photos.
    strength : float
        Of the facet in a drawing.
    rng : numpy.random.Generator
        Writes the words and deals the folds.

    Raises
    ------
    MeasureError
        If nothing can be learned.
    ExtractionError
        If what was learned cannot be kept.
    """
    from probes.backends import facets

    tools = gathered.tools

    def key() -> dict[str, str]:
        return work_key(
            tools.encoder.identity,
            f"facet of {layer}",
            None,
            (facets,),
            format=FORMAT,
            sklearn=version("scikit-learn"),
            words=" ".join(words),
            strength=repr(strength),
            pictures=content_digest(digests, ()),
            generator=generator_digest(rng),
        )

    def run() -> "Facet":
        shown = facets.written_on(generic, words, rng)
        return facets.train_facet(
            tools.encoder, shown, generic, layer=layer, rng=rng, strength=strength
        )

    return kept_or_run(tools.cache, FOLDER, _FACET, key, run)


def _rng(gathered: Gathered, reading: Reading, unit: int) -> np.random.Generator:
    name = f"{reading.layer}\n{reading.pooling.value}\n{unit}"
    word = hashlib.sha256(name.encode()).digest()[:8]
    return np.random.default_rng([gathered.plan.seed, SEED, *word])


def _digest(facet: "Facet") -> str:
    return content_digest([facet.layer, repr(facet.strength)], [np.asarray(facet.weights)])


def _image(pixels: NDArray[np.floating[Any]]) -> Image.Image:
    picture = Image.fromarray((pixels * 255).round().clip(0, 255).astype(np.uint8))
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    return picture


def _drawn_text(drawn: Drawn) -> str:
    picture = base64.b64encode(drawn.picture).decode()
    return json.dumps({**asdict(drawn), "picture": picture})


def _drawn(text: str) -> Drawn:
    read = json.loads(text)
    return Drawn(**{**read, "picture": base64.b64decode(read["picture"], validate=True)})


def _facet_text(facet: "Facet") -> str:
    auroc = None if facet.auroc is None else asdict(facet.auroc)
    weights = np.asarray(facet.weights, dtype=np.float64).tolist()
    about = {"layer": facet.layer, "intercept": facet.intercept, "strength": facet.strength}
    return json.dumps({**about, "weights": weights, "auroc": auroc})


def _facet(text: str) -> "Facet":
    from probes.backends.facets import Facet

    read = json.loads(text)
    auroc = None if read["auroc"] is None else Estimate(**read["auroc"])
    return Facet(**{**read, "weights": np.array(read["weights"]), "auroc": auroc})


_DRAWN = Form(one="drawing", write=_drawn_text, read=_drawn)
_FACET = Form(one="facet", write=_facet_text, read=_facet)
