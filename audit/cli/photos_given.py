"""Photos as a command or a plan names them: a path on this machine, or an address of a store."""

import sys
from pathlib import Path

from concept_sets.addresses import fault_of, local_path, seen_from
from concept_sets.catalog import Library
from concept_sets.errors import StimulusError
from concept_sets.photos import PhotoSet, read_photos, with_concepts
from probes.progress import TerminalProgress


def named_place(given: str | None, planned: str, home: Path) -> str | None:
    """Return where the photos lie, or None where nobody names any.

    Parameters
    ----------
    given : str or None
        Of the command line, which wins.
    planned : str
        Of the plan; a path is relative to its folder.
    home : Path
        Folder of the plan.

    Examples
    --------
    >>> named_place(None, "s3://bucket/photos.csv", Path("plans"))
    's3://bucket/photos.csv'
    >>> named_place(None, "photos.csv", Path("plans"))
    'plans/photos.csv'
    """
    return given or (seen_from(home, planned) if planned else None)


def is_named_here(planned: str) -> bool:
    """Tell whether what a plan names can be looked for: an address, or a path that is there."""
    path = local_path(planned)
    return bool(planned) and (path is None or path.exists())


def photos_given(
    place: str | None, library: Library, *, cache: Path, offline: bool
) -> PhotoSet | None:
    """Read the photos of a path or address, if any, with concepts of the library.

    What an address names is copied below the cache, unless it lies there already.

    Raises
    ------
    StimulusError
        If the address is refused, the store does not answer, or the photos cannot be used.
    ConceptSetError
        If the library lacks a concept of theirs.
    """
    if place is None:
        return None
    if fault := fault_of(place):
        raise StimulusError(fault)
    path = local_path(place)
    photos = _stored(place, cache, offline) if path is None else read_photos(path)
    return with_concepts(photos, library)


def _stored(address: str, cache: Path, offline: bool) -> PhotoSet:
    # Imported here: other audits do without fsspec.
    from concept_sets.object_store import read_stored_photos

    progress = TerminalProgress(sys.stderr)
    return read_stored_photos(address, cache, offline=offline, progress=progress)
