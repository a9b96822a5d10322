"""A new user, in order: plan, gate, baseline, a worse model, waiver, store, schedule."""

import importlib.util
import io
import re
import shlex
import sys
from pathlib import Path

import pytest


def load(name):
    """Tests form no package, so what they share is loaded from its file, once."""
    if name not in sys.modules:
        path = Path(__file__).with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


DOCUMENTED = load("documented").documented()
ROOM = load("room")
SCHEDULE = """\
[[schedule]]
id = "weekly"
owner = "Ada Example"
timezone = "UTC"
every = "7d"
plan = "plan.toml"
formats = ["json"]
waivers = "waivers.toml"
fail_on = "high"
"""
INVENTED = """\
[concepts]
builtin = false
folders = ["packs"]
identities = ["*"]
harms = ["*"]

[[blocking]]
identities = ["people/ones"]
harms = ["severity>=2"]

[arms]
rendered = "off"

[probes]
roles = []
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder, a store and a cache of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIP_AUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CLIP_AUDIT_STORE", "kept")
    monkeypatch.setattr("reports.as_pdf.render", lambda *_, **__: b"%PDF- stands for one")
    return tmp_path


@pytest.fixture
def say(capsys):
    """Type a line that a page shows, with one's own words for its placeholders; read the answer."""

    def typed(line, code=0, **own):
        assert line in DOCUMENTED, "the pages do not show this line any more: mend the story"
        for printed, word in own.items():
            line = re.sub(rf"(?<!\S){re.escape(printed)}(?!\S)", str(word), line)
        capsys.readouterr()
        ended = ROOM.run(*shlex.split(line)[1:])
        streams = capsys.readouterr()
        assert ended == code, f"{line}\n{streams.out}{streams.err}"
        return streams.out

    return typed


def newest(folder="audit-runs"):
    return max(Path(folder).iterdir(), key=lambda path: path.stat().st_mtime_ns)


def edit_plan(home):
    """Ask about invented groups, as a user would edit the file, and leave the rest as it was."""
    text = (home / "plan.toml").read_text()
    head, rest = text.split("[concepts]")
    _, rest = rest.split("[gate]")
    (home / "plan.toml").write_text(f"{head}{INVENTED}\n[gate]{rest}")
    ROOM.small_world.write_packs(home / "packs")


@pytest.mark.slow
def test_a_new_user_gates_waives_keeps_and_repeats(home, say, toys, monkeypatch):
    answers = ("toy", "none", "regions", "terrorism", "none", "severe")
    with monkeypatch.context() as terminal:
        terminal.setattr(sys, "stdin", io.StringIO("".join(f"{a}\n" for a in answers)))
        terminal.setattr("audit.cli.init.is_terminal", lambda: True)
        assert "a plan with" in say("clip-audit init plan.toml")
    edit_plan(home)
    assert 'harms = ["severity>=2"]' in say("clip-audit config explain --plan plan.toml")

    # The first model has no link; it passes, and is remembered.
    toys(0.0)
    assert "Gate: passed" in say("clip-audit run plan.toml --fail-on high")
    clean = newest()
    say("clip-audit baseline AUDIT --output baseline.json", AUDIT=clean)

    # The second has one: the gate fails by itself and against the baseline.
    toys(1.0)
    assert "Gate: FAILED" in say("clip-audit run plan.toml --fail-on high", 1)
    worse = newest()
    new = "clip-audit run plan.toml --fail-on-new medium --baseline baseline.json"
    assert "Gate: FAILED" in say(new, 1)
    told = say("clip-audit compare BEFORE AFTER", BEFORE=clean, AFTER=worse)
    assert " 1 new" in told
    say("clip-audit compare BASE FINE-TUNED --fail-on worse", 1, BASE=clean,
        **{"FINE-TUNED": worse})  # fmt: skip
    (finding,) = set(re.findall(r"BA[0-9a-f]{8}", told))
    explained = say("clip-audit explain BA1234 audits/FOLDER",
                    **{"BA1234": finding, "audits/FOLDER": worse})  # fmt: skip
    assert "Evidence:" in explained

    # Two people accept it for a while: the gate passes, the finding stays.
    (waive,) = (line for line in DOCUMENTED if line.startswith("clip-audit waive BA"))
    say(waive, BA13295b34=finding, AUDIT=worse)
    assert "active" in say("clip-audit waive --list --audit AUDIT", AUDIT=worse)
    gate = "clip-audit gate AUDIT --fail-on high --waivers waivers.toml"
    assert "Gate: passed" in say(gate, AUDIT=worse)
    say("clip-audit report audits/FOLDER --format sarif,junit", **{"audits/FOLDER": worse})
    say("clip-audit verify audits/FOLDER", **{"audits/FOLDER": worse})

    # Both are kept. What was kept last failed its gate, and the waiver came later.
    for audit in (clean, worse):
        say("clip-audit store add audits/FOLDER", **{"audits/FOLDER": audit})
    assert finding in say("clip-audit history")
    check = "clip-audit check --model RN50/openai --max-age 90d"
    say(check, 1, **{"RN50/openai": "toy/letters"})

    # From now on it repeats, by the same rules and with the waiver.
    (home / "schedules.toml").write_text(SCHEDULE)
    assert "stale" in say("clip-audit schedule check", 4)
    assert "weekly: " in say("clip-audit schedule run-due")
    assert say("clip-audit schedule run-due") == ""
    assert "passed" in say("clip-audit schedule list")
    assert "fresh" in say("clip-audit schedule check")
    say(check, **{"RN50/openai": "toy/letters"})
    assert "3 audits" in say("clip-audit store verify")
    assert "toy/letters: 3 audits, 2 different weights" in say("clip-audit history")
