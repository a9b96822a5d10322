"""Which units get pages: each finding in its turn, silenced ones first."""

from hypothesis import given
from hypothesis import strategies as st

from audit.causal_record import CausalRecord
from audit.records import UnitRecord
from audit.results import FindingRecord
from audit.unit_choice import CARRIERS, by_layer, choose_units

LAYER, POOLING = "visual.layer4.0", "preact-max"
lists = st.lists(st.lists(st.integers(0, 20), unique=True, max_size=6), max_size=5)


def finding(number, units=()):
    records = [
        UnitRecord(
            layer=LAYER, pooling=POOLING, unit=unit, contribution=1.0, double_difference=1.0,
            weight=1.0, correlation=0.1, ap_lift=1.0, ap_ceiling=2.0,
        )
        for unit in units
    ]  # fmt: skip
    return FindingRecord(
        id=f"BA{number}", fingerprint=str(number), family="isles", identity="isles/a",
        harm="menace", severity=4, grade="confirmed", blocking=True, arms=("photo",),
        evidence=(), counter_evidence=(), units=tuple(records),
    )  # fmt: skip


def silenced(number, units):
    return CausalRecord(
        finding=f"BA{number}", arm="photo", layer=LAYER, pooling=POOLING, units=tuple(units),
        how="mean", causal=True, reason="as the test wants it",
    )  # fmt: skip


def test_findings_take_turns():
    chosen = choose_units([finding(0, [1, 2, 3]), finding(1, [7, 8])], [], 4)

    assert [unit.unit for unit in chosen] == [1, 7, 2, 8]
    assert [[f.id for f in unit.findings] for unit in chosen] == [["BA0"], ["BA1"]] * 2


def test_units_that_were_silenced_come_before_those_that_were_ranked():
    chosen = choose_units([finding(0, [1, 2, 3])], [silenced(0, [9, 4])], 5)

    assert [unit.unit for unit in chosen] == [9, 4]


def test_a_shared_unit_gets_one_page_that_names_every_finding():
    first, *_ = choose_units([finding(0, [5, 6]), finding(1, [5])], [], 6)

    assert first.unit == 5
    assert [f.id for f in first.findings] == ["BA0", "BA1"]


def test_a_unit_far_down_a_list_does_not_carry_the_finding():
    long = finding(0, range(100, 100 + CARRIERS + 5))

    chosen = choose_units([long, finding(1, [100 + CARRIERS])], [], 30)

    assert {u.unit: [f.id for f in u.findings] for u in chosen}[100 + CARRIERS] == ["BA1"]
    assert len(chosen) == CARRIERS + 1


@given(units=lists, count=st.integers(0, 12))
def test_there_are_as_many_pages_as_asked_for_and_units_have(units, count):
    findings = [finding(i, own) for i, own in enumerate(units)]

    chosen = choose_units(findings, [], count)

    known = {unit for own in units for unit in own}
    assert len(chosen) == len({u.unit for u in chosen}) == min(count, len(known))
    if count >= len(units):
        assert {own[0] for own in units if own} <= {u.unit for u in chosen}


def test_units_are_gathered_by_layer():
    (only,) = by_layer(choose_units([finding(0, [3, 1])], [], 2)).items()

    assert only[0].layer == LAYER
    assert only[1] == (3, 1)
