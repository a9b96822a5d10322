"""Builders for the tests of this room: worlds, judged parts, and tables for ``score``."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from audit.calibrate import MIN_RECALL
from audit.evidence import Cell
from audit.results import ArmRecord, CalibrationRecord, Undefined

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def simulated():
    """The module that draws simulated worlds; benchmarks form no package, so it is loaded."""
    path = ROOT / "benchmarks" / "calibration" / "simulated.py"
    spec = importlib.util.spec_from_file_location("simulated", path)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name while it is being made.
    sys.modules["simulated"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def planted_scores(simulated):
    """Scores of a world in which the first group is strongly tied to the first harm."""
    world = simulated.World(strength=12.0, n_templates=5)
    return simulated.draw_arm(world, np.random.default_rng(1)).scores[0]


@pytest.fixture(scope="session")
def cell_of(planted_scores):
    """A function that makes one contrast of a given effect, in control standard deviations."""

    def make(effect_sd=0.0, *, se_factor=1.0, **changes):
        n_controls, sd = changes.get("n_controls", 40), changes.pop("sd", 0.01)
        se = se_factor * sd * np.sqrt(1 + 1 / n_controls)
        t, df = effect_sd * sd / se, n_controls - 1
        given = {
            "arm": "text", "family": "isles", "identity": "isles/g0", "harm": "harm0",
            "severity": 4, "effect": effect_sd * sd, "se": se, "sd": sd, "t": t, "df": df,
            "p_upper": float(stats.t(df).sf(t)), "p_two_sided": float(2 * stats.t(df).sf(abs(t))),
            "n_identity": 8, "n_harm": 8, "n_controls": n_controls, "scores": planted_scores,
        }  # fmt: skip
        return Cell(**{**given, **changes})

    return make


@pytest.fixture(scope="session")
def arm_of():
    """A function that makes the record of a calibrated arm."""

    def make(arm="text", *, decides=True, recall=MIN_RECALL, role="decides"):
        share = Undefined(undefined="no plant could be made") if recall is None else recall
        calibration = CalibrationRecord(
            tests=320, rejections=16, nominal=0.05, low=0.03, high=0.08, p_value=0.5, passed=True,
            recall_at_delta1=share,
        )  # fmt: skip
        return ArmRecord(
            arm=arm, title=arm, role=role, decides=decides, reason="as the test wants it",
            n_controls=40, n_identity_clusters=64, calibration=calibration,
        )  # fmt: skip

    return make


class ScoreWorld:
    """Images and labels of a small invented world, as ``score`` takes them."""

    def __init__(self, seed=0, n_images=96, n_controls=26, n_terms=5, dim=16):
        rng = np.random.default_rng(seed)
        kinds = [("identity", "crafts", name, "") for name in ("weavers", "smelters")]
        kinds += [("harm", name, "", tier) for name, tier in (("raiding", "4"), ("idling", "2"))]
        kinds += [("control", f"calm{k}", "", "") for k in range(n_controls)]
        rows = [
            {"label": f"{concept or family} word {k}", "role": role, "family": family,
             "severity": tier, "concept": concept}
            for role, family, concept, tier in kinds for k in range(n_terms)
        ]  # fmt: skip
        self.labels = pd.DataFrame(rows)
        self.groups = pd.DataFrame(
            {
                "id": [f"p{i}" for i in range(n_images)],
                "town": [("Ard", "Bel", "Cor")[i % 3] for i in range(n_images)],
                "trade": [("weaver", "smelter")[i // 3 % 2] for i in range(n_images)],
                "age": [("30-39", "10-19", "60+", "")[i // 12 % 4] for i in range(n_images)],
            }
        )
        self.images = rng.normal(size=(n_images, dim)) + 0.5
        self.texts = rng.normal(size=(len(rows), dim)) + 0.5

    @property
    def scores(self):
        """One row per image: id and a cosine per label."""
        pictures = self.images / np.linalg.norm(self.images, axis=1, keepdims=True)
        words = self.texts / np.linalg.norm(self.texts, axis=1, keepdims=True)
        table = pd.DataFrame(pictures @ words.T, columns=list(self.labels["label"]))
        table.insert(0, "id", list(self.groups["id"]))
        return table

    def relabel(self, number, **changes):
        """Change cells of one label."""
        for column, value in changes.items():
            self.labels.loc[number, column] = value

    def add_family(self, role, family, words, severity="", concept=""):
        """Append labels with embeddings of their own."""
        rows = [
            {"label": w, "role": role, "family": family, "severity": severity, "concept": concept}
            for w in words
        ]
        self.labels = pd.concat([self.labels, pd.DataFrame(rows)], ignore_index=True)
        rng = np.random.default_rng(len(self.labels))
        more = rng.normal(size=(len(words), self.texts.shape[1])) + 0.5
        self.texts = np.concatenate([self.texts, more])


@pytest.fixture
def score_world():
    """The class of small worlds for ``score``."""
    return ScoreWorld


@pytest.fixture
def write(tmp_path):
    """A function that writes the wanted files of a world and returns their paths by option."""

    def files(world, *wanted, end=".csv"):
        paths = {}
        for name in wanted:
            value = getattr(world, name)
            path = tmp_path / (name + (".npy" if name in {"images", "texts"} else end))
            if name in {"images", "texts"}:
                np.save(path, value)
            elif end == ".parquet":
                value.to_parquet(path, index=False)
            else:
                value.to_csv(path, index=False)
            paths[name] = str(path)
        return paths

    return files
