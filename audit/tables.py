"""The tidy tables beside the result: one row per value."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from audit.folder import AuditFolder, output_error
from audit.numbers import plain
from audit.results import (
    ContrastRecord,
    MeasurementFile,
    Number,
    ProbeRecord,
    RateRecord,
    Undefined,
)
from probes.measurement import COLUMNS, Measurement

CSV = "measurements.csv"
PARQUET = "measurements.parquet"

TEXT = {"arm", "measure", "family", "identity", "harm", "against", "concept", "group", "label"}
TEXT |= {"setting", "template", "layer", "pooling", "certainty", "reason"}
WHOLE = {"unit", "n", "clusters"}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def _schema() -> pa.Schema:
    def kind(name: str) -> pa.DataType:
        if name in TEXT:
            return pa.dictionary(pa.int32(), pa.string())
        return pa.int64() if name in WHOLE else pa.float64()

    return pa.schema([(name, kind(name)) for name in COLUMNS])


def frame(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    """Return rows as a table with every column, text empty and numbers missing where not given."""
    return complete(pd.DataFrame(list(rows), columns=list(COLUMNS)))


def complete(part: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that are not given, text empty and numbers missing, in order."""
    table = part.reindex(columns=list(COLUMNS))
    for name in COLUMNS:
        if name in TEXT:
            table[name] = table[name].astype(object).where(table[name].notna(), "")
        elif name in WHOLE:
            table[name] = table[name].astype("Int64")
        else:
            table[name] = table[name].astype(float)
    return table


def contrast_rows(contrasts: Sequence[ContrastRecord]) -> list[dict[str, object]]:
    """Return one row per contrast and one per template of every found one."""
    rows: list[dict[str, object]] = []
    for c in contrasts:
        about = {"arm": c.arm, "measure": "contrast", "identity": c.identity, "harm": c.harm}
        rows.append(
            {
                **about,
                "value": plain(c.effect),
                "low": plain(c.low),
                "high": plain(c.high),
                "p": plain(c.p),
                "q": plain(c.p_adjusted),
                "n": c.n_identity * c.n_harm,
                "clusters": c.n_identity + c.n_harm,
                "reason": c.effect.undefined if isinstance(c.effect, Undefined) else "",
            }
        )
        if c.stability is not None:
            rows += [
                {**about, "template": slot, "value": value, "clusters": c.n_identity + c.n_harm}
                for slot, value in c.stability.template_effects.items()
            ]
    return rows


def rate_rows(rates: Sequence[RateRecord]) -> list[dict[str, object]]:
    """Return one row per rate, and one per difference to everybody else."""
    return [row for rate in rates for row in _rate_and_gap(rate)]


def _rate_and_gap(r: RateRecord) -> Iterator[dict[str, object]]:
    about = {
        "arm": "behaviour",
        "family": r.column,
        "harm": r.target if r.target_kind == "family" else "",
        "group": r.group if " & " in r.column else f"{r.column}={r.group}",
        "label": r.target if r.target_kind == "label" else "",
        "setting": f"labels={r.labels}" if r.labels != "standard" else "",
        "n": r.n,
        "clusters": r.clusters,
    }
    yield {
        **about,
        "measure": "argmax_rate",
        "value": plain(r.rate),
        "low": plain(r.low),
        "high": plain(r.high),
        "reason": r.reason or _reason(r.rate),
    }
    if not isinstance(r.difference, Undefined):
        yield {
            **about,
            "measure": "argmax_gap",
            "against": "everybody else",
            "value": r.difference,
            "low": plain(r.difference_low),
            "high": plain(r.difference_high),
            "p": plain(r.p),
            "q": plain(r.q),
            "mde": plain(r.mde),
        }


def _reason(value: Number) -> str:
    return value.undefined if isinstance(value, Undefined) else ""


