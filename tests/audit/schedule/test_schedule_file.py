"""The schedule file says who, when and what, and refuses what it does not know."""

import tomllib
from datetime import timedelta

import pytest

from audit.errors import PlanError
from audit.schedule.arguments import run_arguments
from audit.schedule.file import Schedule, read_schedules
from audit.schedule.spans import parse_span, show_span

ONE = {"id": "a", "owner": "Ada", "timezone": "UTC", "every": "30d"}


def toml(table: str = "schedule", **keys: object) -> str:
    told = {k: list(v) if isinstance(v, tuple) else v for k, v in keys.items() if v is not None}
    lines = [f"{key} = {value!r}" for key, value in told.items()]
    return "\n".join([f"[[{table}]]", *lines, ""])


def test_a_schedule_needs_little(book):
    (one,) = book(toml(**ONE)).schedules

    assert one.every == timedelta(days=30)
    assert (one.misfire, one.overlap, one.retries, one.enabled) == ("run_once", "forbid", 2, True)
    assert one.fail_on is None


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"corn": "* * * * *"}, "unknown key schedule.1.corn. Did you mean 'cron'?"),
        ({"timezone": None}, "lacks schedule.1.timezone"),
        ({"timezone": "Berlin"}, "must be a zone of the tz database"),
        ({"timezone": "../../etc/passwd"}, "must be a zone of the tz database"),
        ({"cron": "* * * * *"}, "one of cron, every and trigger; got cron and every"),
        ({"every": None}, "one of cron, every and trigger; got none"),
        ({"every": None, "cron": "61 * * * *"}, "Bad minute"),
        ({"every": None, "cron": "0 0 31 2 *"}, "Bad day-of-month"),
        ({"every": None, "cron": "* * * * * *"}, "must have five fields"),
        ({"every": "30 days"}, "such as 12h or 30d"),
        ({"every": "30s"}, "must leave a minute between two audits"),
        ({"every": None, "trigger": "moon"}, "Input should be 'weights digest'"),
        ({"misfire": "all"}, "'run_once' or 'skip'"),
        ({"fail_on": "worst"}, "key schedule.1.fail_on"),
        ({"notify": ("ops",)}, "'ops' is none"),
        ({"id": "../a"}, "key schedule.1.id"),
        ({"retries": -1}, "key schedule.1.retries"),
        ({"ping_env": "A", "ping_file": "b"}, "must name its ping once"),
    ],
)
def test_what_is_wrong_is_named(book, changed, told):
    with pytest.raises(PlanError) as refused:
        book(toml(**{**ONE, **changed}))
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"id": "c", "kind": "webhook"}, "must have one of url_env and url_file"),
        ({"id": "c", "kind": "webhook", "url": "https://x"}, "unknown key channel.1.url"),
        ({"id": "c", "kind": "command"}, "must have a command and no address"),
        ({"id": "c", "kind": "apprise", "url_env": "U", "secret_env": "S"}, "must be a webhook"),
        ({"id": "c", "kind": "pigeon", "url_env": "U"}, "'webhook', 'command' or 'apprise'"),
    ],
)
def test_a_channel_holds_no_address_and_is_whole(book, keys, told):
    with pytest.raises(PlanError) as refused:
        book(toml("channel", **keys))
    assert told in str(refused.value)


def test_two_schedules_do_not_share_an_id(book):
    with pytest.raises(PlanError, match="a comes twice"):
        book(toml(**ONE) * 2)


def test_a_name_that_is_none_gets_the_nearest(book):
    with pytest.raises(PlanError, match="Did you mean 'weekly'"):
        book(toml(**{**ONE, "id": "weekly"})).find("weekyl")


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"[[schedule]"])
def test_a_file_that_cannot_be_read_says_so(tmp_path, content):
    path = tmp_path / "schedules.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PlanError, match=r"schedules\.toml"):
        read_schedules(path)


@pytest.mark.parametrize("text", ["1s", "90m", "36h", "30d", "2w"])
def test_lengths_of_time_come_back(text):
    assert parse_span(show_span(parse_span(text))) == parse_span(text)


def test_every_key_of_an_audit_reaches_the_command(tmp_path):
    asked = Schedule(
        **ONE, plan="-plan.toml", model="RN50", pretrained="openai", packs=("a", "b"), strict=True,
        fail_on="high", fail_on_new="low", fail_on_worse=1.5, min_coverage=0.9, baseline="b.json",
        waivers="w.toml", on_inconclusive="fail", photos="p.csv", offline=True, formats=(),
    )  # fmt: skip

    assert run_arguments(asked, tmp_path) == (
        "run", "--model=RN50", "--pretrained=openai", "--photos=p.csv", "--fail-on=high",
        "--fail-on-new=low", "--fail-on-worse=1.5", "--min-coverage=0.9", "--on-inconclusive=fail",
        "--baseline=b.json", "--waivers=w.toml", "--packs=a", "--packs=b", "--offline", "--strict",
        "--format", "json", "--out", str(tmp_path), "--", "-plan.toml",
    )  # fmt: skip


def test_what_is_at_its_default_is_left_to_the_command(tmp_path):
    assert run_arguments(Schedule(**ONE), tmp_path) == (
        "run", "--format", "html,pdf", "--out", str(tmp_path),
    )  # fmt: skip


def test_the_file_is_toml_that_tests_wrote(book):
    assert tomllib.loads(toml(**ONE))["schedule"][0] == ONE
