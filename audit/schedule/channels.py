"""Ways of telling somebody; addresses are read when they are needed, and kept nowhere."""

import hashlib
import hmac
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from typing import IO

from audit.schedule.errors import NoticeError
from audit.schedule.file import Channel
from audit.schedule.notices import text_of

SECONDS = 10.0
"""How long a channel may take."""

NO_APPRISE = (
    "A channel of kind apprise needs the extra notify: `pip install clip-bias-audit[notify]`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice on its way."""

    key: str
    """The same however often it is tried, so that a receiver can drop what it has."""

    event: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where addresses are looked up."""

    home: Path
    environment: Mapping[str, str]

    def secret(self, variable: str, file: str, what: str) -> str:
        """Read an address or key from an environment variable or a file; empty if neither is named.

        Raises
        ------
        NoticeError
            If it is named and not there.
        """
        if variable:
            value = self.environment.get(variable, "").strip()
            if not value:
                raise NoticeError(f"The {what} must be in the variable {variable}; it is not set.")
            return value
        if not file:
            return ""
        try:
            value = (self.home / file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise NoticeError(
                f"The {what} must be in the file {file}; it is not readable."
            ) from None
        if not value:
            raise NoticeError(f"The {what} must be in the file {file}; it is empty.")
        return value


Sender = Callable[[Channel, Notice, Surroundings], None]


def send(channel: Channel, notice: Notice, around: Surroundings) -> None:
    """Deliver a notice.

    Raises
    ------
    NoticeError
        If it was not accepted; the message holds neither address nor secret.
    """
    SENDERS[channel.kind](channel, notice, around)


def call(address: str) -> None:
    """Call the address of a dead man's switch.

    Raises
    ------
    NoticeError
        If it did not answer with success.
    """
    _open(_request(address, None, {}))


def sign(body: bytes, secret: str, moment: int) -> str:
    """Sign a body so that the receiver knows who sent it, and when.

    Examples
    --------
    >>> sign(b"{}", "key", 0)[:14]
    'sha256=7314351'
    """
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"


def _webhook(channel: Channel, notice: Notice, around: Surroundings) -> None:
    address = around.secret(channel.url_env, channel.url_file, "address")
    secret = around.secret(channel.secret_env, channel.secret_file, "secret")
    body, moment = notice.body.encode(), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "X-Clip-Audit-Event": notice.event,
        "X-Clip-Audit-Delivery": notice.key,
        "X-Clip-Audit-Timestamp": str(moment),
    }
    if secret:
        headers["X-Clip-Audit-Signature"] = sign(body, secret, moment)
    _open(_request(address, body, headers))


def _command(channel: Channel, notice: Notice, around: Surroundings) -> None:
    try:
        done = subprocess.run(
            channel.command, input=notice.body.encode(), cwd=around.home, capture_output=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NoticeError(f"The command took longer than {SECONDS:.0f} seconds.") from None
    except OSError as error:
        raise NoticeError(f"The command could not be started: {error.strerror}.") from None
    if done.returncode:
        raise NoticeError(f"The command ended with {done.returncode}.")


def _apprise(channel: Channel, notice: Notice, around: Surroundings) -> None:
    try:
        apprise = import_module("apprise")
    except ImportError:
        raise NoticeError(NO_APPRISE) from None
    target = apprise.Apprise()
    if not target.add(around.secret(channel.url_env, channel.url_file, "address")):
        raise NoticeError("The address is none that apprise knows.")
    title, text = text_of(notice.body)
    if not target.notify(title=title, body=text):
        raise NoticeError("The service did not accept the notice.")


SENDERS: dict[str, Sender] = {"webhook": _webhook, "command": _command, "apprise": _apprise}
"""Kind of channel to what delivers."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry a signed body to somebody else, or drop it."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str,
        headers: Message, newurl: str,
    ) -> None:  # fmt: skip
        return None


def _request(address: str, body: bytes | None, headers: dict[str, str]) -> urllib.request.Request:
    if not address.lower().startswith(("https://", "http://")):
        raise NoticeError("The address must begin with https:// or http://.")
    try:
        return urllib.request.Request(address, data=body, headers=headers)
    except ValueError:
        raise NoticeError("The address is not a URL.") from None


def _open(request: urllib.request.Request) -> None:
    """Send a request; what is said of a failure never holds the address."""
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS):
            return
    except urllib.error.HTTPError as error:
        error.close()
        raise NoticeError(f"The receiver answered with {error.code}.") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise NoticeError(f"The receiver could not be reached ({type(reason).__name__}).") from None


def surroundings(home: Path) -> Surroundings:
    """Look addresses up in this process's environment, and in files beside the schedule file."""
    return Surroundings(home=home, environment=os.environ)
