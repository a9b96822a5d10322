"""Audits are logged once, completely, without pictures or passwords, and stay as they are."""

import importlib.util
import socket
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.folder import RESULT, file_digest
from audit.results import read_result
from audit.tracking.addresses import without_secrets
from audit.tracking.entry import entry_of
from audit.tracking.keys import MOST, metric_key, metric_name
from audit.tracking.trackers import TRACKERS
from audit.verify import verify_folder

TO = ("--to", "mlflow", "--tracking-uri")


def runs(client, experiment="clip-audit"):
    home = client.get_experiment_by_name(experiment)
    return list(client.search_runs([home.experiment_id]))


def files(client, run):
    return {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "audit")}


def test_a_run_tells_effects_counts_gate_and_digests(track, audit, uri, client, stored):
    code, out, _ = track(audit, *TO, uri)
    (run,) = runs(client)
    result = read_result(audit / RESULT)
    blocking = [c for c in result.contrasts if c.blocking and isinstance(c.effect_sd, float)]

    assert (code, out.split(":")[0]) == (0, "logged")
    assert f"run {run.info.run_id} of clip-audit" in out
    assert run.info.status == "FINISHED"
    assert run.info.start_time == int(result.run.started.timestamp() * 1000)
    assert run.data.params["plan"] == result.plan.name
    assert run.data.params["model"] == result.model.name
    assert run.data.tags["clip_audit.audit"] == file_digest(audit / RESULT)
    assert run.data.tags["clip_audit.result_digest"] == result.digest
    assert run.data.tags["clip_audit.verdict"] == result.verdict.verdict.value
    assert run.data.tags["clip_audit.version"] == result.tool.version
    assert blocking
    named = {metric_name(key): value for key, value in run.data.metrics.items()}
    for contrast in blocking:
        stem = f"contrast/{contrast.arm}/{contrast.identity}/{contrast.harm}"
        for what in ("effect_sd", "low_sd", "high_sd"):
            assert named[f"{stem}/{what}"] == pytest.approx(getattr(contrast, what))
    found = [f for f in result.findings if f.blocking]
    tiers = ("low", "medium", "high", "critical")
    assert sum(named[f"findings/{tier}"] for tier in tiers) == len(found)
    assert 0 <= named["contrasts/coverage"] <= 1
    assert named["gate/passed"] == float(result.gate.passed)


def test_what_is_undefined_has_no_number(stored, audit):
    entry = entry_of(stored, audit, code=0)
    open_ones = [c for c in stored.contrasts if c.blocking and not isinstance(c.effect_sd, float)]
    changed = stored.model_copy(
        update={
            "contrasts": tuple(
                c.model_copy(update={"low_sd": None}) if c.blocking else c for c in stored.contrasts
            )
        }
    )

    assert not any(name.endswith("low_sd") for name in entry_of(changed, audit, code=0).metrics)
    for contrast in open_ones:
        assert f"contrast/{contrast.arm}/{contrast.identity}/{contrast.harm}/effect_sd" not in (
            entry.metrics
        )


@pytest.mark.parametrize("code", [0, 1, 3])
def test_only_an_audit_that_passed_and_can_be_believed_has_passed(stored, audit, code):
    assert entry_of(stored, audit, code=code).metrics["gate/passed"] == float(code == 0)


def test_pictures_stay_at_home_unless_they_are_asked_for(track, audit, uri, client):
    code, _, err = track(audit, *TO, uri)
    assert code == 0
    assert "pictures.zip, report.html hold pictures and were left out" in err
    (run,) = runs(client)
    assert files(client, run) == {RESULT, "manifest.json", "measurements.csv"}

    assert track(audit, *TO, uri, "--with-pictures", "--experiment", "with")[0] == 0
    (run,) = runs(client, "with")
    assert files(client, run) == {path.name for path in audit.iterdir()}


def test_a_report_without_pictures_goes_along(track, audit_of, uri, client):
    code, _, err = track(audit_of(extra={"report.html": b"<p>told</p>"}), *TO, uri)

    assert (code, err) == (0, "")
    assert "report.html" in files(client, runs(client)[0])


