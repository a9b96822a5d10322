"""What is dear and shared by several rooms: one demo audit and one browser for all tests."""

import fcntl
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


def load(path: Path) -> ModuleType:
    """Tests form no package, so what they share is loaded from its file."""
    spec = importlib.util.spec_from_file_location(f"shared_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def audit_the_demo(out: Path) -> None:
    """Audit the embedded model with the gate that its planted links must fail."""
    from audit.cli.main import main

    options = ["--format", "html", "--cache", str(out / "c"), "--fail-on", "high"]
    with pytest.raises(SystemExit) as end:
        main(["demo", "--out", str(out), *options])
    (out / "code").write_text(str(end.value.code or 0))


@pytest.fixture(scope="session")
def demo_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output of one demo audit with its exit code in ``code``; not to be changed."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    out = place / "demo-once"
    with (place / "demo-once.lock").open("w") as lock:
        # Processes that run tests side by side share the one audit.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "code").exists():
            out.mkdir()
            audit_the_demo(out)
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Return the running browser; see ``tests/browser/browser.py`` for what it can do."""
    module = load(HERE / "browser" / "browser.py")
    if missing := module.lacking():
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(missing)
        pytest.skip(missing)
    with module.Browser() as opened:
        yield opened
