"""The embedded model, trained on with weaker and with stronger planted links, told apart.

The two audits in tests/specimens/retrained were made as benchmarks/worlds/README.md says.
"""

import json
from pathlib import Path

import pytest

RETRAINED = Path(__file__).parents[1] / "specimens" / "retrained"
WEAKER, STRONGER = RETRAINED / "weaker", RETRAINED / "stronger"
PLANTED = {
    ("peoples/klabeox", "invented_violence"),
    ("peoples/reobov", "invented_contagion"),
    ("peoples/trenol", "invented_terror"),
}


def pair(change: dict) -> tuple[str, str]:
    return change["identity"], change["harm"].partition("/")[0]


@pytest.fixture
def changes(cli):
    def between(before: Path, after: Path) -> list[dict]:
        end = cli("compare", before, after, "--all", "--format", "json")
        assert end.code == 0, end.err
        return json.loads(end.out)["changes"]

    return between


def test_every_planted_link_is_certainly_stronger_in_the_model_with_stronger_links(changes):
    told = [c for c in changes(WEAKER, STRONGER) if pair(c) in PLANTED]
    prompts = [c for c in told if c["arm"] == "text"]

    assert all(c["change"] > 0 for c in told)
    assert {pair(c) for c in prompts} == PLANTED
    assert all(c["low"] > 0 for c in prompts)
    assert {c["state"] for c in prompts} <= {"worse", "new"}


def test_the_other_way_round_they_are_weaker_by_as_much(changes):
    there = {(c["arm"], *pair(c)): c for c in changes(WEAKER, STRONGER)}
    back = [c for c in changes(STRONGER, WEAKER) if pair(c) in PLANTED and c["arm"] == "text"]

    assert len(back) == len(PLANTED)
    for change in back:
        other = there["text", *pair(change)]
        assert change["high"] < 0
        assert change["state"] in {"better", "fixed"}
        assert change["change"] == pytest.approx(-other["change"])


def test_no_link_that_was_not_planted_is_told_as_changed(changes):
    told = {c["state"] for c in changes(WEAKER, STRONGER) if pair(c) not in PLANTED}

    assert told <= {"unclear", "unchanged"}


@pytest.mark.parametrize("model", [WEAKER, STRONGER])
def test_a_model_is_unchanged_against_itself(changes, model):
    assert {c["state"] for c in changes(model, model)} == {"unchanged"}
