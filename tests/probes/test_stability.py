"""A contrast is recomputed on parts of its stimuli exactly as if the rest had never been there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.arms import ArmScores, ScoreTable, score_arm
from probes.contrast import family_differences
from probes.stability import Stability, stability

rules = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 10_000)
GROUPS = ("f/a", "f/b", "f/c")
CONTROLS = tuple(f"c{k}" for k in range(5))
N_ROWS, N_TERMS = 5, 4


def table(seed, slots=("s0", "s1", "s2", "s3", "s4"), plant=0.0):
    rng = np.random.default_rng(seed)
    shape = (len(GROUPS) * N_ROWS, (1 + len(CONTROLS)) * N_TERMS)
    base = rng.normal(size=shape)
    base[:N_ROWS, :N_TERMS] += plant
    by_slot = {slot: base + rng.normal(size=shape) for slot in slots}
    return score_arm(
        "text",
        ScoreTable(
            scores=base,
            by_template=by_slot,
            row_names=tuple(f"{g}{i}" for g in GROUPS for i in range(N_ROWS)),
            row_concepts=tuple(g for g in GROUPS for _ in range(N_ROWS)),
            column_names=tuple(f"{p}{i}" for p in ("h", *CONTROLS) for i in range(N_TERMS)),
            column_concepts=tuple(p for p in ("h", *CONTROLS) for _ in range(N_TERMS)),
        ),
        families={"f": GROUPS},
        controls={"h": CONTROLS},
    )


def effect(scores: ArmScores, rows=None, columns=None, values=None):
    """The double difference of the first group with the harm, from some rows and columns only."""
    values = scores.scores if values is None else values
    rows = scores.identities["f/a"] if rows is None else rows
    columns = scores.packs["h"] if columns is None else columns
    groups = [rows, *(scores.identities[g] for g in GROUPS[1:])]
    packs = [columns, *(scores.packs[c] for c in CONTROLS)]
    means = np.array([[values[np.ix_(r, c)].mean() for c in packs] for r in groups])
    differences = family_differences(means)[0]
    return differences[0] - differences[1:].mean()


@rules
@given(seed=seeds)
def test_halves_are_the_effects_of_odd_and_of_even_terms(seed):
    scores = table(seed)
    rows, columns = scores.identities["f/a"], scores.packs["h"]
    found = stability(scores, "f", "f/a", "h").halves

    slow = [effect(scores, rows[k::2], columns[k::2]) for k in (0, 1)]
    assert found == pytest.approx(slow)


@rules
@given(seed=seeds)
def test_templates_are_the_effects_of_each_alone(seed):
    scores = table(seed)
    found = stability(scores, "f", "f/a", "h").templates

    assert found == pytest.approx(
        {slot: effect(scores, values=values) for slot, values in scores.by_template.items()}
    )


@rules
@given(seed=seeds)
def test_the_weakest_effect_without_one_term_names_that_term(seed):
    scores = table(seed)
    rows, columns = scores.identities["f/a"], scores.packs["h"]
    without = {scores.row_names[i]: effect(scores, rows[rows != i]) for i in rows}
    without |= {
        scores.column_names[j]: effect(scores, columns=columns[columns != j]) for j in columns
    }
    found = stability(scores, "f", "f/a", "h")

    assert found.leave_one_out == pytest.approx(min(without.values()))
    assert found.leave_one_out_name == min(without, key=without.get)


def test_a_strong_link_is_stable_and_one_term_alone_is_not():
    assert stability(table(0, plant=20.0), "f", "f/a", "h").stable

    one_term = table(0)
    one_term.scores[0, :N_TERMS] += 60.0
    found = stability(one_term, "f", "f/a", "h")
    assert effect(one_term) > 5
    assert found.leave_one_out_name == "f/a0"
    assert not found.stable


def made(halves=(1.0, 1.0), templates=None, leave_one_out=1.0):
    return Stability(
        halves=halves,
        templates=templates or {},
        leave_one_out=leave_one_out,
        leave_one_out_name="x",
    )


@pytest.mark.parametrize(
    ("parts", "stable"),
    [
        ({}, True),
        ({"halves": (1.0, -0.1)}, False),
        ({"halves": (-0.1, 1.0)}, False),
        ({"halves": (1.0, float("nan"))}, False),
        ({"halves": (float("nan"), 1.0)}, False),
        ({"leave_one_out": 0.0}, False),
        ({"leave_one_out": float("nan")}, False),
        ({"templates": dict(zip("abcde", [1, 1, 1, 1, -1], strict=True))}, True),
        ({"templates": dict(zip("abcde", [1, 1, 1, -1, -1], strict=True))}, False),
        ({"templates": {"a": 1.0, "b": 0.0}}, False),
    ],
)
def test_stable_means_every_part_agrees_and_four_templates_in_five(parts, stable):
    assert made(**parts).stable is stable


def test_without_templates_their_share_is_undefined():
    assert np.isnan(made().template_share)
