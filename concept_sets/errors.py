"""Errors of this room; the command line prints their sentence and exits 2 or 3."""


class ConceptSetError(ValueError):
    """A concept set, template or pack name is wrong; the message names file and key."""


class StimulusError(ValueError):
    """A manifest, archive or font cannot be used; the message names file and row."""


class PictureError(OSError):
    """One picture cannot be read; it is counted, named, and stops the run past a threshold."""
