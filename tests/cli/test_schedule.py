"""``clip-audit schedule``: the whole way from a file to a kept audit, and what a clock is told."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from audit.cli.main import cli as root
from audit.folder import AuditFolder, output_error
from audit.schedule.arguments import FLAGS, OPTIONS
from audit.schedule.child import Ended
from audit.schedule.file import parse_schedules
from audit.schedule.ledger import runs
from audit.schedule.states import State
from audit.schedule.tables import open_schedule
from audit.store.history import audits
from audit.store.index import open_store

COMMAND = [sys.executable, "-P", "-c", "from audit.cli.main import main; main()"]
NIGHTLY = """
store = "kept"

[[schedule]]
id = "nightly"
owner = "Ada"
timezone = "Europe/Berlin"
cron = "30 2 * * *"
plan = "plan.toml"
formats = []
retries = 0
"""


@pytest.fixture
def write(tmp_path):
    def to(text=NIGHTLY):
        (tmp_path / "schedules.toml").write_text(text)

    to()
    return to


def states(tmp_path):
    base = open_schedule(tmp_path / "kept")
    try:
        return runs(base)
    finally:
        base.close()


def test_an_audit_is_run_by_the_gate_asked_for_and_kept(cli, write, world, tmp_path):
    write(NIGHTLY + 'fail_on = "low"\n')
    assert cli("schedule", "run-due", "--now", "2026-01-01T12:00").code == 0
    late = cli("schedule", "run-due", "--now", "2026-01-09T12:00")
    again = cli("schedule", "run-due", "--now", "2026-01-09T12:00")

    assert (late.code, late.out.split(". ")[0]) == (1, "nightly: gate failed")
    assert (again.code, again.out, again.err) == (0, "", "")
    (run,) = states(tmp_path)
    assert (run.state, run.exit_code, run.stored) == (State.GATE_FAILED, 1, "kept")
    with open_store(tmp_path / "kept") as store:
        (audit,) = audits(store.database)
        assert run.folder == str(store.audits / audit.folder)
    assert (
        "clip-audit run --fail-on=low --format json --out"
        in (tmp_path / run.folder / "result.json").read_text()
    )
    assert cli("verify", run.folder).code == 0
    assert cli("store", "verify", "--store", "kept").code == 0


def test_a_try_says_beside_it_why_it_ended_early(cli, write, world, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["clip-audit"])
    (tmp_path / "plan.toml").write_text("[limts]\n")
    end = cli("schedule", "attempt", "--report", "why.json", "--", "run", "plan.toml")

    assert end.code == 2
    assert json.loads((tmp_path / "why.json").read_text()) == {
        "error": "PlanError",
        "why": "plan.toml has an unknown key limts. Did you mean 'limits'?",
        "transient": False,
    }


def test_a_full_disk_is_told_as_one_that_may_have_room_later(
    cli, write, world, tmp_path, monkeypatch
):
    def written(self, name, content):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise output_error(self.path(name), error) from None

    monkeypatch.setattr(sys, "argv", ["clip-audit"])
    monkeypatch.setattr(AuditFolder, "write", written)
    words = ["run", "plan.toml", "--format", "json"]
    end = cli("schedule", "attempt", "--report", "why.json", "--", *words)

    assert end.code == 3
    assert json.loads((tmp_path / "why.json").read_text())["transient"] is True


def test_a_try_that_went_well_says_nothing_and_keeps_the_command(
    cli, write, world, tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "argv", ["clip-audit"])
    words = ["run", "plan.toml", "--format", "json", "--fail-on", "low"]
    end = cli("schedule", "attempt", "--report", "why.json", "--", *words)

    assert (end.code, end.result.run.command) == (1, f"clip-audit {' '.join(words)}")
    assert not (tmp_path / "why.json").exists()


def test_a_damaged_index_stops_no_audit_and_loses_none(cli, write, finished, tmp_path, monkeypatch):
    def run(order, beat):
        beat(None)
        order.out.mkdir(parents=True)
        finished.rename(order.out / "audit")
        return Ended(code=0)

    monkeypatch.setattr("audit.cli.schedule.run_child", run)
    cli("store", "init", "--store", "kept")
    (tmp_path / "kept" / "index.sqlite").write_bytes(b"no database, and long enough" * 99)
    first = cli("schedule", "run", "nightly")
    assert (first.code, states(tmp_path)[0].stored) == (0, "pending")
    assert "not in the store yet" in first.err
    assert cli("store", "reindex", "--store", "kept").code == 0
    assert cli("schedule", "run-due").code == 0

    (run,) = states(tmp_path)
    assert (run.state, run.stored) == (State.PASSED, "kept")
    assert cli("store", "verify", "--store", "kept").code == 0


def test_a_list_says_what_was_and_what_comes(cli, write):
    cli("schedule", "run-due", "--now", "2026-01-01T12:00")
    end = cli("schedule", "list", "--now", "2026-01-01T12:00")

    assert end.code == 0
    assert end.out.splitlines() == [
        "nightly  30 2 * * * Europe/Berlin",
        "  last: never",
        "  next: 2026-01-02 02:30 CET",
    ]


@pytest.mark.parametrize(
    ("now", "code", "told"),
    [
        ("2026-01-02T12:00", 0, "fresh  nightly was never audited, and is fresh until"),
        ("2026-01-02T14:31", 4, "stale  nightly was never audited, and was due to be by 2026"),
    ],
)  # fmt: skip
def test_a_check_notices_that_nothing_was_run(cli, write, now, code, told):
    cli("schedule", "run-due", "--now", "2026-01-01T12:00")
    end = cli("schedule", "check", "--now", now)

    assert end.code == code
    assert end.out.startswith(told)


def test_a_check_notices_that_no_clock_ever_called(cli, write, tmp_path):
    end = cli("schedule", "check")

    assert end.code == 4
    assert "was never looked at: does anything call run-due?" in end.out
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("words", [("run-due",), ("check",), ("list",), ("daemon",), ("run", "a")])
def test_a_file_that_is_wrong_is_usage(cli, write, words):
    write("[[schedule]]\nidd = 1\n")
    end = cli("schedule", *words)

    assert end.code == 2
    assert "unknown key schedule.1.idd. Did you mean 'id'?" in end.err


def test_a_schedule_that_is_none_gets_the_nearest(cli, write):
    end = cli("schedule", "run", "nigthly")

    assert (end.code, "Did you mean 'nightly'?" in end.err) == (2, True)


@pytest.mark.parametrize("clock", ["cron", "systemd", "github-actions", "kubernetes"])
def test_files_for_other_clocks_are_printed_or_written(cli, write, tmp_path, clock):
    printed = cli("schedule", "export", "--to", clock)
    written = cli("schedule", "export", "--to", clock, "--output", "units")

    assert (printed.code, written.code) == (0, 0)
    assert "run-due" in printed.out
    assert printed.out == "".join((tmp_path / p).read_text() for p in written.out.splitlines())


def test_a_daemon_that_is_told_to_end_stops_its_audit_and_lets_go(write, tmp_path):
    write(NIGHTLY.replace('cron = "30 2 * * *"', 'every = "1h"'))
    (tmp_path / "slow.py").write_text(SLOW)
    daemon = subprocess.Popen(
        [sys.executable, "-P", "slow.py", "schedule", "daemon"], stderr=subprocess.PIPE
    )
    until = time.monotonic() + 60
    while not (tmp_path / "child").exists() and time.monotonic() < until:
        time.sleep(0.05)
    child = int((tmp_path / "child").read_text())
    daemon.send_signal(signal.SIGTERM)
    daemon.communicate(timeout=60)

    assert daemon.returncode == 143
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    (run,) = states(tmp_path)
    assert (run.state, run.attempts, run.lease) == (State.INTERRUPTED, 0, None)


SLOW = """
import pathlib
from audit.schedule import child
child.COMMAND = (
    "import os, pathlib, time; p = pathlib.Path('child.new'); p.write_text(str(os.getpid())); "
    "p.rename('child'); time.sleep(60)"
)
from audit.cli.main import main
main()
"""


def test_every_key_that_becomes_an_option_is_one(tmp_path):
    options = {name for p in root.commands["run"].params for name in p.opts}
    keys = [*OPTIONS, *FLAGS, "packs", "format", "out"]

    assert {f"--{key.replace('_', '-')}" for key in keys} <= options


def toml_of_docs(root_folder):
    text = (root_folder / "docs" / "schedule.md").read_text()
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)


def test_the_file_in_the_docs_is_valid_and_shows_every_key(pytestconfig, tmp_path):
    from audit.schedule.file import Channel, Schedule

    (text,) = toml_of_docs(pytestconfig.rootpath)
    book = parse_schedules(text, where="docs/schedule.md", home=tmp_path)
    for model in (Schedule, Channel):
        for key in model.model_fields:
            assert re.search(rf"^#? ?{key} = ", text, re.MULTILINE), key
    assert len(book.schedules) >= 2


def test_every_state_is_explained_in_the_docs(pytestconfig):
    text = (pytestconfig.rootpath / "docs" / "schedule.md").read_text()

    assert [s.value for s in State if f"| *{s.value}* |" not in text] == []
