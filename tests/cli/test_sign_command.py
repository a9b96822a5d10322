"""Signed audits: who answers for one, and that not a byte of it was changed."""

import base64
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from audit.folder import begin_folder, write_document
from audit.results import read_result
from audit.signing import SIGNATURE, check_signature, read_envelope, signed_bytes
from audit.signing_keys import read_private, read_public
from audit.store.adding import keep
from audit.store.contents import is_signed
from audit.store.index import create_store
from audit.store.retention import Policy, prune
from audit.store.verifying import verify_store
from reports.as_intoto import render

STORED = Path(__file__).parents[1] / "specimens" / "result-1.0.json"

pytest.importorskip("cryptography")


@pytest.fixture(scope="module")
def finished_small(tmp_path_factory) -> Path:
    """A small finished folder with a report in it; not to be changed."""
    stored = read_result(STORED)
    few = {"measurements": (), "contrasts": stored.contrasts[:3], "probes": (), "rates": ()}
    result = stored.model_copy(update=few)
    folder = begin_folder(tmp_path_factory.mktemp("small"), "audit")
    write_document(folder, result)
    folder.write("report.intoto.json", render(result))
    folder.write("summary.md", b"# Summary\n")
    return folder.finish()


@pytest.fixture
def audit(tmp_path, finished_small) -> Path:
    return Path(shutil.copytree(finished_small, tmp_path / "out" / "audit"))


@pytest.fixture
def keys(cli, tmp_path) -> tuple[Path, Path]:
    assert cli("key", "new", tmp_path / "me.pem").code == 0
    return tmp_path / "me.pem", tmp_path / "me.pub.pem"


@pytest.fixture
def signed(cli, audit, keys) -> Path:
    assert cli("sign", audit, "--key", keys[0]).code == 0
    return audit


# -- keys


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_a_new_private_key_is_readable_by_its_owner_alone(keys):
    private, public = keys

    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert b"PRIVATE" not in public.read_bytes()


def test_a_new_key_replaces_nothing(cli, keys):
    before = keys[0].read_bytes()
    told = cli("key", "new", keys[0])

    assert told.code == 2
    assert "must not replace a file" in told.err
    assert keys[0].read_bytes() == before


