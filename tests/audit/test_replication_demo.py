"""The planted links of the embedded model, looked for in its twin and in a renumbered copy."""

import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from audit.cli.main import main
from audit.results import AuditResult, read_result
from concept_sets.catalog import load_library
from concept_sets.world.drawing import write_photos
from probes.backends.naming import EMBEDDED_FOLDER

WORLD = Path(str(files("concept_sets") / "world" / "library"))

PLAN = """\
schema_version = 1
name = "two models"
[model]
name = "embedded:demo"
[concepts]
builtin = false
folders = ["{folder}"]
identities = ["*"]
harms = ["*"]
control_kinds = ["profession", "role", "place", "everyday"]
[[blocking]]
identities = ["*"]
harms = ["severity>=3"]
[photos]
path = "{photos}"
[units]
renderings = 2
pages = 0
[probes]
roles = []
transfer = false
[causal]
matched_sets = 19
max_pictures = 24
[typography]
check = false
stroop = false
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two-models")
    library = load_library((WORLD,), builtin=False)
    refs = {c.id: c.ref for s in library.sets for c in s.concepts}
    photos = write_photos(folder / "photos", refs=refs, seed=5, photos_per_person=1)
    (folder / "plan.toml").write_text(PLAN.format(folder=WORLD, photos=photos))
    return folder


def audited(home: Path, name: str, other: str) -> AuditResult:
    words = ["run", home / "plan.toml", "--format", "json", "--cache", home / "cache"]
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in [*words, "--out", home / name, "--other", other]])
    assert not end.value.code
    (path,) = (home / name).glob("*/result.json")
    return read_result(path)


@pytest.fixture(scope="module")
def beside_twin(home: Path) -> AuditResult:
    return audited(home, "twin", "embedded:twin")


@pytest.fixture(scope="module")
def copy(home: Path) -> tuple[Path, torch.Tensor]:
    """The embedded model with the channels of its last layer in another order."""
    folder = home / "renumbered"
    shutil.copytree(EMBEDDED_FOLDER / "demo", folder)
    weights = folder / "open_clip_model.safetensors"
    tensors = load_file(weights)
    n = tensors["visual.attnpool.positional_embedding"].shape[1]
    order = torch.randperm(n, generator=torch.Generator().manual_seed(1))
    written = re.compile(r"visual\.layer4\.0\.(conv3\.weight|bn3\.|downsample\.[01]\.)")
    read = re.compile(r"visual\.attnpool\.(positional_embedding|[qkv]_proj\.weight)")
    for name, tensor in tensors.items():
        if written.match(name) and tensor.ndim:
            tensors[name] = tensor[order].contiguous()
        elif read.match(name):
            tensors[name] = tensor[:, order].contiguous()
    save_file(tensors, weights)
    return folder, order


@pytest.mark.slow
def test_planted_links_are_not_in_the_twin_and_the_findings_say_so(beside_twin):
    record = beside_twin.other_model

    assert len(record.findings) == len(beside_twin.findings) == 3
    for finding, one in zip(beside_twin.findings, record.findings, strict=True):
        assert {effect.answer for effect in one.effects} == {"not there"}
        assert all(effect.high < effect.here for effect in one.effects)
        assert "Another model, embedded:twin, does not show this link" in " ".join(
            finding.counter_evidence
        )
        assert not any("Another model" in line for line in finding.evidence)


@pytest.mark.slow
def test_the_silenced_units_are_those_that_were_asked_about(beside_twin):
    for one, silenced in zip(beside_twin.other_model.findings, beside_twin.causal, strict=True):
        assert {*one.units, *one.without_partner} == set(silenced.units)


@pytest.mark.slow
def test_the_twin_shares_some_units_and_not_most(beside_twin):
    record = beside_twin.other_model

    assert 0.2 < record.matched < 0.5
    assert record.correlation > 3 * record.by_chance


@pytest.mark.slow
def test_planted_links_replicate_in_a_renumbered_copy_with_every_unit_matched(home, copy):
    folder, order = copy
    result = audited(home, "copy", f"local-dir:{folder}")
    place = {int(unit): new for new, unit in enumerate(order)}

    assert result.other_model.matched == 1.0
    for finding, one in zip(result.findings, result.other_model.findings, strict=True):
        assert one.partners == tuple(place[unit] for unit in one.units)
        assert one.without_partner == ()
        assert one.carries
        assert {effect.answer for effect in one.effects} == {"there"}
        assert any("shows this link too" in line for line in finding.evidence)
