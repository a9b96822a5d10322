"""What the server lets in, and what it sends with every answer: nothing but looks, from here."""

import http.client
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.cli.serve_http import (
    POLICY,
    Server,
    is_own_host,
    loopback_address,
)
from audit.cli.serve_pages import Answer
from audit.errors import PlanError


@pytest.fixture
def asked():
    """Addresses that reached the pages."""
    return []


@pytest.fixture
def server(asked):
    def respond(target):
        asked.append(target)
        if target == "/bug":
            raise KeyError("a bug")
        is_file = target.startswith("/file")
        return Answer(status=200, content=b"<p>page</p>", is_file=is_file,
                      download="a.csv" if target == "/file.csv" else "")  # fmt: skip

    with Server("127.0.0.1", 0, respond) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def send(server, method="GET", target="/", *, host="127.0.0.1", **headers):
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=20)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": host, **headers}.items():
        if value is not None:
            connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    reply = connection.getresponse()
    reply.body = reply.read()
    connection.close()
    return reply


def raw(server, content):
    with socket.create_connection(server.server_address[:2], timeout=20) as connection:
        connection.sendall(content)
        got = b""
        while piece := connection.recv(65536):
            got += piece
    return got


def test_a_page_comes_with_strict_headers(server):
    reply = send(server)

    assert (reply.status, reply.body) == (200, b"<p>page</p>")
    assert reply.getheader("Content-Security-Policy") == POLICY
    assert POLICY == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert reply.getheader("X-Content-Type-Options") == "nosniff"
    assert reply.getheader("Referrer-Policy") == "no-referrer"
    assert reply.getheader("Cache-Control") == "no-store"
    assert reply.getheader("Server") == "clip-audit"


def test_a_file_of_an_audit_opens_in_a_sandbox_or_is_a_download(server):
    shown, handed = send(server, target="/file"), send(server, target="/file.csv")

    assert shown.getheader("Content-Security-Policy").endswith("; sandbox; frame-ancestors 'none'")
    assert "form-action 'none'" in shown.getheader("Content-Security-Policy")
    assert shown.getheader("Content-Disposition") is None
    assert handed.getheader("Content-Disposition") == "attachment; filename*=UTF-8''a.csv"


def test_head_sends_the_headers_of_the_page_and_nothing_else(server):
    head, page = send(server, "HEAD"), send(server)

    assert head.body == b""
    assert head.getheader("Content-Length") == page.getheader("Content-Length") == "11"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"])
def test_every_other_method_is_refused(server, asked, method):
    reply = send(server, method)

    assert (reply.status, reply.getheader("Allow")) == (405, "GET, HEAD")
    assert reply.getheader("Content-Security-Policy") == POLICY
    assert asked == []


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8765", "10.0.0.7", "0.0.0.0",
     "[::]", "", None, "user@127.0.0.1", "127.0.0.1/x", "127.0.0.1:port", "127.0.0.1, evil.test"],
)  # fmt: skip
def test_a_request_for_another_host_is_refused(server, asked, host):
    assert send(server, host=host).status == 403
    assert asked == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:9", "localhost", "LOCALHOST:80", "[::1]:8765", "127.8.8.8"]
)
def test_this_machine_is_let_in_by_every_name_and_port_of_its_own(server, host):
    assert send(server, host=host).status == 200


def test_a_second_host_is_refused(server, asked):
    got = raw(server, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n")

    assert got.startswith(b"HTTP/1.1 403 ")
    assert asked == []


def test_a_request_with_content_or_another_kind_of_target_is_refused(server, asked):
    assert send(server, Content_Length="3").status == 400
    assert send(server, Transfer_Encoding="chunked").status == 400
    assert send(server, target="http://evil.example/").status == 400
    assert send(server, target="*").status == 400
    assert asked == []


@pytest.mark.parametrize(
    "content", [b"\r\n\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
                b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n"],
)  # fmt: skip
def test_what_is_no_request_is_answered_with_a_refusal_or_nothing(server, asked, content):
    got = raw(server, content)

    assert b"<p>page</p>" not in got
    assert b"Traceback" not in got
    assert asked == []
    assert send(server).status == 200


def test_a_bug_is_told_here_and_not_to_the_reader(server, capsys):
    reply = send(server, target="/bug")

    assert reply.status == 500
    assert b"a bug of clip-audit" in reply.body
    assert b"KeyError" not in reply.body
    assert send(server).status == 200
    told = ""
    while "KeyError: 'a bug'" not in told:
        told += capsys.readouterr().err
        time.sleep(0.01)


def test_a_reader_who_goes_away_is_no_error(server, capsys):
    for _ in range(3):
        connection = socket.create_connection(server.server_address[:2])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT")
        connection.close()

    assert send(server).status == 200
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "bind",
    ["0.0.0.0", "::", "192.168.0.1", "example.org", "", "127.0.0.1.evil.example", "localhost."],
)
def test_no_address_that_others_reach_is_listened_at(bind):
    with pytest.raises(PlanError, match=r"must be a loopback address.*ssh -L"):
        loopback_address(bind)


def test_loopback_addresses_are_listened_at():
    assert [loopback_address(b) for b in ("localhost", "127.0.0.1", "127.3.2.1", "::1")] == [
        "127.0.0.1", "127.0.0.1", "127.3.2.1", "::1",
    ]  # fmt: skip


@given(st.text(max_size=60))
def test_whatever_stands_in_a_host_header_is_judged(header):
    host = header.strip().rsplit(":", 1)[0].strip("[]").lower()

    if is_own_host(header):
        assert host == "localhost" or host.startswith("127.") or ":" in host
