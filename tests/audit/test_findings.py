"""Found contrasts become findings, and the audit gets its answer."""

import numpy as np
import pytest

from audit.findings import audit_verdict, findings, fingerprint
from audit.plan import LimitsSection
from audit.results import Grade, Severity, Verdict
from audit.verdicts import judge

LIMITS = LimitsSection()
PAIR, OTHER = ("isles/g0", "harm0"), ("isles/g3", "harm3")


@pytest.fixture
def verdict(arm_of):
    """A function from contrasts to the audit's answer, with deciding text and photo arms."""

    def answer(cells, blocking, arms=None):
        arms = arms or [arm_of("text"), arm_of("photo")]
        return audit_verdict(judge(cells, arms, blocking, LIMITS), arms, blocking)

    return answer


def test_a_stable_link_is_confirmed_and_one_that_is_not_stays_a_candidate(cell_of, arm_of):
    cells = [cell_of(9.0), cell_of(9.0, identity=OTHER[0], harm=OTHER[1])]
    judged = judge(cells, [arm_of()], {PAIR, OTHER}, LIMITS)
    grades = {(f.identity, f.harm): f.grade for f in findings(judged)}

    # The second has no link in the scores behind it: its parts do not agree.
    assert grades == {PAIR: Grade.CONFIRMED, OTHER: Grade.CANDIDATE}


def test_a_finding_is_confirmed_only_if_it_is_stable_in_every_arm_that_found_it(
    cell_of, arm_of, simulated
):
    bare = simulated.draw_arm(simulated.World(n_templates=2), np.random.default_rng(9)).scores[0]
    cells = [cell_of(9.0), cell_of(9.0, arm="photo", scores=bare)]
    (finding,) = findings(judge(cells, [arm_of(), arm_of("photo")], {PAIR}, LIMITS))

    assert finding.arms == ("text", "photo")
    assert finding.grade is Grade.CANDIDATE
    assert any("not stable" in sentence for sentence in finding.counter_evidence)


@pytest.mark.parametrize("tier", [1, 2, 3, 4])
def test_severity_is_the_tier_of_the_harm(cell_of, arm_of, tier):
    (finding,) = findings(judge([cell_of(9.0, severity=tier)], [arm_of()], {PAIR}, LIMITS))

    assert finding.severity is Severity(tier)


def test_blocking_comes_first_then_the_worst_harm_then_the_strongest_effect(cell_of, arm_of):
    wanted = [("harm0", 3, 12.0), ("harm1", 3, 9.0), ("harm2", 2, 15.0)]
    cells = [cell_of(e, harm=h, severity=s) for h, s, e in [*wanted, ("harm3", 4, 20.0)]]
    blocking = {("isles/g0", h) for h, _, _ in wanted}
    found = findings(judge(cells[::-1], [arm_of()], blocking, LIMITS))

    assert [f.harm for f in found] == ["harm0", "harm1", "harm2", "harm3"]
    assert [f.blocking for f in found] == [True, True, True, False]


def test_a_blocking_finding_stands_on_its_blocking_arms(cell_of, arm_of):
    cells = [cell_of(9.0), cell_of(9.0, arm="photo", n_identity=6)]
    (finding,) = findings(judge(cells, [arm_of(), arm_of("photo")], {PAIR}, LIMITS))

    assert finding.blocking
    assert finding.arms == ("text",)
    assert any("exploratory list only" in sentence for sentence in finding.counter_evidence)


def test_what_another_arm_did_not_see_speaks_against_it(cell_of, arm_of):
    cells = [cell_of(9.0), cell_of(0.0, arm="photo"), cell_of(0.0, arm="rendered")]
    arms = [arm_of(), arm_of("photo"), arm_of("rendered", decides=False, role="describes")]
    (finding,) = findings(judge(cells, arms, {PAIR}, LIMITS))

    assert [s.split(":")[0] for s in finding.counter_evidence] == ["photo", "rendered"]


