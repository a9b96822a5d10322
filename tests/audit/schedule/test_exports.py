"""What other clocks get: the same files for the same schedule, read by their own readers."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cronsim import CronSim

from audit.schedule.exports import EXPORTS, Tick
from audit.schedule.exports.clock import longest

GOLDEN = Path(__file__).parent / "golden"
TICK = Tick(
    program="/opt/clip audit/bin/clip-audit",
    schedules="/etc/clip-audit/100%.toml",
    store="/var/lib/clip-audit/store",
    minutes=15,
    limit=timedelta(hours=12, minutes=30),
    image="registry.example/clip-audit:1.0",
)
NIGHTLY = """
[[schedule]]
id = "nightly"
owner = "Ada"
timezone = "Europe/Berlin"
cron = "30 2 * * *"
timeout = "2h"
"""


@pytest.mark.parametrize("clock", EXPORTS)
def test_files_are_the_ones_that_were_looked_at(clock):
    for name, text in EXPORTS[clock](TICK).items():
        assert text == (GOLDEN / name).read_text(), name
        assert not re.search(r"[ \t]$", text, re.MULTILINE)


def test_one_call_may_take_as_long_as_every_audit_of_the_file(book):
    two = NIGHTLY + NIGHTLY.replace("nightly", "second") + "enabled = false\n"

    assert longest(book(two)) == timedelta(hours=2, minutes=30)


def test_cron_calls_as_often_as_asked_and_keeps_the_per_cent_sign():
    (line,) = [
        one for one in EXPORTS["cron"](TICK)["clip-audit.crontab"].splitlines() if one[0] != "#"
    ]
    calls = CronSim(" ".join(line.split()[:5]), datetime(2026, 1, 1, tzinfo=UTC))

    assert next(calls) + timedelta(minutes=15) == next(calls)
    assert r"/100\%.toml" in line
    assert "'/opt/clip audit/bin/clip-audit'" in line


def test_systemd_accepts_its_units(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    program = tmp_path / "clip-audit"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    tick = Tick(program=str(program), schedules="/etc/100% sure.toml", store="/s", minutes=15,
                limit=timedelta(hours=1))  # fmt: skip
    units = []
    for name, text in EXPORTS["systemd"](tick).items():
        (tmp_path / name).write_text(text)
        units.append(str(tmp_path / name))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert [line for line in done.stderr.splitlines() if "clip-audit" in line] == []
    assert done.returncode == 0, done.stderr
    timer = ["systemd-analyze", "calendar", "*:0/15"]
    assert subprocess.run(timer, capture_output=True, check=False).returncode == 0


def test_github_reads_a_workflow_that_waits_its_turn_and_may_only_read():
    (text,) = EXPORTS["github-actions"](TICK).values()
    flow = yaml.safe_load(text)
    (call,) = flow[True]["schedule"]
    job = flow["jobs"]["audits"]

    assert next(CronSim(call["cron"], datetime(2026, 1, 1, tzinfo=UTC))).minute == 7
    assert flow["permissions"] == {"contents": "read"}
    assert flow["concurrency"]["cancel-in-progress"] is False
    assert job["timeout-minutes"] == 750
    assert job["steps"][-1]["env"] == {"CLIP_AUDIT_STORE": TICK.store}
    assert "schedule run-due" in job["steps"][-1]["run"]


def test_kubernetes_reads_a_job_that_never_overlaps_and_never_gives_up():
    (text,) = EXPORTS["kubernetes"](TICK).values()
    job = yaml.safe_load(text)
    spec, pod = job["spec"], job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] == 600
    assert spec["jobTemplate"]["spec"] | {"template": None} == {
        "backoffLimit": 0, "activeDeadlineSeconds": 45_000, "template": None,
    }  # fmt: skip
    assert container["args"][:2] == ["schedule", "run-due"]
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    assert pod["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize("image", ["a:b", 'x"\n  evil: true', "y: z"])
def test_an_image_is_a_word_and_nothing_else(image):
    tick = replace(TICK, image=image)
    job = yaml.safe_load(EXPORTS["kubernetes"](tick)["clip-audit-cronjob.yaml"])
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    assert pod["containers"][0]["image"] == image
    assert json.dumps(job)
