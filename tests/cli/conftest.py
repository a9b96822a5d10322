"""The command line as a user meets it: words in, exit code and two streams out."""

import importlib.util
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from audit.cli.main import main
from audit.results import AuditResult, read_result

SPECIMENS = Path(__file__).parents[1] / "specimens"


def load_specimen(name: str) -> ModuleType:
    """Tests do not form a package, so what they share is loaded from its file."""
    spec = importlib.util.spec_from_file_location(f"specimen_{name}", SPECIMENS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def folder(self) -> Path:
        """The audit folder that the answer names."""
        (path,) = re.findall(r"^  (.+)/result\.json$", self.out, re.MULTILINE)
        return Path(path)

    @property
    def result(self) -> AuditResult:
        return read_result(self.folder / "result.json")

    def encoded(self, modality: str = "text") -> tuple[int, int]:
        """Stimuli encoded now, and taken from the cache."""
        line = rf"  {modality}: (\d+) stimuli encoded now, (\d+) from the cache"
        ((now, before),) = re.findall(line, self.err)
        return int(now), int(before)


def invoke(arguments: list[object]) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch) -> Iterator[None]:
    """Keep cache, output and settings of this machine out of every test."""
    monkeypatch.setenv("CLIP_AUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def cli(capsys) -> Callable[..., Outcome]:
    """Run ``clip-audit`` with the given words."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = invoke(list(arguments))
        streams = capsys.readouterr()
        return Outcome(code, streams.out, streams.err)

    return run


@pytest.fixture(scope="session")
def small_world() -> ModuleType:
    return load_specimen("small_world")


@pytest.fixture(scope="session")
def invoke_once() -> Callable[[list[object]], int]:
    """Run a command for fixtures that outlive a test; the exit code comes back."""
    return invoke


@pytest.fixture
def world(tmp_path, small_world) -> ModuleType:
    """Packs with a planted link and ``plan.toml`` in the current folder."""
    small_world.write_packs(tmp_path / "packs")
    small_world.write_plan(tmp_path)
    return small_world


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory, small_world) -> Path:
    """A finished audit with pictures of words and an HTML report; not to be changed."""
    home = tmp_path_factory.mktemp("finished")
    small_world.write_packs(home / "packs")
    plan = small_world.write_plan(home, rendered="describes")
    words = ["run", plan, "--out", home / "out", "--cache", home / "cache", "--format", "html"]
    assert invoke(words) == 0
    (folder,) = (home / "out").iterdir()
    return folder


@pytest.fixture
def finished(tmp_path, finished_once) -> Path:
    """A copy of a finished audit, to be damaged."""
    return Path(shutil.copytree(finished_once, tmp_path / "audit"))


@pytest.fixture(scope="session")
def checkpoints() -> ModuleType:
    return load_specimen("checkpoints")


@pytest.fixture(scope="session")
def tensors(checkpoints, tmp_path_factory) -> Callable[[str], dict]:
    """Architecture name to the tensors of a tiny model; made once, not to be changed."""
    made: dict[str, dict] = {}

    def get(name: str) -> dict:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            model = checkpoints.make_model(checkpoints.CONFIGS[name], folder)
            made[name] = dict(model.state_dict())
        return made[name]

    return get


@pytest.fixture
def checkpoint(checkpoints, tensors, tmp_path) -> Callable[..., Path]:
    """Write a folder with the configuration of a tiny model and its weights in one layout."""

    def write(name: str, file: str = "open_clip_model.safetensors", change=None) -> Path:
        folder = tmp_path / f"tiny-{name}"
        folder.mkdir(exist_ok=True)
        checkpoints.write_config(checkpoints.CONFIGS[name], folder)
        kept = {k: v.clone() for k, v in tensors(name).items()}
        checkpoints.WRITERS[file](change(kept) if change else kept, folder / file)
        return folder

    return write