def test_an_encrypted_key_needs_its_passphrase(cli, audit, tmp_path, monkeypatch):
    monkeypatch.setenv("CLIP_AUDIT_KEY_PASSPHRASE", "correct horse")
    assert cli("key", "new", tmp_path / "k.pem", "--passphrase").code == 0
    monkeypatch.setenv("CLIP_AUDIT_KEY_PASSPHRASE", "wrong horse")
    wrong = cli("sign", audit, "--key", tmp_path / "k.pem")
    monkeypatch.setenv("CLIP_AUDIT_KEY_PASSPHRASE", "correct horse")
    right = cli("sign", audit, "--key", tmp_path / "k.pem")

    assert b"ENCRYPTED" in (tmp_path / "k.pem").read_bytes()
    assert (wrong.code, right.code) == (2, 0)
    assert "with the right passphrase" in wrong.err
    assert "horse" not in wrong.err + wrong.out + right.out + right.err


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_keys_of_openssl_work_and_ids_are_those_it_computes(cli, audit, tmp_path):
    private, public, der = (tmp_path / name for name in ("o.pem", "o.pub.pem", "o.der"))
    openssl = ["openssl", "pkey", "-in", str(private)]
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(private)], check=True
    )
    subprocess.run([*openssl, "-pubout", "-out", str(public)], check=True)
    subprocess.run([*openssl, "-pubout", "-outform", "DER", "-out", str(der)], check=True)

    told = cli("sign", audit, "--key", private)
    digest = subprocess.run(["sha256sum", str(der)], capture_output=True, check=True).stdout

    assert told.code == 0
    assert digest.split()[0].decode() in told.out
    assert cli("verify", audit, "--public-key", public).code == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_openssl_verifies_the_signature_without_us(signed, keys, tmp_path):
    document = json.loads((signed / SIGNATURE).read_text())
    payload = base64.b64decode(document["payload"])
    kind = document["payloadType"]
    (tmp_path / "message").write_bytes(
        f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    )
    (tmp_path / "sig").write_bytes(base64.b64decode(document["signatures"][0]["sig"]))

    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(keys[1]),
         "-in", str(tmp_path / "message"), "-sigfile", str(tmp_path / "sig")],
        capture_output=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_what_is_signed_is_encoded_as_the_protocol_says():
    # Type and lengths as in the protocol's own example, with our type in its place.
    assert signed_bytes(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


# -- signing and verifying


def test_a_signed_audit_verifies_with_its_key(cli, signed, keys):
    told = cli("verify", signed, "--public-key", keys[1])

    assert told.code == 0
    assert "complete and unchanged" in told.out
    assert "Signed by this key, sha256:" in told.out


def test_the_payload_is_the_statement_with_the_manifest(signed):
    payload = json.loads(read_envelope(signed).payload)
    plain = json.loads((signed / "report.intoto.json").read_text())
    (*others, manifest) = payload["predicate"].pop("configuration")

    assert manifest["name"] == "manifest.json"
    assert others == plain["predicate"].pop("configuration")
    assert payload == plain


def test_verify_without_a_key_says_that_the_signature_was_not_checked(cli, signed):
    told = cli("verify", signed)

    assert told.code == 0
    assert "not checked: give --public-key" in told.out


def test_a_missing_signature_ends_with_4(cli, audit, keys):
    told = cli("verify", audit, "--public-key", keys[1])

    assert told.code == 4
    assert "has none" in told.err
    assert told.out == ""


def test_a_bare_result_has_no_signature(cli, audit, keys):
    assert cli("verify", audit / "result.json", "--public-key", keys[1]).code == 4
    assert cli("sign", audit / "result.json", "--key", keys[0]).code == 3


def test_another_key_does_not_verify(cli, signed, tmp_path):
    cli("key", "new", tmp_path / "other.pem")
    told = cli("verify", signed, "--public-key", tmp_path / "other.pub.pem")

    assert told.code == 3
    assert "must be signed by this key" in told.err


@pytest.mark.parametrize(
    "name", ["result.json", "manifest.json", "report.intoto.json", "summary.md", SIGNATURE]
)
def test_a_changed_byte_in_any_file_is_found(cli, signed, keys, name):
    path = signed / name
    content = path.read_bytes()
    for at in {0, len(content) // 3, len(content) // 2, len(content) - 2, len(content) - 1}:
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert cli("verify", signed, "--public-key", keys[1]).code == 3, (name, at)
    path.write_bytes(content)
    assert cli("verify", signed, "--public-key", keys[1]).code == 0


def test_every_byte_of_the_signature_counts(signed, keys):
    key = read_public(keys[1])
    path = signed / SIGNATURE
    content = path.read_bytes()
    for at in range(0, len(content), 37):
        path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        with pytest.raises(ValueError, match=r"signature|signed by"):
            check_signature(signed, key)


def test_a_folder_that_was_made_to_agree_with_itself_again_is_found(cli, signed, keys):
    (signed / "summary.md").write_bytes(b"# All is well\n")
    manifest = json.loads((signed / "manifest.json").read_text())
    from audit.folder import file_digest, manifest_bytes

    files = manifest["files"] | {"summary.md": file_digest(signed / "summary.md")}
    (signed / "manifest.json").write_bytes(manifest_bytes(files))

    assert cli("verify", signed).code == 0
    told = cli("verify", signed, "--public-key", keys[1])
    assert told.code == 3
    assert "over another manifest" in told.err


def test_an_audit_that_does_not_verify_is_not_signed(cli, audit, keys):
    (audit / "summary.md").write_bytes(b"changed")
    told = cli("sign", audit, "--key", keys[0])

    assert told.code == 3
    assert not (audit / SIGNATURE).exists()


def test_two_keys_sign_one_audit_and_both_verify(cli, signed, keys, tmp_path):
    cli("key", "new", tmp_path / "two.pem")
    assert cli("sign", signed, "--key", tmp_path / "two.pem").code == 0

    assert len(read_envelope(signed).signatures) == 2
    assert cli("verify", signed, "--public-key", keys[1]).code == 0
    assert cli("verify", signed, "--public-key", tmp_path / "two.pub.pem").code == 0


def test_signing_again_changes_nothing(cli, signed, keys):
    before = (signed / SIGNATURE).read_bytes()

    assert cli("sign", signed, "--key", keys[0]).code == 0
    assert (signed / SIGNATURE).read_bytes() == before


def test_a_signed_audit_is_not_rendered_into(cli, signed, tmp_path):
    into = cli("report", signed, "--format", "markdown")
    beside = cli("report", signed, "--format", "markdown", "--output", tmp_path / "s.md")

    assert into.code == 3
    assert "must stay as it was signed" in into.err
    assert beside.code == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not: "),
        (b"nonsense", "is not: "),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is not: "),
        (b"x" * 100_000, "is not: "),
    ],
)
def test_a_file_that_is_no_key_gets_a_sentence(cli, audit, tmp_path, content, said):
    (tmp_path / "k.pem").write_bytes(content)
    told = cli("sign", audit, "--key", tmp_path / "k.pem")

    assert told.code == 2
    assert "must be Ed25519 in a PEM file" in told.err
    assert said in told.err


