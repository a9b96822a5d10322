"""``clip-audit serve`` as a process: from the words typed to a page, and to a clean end."""

import http.client
import importlib.util
import re
import shutil
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from audit.store.index import create_store

COMMAND = [sys.executable, "-P", "-c", "from audit.cli.main import main; main()", "serve"]
SPECIMEN = Path(__file__).parents[1] / "specimens" / "specimen_history.py"


@pytest.fixture(scope="session")
def filled_once(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("specimen_history", SPECIMEN)
    past = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(past)
    home = tmp_path_factory.mktemp("filled")
    create_store(home / "kept").close()
    past.fill_store(home / "kept", home / "made", past=past.PAST[:2])
    past.write_waivers(home / "waivers.toml")
    past.write_schedules(home / "schedules.toml", home / "kept")
    return home


@pytest.fixture
def filled(filled_once, tmp_path):
    return Path(shutil.copytree(filled_once, tmp_path / "home"))


@pytest.fixture
def start(tmp_path):
    running = []

    def begin(*words):
        process = subprocess.Popen(
            [*COMMAND, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, cwd=tmp_path,
            # tests that a script runs in the background ignore it, and so would what they start
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        running.append(process)
        line = process.stdout.readline()
        address = re.search(r"http://(\[::1\]|[\d.]+):(\d+)/", line)
        assert address, line + process.stderr.read()
        return process, address[1].strip("[]"), int(address[2])

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def get(host, port, target="/"):
    connection = http.client.HTTPConnection(host, port, timeout=60)
    connection.request("GET", target)
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_pages_are_shown_until_it_is_told_to_end(filled, start, number):
    process, host, port = start(
        filled / "kept", "--schedules", filled / "schedules.toml",
        "--waivers", filled / "waivers.toml", "--port", "0",
    )  # fmt: skip
    status, page = get(host, port)
    missing, _ = get(host, port, "/nowhere")
    process.send_signal(number)
    out, err = process.communicate(timeout=180)

    assert (status, missing, host) == (200, 404, "127.0.0.1")
    assert "harbour-vit-b16" in page
    assert (process.returncode, out, err) == (0, "Ended.\n", "")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, port), timeout=5)


def test_nothing_but_the_chosen_address_listens(filled, start):
    _, host, port = start(filled / "kept", "--port", "0", "--bind", "127.0.0.2")

    assert host == "127.0.0.2"
    assert get(host, port)[0] == 200
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


@pytest.mark.parametrize("bind", ["0.0.0.0", "example.org"])
def test_an_address_that_others_reach_ends_with_two(cli, filled, bind):
    end = cli("serve", filled / "kept", "--bind", bind)

    assert (end.code, end.out) == (2, "")
    assert "must be a loopback address" in end.err


def test_a_taken_address_ends_with_two(cli, filled):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        end = cli("serve", filled / "kept", "--port", taken.getsockname()[1])

    assert (end.code, end.out) == (2, "")
    assert "must be free" in end.err
    assert "--port" in end.err


def test_a_place_without_a_store_ends_with_three_and_stays_as_it_is(cli, tmp_path):
    end = cli("serve", tmp_path / "none")

    assert (end.code, end.out) == (3, "")
    assert "There is no store at" in end.err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--schedules", "none.toml"], "Schedules must be a readable"),
     (["--waivers", "none.toml"], "Waivers must be a readable"),
     (["--max-age", "soon"], "An age must be"), (["--port", "70000"], "not in the range")],
)  # fmt: skip
def test_files_and_values_that_cannot_be_used_end_with_two(cli, filled, words, said):
    end = cli("serve", filled / "kept", *words)

    assert (end.code, end.out) == (2, "")
    assert said in end.err
