"""The doctor names what is wrong and what to do, and never suffers from it."""

import json
import struct
import subprocess
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from audit import machine
from audit.cli import doctor as command
from audit.doctor import Check, Facts, Folder, ModelFile, Outcome, examine
from audit.folders import OUTPUT_FOLDER, cache_folder
from audit.system_libraries import (
    COMMANDS,
    FAMILIES,
    LIBRARIES,
    advice,
    install_command,
    main,
    missing_libraries,
)

GIB = 1024**3
TORCH = {
    "torch": "2.15.0",
    "torchvision": "0.29.2",
    "open_clip": "3.3.0",
    "device": "the CPU",
    "threads": "2",
}
WELL = Facts(
    python=(3, 12, 4),
    prefix="/somewhere/.venv",
    isolated=True,
    strangers={},
    torch=TORCH,
    weasyprint="70.0",
    pdf_advice="",
    fonts={"sans": "a.ttf", "serif": "b.ttf", "hand": "c.ttf", "cjk": ""},
    cache=Folder(path="cache", free=50 * GIB),
    output=Folder(path="audit-runs", free=50 * GIB),
    models=(ModelFile(path="world/model.safetensors", digest="sha256:" + "ab" * 32),),
    cores=2,
    threads_wanted="",
)
NMS = {"failed": "torchvision", "error": "RuntimeError: operator torchvision::nms does not exist"}

AILMENTS: dict[str, tuple[Facts, str, Outcome, str]] = {
    "an old Python": (
        replace(WELL, python=(3, 10, 1)), "Python", Outcome.PROBLEM, "Python 3.11 or newer",
    ),
    "the system's Python": (
        replace(WELL, isolated=False), "Python", Outcome.WARNING, "its own environment",
    ),
    "a stranger's audit package": (
        replace(WELL, strangers={"audit": "/usr/lib/python3/dist-packages"}),
        "packages", Outcome.PROBLEM, "environment of its own",
    ),
    "a torchvision that does not fit": (
        replace(WELL, torch=NMS), "torch pair", Outcome.PROBLEM, "matching pair",
    ),
    "no open_clip": (
        replace(WELL, torch={"failed": "open_clip", "error": "ModuleNotFoundError: no"}),
        "open_clip", Outcome.PROBLEM, "Install",
    ),
    "no Pango": (
        replace(WELL, pdf_advice="PDF reports need Pango: sudo apt-get install x"),
        "PDF reports", Outcome.WARNING, "apt-get install",
    ),
    "no WeasyPrint": (
        replace(WELL, weasyprint=""), "PDF reports", Outcome.WARNING, "Install clip-audit again",
    ),
    "no handwriting-like font": (
        replace(WELL, fonts={**WELL.fonts, "hand": ""}), "fonts", Outcome.PROBLEM, "Install",
    ),
    "a cache that is read-only": (
        replace(WELL, cache=Folder(path="cache", problem="Permission denied")),
        "cache folder", Outcome.PROBLEM, "CLIP_AUDIT_CACHE",
    ),
    "a full disk": (
        replace(WELL, output=Folder(path="audit-runs", free=1024)),
        "output folder", Outcome.PROBLEM, "--out",
    ),
    "a nearly full disk": (
        replace(WELL, cache=Folder(path="cache", free=GIB)),
        "cache folder", Outcome.WARNING, "CLIP_AUDIT_CACHE",
    ),
    "no embedded model": (
        replace(WELL, models=()), "embedded model", Outcome.PROBLEM, "Install",
    ),
    "a damaged embedded model": (
        replace(WELL, models=(ModelFile(path="m", problem="is not a safetensors file"),)),
        "embedded model", Outcome.PROBLEM, "Install",
    ),
    "more threads than cores": (
        replace(WELL, torch={**TORCH, "threads": "64"}),
        "threads", Outcome.WARNING, "OMP_NUM_THREADS=2",
    ),
    "a thread count that is no number": (
        replace(WELL, threads_wanted="all"), "threads", Outcome.WARNING, "whole number",
    ),
}  # fmt: skip


