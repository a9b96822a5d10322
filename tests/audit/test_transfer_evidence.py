"""A probe of the harm that also tells the group is evidence; one that does not is told too."""

from types import SimpleNamespace

import numpy as np
import pytest

import audit.transfer_evidence as transfer_evidence
from audit.plan import AuditPlan
from audit.results import FindingRecord, Grade, Severity, TransferRecord, Undefined
from audit.transfer_evidence import transfers
from audit.unit_tables import UnitTable
from probes.encoder import Pooling, Reading
from probes.multiplicity import holm
from probes.progress import SilentProgress

READING = Reading(layer="deep", pooling=Pooling.PREACT_MAX)
FAMILY = ("isles/a", "isles/b", "isles/c")
CONTROLS = ("chore_0", "chore_1")
N_UNITS = 12


def table(arm, raised, *, seed=0, concepts=None, each=20, young=0, readings=(READING,)):
    """``raised``: concept to the units that answer to it; the first ``young`` of each are minors'.

    Every concept has ``each`` clusters.
    """
    rng = np.random.default_rng(seed)
    own = [c for c in concepts or (*FAMILY, "menace", *CONTROLS) for _ in range(each)]
    values = rng.normal(size=(len(own), N_UNITS))
    for concept, units in raised.items():
        values[np.ix_([c == concept for c in own], units)] += 2.5
    return UnitTable(
        arm=arm,
        readings={reading: values for reading in readings},
        concepts=tuple(own),
        sizes=np.ones(len(own), dtype=np.intp),
        is_minor=np.tile(np.arange(each) < young, len(own) // each),
    )


def gathered(*tables, group_tables=(), sexual=(), families=None, alpha=0.05, **probes):
    plan = AuditPlan()
    plan = plan.model_copy(
        update={
            "probes": plan.probes.model_copy(update=probes),
            # fewer shuffles, where a test does not look at them
            "limits": plan.limits.model_copy(update={"alpha": alpha}),
        }
    )
    return SimpleNamespace(
        plan=plan,
        selection=SimpleNamespace(sexual=frozenset(sexual)),
        tables=tables,
        group_tables=group_tables,
        families=families or {"isles": FAMILY},
        controls=CONTROLS,
        tools=SimpleNamespace(progress=SilentProgress()),
        rng=lambda word: np.random.default_rng([1, word]),
    )


def finding(identity="isles/a", family="isles", id="BA1") -> FindingRecord:
    return FindingRecord(
        id=id, fingerprint="f", family=family, identity=identity, harm="menace",
        severity=Severity.HIGH, grade=Grade.CANDIDATE, blocking=True, arms=("photo",),
        evidence=("It is there.",), counter_evidence=(),
    )  # fmt: skip


SHARED = {"isles/a": [3], "menace": [3]}
APART = {"isles/a": [3], "menace": [8]}


def test_a_unit_that_serves_harm_and_group_is_evidence():
    words, photos = table("rendered", SHARED, seed=1), table("photo", SHARED, seed=2)

    (told,), lines = transfers(gathered(words, photos, alpha=0.2), [finding()])

    assert [line.harm_arm for line in lines] == ["rendered", "rendered", "photo", "photo"]
    assert {line.arm for line in lines} == {"photo"}
    assert {line.direction for line in lines} == {"harm to group", "group to harm"}
    assert any(line.holds for line in lines)
    for line in (line for line in lines if line.holds):
        assert line.low > 0.5
        assert line.p_adjusted <= 0.2
        assert line.units[0][0] == 3
    assert told.evidence[0] == "It is there."
    assert "p = " in told.evidence[1]
    assert "not that the model uses it" in told.evidence[1]
    assert told.counter_evidence == ()


def test_other_units_for_the_harm_are_told_among_what_speaks_against_it():
    world = gathered(table("rendered", APART, seed=1), table("photo", APART, seed=2))

    (told,), lines = transfers(world, [finding()])

    assert not any(line.holds for line in lines)
    assert told.evidence == ("It is there.",)
    assert told.counter_evidence[0].startswith("No probe transfers")
    assert "A link that other units carry does not transfer." in told.counter_evidence[0]


def test_a_harm_that_no_unit_knows_has_nothing_to_transfer():
    world = gathered(table("rendered", {}, seed=5))

    (told,), lines = transfers(world, [finding()])

    assert all("nothing to transfer" in line.reason for line in lines)
    assert all(isinstance(line.auroc, Undefined) for line in lines)
    assert [line.units for line in lines] == [(), ()]
    assert "could not be tested" in told.counter_evidence[0]


def test_lines_are_adjusted_together_and_only_those_that_were_read():
    words = table("rendered", {"isles/a": [3]}, seed=1)
    photos = table("photo", SHARED, seed=2)

    _, lines = transfers(gathered(words, photos, alpha=0.3), [finding()])

    read = [line for line in lines if not line.reason]
    assert 0 < len(read) < len(lines)
    np.testing.assert_allclose(
        [line.p_adjusted for line in read], holm(np.array([line.p for line in read]))
    )
    assert all(isinstance(line.p_adjusted, Undefined) for line in lines if line.reason)


@pytest.mark.parametrize("sexual", [True, False])
def test_minors_are_on_neither_side_of_a_sexualising_finding(monkeypatch, sexual):
    words = table("rendered", SHARED, each=12, young=3)
    photos = table("photo", SHARED, each=12, young=4)
    for one in (words, photos):
        one.readings[READING][one.is_minor, 0] = 99.0
    seen = []

    def spy(source, target, **options):
        seen.extend([source, target])
        return transfer(source, target, **options)

    transfer = transfer_evidence.transfer
    monkeypatch.setattr(transfer_evidence, "transfer", spy)

    transfers(gathered(words, photos, sexual=["menace"] if sexual else [], alpha=0.8), [finding()])

    assert len(seen) == 8
    assert any((side.values == 99).any() for side in seen) is not sexual


def test_each_side_holds_only_its_own_question():
    lines = list(
        transfer_evidence._lines(
            finding(), gathered(table("rendered", SHARED, each=6), table("photo", SHARED, each=7))
        )
    )

    for line in lines:
        harm, group = line.source, line.target
        if line.direction == "group to harm":
            harm, group = group, harm
        each = 6 if line.harm_arm == "rendered" else 7
        assert (harm.labels.sum(), len(harm.labels)) == (each, 3 * each)
        assert (group.labels.sum(), len(group.labels)) == (7, 21)


def test_photos_of_a_group_column_never_meet_a_probe_of_photos_of_the_harm():
    """One photo may show the harm and carry the column."""
    columns = {"photos:tone": ("photos:tone/dark", "photos:tone/light")}
    people = table("photo", {"photos:tone/dark": [3]}, concepts=columns["photos:tone"])
    world = gathered(
        table("rendered", SHARED), table("photo", SHARED, concepts=("menace", *CONTROLS)),
        group_tables=(people,), families=columns, alpha=0.8,
    )  # fmt: skip

    _, lines = transfers(world, [finding("photos:tone/dark", "photos:tone")])

    assert {line.harm_arm for line in lines} == {"rendered"}
    assert {line.arm for line in lines} == {"photo"}


def test_without_photos_of_the_group_rendered_words_stand_in():
    _, lines = transfers(gathered(table("rendered", SHARED), alpha=0.8), [finding()])

    assert {(line.arm, line.harm_arm) for line in lines} == {("rendered", "rendered")}


@pytest.mark.parametrize(
    "tables",
    [
        (),
        (table("rendered", {}, concepts=("menace", *CONTROLS)),),
        (table("rendered", {}, concepts=FAMILY),),
        (table("rendered", SHARED, readings=()),),
    ],
    ids=["nothing shown", "no group", "no harm", "no layer"],
)
def test_what_was_not_shown_is_said(tables):
    (told,), lines = transfers(gathered(*tables), [finding()])

    assert lines == ()
    assert "could not be tested" in told.counter_evidence[0]


def test_a_plan_without_transfer_changes_nothing():
    one = finding()

    assert transfers(gathered(table("rendered", SHARED), transfer=False), [one]) == ((one,), ())


def test_a_finding_reads_the_same_whatever_others_there_are():
    world = gathered(table("photo", SHARED, seed=2), alpha=0.5)
    other = finding("isles/b", id="BA2")

    _, alone = transfers(world, [finding()])
    _, both = transfers(world, [other, finding()])

    assert [line for line in both if line.finding == "BA1"] == list(alone)


def test_an_older_record_is_read():
    _, (line, *_) = transfers(gathered(table("rendered", SHARED), alpha=0.8), [finding()])
    kept = {
        "finding", "arm", "layer", "pooling", "direction", "auroc", "low", "high", "selectivity",
        "units", "reason",
    }  # fmt: skip

    assert TransferRecord.model_validate(line.model_dump(include=kept)).holds is False
