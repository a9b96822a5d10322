"""The tidy tables: one row per value, the same columns everywhere."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.folder import begin_folder
from audit.results import FixedProbeRecord, ProbeRecord, Undefined, read_result
from audit.tables import (
    CSV,
    FORMULA_STARTS,
    PARQUET,
    TEXT,
    complete,
    contrast_rows,
    frame,
    probe_rows,
    rate_rows,
    write_tables,
)
from probes.measurement import COLUMNS
from probes.measures import MEASURES


@pytest.fixture(scope="module")
def stored():
    return read_result(Path(__file__).parents[1] / "specimens" / "result-1.0.json")


@pytest.fixture
def rows(stored):
    return frame(
        [
            *contrast_rows(stored.contrasts),
            *rate_rows(stored.rates),
            *probe_rows(stored.probes),
        ]
    )


def units(n: int) -> pd.DataFrame:
    return complete(
        pd.DataFrame(
            {
                "arm": "photo",
                "measure": "auroc",
                "concept": "c",
                "layer": "l",
                "unit": np.arange(n),
                "value": np.where(np.arange(n) % 2, 0.5, np.nan),
                "reason": np.where(np.arange(n) % 2, "", "no variation"),
            }
        )
    )


def test_every_contrast_has_a_row_and_every_found_one_its_templates(stored):
    rows = contrast_rows(stored.contrasts)
    whole = [row for row in rows if not row.get("template")]

    assert len(whole) == len(stored.contrasts)
    for contrast, row in zip(stored.contrasts, whole, strict=True):
        assert (row["identity"], row["harm"]) == (contrast.identity, contrast.harm)
        assert row["value"] == contrast.effect or np.isnan(row["value"])
        assert row["clusters"] == contrast.n_identity + contrast.n_harm
    n_templates = sum(
        len(c.stability.template_effects) for c in stored.contrasts if c.stability is not None
    )
    assert n_templates
    assert len(rows) == len(whole) + n_templates


def test_what_could_not_be_had_has_a_reason_and_no_number(stored):
    gaps = [row for row in rate_rows(stored.rates) if np.isnan(row["value"])]

    assert all(row["reason"] for row in gaps)


def test_a_rate_is_of_a_label_or_of_a_family(stored):
    rows = [row for row in rate_rows(stored.rates) if row["measure"] == "argmax_rate"]
    for record, row in zip(stored.rates, rows, strict=True):
        assert bool(row["harm"]) is not bool(row["label"])
        assert record.target in (row["harm"], row["label"])
        crossed = " & " in record.column
        assert row["group"] == (record.group if crossed else f"{record.column}={record.group}")


def test_every_known_difference_to_everybody_else_has_a_row_of_its_own(stored):
    rows = [row for row in rate_rows(stored.rates) if row["measure"] == "argmax_gap"]
    known = [r for r in stored.rates if not isinstance(r.difference, Undefined)]

    assert [row["value"] for row in rows] == [r.difference for r in known]
    assert len(known) > 0


def test_each_probe_has_its_score_and_its_selectivity(stored):
    rows = probe_rows(stored.probes)

    assert len(rows) == 3 * len(stored.probes)
    assert {row["measure"] for row in rows} == {"probe_auroc", "probe_selectivity", "probe_units"}


def probe(**given):
    known = {"auroc": 0.9, "low": 0.8, "high": 0.95, "control_auroc": 0.5, "selectivity": 0.4}
    about = {"concept": "s/c", "role": "harm", "layer": "l", "pooling": "cls", "modality": "photo"}
    return ProbeRecord.model_validate({**about, **known, "n_units": 7, "units": (), **given})


def test_few_and_all_units_stand_beside_the_score_of_a_probe():
    few = FixedProbeRecord(wanted=10, auroc=0.7, low=0.6, high=0.8, units=())
    dense = {"dense_auroc": 0.97, "dense_low": 0.9, "dense_high": 0.99}

    rows = {row["measure"]: row for row in probe_rows([probe(fixed=few, **dense)])}

    numbers = {name: (row["value"], row.get("low"), row.get("high")) for name, row in rows.items()}
    assert numbers == {
        "probe_auroc": (0.9, 0.8, 0.95),
        "probe_selectivity": (0.4, None, None),
        "probe_units": (7, None, None),
        "probe_dense_auroc": (0.97, 0.9, 0.99),
        "probe_fixed_auroc": (0.7, 0.6, 0.8),
    }
    assert rows["probe_fixed_auroc"]["setting"] == "units=10"
    assert set(rows) <= set(MEASURES)
    assert {(row["concept"], row["template"]) for row in rows.values()} == {("s/c", "photo")}


def test_a_probe_that_could_not_be_had_has_reasons_and_no_number():
    why = Undefined(undefined="too few clusters")
    nothing = dict.fromkeys(("auroc", "low", "high", "selectivity", "dense_auroc"), why)
    few = FixedProbeRecord(
        wanted=10, auroc=why, low=why, high=why, units=(), reason="too few clusters"
    )

    rows = probe_rows([probe(**nothing, n_units=0, fixed=few, reason="too few clusters")])

    assert len(rows) == 5
    assert all(np.isnan(row["value"]) for row in rows)
    assert {row["reason"] for row in rows} == {"too few clusters"}


def test_a_part_of_a_table_gets_every_column_in_order():
    part = complete(pd.DataFrame({"value": [1, 2], "arm": ["text", None]}))

    assert tuple(part.columns) == COLUMNS
    assert list(part["arm"]) == ["text", ""]
    assert part["unit"].isna().all()
    assert part["value"].dtype == float


def test_an_empty_table_still_has_its_columns(tmp_path):
    folder = begin_folder(tmp_path, "audit")
    write_tables(folder, frame([]), ())

    assert tuple(pd.read_csv(folder.path(CSV)).columns) == COLUMNS
    assert tuple(pq.read_schema(folder.path(PARQUET)).names) == COLUMNS


def test_the_large_table_holds_all_and_the_small_one_neither_probes_nor_units(rows, tmp_path):
    folder = begin_folder(tmp_path, "audit")
    small, large = write_tables(folder, rows, (units(n) for n in (3, 4)))

    people = pd.read_csv(folder.path(CSV), keep_default_na=False)
    parquet = pq.read_table(folder.path(PARQUET)).to_pandas()
    n_probes = int((rows["arm"] == "probe").sum())
    assert n_probes
    assert (small.rows, large.rows) == (len(people), len(parquet))
    assert len(people) == len(rows) - n_probes
    assert len(parquet) == len(rows) + 7
    assert list(parquet["unit"].dropna()) == [0, 1, 2, 0, 1, 2, 3]
    assert parquet["value"].iloc[-1] == 0.5
    assert np.isnan(parquet["value"].iloc[-2])
    assert parquet["reason"].iloc[-2] == "no variation"


def test_numbers_of_the_small_table_are_those_of_the_large_one(rows, tmp_path):
    folder = begin_folder(tmp_path, "audit")
    write_tables(folder, rows, ())

    people = pd.read_csv(folder.path(CSV), float_precision="round_trip")
    parquet = pq.read_table(folder.path(PARQUET)).to_pandas()
    shown = parquet[parquet["arm"] != "probe"]
    np.testing.assert_allclose(people["value"], shown["value"], rtol=0)
    np.testing.assert_allclose(people["low"], shown["low"], rtol=0)


def test_equal_rows_give_equal_bytes(rows, tmp_path):
    files = []
    for name in ("one", "other"):
        folder = begin_folder(tmp_path, name)
        files.append([f.digest for f in write_tables(folder, rows, [units(5)])])

    assert files[0] == files[1]


@settings(deadline=None, max_examples=40)
@given(
    start=st.sampled_from(FORMULA_STARTS),
    rest=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
    column=st.sampled_from(sorted(TEXT - {"arm"})),
)
def test_no_cell_of_the_small_table_is_read_as_a_formula(start, rest, column, tmp_path_factory):
    folder = begin_folder(tmp_path_factory.mktemp("t"), "audit")
    write_tables(folder, frame([{"arm": "text", "value": -1.5, column: f"{start}{rest}"}]), ())

    with folder.path(CSV).open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    (kept,) = pq.read_table(folder.path(PARQUET)).to_pandas()[column]
    assert row[column] == f"'{start}{rest}".replace("\r", " ")
    assert row["value"] == "-1.5"
    assert kept == f"{start}{rest}"