def by_name(facts: Facts) -> dict[str, Check]:
    return {check.name: check for check in examine(facts)}


def test_a_machine_that_lacks_nothing_gets_no_advice():
    assert {check.outcome for check in examine(WELL)} == {Outcome.OK}
    assert not any(check.advice for check in examine(WELL))


@pytest.mark.parametrize("ailment", AILMENTS.values(), ids=AILMENTS.keys())
def test_every_ailment_is_named_with_what_to_do(ailment):
    facts, name, outcome, remedy = ailment

    check = by_name(facts)[name]

    assert check.outcome is outcome
    assert remedy in check.advice


@pytest.mark.parametrize("ailment", AILMENTS.values(), ids=AILMENTS.keys())
def test_an_ailment_does_not_hide_the_other_checks(ailment):
    assert set(by_name(ailment[0])) == set(by_name(WELL))


def test_the_reason_of_a_broken_torch_pair_is_quoted():
    assert (
        "operator torchvision::nms does not exist"
        in by_name(replace(WELL, torch=NMS))["torch pair"].found
    )


def test_a_missing_cjk_font_is_no_problem_but_is_said():
    check = by_name(WELL)["CJK font"]

    assert check.outcome is Outcome.OK
    assert "fonts-noto-cjk" in check.found


def finished(stdout: str = "", stderr: str = "", code: int = 0):
    return lambda _: subprocess.CompletedProcess([], code, stdout=stdout, stderr=stderr)


def test_a_crash_while_importing_torch_is_told_with_its_last_words():
    seen = machine.torch_facts(finished(stderr="...\nIllegal instruction", code=-4))

    assert seen["failed"] == "torch"
    assert "ended with -4: Illegal instruction" in seen["error"]


def test_noise_before_the_answer_is_ignored():
    assert machine.torch_facts(finished("a warning\n" + json.dumps(TORCH))) == TORCH


def test_an_import_that_never_returns_is_told():
    def hang(_: str) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired("python", 180)

    assert "no answer within 180 s" in machine.torch_facts(hang)["error"]


def test_the_probe_names_the_first_import_that_fails(tmp_path):
    (tmp_path / "torch.py").write_text("__version__ = '9'\n")
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('no nms')\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{machine.TORCH_PROBE}"

    seen = machine.torch_facts(lambda _: machine._run_python(code))

    assert seen == {"failed": "torchvision", "error": "RuntimeError: no nms"}


def test_our_rooms_are_no_strangers_and_a_foreign_audit_is():
    assert machine.strangers() == {}
    assert machine.strangers({"audit": "/usr/lib/audit"}) == {"audit": "/usr/lib/audit"}


def test_a_folder_is_tried_and_left_as_it_was(tmp_path):
    folder = machine.look_at_folder(tmp_path / "new" / "deeper")

    assert folder.problem == ""
    assert folder.free > 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path):
    (tmp_path / "taken").write_text("")

    assert "is not a folder" in machine.look_at_folder(tmp_path / "taken" / "runs").problem


def test_a_folder_that_refuses_files_is_told(tmp_path, monkeypatch):
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine.tempfile, "NamedTemporaryFile", refuse)

    assert machine.look_at_folder(tmp_path).problem == "Permission denied"


@pytest.mark.parametrize(("quota", "share"), [("100000 100000", 1), ("50000 100000", 1)])
def test_a_container_with_a_share_of_the_cores_counts_as_that_many(tmp_path, quota, share):
    (tmp_path / "cpu.max").write_text(quota + "\n")

    assert machine.cores(tmp_path / "cpu.max") == share


@pytest.mark.parametrize("quota", ["max 100000", "", "broken"])
def test_a_container_without_a_limit_may_use_every_core(tmp_path, quota):
    (tmp_path / "cpu.max").write_text(quota)

    assert machine.cores(tmp_path / "cpu.max") == machine.cores(tmp_path / "none")


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    path = tmp_path / "world" / "model.safetensors"
    path.parent.mkdir()
    save_file({"weight": np.arange(6, dtype=np.float16).reshape(2, 3)}, path)
    return path


