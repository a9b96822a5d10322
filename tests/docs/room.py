"""A folder in which the commands of the pages can be executed: what they name is there."""

import hashlib
import importlib.util
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import fsspec
import numpy as np
import pandas as pd
from PIL import Image
from safetensors.numpy import save_file

from audit.cli.main import main
from audit.folders import cache_folder
from concept_sets.object_store import read_stored_photos
from probes.backends.toy import LAYER, LETTERS, ToyEncoder
from probes.encoder import EncoderIdentity
from reports.as_outcomes import about_template
from reports.governance import blank

TESTS = Path(__file__).parents[1]
UNITS, DIM = 8, 16
STORE = "memory://walked/faces"
SCHEDULES = """\
store = "kept"

[[schedule]]
id = "nightly"
owner = "Ada Example"
timezone = "Europe/Berlin"
cron = "30 2 * * *"
plan = "plan.toml"
formats = ["json"]
retries = 0
"""
WAIVER = """\
[[waiver]]
finding = "{finding}"
reason = "The product never shows pictures of this group; ticket 1287 tracks it."
category = "mitigated_downstream"
owner = "Ada Example"
approved_by = "Grace Example"
created = {created}
expires = {expires}
model = "*"
"""
QUICK = "[causal]\ncheck = false\n[typography]\ncheck = false\nstroop = false\n"


