"""Scores by cluster and term of two audits, laid side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from audit.cluster_table import CLUSTERS, COLUMNS, KINDS
from audit.errors import ResultError
from audit.folder import file_digest
from audit.results import AuditResult, ContrastRecord
from probes.paired_change import Margins


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One audit with its scores by cluster and term."""

    result: AuditResult
    table: pd.DataFrame

    @cached_property
    def harms(self) -> frozenset[str]:
        """References of harm packs."""
        sets = self.result.inputs.concept_sets
        return frozenset(c.ref for s in sets for c in s.concepts if c.role == "harm")

    @cached_property
    def clusters(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Arm and table to clusters (identity, name) x packs."""
        return self._side("row", ["identity", "name"], "pack")

    @cached_property
    def terms(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Arm and table to terms (pack, name) x identities."""
        return self._side("column", ["pack", "name"], "identity")

    def _side(
        self, side: str, index: list[str], columns: str
    ) -> dict[tuple[str, str], pd.DataFrame]:
        own = self.table[self.table["side"] == side]
        groups = own.astype(dict.fromkeys(KINDS, object)).groupby(["arm", "table"], sort=False)
        return {
            (str(arm), str(table)): part.drop_duplicates([*index, columns])
            .set_index([*index, columns])["value"]
            .unstack(columns)
            .sort_index()
            for (arm, table), part in groups
        }

    def table_of(self, arm: str, harm: str) -> tuple[str, str] | None:
        """Return the arm and table in which a harm pack was held against groups."""
        return next(
            (key for key, part in self.clusters.items() if key[0] == arm and harm in part.columns),
            None,
        )

    def family(self, contrast: ContrastRecord) -> tuple[str, ...]:
        """Return the identity concepts that a contrast's group was compared with, and itself."""
        return tuple(
            dict.fromkeys(
                c.identity
                for c in self.result.contrasts
                if c.arm == contrast.arm and c.family == contrast.family
            )
        )


def read_compared(audit: Path, result: AuditResult) -> Compared:
    """Read the scores by cluster and term of an audit.

    Raises
    ------
    ResultError
        If the table is missing (audits made before it was kept), damaged, or not the one that the
        result names.
    """
    path = audit / CLUSTERS
    listed = {file.name: file.digest for file in result.measurements}
    if CLUSTERS not in listed:
        raise ResultError(
            f"Comparing needs scores by cluster; the audit in {audit} was made before they were "
            "kept. Run it again: what was encoded is in the cache."
        )
    try:
        if file_digest(path) != listed[CLUSTERS]:
            raise ResultError(
                f"Every table must be the one that the result names; {path} is another. Restore it."
            )
        table = pd.read_parquet(path, columns=list(COLUMNS))
    except (OSError, pa.ArrowException) as error:
        raise ResultError(
            f"Scores by cluster must be readable; {path} gave: {error}. Restore the file."
        ) from None
    return Compared(result=result, table=table)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOfMargins:
    """The same clusters and terms in both audits, each in its own control standard deviations."""

    before: Margins
    after: Margins


def paired_margins(
    contrast: ContrastRecord, before: Compared, after: Compared, scales: tuple[float, float]
) -> PairOfMargins | None:
    """Line up what both audits have of a contrast.

    Parameters
    ----------
    contrast : ContrastRecord
        From either audit.
    before, after : Compared
    scales : tuple of float
        Control standard deviation of the contrast in each, as a cosine.

    Returns
    -------
    PairOfMargins or None
        None where one of them lacks the contrast, or they share no stimuli of it.
    """
    family = [c for c in before.family(contrast) if c in set(after.family(contrast))]
    sides = [_pieces(contrast, family, audit) for audit in (before, after)]
    if len(family) < 2 or sides[0] is None or sides[1] is None:
        return None
    (rows, terms), (rows_after, terms_after) = sides[0], sides[1]
    shared_rows = rows.index.intersection(rows_after.index, sort=False)
    shared_terms = terms.index.intersection(terms_after.index, sort=False)
    packs = [c for c in rows.columns if c in set(rows_after.columns)]
    try:
        return PairOfMargins(
            before=_margins(
                contrast, rows.loc[shared_rows, packs], terms.loc[shared_terms], family, scales[0]
            ),
            after=_margins(
                contrast,
                rows_after.loc[shared_rows, packs],
                terms_after.loc[shared_terms],
                family,
                scales[1],
            ),
        )
    except KeyError:
        return None


def _pieces(
    contrast: ContrastRecord, family: Sequence[str], audit: Compared
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return clusters of the family x packs, and terms x identities of the family."""
    key = audit.table_of(contrast.arm, contrast.harm)
    if key is None:
        return None
    clusters, terms = audit.clusters[key], audit.terms[key]
    packs = [c for c in clusters.columns if c == contrast.harm or c not in audit.harms]
    present = [c for c in family if c in terms.columns]
    return clusters.loc[clusters.index.isin(present, level=0), packs], terms.loc[packs, present]


def _margins(
    contrast: ContrastRecord,
    rows: pd.DataFrame,
    terms: pd.DataFrame,
    family: Sequence[str],
    scale: float,
) -> Margins:
    controls = [pack for pack in rows.columns if pack != contrast.harm]
    own = (rows[contrast.harm] - rows[controls].mean(axis=1)) / scale
    others = [c for c in family if c != contrast.identity]
    gap = (terms[contrast.identity] - terms[others].mean(axis=1)) / scale
    return Margins(
        clusters={c: _values(own.loc[c]) for c in family},
        harm=_values(gap.loc[contrast.harm]),
        controls={pack: _values(gap.loc[pack]) for pack in controls},
    )


def _values(series: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(series, dtype=np.float64)
