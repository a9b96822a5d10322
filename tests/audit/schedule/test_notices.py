"""Somebody is told when something changes; no word of a pack, address or secret ever travels."""

import hashlib
import hmac
import http.server
import json
import sys
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from audit.results import read_result
from audit.schedule import channels
from audit.schedule.changes import Event, Told, changes, read_told
from audit.schedule.channels import Notice, Surroundings, call, send
from audit.schedule.child import Ended
from audit.schedule.errors import NoticeError, TriggerError
from audit.schedule.file import EVENTS, Channel, Schedule
from audit.schedule.ledger import runs
from audit.schedule.notices import body_of, text_of
from audit.schedule.outbox import MOST_TRIES, deliver
from audit.schedule.outcome import audited
from audit.schedule.states import State
from audit.schedule.tables import OUTBOX

STORED = Path(__file__).parents[2] / "specimens" / "result-1.0.json"
HOOKED = """
[[channel]]
id = "ops"
kind = "webhook"
url_env = "OPS_URL"

[[schedule]]
id = "weekly"
owner = "Ada"
timezone = "UTC"
every = "7d"
retries = 0
notify = ["ops"]
ping_env = "PING_URL"
"""
HIGH = [["BA11111111", "high"]]
NOTICE = Notice(key="k 1", event="gate", body='{"what": "The gate fails."}')


@pytest.fixture
def outbox(base):
    def read(event=None):
        with base.read() as connection:
            rows = connection.execute(select(OUTBOX).order_by(OUTBOX.c.id)).all()
        return [row for row in rows if event is None or row.event == event]

    return read


def events(outbox):
    return [row.event for row in outbox() if row.event != "ping"]


def test_nothing_is_told_while_nothing_changes(tick, clock, outbox):
    for _ in range(4):
        tick(HOOKED)
        clock.on(days=7)

    assert events(outbox) == []


def test_a_finding_and_a_gate_are_told_once_and_again_when_they_change(tick, clock, runner, outbox):
    bad = {"code": 1, "high": HIGH}
    worse = {"code": 1, "high": [*HIGH, ["BA22222222", "critical"]]}
    runner.script = [{}, bad, bad, worse, {}]
    told = []
    for _ in range(5):
        before = len(events(outbox))
        tick(HOOKED)
        told.append(events(outbox)[before:])
        clock.on(days=7)

    assert told == [[], ["finding", "gate"], [], ["finding"], ["gate"]]
    (first, second) = (json.loads(row.body) for row in outbox("finding"))
    assert first["findings"] == [{"id": "BA11111111", "about": "high"}]
    assert second["findings"] == [{"id": "BA22222222", "about": "critical"}]


def test_a_failure_to_run_is_told_with_its_kind_and_not_its_words(tick, clock, runner, outbox):
    runner.script = [Ended(code=2, error="ConceptSetError", why="a word of a pack")] * 2
    for _ in range(3):
        tick(HOOKED)
        clock.on(days=7)

    failed, again = (json.loads(row.body) for row in outbox("failure"))
    assert (failed["state"], failed["error"]) == ("failed", "ConceptSetError")
    assert "a word of a pack" not in "".join(row.body for row in outbox())
    assert again["what"] == "Audits are finished again."


def test_what_will_be_tried_again_is_not_told_yet(tick, runner, outbox):
    runner.script = [Ended(code=3, error="OutputError", transient=True)]
    tick(HOOKED.replace("retries = 0", "retries = 1"))

    assert events(outbox) == []


def test_an_audit_that_is_not_to_be_believed_changes_nothing_that_was_known(
    tick, clock, runner, outbox
):
    runner.script = [
        {"code": 1, "high": HIGH},
        {"code": 3, "gate": "passed"},
        {"code": 1, "high": HIGH},
    ]
    for _ in range(3):
        tick(HOOKED)
        clock.on(days=7)

    assert events(outbox) == ["finding", "gate", "failure", "failure"]


def test_a_waiver_that_ends_is_told_once(tick, clock, runner, outbox):
    runner.script = [{"expiring": [["BA1", "2026-01-20"]]}] * 3
    for _ in range(3):
        tick(HOOKED)
        clock.on(days=7)

    assert events(outbox) == ["waiver"]