def load(path: Path, name: str) -> ModuleType:
    """Tests form no package, so what they share is loaded from its file."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


small_world = load(TESTS / "specimens" / "small_world.py", "walked_small_world")


class Weighted(ToyEncoder):
    """A toy that counts the planted letter more or less: what another training would do."""

    def __init__(self, name: str, weight: float) -> None:
        super().__init__(name)
        self.weight = weight

    @property
    def identity(self) -> EncoderIdentity:
        plain = super().identity
        if (self._name, self.weight) == ("toy/letters", 1):
            # What a process of its own loads, where nothing stands in the place of models.
            return plain
        own = hashlib.sha256(f"{plain.weights_digest} {self._name} {self.weight}".encode())
        return replace(plain, weights_digest=f"sha256:{own.hexdigest()}")

    def encode_texts(self, texts):
        embeddings = super().encode_texts(texts)
        embeddings[:, LETTERS.index("z")] *= self.weight
        return embeddings


def run(*words: object) -> int:
    """Run ``clip-audit``; the exit code comes back."""
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        return int(end.code or 0)
    raise AssertionError("the command line always exits")


def small_plan(home: Path) -> str:
    """Write packs of invented words and a plan that a toy is audited by in a second or two."""
    small_world.write_packs(home / "packs")
    path = small_world.write_plan(home, rendered="describes", more=QUICK)
    text = path.read_text().replace("[units]", "[units]\npages = 0")
    path.write_text(text.replace("[probes]", "[probes]\nroles = []\ntransfer = false"))
    return path.read_text()


def audit(home: Path, name: str, load_as, *more: object) -> Path:
    """Audit a toy in a room and give the folder a name."""
    load_as(float(name.rpartition("=")[2]))
    words = ["run", home / "plan.toml", "--out", home / "made", "--format", "json", *more]
    assert run(*words) == 0
    (made,) = (home / "made").iterdir()
    return Path(made.rename(home / name.partition("=")[0]))


def furnish(home: Path, load_as) -> None:
    """Put everything into a room; ``load_as`` sets the weight of the toys that are loaded."""
    text = small_plan(home)
    (home / "plans").mkdir()
    (home / "plans" / "faces.toml").write_text(text.replace('["packs"]', '["../packs"]'))
    _extra_pack(home)
    small_world.write_photos(home)
    stock(home)
    read_stored_photos(f"{STORE}/photos.csv", cache_folder())
    rows = np.eye(LAYER.n_units, dtype=np.float32)
    save_file({LAYER.name: rows}, home / "features.safetensors")
    weak, strong = audit(home, "BEFORE=0", load_as), audit(home, "AFTER=3", load_as)
    load_as(1.0)
    audit(home, "DIRECTED=1", load_as, "--directions", home / "features.safetensors")
    audit(home, "AUDIT=1", load_as)
    (home / "audits").mkdir()
    for old, new in {
        weak: "MONDAY BASE EARLIER audits/20260102T030405Z-toy",
        strong: "WEDNESDAY FINE-TUNED",
        home / "AUDIT": "TUESDAY audits/FOLDER",
    }.items():
        for name in new.split():
            shutil.copytree(old, home / name)
    assert run("baseline", weak, "--output", home / "baseline.json") == 0
    (home / "schedules.toml").write_text(SCHEDULES)
    (home / "checkpoint.safetensors").touch()
    _pictures(home / "FOLDER")
    for name in ("my-clip", "DATA", "public-data"):
        (home / name).mkdir()
    (home / "my-clip" / "open_clip_config.json").write_text("{}")
    (home / "my-clip" / "open_clip_model.safetensors").touch()
    _said(home)
    _scores(home)
    _kept(home)


def stock(home: Path) -> None:
    """Put the photos of a room into a store in memory, which each process has for itself."""
    memory = fsspec.filesystem("memory")
    for path in (home / "photos.csv", *home.glob("*.png")):
        memory.pipe_file(f"{STORE}/{path.name}", path.read_bytes())


def _extra_pack(home: Path) -> None:
    (home / "my-packs").mkdir()
    terms = small_world.words(8, seed=7)
    walks = {"id": "walks", "name": "Walks", "kind": "role", "terms": terms}
    small_world.concept_set(home / "my-packs", "walks", "control", [walks])


def _pictures(folder: Path) -> None:
    rng = np.random.default_rng(5)
    for index, name in enumerate(small_world.GROUPS):
        (folder / name).mkdir(parents=True)
        for i in range(8):
            pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            pixels[..., index] = 255
            Image.fromarray(pixels).save(folder / name / f"{i}.png")


def _scores(home: Path) -> None:
    """Write what somebody else computed: scores, embeddings, units and read-outs."""
    world = load(TESTS / "audit" / "conftest.py", "walked_score_world").ScoreWorld(
        n_terms=8, n_images=192, dim=DIM
    )
    for name in ("scores", "groups", "labels"):
        getattr(world, name).to_csv(home / f"{name}.csv", index=False)
    for name, rows in {"images": world.images, "emb": world.images, "texts": world.texts}.items():
        np.save(home / f"{name}.npy", rows)
    rng = np.random.default_rng(3)
    units = rng.normal(size=(len(world.groups), UNITS)).astype(np.float32)
    np.savez(home / "units.npz", a=units, layer4=units)
    frame = pd.DataFrame(units, columns=[str(i) for i in range(UNITS)])
    frame.insert(0, "id", list(world.groups["id"]))
    frame.to_parquet(home / "more.parquet", index=False)
    for name in ("w", "readout"):
        np.save(home / f"{name}.npy", rng.normal(size=(UNITS, DIM)).astype(np.float32))


def _said(home: Path) -> None:
    """Write what people say: statements, a policy, decisions, and a signature."""
    page = (TESTS.parent / "docs" / "crosswalk.md").read_text(encoding="utf-8")
    (policy,) = re.findall(r"```yaml\n(id: our-policy\n.*?)```", page, re.DOTALL)
    (home / "our-policy.yaml").write_text(policy)
    (home / "said.toml").write_text(blank())
    (home / "about.toml").write_text(about_template())
    rng = np.random.default_rng(4)
    people = {
        "sex": rng.choice(["F", "M", ""], 300, p=[0.5, 0.48, 0.02]),
        "race": rng.choice(["ones", "twos", "threes"], 300),
        "hired": rng.choice(["yes", "no"], 300),
        "score": rng.normal(size=300).round(3),
    }
    pd.DataFrame(people).to_csv(home / "decisions.csv", index=False)
    assert run("key", "new", home / "auditor.pem") == 0
    shutil.copytree(home / "AUDIT", home / "SIGNED")
    assert run("sign", home / "SIGNED", "--key", home / "auditor.pem") == 0


def _kept(home: Path) -> None:
    """Make the store and the tracker that commands without an address use."""
    assert run("store", "add", home / "audits" / "20260102T030405Z-toy", "--store",
               home / "kept") == 0  # fmt: skip
    shutil.copytree(home / "kept", home / "audits-kept")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if importlib.util.find_spec("mlflow") is None:
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(f"sqlite:///{home}/mlflow.db", str(home / "unused")).engine.dispose()
