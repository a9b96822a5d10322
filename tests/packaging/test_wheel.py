"""What is installed is what is in the tree: four packages, all their data, one command."""

import configparser
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib import import_module
from pathlib import Path

import pytest

ROOMS = {"audit", "concept_sets", "probes", "reports"}
ROOT = Path(__file__).parents[2]
LEFTOVERS = {"__pycache__", ".mypy_cache", ".ruff_cache"}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-P", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run([*build, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="session")
def names(wheel) -> set[str]:
    return set(wheel.namelist())


def dist_info(names: set[str], file: str) -> str:
    (found,) = (name for name in names if name.endswith(f".dist-info/{file}"))
    return found


def test_the_wheel_installs_our_four_packages_and_nothing_else(names):
    tops = {name.split("/")[0] for name in names}

    assert {top for top in tops if not top.endswith(".dist-info")} == ROOMS


def test_every_file_of_the_four_packages_travels_in_the_wheel(names):
    here = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and not LEFTOVERS & set(path.parts)
    }

    assert here <= names


@pytest.mark.parametrize(
    "pattern",
    [
        "*/py.typed",
        "audit/plans/*.toml",
        "concept_sets/library/*/*.yaml",
        "concept_sets/library/templates.yaml",
        "probes/embedded/**/*.safetensors",
        "reports/templates/*",
    ],
)
def test_data_of_every_kind_is_there(names, pattern):
    here = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern) if path.is_file()}

    assert here
    assert here <= names


def test_no_test_no_bytecode_and_no_cache_is_in_the_wheel(names):
    assert not [name for name in names if "test_" in name or name.endswith((".pyc", ".tmp"))]


def test_the_console_script_is_the_command_line(wheel, names):
    entries = configparser.ConfigParser()
    entries.read_string(wheel.read(dist_info(names, "entry_points.txt")).decode())

    assert dict(entries["console_scripts"]) == {"clip-audit": "audit.cli.main:main"}
    assert callable(import_module("audit.cli.main").main)


def test_licence_and_notice_travel_along(wheel, names):
    licence = wheel.read(dist_info(names, "licenses/LICENSE")).decode()

    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    assert dist_info(names, "licenses/NOTICE")


def test_the_metadata_names_the_distribution_and_its_oldest_python(wheel, names):
    metadata = Parser().parsestr(wheel.read(dist_info(names, "METADATA")).decode())

    assert metadata["Name"] == "clip-bias-audit"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
