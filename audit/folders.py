"""Where things are kept: the cache of activations and the folder of finished audits."""

import os
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_cache_path

CACHE_VARIABLE = "CLIP_AUDIT_CACHE"
"""Environment variable that moves the cache, for example onto a larger disk."""

OUTPUT_FOLDER = Path("audit-runs")
"""Default parent of audit folders, in the current folder.

Never ``reports`` or ``audit``: those are import packages of ours.
"""


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder that holds activations between audits; it need not exist yet.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Looked up for ``CLIP_AUDIT_CACHE``; the process's own by default.

    Examples
    --------
    >>> cache_folder({"CLIP_AUDIT_CACHE": "scratch"})
    PosixPath('scratch')
    """
    chosen = (os.environ if environment is None else environment).get(CACHE_VARIABLE, "").strip()
    return Path(chosen).expanduser() if chosen else user_cache_path("clip-audit")
