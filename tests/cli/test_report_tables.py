"""A PDF that ``report`` writes carries the audit's table for people along."""

import io

import pikepdf


def test_the_pdf_carries_result_and_table_as_they_lie_in_the_folder(cli, finished):
    assert cli("report", finished, "--format", "pdf").code == 0

    with pikepdf.open(io.BytesIO((finished / "report.pdf").read_bytes())) as opened:
        carried = {name: spec.get_file().read_bytes() for name, spec in opened.attachments.items()}
    assert sorted(carried) == ["measurements.csv", "result.json"]
    for name, content in carried.items():
        assert content == (finished / name).read_bytes()


def test_a_table_that_is_another_is_refused_before_anything_is_written(cli, finished):
    table = finished / "measurements.csv"
    table.write_bytes(table.read_bytes() + b"x")
    before = {path.name: path.read_bytes() for path in finished.iterdir()}

    end = cli("report", finished, "--format", "pdf")

    assert end.code != 0
    assert "measurements.csv is another" in end.err
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == before


def test_a_result_that_travels_alone_is_rendered_without_its_table(cli, finished, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "result.json").write_bytes((finished / "result.json").read_bytes())

    end = cli("report", alone / "result.json", "--format", "pdf")

    assert end.code == 0, end.err
    with pikepdf.open(alone / "report.pdf") as opened:
        assert list(opened.attachments) == ["result.json"]
