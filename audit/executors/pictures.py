"""A job of pictures: what a worker needs to load the model, open its pictures and encode them."""

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from PIL.Image import Image

from audit.executors.work import Encoded
from concept_sets.errors import PictureError
from concept_sets.pictures import load_picture
from concept_sets.stimulus import Stimulus
from probes.activations import BadPicture
from probes.ahead import ahead
from probes.cache import space_key
from probes.directions import beneath
from probes.encoder import Encoder, EncoderIdentity, Reading
from probes.errors import ExtractionError
from probes.extract import BATCH, Key, Planned, check_finite, opener, sorted_out
from probes.readings import check_readings, find_layer
from probes.shard_format import ROWS_PER_SHARD, TableKey

FORMAT = "clip-audit pictures 1"
MODALITY = "picture"
"""Of the spaces of the cache that pictures lie in."""

SHARES = 64
"""Shards of a small job: enough for many workers, few enough to start and to list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureJob:
    """Pictures to be embedded and read by one model; made by `picture_job`."""

    load: Callable[[], Encoder]
    """Loads the model; it travels, so a function of a module or a ``partial`` of one."""

    identity: EncoderIdentity
    """Of the model that workers must have."""

    stimuli: tuple[Stimulus, ...]
    """No two with the same digest."""

    readings: tuple[Reading, ...]
    """Units of the model, never directions."""

    widths: tuple[int, ...]
    """Numbers in a row of the embedding, then of each reading."""

    batch: int
    """Pictures of one pass."""

    root: Path | None = None
    """Folder that names of photos start from; every worker sees it."""

    @property
    def tables(self) -> tuple[Key, ...]:
        """The embedding, then the readings."""
        return (None, *self.readings)

    @property
    def rows(self) -> int:
        """Pictures of one shard."""
        return rows_of_shard(len(self.stimuli), self.batch)

    @property
    def digest(self) -> str:
        """SHA-256 of what determines the bytes of the shards: not of where pictures lie."""
        pictures = hashlib.sha256("".join(f"{s.digest}\n" for s in self.stimuli).encode())
        said = {
            "format": FORMAT,
            "tables": [dict(space_key(self.identity, MODALITY, key)) for key in self.tables],
            "pictures": pictures.hexdigest(),
            "batch": self.batch,
            "rows": self.rows,
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def keys(self) -> list[TableKey]:
        """Return what each table holds."""
        return [
            TableKey(
                layer="embedding" if key is None else key.layer,
                pooling="" if key is None else str(key.pooling),
                encoder=self.identity.weights_digest,
                n_units=width,
                rows_per_shard=self.rows,
            )
            for key, width in zip(self.tables, self.widths, strict=True)
        ]

    def count(self) -> int:
        """Return how many pictures there are."""
        return len(self.stimuli)

    def open(self) -> Callable[[int, int], Encoded]:
        """Load the model; return what opens and encodes pictures.

        Raises
        ------
        ExtractionError
            If what was loaded is another model than that of the audit.
        """
        model, _ = beneath(self.load(), ())
        refuse_another(self.identity, model.identity)
        opened = _Opened(job=self, planned=model if isinstance(model, Planned) else None)
        return partial(_encode, self, model, opened)


def picture_job(
    encoder: Encoder,
    stimuli: Sequence[Stimulus],
    readings: Sequence[Reading],
    *,
    load: Callable[[], Encoder],
    root: Path | None = None,
) -> PictureJob:
    """Describe the work that `probes.extract.extract_pictures` would do.

    Parameters
    ----------
    encoder : Encoder
        The model, loaded here; its directions are read beneath, as units.
    stimuli : sequence of Stimulus
        No two with the same digest.
    readings : sequence of Reading
    load : callable
        As in `PictureJob`.
    root : Path, optional
        Folder that names of photos start from.

    Raises
    ------
    ModelNameError
        If the model lacks one of the readings.
    """
    check_readings(readings, encoder.layers)
    model, read = beneath(encoder, readings)
    units = (find_layer(one.layer, model.layers).n_units for one in read)
    return PictureJob(
        load=load,
        identity=model.identity,
        stimuli=tuple(stimuli),
        readings=read,
        widths=(model.identity.embedding_size, *units),
        batch=model.batch_size if isinstance(model, Planned) else BATCH,
        root=root,
    )


def rows_of_shard(n_pictures: int, batch: int) -> int:
    """Return how many pictures a shard has: whole batches, at most 4,096.

    It follows from the pictures alone, never from the number of workers, so that everybody makes
    the same shards; and batches lie as in one process, since sums differ with the batch.

    Examples
    --------
    >>> [rows_of_shard(n, 16) for n in (10, 2_000, 1_000_000)]
    [16, 32, 4096]
    """
    share = -(-n_pictures // SHARES)
    whole = -(-share // batch) * batch
    return max(batch, min(whole, ROWS_PER_SHARD // batch * batch))


def refuse_another(expected: EncoderIdentity, found: EncoderIdentity) -> None:
    """Refuse a model whose rows would not be those of the audited one.

    Raises
    ------
    ExtractionError
        Naming what differs.
    """
    ours, theirs = (space_key(one, MODALITY, None) for one in (expected, found))
    for name, value in ours.items():
        if theirs[name] != value:
            raise ExtractionError(
                f"A worker must have the model of the audit, but its {name} are {theirs[name]!r} "
                f"instead of {value!r}; give every machine the same weights and libraries."
            )


def _encode(job: PictureJob, model: Encoder, opened: "_Opened", first: int, after: int) -> Encoded:
    """Open and encode the pictures from one number up to another."""
    bad: dict[str, BadPicture] = {}
    batch = job.stimuli[first:after]
    good, pictures = sorted_out(batch, opened.take(first, after), bad)
    told = tuple((one.content, one.reason) for one in bad.values())
    if not good:
        return Encoded(
            ids=(), tables=tuple(np.zeros((0, w), np.float32) for w in job.widths), bad=told
        )
    out = model.encode_pictures(pictures, job.readings)
    tables = (out.embeddings, *(out.units[one] for one in job.readings))
    for key, table in zip(job.tables, tables, strict=True):
        check_finite(good, table, key)
    return Encoded(ids=tuple(stimulus.digest for stimulus in good), tables=tables, bad=told)


@dataclass(slots=True, kw_only=True)
class _Opened:
    """Pictures of one shard, opened in threads a little ahead of the model."""

    job: PictureJob
    planned: Planned | None
    at: int = -1
    """Number of the picture that comes next."""

    stream: Generator[Image | PictureError, None, None] | None = None

    def take(self, first: int, after: int) -> Iterator[Image | PictureError]:
        """Return the pictures from one number up to another of the same shard."""
        stream = self.stream
        if stream is None or first != self.at or first % self.job.rows == 0:
            if stream is not None:
                stream.close()
            stream = self._from(first)
        self.stream, self.at = stream, after
        return islice(stream, after - first)

    def _from(self, first: int) -> Generator[Image | PictureError, None, None]:
        """Open from here to the end of the shard: the next one may be somebody else's."""
        end = (first // self.job.rows + 1) * self.job.rows
        return ahead(
            self.job.stimuli[first:end],
            opener(partial(load_picture, root=self.job.root), self.planned),
            workers=self.planned.loaders if self.planned else 1,
            distance=2 * self.job.batch,
        )
