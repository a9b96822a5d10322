"""A server that shows pages to this machine only, and does nothing else."""

import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from audit.cli.serve_pages import Answer
from audit.errors import PlanError

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
FILE_POLICY = POLICY.replace("form-action 'self'", "form-action 'none'; sandbox")
"""For what an audit's folder holds: it may not even send a form."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
METHODS = "GET, HEAD"
PATIENCE = 30
"""Seconds after which a connection that says nothing is closed."""

Respond = Callable[[str], Answer]
"""Answers a path with its query."""


def loopback_address(bind: str) -> str:
    """Return the address to listen at.

    Parameters
    ----------
    bind : str
        ``localhost``, or an address such as 127.0.0.1 or ::1.

    Raises
    ------
    PlanError
        If anybody else than this machine could reach it.

    Examples
    --------
    >>> loopback_address("localhost")
    '127.0.0.1'
    """
    if bind == "localhost":
        return "127.0.0.1"
    if not is_loopback(bind):
        raise PlanError(
            "History is shown to this machine only, so --bind must be a loopback address such as "
            f"127.0.0.1 or ::1; got {bind!r}. From elsewhere, go through ssh: "
            "`ssh -L 8765:127.0.0.1:8765 HOST`."
        )
    return bind


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: ``localhost`` or a loopback address.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost.example.org"), is_loopback("0.0.0.0")
    (True, False, False)
    """
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_own_host(header: str) -> bool:
    """Whether a ``Host`` header names this machine, at any port.

    A page of somebody else's can let its own name lead to 127.0.0.1; the header then still has
    that name. The port may be another one behind a tunnel.

    Examples
    --------
    >>> is_own_host("127.0.0.1:8765"), is_own_host("[::1]"), is_own_host("evil.example")
    (True, True, False)
    """
    named = header.strip()
    try:
        parts = urlsplit(f"//{named}")
        _ = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.netloc == named and "@" not in named and is_loopback(host)


class Server(ThreadingHTTPServer):
    """Listens at a loopback address, one thread for each connection."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: str, port: int, respond: Respond) -> None:
        self.respond = respond
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that has gone away; anything else is our bug."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Checks a request, and sends what `Server.respond` answers."""

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    server: Server

    def version_string(self) -> str:
        """Name the program and no version of anything."""
        return "clip-audit"

    def do_GET(self) -> None:
        """Answer with a page."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with the headers of a page."""
        self._answer()

    def _answer(self) -> None:
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not is_own_host(hosts[0]):
            self._plain(HTTPStatus.FORBIDDEN, "Only requests to this machine by its loopback "
                        "address are answered, such as http://127.0.0.1.")  # fmt: skip
            return
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self._plain(HTTPStatus.BAD_REQUEST, "A request to look at a page has no content.")
            return
        if not self.path.startswith("/"):
            self._plain(HTTPStatus.BAD_REQUEST, "A request must name a path.")
            return
        try:
            answer = self.server.respond(self.path)
        except Exception:
            self._plain(HTTPStatus.INTERNAL_SERVER_ERROR, "This page could not be made: a bug of "
                        "clip-audit. The terminal that serves it shows where.")  # fmt: skip
            raise
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.content)))
        self.send_header("Content-Security-Policy", FILE_POLICY if answer.is_file else POLICY)
        if answer.download:
            self.send_header(
                "Content-Disposition", f"attachment; filename*=UTF-8''{answer.download}"
            )
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request for a page, with the same headers as any page."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._plain(HTTPStatus.METHOD_NOT_ALLOWED,
                        f"Pages are only looked at: {METHODS}.")  # fmt: skip
            return
        self._plain(HTTPStatus(code), f"{HTTPStatus(code).phrase}.")

    def _plain(self, status: HTTPStatus, sentence: str) -> None:
        """Answer with one sentence, and end the connection: what follows may be anything."""
        self.close_connection = True
        content = f"{sentence}\n".encode()
        self.send_response(status)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", METHODS)
        self.send_header("Connection", "close")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log: addresses hold names of models and findings."""
