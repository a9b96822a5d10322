"""Where the choice of a kernel for large image towers is kept, for every command alike."""

from pathlib import Path

from audit.folders import cache_folder
from audit.machine import cores
from probes.backends.kernel_book import KernelBook


def kernel_book(cache: Path | None, *, fast: bool = False) -> KernelBook:
    """Return the book beside the activations, which an interrupted audit reads again.

    Parameters
    ----------
    cache : Path or None
        The cache that the command line names; the user's own by default.
    fast : bool
        Whether large towers are computed with weights of bfloat16.
    """
    # absolute, since the book travels to workers that may start in another folder
    folder = (cache or cache_folder()).absolute() / "kernels"
    return KernelBook(folder=folder, cores=cores(), fast=fast)
