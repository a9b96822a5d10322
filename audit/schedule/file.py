"""The schedule file: which audits repeat, when, and who is told."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from audit.errors import PlanError
from audit.gate import Level, OnInconclusive
from audit.schedule.spans import Span

FILE = Path("schedules.toml")
"""Read where no other file is named."""

Trigger = Literal["weights digest", "pack version"]
EventKind = Literal["finding", "gate", "failure", "waiver", "stale"]
EVENTS: tuple[EventKind, ...] = ("finding", "gate", "failure", "waiver", "stale")
SHORTEST = timedelta(minutes=1)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Channel(_Table):
    """``[[channel]]``: one way of telling somebody."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")
    kind: Literal["webhook", "command", "apprise"]
    url_env: str = ""
    """Environment variable with the address; addresses hold tokens and are never written here."""

    url_file: str = ""
    """File with the address, relative to the schedule file."""

    secret_env: str = ""
    """Environment variable with the key that signs a webhook."""

    secret_file: str = ""
    command: tuple[str, ...] = ()
    """Program and arguments; it gets the notice as JSON on standard input."""

    on: tuple[EventKind, ...] = EVENTS


class Schedule(_Table):
    """``[[schedule]]``: one audit that repeats."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")
    owner: str = Field(min_length=1)
    enabled: bool = True
    timezone: str

    cron: str = ""
    every: Span | None = None
    trigger: Trigger | Literal[""] = ""

    plan: str = ""
    """Plan file, relative to the schedule file; empty means the default plan."""

    model: str = ""
    pretrained: str = ""
    other: str = ""
    other_pretrained: str = ""
    photos: str = ""
    packs: tuple[str, ...] = ()
    device: str = "cpu"
    offline: bool = False
    cache: str = ""
    out: str = ""
    """Folder of runs and their logs; empty means ``runs`` in the store."""

    formats: tuple[str, ...] = ("html", "pdf")

    misfire: Literal["run_once", "skip"] = "run_once"
    grace: Span = Field(default=timedelta(hours=1), ge=timedelta())
    overlap: Literal["forbid", "queue_one"] = "forbid"
    timeout: Span = Field(default=timedelta(hours=12), ge=timedelta(seconds=1))
    retries: int = Field(default=2, ge=0, le=20)
    retry_after: Span = Field(default=timedelta(minutes=5), ge=timedelta(seconds=1))
    max_age: Span | None = None

    fail_on: Level | None = None
    """As every key of the gate: left out, the plan says it."""

    fail_on_new: Level | None = None
    fail_on_worse: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    min_coverage: float | None = Field(default=None, ge=0, le=1)
    on_inconclusive: OnInconclusive | None = None
    strict: bool = False
    baseline: str = ""
    waivers: str = ""

    notify: tuple[str, ...] = ()
    """Ids of channels."""

    ping_env: str = ""
    """Environment variable with an address that is called after every audit that was finished."""

    ping_file: str = ""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be a zone of the tz database, such as Europe/Berlin") from None
        return name

    @field_validator("cron")
    @classmethod
    def _valid_cron(cls, text: str) -> str:
        if not text:
            return text
        if len(text.split()) != 5:
            raise ValueError("must have five fields: minute, hour, day, month, day of the week")
        try:
            next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
        except (CronSimError, StopIteration) as error:
            raise ValueError(f"must be a cron expression that comes round ({error})") from None
        return text

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which ``cron`` is read and times are shown."""
        return ZoneInfo(self.timezone)

    @property
    def timing(self) -> str:
        """What decides when it is due, in one line."""
        if self.cron:
            return f"{self.cron} {self.timezone}"
        return f"every {self.every}" if self.every is not None else f"on new {self.trigger}"


class _File(_Table):
    schema_version: Literal[1] = 1
    store: str = ""
    channel: tuple[Channel, ...] = ()
    schedule: tuple[Schedule, ...] = ()


class Schedules(BaseModel):
    """A schedule file that was read."""

    model_config = ConfigDict(frozen=True)

    home: Path
    """Folder of the file; every relative path in it starts there."""

    store: str = ""
    """Store that it names; empty if none."""

    channels: tuple[Channel, ...] = ()
    schedules: tuple[Schedule, ...] = ()

    def find(self, name: str) -> Schedule:
        """Return one schedule.

        Raises
        ------
        PlanError
            If there is none of this name.
        """
        known = {one.id: one for one in self.schedules}
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known) or 'none'}."
            raise PlanError(f"No schedule is named {name!r}. {hint}")
        return known[name]


