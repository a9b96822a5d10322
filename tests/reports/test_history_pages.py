"""Rules of the history's pages: order, words, places on a chart, terms that are hidden."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.history.addresses import to_audits, to_file, to_finding, to_model
from reports.history.facts import (
    Age,
    AuditFact,
    Covered,
    EventFact,
    FindingFact,
    ModelFact,
    PointFact,
    RunFact,
    ScheduleFact,
    SightingFact,
    StoreFact,
    WaiverFact,
)
from reports.history.message import message_page
from reports.history.model import measured_in, points_of, standing_of, stops_of, trends
from reports.history.overview import overview
from reports.history.standing import concerns, headline, worst_first
from reports.history.trends import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Measured,
    Stop,
    effect_scale,
    end_of,
    left_out,
    start_of,
    trend_chart,
)
from reports.history.words import ago, answer_entry, gate_entry, in_days, tallies

NOW = datetime(2026, 7, 20, 9, tzinfo=UTC)
STORE = StoreFact(name="kept", now=NOW, tool="clip-audit 1", schedules_given=True,
                  waivers_given=True)  # fmt: skip
AUDIT = AuditFact(
    id="sha256:1", position=1, folder="one", title="t", started=NOW, finished=NOW, model="toy",
    weights_digest="sha256:aa", plan="quarterly", plan_digest="sha256:p", thresholds_digest="t",
    verdict="not_found", found=0, not_found=3, insufficient=0, fail_on="high", gate="passed",
    trustworthy=True, low=0, medium=0, high=0, critical=0, digest="d", tool="1", signed=False,
    size=1,
)  # fmt: skip
FRESH = Age(state="fresh", sentence="It is fresh.")


def model(name="toy", age=FRESH, **changes):
    audit = replace(AUDIT, id=f"sha256:{name}", folder=name, model=name, **changes)
    return ModelFact(model=name, plan=audit.plan, audits=(audit,), age=age)


def waiver(state, days, covers=("x",)):
    covered = tuple(
        Covered(model="toy", plan="p", fingerprint=name, finding="BA1", name="A and B")
        for name in covers
    )
    day = NOW.date()
    return WaiverFact(
        file="w.toml", finding="BA1", model="*", category="accepted_risk", reason="r", owner="Ada",
        approved_by="Bea", created=date(2026, 1, 1), expires=day + timedelta(days=days), link="",
        state=state, days_left=days, covers=covered,
    )  # fmt: skip


def schedule(*, stale=False, enabled=True, tone="good", state="passed"):
    run = RunFact(
        slot=NOW, shown="today", state=state, meaning="m", attempts=1, exit_code=0, why="",
        retry="", audit="", finished=NOW, tone=tone,
    )  # fmt: skip
    return ScheduleFact(
        id="nightly", owner="Ada", timing="t", enabled=enabled, stale=stale, freshness="It is so.",
        due="soon", retries=0, runs=(run,), n_runs=1,
    )  # fmt: skip


def words_of(models=(), schedules=(), waivers=()):
    return [c.word for c in concerns(STORE, models, schedules, waivers)]


# What asks for a person


@pytest.mark.parametrize(
    ("models", "word"),
    [
        ([model(trustworthy=False, gate="failed")], "Not to be believed"),
        ([model(gate="failed")], "Gate failed"),
        ([model(gate="inconclusive")], "Gate inconclusive"),
        ([model(fail_on="none", high=1)], "Found, no limit"),
        ([model(age=Age(state="stale", sentence="Old."))], "Overdue"),
    ],
)
def test_each_state_of_a_model_asks_by_its_own_word(models, word):
    assert words_of(models) == [word]


def test_what_is_well_asks_for_nobody():
    well = [model(), model("low", fail_on="none", low=4, medium=2)]
    quiet = [waiver("active", 60), waiver("unused", -3, ()), waiver("expired", -3, ())]

    assert (
        words_of(well, [schedule(), schedule(enabled=False, stale=True, tone="bad")], quiet) == []
    )
    assert headline([]) == "Nothing here asks for a person now"


def test_the_worst_comes_first():
    found = words_of(
        [model("a", fail_on="none", critical=1), model("b", gate="inconclusive"),
         model("c", gate="failed"), model("d", trustworthy=False)],
        [schedule(stale=True, tone="bad", state="failed")],
        [waiver("expiring", 3), waiver("expired", -1)],
    )  # fmt: skip

    assert found == [
        "Not to be believed", "Gate failed", "Waiver expired", "Schedule overdue", "Run failed",
        "Gate inconclusive", "Found, no limit", "Waiver ends",
    ]  # fmt: skip


def test_what_a_schedule_says_of_itself_is_not_said_again_of_its_model():
    late = Age(state="stale", sentence="It is so.", schedule="nightly")

    assert words_of([model(age=late)], [schedule(stale=True)]) == ["Schedule overdue"]


COUNTS = st.integers(0, 3)
MODELS = st.builds(
    lambda n, low, medium, high, critical, gate, sure, old: model(
        f"m{n}", low=low, medium=medium, high=high, critical=critical, gate=gate,
        trustworthy=sure, age=Age(state=old, sentence="s"),
    ),
    st.integers(0, 99), COUNTS, COUNTS, COUNTS, COUNTS,
    st.sampled_from(["passed", "failed", "inconclusive"]), st.booleans(),
    st.sampled_from(["fresh", "stale", "unknown"]),
)  # fmt: skip


@given(st.lists(MODELS, max_size=8))
def test_a_model_that_is_worse_never_stands_below_a_better_one(models):
    ordered = worst_first(models)

    assert sorted(m.model for m in ordered) == sorted(m.model for m in models)
    for above, below in pairwise(ordered):
        assert above.latest.trustworthy <= below.latest.trustworthy
        if above.latest.trustworthy == below.latest.trustworthy is True:
            assert (above.latest.gate == "failed") >= (below.latest.gate == "failed")


def test_the_headline_counts_failures_apart_from_the_rest():
    def headed(*rows):
        return headline(concerns(STORE, rows, (), ()))

    assert headed(model(gate="failed")) == "1 thing asks for a person"
    assert headed(model("a", gate="failed"), model("b", gate="failed"),
                  model("c", gate="inconclusive")) == (
        "2 things ask for a person, and 1 more to look at"
    )  # fmt: skip
    assert headed(model(gate="inconclusive")) == "1 thing to look at, none of them a failure"


# Answers and gates


def test_an_audit_that_must_not_be_believed_never_looks_passed():
    doubted = replace(AUDIT, trustworthy=False)

    assert answer_entry(doubted).tone == "bad"
    assert gate_entry(doubted).tone == "none"
    assert gate_entry(AUDIT).tone == "good"


def test_a_gate_that_nothing_was_asked_of_is_not_called_passed():
    assert gate_entry(replace(AUDIT, fail_on="none")).text == "No limit on severity"
    assert gate_entry(replace(AUDIT, fail_on="none", gate="failed")).text == "Failed"


def test_findings_are_counted_the_worst_first():
    assert tallies(replace(AUDIT, low=1, critical=2)) == ((4, 2), (1, 1))


def test_times_are_said_as_people_say_them():
    assert ago(NOW - timedelta(hours=30), NOW) == "30 hours ago"
    assert ago(NOW - timedelta(days=2), NOW) == "2 days ago"
    assert ago(NOW - timedelta(minutes=1), NOW) == "1 minute ago"
    assert ago(NOW - timedelta(seconds=5), NOW) == "just now"
    assert ago(NOW + timedelta(days=1), NOW) == "in the future: a clock was wrong"
    assert [in_days(n) for n in (3, 1, 0, -1)] == ["in 3 days", "in 1 day", "today", "1 day ago"]


# Trends

EFFECTS = st.floats(-50, 50)
POINTS = st.lists(
    st.builds(
        lambda e, w: Measured(stop=0, verdict="found", effect=e, low=e - w, high=e + w),
        EFFECTS, st.floats(0, 400),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


def chart_of(points, stops=None):
    placed = [replace(point, stop=n) for n, point in enumerate(points)]
    stops = stops or [Stop(label=f"d{n}", new_weights=False, new_plan=False)
                      for n in range(len(points))]  # fmt: skip
    return trend_chart("t", "T", "D", stops, placed, effect_scale(placed))


@given(POINTS)
def test_every_effect_lies_in_the_frame_and_higher_effects_lie_higher(points):
    chart = chart_of(points)

    for dot in chart.dots:
        assert LEFT <= dot.value <= RIGHT
        assert TOP <= dot.y <= BOTTOM
        assert TOP <= dot.high <= dot.y <= dot.low <= BOTTOM
    assert TOP <= chart.zero <= BOTTOM
    ordered = sorted(zip(points, chart.dots, strict=True), key=lambda pair: pair[0].effect)
    assert all(a[1].y >= b[1].y for a, b in pairwise(ordered))


@given(POINTS)
def test_a_limit_outside_the_frame_is_drawn_as_an_arrow(points):
    down = effect_scale(points)

    for point, dot in zip(points, chart_of(points).dots, strict=True):
        assert dot.beyond_low == (point.low < down.low)
        assert dot.beyond_high == (point.high > down.high)


@given(st.integers(1, 200))
def test_dates_never_meet_and_the_last_is_always_there(amount):
    points = [Measured(stop=0, verdict="found", effect=1.0, low=0.5, high=1.5)] * amount
    chart = chart_of(points)

    assert chart.x_ticks[-1].label == f"d{amount - 1}"
    assert all(end_of(a) <= start_of(b) for a, b in pairwise(chart.x_ticks))


def test_the_line_breaks_where_the_plan_changed_and_weights_are_marked():
    stops = [Stop(label=str(n), new_weights=n == 1, new_plan=n == 2) for n in range(4)]
    points = [Measured(stop=0, verdict="found", effect=1.0, low=0.5, high=1.5)] * 4
    chart = chart_of(points, stops)

    assert [len(run) for run in chart.lines] == [2, 2]
    assert chart.changes == (chart.dots[1].value,)


def test_a_long_past_is_drawn_from_its_end_and_the_chart_says_so():
    audits = [replace(AUDIT, id=str(n), folder=f"f{n}") for n in range(40)]
    points = tuple(PointFact(audit=a.folder, arm="text", verdict="found", effect=1.0 + n, low=0.5,
                             high=50.0) for n, a in enumerate(audits))  # fmt: skip
    (trend,) = trends([replace(LIFE, points=points)], audits)

    assert len(trend.chart.dots) == 30
    assert trend.chart.dots[-1].y == min(dot.y for dot in trend.chart.dots)
    assert left_out(40) == "The charts show the latest 30 of 40 audits."


def test_an_audit_that_did_not_ask_leaves_a_gap_and_no_dot():
    stops = [Stop(label=str(n), new_weights=False, new_plan=False) for n in range(3)]
    points = [Measured(stop=n, verdict="found", effect=1.0, low=None, high=None) for n in (0, 2)]
    chart = trend_chart("t", "T", "D", stops, points, effect_scale(points))

    assert [dot.value for dot in chart.dots] == [chart.left + 14, chart.right - 14]
    assert chart.dots[0].low is None


# Findings

SEEN = SightingFact(audit="one", severity=3, grade="confirmed", marks="", blocking=True,
                    waived=False, arm="text", effect=7.0, low=5.0, high=9.0)  # fmt: skip
LIFE = FindingFact(
    model="toy", plan="", fingerprint="f", finding="BA1", family="g", identity="g/a", harm="h",
    identity_name="A", harm_name="B", open=True, asked=1, sightings=(SEEN,), points=(),
)  # fmt: skip


def test_an_exploratory_finding_is_drawn_where_it_was_seen():
    assert points_of(LIFE) == (
        PointFact(audit="one", arm="text", verdict="found", effect=7.0, low=5.0, high=9.0),
    )


def test_an_undefined_effect_is_no_zero():
    point = PointFact(audit="one", arm="text", verdict="insufficient", effect=None, low=None,
                      high=None)  # fmt: skip

    assert measured_in([point], [AUDIT], "text") == ()


def test_only_a_finding_that_counts_and_nobody_accepted_is_marked_as_bad():
    assert standing_of(LIFE) == ("Open", "bad")
    for changes, tone in (({"waived": True}, "care"), ({"blocking": False}, "care")):
        assert standing_of(replace(LIFE, sightings=(replace(SEEN, **changes),)))[1] == tone
    assert standing_of(replace(LIFE, open=False)) == ("Not seen any more", "none")


def test_changes_are_those_since_the_audit_before_of_the_same_plan():
    audits = [
        replace(AUDIT, id="1"),
        replace(AUDIT, id="2", plan="other", plan_digest="q", weights_digest="sha256:bb"),
        replace(AUDIT, id="3"),
        replace(AUDIT, id="4", weights_digest="sha256:cc", plan_digest="sha256:new"),
    ]

    assert [(s.new_weights, s.new_plan) for s in stops_of(audits)] == [
        (False, False), (False, False), (False, False), (True, True),
    ]  # fmt: skip


# Pages


def test_terms_are_hidden_in_what_somebody_wrote_and_names_stay():
    store = replace(STORE, hidden=frozenset({"grim"}), spoken=frozenset({"Grim tales"}))
    event = EventFact(at=NOW, word="Run failed", tone="bad", sentence="A grim end of Grim tales.")
    page = overview(store, [model()], (), (), [event]).decode()

    assert "A g*** end of Grim tales." in page


def test_an_empty_store_promises_nothing():
    page = overview(STORE, (), (), (), ()).decode()

    assert "This store has no audits yet." in page
    assert "No gate of a last audit failed" not in page


@given(st.text(max_size=40))
def test_any_name_makes_an_address_that_stays_here(name):
    for address in (to_model(name, name), to_finding(name, name), to_file(name, name),
                    to_audits(name, name, name)):  # fmt: skip
        assert address.isascii()
        assert address.startswith(("/model", "/finding", "/file", "/audits"))
        assert not set(address) & set(" \"'<>\\#")


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_a_message_says_what_happened_and_shows_the_way_back(status):
    content = message_page(STORE, status, ("It is <gone>. Type `x`.",))
    parser = html5lib.HTMLParser(strict=True)
    page = parser.parse(content.decode())

    words = " ".join(page.itertext())
    assert "It is <gone>. Type " in words
    assert "Back to the overview" in words
