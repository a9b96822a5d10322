"""What is on this machine, for the doctor to judge: every look at the outside is here."""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path

from audit.doctor import Facts, Folder, ModelFile
from audit.system_libraries import advice, missing_libraries, system_release
from concept_sets.errors import StimulusError
from concept_sets.rendered import FONTS, font_path

ROOMS = ("audit", "concept_sets", "probes", "reports")

TORCH_PROBE = """
import json, sys
seen = {}
for name in ("torch", "torchvision", "open_clip"):
    try:
        seen[name] = __import__(name).__version__
    except Exception as error:
        seen = {"failed": name, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
        break
else:
    import torch
    gpu = torch.cuda.is_available()
    seen["device"] = torch.cuda.get_device_name() if gpu else "the CPU"
    seen["threads"] = str(torch.get_num_threads())
sys.stdout.write("\\n" + json.dumps(seen))
"""
"""Run in a process of its own: a broken pair may crash, hang or be told, but never hurts us."""

PATIENCE_SECONDS = 180.0

CONTAINER_QUOTA = Path("/sys/fs/cgroup/cpu.max")

Answer = Callable[[str], subprocess.CompletedProcess[str]]


def gather_facts(*, cache: Path, output: Path) -> Facts:
    """Look at everything that `audit.doctor.examine` judges.

    Parameters
    ----------
    cache, output : Path
        Folders that audits would write to; neither is created.
    """
    missing = missing_libraries()
    return Facts(
        python=sys.version_info[:3],
        prefix=sys.prefix,
        isolated=sys.prefix != sys.base_prefix,
        strangers=strangers(),
        torch=torch_facts(),
        weasyprint=_version("weasyprint"),
        pdf_advice=advice(missing, system_release()) if missing else "",
        fonts={name: _font_file(name) for name in FONTS},
        cache=look_at_folder(cache),
        output=look_at_folder(output),
        models=embedded_models(),
        cores=cores(),
        threads_wanted=os.environ.get("OMP_NUM_THREADS", ""),
    )


def strangers(places: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the rooms that are imported from elsewhere than this module, with the place.

    Parameters
    ----------
    places : mapping of str to str, optional
        Room to the folder it is imported from; looked up by default.
    """
    seen = places if places is not None else {room: _place(room) for room in ROOMS}
    home = str(Path(__file__).parents[1])
    return {room: place for room, place in seen.items() if str(Path(place).parent) != home}


def torch_facts(ask: Answer | None = None) -> dict[str, str]:
    """Import torch, torchvision and open_clip in another process and return what they say.

    Parameters
    ----------
    ask : callable, optional
        Runs Python code and returns the finished process; starts this Python by default.

    Returns
    -------
    dict of str to str
        See `audit.doctor.Facts.torch`.
    """
    try:
        done = (ask or _run_python)(TORCH_PROBE)
    except subprocess.TimeoutExpired:
        return {"failed": "torch", "error": f"no answer within {PATIENCE_SECONDS:.0f} s"}
    try:
        seen: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        return {"failed": "torch", "error": f"the process ended with {done.returncode}: {last}"}
    return seen


def look_at_folder(path: Path) -> Folder:
    """Try to write where ``path`` is or would be made, leaving nothing behind."""
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return Folder(path=str(path), problem=f"{there} is not a folder")
    try:
        with tempfile.NamedTemporaryFile(dir=there) as trial:
            trial.write(b"\0" * 4096)
            trial.flush()
        return Folder(path=str(path), free=shutil.disk_usage(there).free)
    except OSError as error:
        return Folder(path=str(path), problem=error.strerror or str(error))


def embedded_models(folder: Path | None = None) -> tuple[ModelFile, ...]:
    """Read every checkpoint that travels with the package, in order of their names.

    Parameters
    ----------
    folder : Path, optional
        Where to look; ``probes/embedded`` by default.
    """
    root = folder or Path(str(resources.files("probes"))) / "embedded"
    return tuple(_model_file(path, root) for path in sorted(root.rglob("*.safetensors")))


def cores(quota_file: Path = CONTAINER_QUOTA) -> int:
    """Return how many cores this process may use: its own share, and its container's.

    Parameters
    ----------
    quota_file : Path
        Holds the container's microseconds of work per period, or ``max``, and the period.
    """
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        work, period = quota_file.read_text().split()
        return max(1, min(own, int(work) // int(period)))
    except (OSError, ValueError):
        return own


def _model_file(path: Path, root: Path) -> ModelFile:
    name = path.relative_to(root).as_posix()
    try:
        content = path.read_bytes()
    except OSError as error:
        return ModelFile(path=name, problem=f"cannot be read: {error.strerror}")
    problem = _header_problem(content)
    digest = "" if problem else "sha256:" + hashlib.sha256(content).hexdigest()
    return ModelFile(path=name, digest=digest, problem=problem)


def _header_problem(content: bytes) -> str:
    """Check the length and the header of a safetensors file without loading it."""
    try:
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        ends = [row["data_offsets"][1] for name, row in header.items() if name != "__metadata__"]
    except (struct.error, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return "is not a safetensors file"
    if not ends or 8 + length + max(ends) != len(content):
        return f"is cut short or too long ({len(content)} bytes)"
    return ""


def _run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _place(room: str) -> str:
    spec = find_spec(room)
    return str(Path(spec.origin).parent) if spec and spec.origin else "nowhere"


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _font_file(name: str) -> str:
    try:
        return str(font_path(name))
    except StimulusError:
        return ""