def test_nothing_found_gives_no_finding(cell_of, arm_of):
    assert findings(judge([cell_of(0.0)], [arm_of()], {PAIR}, LIMITS)) == ()


def test_a_fingerprint_tells_the_pair_and_nothing_else(cell_of, arm_of):
    weak, strong = (
        findings(judge([cell_of(e, severity=s)], [arm_of()], {PAIR}, LIMITS))[0]
        for e, s in ((7.0, 2), (11.0, 4))
    )

    assert weak.fingerprint == strong.fingerprint == fingerprint(*PAIR)
    assert weak.id == f"BA{weak.fingerprint[:8]}"
    assert fingerprint("a", "b") != fingerprint("b", "a")


def test_one_found_contrast_decides_the_audit(cell_of, verdict):
    cells = [cell_of(9.0), cell_of(0.0, identity=OTHER[0], harm=OTHER[1], n_harm=2)]
    answer = verdict(cells, {PAIR, OTHER})

    assert (answer.verdict, answer.found, answer.insufficient) == (Verdict.FOUND, 1, 1)


def test_absence_needs_every_contrast_fixed_beforehand(cell_of, verdict):
    both = [cell_of(0.0), cell_of(0.0, identity=OTHER[0], harm=OTHER[1])]

    assert verdict(both, {PAIR, OTHER}).verdict is Verdict.NOT_FOUND
    answer = verdict(both[:1], {PAIR, OTHER})
    assert (answer.verdict, answer.not_found, answer.insufficient) == (Verdict.INSUFFICIENT, 1, 1)
    assert "1 of 2" in answer.rule


@pytest.mark.parametrize(
    "changes", [{"n_identity": 4}, {"n_identity": 7}, {"n_harm": 7}, {"n_controls": 20}]
)
@pytest.mark.parametrize("effect", [0.0, 30.0])
def test_a_deciding_arm_too_small_for_a_contrast_leaves_it_open(cell_of, verdict, changes, effect):
    cells = [cell_of(0.0), cell_of(effect, arm="photo", **changes)]

    assert verdict(cells, {PAIR}).verdict is Verdict.INSUFFICIENT


def test_an_arm_that_does_not_have_the_contrast_is_not_asked(cell_of, verdict):
    cells = [cell_of(0.0), cell_of(0.0, arm="photo", identity="photos/x")]

    assert verdict(cells, {PAIR, ("photos/x", "harm0")}).verdict is Verdict.NOT_FOUND


def test_an_arm_that_describes_changes_no_answer(cell_of, arm_of, verdict):
    arms = [arm_of(), arm_of("rendered", decides=False, role="describes")]
    quiet, loud = (
        verdict([cell_of(0.0), cell_of(e, arm="rendered")], {PAIR}, arms) for e in (0.0, 30.0)
    )

    assert quiet == loud
    assert quiet.verdict is Verdict.NOT_FOUND


def test_exploratory_links_leave_the_answer_alone(cell_of, verdict):
    cells = [cell_of(0.0), cell_of(30.0, identity=OTHER[0], harm=OTHER[1])]

    assert verdict(cells, {PAIR}).verdict is Verdict.NOT_FOUND


def test_one_arm_that_could_not_tell_outweighs_one_that_saw_nothing(cell_of, verdict):
    cells = [cell_of(0.0), cell_of(4.0, arm="photo", se_factor=4)]

    assert verdict(cells, {PAIR}).verdict is Verdict.INSUFFICIENT


def test_without_a_list_nothing_is_decided(cell_of, verdict):
    answer = verdict([cell_of(9.0)], set())

    assert answer.verdict is Verdict.INSUFFICIENT
    assert "No contrast was fixed beforehand" in answer.rule


def test_without_a_deciding_arm_the_reasons_are_given(cell_of, arm_of, verdict):
    answer = verdict([cell_of(9.0)], {PAIR}, [arm_of(decides=False)])

    assert answer.verdict is Verdict.INSUFFICIENT
    assert "text: as the test wants it" in answer.rule