def test_an_audit_is_logged_once_and_the_run_is_named(track, audit, uri, client):
    first = track(audit, *TO, uri)
    again = track(audit, *TO, uri)
    (run,) = runs(client)

    assert (first[0], again[0]) == (0, 0)
    assert again[1].startswith(f"already there: run {run.info.run_id} ")


def test_a_reaudit_with_the_same_numbers_is_another_run(track, audit_of, uri, client, stored):
    later = stored.run.model_copy(update={"host": "another"})
    for folder in (audit_of("one"), audit_of("two", run=later)):
        assert track(folder, *TO, uri)[0] == 0

    told = [run.data.tags for run in runs(client)]
    assert len({tags["clip_audit.audit"] for tags in told}) == 2
    assert len({tags["clip_audit.result_digest"] for tags in told}) == 1


def test_a_run_that_was_cut_is_completed_and_not_doubled(track, audit, uri, client, monkeypatch):
    from mlflow.tracking import MlflowClient

    whole = MlflowClient.log_artifact

    def cut(self, run, path, folder):
        if path.endswith(RESULT):
            raise OSError(28, "No space left on device")
        whole(self, run, path, folder)

    monkeypatch.setattr(MlflowClient, "log_artifact", cut)
    code, out, err = track(audit, *TO, uri)
    assert (code, out) == (3, "")
    assert "No space left on device" in err
    assert runs(client)[0].info.status == "RUNNING"
    monkeypatch.setattr(MlflowClient, "log_artifact", whole)
    code, out, _ = track(audit, *TO, uri)
    (run,) = runs(client)

    assert (code, out.split(":")[0]) == (0, "completed")
    assert run.info.status == "FINISHED"
    key = metric_key("findings/high")
    assert len(client.get_metric_history(run.info.run_id, key)) == 1


def test_the_audit_stays_as_it_is(track, audit, uri):
    before = {path: path.read_bytes() for path in audit.iterdir()}
    track(audit, *TO, uri)

    assert {path: path.read_bytes() for path in audit.iterdir()} == before
    verify_folder(audit)


def test_an_audit_that_was_changed_is_not_logged(track, audit, uri, client):
    (audit / "measurements.csv").write_text("b\n")
    code, out, err = track(audit, *TO, uri)

    assert (code, out) == (3, "")
    assert "was changed after the audit" in err
    assert client.get_experiment_by_name("clip-audit") is None


def test_artifacts_of_a_file_lie_beside_it(track, audit, uri, client, tmp_path):
    track(audit, *TO, uri)

    assert (tmp_path / "mlartifacts").is_dir()
    assert not (tmp_path / "mlruns").exists()


def test_the_address_may_come_from_the_variable_of_the_client(track, audit, uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)

    assert track(audit, "--to", "mlflow")[0] == 0


def test_no_address_is_refused_with_an_example(track, audit):
    code, out, err = track(audit, "--to", "mlflow")

    assert (code, out) == (2, "")
    assert "neither --tracking-uri nor MLFLOW_TRACKING_URI" in err


@pytest.mark.parametrize("uri", ["runs", "file:///tmp/runs", "./mlruns", "gopher://x", "C:\\runs"])
def test_folders_and_unknown_kinds_are_refused(track, audit, uri):
    code, out, err = track(audit, *TO, uri)

    assert (code, out) == (2, "")
    assert "must name a server or a database" in err
    assert not list(Path().glob("mlruns"))


def test_a_database_of_something_else_is_not_filled(track, audit, tmp_path):
    with sqlite3.connect(tmp_path / "ours.db") as ours:
        ours.execute("CREATE TABLE audits (id TEXT)")
    before = (tmp_path / "ours.db").read_bytes()
    code, _, err = track(audit, *TO, "sqlite:///ours.db")

    assert code == 2
    assert "holds audits. Name another file" in err
    assert (tmp_path / "ours.db").read_bytes() == before


@pytest.mark.parametrize(
    "uri", ["sqlite:////nowhere/at/all.db", "postgresql+psycopg://ada:secret@127.0.0.1:9/runs"]
)
def test_a_database_that_does_not_open_is_told_at_once(track, audit, uri):
    code, out, err = track(audit, *TO, uri)

    assert (code, out) == (3, "")
    assert err.startswith("Error: MLflow must take the audit;")
    assert "secret" not in err
    assert len(err.splitlines()) == 1