WAIVER = """
[[waiver]]
finding = "{finding}"
reason = "the product never shows this harm to anybody"
category = "accepted_risk"
owner = "Ada"
approved_by = "Grace"
created = 2026-01-01
expires = {day}
model = "*"
"""


def test_a_waiver_that_ends_between_two_audits_is_told_then(tick, clock, outbox, tmp_path):
    text = HOOKED.replace("[[schedule]]", '[[schedule]]\nwaivers = "w.toml"')
    path = tmp_path / "w.toml"
    path.write_text(WAIVER.format(finding="BA11111111", day="2026-02-01"))
    told = []
    for _ in range(32):
        tick(text)
        told.append(len(outbox("waiver")))
        clock.on(days=1)
    path.write_text(WAIVER.format(finding="a term of a pack", day="2026-03-01"))
    clock.on(days=20)
    tick(text)

    assert told == [0] * 17 + [1] * 15
    first, second = (json.loads(row.body)["findings"] for row in outbox("waiver"))
    assert first == [{"id": "BA11111111", "about": "2026-02-01"}]
    assert second == [{"id": "", "about": "2026-03-01"}]


def test_a_notice_names_the_folder_in_the_store(tick, runner, outbox, tmp_path):
    runner.script = [{"code": 1}]
    tick(HOOKED, keep=lambda folder: tmp_path / "kept")

    assert json.loads(outbox("gate")[0].body)["folder"] == str(tmp_path / "kept")


def test_audits_that_have_become_stale_are_told_and_so_is_their_return(tick, clock, runner, outbox):
    text = HOOKED.replace('every = "7d"', 'trigger = "pack version"\nmax_age = "30d"')
    tick(text, watch=lambda *_: "a")
    for _ in range(3):
        clock.on(days=20)
        tick(text, watch=lambda *_: "a")
    tick(text, watch=lambda *_: "b")

    assert [json.loads(row.body)["what"] for row in outbox("stale")] == [
        "No audit was finished for longer than the schedule allows.",
        "Audits are recent again.",
    ]


def test_a_trigger_that_cannot_be_read_is_told_once(tick, clock, outbox):
    def broken(schedule, home):
        raise TriggerError("gone")

    text = HOOKED.replace('every = "7d"', 'trigger = "pack version"')
    for _ in range(3):
        tick(text, watch=broken)
        clock.on(hours=1)

    assert events(outbox) == ["failure"]


def test_a_channel_gets_what_it_asked_for(tick, runner, outbox):
    runner.script = [{"code": 1, "high": HIGH}]
    tick(HOOKED.replace('"OPS_URL"', '"OPS_URL"\non = ["gate"]'))

    assert events(outbox) == ["gate"]


def test_every_kind_of_change_has_an_event():
    before = Told(gate="passed")
    now = Told(gate="failed", high=(("BA1", "high"),), expiring=(("BA1", "2026-01-01"),),
               failing=True, stale=True)  # fmt: skip

    assert {e.kind for e in changes(before, now)} == set(EVENTS)
    assert read_told(now.text()) == now
    assert read_told("") == Told()


def words_of(result):
    """Every name and term that the specimen holds."""
    concepts = [c for s in result.inputs.concept_sets for c in s.concepts]
    return {w.lower() for c in concepts for w in (c.ref, c.name, *c.terms) if len(w) > 3}


def test_no_term_or_concept_name_is_in_a_notice(tmp_path):
    result = read_result(STORED)
    audit = audited(tmp_path / "audit", result, 1, date(2026, 1, 1))
    schedule = Schedule(id="s", owner="Ada", timezone="UTC", every="1d")
    assert audit.high
    one = Event(kind="finding", what="New blocking findings.", findings=audit.high)
    body = body_of(one, schedule, datetime(2026, 1, 1, tzinfo=UTC), state=State.GATE_FAILED,
                   error="a sentence with words", audit=audit)  # fmt: skip
    told = (body + " ".join(text_of(body))).lower()

    assert words_of(result)
    assert not {w for w in words_of(result) if w in told}
    assert json.loads(body)["error"] == ""
    assert audit.high[0][0] in text_of(body)[1]


