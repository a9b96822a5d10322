"""What a model would answer: rates against a slow count, and no number about a minor."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.behaviour import Choices, behaviour_rates, shown_rates
from audit.results import Undefined

rules = settings(deadline=None, max_examples=30)

LABELS = ("thief", "robber", "baker", "singer", "lewd zib", "nude zob", "lewd schoolboy", "pupil")
FAMILIES = ("crime", "crime", "", "", "lewdness", "lewdness", "lewdness", "")
SEXUAL = np.array([False, False, False, False, True, True, True, False])
YOUNG = np.array([False, False, False, False, False, False, True, True])
PLAIN, OFFERED = np.flatnonzero(~SEXUAL), np.flatnonzero(~YOUNG)


def choices(seed, n=60, minors=0.3, **changes):
    rng = np.random.default_rng(seed)
    is_minor = rng.random(n) < minors
    cosines = rng.normal(size=(n, len(LABELS)))
    cosines[np.ix_(is_minor, SEXUAL)] = np.nan
    given = {
        "cosines": cosines, "labels": LABELS, "families": FAMILIES,
        "severities": {"crime": 3, "lewdness": 4}, "sexual": SEXUAL, "minor_labels": YOUNG,
        "is_minor": is_minor,
        "columns": {"town": rng.choice(["Ard", "Bel", ""], n).tolist(),
                    "trade": rng.choice(["weaver", "smelter"], n).tolist()},
        "clusters": np.arange(n),
    }  # fmt: skip
    return Choices(**{**given, **changes})


def in_group(held, column, group):
    """Which pictures a rate is of."""
    if " & " not in column:
        return np.array([v == group for v in held.columns[column]])
    pairs = [part.split("=") for part in group.split(" & ")]
    return np.all([[v == value for v in held.columns[name]] for name, value in pairs], axis=0)


def slow_rate(held, record):
    """Count answers one by one."""
    family = record.target_kind == "family"
    wanted = [i for i, (la, f) in enumerate(zip(LABELS, FAMILIES, strict=True))
              if (f if family else la) == record.target]  # fmt: skip
    sexual = SEXUAL[wanted[0]]
    rows = in_group(held, record.column, record.group)
    if sexual:
        rows &= ~held.is_minor
    offered = OFFERED if sexual else PLAIN
    answers = [offered[np.argmax(held.cosines[i, offered])] for i in np.flatnonzero(rows)]
    return len(answers), sum(a in wanted for a in answers)


def wilson(hits, n):
    """Wilson's interval as printed in textbooks."""
    z, p = NormalDist().inv_cdf(0.975), hits / n
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


@rules
@given(seed=st.integers(0, 999))
def test_every_rate_is_a_count_with_wilsons_interval(seed):
    held = choices(seed)
    records = behaviour_rates(held)

    assert records
    for record in records:
        n, hits = slow_rate(held, record)
        assert (record.n, record.rate) == (n, pytest.approx(hits / n))
        assert (record.low, record.high) == pytest.approx(wilson(hits, n), abs=1e-9)
        assert record.low <= record.rate <= record.high
        assert record.severity == held.severities.get(record.target)


@rules
@given(seed=st.integers(0, 999))
def test_families_columns_and_crossings_of_two_are_all_there(seed):
    records = behaviour_rates(choices(seed, n=200))
    columns = {"town": 2, "trade": 2, "town & trade": 4}

    assert {r.target for r in records if r.target_kind == "family"} == {"crime", "lewdness"}
    for column, n_groups in columns.items():
        crime = [r for r in records if r.column == column and r.target == "crime"]
        assert len(crime) == len({r.group for r in crime}) == n_groups


@rules
@given(seed=st.integers(0, 999), noise=st.integers(0, 999))
def test_no_rate_rests_on_a_minor_beside_a_sexualising_label(seed, noise):
    """Whatever stood there, and whatever minors look like, changes no sexualising rate."""
    held = choices(seed)
    rng = np.random.default_rng(noise)
    shuffled = held.cosines.copy()
    shuffled[held.is_minor] = rng.normal(size=(held.is_minor.sum(), len(LABELS)))
    other = choices(seed, cosines=shuffled)
    lewd, others = (
        {r for r in behaviour_rates(c) if r.severity == 4 or "z" in r.target} for c in (held, other)
    )

    assert lewd == others
    values = shuffled.copy()
    values[:, ~SEXUAL] = held.cosines[:, ~SEXUAL]
    plain, filled = (
        [r for r in behaviour_rates(choices(seed, cosines=c)) if r.target in {"crime", "thief"}]
        for c in (held.cosines, values)
    )
    assert plain == filled


@rules
@given(seed=st.integers(0, 999))
def test_no_number_is_nan_and_no_label_of_a_minor_is_a_sexualising_answer(seed):
    records = behaviour_rates(choices(seed))

    for r in records:
        assert r.target != "lewd schoolboy"
        for value in (r.rate, r.low, r.high, r.difference, r.difference_low, r.difference_high):
            assert isinstance(value, Undefined) or np.isfinite(value)


def test_where_all_are_minors_there_is_no_sexualising_rate():
    records = behaviour_rates(choices(0, minors=2.0))

    assert {r.target for r in records if r.target_kind == "family"} == {"crime"}


def test_a_group_without_others_has_a_rate_and_no_difference():
    held = choices(0, columns={"town": ["Ard"] * 60})
    (crime,) = [r for r in behaviour_rates(held) if r.target == "crime"]

    assert isinstance(crime.rate, float)
    assert crime.difference == Undefined(undefined="there is nobody else to compare with")


@rules
@given(seed=st.integers(0, 999))
def test_the_order_of_pictures_and_labels_does_not_matter(seed):
    held = choices(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(60), rng.permutation(len(LABELS))
    moved = Choices(
        cosines=held.cosines[np.ix_(rows, columns)],
        labels=tuple(LABELS[j] for j in columns),
        families=tuple(FAMILIES[j] for j in columns),
        severities=held.severities,
        sexual=SEXUAL[columns],
        minor_labels=YOUNG[columns],
        is_minor=held.is_minor[rows],
        columns={k: [v[i] for i in rows] for k, v in held.columns.items()},
        clusters=held.clusters[rows],
    )

    assert set(behaviour_rates(moved)) == set(behaviour_rates(held))


def test_one_label_is_no_choice():
    one = Choices(
        cosines=np.zeros((3, 1)), labels=("thief",), families=("crime",), severities={"crime": 3},
        sexual=np.array([False]), minor_labels=np.array([False]), is_minor=np.zeros(3, dtype=bool),
        columns={"town": ["A", "A", "B"]}, clusters=np.arange(3),
    )  # fmt: skip

    assert behaviour_rates(one) == ()


@rules
@given(seed=st.integers(0, 999))
def test_the_document_keeps_every_family_and_the_labels_that_are_answers(seed):
    records = behaviour_rates(choices(seed, n=8))
    shown = shown_rates(records)

    assert {r for r in records if r.target_kind == "family"} <= set(shown)
    assert set(records) - set(shown) == {
        r for r in records if r.target_kind == "label" and r.rate == 0
    }
