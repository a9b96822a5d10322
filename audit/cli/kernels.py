"""Where the choice of a kernel for large image towers is kept, for every command alike."""

from pathlib import Path

from audit.folders import cache_folder
from audit.machine import cores
from probes.backends.kernel_book import KernelBook


def kernel_book(cache: Path | None) -> KernelBook:
    """Return the book beside the activations, which an interrupted audit reads again.

    Parameters
    ----------
    cache : Path or None
        The cache that the command line names; the user's own by default.
    """
    return KernelBook(folder=(cache or cache_folder()) / "kernels", cores=cores())