def test_keys_in_the_wrong_place_are_told_apart(cli, signed, keys, tmp_path):
    private, public = keys

    assert "keep that to yourself" in cli("verify", signed, "--public-key", private).err
    assert cli("sign", signed, "--key", public).code == 2
    assert "none.pem gave" in cli("sign", signed, "--key", "none.pem").err


def test_a_key_of_another_kind_is_refused_by_its_name(cli, audit, tmp_path):
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    other = X25519PrivateKey.generate()
    (tmp_path / "x.pem").write_bytes(
        other.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    )
    told = cli("sign", audit, "--key", tmp_path / "x.pem")

    assert told.code == 2
    assert "X25519PrivateKey" in told.err


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"payload": 3, "signatures": []}', b"[" * 100_000, b"\xff"],
)
def test_a_signature_that_is_none_gets_a_sentence(cli, signed, keys, content):
    (signed / SIGNATURE).write_bytes(content)
    told = cli("verify", signed, "--public-key", keys[1])

    assert told.code == 3
    assert "must be an envelope" in told.err


def test_a_payload_that_tells_of_no_manifest_is_refused(signed, keys):
    key = read_private(keys[0], lambda: "")
    from audit.signing import Envelope

    for payload in (b"{}", b"[1]", b"\xff", b'{"predicate": {"configuration": []}}'):
        bad = Envelope(payload=payload, signatures={key.id: key.sign(signed_bytes(payload))})
        (signed / SIGNATURE).write_bytes(bad.to_bytes())
        with pytest.raises(ValueError, match="over another manifest"):
            check_signature(signed, read_public(keys[1]))


def test_without_the_extra_the_sentence_names_it(cli, audit, keys, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    told = cli("sign", audit, "--key", keys[0])

    assert told.code == 2
    assert "pip install clip-bias-audit[sign]" in told.err


# -- the store


def test_an_unsigned_statement_is_no_signature(audit, signed, tmp_path):
    assert is_signed(signed)
    (signed / SIGNATURE).unlink()
    assert (signed / "report.intoto.json").is_file()
    assert not is_signed(signed)


def test_a_store_keeps_a_signed_audit_with_its_signature_and_never_prunes_it(
    cli, signed, keys, tmp_path
):
    with create_store(tmp_path / "store") as store:
        kept = keep(signed, store)
        decisions = prune(store, Policy(keep_last=0), dry_run=False)
        assert [(d.removed, d.reason) for d in decisions] == [(False, "signed")]

    assert cli("verify", kept.folder, "--public-key", keys[1]).code == 0
    assert verify_store(tmp_path / "store").holds


def test_an_audit_may_be_signed_where_the_store_keeps_it(cli, audit, keys, tmp_path):
    with create_store(tmp_path / "store") as store:
        kept = keep(audit, store)
        assert cli("sign", kept.folder, "--key", keys[0]).code == 0
        (decision,) = prune(store, Policy(keep_last=0))

    assert decision.reason == "signed"
    assert verify_store(tmp_path / "store").holds


def test_the_crosswalk_sees_the_signature(cli, signed):
    told = cli("crosswalk", "uk-ico", "--audit", signed, "--format", "json")
    clauses = json.loads(told.out)["frameworks"][0]["clauses"]
    (chain,) = [c for c in clauses if c["clause"] == "Evidence along the supply chain"]

    assert "a signature over the audit folder" in chain["reason"].split("Missing")[0]
