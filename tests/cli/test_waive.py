"""A waiver is written by a command: everything else in the file stays, and nothing slips in."""

import os
import threading
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import OutputError, PlanError
from audit.results import read_result
from audit.waivers import Waiver, read_waivers
from audit.waivers_written import add_waiver, with_waiver

STORED = Path(__file__).parents[1] / "specimens" / "result-1.0.json"
RESULT = read_result(STORED)
WORST = next(f for f in RESULT.findings if f.blocking)
OTHER = next(f for f in RESULT.findings if not f.blocking)
TODAY = ("--today", "2026-01-10")
WHO = ("--owner", "Ada", "--approved-by", "Grace", "--category", "accepted_risk")
WHY = ("--reason", "the product never shows this harm to anybody")
WHEN = ("--for", "90d", *TODAY)
ALL = (*WHO, *WHY, *WHEN, "--model", "*")

HAND_WRITTEN = """\
# Ours. Ask Ada before you change it.
[policy]
longest_days = 100   # shorter than usual

[[waiver]]   # the first
finding = 'BA00000001'
reason = '''the product never shows
this harm to anybody'''
category = "accepted_risk"
owner = "Ada"
approved_by = "Grace"
created = 2026-01-01
expires = 2026-03-01
model = "*"
# the end, without a new line"""


def entry(**changes: object) -> Waiver:
    told = {
        "finding": "BA13295b34", "reason": "the product never shows this harm to anybody",
        "category": "accepted_risk", "owner": "Ada", "approved_by": "Grace", "model": "*",
        "created": date(2026, 1, 10), "expires": date(2026, 3, 10),
    }  # fmt: skip
    return Waiver(**{**told, **changes})


@pytest.fixture
def audit(tmp_path):
    folder = tmp_path / "audit"
    folder.mkdir()
    (folder / "result.json").write_bytes(STORED.read_bytes())
    return folder


@pytest.fixture
def file(tmp_path):
    return tmp_path / "waivers.toml"


def test_a_failed_gate_passes_with_what_was_written(cli, audit, file):
    asked = ("gate", audit, "--fail-on", "low", "--today", "2026-02-01", "--waivers", file)
    blocking = [f.id for f in RESULT.findings if f.blocking]
    ends = [cli("waive", id, "--audit", audit, *WHO, *WHY, *WHEN) for id in blocking]

    assert cli("gate", audit, "--fail-on", "low").code == 1
    assert [end.code for end in ends] == [0] * len(blocking)
    assert ends[0].out.splitlines() == [
        f"waivers.toml: {WORST.id} is waived from 2026-01-10 to 2026-04-10, for "
        f"{RESULT.model.weights_digest}. It stays in the report.",
        f"Next: clip-audit gate {audit} --fail-on high --waivers waivers.toml",
    ]
    assert cli(*asked).code == 0
    assert cli("config", "check", file).code == 0


def test_the_weights_of_the_audit_are_what_is_waived(cli, audit, file):
    assert cli("waive", WORST.fingerprint, "--audit", audit, *WHO, *WHY, *WHEN).code == 0

    (written,) = read_waivers(file).waivers
    assert (written.finding, written.model) == (WORST.id, RESULT.model.weights_digest)
    assert written.meets(WORST)
    assert written.holds_for(RESULT.model)


def test_an_exploratory_finding_needs_no_waiver(cli, audit):
    end = cli("waive", OTHER.id, "--audit", audit, *ALL)

    assert end.code == 0
    assert "fails no gate" in end.err


def test_what_stands_in_a_file_stays_byte_for_byte(cli, file):
    file.write_text(HAND_WRITTEN)
    file.chmod(0o640)
    assert cli("waive", "BA13295b34", "--waivers", file, *ALL, "--link", "T-1287").code == 0

    assert file.read_text().startswith(HAND_WRITTEN + "\n\n[[waiver]]\n")
    assert file.stat().st_mode & 0o777 == 0o640
    read = read_waivers(file)
    assert read.policy.longest_days == 100
    assert [w.link for w in read.waivers] == ["", "T-1287"]


def test_a_file_with_the_line_ends_of_windows_keeps_them(file):
    file.write_bytes(HAND_WRITTEN.replace("\n", "\r\n").encode())
    add_waiver(file, entry())

    assert b"\n" not in file.read_bytes().replace(b"\r\n", b"")


