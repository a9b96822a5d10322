"""Interrupted, killed, out of space: nothing half-finished stays, nothing finished is lost."""

import errno
import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audit.folder import AuditFolder
from audit.tables import PARQUET
from probes.backends.toy import ToyEncoder

SCRIPT = Path(sys.executable).parent / "clip-audit"
RUN = ["run", "plan.toml", "--format", "json"]


def left_in(folder: Path) -> list[str]:
    """Everything that a run left behind, hidden or not."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def interrupted_after(monkeypatch):
    """Let the toy be interrupted after so many calls, once."""

    def arrange(n_calls: int, name="encode_texts"):
        left = [None] * n_calls + [KeyboardInterrupt]
        real = getattr(ToyEncoder, name)

        def encode(self, *words):
            if left and left.pop(0):
                raise KeyboardInterrupt
            return real(self, *words)

        monkeypatch.setattr(ToyEncoder, name, encode)

    return arrange


@pytest.fixture
def larger(world, tmp_path):
    """More prompts than one batch holds."""
    path = tmp_path / "plan.toml"
    path.write_text(path.read_text().replace('["bare"]', '["bare", "photo", "picture"]'))
    return 3 * world.N_TERMS


def test_ctrl_c_keeps_finished_batches_and_the_next_run_does_the_rest(
    cli, larger, interrupted_after, tmp_path
):
    interrupted_after(1)
    cache = ["--cache", tmp_path / "kept"]

    first = cli(*RUN, *cache)
    second = cli(*RUN, *cache, "--out", "out")
    whole = cli(*RUN, "--cache", tmp_path / "fresh", "--out", "out")

    assert first.code == 130
    *_, sentence = first.err.splitlines()
    assert sentence.startswith("Interrupted. What was encoded is in the cache")
    assert first.out == ""
    assert not (tmp_path / "audit-runs").exists()
    assert second.code == 0
    assert second.encoded() == (larger - 256, 256)
    assert second.result.digest == whole.result.digest


def test_ctrl_c_among_pictures_keeps_finished_batches(cli, world, interrupted_after, tmp_path):
    world.write_plan(tmp_path, rendered="describes")
    (tmp_path / "plan.toml").write_text(
        (tmp_path / "plan.toml").read_text().replace("lambdas = 3", "lambdas = 3\nroles = []")
    )
    interrupted_after(3, "encode_pictures")
    cache = ["--cache", tmp_path / "kept"]

    assert cli(*RUN, *cache).code == 130
    second = cli(*RUN, *cache)

    assert second.encoded("text") == (0, world.N_TERMS)
    assert second.encoded("rendered") == (world.N_TERMS - 48, 48)


@pytest.mark.parametrize("name", ["write_tables", "assemble", "write_document", "write_reports"])
def test_ctrl_c_while_writing_leaves_no_folder(name, cli, world, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"audit.cli.publish.{name}", interrupt)

    assert cli(*RUN).code == 130
    assert left_in(tmp_path / "audit-runs") == []


SLOW = """
import signal, sys, time
# A shell starts background jobs with Ctrl-C ignored, and children inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)
from audit.cli.main import main
from probes.backends.toy import ToyEncoder
real = ToyEncoder.encode_texts
def slow(self, texts):
    out = real(self, texts)
    print("ENCODING", file=sys.stderr, flush=True)
    time.sleep(float(sys.argv[1]))
    return out
