"""Scores by cluster and by term, kept so that two audits of the same stimuli can be paired."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.folder import AuditFolder, output_error
from audit.results import MeasurementFile
from audit.verdicts import Judged
from probes.arms import ArmScores

CLUSTERS = "clusters.parquet"

KINDS = ("arm", "table", "side", "identity", "pack", "name")
"""Columns of text: ``side`` is ``row`` for a cluster of the identity (``name``: a person, a word)
and ``column`` for a term of the pack; ``table`` tells apart an arm's scores with and without
stimuli that denote minors. Clusters are named by a digest, since they may be people."""

COLUMNS = (*KINDS, "value", "n")
Names = NDArray[np.object_]


def cluster_table(judged: Sequence[Judged]) -> pd.DataFrame:
    """Return mean scores of clusters with packs, and of identities with terms.

    Parameters
    ----------
    judged : sequence of Judged
        Every contrast; each knows the scores that it came from.

    Returns
    -------
    DataFrame
        One row per (cluster of an identity, pack) and per (identity, term of a pack), with
        ``value`` (mean cosine) and ``n`` (terms or clusters it is the mean of).

    Notes
    -----
    Both marginal means of a cell are enough for its double difference and for the spread of that
    over clusters and over terms.
    """
    tables: dict[int, ArmScores] = {id(item.cell.scores): item.cell.scores for item in judged}
    parts = [
        part
        for number, scores in enumerate(tables.values())
        for part in (*_rows(scores, str(number)), *_columns(scores, str(number)))
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _packs(scores: ArmScores) -> tuple[str, ...]:
    controls = (pack for packs in scores.controls.values() for pack in packs)
    return tuple(dict.fromkeys((*scores.controls, *controls)))


def _rows(scores: ArmScores, table: str) -> Iterator[pd.DataFrame]:
    """Yield the mean of every cluster of an identity over the terms of each pack."""
    packs = _packs(scores)
    means = np.stack([scores.scores[:, scores.packs[p]].mean(axis=1) for p in packs], axis=1)
    for identity, rows in scores.identities.items():
        names = [_digest(scores.row_names[i]) for i in rows]
        yield _part(
            (scores.arm, table, "row", identity),
            packs=np.tile(np.array(packs, dtype=object), len(rows)),
            names=np.repeat(np.array(names, dtype=object), len(packs)),
            values=means[rows].ravel(),
            n=np.tile([len(scores.packs[p]) for p in packs], len(rows)),
        )


def _columns(scores: ArmScores, table: str) -> Iterator[pd.DataFrame]:
    """Yield the mean of every term of a pack over the clusters of each identity."""
    packs = _packs(scores)
    at = np.concatenate([scores.packs[p] for p in packs])
    owners = np.repeat(np.array(packs, dtype=object), [len(scores.packs[p]) for p in packs])
    names = np.array([scores.column_names[j] for j in at], dtype=object)
    for identity, rows in scores.identities.items():
        yield _part(
            (scores.arm, table, "column", identity),
            packs=owners,
            names=names,
            values=scores.scores[np.ix_(rows, at)].mean(axis=0),
            n=np.full(len(at), len(rows)),
        )


def _part(
    about: tuple[str, str, str, str],
    *,
    packs: Names,
    names: Names,
    values: NDArray[np.float64],
    n: NDArray[np.integer[Any]],
) -> pd.DataFrame:
    arm, table, side, identity = about
    return pd.DataFrame(
        {
            "arm": arm,
            "table": table,
            "side": side,
            "identity": identity,
            "pack": packs,
            "name": names,
            "value": values,
            "n": n,
        }
    )


def _digest(name: str) -> str:
    """Return what stands for a cluster: the same in every audit, and nobody's name."""
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()


def write_clusters(folder: AuditFolder, judged: Sequence[Judged]) -> MeasurementFile:
    """Write ``clusters.parquet``.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    table = cluster_table(judged)
    for name in KINDS:
        table[name] = table[name].astype("category")
    try:
        table[list(COLUMNS)].to_parquet(folder.path(CLUSTERS), index=False, compression="zstd")
    except OSError as error:
        raise output_error(folder.path(CLUSTERS), error) from None
    return folder.measurement_file(CLUSTERS, len(table))
