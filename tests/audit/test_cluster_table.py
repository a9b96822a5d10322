"""What is kept of scores gives back every effect, and names nobody."""

import numpy as np
import pandas as pd
import pytest

from audit.cluster_table import CLUSTERS, COLUMNS, cluster_table, write_clusters
from audit.conclude import conclude
from audit.folder import begin_folder
from audit.plan import LimitsSection


@pytest.fixture(scope="module")
def concluded(simulated):
    world = simulated.World(n_identities=4, n_harms=2, n_controls=12, dim=16)
    arm = simulated.draw_arm(world, np.random.default_rng(3))
    rng = np.random.default_rng(0)
    return conclude([arm], world.severities, world.blocking, LimitsSection(), rng)


def effect(table, family, identity, pack, side):
    """The family difference of one cell, from one side's marginal means."""
    part = table[(table["side"] == side) & (table["pack"] == pack)]
    means = part.groupby("identity", sort=False)["value"].mean()
    return means[identity] - means[[c for c in family if c != identity]].mean()


@pytest.mark.parametrize("side", ["row", "column"])
def test_effects_come_back_from_either_side(concluded, side):
    table = cluster_table(concluded.judged)
    for item in concluded.judged:
        cell = item.cell
        family = cell.scores.families[cell.family]
        controls = cell.scores.controls[cell.harm]
        own = effect(table, family, cell.identity, cell.harm, side)
        null = np.mean([effect(table, family, cell.identity, c, side) for c in controls])

        assert own - null == pytest.approx(cell.effect, abs=1e-12)


def test_rows_are_clusters_and_columns_are_terms(concluded):
    scores = concluded.judged[0].cell.scores
    table = cluster_table(concluded.judged)
    packs = set(scores.controls) | {c for names in scores.controls.values() for c in names}
    rows, columns = (table[table["side"] == side] for side in ("row", "column"))

    assert len(rows) == len(packs) * sum(len(at) for at in scores.identities.values())
    assert len(columns) == len(scores.identities) * sum(len(scores.packs[p]) for p in packs)
    assert set(columns["name"]) <= set(scores.column_names)


def test_clusters_are_named_by_digests_that_are_the_same_every_time(concluded):
    rows = cluster_table(concluded.judged).query("side == 'row'")
    names = set(concluded.judged[0].cell.scores.row_names)

    assert not set(rows["name"]) & names
    assert rows["name"].str.fullmatch("[0-9a-f]{16}").all()
    assert set(rows["name"]) == set(cluster_table(concluded.judged).query("side == 'row'")["name"])


def test_the_file_is_listed_with_its_digest(concluded, tmp_path):
    folder = begin_folder(tmp_path, "audit")
    record = write_clusters(folder, concluded.judged)

    read = pd.read_parquet(folder.path(CLUSTERS))
    assert record.rows == len(read)
    assert list(read.columns) == list(COLUMNS)


def test_nothing_judged_is_an_empty_table(tmp_path):
    folder = begin_folder(tmp_path, "audit")

    assert write_clusters(folder, ()).rows == 0
    assert list(pd.read_parquet(folder.path(CLUSTERS)).columns) == list(COLUMNS)
