"""Age values of tables are read as a person reads them, and in doubt as minors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concept_sets.ages import is_age_column, minor_age_group, minor_group

MINORS = """
    0-2; 3-9; 10-19; 0–2; 3—9; 10 - 19; 0_2; age_10_19; 3 to 9; 15-24; 13-35; <20; < 18; ≤ 19;
    under 18; under 20; below 30; less than 5; up to 19; 20 or younger; 20 and under; 0; 2; 17;
    17.0; 19; (0, 2]; (15, 20]; [10, 20); 6 months; 36 months; 6-month-old; 3 weeks; child;
    Children; kid; baby; toddler; infant; teen; teenager; teens; Teenage; adolescent; 10s;
    12 years; 12 yrs; 12yo; youth; boy; girl; young person; minor; 16+; over 16; more than 2;
    at least 13; 0-100; 1-99; aged 5
"""
ADULTS = """
    20-29; 30-39; 60-69; 70+; more than 70; >70; ≥ 65; over 60; 60 and over; 60 or older;
    80 or more; 18-24; 18+; over 18; adults 18+; [20, 30); (19, 29]; (20, 30]; 20; 20.5; 45; 100;
    20s; 30s; early 20s; late 40's; twenties; sixties; adult; young adult; middle-aged; elderly;
    senior; old; older adult; senior citizen; age_20_29; 20 to 29; 30 years; 30 years old;
    at least 20; 70 and up; 100+
"""
UNKNOWN = (
    "; unknown; nan; n/a; ?; -1; -99; 1990; 2003-05-01; all ages; young; other; White; x; None"
)


def values(text):
    return [value.strip() for value in text.split(";")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(v, True) for v in values(MINORS)]
    + [(v, False) for v in values(ADULTS)]
    + [(v, None) for v in values(UNKNOWN)],
)
def test_an_age_value_is_a_minor_an_adult_or_unknown(value, expected):
    assert minor_age_group(value) is expected


@given(st.integers(0, 130), st.sampled_from(["{}", " {} ", "{}.0", "{} years", "age {}"]))
def test_a_single_age_is_a_minor_below_twenty(age, form):
    assert minor_age_group(form.format(age)) is (age < 20)


@given(st.integers(0, 100), st.integers(1, 30), st.sampled_from("-–—_"))
def test_a_bin_is_adult_only_from_eighteen_and_past_twenty(low, width, dash):
    high = low + width

    assert minor_age_group(f"{low}{dash}{high}") is not (low >= 18 and high >= 20)


@given(st.text(max_size=30))
def test_any_text_gets_one_of_the_three_answers(text):
    assert minor_age_group(text) in {True, False, None}


@pytest.mark.parametrize(
    "name", ["age", "Age", "AGE", "age_group", "ageGroup", "age group", "person.age", "age-bin"]
)
def test_age_columns_are_known_by_name(name):
    assert is_age_column(name)


@pytest.mark.parametrize("name", ["image", "language", "race", "stage", "page", "gender", "agent"])
def test_other_columns_are_not_ages(name):
    assert not is_age_column(name)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("age", "10-19", True),
        ("age", "30", False),
        ("age", "", None),
        ("monk_tone", "3", False),
        ("bin", "10-19", False),
        ("gender", "girl", True),
        ("race", "White", False),
        ("group", "toddlers", True),
    ],
)
def test_numbers_are_ages_only_in_an_age_column(column, value, expected):
    assert minor_group(column, value) is expected
