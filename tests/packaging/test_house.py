"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("audit", "concept_sets", "probes", "reports")
MODULES = sorted(
    path
    for folder in (*ROOMS, "benchmarks", ".ci", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
SHIPPED = [path for path in MODULES if "tests" not in path.relative_to(ROOT).parts]

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "engine"}

# Written apart so that this file passes its own test.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("download.pytorch", "org"),
        ("registry.npmjs", "org"),
        ("deb.debian", "org"),
        ("conda", "anaconda.org"),
    ]
]
MACHINE_PATHS = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + "opt/(pypi|wheels)"]))


def committed() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return ""


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("module", SHIPPED, ids=shown)
def test_no_module_is_over_400_lines(module):
    assert len(text_of(module).splitlines()) <= 400


def test_no_function_is_over_60_lines():
    long = [
        f"{shown(module)}: {node.name}"
        for module in SHIPPED
        for node in ast.walk(ast.parse(text_of(module)))
        if isinstance(node, ast.FunctionDef)
        and node.end_lineno - node.body[0].lineno - _docstring_lines(node) >= 60
    ]

    assert long == []


def _docstring_lines(node: ast.FunctionDef) -> int:
    first = node.body[0]
    has_docstring = ast.get_docstring(node, clean=False) is not None
    return first.end_lineno - first.lineno + 1 if has_docstring else 0


def test_no_module_has_a_name_that_could_hold_anything():
    assert [shown(path) for path in MODULES if path.stem.lower() in VAGUE_NAMES] == []


def test_no_test_folder_is_a_package():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_committed_file_names_a_package_registry():
    named = [shown(p) for p in committed() if any(host in text_of(p) for host in REGISTRIES)]

    assert named == []


def test_no_committed_file_names_a_path_of_one_machine():
    assert [shown(path) for path in committed() if MACHINE_PATHS.search(text_of(path))] == []


def test_no_committed_file_is_over_10_megabytes():
    files = [path for path in committed() if path.is_file()]

    assert [shown(path) for path in files if path.stat().st_size > 10 * 1024**2] == []


def test_everything_in_a_room_is_typed():
    assert all((ROOT / room / "py.typed").is_file() for room in ROOMS)


@pytest.fixture(scope="module")
def pins() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_constraints_hold_exact_public_versions_and_nothing_else(pins):
    assert pins
    for line in pins:
        pin, _, marker = line.partition(" ; ")
        assert re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.]*", pin), line
        assert re.fullmatch(r'(python_version [<>]=? "3\.\d+")?', marker), line


def test_constraints_are_sorted(pins):
    assert pins == sorted(pins)


def test_every_requirement_of_ours_is_constrained(pins):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.match(r"[A-Za-z0-9.-]+", line)[0].lower() for line in wanted}

    assert names <= {pin.split("==")[0] for pin in pins} | {"clip-bias-audit"}


def test_torch_and_torchvision_are_the_pair_that_belongs_together(pins):
    versions = dict(pin.split("==") for pin in pins if pin.startswith(("torch==", "torchvision==")))
    minor = {name: int(version.split(".")[1]) for name, version in versions.items()}

    # Since 0.1 with 1.0 every torchvision is released with one torch: 0.29 with 2.14 or 2.15.
    assert minor["torch"] - minor["torchvision"] in {-15, -14}
