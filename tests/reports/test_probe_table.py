"""Probes stand beside what they are to be read against, and old results beside nothing."""

import pytest

from audit.results import FixedProbeRecord, StableUnitsRecord, Undefined
from reports.names import Names
from reports.quantities import SPACE
from reports.sections.probes import probe_table

STABLE = StableUnitsRecord(
    n_units=6, units=tuple((unit, 1 - unit / 100, 1.0) for unit in range(6)), threshold=0.75,
    expected_false=0.98, per_half=16, pairs=25,
)  # fmt: skip
FIXED = FixedProbeRecord(wanted=3, auroc=0.91, low=0.85, high=0.95, units=((1257, 0.7),))


@pytest.fixture
def names(stored):
    return Names(inputs=stored.inputs)


@pytest.fixture
def probe(stored):
    new = {"stable": STABLE, "fixed": FIXED, "dense_auroc": 0.99, "dense_low": 0.97}
    return stored.probes[0].model_copy(update={**new, "dense_high": 1.0})


@pytest.fixture
def old(stored):
    none = Undefined(undefined="not fitted")
    new = {"stable": None, "fixed": None, "dense_auroc": none, "dense_low": none}
    return stored.probes[0].model_copy(update={**new, "dense_high": none})


def row_of(names, *probes):
    laid = probe_table("p", "Probes", probes, names)
    heads = [column.head for column in laid.columns]
    return laid, dict(zip(heads, laid.rows[0], strict=True))


def test_few_units_all_units_and_stable_units_stand_beside_the_score(names, probe):
    laid, row = row_of(names, probe)

    assert (row["Few units"].text, row["Few units"].note) == ("0.91", "0.85 to 0.95; 3 units")
    assert (row["All units"].text, row["All units"].note) == ("0.99", "0.97 to 1.00")
    stable = row["Stable units (share of halves)"]
    assert stable.text == "0 (1.00), 1 (0.99), 2 (0.98), 3 (0.97) and 2 more"
    assert stable.note == "6 stable; bound 1.0"
    assert row["Shuffled"].note == "selectivity +0.46"
    assert "75 % of 50 halves" in laid.note.replace(SPACE, " ")
    assert "one standard error" in laid.note


def test_probes_of_an_older_result_have_no_empty_columns(names, old):
    laid, row = row_of(names, old)

    assert "Few units" not in row
    assert not any("Stable" in head for head in row)
    assert "halves" not in laid.note


def test_what_one_probe_lacks_is_left_open_beside_others(names, probe, old):
    alike = {"selectivity": 0.1}

    laid, _ = row_of(names, probe, old.model_copy(update=alike))

    assert [cell.text for cell in laid.rows[1]].count("·") == 3


def test_a_reason_stands_in_place_of_stable_units(names, probe):
    few = STABLE.model_copy(update={"n_units": 0, "units": (), "reason": "too few clusters"})

    _, row = row_of(names, probe.model_copy(update={"stable": few}))

    stable = row["Stable units (share of halves)"]
    assert (stable.text, stable.note) == ("undefined", "Too few clusters.")


def test_no_stable_unit_says_none_and_what_was_expected(names, probe):
    none = STABLE.model_copy(update={"n_units": 0, "units": ()})

    _, row = row_of(names, probe.model_copy(update={"stable": none}))

    stable = row["Stable units (share of halves)"]
    assert (stable.text, stable.note) == ("none", "0 stable; bound 1.0")
