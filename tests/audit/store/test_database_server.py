"""The server of the tests is found, runs as nobody special, and is missed where it must not be."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SPEC = importlib.util.spec_from_file_location("server", Path(__file__).with_name("conftest.py"))
SERVER = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(SERVER)


@pytest.mark.parametrize("ci", ["true", "1"])
def test_a_missing_server_fails_in_continuous_integration(monkeypatch, ci):
    monkeypatch.setenv("CI", ci)

    with pytest.raises(pytest.fail.Exception, match=r"No server here\. `bash"):
        SERVER.lacking("No server here.")


@pytest.mark.parametrize("ci", ["", "false"])
def test_a_missing_server_is_told_and_skipped_elsewhere(monkeypatch, ci):
    monkeypatch.setenv("CI", ci)

    with pytest.raises(pytest.skip.Exception, match=r"No server here\."):
        SERVER.lacking("No server here.")


def test_the_newest_server_of_debian_is_found_without_a_path(monkeypatch):
    installed = [f"/usr/lib/postgresql/{version}/bin/initdb" for version in ("9.6", "15", "17")]
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(Path, "glob", lambda self, pattern: map(Path, installed))

    assert SERVER.server_binaries() == Path("/usr/lib/postgresql/17/bin")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs commands as somebody else")
@pytest.mark.parametrize("name", ["runuser", "setpriv", "su"])
def test_each_way_of_not_being_root_runs_the_words_as_they_are(name, tmp_path):
    path = shutil.which(name, path=SERVER.ROOTS_PATH)
    if path is None:
        pytest.skip(f"no {name} here")
    (tmp_path / name).symlink_to(path)
    before = SERVER.as_user("nobody", str(tmp_path))
    words = ["sh", "-c", 'id -un; printf "%s\\n" "$@"', "it", "-c listen=''", "a b"]
    done = subprocess.run([*before, *words], capture_output=True, text=True, check=True, cwd="/")

    assert before[0] == str(tmp_path / name)
    assert done.stdout.splitlines() == ["nobody", "-c listen=''", "a b"]


def test_nothing_installed_is_nobody_to_run_it_as(tmp_path):
    assert SERVER.as_user("nobody", str(tmp_path)) is None


APT = """#!/bin/sh
echo "$*" >> "$HERE/asked"
case "$*" in *install*)
    cp "$HERE/postgresql-common/createcluster.d/clip-audit-tests.conf" "$HERE/meanwhile"
    mkdir -p "$HERE/postgresql/15/bin" && : > "$HERE/postgresql/15/bin/initdb" ;;
esac
"""


def set_up(folder: Path, *tools: str) -> subprocess.CompletedProcess[str]:
    """Run the script with these programs alone, and the folder in the place of the system's."""
    for tool in tools:
        (folder / tool).symlink_to(shutil.which(tool))
    script = (ROOT / ".ci" / "services.sh").read_text()
    for place in ("/usr/lib", "/etc"):
        script = script.replace(f"{place}/postgresql", f"{folder}/postgresql")
    return subprocess.run(
        [shutil.which("bash"), "-c", script],
        env={"PATH": str(folder), "HERE": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_root_gets_the_server_without_one_that_runs(tmp_path):
    script(tmp_path / "apt-get", APT)
    script(tmp_path / "id", "#!/bin/sh\necho 0\n")
    done = set_up(tmp_path, "sh", "env", "mkdir", "tee", "rm", "cp")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Could not" not in done.stdout
    assert (tmp_path / "asked").read_text().splitlines()[-1].endswith("recommends postgresql")
    assert (tmp_path / "meanwhile").read_text() == "create_main_cluster = false\n"
    assert list((tmp_path / "postgresql-common" / "createcluster.d").iterdir()) == []


def test_where_nothing_may_be_installed_the_set_up_says_so_and_ends_well(tmp_path):
    done = set_up(tmp_path, "id")

    assert (done.returncode, done.stderr) == (0, "")
    assert "apt-get install -y postgresql). Tests that need it are skipped" in done.stdout


def test_a_server_that_is_there_is_left_alone(tmp_path):
    binary = tmp_path / "postgresql" / "15" / "bin" / "initdb"
    binary.parent.mkdir(parents=True)
    binary.touch()
    done = set_up(tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
