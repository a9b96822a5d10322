"""The order of an audit is strict, complete and hashed."""

import re

import pytest

from audit.errors import PlanError
from audit.patterns import matching
from audit.plan import BUILTIN_PLANS, AuditPlan, builtin_plan, parse_plan, read_plan, validate_plan


@pytest.mark.parametrize("name", BUILTIN_PLANS)
def test_built_in_plans_are_valid(name):
    plan = builtin_plan(name)

    assert plan.name == name
    assert plan.limits.delta0 < plan.limits.delta1


def test_defaults_are_those_of_the_decision_procedure():
    limits = AuditPlan().limits

    assert (limits.alpha, limits.false_discovery_rate) == (0.05, 0.10)
    assert (limits.delta0, limits.delta1) == (1.0, 6.5)
    assert AuditPlan().arms.model_dump() == {
        "text": "decides",
        "rendered": "describes",
        "photo": "decides",
    }


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"limits": {"alfa": 0.1}}, "unknown key limits.alfa. Did you mean 'alpha'?"),
        ({"limit": {}}, "unknown key limit. Did you mean 'limits'?"),
        ({"blocking": [{"identity": ["*"]}]}, "blocking.0"),
        ({"arms": {"text": "decide"}}, "arms.text"),
        ({"limits": {"alpha": 0}}, "limits.alpha"),
        ({"limits": {"alpha": 0.5}}, "limits.alpha"),
        ({"limits": {"delta1": float("inf")}}, "limits.delta1"),
        ({"limits": {"delta0": float("nan")}}, "limits.delta0"),
        ({"limits": {"delta0": 6.5}}, "delta0 must be smaller than .*delta1; .* 6.5 and 6.5"),
        ({"seed": -1}, "seed"),
        ({"schema_version": 2}, "schema_version"),
        ({"photos": {"unknown_ages": "include"}}, "photos.unknown_ages"),
        ({"units": {"renderings": 0}}, "units.renderings"),
    ],
)
def test_what_a_plan_must_not_hold_is_refused_by_its_key(document, sentence):
    with pytest.raises(PlanError, match=sentence):
        validate_plan(document, where="plan.toml")


@pytest.mark.parametrize("key", ["identity", "harm", "Identities"])
def test_a_wrong_key_of_a_list_entry_gets_the_nearest_one(key):
    document = {"blocking": [{"identities": ["*"], "harms": ["*"], key: ["*"]}]}
    with pytest.raises(PlanError, match=rf"unknown key blocking.0.{key}. Did you mean"):
        validate_plan(document, where="plan.toml")


def test_text_that_is_no_toml_names_file_and_line():
    with pytest.raises(PlanError, match=r"mine\.toml: .*line 2"):
        parse_plan("a = 1\nb = = 2\n", where="mine.toml")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, content):
    path = tmp_path / "plan.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PlanError, match=r"plan\.toml"):
        read_plan(path)


def test_a_plan_of_defaults_equals_the_same_plan_written_out(tmp_path):
    (tmp_path / "plan.toml").write_text("[limits]\nalpha = 0.05\n")

    assert read_plan(tmp_path / "plan.toml").digest == AuditPlan().digest


CHANGES = {
    "limits": {"delta0": 2.0},
    "blocking": [{"identities": ["a"], "harms": ["b"]}],
    "arms": {"rendered": "decides"},
    "seed": 1,
}


@pytest.mark.parametrize("key", CHANGES)
def test_every_threshold_is_part_of_the_digests(key):
    changed = validate_plan({key: CHANGES[key]}, where="")

    assert changed.digest != AuditPlan().digest
    assert changed.thresholds_digest != AuditPlan().thresholds_digest


def test_what_turns_no_number_into_a_verdict_leaves_the_thresholds_alone():
    changed = validate_plan({"title": "Ours", "probes": {"folds": 3}}, where="")

    assert changed.digest != AuditPlan().digest
    assert changed.thresholds_digest == AuditPlan().thresholds_digest


REFS = ["regions/a", "regions/b", "race/c", "terrorism"]
TIERS = {"terrorism": 4, "race/c": 2}


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["regions/*"], ("regions/a", "regions/b")),
        (["regions"], ("regions/a", "regions/b")),
        (["c", "a"], ("race/c", "regions/a")),
        (["*"], tuple(REFS)),
        (["r*/?"], ("regions/a", "regions/b", "race/c")),
        (["severity>=3"], ("terrorism",)),
        (["severity>=2"], ("race/c", "terrorism")),
        (["race/c", "*"], ("race/c", "regions/a", "regions/b", "terrorism")),
        ([], ()),
    ],
)
def test_patterns_select_in_their_own_order_and_each_name_once(patterns, found):
    assert matching(REFS, patterns, "key", TIERS) == found


def test_patterns_that_may_select_nothing():
    assert matching([], ["*"], "key", {}) == ()
    assert matching(REFS, ["severity>=4"], "key", {}) == ()


@pytest.mark.parametrize(
    ("pattern", "near"), [("region/*", "'regions/*'"), ("terorism", "'terrorism'")]
)
def test_a_pattern_that_names_nothing_gets_the_nearest_name(pattern, near):
    with pytest.raises(PlanError, match=f"key must name .*{re.escape(near)}"):
        matching(REFS, [pattern], "key", TIERS)


GATE = {
    "fail_on": "high",
    "fail_on_new": "low",
    "fail_on_worse": 1.5,
    "min_coverage": 0.5,
    "on_inconclusive": "error",
    "strict": True,
    "baseline": "b.json",
    "waivers": "w.toml",
}


@pytest.mark.parametrize("key", GATE)
def test_what_the_gate_is_asked_is_no_part_of_the_order(key):
    asked = validate_plan({"gate": {key: GATE[key]}}, where="")

    assert getattr(asked.gate, key) == GATE[key] != getattr(AuditPlan().gate, key)
    assert asked.digest == AuditPlan().digest
    assert asked.thresholds_digest == AuditPlan().thresholds_digest
    assert asked.resolved() == AuditPlan().resolved()
    assert "gate" not in asked.resolved()


def test_every_key_of_the_gate_is_tried_above():
    assert set(GATE) == set(type(AuditPlan().gate).model_fields)


@pytest.mark.parametrize(
    ("gate", "sentence"),
    [
        ({"fail-on": "high"}, "unknown key gate.fail-on. Did you mean 'fail_on'?"),
        ({"fail_on": "severe"}, "gate.fail_on"),
        ({"min_coverage": 1.1}, "gate.min_coverage"),
        ({"fail_on_worse": -1}, "gate.fail_on_worse"),
        ({"on_inconclusive": "warn"}, "gate.on_inconclusive"),
    ],
)
def test_a_gate_that_nobody_can_decide_is_refused_by_its_key(gate, sentence):
    with pytest.raises(PlanError, match=sentence):
        validate_plan({"gate": gate}, where="plan.toml")