def catalogue_rows(values: Sequence[Measurement]) -> list[dict[str, object]]:
    """Return one row per value of the catalogue."""
    return [dict(zip(COLUMNS, value.as_row(), strict=True)) for value in values]


def probe_rows(probes: Sequence[ProbeRecord]) -> list[dict[str, object]]:
    """Return what every probe scored, and what stands beside its score.

    Parameters
    ----------
    probes : sequence of ProbeRecord

    Returns
    -------
    list of dict
        Held-out score, selectivity and number of units of the sparse probe, the score with all
        units where they were fitted, and that with few units, at most so many as ``setting`` says.
    """
    return [row for probe in probes for row in _probe_rows(probe)]


def _probe_rows(p: ProbeRecord) -> Iterator[dict[str, object]]:
    about = {
        "arm": "probe",
        "concept": p.concept,
        "layer": p.layer,
        "pooling": p.pooling,
        "template": p.modality,
    }
    scored = not isinstance(p.auroc, Undefined)
    auroc = {"value": plain(p.auroc), "low": plain(p.low), "high": plain(p.high)}
    yield {**about, "measure": "probe_auroc", **auroc, "reason": p.reason}
    selectivity, units = plain(p.selectivity), p.n_units if scored else np.nan
    yield {**about, "measure": "probe_selectivity", "value": selectivity, "reason": p.reason}
    yield {**about, "measure": "probe_units", "value": units, "reason": p.reason}
    if "dense_auroc" in p.model_fields_set:
        ends = {"low": plain(p.dense_low), "high": plain(p.dense_high)}
        dense = {"value": plain(p.dense_auroc), **ends, "reason": _reason(p.dense_auroc)}
        yield {**about, "measure": "probe_dense_auroc", **dense}
    if p.fixed is not None:
        few, setting = p.fixed, {"setting": f"units={p.fixed.wanted}"}
        scores = {"value": plain(few.auroc), "low": plain(few.low), "high": plain(few.high)}
        yield {**about, "measure": "probe_fixed_auroc", **setting, **scores, "reason": few.reason}


def write_tables(
    folder: AuditFolder, rows: pd.DataFrame, units: Iterable[pd.DataFrame]
) -> tuple[MeasurementFile, ...]:
    """Write both tables.

    Parameters
    ----------
    folder : AuditFolder
        Where they go.
    rows : DataFrame
        Contrasts, behaviour and probes: the start of the Parquet file. The CSV, which is for
        people, has those without the probes.
    units : iterable of DataFrame
        Every unit x concept, block by block; Parquet only.

    Returns
    -------
    tuple of MeasurementFile
        Name, digest and number of rows of each.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    people = rows[rows["arm"] != "probe"]
    folder.write(CSV, _safe(people).to_csv(index=False, lineterminator="\n").encode())
    total = 0
    try:
        with _parquet(folder.path(PARQUET)) as writer:
            for block in chain([rows], units):
                table = pa.Table.from_pandas(block, writer.schema, preserve_index=False)
                writer.write_table(table)
                total += len(block)
    except OSError as error:
        raise output_error(folder.path(PARQUET), error) from None
    return (
        folder.measurement_file(CSV, len(people)),
        folder.measurement_file(PARQUET, total),
    )


@contextmanager
def _parquet(path: Path) -> Iterator[pq.ParquetWriter]:
    writer = pq.ParquetWriter(path, _schema(), compression="zstd")
    try:
        yield writer
        writer.close()
    finally:
        # One that failed would try again when it is collected, and print a traceback.
        writer.is_open = False


def _safe(table: pd.DataFrame) -> pd.DataFrame:
    """Keep spreadsheet programs from reading a name as a formula, or as the end of a row."""
    out = table.copy()
    for name in TEXT:
        starts = out[name].str.startswith(FORMULA_STARTS)
        marked = out[name].where(~starts, "'" + out[name])
        # A carriage return ends a row for many readers, and is not quoted by the writer.
        out[name] = marked.str.replace("\r", " ", regex=False)
    return out
