"""The room that commands are walked in, made once, and a copy of it for each."""

import fcntl
import importlib.util
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    """Tests form no package, so what they share is loaded from its file, once."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def toys():
    """Let every model that is no embedded one be a toy; returns what sets its weight.

    The name is checked as ever: an architecture, tag, file or folder that is not there is refused.
    """
    with pytest.MonkeyPatch.context() as patch:
        yield weights_of(patch)


def weights_of(patch: pytest.MonkeyPatch):
    """Put toys in the place of models."""
    from probes.backends import open_clip, toy
    from probes.backends.naming import Source
    from probes.backends.sources import check_tag

    room, weight = load("room"), {"now": 1.0}
    plain = open_clip.load

    def load_toy(spec, **options):
        if spec.name.startswith("embedded:"):
            return plain(spec, **options)
        if spec.source is Source.TAG:
            check_tag(spec, options.get("activation"))
        return room.Weighted(spec.name, weight["now"])

    patch.setattr(open_clip, "load", load_toy)
    patch.setattr(toy, "load", load_toy)
    return lambda value: weight.update(now=value)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the room; not to be changed."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    home = place / "walked-room"
    with (place / "walked-room.lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        # Processes that run tests side by side share the one room.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "walked-room.done").exists():
            home.mkdir()
            patch.setenv("CLIP_AUDIT_CACHE", str(place / "walked-cache"))
            patch.chdir(home)
            load("room").furnish(home, weights_of(patch))
            (place / "walked-room.done").touch()
    return home


@pytest.fixture
def outside(tmp_path, furnished, monkeypatch) -> None:
    """Keep folders, settings and terminals of this machine out."""
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLIP_AUDIT_CACHE", str(furnished.parent / "walked-cache"))
    monkeypatch.setenv("CLIP_AUDIT_STORE", "kept")
    # MLflow keeps what it has opened, by address: each test needs one of its own.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/room/mlflow.db")
    monkeypatch.setattr("audit.cli.init.is_terminal", lambda: False)


@pytest.fixture
def room(tmp_path, furnished, outside, monkeypatch) -> Path:
    """Return a copy of the room, where the reader is."""
    home = Path(shutil.copytree(furnished, tmp_path / "room"))
    load("room").stock(home)
    monkeypatch.chdir(home)
    return home