def test_a_link_to_a_file_stays_a_link(tmp_path, file):
    real = tmp_path / "shared.toml"
    real.write_text(HAND_WRITTEN)
    file.symlink_to(real)
    add_waiver(file, entry())

    assert file.is_symlink()
    assert len(read_waivers(real).waivers) == 2


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_text_is_read_as_it_was_written(text):
    said = entry(owner=text, reason=text * 20, link=text)
    if text.strip().casefold() == "grace":
        return
    (read,) = tomllib.loads(with_waiver(b"", said, where="waivers.toml").decode())["waiver"]

    assert Waiver(**read) == said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "lacks FINDING, --reason, --category, --owner, --approved-by, --expires DAY or"),
        (("BA13295b34", *WHO, *WHY, *TODAY, "--model", "*"), "lacks --expires DAY or --for SPAN"),
        (("BA13295b34", *WHO, *WHEN, "--model", "*", "--reason", " "), "lacks --reason"),
        (("BA13295b34", *ALL, "--expires", "2026-02-01"), "one end; got --expires and --for"),
        (("BA13295b34", *WHO, *WHY, *WHEN), "for which model it holds; got neither"),
        (("BA13295b34", *ALL, "--for", "181d"), "within 180 days; got 181"),
        (("BA13295b34", *ALL, "--for", "soon"), "--for must be a whole number"),
        (("BA13295b34", *ALL, "--for", "36h"), "whole days; got '36h'"),
        (("BA13295b34", *ALL, "--for", "0d"), "whole days; got '0d'"),
        (("BA13295b34", *WHO, *WHY, *TODAY, "--model", "*", "--expires", "2026-01-09"),
         "end after it begins"),
        (("BA13295b34", *ALL, "--approved-by", "ADA "), "second person; Ada is its owner"),
        (("BA13295b34", *ALL, "--reason", "fine"), "20 characters at least; got 4"),
        (("regions/x", *ALL), "by its id, BA and eight hex digits"),
        (("BA13295b34", *ALL, "--category", "whatever"), "'whatever' is not one of"),
        (("BA13295b34", *ALL, "--owner", "\udcff"), "--owner cannot be used"),
        (("BA13295b34", "--list"), "takes no finding"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_waiver_is_refused_and_nothing_is_written(cli, file, words, told):
    end = cli("waive", *words)

    assert (end.code, end.out) == (2, "")
    assert told in end.err
    assert len(end.err.splitlines()) == 1
    assert not file.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[[waiver]\n", "valid TOML"),
        ("[polcy]\n", "unknown key polcy"),
        ("waiver = []\n", "waiver = [...]. Write them as tables"),
        (HAND_WRITTEN.replace("BA00000001", "BA13295b34"), "from 2026-01-01 to 2026-03-01 already"),
        ("[policy]\nlongest_days = 30\n", "within 30 days; got 90"),
    ],
)
def test_a_file_that_takes_no_entry_stays_as_it_was(cli, file, content, told):
    file.write_text(content)
    end = cli("waive", "BA13295b34", *ALL)

    assert end.code == 2
    assert told in end.err
    assert file.read_text() == content


def test_a_finding_that_the_audit_lacks_is_refused_with_the_nearest(cli, audit, file):
    end = cli("waive", WORST.id[:-1] + "x", "--audit", audit, *ALL)

    assert end.code == 2
    assert f"Did you mean {WORST.id!r}?" in end.err
    assert not file.exists()


def test_an_audit_that_cannot_be_read_is_no_audit(cli, tmp_path, file):
    end = cli("waive", WORST.id, "--audit", tmp_path / "none", *ALL)

    assert end.code == 3
    assert not file.exists()


def test_the_same_person_may_do_both_where_the_policy_says_so(cli, file):
    file.write_text("[policy]\nsecond_person = false\n")

    assert cli("waive", "BA13295b34", *ALL, "--approved-by", "Ada").code == 0


def test_a_list_tells_how_each_stands_on_a_day(cli, audit, file):
    file.write_text(HAND_WRITTEN)
    cli("waive", WORST.id, "--audit", audit, *WHO, *WHY, *WHEN)
    then = cli("waive", "--list", "--today", "2026-03-02")
    seen = cli("waive", "--list", "--today", "2026-02-01", "--audit", audit)

    assert (then.code, seen.code) == (0, 0)
    assert [line.split()[:2] for line in then.out.splitlines() if line.startswith("BA")] == [
        ["BA00000001", "expired"],
        [WORST.id, "active"],
    ]
    assert "39 days left" in then.out
    assert [line.split()[:2] for line in seen.out.splitlines() if line.startswith("BA")] == [
        ["BA00000001", "unused"],
        [WORST.id, "active"],
    ]


def test_a_list_of_a_file_that_is_not_there_is_refused(cli):
    end = cli("waive", "--list")

    assert (end.code, end.out) == (2, "")
    assert "No such file" in end.err


def test_a_folder_that_is_not_there_is_told_as_one(cli, tmp_path):
    end = cli("waive", "BA13295b34", *ALL, "--waivers", tmp_path / "none" / "waivers.toml")

    assert end.code == 3
    assert "No such file" in end.err


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(file, monkeypatch):
    file.write_text(HAND_WRITTEN)

    def full(self, other):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="is full"):
        add_waiver(file, entry())
    assert file.read_text() == HAND_WRITTEN
    assert os.listdir(file.parent) == [file.name]


def test_of_many_that_write_at_once_none_is_lost(file):
    ids = [f"BA{number:08x}" for number in range(24)]
    writers = [threading.Thread(target=add_waiver, args=(file, entry(finding=id))) for id in ids]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert sorted(w.finding for w in read_waivers(file).waivers) == ids


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(order=st.permutations(["BA00000000", "BA00000001", "BA00000002"]))
def test_a_file_with_every_entry_refuses_each_again(order):
    content = b""
    for id in order:
        content = with_waiver(content, entry(finding=id), where="waivers.toml")

    for id in order:
        with pytest.raises(PlanError, match=f"{id} for \\* from"):
            with_waiver(content, entry(finding=id), where="waivers.toml")
