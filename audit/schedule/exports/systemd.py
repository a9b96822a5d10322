"""A service and its timer for systemd."""

from audit.schedule.exports.clock import Tick

SERVICE = """\
[Unit]
Description=Model audits that are due
Documentation=man:systemd.service(5)
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={command}
# 1: a gate failed. 3: an audit could not be finished. Both should be seen as a failed unit.
TimeoutStartSec={seconds}
# The audit is told first and gets time to stop; what it encoded is kept.
TimeoutStopSec=60
Nice=10
NoNewPrivileges=true
PrivateTmp=true
UMask=0077
"""

TIMER = """\
[Unit]
Description=Look every {minutes} minutes whether model audits are due

[Timer]
OnCalendar=*:0/{minutes}
Persistent=true
RandomizedDelaySec=30

[Install]
WantedBy=timers.target
"""


def systemd_files(tick: Tick) -> dict[str, str]:
    """Return the two units; a service that still runs is not started a second time."""
    command = " ".join(_quoted(word) for word in tick.words)
    seconds = int(tick.limit.total_seconds())
    return {
        "clip-audit.service": SERVICE.format(command=command, seconds=seconds),
        "clip-audit.timer": TIMER.format(minutes=tick.minutes),
    }


def _quoted(word: str) -> str:
    """Quote a word as systemd reads it: its per cent and dollar signs stand for other things."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{word}"' if any(sign in word for sign in " \t'\"\\;") else word
