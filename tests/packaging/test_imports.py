"""Reading an old result needs no deep-learning stack; import-linter cannot see this alone."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAVY = ("torch", "open_clip", "timm", "torchvision")

EVERY_REPORT_MODULE = """
import pkgutil, importlib, audit.results, reports
for module in pkgutil.walk_packages(reports.__path__, "reports."):
    importlib.import_module(module.name)
"""


def loaded_after(code: str) -> set[str]:
    probe = f"{code}\nimport sys; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


EVERY_COMMAND = "from audit.cli.main import cli; print(len([*cli.commands.values()]))"

CHECKED = """
from audit.cli.main import main
try:
    main(["config", "check", "audit/plans/default.toml"])
except SystemExit as end:
    assert end.code == 0
"""


@pytest.mark.parametrize(
    "code",
    ["import audit.results, reports", EVERY_REPORT_MODULE, EVERY_COMMAND],
    ids=["the document", "every report module", "the command line"],
)
def test_the_deep_learning_stack_stays_out(code):
    assert not loaded_after(code) & set(HEAVY)


def test_the_document_is_read_without_probes_and_concept_sets():
    loaded = loaded_after("import audit.results, reports")

    assert not {name for name in loaded if name.split(".")[0] in {"probes", "concept_sets"}}


def test_a_plan_is_checked_without_numerical_libraries():
    loaded = loaded_after(CHECKED)

    assert "audit.selection" in loaded
    assert not loaded & {*HEAVY, "numpy", "scipy", "sklearn", "pandas", "pyarrow", "weasyprint"}


def test_a_command_is_imported_only_when_it_is_asked_for():
    loaded = loaded_after("import audit.cli.main")

    assert not loaded & {*HEAVY, "numpy", "pydantic", "audit.cli.run"}


def test_a_room_is_import_light():
    for room in ("audit", "concept_sets", "probes", "probes.backends", "reports"):
        assert not loaded_after(f"import {room}") & {*HEAVY, "numpy", "pandas", "pydantic"}
