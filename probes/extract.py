"""Stimuli to activations: in batches, by way of the cache, each distinct stimulus once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from concept_sets.errors import PictureError
from concept_sets.stimulus import Modality, Stimulus
from probes.activations import Activations, BadPicture, Extraction
from probes.ahead import ahead
from probes.cache import ActivationCache, Rows, Space
from probes.directions import along, beneath
from probes.encoder import Encoder, Reading
from probes.errors import ExtractionError
from probes.progress import Progress, SilentProgress
from probes.readings import check_readings, find_layer

Key: TypeAlias = Reading | None
"""A reading, or None for the embedding."""

Batch: TypeAlias = Mapping[Key, NDArray[np.float32]]

BATCH = 16
"""Pictures of one pass where the encoder does not say."""


@runtime_checkable
class Planned(Protocol):
    """An encoder that says how pictures should come."""

    batch_size: int
    """Pictures of one pass."""

    @property
    def loaders(self) -> int:
        """Threads that may prepare pictures while others are encoded."""
        ...

    def prepare(self, picture: Image) -> Image:
        """Return a smaller picture, of which ``encode_pictures`` makes the same."""
        ...


@dataclass(slots=True, kw_only=True)
class _Pass:
    """What one pass over stimuli has gathered so far."""

    spaces: Mapping[Key, Space | None]
    rows: dict[Key, Rows]
    bad: dict[str, BadPicture] = field(default_factory=dict)
    """By stimulus digest; by number where there is none."""

    encoded: int = 0

    def has(self, digest: str) -> bool:
        """Tell whether every row of a stimulus is here."""
        return all(digest in rows for rows in self.rows.values())

    def add(self, batch: Sequence[Stimulus], values: Batch) -> None:
        """Keep the rows that are new, in memory and in the cache."""
        for key, table in values.items():
            check_finite(batch, table, key)
            rows = self.rows[key]
            new = [i for i, stimulus in enumerate(batch) if stimulus.digest not in rows]
            space = self.spaces[key]
            if space is not None:
                space.write([batch[i].digest for i in new], table[new])
            rows.update({batch[i].digest: table[i] for i in new})
        self.encoded += len(batch)


def extract_texts(
    encoder: Encoder,
    stimuli: Sequence[Stimulus],
    *,
    cache: ActivationCache | None = None,
    progress: Progress | None = None,
    batch_size: int = 256,
) -> Extraction:
    """Embed text prompts.

    Parameters
    ----------
    encoder : Encoder
        The model.
    stimuli : sequence of Stimulus
        Prompts; equal ones are encoded once.
    cache : ActivationCache, optional
        Where rows are kept; nowhere if None.
    progress : Progress, optional
        Told how far it is.
    batch_size : int
        Prompts between two writes to the cache: what an interruption can lose.

    Returns
    -------
    Extraction
        One row per stimulus, in order; no units.

    Raises
    ------
    ExtractionError
        If a response is not a number or the cache cannot be written.
    """
    _check_modality(stimuli, {Modality.TEXT})
    encoder, _ = beneath(encoder, ())

    def encode(batch: Sequence[Stimulus]) -> tuple[Sequence[Stimulus], Batch]:
        return batch, {None: encoder.encode_texts([stimulus.content for stimulus in batch])}

    state = _begin(encoder, stimuli, "text", (), cache)
    pending = _pending(state, stimuli)
    _encode_missing(state, pending, encode, batch_size, progress or SilentProgress(), "texts")
    return _finish(encoder, stimuli, state)


def extract_pictures(
    encoder: Encoder,
    stimuli: Sequence[Stimulus],
    *,
    load_picture: Callable[[Stimulus], Image],
    readings: Sequence[Reading] = (),
    cache: ActivationCache | None = None,
    progress: Progress | None = None,
    max_bad_fraction: float = 0.01,
    bad: Sequence[BadPicture] = (),
    batch_size: int | None = None,
) -> Extraction:
    """Embed pictures and read units.

    The next pictures are opened in a thread while the model is busy with the last ones.

    Parameters
    ----------
    encoder : Encoder
        The model.
    stimuli : sequence of Stimulus
        Rendered words or photos; equal ones are encoded once.
    load_picture : callable
        Stimulus to picture; raises `PictureError` for one that cannot be read. Called in another
        thread.
    readings : sequence of Reading
        The layers and poolings to read.
    cache : ActivationCache, optional
        Where rows are kept; nowhere if None.
    progress : Progress, optional
        Told how far it is.
    max_bad_fraction : float
        Share of distinct pictures that may be unreadable; they are counted and named.
    bad : sequence of BadPicture
        Pictures that were asked for and found unusable before; they count as well.
    batch_size : int, optional
        Pictures per pass through the model and between two writes to the cache; the encoder
        says by default.

    Returns
    -------
    Extraction
        One row per readable stimulus, in order.

    Raises
    ------
    ExtractionError
        If too many pictures are unreadable, a response is not a number, or the cache cannot be
        written.
    ModelNameError
        If the model lacks one of the readings.
    """
    _check_modality(stimuli, {Modality.RENDERED, Modality.PHOTO})
    check_readings(readings, encoder.layers)
    model, read = beneath(encoder, readings)
    state = _begin(model, stimuli, "picture", read, cache)
    room = max_bad_fraction * (len({stimulus.digest for stimulus in stimuli}) + len(bad))
    state.bad.update({f"{index}": one for index, one in enumerate(bad)})
    _check_bad(state.bad, room, max_bad_fraction)

    planned = model if isinstance(model, Planned) else None
    size = batch_size or (planned.batch_size if planned else BATCH)
    pending = _pending(state, stimuli)
    opened = ahead(
        pending,
        opener(load_picture, planned),
        workers=planned.loaders if planned else 1,
        distance=2 * size,
    )

    def encode(batch: Sequence[Stimulus]) -> tuple[Sequence[Stimulus], Batch]:
        good, pictures = sorted_out(batch, islice(opened, len(batch)), state.bad)
        _check_bad(state.bad, room, max_bad_fraction)
        if not good:
            return good, {}
        out = model.encode_pictures(pictures, read)
        values: dict[Key, NDArray[np.float32]] = {None: out.embeddings}
        values.update(out.units.items())
        return good, values

    with closing(opened):
        _encode_missing(state, pending, encode, size, progress or SilentProgress(), "pictures")
    found = _finish(model, stimuli, state)
    return replace(found, units=along(encoder, readings, found.units))


def _begin(
    encoder: Encoder,
    stimuli: Sequence[Stimulus],
    modality: str,
    readings: Sequence[Reading],
    cache: ActivationCache | None,
) -> _Pass:
    """Fetch what the cache has."""
    identity = encoder.identity
    wanted = {stimulus.digest for stimulus in stimuli}
    spaces: dict[Key, Space | None] = {
        key: cache.space(identity, modality, key) if cache is not None else None
        for key in (None, *readings)
    }
    rows = {key: space.read(wanted) if space else {} for key, space in spaces.items()}
    return _Pass(spaces=spaces, rows=rows)


def _pending(state: _Pass, stimuli: Sequence[Stimulus]) -> list[Stimulus]:
    """Return the distinct stimuli that lack a row."""
    return [s for s in distinct(stimuli) if not state.has(s.digest)]


def distinct(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    """Return the first stimulus of each digest, in order."""
    first: dict[str, Stimulus] = {}
    for stimulus in stimuli:
        first.setdefault(stimulus.digest, stimulus)
    return list(first.values())


def _encode_missing(
    state: _Pass,
    pending: Sequence[Stimulus],
    encode: Callable[[Sequence[Stimulus]], tuple[Sequence[Stimulus], Batch]],
    batch_size: int,
    progress: Progress,
    label: str,
) -> None:
    """Encode stimuli batch by batch."""
    if not pending:
        return
    progress.start(len(pending), label)
    try:
        for batch in _batches(pending, batch_size):
            good, values = encode(batch)
            state.add(good, values)
            progress.advance(len(batch))
    finally:
        progress.finish()
    for space in state.spaces.values():
        if space is not None:
            space.compact()


def _batches(stimuli: Sequence[Stimulus], size: int) -> Iterator[Sequence[Stimulus]]:
    for start in range(0, len(stimuli), size):
        yield stimuli[start : start + size]


def _finish(encoder: Encoder, stimuli: Sequence[Stimulus], state: _Pass) -> Extraction:
    """Lay the rows out in the order of the stimuli."""
    kept = tuple(i for i, stimulus in enumerate(stimuli) if state.has(stimulus.digest))
    shown = [stimuli[i] for i in kept]
    tables = {
        key: Activations(
            values=_table(shown, rows, _width(encoder, key)),
            stimuli=tuple(stimulus.id for stimulus in shown),
            layer="embedding" if key is None else key.layer,
            pooling="" if key is None else str(key.pooling),
            encoder=encoder.identity.weights_digest,
        )
        for key, rows in state.rows.items()
    }
    distinct = len({stimulus.digest for stimulus in shown})
    return Extraction(
        embeddings=tables[None],
        units={key: table for key, table in tables.items() if key is not None},
        kept=kept,
        bad=tuple(state.bad.values()),
        encoded=state.encoded,
        reused=distinct - state.encoded,
        set_aside=tuple(name for s in state.spaces.values() if s for name in s.set_aside),
    )


def _table(stimuli: Iterable[Stimulus], rows: Rows, width: int) -> NDArray[np.float32]:
    """Rows in order, shape (n_stimuli, width)."""
    table = [rows[stimulus.digest] for stimulus in stimuli]
    return np.array(table, np.float32).reshape(len(table), width)


def _width(encoder: Encoder, key: Key) -> int:
    if key is None:
        return encoder.identity.embedding_size
    return find_layer(key.layer, encoder.layers).n_units


def opener(
    load_picture: Callable[[Stimulus], Image], planned: Planned | None
) -> Callable[[Stimulus], Image | PictureError]:
    """Return what opens a picture and makes it small, or says why it cannot be read.

    Parameters
    ----------
    load_picture : callable
        Stimulus to picture; raises `PictureError` for one that cannot be read.
    planned : Planned or None
        The encoder, if it prepares pictures.
    """

    def opened(stimulus: Stimulus) -> Image | PictureError:
        try:
            picture = load_picture(stimulus)
        except PictureError as error:
            return error
        return planned.prepare(picture) if planned else picture

    return opened


def sorted_out(
    batch: Sequence[Stimulus],
    opened: Iterable[Image | PictureError],
    bad: dict[str, BadPicture],
) -> tuple[list[Stimulus], list[Image]]:
    """Take the pictures of a batch; note those that cannot be read.

    Parameters
    ----------
    batch : sequence of Stimulus
    opened : iterable of Image or PictureError
        One for each, as `opener` gives them.
    bad : dict of str to BadPicture
        Gets those that cannot be read, by stimulus digest.
    """
    good, pictures = [], []
    for stimulus, picture in zip(batch, opened, strict=True):
        if isinstance(picture, PictureError):
            bad[stimulus.digest] = BadPicture(content=stimulus.content, reason=str(picture))
        else:
            good.append(stimulus)
            pictures.append(picture)
    return good, pictures


def _check_bad(bad: Mapping[str, BadPicture], room: float, fraction: float) -> None:
    if len(bad) <= room:
        return
    first = "; ".join(f"{one.content} ({one.reason})" for one in list(bad.values())[:3])
    raise ExtractionError(
        f"At most {fraction:.1%} of the pictures may be unreadable, but {len(bad)} already are: "
        f"{first}; repair or remove them, or allow more."
    )


def check_finite(batch: Sequence[Stimulus], table: NDArray[np.float32], key: Key) -> None:
    """Refuse responses that are not numbers.

    Raises
    ------
    ExtractionError
        Naming the first stimulus that has one.
    """
    wrong = ~np.isfinite(table).all(axis=1)
    if wrong.any():
        where = "embedding" if key is None else f"{key.layer}:{key.pooling}"
        raise ExtractionError(
            f"Responses must be finite numbers, but {where} gave NaN or infinity for "
            f"{batch[int(wrong.argmax())].content!r}; the model cannot be audited as it is."
        )


def _check_modality(stimuli: Sequence[Stimulus], expected: set[Modality]) -> None:
    for stimulus in stimuli:
        if stimulus.modality not in expected:
            raise ExtractionError(
                f"Expected stimuli of the kind {' or '.join(sorted(expected))}; "
                f"got {stimulus.modality}: {stimulus.content!r}."
            )
