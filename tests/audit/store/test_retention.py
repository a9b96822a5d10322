"""What a policy keeps, and what it never lets go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import PlanError
from audit.store.adding import keep
from audit.store.chain import parse_line, read_chain
from audit.store.history import KeptAudit, audits
from audit.store.index import open_store, reindex
from audit.store.retention import Policy, decide, prune
from audit.store.verifying import verify_store

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def kept_audit(position, *, days=0.0, model="m", plan="p", passed=True, signed=False,
               trustworthy=True):  # fmt: skip
    finished = NOW - timedelta(days=days)
    return KeptAudit(
        id=f"id{position}", position=position, folder=f"f{position}", digest="d", manifest="m",
        title="t", started=finished, finished=finished, model=model, kind="model",
        weights_digest="w", plan=plan, plan_digest=plan, thresholds_digest="t", verdict="found",
        found=1, not_found=0, insufficient=0, fail_on="high", gate="passed", passed=passed,
        trustworthy=trustworthy, low=0, medium=0, high=0, critical=0, tool="0", signed=signed,
        size=1,
    )  # fmt: skip


def removed(own, **policy):
    return [d.audit.position for d in decide(own, Policy(**policy), NOW) if d.removed]


def test_the_last_n_of_each_model_and_plan_stay():
    own = [kept_audit(i, model=f"m{i % 2}") for i in range(8)]

    assert removed(own, keep_last=2) == [0, 1, 2, 3]


def test_days_are_counted_from_the_end_of_an_audit():
    own = [kept_audit(i, days=days) for i, days in enumerate((90.1, 90.0, 5, 1))]

    assert removed(own, keep_days=90) == [0]


def test_what_either_rule_keeps_stays():
    own = [kept_audit(i, days=100 - i) for i in range(5)]

    assert removed(own, keep_last=1, keep_days=97) == [0, 1, 2]
    assert removed(own, keep_last=3, keep_days=1) == [0, 1]


def test_the_last_passing_and_the_last_failing_stay_and_the_signed():
    own = [
        kept_audit(0, passed=False), kept_audit(1, signed=True), kept_audit(2, passed=False),
        kept_audit(3), kept_audit(4), kept_audit(5, trustworthy=False),
    ]  # fmt: skip

    decisions = decide(own, Policy(keep_last=0), NOW)
    assert [d.audit.position for d in decisions if d.removed] == [0, 2, 3]
    assert decisions[1].reason == "signed"
    assert decisions[4].reason == "the last that passed"
    assert decisions[5].reason == "the last that failed"


@given(
    st.lists(
        st.builds(
            kept_audit,
            st.just(0),
            days=st.floats(-50, 500),
            model=st.sampled_from("ab"),
            plan=st.sampled_from("pq"),
            passed=st.booleans(),
            signed=st.booleans(),
            trustworthy=st.booleans(),
        ),
        max_size=20,
    ),
    st.integers(0, 5),
    st.floats(0, 300),
)
def test_whatever_the_policy_each_model_and_plan_keeps_its_last_of_both_kinds(own, last, days):
    own = [replace(a, position=i, id=f"id{i}") for i, a in enumerate(own)]
    for policy in (Policy(keep_last=last), Policy(keep_days=days), Policy(keep_last=0)):
        stay = [d.audit for d in decide(own, policy, NOW) if not d.removed]
        assert [a for a in own if a.signed and a not in stay] == []
        for kind in (True, False):
            for key in {(a.model, a.plan_digest) for a in own}:
                group = [a for a in own if (a.model, a.plan_digest) == key and a.passes is kind]
                assert group[-1:] == [a for a in stay if a in group[-1:]]


@pytest.mark.parametrize("policy", [{}, {"keep_last": -1}, {"keep_days": -0.5}])
def test_a_policy_that_says_nothing_or_nonsense_is_refused(policy):
    with pytest.raises(PlanError):
        Policy(**policy)


def test_without_being_told_to_nothing_is_removed(place, audit_of):
    with open_store(place) as store:
        for day in range(4):
            keep(audit_of(day=day), store)
        before = store.chain.read_bytes()
        decisions = prune(store, Policy(keep_last=1))

        assert [d.removed for d in decisions] == [True, True, True, False]
        assert store.chain.read_bytes() == before
        assert len(audits(store.database)) == 4


def test_what_was_removed_and_why_stays_on_the_chain(place, audit_of):
    with open_store(place) as store:
        folders = [keep(audit_of(day=day), store).folder for day in range(4)]
        folders[1].with_name(folders[1].name + ".sig").write_bytes(b"signature")
        prune(store, Policy(keep_last=1), now=NOW, dry_run=False)
        left = [a.position for a in audits(store.database)]
        records = [parse_line(line) for line in read_chain(store.chain).lines]

    assert left == [2, 4]
    assert [f.exists() for f in folders] == [False, True, False, True]
    assert [(r.what, r.folder) for r in records[5:]] == [
        ("removed", folders[0].name),
        ("removed", folders[2].name),
    ]
    assert records[5].reason == "kept: the last 1 of each model and plan"
    assert verify_store(place).holds
    reindex(place)
    with open_store(place) as store:
        assert [a.position for a in audits(store.database)] == left
        assert prune(store, Policy(keep_last=1), dry_run=False)[0].removed is False
