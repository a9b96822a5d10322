"""One thing shown to the model."""

from dataclasses import dataclass
from enum import StrEnum


class Modality(StrEnum):
    """How a concept is shown."""

    TEXT = "text"
    RENDERED = "rendered"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """How a word is drawn; part of the stimulus digest."""

    font: str
    """Name in the ``FONTS`` table."""

    size: float
    """Letter height as a share of the picture's side, 0 to 1."""

    x: float
    """Left edge of the word's box as a share of the free width, 0 to 1."""

    y: float
    """Top edge of the word's box as a share of the free height, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """A text prompt, a rendered word, or a picture."""

    modality: Modality
    content: str
    """The prompt; the word that is drawn; a file path, ``archive.tar::member`` or
    ``table.parquet::row``."""

    concept: str
    """``Concept.ref``; empty for a picture that only carries group columns."""

    cluster: str
    """What is tested and resampled together: the term, the person, the scene."""

    template: str
    """Template slot, rendering name, or empty for photos."""

    digest: str
    """Hex SHA-256 of what is shown: prompt, rendering with word, or file bytes."""

    groups: tuple[tuple[str, str], ...] = ()
    """Group column and value pairs of a photo, sorted by column."""

    source: str = ""
    licence: str = ""
    rendering: Rendering | None = None

    @property
    def id(self) -> str:
        """Short content address, equal for equal content."""
        return f"{self.modality}:{self.digest[:20]}"
