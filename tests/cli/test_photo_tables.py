"""Pictures inside a Parquet table, on the command line."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from concept_sets.photos import read_photos

RUN = ["run", "plan.toml", "--format", "json", "--photos"]


def test_pictures_inside_a_table_are_audited_as_in_a_folder(cli, world, tmp_path):
    photos = world.write_photos(tmp_path / "photos")
    shown = read_photos(photos)
    rows = [
        {
            "image": Path(each.content).read_bytes(),
            "concept": each.concept,
            "cluster": each.cluster,
            "licence": each.licence,
            "source": each.source,
            **dict(each.groups),
        }
        for each in shown.stimuli
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet", row_group_size=5)
    here = cli(*RUN, photos, "--cache", "c1")
    inside = cli(*RUN, "t.parquet", "--cache", "c2")
    shared = cli(*RUN, "t.parquet", "--cache", "c3", "--executor", "plain")

    assert (inside.code, shared.code) == (0, 0), inside.err + shared.err
    assert inside.encoded("photo") == (24, 0)
    assert inside.result.contrasts == here.result.contrasts
    assert shared.result.digest == inside.result.digest
