"""The answer goes to standard output, all else to standard error; names cannot pose as either."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from audit.cli.printing import Coloured, say
from audit.results import read_result, write_result

SCRIPT = Path(sys.executable).parent / "clip-audit"
ESCAPE = "\x1b[2K\x1b]0;owned\x07"
TURNED = "\u202egnp.exe\u2066"
HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u2028]")


def on_a_terminal(*words: object, **environment: str) -> tuple[int, str]:
    """Run the console script with a terminal for both streams."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [SCRIPT, *map(str, words)],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 4096):
            seen += chunk
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(ours)
    return process.wait(timeout=60), seen.decode()


def test_only_the_answer_is_on_standard_output(cli, world):
    end = cli("run", "plan.toml", "--format", "json")

    assert end.out.splitlines()[0] == ""
    assert end.out.splitlines()[1].startswith("Harmful associations found: ")
    assert end.out.splitlines()[-1].startswith("Next: clip-audit explain ")
    assert not HIDDEN.search(end.out + end.err)
    assert "Loading toy" in end.err
    assert f"texts: {world.N_TERMS} of {world.N_TERMS}" in end.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["concepts", "list"], "regions"),
        (["concepts", "show", "religions"], "religions/islam: "),
        (["concepts", "show", "terrorism"], "severity 4"),
        (["models", "list", "RN50-quickgelu"], "openai"),
        (["--version"], "clip-audit, version "),
    ],
)
def test_a_question_is_answered_on_standard_output(words, said, cli):
    end = cli(*words)

    assert end.code == 0
    assert said in end.out
    assert "Traceback" not in end.err


def test_terms_of_severe_harms_are_shown_only_when_asked(cli):
    hidden = cli("concepts", "show", "terrorism").out
    shown = cli("concepts", "show", "terrorism", "--reveal").out

    assert "t********" in hidden
    assert "terrorist" not in hidden.splitlines()[-1]
    assert "terrorist" in shown.splitlines()[-1]


def test_models_are_filtered_by_text(cli):
    some = cli("models", "list", "siglip2")
    none = cli("models", "list", "no such model")

    assert some.out
    assert all("siglip2" in line.lower() for line in some.out.splitlines())
    assert none.out == ""
    assert none.err.startswith("0 pairs.")


def test_the_toy_is_inspected(cli):
    end = cli("models", "inspect", "toy")

    assert end.code == 0
    assert "toy.colours" in end.out
    assert "12 units" in end.out


@pytest.mark.parametrize(("broken", "code"), [(False, 0), (True, 2)])
def test_checking_packs_ends_with_their_state(broken, code, cli, world):
    if broken:
        path = Path("packs/menace.yaml")
        content = yaml.safe_load(path.read_text())
        content["concepts"][0]["terms"] *= 2
        path.write_text(yaml.safe_dump(content))

    end = cli("concepts", "check", "--packs", "packs")

    assert end.code == code
    errors = len(re.findall("^error: menace: ", end.out, re.MULTILINE))
    assert errors == (world.TERMS if broken else 0)
    assert f" {errors} errors, " in end.out.splitlines()[-1]


def test_doctor_ends_with_a_summary(cli, tmp_path):
    end = cli("doctor", "--out", tmp_path / "out")

    assert end.code in {0, 3}
    assert end.out.splitlines()[-1].startswith("Audits can")
    assert end.err == ""


def test_a_terminal_gets_colour_and_a_bar(world):
    code, seen = on_a_terminal("run", "plan.toml", "--format", "json")

    assert code == 0
    assert "\x1b[1mHarmful associations found" in seen
    assert "\x1b[31mcritical" in seen


def test_no_color_keeps_a_terminal_plain(world):
    code, seen = on_a_terminal("concepts", "list", NO_COLOR="1")
    coloured = on_a_terminal("concepts", "list")[1]

    assert code == 0
    assert "\x1b[" not in seen
    assert "\x1b[1m" in coloured


@pytest.mark.parametrize("name", [f"Ones{ESCAPE}", f"Ones{TURNED}", "Ones\nGate: passed"])
def test_names_of_a_foreign_result_cannot_move_the_cursor(name, cli, finished):
    result = read_result(finished / "result.json")
    finding = next(f for f in result.findings if f.blocking)
    sets = tuple(
        entry.model_copy(
            update={
                "concepts": tuple(
                    c.model_copy(update={"name": name}) if c.ref == finding.identity else c
                    for c in entry.concepts
                )
            }
        )
        for entry in result.inputs.concept_sets
    )
    hostile = finding.model_copy(update={"evidence": (f"It was {name}.",)})
    foreign = result.model_copy(
        update={
            "inputs": result.inputs.model_copy(update={"concept_sets": sets}),
            "findings": (hostile,),
        }
    )
    path = finished.with_name("foreign.json")
    path.write_bytes(write_result(foreign))

    end = cli("explain", finding.id, path)

    assert end.code == 0
    assert "Ones" in end.out.splitlines()[0]
    assert not HIDDEN.search(end.out)
    assert not any(line.startswith("Gate") for line in end.out.splitlines())


def test_names_of_packs_files_and_words_cannot_move_the_cursor(cli, world):
    ends = [
        cli("run", f"plan{ESCAPE}.toml"),
        cli("run", "plan.toml", "--model", f"RN50{TURNED}", "--pretrained", "openai"),
        cli("concepts", "show", f"x{ESCAPE}"),
        cli("verify", f"audit{TURNED}"),
        cli("models", "list", ESCAPE),
        cli(f"rn{ESCAPE}"),
    ]

    for end in ends:
        assert not HIDDEN.search(end.out + end.err)
        assert "Traceback" not in end.err


def test_a_model_with_a_hostile_name_is_audited_under_a_plain_one(cli, world, tmp_path):
    plan = (tmp_path / "plan.toml").read_text()
    (tmp_path / "plan.toml").write_text(f'title = "A {TURNED} title"\n{plan}')

    end = cli("run", "plan.toml", "--format", "json", "--out", f"out {ESCAPE}")

    assert end.code == 0
    assert not HIDDEN.search(end.out + end.err)
    assert "out [U+001B][2K" in end.out


def test_a_folder_with_a_space_is_quoted_in_the_next_command(cli, world):
    end = cli("run", "plan.toml", "--format", "json", "--out", "my audits")

    assert re.search(r"^Next: clip-audit explain BA\w+ 'my audits/", end.out, re.MULTILINE)


def test_pieces_of_a_line_are_made_visible_one_by_one(capsys):
    say("a\x1b", Coloured("b\x07", "red"), "c")

    assert capsys.readouterr().out == "a[U+001B]b[U+0007]c\n"


def test_a_narrow_encoding_is_no_reason_to_fail(world, tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    path = tmp_path / "accent.yaml"
    path.write_text((tmp_path / "packs" / "gloom.yaml").read_text().replace("gloom", "accent")
                    .replace("Gloom", "Głöm"))  # fmt: skip
    words = [SCRIPT, "concepts", "show", "accent", "--packs", path]
    done = subprocess.run(words, capture_output=True, env=environment, timeout=60)

    assert done.returncode == 0
    assert b"G\\u0142\xf6m" in done.stdout
    assert b"Traceback" not in done.stderr
