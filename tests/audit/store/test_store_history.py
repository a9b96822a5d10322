"""What a store remembers: models, the life of findings, effects over time, freshness."""

from dataclasses import FrozenInstanceError
from datetime import timedelta

import pytest

from audit.errors import PlanError
from audit.store.adding import keep
from audit.store.freshness import freshness, parse_age
from audit.store.history import (
    audits,
    effects,
    findings,
    last_passing,
    latest,
    models,
)
from audit.store.index import open_store


@pytest.fixture
def store(place, audit_of):
    """Toy: found, passed; found and worse, failed; found no more, passed. Another model: once."""
    with open_store(place) as opened:
        keep(audit_of(day=0), opened)
        keep(audit_of(day=1, shift=1.5, passed=False, weights="sha256:bb"), opened)
        keep(audit_of(day=2, findings=False), opened)
        keep(audit_of(day=3, model="other", plan="monthly", passed=False), opened)
        yield opened


def test_models_are_told_with_their_latest_and_last_passing(store):
    other, toy = models(store.database)

    assert (toy.name, toy.audits, toy.weights, toy.plans) == ("toy", 3, 2, ("quarterly",))
    assert toy.latest == toy.last_passing == audits(store.database)[2]
    assert (other.latest.folder[:8], other.last_passing) == ("20260104", None)


def test_audits_are_chosen_by_model_weights_and_plan(store):
    def positions(**wanted):
        return [a.position for a in audits(store.database, **wanted)]

    assert positions() == [1, 2, 3, 4]
    assert positions(model="toy") == [1, 2, 3]
    assert positions(model="sha256:bb") == [2]
    assert positions(plan="monthly") == positions(plan="sha256:plan of monthly") == [4]
    assert positions(model="toy", plan="monthly") == []


def test_the_latest_is_the_one_kept_last_and_not_the_one_with_the_latest_clock(store, audit_of):
    keep(audit_of(day=-9, passed=False), store)

    assert latest(store.database, "toy").position == 5
    assert last_passing(store.database, "toy").position == 3
    assert latest(store.database, "none") is None


def test_a_finding_that_is_gone_has_a_life_that_ended(store, small):
    lives = findings(store.database, "toy")
    by_id = {life.finding: life for life in lives}

    assert set(by_id) == {f.id for f in small.findings}
    for finding in small.findings:
        life = by_id[finding.id]
        assert (life.identity, life.harm) == (finding.identity, finding.harm)
        assert not life.open
        assert life.asked == 3
        assert [s.position for s in life.sightings] == [1, 2]
        first, second = life.sightings
        assert second.effect_sd == pytest.approx(first.effect_sd + 1.5)
        assert first.low_sd < first.effect_sd < first.high_sd
        assert first.severity == finding.severity


def test_a_finding_whose_contrast_nobody_asked_for_again_stays_open(store, audit_of, small):
    assert all(life.open for life in findings(store.database, "other"))
    assert findings(store.database, "none") == ()


def test_an_effect_over_time_has_its_interval_and_its_verdict(store, small):
    contrast = small.contrasts[0]
    points = effects(store.database, "toy", contrast.identity, contrast.harm)
    own = [p for p in points if p.arm == contrast.arm]

    assert [p.position for p in own] == [1, 2, 3]
    assert own[1].effect_sd == pytest.approx(contrast.effect_sd + 1.5)
    assert (own[0].low_sd, own[0].high_sd) == (contrast.low_sd, contrast.high_sd)
    assert own[0].verdict == contrast.verdict.value
    assert [p.weights_digest for p in own] == ["sha256:aa", "sha256:bb", "sha256:aa"]


def test_what_comes_back_is_plain_and_frozen(store):
    with pytest.raises(FrozenInstanceError):
        latest(store.database, "toy").passed = True


def test_an_audit_is_fresh_up_to_its_limit(store):
    audit = latest(store.database, "toy")

    def state(days):
        return freshness(audit, parse_age("90d"), audit.finished + timedelta(days=days)).state

    assert [state(d) for d in (0, 90, 90.001)] == ["fresh", "fresh", "stale"]
    assert [state(d) for d in (-0.9, -1.1)] == ["fresh", "ahead"]
    assert freshness(None, parse_age("1d"), audit.finished).state == "none"


@pytest.mark.parametrize(
    ("text", "age"),
    [("90d", timedelta(days=90)), ("12h", timedelta(hours=12)), ("2w", timedelta(weeks=2)),
     ("30m", timedelta(minutes=30))],
)  # fmt: skip
def test_ages_are_read(text, age):
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5d", "90 days", "9999999d", "1y"])
def test_what_is_no_age_is_told(text):
    with pytest.raises(PlanError, match="such as 90d"):
        parse_age(text)
