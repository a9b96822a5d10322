"""``clip-audit run --other``: a second model in which the links of findings are looked for."""

import pytest

from audit.cli.second_model import with_other
from audit.errors import PlanError
from audit.plan import validate_plan

SECTION = "[replication]\nname = {name!r}\n"


@pytest.fixture
def quick(world, tmp_path):
    """The small plan without what is not looked at here."""
    more = "[causal]\ncheck = false\n[typography]\ncheck = false\nstroop = false\n"
    world.write_plan(tmp_path, rendered="describes", more=more)
    return world


def test_a_second_model_is_loaded_shown_the_same_and_named_in_the_result(quick, cli, checkpoint):
    home = checkpoint("resnet")
    end = cli("run", "plan.toml", "--format", "json", "--other", f"local-dir:{home}")

    assert end.code == 0
    assert "as a second model" in end.err
    assert "Showing the same stimuli to" in end.err
    other = end.result.other_model
    assert other is not None
    assert other.weights_digest != end.result.model.weights_digest
    assert {one.finding for one in other.findings} == {f.id for f in end.result.findings}
    assert end.result.plan.resolved["replication"]["name"] == f"local-dir:{home}"
    layer = end.result.model.layers[0].name
    told = cli("unit", end.folder, f"{layer}:0").out
    assert told.count("Monosemanticity in ") == 1
    assert "(likeness to a second model)" in told


def test_the_plan_names_the_second_model_as_well(quick, cli, checkpoint, tmp_path):
    home = checkpoint("resnet")
    with (tmp_path / "plan.toml").open("a") as plan:
        plan.write(SECTION.format(name=f"local-dir:{home}"))

    assert cli("run", "plan.toml", "--format", "json").result.other_model is not None


def test_a_model_is_not_its_own_witness_and_nothing_is_encoded(quick, cli):
    end = cli("run", "plan.toml", "--format", "json", "--other", "toy")

    assert end.code == 2
    assert "A second model must have weights of its own, since no model is its own" in end.err
    assert "encoded now" not in end.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--other-pretrained", "laion2b"], "--other-pretrained needs --other"),
        (["--other", "embedded:nobody"], "No embedded model is called 'nobody'"),
    ],
)
def test_what_cannot_be_loaded_is_refused_before_anything_is_encoded(quick, cli, words, sentence):
    end = cli("run", "plan.toml", "--format", "json", *words)

    assert end.code == 2
    assert sentence in " ".join(end.err.split())
    assert "encoded now" not in end.err


def test_a_second_model_that_was_never_trained_is_refused(quick, cli, checkpoint):
    def untrained(tensors):
        for name, tensor in tensors.items():
            if ".bn" in name or "downsample.1" in name or ".ln_" in name or "ln_final" in name:
                tensor.fill_(1.0 if name.endswith(("weight", "running_var")) else 0)
        return tensors

    home = checkpoint("resnet", change=untrained)
    end = cli("run", "plan.toml", "--format", "json", "--other", f"local-dir:{home}")

    assert end.code == 3
    assert "was saved before training" in end.err


def test_a_layer_that_the_second_model_lacks_is_refused_before_anything_is_encoded(
    quick, cli, checkpoint, tmp_path
):
    with (tmp_path / "plan.toml").open("a") as plan:
        name = f"local-dir:{checkpoint('resnet')}"
        plan.write(SECTION.format(name=name) + 'layer = "visual.layer9"\n')

    end = cli("run", "plan.toml", "--format", "json")

    assert end.code == 2
    assert "This model has no layer 'visual.layer9'" in end.err
    assert "encoded now" not in end.err


def test_the_command_line_outranks_the_plan_and_keeps_its_layer_for_the_same_model():
    section = {"name": "RN50", "pretrained": "openai", "layer": "visual.layer3.0"}
    plan = validate_plan({"replication": section}, where="here")

    same = with_other(plan, "RN50", "yfcc15m").replication
    another = with_other(plan, "ViT-B-32", "openai").replication

    assert (same.name, same.pretrained, same.layer) == ("RN50", "yfcc15m", "visual.layer3.0")
    assert (another.name, another.pretrained, another.layer) == ("ViT-B-32", "openai", "")
    assert with_other(plan, "", "") == plan
    with pytest.raises(PlanError, match="got yfcc15m alone"):
        with_other(plan, "", "yfcc15m")
