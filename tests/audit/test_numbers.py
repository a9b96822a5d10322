"""What could not be had is never a number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.numbers import DIGITS, number, plain, rounded
from audit.results import Undefined


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_becomes_undefined_with_its_reason(value):
    assert number(value, "it never varied") == Undefined(undefined="it never varied")


@given(value=st.floats(-1e300, 1e300, allow_subnormal=False))
def test_a_number_keeps_its_sign_and_ten_digits(value):
    kept = number(value, "")

    assert kept == pytest.approx(value, rel=0.6 * 10.0 ** (1 - DIGITS), abs=0)
    assert rounded(kept) == kept
    assert math.copysign(1, kept) == math.copysign(1, value)


def test_zero_is_a_number():
    assert number(0.0, "never said") == 0.0


def test_tables_get_nan_for_what_is_undefined():
    assert math.isnan(plain(Undefined(undefined="no")))
    assert plain(0.25) == 0.25
