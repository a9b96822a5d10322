"""Pictures with words on them as stimuli: drawn in memory, told apart by their pixels.

No such picture is saved. What the model made of one may be kept, so that a run that was cut goes
on where it stopped.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from PIL.Image import Image

from audit.typography_plan import Job, ReadOut, written_pictures
from concept_sets.stimulus import Modality, Stimulus
from probes.activations import Extraction
from probes.cache import ActivationCache
from probes.encoder import EncodedPictures, Encoder
from probes.extract import extract_pictures
from probes.progress import Progress, SilentProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A model that looks at pictures, where its embeddings are kept, and who is told."""

    encoder: Encoder
    cache: ActivationCache | None = None
    """None keeps nothing."""

    progress: Progress | None = None
    batch: int = 32
    """Pictures in memory at once, and between two writes to the cache."""

    def see(
        self, shown: "Sequence[Drawn]", label: str, readout: ReadOut | None = None
    ) -> Extraction:
        """Encode pictures, equal ones once.

        Parameters
        ----------
        shown : sequence of Drawn
        label : str
            What the bar of progress is called.
        readout : ReadOut, optional
            Its units are read too.

        Returns
        -------
        Extraction
            One row per picture, in order.
        """
        draw = {one.digest: one.draw for one in shown}
        return extract_pictures(
            self.encoder,
            [_stimulus(one) for one in shown],
            load_picture=lambda stimulus: draw[stimulus.digest](),
            readings=readout.readings if readout is not None else (),
            cache=self.cache,
            progress=_Labelled(self.progress or SilentProgress(), label),
            batch_size=self.batch,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture that is drawn when it is asked for."""

    digest: str
    """Hex SHA-256 of its size and pixels."""

    draw: Callable[[], Image]


def drawn(pictures: Iterable[Callable[[], Image]]) -> tuple[Drawn, ...]:
    """Draw each picture once to name it by its pixels; none is held."""
    return tuple(Drawn(digest=pixel_digest(draw()), draw=draw) for draw in pictures)


def pixel_digest(picture: Image) -> str:
    """Return the hex SHA-256 of size and pixels.

    Examples
    --------
    >>> from PIL import Image
    >>> grey = Image.new("RGB", (4, 4), "grey")
    >>> pixel_digest(grey) == pixel_digest(grey.copy())
    True
    """
    return sha256(f"{picture.size} {picture.mode}\n".encode() + picture.tobytes()).hexdigest()


def encoded(extraction: Extraction) -> EncodedPictures:
    """Return what a read-out reads."""
    return EncodedPictures(
        embeddings=extraction.embeddings.values,
        units={reading: table.values for reading, table in extraction.units.items()},
    )


def sheets(
    jobs: Sequence[Job], squares: Sequence[Image], minor: Sequence[bool]
) -> tuple[tuple[Drawn, ...], dict[tuple[int, str], slice]]:
    """Lay out every picture of every word and control, the clean ones first.

    Parameters
    ----------
    jobs : sequence of Job
    squares : sequence of PIL.Image.Image
        The clean pictures.
    minor : sequence of bool
        Pictures that show, or may show, somebody under 20.

    Returns
    -------
    pictures : tuple of Drawn
    where : dict of (int, str) to slice
        Number of the job and kind of string to their rows.

    Raises
    ------
    ConceptSetError
        If a sexualising word would meet a picture of a minor.
    """
    made: list[Callable[[], Image]] = [partial(Image.copy, square) for square in squares]
    where: dict[tuple[int, str], slice] = {}
    for number, job in enumerate(jobs):
        for kind in job.kinds:
            start = len(made)
            made += written_pictures(job, kind, squares, minor)
            where[number, kind] = slice(start, len(made))
    return drawn(made), where


class _Labelled:
    """Tells another progress, under a name of its own."""

    def __init__(self, inner: Progress, label: str) -> None:
        self._inner, self._label = inner, label

    def start(self, total: int, label: str) -> None:
        self._inner.start(total, self._label)

    def advance(self, n: int) -> None:
        self._inner.advance(n)

    def finish(self) -> None:
        self._inner.finish()


def _stimulus(shown: Drawn) -> Stimulus:
    return Stimulus(
        modality=Modality.PHOTO,
        content="a picture with a word on it",
        concept="",
        cluster="",
        template="",
        digest=shown.digest,
    )
