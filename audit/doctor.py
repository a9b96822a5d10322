"""Whether this machine can run audits: facts in, one line per check out.

`examine` is pure; ``audit.machine`` gathers the facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

OLDEST_PYTHON = (3, 11)
ENOUGH_BYTES = 2 * 1024**3
"""Free space below which a folder is worth a warning: an audit of a large model fills this."""

LEAST_BYTES = 50 * 1024**2
"""Free space below which not even the demo finishes."""

TORCH_PAIR_ADVICE = (
    "Install the matching pair together: pip install -c constraints.txt torch torchvision "
    "(a CPU-only build of torch cannot be used with the torchvision of the public index)."
)
REINSTALL_ADVICE = "Install clip-audit again: make setup, or pip install clip-bias-audit."


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """Something will not work, or not as well; audits do."""

    PROBLEM = "problem"
    """Audits will fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the doctor's answer."""

    name: str
    outcome: Outcome
    found: str
    advice: str = ""
    """What to do; empty where all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that audits write to."""

    path: str
    problem: str = ""
    """Why nothing can be written there; empty where it can."""

    free: int = 0
    """Free bytes on its disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A checkpoint that travels with the package."""

    path: str
    digest: str = ""
    """``sha256:`` of the file, empty where it could not be read."""

    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was seen on this machine."""

    python: tuple[int, int, int]
    prefix: str
    """Folder of the Python environment."""

    isolated: bool
    """Whether the environment is our own rather than the system's."""

    strangers: Mapping[str, str]
    """Room to the folder from which it would be imported, where that is not ours."""

    torch: Mapping[str, str]
    """``torch``, ``torchvision``, ``open_clip``, ``device`` and ``threads`` as they report
    themselves; ``error`` and ``failed`` instead where the import of ``failed`` broke."""

    weasyprint: str
    """Version of the PDF renderer, empty where it cannot be imported."""

    pdf_advice: str
    """What PDF reports lack and how to install it; empty where nothing is missing."""

    fonts: Mapping[str, str]
    """Font name to its file, or to an empty string where it is not installed."""

    cache: Folder
    output: Folder
    models: tuple[ModelFile, ...]
    cores: int
    """Cores that this process may use."""

    threads_wanted: str
    """``OMP_NUM_THREADS`` as it is set, empty where it is not."""


def examine(facts: Facts) -> tuple[Check, ...]:
    """Judge every fact.

    Returns
    -------
    tuple of Check
        In a fixed order; a machine can run audits if none is a `Outcome.PROBLEM`.
    """
    return (
        _python(facts),
        _rooms(facts),
        _torch(facts),
        _open_clip(facts),
        _pdf(facts),
        *_fonts(facts),
        _folder("cache folder", facts.cache, "Set CLIP_AUDIT_CACHE to a folder on a larger disk."),
        _folder("output folder", facts.output, "Give another folder with --out."),
        *_models(facts),
        _threads(facts),
    )


def _python(facts: Facts) -> Check:
    found = f"{'.'.join(map(str, facts.python))} in {facts.prefix}"
    if facts.python[:2] < OLDEST_PYTHON:
        return _check("Python", Outcome.PROBLEM, found, "Install Python 3.11 or newer.")
    if not facts.isolated:
        advice = (
            "Install clip-audit in its own environment (make setup, pipx or uv tool): its package "
            "names are ordinary words that system tools use too."
        )
        return _check("Python", Outcome.WARNING, f"{found}, the system's own", advice)
    return _check("Python", Outcome.OK, found)


def _rooms(facts: Facts) -> Check:
    if not facts.strangers:
        return _check("packages", Outcome.OK, "all four are ours")
    found = "; ".join(f"{room} comes from {path}" for room, path in facts.strangers.items())
    advice = "Another package owns the name: install clip-audit in an environment of its own."
    return _check("packages", Outcome.PROBLEM, found, advice)


