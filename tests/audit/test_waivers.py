"""Waiver files: what they must say, and who may accept what for how long."""

import re

import pytest

from audit.errors import PlanError
from audit.waivers import read_waivers

GOOD = """
[[waiver]]
finding = "BA13295b34"
reason = "the product never shows this harm to anybody"
category = "accepted_risk"
owner = "Ada"
approved_by = "Grace"
created = 2026-01-10
expires = 2026-06-10
model = "*"
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "waivers.toml"
        path.write_text(text)
        return path

    return write


def test_a_file_without_waivers_waives_nothing(file):
    assert read_waivers(file("")).waivers == ()


def test_what_is_written_is_read_with_its_digest(file):
    read = read_waivers(file(GOOD))

    assert read.waivers[0].owner == "Ada"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", read.digest)
    assert read.digest != read_waivers(file(GOOD + "\n")).digest


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"the product never shows this harm to anybody"', '"fine"', "waiver 1 .* 20 characters"),
        ("expires = 2026-06-10", "expires = 2026-12-10", "within 180 days; got 334"),
        ("expires = 2026-06-10", "expires = 2026-01-09", "end after it begins"),
        ('approved_by = "Grace"', 'approved_by = "ADA"', "second person; Ada is its owner"),
        ('category = "accepted_risk"', 'category = "fine"', r"key waiver.1.category.*got 'fine'"),
        ("expires = 2026-06-10\n", "", "lacks waiver.1.expires"),
        ("expires = 2026-06-10", 'expires = "soon"', "key waiver.1.expires"),
        ('owner = "Ada"', 'owner = " "', "key waiver.1.owner"),
        ("reason =", "raeson =", "unknown key waiver.1.raeson|lacks waiver.1.reason"),
        ('model = "*"', 'model = "*"\nlinks = "x"', "Did you mean 'link'"),
        ("[[waiver]]", "[policy]\nlongest_day = 3\n[[waiver]]", "Did you mean 'longest_days'"),
        ("[[waiver]]", "[[waivers]]", "Did you mean 'waiver'"),
        ("[[waiver]]", "schema_version = 2\n[[waiver]]", "key schema_version"),
        ("[[waiver]]", "[[waiver", "valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_remedy(file, old, new, told):
    path = file(GOOD.replace(old, new))
    with pytest.raises(PlanError, match=told) as refused:
        read_waivers(path)
    assert str(path) in str(refused.value)


def test_the_same_finding_is_waived_once_for_a_model(file):
    with pytest.raises(PlanError, match="BA13295b34 for \\* twice"):
        read_waivers(file(GOOD + GOOD))


def test_a_policy_may_be_milder(file):
    policy = "[policy]\nsecond_person = false\nlongest_days = 400\nshortest_reason = 1\n"
    text = GOOD.replace("2026-06-10", "2027-01-10").replace('"Grace"', '"Ada"')

    assert len(read_waivers(file(policy + text)).waivers) == 1


def test_a_missing_file_and_a_file_of_bytes_are_told(tmp_path):
    with pytest.raises(PlanError, match="No such file"):
        read_waivers(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PlanError, match="UTF-8"):
        read_waivers(tmp_path / "bytes.toml")
