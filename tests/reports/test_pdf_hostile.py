"""Words of a result open no file and no connection, and stay words, in the PDF."""

import importlib
import io
import socket
import sys
import threading
from pathlib import Path

import pikepdf
import pytest

from reports.as_pdf import render

SECRET = b"a secret that no report may carry"


class Trap:
    """A server that counts who calls."""

    def __init__(self):
        self.calls = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            caller.close()


@pytest.fixture
def trap():
    opened = Trap()
    yield opened
    opened.socket.close()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_bytes(SECRET)
    return path


@pytest.fixture(scope="module")
def breaches():
    folder = str(Path(__file__).parent / "pdf_rules")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("rules").breaches
    finally:
        sys.path.remove(folder)


def addressed(place):
    """Return words that ask every reader they know to open a place."""
    return (
        f'"><img src="{place}"><link rel=attachment href="{place}"><a href="{place}">x</a>'
        f"<style>@import url({place});p{{background:url({place})}}</style>"
        f'</title><svg><image href="{place}"/></svg>{{{{7*7}}}}{{% include "{place}" %}}'
        f"\u202e[x]({place})\x00"
    )


def small(result):
    contrasts = tuple(c for c in result.contrasts if c.blocking)[:3]
    return result.model_copy(
        update={
            "contrasts": contrasts,
            "findings": result.findings[:2],
            "arms": result.arms[:1],
            "transfers": (),
            "causal": (),
        }
    )


def shape(content):
    """Count the elements that no length of words changes; lists and tables break over pages."""
    with pikepdf.open(io.BytesIO(content)) as opened:
        kinds = [
            str(o.S) for o in opened.objects if isinstance(o, pikepdf.Dictionary) and "/S" in o
        ]
    return {kind: kinds.count(kind) for kind in ("/H1", "/H2", "/H3", "/Figure")}


def streams(content):
    with pikepdf.open(io.BytesIO(content)) as opened:
        for entry in opened.objects:
            if isinstance(entry, pikepdf.Stream) and entry.get("/Subtype") != "/Image":
                yield entry.read_bytes()


def test_words_of_a_result_open_nothing_and_stay_words(
    gated, gate_specimens, trap, secret, breaches
):
    calm = render(gate_specimens.hostile(small(gated), "x"))
    words = addressed(f"http://127.0.0.1:{trap.port}/x") + addressed(secret.as_uri())

    content = render(gate_specimens.hostile(small(gated), words))

    assert trap.calls == 0
    assert not any(SECRET in stream for stream in streams(content))
    assert shape(content) == shape(calm)
    assert breaches(content) == {}


def test_the_trap_counts_and_the_secret_would_be_found(trap, secret):
    with socket.create_connection(("127.0.0.1", trap.port)) as caller:
        caller.recv(8)
    with pikepdf.new() as made:
        made.Root.Extra = made.make_stream(secret.read_bytes())
        kept = io.BytesIO()
        made.save(kept)

    assert trap.calls == 1
    assert any(SECRET in stream for stream in streams(kept.getvalue()))
