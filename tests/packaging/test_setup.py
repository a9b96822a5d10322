"""Setting up works once, says what it lacks, and is skipped when nothing changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FAKE_ENVIRONMENT_PYTHON = """#!/bin/sh
echo "$*" >> "$LOG"
case "$*" in *audit.system_libraries*) test -z "$LACKING" || { echo "$LACKING"; exit 1; } ;; esac
"""


@pytest.fixture
def checkout(tmp_path) -> Path:
    root = tmp_path / "clone"
    (root / ".ci").mkdir(parents=True)
    for name in (".ci/setup.sh", ".ci/packages.sh", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, root / name)
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").write_text(f"command = python -m venv {root}/.venv\n")
    write_script(root / ".venv" / "bin" / "python", FAKE_ENVIRONMENT_PYTHON)
    return root


def write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def set_up(root: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], str]:
    log = root.parent / "log"
    log.write_text("")
    quiet_path = environment.pop("PATH", os.environ["PATH"])
    done = subprocess.run(
        ["bash", ".ci/setup.sh"],
        cwd=root,
        env={"PATH": quiet_path, "PYTHON": sys.executable, "LOG": str(log), **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done, log.read_text()


def test_the_first_call_installs_under_the_constraints_and_says_how_much(checkout):
    done, log = set_up(checkout)

    assert done.returncode == 0, done.stderr
    assert "6 GB" in done.stdout
    assert "-c constraints.txt --no-build-isolation -e .[dev]" in log


def test_the_second_call_does_nothing(checkout):
    set_up(checkout)

    done, log = set_up(checkout)

    assert (done.returncode, done.stdout, log) == (0, "", "")


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml"])
def test_a_changed_requirement_installs_again(checkout, name):
    set_up(checkout)
    with (checkout / name).open("a") as file:
        file.write("\n# changed\n")

    done, log = set_up(checkout)

    assert "-e .[dev]" in log
    assert "6 GB" not in done.stdout


def test_a_failed_installation_is_told_and_repeated_next_time(checkout):
    broken = FAKE_ENVIRONMENT_PYTHON + 'case "$*" in *-e*) exit 1 ;; esac\n'
    write_script(checkout / ".venv" / "bin" / "python", broken)

    done, _ = set_up(checkout)

    assert done.returncode == 2
    assert "then repeat" in done.stderr
    assert not (checkout / ".venv" / ".set-up").exists()


def test_an_old_python_is_refused_in_a_sentence(checkout, tmp_path):
    old = tmp_path / "old"
    write_script(old, '#!/bin/sh\ntest "$1" = -V && echo "Python 3.9.2" || exit 1\n')
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "cat", "dirname"):
        (tools / tool).symlink_to(shutil.which(tool))

    done, _ = set_up(checkout, PYTHON=str(old), PATH=str(tools))

    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stderr
    assert "Python 3.9.2" in done.stderr
    assert "make setup PYTHON=" in done.stderr


def test_a_python_without_venv_is_told_with_the_package_to_install(checkout, tmp_path):
    shutil.rmtree(checkout / ".venv")
    bare = tmp_path / "bare"
    write_script(
        bare,
        f"""#!/bin/sh
case "$*" in *ensurepip*) exit 1 ;; *) exec "{sys.executable}" "$@" ;; esac
""",
    )
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "cat", "dirname", "df", "awk"):
        (tools / tool).symlink_to(shutil.which(tool))

    done, _ = set_up(checkout, PYTHON=str(bare), PATH=str(tools))

    assert done.returncode == 2
    assert "apt-get install -y python3." in done.stderr
    assert not (checkout / ".venv").exists()


def test_missing_pdf_libraries_are_told_and_do_not_stop_the_set_up(checkout, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "cat", "dirname", "grep", "df", "awk", "id"):
        (tools / tool).symlink_to(shutil.which(tool))

    done, _ = set_up(checkout, LACKING="PDF reports need Pango: install it", PATH=str(tools))

    assert done.returncode == 0, done.stderr
    assert "PDF reports need Pango: install it" in done.stdout


def test_an_environment_that_was_moved_is_made_again(checkout, tmp_path):
    (checkout / ".venv" / "pyvenv.cfg").write_text("command = python -m venv /elsewhere/.venv\n")
    maker = tmp_path / "maker"
    write_script(
        maker,
        f"""#!/bin/sh
case "$*" in
    "-m venv .venv") mkdir -p .venv/bin && cp "{tmp_path}/fresh" .venv/bin/python ;;
    *) exec "{sys.executable}" "$@" ;;
esac
""",
    )
    write_script(tmp_path / "fresh", FAKE_ENVIRONMENT_PYTHON)

    done, log = set_up(checkout, PYTHON=str(maker))

    assert done.returncode == 0, done.stderr
    assert "making it again" in done.stdout
    assert "-e .[dev]" in log