def test_only_unwaived_findings_fixed_beforehand_are_told_of(tmp_path):
    result = read_result(STORED)
    ids = {f.id for f in result.findings if f.blocking and f.severity.name in {"HIGH", "CRITICAL"}}
    first = sorted(ids)[0]
    state = SimpleNamespace(finding=first, waived=True)
    waived = result.model_copy(
        update={"gate": result.gate.model_copy(update={"findings": (state,)})}
    )

    assert {f for f, _ in audited(tmp_path, result, 0, date(2026, 1, 1)).high} == ids
    assert {f for f, _ in audited(tmp_path, waived, 0, date(2026, 1, 1)).high} == ids - {first}


def test_a_ping_is_sent_after_an_audit_and_not_after_a_failure(tick, clock, runner, outbox):
    runner.script = [{"code": 1}, {"code": 3}, Ended(code=2)]
    for _ in range(3):
        tick(HOOKED)
        clock.on(days=7)

    assert len(outbox("ping")) == 1


def test_a_notice_that_fails_changes_no_audit_and_is_tried_until_it_arrives(
    tick, desk, clock, runner, base, outbox
):
    runner.script = [{"code": 1}]
    (run,) = tick(HOOKED)
    around = Surroundings(home=Path(), environment={})
    sent = []

    def by(book, letter, around):
        sent.append(letter.key)
        if len(sent) <= 4:
            raise NoticeError("not there")

    for _ in range(200):
        deliver(base, desk(HOOKED).book, around, clock(), by=by)
        clock.on(minutes=1)

    assert runs(base)[0] == run
    assert run.state is State.GATE_FAILED
    assert {row.state for row in outbox()} == {"sent"}
    assert len(sent) == 6
    assert len(set(sent)) == 2


def test_a_notice_is_given_up_after_many_tries_and_its_trouble_kept(
    tick, desk, clock, base, outbox
):
    tick(HOOKED)
    around = Surroundings(home=Path(), environment={})
    for _ in range(MOST_TRIES + 3):
        last = deliver(base, desk(HOOKED).book, around, clock())
        clock.on(hours=7)

    assert last == ()
    assert [(r.state, r.tries) for r in outbox()] == [("given up", MOST_TRIES)]
    assert (
        outbox()[0].trouble == "The ping address must be in the variable PING_URL; it is not set."
    )


def test_two_deliveries_at_once_send_once(tick, desk, clock, base):
    tick(HOOKED)
    sent = []
    around = Surroundings(home=Path(), environment={})

    def slow(book, letter, around):
        sent.append(letter.key)
        deliver(base, book, around, clock(), by=slow)

    deliver(base, desk(HOOKED).book, around, clock(), by=slow)
    assert len(sent) == 1


@pytest.fixture
def server():
    """A receiver that notes what it gets and answers as told."""
    got, answer = [], SimpleNamespace(code=200, location="")

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers.get("Content-Length") or 0)
            got.append((self.path, dict(self.headers), self.rfile.read(length)))
            self.send_response(answer.code)
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            return

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield SimpleNamespace(
        got=got, answer=answer, url=f"http://127.0.0.1:{made.server_port}/hook?token=geheim"
    )
    made.shutdown()
    made.server_close()


HOOK = Channel(id="ops", kind="webhook", url_env="URL", secret_env="KEY")


def test_a_webhook_is_signed_over_its_time_and_body(server):
    send(HOOK, NOTICE, Surroundings(home=Path(), environment={"URL": server.url, "KEY": "k"}))
    ((_, headers, body),) = server.got
    signed = f"{headers['X-Clip-Audit-Timestamp']}.".encode() + body

    assert body.decode() == NOTICE.body
    assert headers["X-Clip-Audit-Delivery"] == "k 1"
    assert headers["X-Clip-Audit-Signature"] == (
        "sha256=" + hmac.new(b"k", signed, hashlib.sha256).hexdigest()
    )


@pytest.mark.parametrize("code", [302, 404, 500])
def test_a_refusal_or_redirect_is_told_without_the_address(server, code):
    server.answer.code, server.answer.location = code, server.url + "&elsewhere"
    with pytest.raises(NoticeError, match=f"answered with {code}") as refused:
        send(HOOK, NOTICE, Surroundings(home=Path(), environment={"URL": server.url, "KEY": "k"}))
    assert "geheim" not in str(refused.value)
    assert len(server.got) == 1


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/?token=geheim", "ftp://x/geheim", "file:///geheim", "http://[geheim",
     "http://no such host/geheim", "https://geheim\r\nX: y"],
)  # fmt: skip
def test_an_address_that_cannot_be_reached_is_never_shown(address):
    with pytest.raises(NoticeError) as refused:
        call(address)
    assert "geheim" not in str(refused.value)