ToyEncoder.encode_texts = slow
main(sys.argv[2:])
"""
"""The command line with a slow model: the delay, then the words."""


def start(script: str, *words: str) -> subprocess.Popen:
    command = [sys.executable, "-P", "-c", script, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGTERM, 143, "Terminated."), (signal.SIGINT, 130, "Interrupted.")],
)
def test_a_signal_ends_a_process_with_its_code_and_a_sentence(
    number, code, said, larger, tmp_path, cli
):
    process = start(SLOW, "60", *RUN)
    for line in process.stderr:
        if line == "ENCODING\n":
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=60)

    assert process.returncode == code
    assert err.splitlines()[-1].startswith(said)
    assert "Traceback" not in err
    assert out == ""
    assert left_in(tmp_path / "audit-runs") == []
    assert cli(*RUN).code == 0


KILLED = """
import os, signal, sys
from audit.cli.main import main
from audit.folder import AuditFolder
seen = iter(range(int(sys.argv[1])))
def dying(real):
    def step(*words):
        out = real(*words)
        if next(seen, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return out
    return step
AuditFolder.write = dying(AuditFolder.write)
main(sys.argv[2:])
"""
"""The command line, killed after so many writes."""


@pytest.mark.parametrize("writes", [0, 2])
def test_a_killed_run_leaves_no_folder_that_verifies(writes, world, tmp_path, cli):
    process = start(KILLED, str(writes), *RUN)
    process.communicate(timeout=60)

    assert process.returncode == -signal.SIGKILL
    (left,) = left_in(tmp_path / "audit-runs")
    end = cli("verify", tmp_path / "audit-runs" / left)
    assert end.code == 3
    assert "was left by a run that was stopped" in end.err

    again = cli(*RUN)
    assert again.code == 0
    assert again.encoded() == (0, world.N_TERMS)
    assert cli("verify", again.folder).code == 0


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("before", range(6))
def test_a_full_disk_at_any_write_is_one_sentence_and_leaves_no_folder(
    before, cli, world, tmp_path, monkeypatch
):
    calls = iter(range(before))
    real = os.fsync

    def fsync(number):
        begun = (tmp_path / "audit-runs").exists()
        if begun and next(calls, None) is None:
            full()
        return real(number)

    monkeypatch.setattr(os, "fsync", fsync)

    assert_full(cli(*RUN), tmp_path)


def assert_full(end, tmp_path: Path) -> None:
    assert end.code == 3
    sentence = end.err.splitlines()[-1]
    assert sentence.startswith("Error: The disk that holds ")
    assert "what was encoded is in the cache" in sentence
    assert end.out == ""
    assert left_in(tmp_path / "audit-runs") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_full_disk_below_the_large_table_is_one_sentence(cli, world, tmp_path, monkeypatch):
    real = AuditFolder.path
    monkeypatch.setattr(
        AuditFolder,
        "path",
        lambda self, name: Path("/dev/full") if name == PARQUET else real(self, name),
    )

    end = cli(*RUN)
    gc.collect()

    assert_full(end, tmp_path)


def test_a_full_disk_below_the_cache_is_one_sentence_and_keeps_what_was_written(
    cli, larger, tmp_path, monkeypatch
):
    calls = iter(range(2))
    real = os.fsync
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda n: real(n) if next(calls, None) is not None else full())
        end = cli(*RUN)

    assert end.code == 3
    assert "The activation cache" in end.err.splitlines()[-1]
    assert "No space left on device" in end.err.splitlines()[-1]
    assert cli(*RUN).code == 0


def test_a_folder_that_cannot_be_made_is_one_sentence(cli, world, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", refuse)
    end = cli(*RUN, "--cache", tmp_path)

    assert end.code == 3
    assert end.err.splitlines()[-1].startswith("Error: ")
    assert "Permission denied" in end.err.splitlines()[-1]


def test_an_output_folder_that_may_not_be_written_is_refused_before_anything_is_encoded(
    cli, world, tmp_path, monkeypatch
):
    (tmp_path / "locked").mkdir()
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name != "locked" and real(path, mode)
    )

    end = cli(*RUN, "--out", "locked/deep")

    assert end.code == 3
    assert "locked gave: Permission denied" in end.err
    assert len(end.err.splitlines()) == 1
    assert not (tmp_path / "cache").exists()


def test_a_damaged_cache_file_is_said_and_computed_again(cli, world, tmp_path):
    first = cli(*RUN)
    # Prompts; the smaller one has the cards of the Stroop test.
    shard = max((tmp_path / "cache").rglob("*.safetensors"), key=lambda p: p.stat().st_size)
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)

    second = cli(*RUN)

    assert second.code == 0
    assert second.encoded() == (world.N_TERMS, 0)
    assert "; 1 damaged cache files set aside" in second.err
    assert second.result.digest == first.result.digest


def test_two_processes_in_one_second_get_two_folders(world, tmp_path, cli):
    script = "from audit.cli.main import main; import sys; main(sys.argv[1:])"
    both = [start(script, *RUN) for _ in range(2)]
    for process in both:
        process.communicate(timeout=120)
        assert process.returncode == 0

    folders = list((tmp_path / "audit-runs").iterdir())
    assert len(folders) == 2
    assert all(cli("verify", folder).code == 0 for folder in folders)


def test_a_name_that_is_taken_meanwhile_is_left_alone(cli, world, tmp_path, monkeypatch):
    real = AuditFolder._settled

    def slow(self):
        files = real(self)
        self.final.mkdir()
        (self.final / "theirs").write_text("kept")
        return files

    monkeypatch.setattr(AuditFolder, "_settled", slow)
    end = cli(*RUN)

    assert end.code == 0
    assert end.folder.name.endswith("-2")
    assert (end.folder.with_name(end.folder.name.removesuffix("-2")) / "theirs").exists()
    assert cli("verify", end.folder).code == 0


def test_a_report_that_cannot_be_made_is_said_and_the_audit_stays(cli, world, monkeypatch):
    from reports.errors import ReportError

    def missing(result, pictures, edition, **_tables):
        raise ReportError("A PDF needs Pango; it is not installed. Install libpango.")

    monkeypatch.setattr("reports.as_pdf.render", missing)
    end = cli("run", "plan.toml", "--format", "pdf")

    assert end.code == 0
    assert "Note: A PDF needs Pango" in end.err
    assert cli("verify", end.folder).code == 0


def test_a_reader_that_stops_listening_is_no_verdict(world, tmp_path):
    command = f"{SCRIPT} concepts show professions | head -1"
    shell = ["bash", "-c", f"set -o pipefail; {command}"]
    before = time.monotonic()
    done = subprocess.run(shell, capture_output=True, text=True, timeout=60)

    assert done.returncode in {0, 3}
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert time.monotonic() - before < 60
