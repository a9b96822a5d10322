"""Every schedule is judged by its own interval; what watches can be read or is told."""

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from audit.errors import OutputError, PlanError
from audit.schedule.errors import TriggerError
from audit.schedule.file import Schedule
from audit.schedule.freshness import freshness
from audit.schedule.ledger import Run
from audit.schedule.loop import keep_ticking
from audit.schedule.standing import standings
from audit.schedule.states import AUDITED, MEANING, State
from audit.schedule.triggers import watch

START = datetime(2026, 1, 1, tzinfo=UTC)


def schedule(**keys):
    told = {"every": "7d", "grace": "1h", "timeout": "2h"} | keys
    return Schedule(id="a", owner="o", timezone="UTC", **told)


def run(slot, state=State.PASSED, name="a"):
    return Run(
        id=1, schedule=name, slot=slot, state=state, attempts=1, retry_at=None, started=None,
        finished=None, exit_code=0, error="", why="", out="", folder="", stored="", lease=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "hours"),
    [
        ({}, 7 * 24 + 3),
        ({"every": None, "cron": "0 0 * * *"}, 24 + 3),
        ({"max_age": "2d"}, 48),
        ({"every": None, "trigger": "pack version", "max_age": "30d"}, 30 * 24),
    ],
)
def test_an_audit_is_stale_when_the_next_is_past_by_grace_and_timeout(keys, hours):
    limit = START + timedelta(hours=hours)
    at = freshness(schedule(**keys), [run(START)], START, limit)
    after = freshness(schedule(**keys), [run(START)], START, limit + timedelta(seconds=1))

    assert (at.stale, at.until) == (False, limit)
    assert after.stale


def test_a_trigger_without_age_is_never_stale():
    one = schedule(every=None, trigger="pack version")

    assert not freshness(one, [], START, START + timedelta(days=900)).stale


@pytest.mark.parametrize("state", [s for s in State if s not in AUDITED])
def test_only_a_finished_audit_that_may_be_believed_counts(state):
    later = START + timedelta(days=5)
    found = freshness(schedule(), [run(START), run(later, state)], START, later)

    assert found.last == START


def test_audits_of_another_schedule_do_not_count():
    assert freshness(schedule(), [run(START, name="b")], START, START).last is None


def test_what_was_never_looked_at_is_stale():
    assert freshness(schedule(), [], None, START).stale


def test_an_audit_in_the_future_is_stale_and_says_what_to_do():
    found = freshness(schedule(), [run(START + timedelta(days=900))], START, START)

    assert found.stale
    assert "`clip-audit schedule run a` starts afresh" in found.sentence


def test_every_state_has_a_meaning():
    assert set(MEANING) == set(State)


def test_a_list_tells_the_last_run_and_what_is_next(tick, desk, clock, runner, base):
    runner.script = [{"code": 1}]
    tick()
    clock.on(days=1)
    tick()
    (one,) = standings(base, desk().book, clock())

    assert one.last_text.startswith("gate failed (2026-01-02 02:30 CET, exit 1): ")
    assert one.next_text == "2026-01-03 02:30 CET"
    assert not one.freshness.stale


def test_a_list_before_anything_writes_nothing(desk, clock, base):
    before = standings(base, desk().book, clock())

    assert [(s.last_text, s.next_text, s.freshness.stale) for s in before] == [
        ("never", "2026-01-02 02:30 CET", True)
    ]
    assert standings(base, desk().book, clock()) == before


def pack(version):
    concept = {"id": "ones", "name": "Ones", "terms": ["bado", "fegi", "kuma"]}
    head = {
        "id": "people", "name": "People", "role": "identity", "version": version, "language": "en",
        "about": "Invented for tests.", "licence": "CC0-1.0", "sources": {"us": "Invented."},
        "defaults": {"pos": "noun", "status": "current", "visible": "yes", "source": ["us"]},
    }  # fmt: skip
    return yaml.safe_dump({**head, "concepts": [concept]}, sort_keys=False)


def test_packs_are_watched_by_version_and_content(tmp_path):
    folder = tmp_path / "packs"
    folder.mkdir()
    (tmp_path / "plan.toml").write_text('[concepts]\nbuiltin = false\nfolders = ["packs"]\n')
    one = schedule(every=None, trigger="pack version", plan="plan.toml")
    seen = []
    for version, term in [
        ("1.0.0", "kuma"),
        ("1.0.1", "kuma"),
        ("1.0.0", "lonu"),
        ("1.0.0", "kuma"),
    ]:
        (folder / "people.yaml").write_text(pack(version).replace("kuma", term))
        seen.append(watch(one, tmp_path))

    assert len(set(seen)) == 3
    assert seen[0] == seen[3]
    (folder / "people.yaml").write_text("id: [")
    with pytest.raises(TriggerError, match="'pack version' of a must be readable"):
        watch(one, tmp_path)


def test_weights_are_watched_by_their_bytes(tmp_path):
    folder = tmp_path / "my-clip"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text("{}")
    weights = folder / "model.safetensors"
    weights.write_bytes(b"one")
    one = schedule(every=None, trigger="weights digest", model="local-dir:my-clip")
    first = watch(one, tmp_path)
    weights.write_bytes(b"two")
    second = watch(one, tmp_path)
    weights.write_bytes(b"one")

    assert len({first, second}) == 2
    assert watch(one, tmp_path) == first


@pytest.mark.parametrize("keys", [{"model": "local-dir:none"}, {"plan": "none.toml"}])
def test_weights_that_are_not_there_are_told(tmp_path, keys):
    with pytest.raises(TriggerError, match="'weights digest' of a must be readable, but"):
        watch(schedule(every=None, trigger="weights digest", **keys), tmp_path)


def test_a_schedule_without_trigger_watches_nothing(tmp_path):
    assert watch(schedule(plan="none.toml"), tmp_path) == ""


def test_a_loop_goes_on_after_what_may_pass_and_ends_when_told():
    said, waits = [], []
    steps = iter([None, OutputError("full"), PlanError("being edited"), None])

    def tick():
        error = next(steps)
        if error is not None:
            raise error

    keep_ticking(tick, waits.append, said.append, every=timedelta(seconds=7), rounds=4)

    assert said == ["full", "being edited"]
    assert waits == [7.0] * 4
    with pytest.raises(KeyboardInterrupt):
        keep_ticking(lambda: None, interrupted, said.append)


def interrupted(seconds):
    raise KeyboardInterrupt
