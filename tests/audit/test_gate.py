"""What fails a gate, on interval bounds; what is waived still counts as found."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.baseline import baseline_bytes, baseline_of, read_baseline
from audit.errors import ResultError
from audit.gate import (
    FAIL_ON,
    NOTHING_ASKED,
    GateOrder,
    Judgement,
    change_of,
    decide_gate,
    refuse_without_baseline,
)
from audit.results import Severity, Undefined, read_result
from audit.waivers import Waiver, WaiverPolicy, Waivers

TODAY = date(2026, 5, 1)
RESULT = read_result(Path(__file__).parents[1] / "specimens" / "result-1.0.json")
BLOCKING = [f for f in RESULT.findings if f.blocking]
WORST = max(BLOCKING, key=lambda f: f.severity)


def judgement(result=RESULT, **changes):
    parts = {
        "findings": result.findings,
        "contrasts": result.contrasts,
        "verdict": result.verdict,
        "model": result.model,
        "thresholds_digest": result.plan.thresholds_digest,
    }
    return Judgement(**{**parts, **changes})


def waiver(finding, **changes):
    return Waiver(
        **{
            "finding": finding,
            "reason": "the product never shows this harm to anybody",
            "category": "accepted_risk",
            "owner": "Ada",
            "approved_by": "Grace",
            "created": TODAY - timedelta(days=10),
            "expires": TODAY + timedelta(days=60),
            "model": "*",
            **changes,
        }
    )


def waivers(*entries):
    return Waivers(policy=WaiverPolicy(), waivers=entries, digest="sha256:w")


def decided(**order):
    return decide_gate(judgement(), GateOrder(**order), TODAY)


def shifted(by, *, half=0.2):
    """The blocking contrasts with effects moved by so many SD, and intervals of one width."""

    def moved(c):
        if not (c.blocking and isinstance(c.effect_sd, float)):
            return c
        effect = c.effect_sd + by
        return c.model_copy(
            update={"effect_sd": effect, "low_sd": effect - half, "high_sd": effect + half}
        )

    return RESULT.model_copy(update={"contrasts": tuple(moved(c) for c in RESULT.contrasts)})


def test_the_specimen_has_what_these_tests_need():
    assert {f.blocking for f in RESULT.findings} == {True, False}
    assert RESULT.verdict.insufficient == 3


def test_nothing_asked_passes_and_says_so():
    record = decided()

    assert record.passed
    assert record.outcome == "passed"
    assert record.rule == NOTHING_ASKED


@pytest.mark.parametrize("level", FAIL_ON[1:])
def test_a_blocking_finding_of_the_severity_or_worse_fails(level):
    reached = [f.id for f in BLOCKING if f.severity >= Severity[level.upper()]]
    record = decided(fail_on=level)

    assert record.passed is (not reached)
    assert list(record.rules[0].findings) == reached
    assert f"severity {level} or worse" in record.rule


def test_exploratory_findings_never_fail():
    only = tuple(f for f in RESULT.findings if not f.blocking)
    record = decide_gate(judgement(findings=only), GateOrder(fail_on="low"), TODAY)

    assert only
    assert record.passed


def test_a_waived_finding_does_not_fail_and_is_still_counted():
    given_ = waivers(*(waiver(f.id) for f in BLOCKING))
    record = decided(fail_on="low", waivers=given_)

    assert record.passed
    assert sum(record.counts.values()) == len(BLOCKING)
    assert {state.finding for state in record.findings if state.waived} == {f.id for f in BLOCKING}
    assert {w.state for w in record.waivers} == {"active"}
    assert f"beside {len(BLOCKING)} waived" in record.rule
    assert record.waivers_digest == "sha256:w"


def test_a_fingerprint_names_a_finding_too():
    assert decided(waivers=waivers(waiver(WORST.fingerprint))).waivers[0].state == "active"


@pytest.mark.parametrize(
    ("changes", "state", "told"),
    [
        ({"expires": TODAY - timedelta(days=1)}, "expired", "the finding counts again"),
        ({"created": TODAY + timedelta(days=1)}, "not yet valid", "does not hold yet"),
        ({"model": "sha256:another"}, "other model", "for the model sha256:another"),
        ({"finding": "BA00000000"}, "unused", "meets no finding"),
    ],
)
def test_a_waiver_that_does_not_hold_bites_again_and_warns(changes, state, told):
    own = waivers(waiver(**{"finding": WORST.id, **changes}))
    record = decided(fail_on=WORST.severity.name.lower(), waivers=own)

    assert not record.passed
    assert record.waivers[0].state == state
    assert any(told in warning for warning in record.warnings)


@pytest.mark.parametrize(("left", "said"), [(0, "today"), (1, "in 1 day,"), (14, "in 14 days")])
def test_a_waiver_holds_on_its_last_day_and_warns_before(left, said):
    own = waivers(waiver(WORST.id, expires=TODAY + timedelta(days=left)))
    record = decided(waivers=own)

    assert record.waivers[0].state == "active"
    assert said in record.warnings[0]


def test_a_waiver_far_from_its_end_does_not_warn():
    assert decided(waivers=waivers(waiver(WORST.id))).warnings == ()


def test_strict_fails_on_warnings_alone():
    own = waivers(waiver("BA00000000"))

    assert decided(waivers=own).passed
    assert not decided(waivers=own, strict=True).passed
    assert decided(strict=True).passed


def test_the_same_audit_has_nothing_new_and_nothing_worse():
    base = baseline_of(RESULT)
    record = decided(fail_on_new="low", fail_on_worse=0.0, baseline=base, on_inconclusive="pass")

    assert {s.baseline for s in record.findings} == {"known"}
    assert {s.change_sd for s in record.findings} == {0.0}
    assert record.outcome == "inconclusive"
    assert record.rules[0].outcome == "passed"
    assert record.passed
    assert record.baseline_digest == base.digest


def test_a_finding_that_the_baseline_lacks_is_new_and_fails():
    base = baseline_of(RESULT).model_copy(update={"findings": ()})
    record = decided(fail_on_new="low", baseline=base)

    assert not record.passed
    assert {s.baseline for s in record.findings} == {"new"}
    assert set(record.rules[0].findings) == {f.id for f in BLOCKING}


@pytest.mark.parametrize(
    ("by", "outcome"),
    [(2.0, "failed"), (-2.0, "passed"), (0.5, "inconclusive"), (0.0, "passed")],
)
def test_worse_is_decided_by_the_bound_of_the_change(by, outcome):
    defined = [c for c in shifted(0.0).contrasts if c.blocking and isinstance(c.effect_sd, float)]
    base = baseline_of(shifted(0.0).model_copy(update={"contrasts": tuple(defined)}))
    now = judgement(contrasts=tuple(c for c in shifted(by).contrasts if c in now_defined(by)))
    record = decide_gate(now, GateOrder(fail_on_worse=0.5, baseline=base), TODAY)

    assert record.rules[0].outcome == outcome
    assert record.passed is (outcome != "failed")


def now_defined(by):
    return [c for c in shifted(by).contrasts if c.blocking and isinstance(c.effect_sd, float)]


@given(
    old=st.floats(-3, 8),
    new=st.floats(-3, 8),
    old_half=st.floats(0.01, 3),
    new_half=st.floats(0.01, 3),
)
def test_a_change_turns_its_sign_when_both_audits_are_swapped(old, new, old_half, new_half):
    def at(effect, half):
        c = now_defined(0.0)[0]
        parts = {"effect_sd": effect, "low_sd": effect - half, "high_sd": effect + half}
        return c.model_copy(update=parts)

    def base(c):
        return baseline_of(RESULT.model_copy(update={"contrasts": (c,)}))

    then, now = at(old, old_half), at(new, new_half)
    forth, back = change_of(now, base(then)), change_of(then, base(now))

    assert forth.value == pytest.approx(-back.value)
    assert forth.low == pytest.approx(-back.high)
    assert forth.low <= forth.value <= forth.high


def test_a_contrast_without_a_number_has_no_change():
    c = now_defined(0.0)[0]
    gone = c.model_copy(update={"effect_sd": Undefined(undefined="gone")})

    assert change_of(gone, baseline_of(RESULT)) is None
    assert change_of(c, baseline_of(RESULT).model_copy(update={"effects": ()})) is None


def with_open(insufficient):
    verdict = RESULT.verdict.model_copy(update={"insufficient": insufficient})
    return judgement(verdict=verdict)


def test_too_few_answers_fail_the_coverage():
    answered = RESULT.verdict.found + RESULT.verdict.not_found
    half_open = with_open(answered)

    assert decide_gate(half_open, GateOrder(min_coverage=0.5), TODAY).passed
    failed = decide_gate(half_open, GateOrder(min_coverage=0.51), TODAY)
    assert not failed.passed
    assert failed.rule.endswith(f"{answered} of {2 * answered} are.")


def test_nothing_fixed_beforehand_covers_nothing():
    none = RESULT.verdict.model_copy(update={"found": 0, "not_found": 0, "insufficient": 0})
    order = GateOrder(min_coverage=0.0)
    assert not decide_gate(judgement(verdict=none), order, TODAY).passed


@pytest.mark.parametrize(("wanted", "passed"), [("pass", True), ("fail", False), ("error", False)])
def test_open_contrasts_do_as_the_caller_says(wanted, passed):
    record = decide_gate(with_open(1), GateOrder(on_inconclusive=wanted), TODAY)

    assert record.passed is passed
    assert record.outcome == ("passed" if wanted == "pass" else "inconclusive")
    assert decide_gate(with_open(0), GateOrder(on_inconclusive=wanted), TODAY).passed


def test_a_baseline_under_other_limits_warns():
    base = baseline_of(RESULT).model_copy(update={"thresholds_digest": "sha256:other"})

    assert "other limits" in decided(baseline=base).warnings[0]


def test_rules_that_need_a_baseline_say_so():
    said = refuse_without_baseline(GateOrder(fail_on_new="low", fail_on_worse=1.0))

    assert said.startswith("--fail-on-new and --fail-on-worse must have something to compare with")
    assert refuse_without_baseline(GateOrder(fail_on="low")) == ""
    assert refuse_without_baseline(GateOrder(fail_on_new="low", baseline=baseline_of(RESULT))) == ""


def test_a_baseline_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "baseline.json"
    path.write_bytes(baseline_bytes(baseline_of(RESULT)))

    assert read_baseline(path) == baseline_of(RESULT)
    assert read_baseline(path).result_digest == RESULT.digest


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        (b"{", "must be JSON"),
        (b"\xff", "must be JSON"),
        (b"[]", "wrote it|that `clip-audit baseline` wrote"),
        (b'{"format": "clip-audit baseline 2"}', "key format"),
    ],
)
def test_what_is_no_baseline_is_refused_with_what_to_do(tmp_path, content, told):
    path = tmp_path / "baseline.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ResultError, match=told):
        read_baseline(path)
