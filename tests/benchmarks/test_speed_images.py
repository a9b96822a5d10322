"""What the image paths of the speed benchmark are measured on."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.speed.images import waves
from benchmarks.speed.jpegs import listed, written
from concept_sets.pictures import load_picture


def test_pictures_of_the_benchmark_differ_from_each_other():
    batch = waves(4, 32).flatten(1)

    assert batch.shape == (4, 3 * 32 * 32)
    assert np.abs(np.corrcoef(batch.numpy()) - np.eye(4)).max() < 0.5


def test_files_of_the_benchmark_are_photos_as_an_audit_lists_them(tmp_path):
    files = written(tmp_path, 2, (96, 72))

    shown = [load_picture(listed(path)) for path in files]

    assert [Image.open(path).format for path in files] == ["JPEG", "JPEG"]
    assert [picture.size for picture in shown] == [(96, 72)] * 2
    assert shown[0].tobytes() != shown[1].tobytes()


@pytest.mark.parametrize("size", [(1440, 1080)])
def test_files_of_the_benchmark_have_about_half_a_megabyte(tmp_path, size):
    (path,) = written(tmp_path, 1, size)

    assert 350_000 < path.stat().st_size < 600_000
