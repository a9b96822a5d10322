"""Addresses of photos: told from paths, and refused where they hold what nobody may read."""

from pathlib import Path

import pytest

from concept_sets.addresses import fault_of, is_address, local_path, protocol, seen_from

STORES = [
    "s3://bucket/photos.csv",
    "gs://bucket/folder of photos",
    "abfs://container@account.dfs.example.org/faces.tar",
    "memory://bucket/photos",
    "sftp://ada@host:22/photos.csv",
    "s3://bucket/12:30/a@b.csv",
]


@pytest.mark.parametrize("text", STORES)
def test_an_address_stays_as_it_is_wherever_the_plan_lies(text):
    assert is_address(text)
    assert fault_of(text) == ""
    assert local_path(text) is None
    assert seen_from(Path("/plans"), text) == text


@pytest.mark.parametrize(
    "text", ["photos.csv", "/data/s3:/photos", "C:/photos", "a b/c.tar", "s3:/x"]
)
def test_a_path_is_no_address_and_starts_at_the_plan(text):
    assert not is_address(text)
    assert fault_of(text) == ""
    assert local_path(text) == Path(text)
    assert Path(seen_from(Path("/plans"), text)) == Path("/plans") / text


def test_a_file_address_is_a_path_of_this_machine():
    assert local_path("file:///data/photos.csv") == Path("/data/photos.csv")
    assert "whole path" in fault_of("file://host")
    assert protocol("GS://b") == "gs"


@pytest.mark.parametrize(
    "text",
    [
        "s3://AKIAKEY:hushhush@bucket/photos.csv",
        "s3://AKIAKEY:hush/hush@bucket/photos.csv",
        "s3://AKIAKEY:123/hushhush@bucket/photos.csv",
        "gs://bucket:hushhush/photos.csv",
        "abfs://container:hushhush@account.example.org/photos.csv",
        "abfs://container/photos.csv?sig=hushhush",
        "https://ada:hushhush@example.org/photos.csv",
        "sftp://ada:hushhush@host:22/photos.csv",
    ],
)
def test_what_may_be_a_secret_is_refused_and_not_repeated(text):
    sentence = fault_of(text)

    assert "environment" in sentence
    assert "hush" not in sentence
    assert "KEY" not in sentence


@pytest.mark.parametrize(
    "text",
    [
        "s3://",
        "s3:///photos.csv",
        "s3://bucket/../other/photos.csv",
        "s3://bucket/a\\b.csv",
        "s3://bucket/a\nb.csv",
        "zip://photos.csv::s3://KEY:hushhush@bucket/photos.zip",
        "zip://in/photos.csv::s3://KEY:hushhush@bucket/photos.zip",
        "simplecache::s3://KEY:hushhush@bucket/photos.csv",
        "s3://bucket/a::b.csv",
    ],
)
def test_what_names_no_file_of_a_bucket_is_refused(text):
    assert "s3://bucket/photos.csv" in fault_of(text)
    assert "hush" not in fault_of(text)


@pytest.mark.parametrize("begins", ["http", "https"])
def test_the_web_lists_nothing_and_is_refused(begins):
    sentence = fault_of(f"{begins}://example.org/faces.tar")

    assert "Download them" in sentence