def _torch(facts: Facts) -> Check:
    seen = facts.torch
    if seen.get("failed") in {"torch", "torchvision"}:
        return _check("torch pair", Outcome.PROBLEM, _failure(seen), TORCH_PAIR_ADVICE)
    if "torch" not in seen:
        return _check("torch pair", Outcome.PROBLEM, _failure(seen), REINSTALL_ADVICE)
    found = f"torch {seen['torch']}, torchvision {seen['torchvision']}, on {seen['device']}"
    return _check("torch pair", Outcome.OK, found)


def _open_clip(facts: Facts) -> Check:
    seen = facts.torch
    if "open_clip" in seen:
        return _check("open_clip", Outcome.OK, seen["open_clip"])
    if seen.get("failed") == "open_clip":
        return _check("open_clip", Outcome.PROBLEM, _failure(seen), TORCH_PAIR_ADVICE)
    return _check("open_clip", Outcome.PROBLEM, "not tried: torch failed", "See torch pair.")


def _failure(seen: Mapping[str, str]) -> str:
    return f"import {seen.get('failed', 'torch')} failed: {seen.get('error', 'no answer')}"


def _pdf(facts: Facts) -> Check:
    if facts.pdf_advice:
        return _check("PDF reports", Outcome.WARNING, "not possible here", facts.pdf_advice)
    if not facts.weasyprint:
        found = "WeasyPrint cannot be imported; HTML reports work"
        return _check("PDF reports", Outcome.WARNING, found, REINSTALL_ADVICE)
    return _check("PDF reports", Outcome.OK, f"WeasyPrint {facts.weasyprint} with Pango")


def _fonts(facts: Facts) -> tuple[Check, Check]:
    needed = {name: file for name, file in facts.fonts.items() if name != "cjk"}
    lacking = [name for name, file in needed.items() if not file]
    if lacking:
        found = f"not installed: {', '.join(lacking)}"
        fonts = _check("fonts", Outcome.PROBLEM, found, REINSTALL_ADVICE)
    else:
        fonts = _check("fonts", Outcome.OK, ", ".join(needed))
    found = facts.fonts.get("cjk", "") or (
        "not installed; only words in Chinese, Japanese or Korean need it (fonts-noto-cjk)"
    )
    return fonts, _check("CJK font", Outcome.OK, found)


def _folder(name: str, folder: Folder, elsewhere: str) -> Check:
    if folder.problem:
        return _check(name, Outcome.PROBLEM, f"{folder.path}: {folder.problem}", elsewhere)
    found = f"{folder.path}, {folder.free / 1024**3:.1f} GiB free"
    if folder.free < LEAST_BYTES:
        return _check(name, Outcome.PROBLEM, found, f"Free some space. {elsewhere}")
    if folder.free < ENOUGH_BYTES:
        return _check(name, Outcome.WARNING, found, f"Large audits may not fit. {elsewhere}")
    return _check(name, Outcome.OK, found)


def _models(facts: Facts) -> tuple[Check, ...]:
    if not facts.models:
        found = "no checkpoint in probes/embedded; the demo cannot run"
        return (_check("embedded model", Outcome.PROBLEM, found, REINSTALL_ADVICE),)
    return tuple(
        _check("embedded model", Outcome.PROBLEM, f"{m.path}: {m.problem}", REINSTALL_ADVICE)
        if m.problem
        else _check("embedded model", Outcome.OK, f"{m.path}, {m.digest[:19]}...")
        for m in facts.models
    )


def _threads(facts: Facts) -> Check:
    wanted, used = facts.threads_wanted, facts.torch.get("threads", "")
    found = f"{used or 'unknown number of'} for {facts.cores} cores"
    if wanted and not wanted.isdecimal():
        found = f"OMP_NUM_THREADS is {wanted!r}"
        advice = "Set OMP_NUM_THREADS to a whole number, or unset it."
        return _check("threads", Outcome.WARNING, found, advice)
    if used.isdecimal() and int(used) > facts.cores:
        advice = f"More threads than cores slow audits down: export OMP_NUM_THREADS={facts.cores}"
        return _check("threads", Outcome.WARNING, found, advice)
    return _check("threads", Outcome.OK, found)


def _check(name: str, outcome: Outcome, found: str, advice: str = "") -> Check:
    return Check(name=name, outcome=outcome, found=found, advice=advice)
