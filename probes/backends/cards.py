"""Graphics cards that this process may use, by the names that another process is given."""

import os
from importlib import import_module
from typing import Any

VARIABLE = "CUDA_VISIBLE_DEVICES"


def cards() -> tuple[str, ...]:
    """Return the cards as ``CUDA_VISIBLE_DEVICES`` names them; none where there are none."""
    torch: Any = import_module("torch")  # commands list their options without it
    if not torch.cuda.is_available():
        return ()
    named = [one.strip() for one in os.environ.get(VARIABLE, "").split(",") if one.strip()]
    return tuple(named) or tuple(str(index) for index in range(torch.cuda.device_count()))