def test_an_embedded_checkpoint_is_named_with_its_digest(checkpoint, tmp_path):
    (model,) = machine.embedded_models(tmp_path)

    assert model.path == "world/model.safetensors"
    assert model.digest.startswith("sha256:")
    assert model.problem == ""


@given(keep=st.integers(min_value=0, max_value=83))
def test_a_checkpoint_cut_anywhere_is_a_problem(tmp_path_factory, keep):
    folder = tmp_path_factory.mktemp("cut")
    save_file({"weight": np.arange(6, dtype=np.float16)}, folder / "whole.safetensors")
    content = (folder / "whole.safetensors").read_bytes()
    assert keep < len(content)
    (folder / "whole.safetensors").write_bytes(content[:keep])

    (model,) = machine.embedded_models(folder)

    assert model.problem
    assert model.digest == ""


def test_a_header_that_is_json_but_no_table_is_a_problem(tmp_path):
    (tmp_path / "odd.safetensors").write_bytes(struct.pack("<Q", 2) + b"[]")

    assert "not a safetensors file" in machine.embedded_models(tmp_path)[0].problem


def test_the_command_exits_3_with_a_problem_and_0_with_warnings(monkeypatch):
    for facts, code in [
        (WELL, 0),
        (replace(WELL, isolated=False), 0),
        (replace(WELL, models=()), 3),
    ]:
        monkeypatch.setattr(command, "gather_facts", lambda facts=facts, **_: facts)

        answer = CliRunner().invoke(command.doctor)

        assert answer.exit_code == code, answer.output
        assert "\x1b" not in answer.output


def test_the_exit_code_reaches_the_shell(monkeypatch):
    monkeypatch.setattr(command, "gather_facts", lambda **_: replace(WELL, models=()))

    with pytest.raises(SystemExit) as end:
        import_module("audit.cli.main").main(["doctor"])

    assert end.value.code == 3


def test_the_command_says_what_to_do_under_the_line_it_belongs_to(monkeypatch):
    monkeypatch.setattr(command, "gather_facts", lambda **_: replace(WELL, models=()))

    lines = CliRunner().invoke(command.doctor).output.splitlines()

    at = next(i for i, line in enumerate(lines) if line.startswith("problem"))
    assert "embedded model" in lines[at]
    assert "Install clip-audit again" in lines[at + 1]
    assert lines[-1] == "Audits cannot run here yet: 1 problem, 0 warnings."


def test_every_library_is_missing_where_nothing_loads():
    assert missing_libraries(lambda _: False) == tuple(LIBRARIES)


def test_one_name_that_loads_is_enough():
    assert missing_libraries(lambda name: name.endswith((".so.0", ".so.1"))) == ()


@pytest.mark.parametrize("system", FAMILIES)
def test_every_known_system_gets_exactly_its_own_command(system):
    assert install_command({"ID": system}) in COMMANDS.values()


def test_an_unknown_system_gets_every_command():
    assert all(command in install_command({"ID": "plan9"}) for command in COMMANDS.values())


def test_the_advice_says_that_html_works_without():
    assert "HTML works without" in advice(("Pango",), {"ID": "debian"})


def test_the_set_up_learns_from_the_exit_code_whether_libraries_are_missing(monkeypatch, capsys):
    for missing, code in [((), 0), (("Pango",), 1)]:
        monkeypatch.setattr("audit.system_libraries.missing_libraries", lambda m=missing: m)

        assert main([]) == code
        assert bool(capsys.readouterr().out) == bool(missing)


def test_the_cache_moves_with_its_variable_and_a_blank_one_means_the_default(tmp_path):
    assert cache_folder({"CLIP_AUDIT_CACHE": str(tmp_path)}) == tmp_path
    assert cache_folder({"CLIP_AUDIT_CACHE": "  "}) == cache_folder({})
    assert cache_folder({}).name == "clip-audit"


def test_the_default_output_folder_never_takes_the_name_of_one_of_our_packages():
    assert str(OUTPUT_FOLDER) not in machine.ROOMS
