import re
from math import isfinite

import numpy as np
import pytest

from probes.association import ASSOCIATIONS
from probes.measurement import Measure
from probes.measures import MEASURES
from probes.rates import argmax_rates

every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())


def test_the_first_set_is_complete():
    assert set(MEASURES) >= {
        "contrast",
        *ASSOCIATIONS,
        "argmax_rate",
        "probe_auroc",
        "probe_selectivity",
        "unit_contribution",
    }


def test_every_row_is_filed_under_its_own_name_once():
    assert all(name == measure.name for name, measure in MEASURES.items())
    assert all(re.fullmatch("[a-z][a-z_]*", name) for name in MEASURES)


@every_measure
def test_neutral_is_a_possible_value(measure: Measure):
    assert measure.low <= measure.neutral <= measure.high
    assert isfinite(measure.neutral)


@every_measure
def test_every_measure_says_how_to_read_it_and_how_it_misleads(measure: Measure):
    for text in (measure.unit, measure.positive_means, measure.formula, measure.source):
        assert text
    assert measure.positive_means.endswith(".")
    assert measure.failure_modes
    assert all(mode.endswith(".") for mode in measure.failure_modes)


@every_measure
def test_no_measure_promises_what_an_audit_cannot_know(measure: Measure):
    text = " ".join((measure.positive_means, measure.formula, *measure.failure_modes)).lower()

    assert not re.search(r"unbiased|debiased|bias-free|compliant|certified|proves|fair score", text)


def test_the_rows_of_rates_are_of_known_measures():
    scores = np.random.default_rng(0).normal(size=(6, 2))
    rows = argmax_rates(
        scores, labels=["a", "b"], families=["f", ""], columns={"town": list("xxyyzz")}
    )

    found = {row.measure for row in rows}
    assert found
    assert found <= set(MEASURES)
