"""The photos that a command or a plan asks for, from a path or an address of an object store."""

import sys
from pathlib import Path

import click

from audit.folders import cache_folder
from concept_sets.catalog import Library
from concept_sets.object_store import fetch_photos, is_address
from concept_sets.photos import PhotoSet, read_photos, with_concepts
from probes.progress import TerminalProgress

COPIES = "photos"
"""Folder in the cache that holds copies."""

photos_option = click.option(
    "--photos",
    metavar="PATH|ADDRESS",
    help="Manifest (CSV or Parquet), class-per-folder tree, or tar or Parquet shards; here, or in "
    "an object store (s3://, gs://, abfs://).",
)


def located(home: Path, given: str) -> str:
    """Return what a plan names, seen from here; addresses stay as they are.

    Examples
    --------
    >>> located(Path("plans"), "photos.csv"), located(Path("plans"), "s3://bucket/photos.csv")
    ('plans/photos.csv', 's3://bucket/photos.csv')
    """
    return given if is_address(given) else str(home / given)


def read_given(given: str, library: Library, cache: Path | None, *, offline: bool) -> PhotoSet:
    """Read photos from a path, or from copies of what lies at an address.

    Raises
    ------
    StimulusError
        If they cannot be read or copied.
    ConceptSetError
        If they name a concept that the library has not.
    """
    path = Path(given)
    if is_address(given):
        home = (cache or cache_folder()) / COPIES
        path = fetch_photos(given, home, TerminalProgress(sys.stderr), offline=offline)
    return with_concepts(read_photos(path), library)
