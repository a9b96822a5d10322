"""Audit folders without an audit, stores with either index, and a server that is thrown away."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from audit.folder import RESULT, begin_folder
from audit.results import AuditResult, read_result, write_result
from audit.store.index import create_store

STORED = Path(__file__).parents[2] / "specimens" / "result-1.0.json"
DAY_ONE = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The first made audit started here; each further day is a day later."""

SERVER_USERS = ("postgres", "nobody")
"""Whom the server runs as where the tests run as root, which it refuses."""

ROOTS_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
"""Where root's commands are, which a short PATH leaves out."""


@pytest.fixture(scope="session")
def small() -> AuditResult:
    """A stored result with few contrasts and nothing beside it."""
    whole = read_result(STORED)
    found = tuple(
        f.model_copy(update={"units": (), "probes": ()}) for f in whole.findings if f.blocking
    )
    pairs = {(f.identity, f.harm) for f in found}
    asked = [c for c in whole.contrasts if c.blocking]
    kept = tuple(c for c in asked if (c.identity, c.harm) in pairs) + tuple(
        [c for c in asked if (c.identity, c.harm) not in pairs][:3]
    )
    empty = {
        "unit_pages": (), "catalogue": (), "measurements": (), "text_units": None, "probes": (),
        "rates": (), "undefined": (), "not_tested": (), "causal": (), "typography": None,
        "transfers": (), "confounds": (), "measures": (),
    }  # fmt: skip
    arms = tuple(
        arm.model_copy(update={"calibration": arm.calibration.model_copy(update={"quantiles": ()})})
        for arm in whole.arms
    )
    assert found, "the specimen must keep a finding"
    return whole.model_copy(update={**empty, "contrasts": kept, "findings": found, "arms": arms})


@pytest.fixture(scope="session")
def result_of(small) -> Callable[..., AuditResult]:
    """A function that makes results of other days, models, plans, gates and findings."""

    def make(day=0, *, model="toy", plan="quarterly", passed=True, findings=True, shift=0.0,
             weights="sha256:aa"):  # fmt: skip
        started = DAY_ONE + timedelta(days=day)
        contrasts = tuple(
            c.model_copy(update={"effect_sd": c.effect_sd + shift})
            if isinstance(c.effect_sd, float)
            else c
            for c in small.contrasts
        )
        return small.model_copy(
            update={
                "contrasts": contrasts,
                "findings": small.findings if findings else (),
                "model": small.model.model_copy(update={"name": model, "weights_digest": weights}),
                "plan": small.plan.model_copy(
                    update={"name": plan, "digest": f"sha256:plan of {plan}"}
                ),
                "gate": small.gate.model_copy(
                    update={"passed": passed, "outcome": "passed" if passed else "failed"}
                ),
                "run": small.run.model_copy(
                    update={"started": started, "finished": started + timedelta(hours=1)}
                ),
            }
        )

    return make


@pytest.fixture
def audit_of(tmp_path, result_of) -> Callable[..., Path]:
    """A function that writes an audit folder; `extra` are files beside the result."""
    made = tmp_path / "made"

    def write(day=0, *, extra=None, name=None, **changes) -> Path:
        result = result_of(day, **changes)
        own = name or f"{result.run.started:%Y%m%dT%H%M%SZ}-{result.model.name}"
        folder = begin_folder(made, own)
        folder.write(RESULT, write_result(result))
        for file, content in {"report.html": b"<p>told</p>", **(extra or {})}.items():
            folder.write(file, content)
        return folder.finish()

    return write


class Server:
    """A PostgreSQL server on a socket, for as long as the tests run."""

    def __init__(self, home: Path, binaries: Path, before: list[str]):
        self.home, self.binaries, self.before = home, binaries, before
        self.numbers = itertools.count()

    def command(self, name: str, *words: str) -> None:
        done = subprocess.run(
            [*self.before, str(self.binaries / name), *words],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            lacking(f"PostgreSQL's {name} ended with {done.returncode}: {done.stderr[-300:]}")

    def start(self) -> None:
        data = str(self.home / "data")
        how = ("-U", "auditor", "--auth=trust", "-N", "-E", "UTF8", "--locale=C")
        self.command("initdb", "-D", data, *how)
        options = f"-c listen_addresses='' -c fsync=off -k {self.home}"
        log = str(self.home / "log")
        self.command("pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")

    def stop(self) -> None:
        self.command("pg_ctl", "-D", str(self.home / "data"), "-m", "immediate", "-w", "stop")

    def new_place(self) -> str:
        """Return the URL of a schema of its own: as good as a database, and made at once."""
        import psycopg

        name = f"store{next(self.numbers)}"
        with psycopg.connect(host=str(self.home), user="auditor", dbname="postgres") as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        options = f"options=-csearch_path%3D{name}"
        return f"postgresql+psycopg://auditor@/postgres?host={self.home}&{options}"


def lacking(why: str) -> NoReturn:
    """Skip what needs the server; in continuous integration nothing may be skipped."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{why} `bash .ci/services.sh` installs it where it may.")
    pytest.skip(why)


def server_binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin/initdb")
    versions = sorted(debian, key=lambda path: float(path.parts[4]))
    return versions[-1].parent if versions else None


def server_user() -> str | None:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((user for user in SERVER_USERS if user in known), None)


def as_user(user: str, search: str) -> list[str] | None:
    """Words before a command that root runs as somebody else, by whatever is installed."""
    entry = pwd.getpwnam(user)
    ways = {
        "runuser": ["-u", user, "--"],
        "setpriv": [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--"],
        "su": ["-s", "/bin/sh", "-c", 'exec "$0" "$@"', "--", user],
    }
    for name, words in ways.items():
        if path := shutil.which(name, path=search):
            return [path, *words]
    return None


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    binaries = server_binaries()
    if binaries is None:
        lacking("No PostgreSQL server is installed here (initdb is not found).")
    user = server_user() if os.geteuid() == 0 else None
    before: list[str] | None = []
    if os.geteuid() == 0:
        before = as_user(user, ROOTS_PATH) if user else None
    if before is None:
        lacking("PostgreSQL refuses to run as root, and there is nobody to run it as.")
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if user:
            shutil.chown(home, user)
        server = Server(home, binaries, before)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def index(request) -> str:
    """What `create_store` takes as the index: a file, or a database of a server."""
    if request.param == "sqlite":
        return ""
    return request.getfixturevalue("server").new_place()


@pytest.fixture
def place(tmp_path, index) -> Path:
    """A new store that nobody has open."""
    create_store(tmp_path / "store", index).close()
    return tmp_path / "store"
