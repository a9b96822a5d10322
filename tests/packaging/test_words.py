"""Words we do not use are found wherever people read, and only there."""

import importlib.util
from pathlib import Path

import pytest

from reports.wording import FORBIDDEN

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def words():
    spec = importlib.util.spec_from_file_location("words_we_do_not_use", ROOT / ".ci" / "words.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_file_of_ours_uses_a_word_that_we_do_not_use(words):
    assert words.complaints(ROOT) == []


@pytest.mark.parametrize(
    "line",
    [
        "The model is Unbiased.",
        "a bias-free model",
        "a bias free model",
        "class DataManager:",
        "def open_utils():",
        "one of the helpers",
        "It gets a Fair Score.",
    ],
)
def test_a_forbidden_word_is_found_in_every_disguise(words, line):
    assert [number for number, _ in words.forbidden_in(f"fine\n{line}\n")] == [2]


@pytest.mark.parametrize("line", ["an engineer", "compliance officer", "it improves", "managers_"])
def test_a_word_that_only_contains_one_is_left_alone(words, line):
    found = words.forbidden_in(line)

    assert found == ([(1, "manager")] if line == "managers_" else [])


@pytest.mark.parametrize("name", ["docs/page.md", "reports/templates/x.html", "audit/a.py"])
def test_every_kind_of_file_is_read(words, tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("certified\n")

    assert words.main(tmp_path) == 1
    assert words.complaints(tmp_path) == [f"{name}:1: we do not write 'certified'"]


def test_tests_and_hidden_folders_are_left_out(words, tmp_path):
    for folder in ("tests", ".venv"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("certified\n")

    assert words.main(tmp_path) == 0


def test_every_exception_covers_a_file_that_exists(words):
    for pattern, _ in words.ALLOWED:
        assert list(ROOT.glob(pattern)), pattern


def test_reports_avoid_at_least_the_same_claims(words):
    assert set(words.CLAIMS) <= set(FORBIDDEN)
