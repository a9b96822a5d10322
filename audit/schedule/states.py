"""The states a run can be in, and what each means."""

from enum import StrEnum


class State(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    QUEUED = "queued"
    WAITING = "waiting"
    INTERRUPTED = "interrupted"
    PASSED = "passed"
    GATE_FAILED = "gate failed"
    UNTRUSTED = "untrusted"
    EVIDENCE_MISSING = "evidence missing"
    FAILED = "failed"
    SKIPPED = "skipped"
    MISSED = "missed"
    SUPERSEDED = "superseded"


MEANING = {
    State.RUNNING: "an audit is under way, and its lease is renewed",
    State.QUEUED: "due while another run of the schedule was under way; it comes next",
    State.WAITING: "it failed for a reason that may pass; it is tried again",
    State.INTERRUPTED: "stopped, or its process died, before an audit was finished; it goes on",
    State.PASSED: "an audit was finished and its gate passed",
    State.GATE_FAILED: "an audit was finished and its gate failed",
    State.UNTRUSTED: "an audit was finished that must not be believed, or whose gate cannot tell",
    State.EVIDENCE_MISSING: "an audit was finished, and evidence that was asked for is missing",
    State.FAILED: "there is no audit: a reason that does not pass, or no tries left",
    State.SKIPPED: "due while another run was under way, and overlap forbids a second",
    State.MISSED: "due while nobody looked, found later than grace allows, and misfire says skip",
    State.SUPERSEDED: "a newer slot came before it could go on",
}  # fmt: skip

OPEN = (State.RUNNING, State.QUEUED, State.WAITING, State.INTERRUPTED)
"""States that another one follows."""

AUDITED = (State.PASSED, State.GATE_FAILED)
"""Ends that count as an audit: what was asked is answered, whatever the answer."""

OF_CODE = {0: State.PASSED, 1: State.GATE_FAILED, 3: State.UNTRUSTED, 4: State.EVIDENCE_MISSING}
"""Exit code of a command that wrote an audit folder, to the state."""
