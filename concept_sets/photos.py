"""Photos as stimuli: from a manifest, a folder per concept, or tar or Parquet shards."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath

from concept_sets.catalog import Library
from concept_sets.errors import StimulusError
from concept_sets.manifest import OWN_COLUMNS, PARQUET, Row, read_rows
from concept_sets.parquet_shards import holds_pictures, read_table
from concept_sets.stimulus import Modality, Stimulus
from concept_sets.tar_shards import OTHER_PICTURES, PICTURE_ENDINGS, Sample, read_shard

MANIFESTS = (".csv", ".tsv", ".parquet", ".pq")
MEMBER_MARK = "::"
"""Between an archive and its member in ``Stimulus.content``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadPhoto:
    """A picture that was listed and cannot be used."""

    where: str
    """Row of the manifest, or member of the archive."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSet:
    """Photos of one source, in an order that never changes."""

    stimuli: tuple[Stimulus, ...]
    group_columns: tuple[str, ...]
    """Columns beyond path, concept, cluster, licence and source, in order."""

    bad: tuple[BadPhoto, ...]
    """Counted and named; the run stops when they are too many."""

    digest: str
    """``sha256:`` of pictures, concepts, clusters and groups; not of where they lie."""

    root: Path = Path()
    """Folder that the names of pictures start from."""

    def name(self, content: str) -> str:
        """Return what results call a picture: where it lies under the root."""
        return content.removeprefix(os.path.join(self.root, ""))


def read_photos(path: Path) -> PhotoSet:
    """Read photos and what is known of them.

    Parameters
    ----------
    path : Path
        One of: a manifest (``.csv``, ``.tsv``, ``.parquet``) with a column ``path`` relative to
        it and optionally ``concept``, ``cluster``, ``licence``, ``source``, every further column
        being a group column; a folder with one folder per concept; a ``.tar`` archive or a
        folder of them, whose pictures may have ``.json`` and ``.cls`` members of the same name;
        a ``.parquet`` table with the pictures in a column ``image``, or a folder of them.

    Returns
    -------
    PhotoSet
        Manifests keep their order, folders are sorted. Without a cluster, each picture is one.

    Raises
    ------
    StimulusError
        If the source is empty, unreadable or inconsistent, or a path leads out of its folder;
        the sentence names file and row.
    """
    if path.is_dir():
        shards = _shards(path)
        photos = _from_shards(shards) if shards else _from_tree(path)
    elif path.suffix.lower() == ".tar" or _is_table(path):
        photos = _from_shards([path])
    elif path.suffix.lower() in MANIFESTS:
        photos = _from_manifest(path)
    else:
        what = "is none of these" if path.exists() else "does not exist"
        raise StimulusError(
            f"Photos come from a {', '.join(MANIFESTS)} or .tar file, or a folder; {path} {what}."
        )
    if not photos.stimuli and not photos.bad:
        raise StimulusError(f"{path}: must hold at least one picture; it has none.")
    root = (path if path.is_dir() else path.parent).resolve()
    return replace(photos, digest=_digest(photos.stimuli), root=root)


def with_concepts(photos: PhotoSet, library: Library) -> PhotoSet:
    """Turn the concept names of photos into references of the library.

    Raises
    ------
    ConceptSetError
        If the library has no such concept; the nearest name is suggested.
    """
    names = {photo.concept for photo in photos.stimuli if photo.concept}
    refs = {name: library.concept(name).ref for name in sorted(names)}
    stimuli = tuple(replace(photo, concept=refs.get(photo.concept, "")) for photo in photos.stimuli)
    return replace(photos, stimuli=stimuli, digest=_digest(stimuli))


def _from_manifest(path: Path) -> PhotoSet:
    columns, rows = read_rows(path)
    groups = tuple(name for name in columns if name not in OWN_COLUMNS)
    root = path.parent.resolve()
    _refuse_twins(path, rows)
    made = [_from_row(path, root, row, groups) for row in rows]
    return _collect(made, groups)


def _refuse_twins(path: Path, rows: Iterable[Row]) -> None:
    first: dict[str, int] = {}
    for row in rows:
        name = os.path.normpath(row.cells["path"])
        number = first.setdefault(name, row.number)
        if number != row.number:
            raise StimulusError(
                f"{path.name}, row {row.number}: the picture {name!r} is in row {number} already; "
                "list each once."
            )


def _from_row(path: Path, root: Path, row: Row, groups: tuple[str, ...]) -> Stimulus | BadPhoto:
    where, name = f"row {row.number}", row.cells["path"]
    if not name:
        raise StimulusError(f"{path.name}, {where}: the path is empty.")
    if not _stays_inside(root, name):
        raise StimulusError(
            f"{path.name}, {where}: a path must stay in the manifest's folder; got {name!r}."
        )
    return _from_file(root, name, row.cells, groups, where)


def _stays_inside(root: Path, name: str) -> bool:
    """Tell whether a name, its links followed, stays under ``root``."""
    plain = PurePosixPath(name)
    if plain.is_absolute() or ".." in plain.parts or "\\" in name or name[1:2] == ":":
        return False
    return (root / name).resolve().is_relative_to(root)


def _from_tree(root: Path) -> PhotoSet:
    root = root.resolve()
    made: list[Stimulus | BadPhoto] = []
    for name in sorted(_files(root)):
        ending = PurePosixPath(name).suffix.lower()
        concept, _, rest = name.partition("/")
        if not rest or ending not in PICTURE_ENDINGS + OTHER_PICTURES:
            continue
        if ending in OTHER_PICTURES:
            made.append(BadPhoto(where=name, path=name, reason=f"{ending} pictures are not read"))
        elif not _stays_inside(root, name):
            made.append(BadPhoto(where=name, path=name, reason="its link leads out of the folder"))
        else:
            made.append(_from_file(root, name, {"concept": concept}, (), name))
    return _collect(made, ())


def _files(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        for name in names:
            yield (Path(folder) / name).relative_to(root).as_posix()


def _from_file(
    root: Path, name: str, cells: Mapping[str, str], groups: tuple[str, ...], where: str
) -> Stimulus | BadPhoto:
    file = root / name
    try:
        with file.open("rb") as opened:
            digest = file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        return BadPhoto(where=where, path=name, reason=error.strerror or str(error))
    return _stimulus(str(file), name, digest, cells, groups)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in PARQUET and holds_pictures(path)


def _shards(folder: Path) -> list[Path]:
    """Return the archives or tables of a folder that is a set of shards, else nothing."""
    archives = sorted(folder.glob("*.tar"))
    tables = sorted(path for ending in PARQUET for path in folder.glob(f"*{ending}"))
    # one that cannot be read is no reason to pass over it beside others
    if not any(holds_pictures(path) for path in tables):
        return archives
    if archives:
        raise StimulusError(
            f"{folder}: must hold tar archives or Parquet tables of pictures; it holds both. Give "
            "each kind a folder of its own."
        )
    return tables


def _from_shards(paths: Iterable[Path]) -> PhotoSet:
    samples = [
        (path.resolve(), sample)
        for path in paths
        for sample in (read_table if path.suffix.lower() in PARQUET else read_shard)(path)
    ]
    groups = tuple(
        dict.fromkeys(
            name for _, sample in samples for name in sample.fields if name not in OWN_COLUMNS
        )
    )
    made: list[Stimulus | BadPhoto] = []
    for path, sample in samples:
        made += _from_sample(path, sample, groups)
    return _collect(made, groups)


def _from_sample(path: Path, sample: Sample, groups: tuple[str, ...]) -> list[Stimulus | BadPhoto]:
    made: list[Stimulus | BadPhoto] = [
        BadPhoto(where=path.name, path=name, reason=reason) for name, reason in sample.bad
    ]
    if sample.member:
        content = f"{path}{MEMBER_MARK}{sample.member}"
        name = f"{path.name}{MEMBER_MARK}{sample.key}"
        fields = {key: value.strip() for key, value in sample.fields.items()}
        made.append(_stimulus(content, name, sample.digest, fields, groups))
    return made


def _stimulus(
    content: str, name: str, digest: str, cells: Mapping[str, str], groups: tuple[str, ...]
) -> Stimulus:
    return Stimulus(
        modality=Modality.PHOTO,
        content=content,
        concept=cells.get("concept", ""),
        cluster=cells.get("cluster", "") or name,
        template="",
        digest=digest,
        groups=tuple(sorted((column, cells[column]) for column in groups if cells.get(column))),
        source=cells.get("source", ""),
        licence=cells.get("licence", ""),
    )


def _collect(made: Iterable[Stimulus | BadPhoto], groups: tuple[str, ...]) -> PhotoSet:
    items = list(made)
    return PhotoSet(
        stimuli=tuple(item for item in items if isinstance(item, Stimulus)),
        group_columns=groups,
        bad=tuple(item for item in items if isinstance(item, BadPhoto)),
        digest="",
    )


def _digest(stimuli: Iterable[Stimulus]) -> str:
    shown = [
        (photo.digest, photo.concept, photo.cluster, photo.groups, photo.licence, photo.source)
        for photo in stimuli
    ]
    text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{sha256(text.encode()).hexdigest()}"
