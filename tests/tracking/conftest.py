"""A finished audit with pictures, an empty offline tracker, and the command line."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.cli.main import main
from audit.folder import RESULT, begin_folder
from audit.pictures_file import PICTURES, pack_pictures
from audit.results import AuditResult, read_result, write_result

STORED = Path(__file__).parents[1] / "specimens" / "result-1.0.json"


@pytest.fixture(autouse=True)
def quiet(tmp_path, monkeypatch):
    """Leave neither files nor variables behind: a client reads both."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    before = dict(os.environ)
    yield
    for name in set(os.environ) - set(before):
        del os.environ[name]


@pytest.fixture(scope="session")
def stored() -> AuditResult:
    whole = read_result(STORED)
    return whole.model_copy(update={"measurements": ()})


@pytest.fixture
def audit_of(tmp_path, stored) -> Callable[..., Path]:
    """A function that writes an audit folder; `extra` are files beside the result."""

    def write(name: str = "audit", *, extra: dict[str, bytes] | None = None, **changes) -> Path:
        folder = begin_folder(tmp_path / "audits", name)
        folder.write(RESULT, write_result(stored.model_copy(update=changes)))
        for file, content in (extra or {}).items():
            folder.write(file, content)
        return folder.finish()

    return write


@pytest.fixture
def audit(audit_of) -> Path:
    pictures = pack_pictures({"a.jpg": b"1"})
    extra = {"report.html": b"<p>told</p>", "measurements.csv": b"a\n", PICTURES: pictures}
    return audit_of(extra=extra)


@pytest.fixture(scope="session")
def empty_tracker(tmp_path_factory) -> Path:
    """A database with MLflow's tables; making them takes seconds."""
    sqlalchemy_store = pytest.importorskip("mlflow.store.tracking.sqlalchemy_store")
    folder = tmp_path_factory.mktemp("tracker")
    file = folder / "mlflow.db"
    sqlalchemy_store.SqlAlchemyStore(f"sqlite:///{file}", str(folder / "unused"))
    return file


@pytest.fixture
def uri(empty_tracker, tmp_path) -> str:
    shutil.copy(empty_tracker, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def client(uri):
    from mlflow.tracking import MlflowClient

    return MlflowClient(uri)


@pytest.fixture
def track(capsys) -> Callable[..., tuple[int, str, str]]:
    """Run ``clip-audit track``; the exit code and both streams come back."""

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(["track", *map(str, words)])
        streams = capsys.readouterr()
        return end.value.code, streams.out, streams.err

    return run
