"""Every report says what its audit would have found, and how often it raises a false alarm."""

import pytest

from audit.results import RecallPoint, Undefined
from reports.as_html import render as page
from reports.as_markdown import render as summary
from reports.as_modelcard import render as card
from reports.controls import control_sentences, seen_sd, where_planted
from reports.names import Names


def with_calibrations(result, **fields):
    """The same result, its calibrations changed."""
    arms = tuple(
        arm.model_copy(update={"calibration": arm.calibration.model_copy(update=fields)})
        for arm in result.arms
        if arm.calibration is not None
    )
    return result.model_copy(update={"arms": arms})


def told(result):
    return control_sentences(result, Names(inputs=result.inputs)).replace("\N{NO-BREAK SPACE}", " ")


EMBEDDED = (RecallPoint(effect_sd=4.0, found=3, planted=10),)


def test_the_larger_of_both_ways_of_planting_is_told_with_the_false_alarms(stored):
    result = with_calibrations(stored, seen_sd=4.4, embedded=EMBEDDED, embedded_seen_sd=5.1)
    words = told(result)

    assert "With these stimuli this audit would have found a link of 5.1 (text prompts)" in words
    assert "with 80 % probability" in words
    assert "4.4 (" not in words
    assert "4.3 % (text prompts; 440 tests, 2.6 to 6.7 %)" in words


def test_scores_alone_say_that_links_were_added_to_scores(stored):
    why = Undefined(undefined="only scores are known")
    result = with_calibrations(stored, seen_sd=4.4, embedded_seen_sd=why)

    assert "4.4 (text prompts)" in told(result)
    calibration = result.arms[0].calibration
    assert "Only scores are known" in where_planted(calibration, Names(inputs=result.inputs))


def test_embeddings_in_which_nothing_is_found_are_not_covered_up_by_scores(stored):
    never = Undefined(undefined="plants of no strength are found")
    result = with_calibrations(stored, seen_sd=4.4, embedded=EMBEDDED, embedded_seen_sd=never)

    assert isinstance(seen_sd(result.arms[0].calibration), Undefined)
    assert "4.4 (" not in told(result)


def test_an_older_result_is_read_from_its_curve(stored):
    curve = (
        RecallPoint(effect_sd=2.0, found=0, planted=10),
        RecallPoint(effect_sd=4.0, found=10, planted=10),
    )
    result = with_calibrations(stored, recall=curve)

    assert seen_sd(result.arms[0].calibration) == pytest.approx(3.6)


def test_arms_without_controls_say_why(stored):
    arms = tuple(
        arm.model_copy(update={"calibration": None, "reason": "It has 3 control packs."})
        for arm in stored.arms
    )
    words = told(stored.model_copy(update={"arms": arms}))

    assert "is not known: It has 3 control packs." in words
    assert "would have found a link" not in words
    assert "are not known" in told(stored.model_copy(update={"arms": ()}))


@pytest.mark.parametrize("render", [page, summary, card], ids=["html", "markdown", "model card"])
def test_it_is_in_every_report(stored, render):
    text = render(stored).decode()

    assert "would have found a link of" in text
    assert "false" in text
    assert "alarm rate on control packs" in text