@pytest.fixture
def refusing_server():
    """A server that hangs up on everybody."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up():
            while True:
                try:
                    listening.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def test_a_server_that_is_away_is_told_without_the_password(
    track, audit, refusing_server, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    before = {path: path.read_bytes() for path in audit.iterdir()}
    address = f"http://ada:s3cr3t@127.0.0.1:{refusing_server}"
    code, out, err = track(audit, *TO, f"{address}/?token=hidden")

    assert (code, out) == (3, "")
    assert f"http://***@127.0.0.1:{refusing_server}/?token=*** gave:" in err
    assert "s3cr3t" not in err
    assert "hidden" not in err
    assert "The audit is as it was" in err
    assert {path: path.read_bytes() for path in audit.iterdir()} == before


@pytest.mark.parametrize("name", TRACKERS)
def test_a_client_that_is_not_installed_is_told_with_the_command(track, audit, monkeypatch, name):
    monkeypatch.setattr("audit.tracking.trackers.find_spec", lambda package: None)
    code, out, err = track(audit, "--to", name, "--tracking-uri", "sqlite:///x.db")

    assert (code, out) == (2, "")
    assert f"pip install clip-bias-audit[{name}]" in err


@pytest.mark.parametrize("name", TRACKERS)
def test_every_tracker_has_its_extra_and_can_be_imported(name):
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    row = TRACKERS[name]

    assert project["optional-dependencies"][row.package]
    assert importlib.util.find_spec(row.publish.partition(":")[0]) is not None


def test_nothing_is_reported_to_the_makers_of_the_client(track, audit, uri):
    import os

    track(audit, *TO, uri)

    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_a_key_is_taken_by_the_tracker_and_read_back(name):
    validation = pytest.importorskip("mlflow.utils.validation")
    key = metric_key(name)

    assert metric_name(key) == name
    if len(key) <= MOST:
        validation._validate_metric_name(key)


@pytest.mark.parametrize(
    "name", [".", "..", "/", "//", "a//b", "/a", "a/", "a/../b", "a:b", "ä", "a.2eb", "100 %"]
)
def test_names_that_a_tracker_refuses_are_mapped(name):
    validation = pytest.importorskip("mlflow.utils.validation")
    validation._validate_metric_name(metric_key(name))

    assert metric_name(metric_key(name)) == name


@given(one=st.text(min_size=1, max_size=9), other=st.text(min_size=1, max_size=9))
def test_two_names_never_share_a_key(one, other):
    if "\ud7ff" < max(one + other) < "\ue000":
        return
    assert (metric_key(one) == metric_key(other)) == (one == other)


def test_a_name_without_letters_is_refused():
    with pytest.raises(ValueError, match="got an empty one"):
        metric_key("")


def test_a_contrast_with_a_very_long_name_goes_by_the_id_of_its_finding(stored, audit):
    longer = stored.model_copy(
        update={
            "contrasts": tuple(
                c.model_copy(update={"identity": c.identity + "é" * 200}) for c in stored.contrasts
            )
        }
    )
    metrics = entry_of(longer, audit, code=0).metrics

    assert all(len(metric_key(name)) <= MOST for name in metrics)
    assert any("/BA" in name for name in metrics)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://u:p@h/x", "https://***@h/x"),
        ("https://token@h/x", "https://***@h/x"),
        ("https://u:p@ss@h/x", "https://***@h/x"),
        ("https://u:p/q@h/x", "https://***@h/x"),
        ("postgresql+psycopg://u:p@h/x?sslpassword=y", "postgresql+psycopg://***@h/x?sslpassword=***"),
        ("https://h/x", "https://h/x"),
        ("sqlite:///runs.db", "sqlite:///runs.db"),
    ],
)  # fmt: skip
def test_addresses_are_shown_without_what_opens_them(text, shown):
    assert without_secrets(f"no answer from {text} yet") == f"no answer from {shown} yet"
