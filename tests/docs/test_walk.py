"""A reader walks through the pages: every command that can be copied does what is written."""

import glob
import importlib.util
import io
import re
import shlex
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import BaseServer
from urllib.request import urlopen

import click
import pytest

from audit.cli.main import cli
from audit.cli.serve_http import Server
from audit.results import read_result


def load(name):
    """Tests form no package, so what they share is loaded from its file, once."""
    if name not in sys.modules:
        path = Path(__file__).with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


DOCUMENTED = load("documented").documented()
WALKS = load("walked").WALKS
ROOM = load("room")
ROOT = Path(__file__).parents[2]


def test_every_command_of_the_pages_is_known_here():
    new = {line: pages for line, pages in DOCUMENTED.items() if line not in WALKS}

    assert new == {}, "say in tests/docs/walked.py how these commands are walked"


def test_every_command_that_is_walked_is_in_the_pages():
    assert [line for line in WALKS if line not in DOCUMENTED] == []


def test_commands_that_are_only_parsed_say_why_and_are_few():
    assert sum(bool(walk.parsed) for walk in WALKS.values()) <= len(WALKS) // 10


def words_of(line, walk, room):
    """The words of a line as a shell hands them over, with what stands for the reader's own."""
    for printed, other in walk.instead.items():
        line = re.sub(rf"(?<!\S){re.escape(printed)}(?!\S)", other, line)
    line = line.replace("{room}", str(room))
    if "{finding}" in line:
        line = line.replace("{finding}", finding(room / "AUDIT"))
    if "{head}" in line:
        line = line.replace("{head}", head(room / "kept"))
    words = shlex.split(line)[1:]
    return [path for word in words for path in (sorted(glob.glob(word)) or [word])]


def finding(audit):
    return next(f.id for f in read_result(audit / "result.json").findings if f.blocking)


def head(store):
    from audit.store.verifying import verify_store

    return verify_store(store).head


def parse(words):
    command: click.Command = cli
    while isinstance(command, click.Group):
        command, words = command.commands[words[0]], words[1:]
    return command.make_context(command.name, words)


def write_waivers(room):
    today = datetime.now(UTC).date()
    given = {"created": today, "expires": today + timedelta(days=90)}
    (room / "waivers.toml").write_text(ROOM.WAIVER.format(finding=finding(room / "AUDIT"), **given))


def leave_only(room, folders):
    for path in room.iterdir():
        path.rename(room.parent / path.name)
    for folder in folders:
        (room / folder).mkdir()


def answer_once(monkeypatch):
    """Let a server, which nobody would end here, show its first page at a free port and end."""
    plain = Server.__init__

    def show(server):
        thread = threading.Thread(target=BaseServer.serve_forever, args=(server,))
        thread.start()
        try:
            with urlopen(server.url) as page:
                assert page.status == 200
        finally:
            server.shutdown()
            thread.join()

    monkeypatch.setattr(Server, "__init__", lambda self, host, _, use: plain(self, host, 0, use))
    monkeypatch.setattr(Server, "serve_forever", show)


TARGETS = [line for line in WALKS if line.startswith("make ")]
COMMANDS = [line for line in WALKS if line.startswith("clip-audit ")]


@pytest.mark.parametrize("line", TARGETS, ids=str)
def test_a_target_that_is_shown_does_what_is_written(line):
    done = subprocess.run(
        ["make", "-n", *shlex.split(line)[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert WALKS[line].says in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("line", COMMANDS, ids=str)
def test_a_command_that_is_shown_works_as_printed(line, room, toys, monkeypatch, capsys):
    walk = WALKS[line]
    if "--to mlflow" in line:
        pytest.importorskip("mlflow")
    if walk.parsed:
        assert parse(words_of(line, walk, room))
        return
    if walk.empty is None:
        write_waivers(room)
    else:
        leave_only(room, walk.empty)
    if walk.typed:
        typed = "".join(f"{answer}\n" for answer in walk.typed)
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        monkeypatch.setattr("audit.cli.init.is_terminal", lambda: True)
    if walk.small:
        plans = {"default": (room / "plan.toml").read_text(), "score": "[probes]\nroles = []\n"}
        monkeypatch.setattr("audit.plan.builtin_text", plans.__getitem__)
    if not walk.pdf:
        monkeypatch.setattr("reports.as_pdf.render", lambda *_, **__: b"%PDF- stands for one")
    # A daemon that is never told to stop ticks once here.
    monkeypatch.setattr("audit.cli.schedule.keep_ticking", lambda tick, *_, **__: tick())
    monkeypatch.setenv("CLIP_AUDIT_KEY_PASSPHRASE", "of these tests")
    answer_once(monkeypatch)
    code = ROOM.run(*words_of(line, walk, room))
    said = capsys.readouterr()

    assert code == walk.code, said.err
    assert walk.says in said.out
    assert "Traceback" not in said.err
