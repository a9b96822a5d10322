"""Pictures beside a result: the same bytes every time, and nothing hostile comes back."""

import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import ResultError
from audit.pictures_file import MOST_BYTES, PICTURES, pack_pictures, read_pictures

names = st.text("abcdefgh-.0123", min_size=1, max_size=12)


@given(pictures=st.dictionaries(names, st.binary(max_size=40), max_size=5))
def test_what_was_packed_is_read(tmp_path_factory, pictures):
    folder = tmp_path_factory.mktemp("audit")
    (folder / PICTURES).write_bytes(pack_pictures(pictures))

    assert read_pictures(folder) == pictures


@given(pictures=st.dictionaries(names, st.binary(max_size=40), max_size=5))
def test_order_and_time_change_no_byte(pictures):
    turned = dict(reversed(pictures.items()))

    assert pack_pictures(turned) == pack_pictures(pictures)


def test_an_audit_without_pictures_has_none(tmp_path):
    assert read_pictures(tmp_path) == {}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"text"])
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / PICTURES).write_bytes(content)
    with pytest.raises(ResultError, match="readable zip file"):
        read_pictures(tmp_path)


def test_a_changed_byte_is_told(tmp_path):
    packed = pack_pictures({"a.jpg": b"picture"})
    (tmp_path / PICTURES).write_bytes(packed.replace(b"picture", b"piCture"))
    with pytest.raises(ResultError, match="Bad CRC"):
        read_pictures(tmp_path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / PICTURES, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", bytes(MOST_BYTES + 1))
    with pytest.raises(ResultError, match="at most 64 MiB"):
        read_pictures(tmp_path)
