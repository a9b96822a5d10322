"""The action, the recipes and the hooks use inputs, commands and options that exist."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from audit.cli.main import cli

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "clip-audit"
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
SCRIPT = (ACTION / "audit.sh").read_text(encoding="utf-8")
TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def action() -> dict:
    return yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))


def accept(words: list[str]) -> click.Context:
    """Let click read a command line without running it; it refuses what does not exist."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        command, words = command.commands[words[0]], words[1:]
    return command.make_context(command.name, words)


def test_inputs_are_used_and_nothing_else(action):
    text = (ACTION / "action.yml").read_text()
    used = set(re.findall(r"inputs\.([a-z-]+)", text))

    assert used == set(action["inputs"])
    assert {"plan", "model", "pretrained", "fail-on", "baseline", "waivers", "photos",
            "upload"} <= used  # fmt: skip
    assert [name for name, entry in action["inputs"].items() if entry.get("required")] == ["plan"]


def test_every_input_that_names_an_option_names_one_of_run(action):
    run = {name for p in cli.commands["run"].params for name in p.opts}

    assert {f"--{n}" for n in ("model", "pretrained", "photos", "fail-on", "baseline", "waivers")
            if n in action["inputs"]} <= run  # fmt: skip


def test_variables_of_the_script_are_set_by_the_action(action):
    (step,) = [s for s in action["runs"]["steps"] if s.get("id") == "audit"]
    read = set(re.findall(r"\$\{?([A-Z_]+)", SCRIPT))

    assert read <= set(step["env"]) | {"RUNNER_TEMP", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"}
    assert set(step["env"]) - read == {"CLIP_AUDIT_CACHE"}


def test_no_input_is_pasted_into_a_shell(action):
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_outputs_and_conditions_refer_to_steps_that_exist(action):
    ids = {step["id"] for step in action["runs"]["steps"] if "id" in step}
    text = (ACTION / "action.yml").read_text()

    assert set(re.findall(r"steps\.(\w+)\.", text)) == ids
    assert set(re.findall(r"outputs\.(\w+)", text)) == {"code", "folder"}
    assert r"'code=%s\nfolder=%s\n'" in SCRIPT


@pytest.mark.parametrize("text", [(ACTION / "action.yml").read_text(), PAGE])
def test_actions_of_others_are_pinned_to_commits(text):
    used = re.findall(r"uses: ([\w./-]+)@(\S+)", text)

    assert used
    assert [u for u, at in used if not re.fullmatch(r"[0-9a-f]{40}|COMMIT", at)] == []


def test_the_page_shows_only_inputs_that_exist_and_lists_all(action):
    shown = next(b for b in blocks("yaml") if "OWNER/clip-audit" in b)
    steps = yaml.safe_load(shown)["jobs"]["audit"]["steps"]
    listed = set(re.findall(r"`([a-z-]+)`", PAGE.split("| input |")[1].split("Outputs")[0]))

    assert set(steps[-1]["with"]) <= set(action["inputs"])
    assert set(action["inputs"]) <= listed


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_every_snippet_is_yaml(block):
    assert isinstance(yaml.safe_load(block), dict)


def commands() -> list[str]:
    code = "\n".join(re.findall(r"```[a-z]*\n(.*?)```", PAGE, re.DOTALL))
    lines = re.findall(
        r"^[^#\n]*?(clip-audit (?:init|run|gate|config|baseline)[^#'\n]*)", code, re.M
    )
    inline = re.findall(r"`(clip-audit (?!config check`)[a-z][^`]*)`", PAGE)
    return [re.split(r" (?:\|\||>>?) ", line)[0].strip() for line in (*lines, *inline)]


def test_the_commands_of_the_page_are_found():
    assert len(commands()) >= 10
    assert {line.split()[1] for line in commands()} >= {"init", "run", "gate", "config", "baseline"}


@pytest.mark.parametrize("line", dict.fromkeys(commands()))
def test_click_accepts_every_command_of_the_page(line):
    assert accept(shlex.split(line)[1:])


@pytest.mark.parametrize("block", blocks("bash"))
def test_the_shell_accepts_the_recipe(block):
    done = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


STUB = """#!/usr/bin/env bash
printf '%s\\0' "$@" >> "$CALLS"; printf '\\n' >> "$CALLS"
case "$1" in
  run)
    while [ $# -gt 0 ]; do [ "$1" != --out ] || out="$2"; shift; done
    [ -z "$FILED" ] || { mkdir -p "$out/an audit"; echo {} > "$out/an audit/result.json"; }
    exit "$CODE" ;;
  gate) echo "### Gate: told"; exit "$CODE" ;;
esac
"""


@pytest.fixture
def shell(tmp_path):
    """Run the script of the action with a tool that records how it is called."""
    stub = tmp_path / "bin" / "clip-audit"
    stub.parent.mkdir()
    stub.write_text(STUB)
    stub.chmod(0o755)

    def run(code: int, *, filed: bool, **given: str):
        names = ("calls", "summary", "output")
        files = {name: tmp_path / f"{name} file" for name in names}
        for path in files.values():
            path.write_text("")
        done = subprocess.run(
            ["bash", str(ACTION / "audit.sh")],
            env={
                "PATH": f"{stub.parent}:{os.environ['PATH']}",
                "RUNNER_TEMP": str(tmp_path),
                "CALLS": str(files["calls"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
                "GITHUB_OUTPUT": str(files["output"]),
                "CODE": str(code),
                "FILED": "yes" if filed else "",
                "PLAN": "my plan.toml",
                **given,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        calls = [line.split("\0")[:-1] for line in files["calls"].read_text().splitlines()]
        assert (done.returncode, done.stderr) == (0, "")
        return calls, files["summary"].read_text(), files["output"].read_text()

    return run


EVERY = {
    "MODEL": "ViT-B-32",
    "PRETRAINED": "openai",
    "PHOTOS": "p; rm -rf x.csv",
    "FAIL_ON": "high",
    "BASELINE": "b c.json",
    "WAIVERS": "$(touch x).toml",
    "FORMATS": "html,pdf",
}


@pytest.mark.parametrize("given", [{}, EVERY], ids=["the plan alone", "every input"])
def test_click_accepts_what_the_action_calls(shell, given):
    calls, _, _ = shell(0, filed=True, **given)
    run, gate = (accept(call).params for call in calls)

    assert str(run["plan_path"]) == str(gate["plan_path"]) == "my plan.toml"
    assert run["formats"] == given.get("FORMATS", "html")
    for name in ("fail_on", "baseline", "waivers"):
        wanted = given.get(name.upper(), "none" if name == "fail_on" else "None")
        assert str(run[name]) == str(gate[name]) == wanted
    assert str(run["photos_path"]) == given.get("PHOTOS", "None")
    assert run["model"] == given.get("MODEL", "")


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_code_of_the_audit_is_kept_and_the_gate_is_told(shell, code):
    _, summary, output = shell(code, filed=True)

    assert summary == "### Gate: told\n"
    assert f"code={code}\n" in output
    assert re.search(r"^folder=.*/an audit$", output, re.MULTILINE)


def test_an_audit_that_filed_nothing_is_told_as_no_pass(shell):
    calls, summary, output = shell(2, filed=False)

    assert [call[0] for call in calls] == ["run"]
    assert "this is not a pass" in summary
    assert "code=2\nfolder=\n" in output


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_check_and_never_load_a_model(hook):
    words = shlex.split(hook["entry"])

    assert words[:3] == ["clip-audit", "config", "check"]
    kind = accept([*words[1:], "file"]).params["kind"]
    assert kind in {hook["id"].rpartition("-")[2], hook["id"].rpartition("-")[2].rstrip("s")}
    assert hook["language"] == "system"


FILES = {
    "plan.toml": "plans",
    "audits/faces-plan.toml": "plans",
    "plan-faces.toml": "plans",
    "waivers.toml": "waivers",
    "gate/faces.waivers.toml": "waivers",
    "my-packs/harm/x.yaml": "packs",
    "packs/x.yml": "packs",
    "planning.toml": "",
    "pyproject.toml": "",
    "unpacks/x.yaml": "",
    "config.yaml": "",
}


@pytest.mark.parametrize("name", FILES)
def test_hooks_take_their_own_files(name):
    taken = [hook["id"].rpartition("-")[2] for hook in HOOKS if re.search(hook["files"], name)]

    assert taken == list(filter(None, [FILES[name]]))


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repositories(tmp_path):
    """A repository that has the hooks, and one that uses them."""
    hooks, mine = tmp_path / "hooks", tmp_path / "mine"
    for folder in (hooks, mine):
        folder.mkdir()
        git(folder, "init", "-q")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    git(hooks, "add", ".")
    git(hooks, "commit", "-q", "-m", "hooks")
    (mine / "plan.toml").write_text("sed = 1\n")
    (mine / "good-plan.toml").write_text("seed = 1\n")
    git(mine, "add", ".")
    return hooks, mine


@pytest.mark.skipif(not (TOOLS / "pre-commit").exists(), reason="pre-commit is not installed")
def test_pre_commit_runs_a_hook_and_tells_the_sentence(repositories, tmp_path):
    hooks, mine = repositories

    def try_hook(*names: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TOOLS / "pre-commit", "try-repo", hooks, "clip-audit-plans", "--files", *names],
            cwd=mine,
            env={
                **os.environ,
                "PATH": f"{TOOLS}:{os.environ['PATH']}",
                "PRE_COMMIT_HOME": str(tmp_path / "cache"),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    good, bad = try_hook("good-plan.toml"), try_hook("plan.toml", "good-plan.toml")
    assert good.returncode == 0, good.stdout + good.stderr
    assert bad.returncode == 1
    assert "unknown key sed. Did you mean 'seed'?" in bad.stdout
