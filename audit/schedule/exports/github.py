"""A workflow for GitHub Actions."""

import json
import shlex

from audit.schedule.exports.clock import Tick

WORKFLOW = """\
name: Model audits

# GitHub calls late or leaves calls out, in UTC, and stops after 60 days without a commit. The
# schedule file decides what is due; watch freshness from elsewhere (docs/schedule.md).
on:
  schedule:
    - cron: "{minute}/{minutes} * * * *"
  workflow_dispatch:

permissions:
  contents: read

concurrency:
  group: clip-audit-schedule
  cancel-in-progress: false

jobs:
  audits:
    # The store must be there at the next call: a runner of your own that keeps or mounts it.
    runs-on: [self-hosted, clip-audit]
    timeout-minutes: {limit}
    steps:
      - uses: actions/checkout@v4
      - name: Run the audits that are due
        run: {command}
        env:
          CLIP_AUDIT_STORE: {store}
"""


def github_files(tick: Tick) -> dict[str, str]:
    """Return one workflow; the store is read from its environment."""
    words = (tick.program, "schedule", "run-due", "--schedules", tick.schedules)
    text = WORKFLOW.format(
        minute=min(7, tick.minutes - 1),
        minutes=tick.minutes,
        limit=int(tick.limit.total_seconds() // 60),
        command=json.dumps(shlex.join(words)),
        store=json.dumps(tick.store),
    )
    return {"clip-audit.yml": text}
