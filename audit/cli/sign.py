"""``clip-audit sign``, ``key`` and ``verify``: who answers for an audit, and is it unchanged."""

import os
from pathlib import Path

import click

from audit.cli.printing import note, say
from audit.folder import file_digest, result_path
from audit.signing import (
    SignatureMissingError,
    check_signature,
    read_envelope,
    sign_folder,
)
from audit.signing_keys import is_open_to_others, new_pair, read_private, read_public
from audit.verify import SIGNATURE, verify_folder
from reports.as_intoto import render

MISSING = 4
"""Exit code where a signature was asked for and there is none."""

VARIABLE = "CLIP_AUDIT_KEY_PASSPHRASE"
FOLDER = click.Path(path_type=Path, exists=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("audit", type=FOLDER)
@click.option("--key", required=True, type=FILE, help="Private Ed25519 key (PEM).")
def sign(audit: Path, key: Path) -> None:
    """Sign an audit folder: one signature over its outcome and every byte of it.

    An audit that does not verify is not signed. A second key adds its signature. An encrypted key
    asks for its passphrase, or takes it from CLIP_AUDIT_KEY_PASSPHRASE.
    """
    private = read_private(key, _passphrase)
    if is_open_to_others(key):
        note(f"Note: others can read {key}; `chmod 600` closes it.")
    path = sign_folder(audit, render(verify_folder(audit)), private)
    say(f"{path} is signed by {private.id}.")
    say(f"Next: clip-audit verify {audit} --public-key PUBLIC.pem")


@click.command()
@click.argument("audit", type=FOLDER)
@click.option("--public-key", type=FILE, help="Public key (PEM) that must have signed it.")
@click.pass_context
def verify(context: click.Context, audit: Path, public_key: Path | None) -> None:
    """Check every file of an audit folder against its manifest and digest.

    With --public-key, that this key signed the folder as it is: 4 where nobody signed it, 3 where
    another key did or something was changed since.
    """
    key = read_public(public_key) if public_key is not None else None
    result = verify_folder(audit)
    signed = ""
    if key is not None:
        try:
            check_signature(audit, key)
        except SignatureMissingError as error:
            note(f"Error: {error}")
            context.exit(MISSING)
        signed = f"Signed by this key, {key.id}"
    elif audit.is_dir() and (audit / SIGNATURE).exists():
        names = ", ".join(read_envelope(audit).signatures) or "nobody"
        signed = f"Signed by {names}; not checked: give --public-key"
    say(f"{audit} is complete and unchanged.")
    say(f"Result {result.digest}")
    say(f"File   {file_digest(result_path(audit))}")
    if signed:
        say(signed)


@click.group()
def key() -> None:
    """Make keys to sign audits with."""


@key.command()
@click.argument("path", type=FILE)
@click.option("--passphrase", "locked", is_flag=True,
              help="Encrypt the private key; the passphrase is asked for.")  # fmt: skip
def new(path: Path, locked: bool) -> None:
    """Write a new private key to PATH, readable by you alone, and its public key beside it."""
    passphrase = os.environ.get(VARIABLE) or _ask(confirm=True) if locked else ""
    public, id = new_pair(path, passphrase)
    say(f"Private {path}: keep it to yourself.")
    say(f"Public  {public}: give it to whoever verifies.")
    say(f"Id      {id}")


def _passphrase() -> str:
    return os.environ.get(VARIABLE) or _ask(confirm=False)


def _ask(*, confirm: bool) -> str:
    given: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return given