def read_schedules(path: Path) -> Schedules:
    """Read and check a schedule file.

    Raises
    ------
    PlanError
        If it cannot be read or a key or value is wrong; the message names file, schedule and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanError(
            f"Schedules must be a readable TOML file; {path} gave: {error.strerror}. "
            "Check the path, or give another with --schedules."
        ) from None
    except UnicodeDecodeError:
        raise PlanError(f"Schedules must be UTF-8 text; {path} is not. Save it as UTF-8.") from None
    return parse_schedules(text, where=str(path), home=path.absolute().parent)


def parse_schedules(text: str, *, where: str, home: Path) -> Schedules:
    r"""Parse and check TOML text.

    Examples
    --------
    >>> parse_schedules('[[schedule]]\ncorn = "0 2 * * *"', where="schedules.toml", home=Path())
    Traceback (most recent call last):
        ...
    audit.errors.PlanError: schedules.toml has an unknown key schedule.1.corn. Did you mean 'cron'?
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(
            f"Schedules must be valid TOML; {where}: {error}. Correct the line."
        ) from None
    try:
        read = _File.model_validate(document)
    except ValidationError as error:
        raise PlanError(_sentence(error, where)) from None
    for problem in _problems(read):
        raise PlanError(f"{where}: {problem}")
    return Schedules(home=home, store=read.store, channels=read.channel, schedules=read.schedule)


def _problems(read: _File) -> Iterator[str]:
    """Yield what single keys cannot know."""
    for what, ids in (
        ("schedule", [s.id for s in read.schedule]),
        ("channel", [c.id for c in read.channel]),
    ):
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            yield f"every {what} must have an id of its own; {twice[0]} comes twice. Rename one."
    for schedule in read.schedule:
        for problem in _of_schedule(schedule, [c.id for c in read.channel]):
            yield f"schedule {schedule.id} {problem}"
    for channel in read.channel:
        for problem in _of_channel(channel):
            yield f"channel {channel.id} {problem}"


def _of_schedule(schedule: Schedule, channels: list[str]) -> Iterator[str]:
    given = [k for k in ("cron", "every", "trigger") if getattr(schedule, k) not in ("", None)]
    if len(given) != 1:
        came = " and ".join(given) or "none"
        yield f"must have one of cron, every and trigger; got {came}. Say once when it is due."
    if schedule.every is not None and schedule.every < SHORTEST:
        yield "must leave a minute between two audits; every is shorter. Choose a longer one."
    if schedule.ping_env and schedule.ping_file:
        yield "must name its ping once; got ping_env and ping_file. Remove one."
    for name in schedule.notify:
        if name not in channels:
            near = get_close_matches(name, channels, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "Add a [[channel]] with this id."
            yield f"must notify channels of this file; {name!r} is none. {hint}"


def _of_channel(channel: Channel) -> Iterator[str]:
    named = [k for k in ("url_env", "url_file") if getattr(channel, k)]
    if channel.kind == "command":
        if not channel.command or named:
            yield "must have a command and no address. Correct its keys."
    elif len(named) != 1 or channel.command:
        yield "must have one of url_env and url_file, and no command. Correct its keys."
    if channel.kind != "webhook" and (channel.secret_env or channel.secret_file):
        yield "must be a webhook to sign what it sends. Remove the secret."
    if channel.secret_env and channel.secret_file:
        yield "must name its secret once; got secret_env and secret_file. Remove one."


def _sentence(error: ValidationError, where: str) -> str:
    # A key that is misspelt is also one that is missing; the first says what to correct.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    place = first["loc"]
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
    if first["type"] == "extra_forbidden":
        known = _known(place)
        near = get_close_matches(str(place[-1]), known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
        return f"{where} has an unknown key {key}. {hint}"
    if first["type"] == "missing":
        return f"{where} lacks {key}. Every schedule has id, owner and timezone; channels id and kind."  # fmt: skip  # noqa: E501
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}, key {key}: {message}; got {first.get('input')!r}. Correct the value."


def _known(place: tuple[Any, ...]) -> list[str]:
    tables: dict[str, type[BaseModel]] = {"schedule": Schedule, "channel": Channel}
    inside = tables.get(str(place[0]), _File) if len(place) > 1 else _File
    return sorted(inside.model_fields)