def test_a_ping_is_a_call(server):
    call(server.url)
    assert [path for path, _, _ in server.got] == ["/hook?token=geheim"]


def test_an_address_may_lie_in_a_file(tmp_path, server):
    (tmp_path / "url").write_text(server.url + "\n")
    send(
        Channel(id="ops", kind="webhook", url_file="url"),
        NOTICE,
        Surroundings(home=tmp_path, environment={}),
    )
    assert len(server.got) == 1
    assert "X-Clip-Audit-Signature" not in server.got[0][1]


@pytest.mark.parametrize("content", [None, " \n"])
def test_an_address_that_is_not_there_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "url").write_text(content)
    with pytest.raises(NoticeError, match="must be in the file url"):
        send(
            Channel(id="ops", kind="webhook", url_file="url"),
            NOTICE,
            Surroundings(home=tmp_path, environment={}),
        )


@pytest.mark.parametrize(
    ("code", "told"),
    [("import sys; assert sys.stdin.read()", None), ("raise SystemExit(3)", "ended with 3")],
)
def test_a_command_gets_the_notice(tmp_path, code, told):
    channel = Channel(id="c", kind="command", command=(sys.executable, "-c", code))
    around = Surroundings(home=tmp_path, environment={})
    if told is None:
        assert send(channel, NOTICE, around) is None
    else:
        with pytest.raises(NoticeError, match=told):
            send(channel, NOTICE, around)


def test_a_command_that_is_not_there_or_hangs_is_told(tmp_path, monkeypatch):
    around = Surroundings(home=tmp_path, environment={})
    with pytest.raises(NoticeError, match="could not be started"):
        send(Channel(id="c", kind="command", command=("./none",)), NOTICE, around)
    monkeypatch.setattr(channels, "SECONDS", 0.1)
    with pytest.raises(NoticeError, match="took longer"):
        send(Channel(id="c", kind="command", command=("sleep", "9")), NOTICE, around)


def test_apprise_gets_title_and_text(monkeypatch, tmp_path):
    apprise = pytest.importorskip("apprise")
    told = []
    monkeypatch.setattr(apprise.Apprise, "notify", lambda self, **kw: told.append(kw) or True)
    channel = Channel(id="a", kind="apprise", url_env="URL")
    body = json.dumps({"schedule": "s", "what": "The gate fails.", "findings": [], "counts": {}})
    notice = Notice(key="k", event="gate", body=body)
    send(
        channel, notice, Surroundings(home=tmp_path, environment={"URL": "json://localhost/geheim"})
    )

    assert told == [{"title": "clip-audit s: The gate fails.", "body": "The gate fails."}]
    with pytest.raises(NoticeError, match="none that apprise knows") as refused:
        send(channel, notice, Surroundings(home=tmp_path, environment={"URL": "geheim"}))
    assert "geheim" not in str(refused.value)


def test_without_apprise_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(NoticeError, match=r"clip-bias-audit\[notify\]"):
        send(
            Channel(id="a", kind="apprise", url_env="URL"),
            NOTICE,
            Surroundings(home=tmp_path, environment={"URL": "json://localhost"}),
        )


def test_neither_address_nor_secret_reaches_the_database(tick, desk, clock, base, tmp_path, runner):
    runner.script = [{"code": 1}]
    tick(HOOKED)
    around = Surroundings(
        home=tmp_path,
        environment={
            "OPS_URL": "http://127.0.0.1:1/geheim",
            "PING_URL": "http://127.0.0.1:1/geheim",
        },
    )
    troubles = deliver(base, desk(HOOKED).book, around, clock())
    base.close()
    kept = b"".join(p.read_bytes() for p in (tmp_path / "store").iterdir() if p.is_file())

    assert len(troubles) == 2
    assert b"could not be reached" in kept
    assert b"geheim" not in kept + "".join(troubles).encode()
