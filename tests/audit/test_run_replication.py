"""Links of findings are looked for in a second model, and what it says is told soberly."""

import hashlib
import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import audit.run
from audit import run_replication
from audit.errors import PlanError
from audit.gather import Instruments
from audit.plan import read_plan
from audit.replication_record import OtherEffectRecord, OtherModelRecord, ReplicationRecord
from audit.results import CausalRecord, Undefined
from audit.run import run_audit
from audit.run_replication import TEXT_ALONE, replications
from audit.run_replication_shown import audited_reading, other_reading
from audit.run_replication_words import not_looked_for, tell_replications
from audit.unit_evidence import UnitEvidence, unit_evidence
from concept_sets.catalog import load_library
from concept_sets.photos import read_photos, with_concepts
from probes.backends.open_clip import OpenClipEncoder
from probes.backends.table import load_encoder
from probes.backends.toy import FILTERS, LAYER, LETTERS, SIZE, ToyEncoder
from probes.cache import ActivationCache
from probes.encoder import EncodedPictures, Pooling, Reading
from probes.errors import ExtractionError, ModelNameError
from probes.progress import SilentProgress
from probes.replication import match_units

SPECIMENS = Path(__file__).parents[1] / "specimens"
READING = Reading(layer="toy.colours", pooling=Pooling.PREACT_MEAN)
DEEP = Reading(layer="visual.layer4.1", pooling=Pooling.PREACT_MAX)


def specimen(name):
    spec = importlib.util.spec_from_file_location(f"replication_{name}", SPECIMENS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Coloured(ToyEncoder):
    """A toy whose embedding of red pictures may point at the letter that a harm is spelled with.

    ``order`` renumbers its units, ``noise`` changes what they answer to; units and embedding stay
    the same model in both cases, as in one that was trained again.
    """

    def __init__(self, *, planted=True, order=None, noise=0.0, name="toy/coloured"):
        super().__init__(name)
        order = np.arange(FILTERS) if order is None else order
        rng = np.random.default_rng(7)
        self._filters = self._filters + noise * rng.standard_normal(self._filters.shape)
        self._filters = self._filters[:, order].astype(np.float32)
        readout = 0.05 * self._readout[order]
        if planted:
            red = np.linalg.pinv(self._filters.astype(np.float64))[:, 0]
            readout[:, LETTERS.index("z")] += red
        self._readout = readout.astype(np.float32)
        self.asked = 0

    def encode_texts(self, texts):
        self.asked += len(texts)
        return super().encode_texts(texts)

    def encode_pictures(self, pictures, readings=()):
        self.asked += len(pictures)
        return super().encode_pictures(pictures, readings)


class Unrelated(Coloured):
    """Gives every picture responses that have nothing to do with those to any other."""

    def __init__(self, seed):
        super().__init__(order=shuffled(seed))
        self._seed = seed

    def encode_pictures(self, pictures, readings=()):
        rows = [self._row(picture) for picture in pictures]
        units = np.array(rows, np.float32).reshape(len(rows), FILTERS)
        shape = (len(rows), SIZE)
        embeddings = np.ones(shape, np.float32) + 0.1 * units[:, :1]
        return EncodedPictures(embeddings=embeddings, units=dict.fromkeys(readings, units))

    def _row(self, picture):
        seed = int.from_bytes(hashlib.sha256(picture.tobytes()).digest()[:8], "little")
        return np.random.default_rng([self._seed, seed]).normal(size=FILTERS)


def shuffled(seed=1):
    return np.random.default_rng(seed).permutation(FILTERS)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """An audit of the coloured toy up to its units: what it gathered, and its findings."""
    home, small = tmp_path_factory.mktemp("home"), specimen("small_world")
    small.write_packs(home / "packs")
    small.write_photos(home / "photos", each=12)
    library = load_library([home / "packs"], builtin=False)
    photos = with_concepts(read_photos(home / "photos" / "photos.csv"), library)
    more = "[causal]\ncheck = false\n"
    plan = read_plan(small.write_plan(home, rendered="describes", more=more))
    tools = Instruments(
        encoder=Coloured(), cache=None, progress=SilentProgress(), readings=(READING,)
    )
    kept = {}

    def stop(gathered, findings, causal, probes, say):
        kept.update(gathered=gathered, findings=tuple(findings))
        return UnitEvidence(findings=tuple(findings))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit.run, "unit_evidence", stop)
        run_audit(plan, library, tools, photos=photos)
    return kept["gathered"], kept["findings"]


def ask(world, other, *, causal=(), **changes):
    gathered, findings = world
    return replications(replace(gathered, other=other, **changes), findings, causal)


def in_photos(world, record):
    """The one finding that stands in photos, and what the other model says of it."""
    (finding,) = [f for f in world[1] if "photo" in f.arms]
    return finding, next(one for one in record.findings if one.finding == finding.id)


# A model with the same units under other numbers


def test_a_copy_with_renumbered_units_carries_every_link_with_every_unit_matched(world):
    order = shuffled()
    record = ask(world, Coloured(order=order))
    finding, one = in_photos(world, record)

    assert record.matched == 1.0
    assert record.correlation == pytest.approx(1.0)
    assert record.kinds == ("rendered", "photo")
    assert one.partners == tuple(int(np.flatnonzero(order == unit)[0]) for unit in one.units)
    assert one.without_partner == ()
    assert {effect.answer for effect in one.effects} == {"there"}
    assert all(effect.effect == pytest.approx(effect.here, rel=1e-4) for effect in one.effects)
    assert one.units == tuple(u.unit for u in finding.units if u.contribution > 0)[:10]


def test_what_the_partners_carry_is_their_contribution_in_the_other_model(world):
    _, one = in_photos(world, ask(world, Coloured(order=shuffled())))
    finding, _ = in_photos(world, ask(world, Coloured(order=shuffled())))
    known = {unit.unit: unit.contribution for unit in finding.units}

    assert one.carried == pytest.approx(np.mean([known[unit] for unit in one.units]), rel=1e-4)


def test_the_silenced_units_are_asked_about_where_units_were_silenced(world):
    finding, _ = in_photos(world, ask(world, Coloured(order=shuffled())))
    silenced = CausalRecord(
        finding=finding.id, arm="photo", layer=READING.layer, pooling=READING.pooling.value,
        units=(3, 5), how="mean", causal=False, reason="",
    )  # fmt: skip
    _, one = in_photos(world, ask(world, Coloured(order=shuffled()), causal=[silenced]))
    _, elsewhere = in_photos(
        world,
        ask(world, Coloured(order=shuffled()),
            causal=[silenced.model_copy(update={"layer": "another"})]),
    )  # fmt: skip

    assert one.units == (3, 5)
    assert elsewhere.units != (3, 5)


def test_channels_of_a_resnet_are_found_again_under_other_numbers(tmp_path):
    checkpoints = specimen("checkpoints")
    config, folder = checkpoints.CONFIGS["resnet"], tmp_path / "tiny"
    tensors = dict(checkpoints.make_model(config, folder).state_dict())
    order = torch.randperm(256, generator=torch.Generator().manual_seed(2))
    means = []
    for name, found in (("here", tensors), ("there", renumbered(tensors, "layer4.1", order))):
        home = tmp_path / name
        home.mkdir()
        checkpoints.write_config(config, home)
        checkpoints.save_safetensors(found, home / "open_clip_model.safetensors")
        encoder = load_encoder(f"local-dir:{home}")
        assert isinstance(encoder, OpenClipEncoder)
        means.append(encoder.encode_pictures(pictures(60), [DEEP]).units[DEEP])

    found = match_units(*means, rng=np.random.default_rng(0))

    varied = np.ptp(means[0], axis=0) > 1e-4
    assert varied.sum() > 200
    place = np.argsort(order.numpy())
    np.testing.assert_array_equal(found.partner[varied], place[varied])
    assert found.matched[varied].all()


WRITERS = ("conv3.weight", "bn3.", "downsample.0.weight", "downsample.1.")
READERS = ("positional_embedding", "q_proj.weight", "k_proj.weight", "v_proj.weight")


def renumbered(tensors, block, order):
    """Change the order of the last channels of a ResNet, and of whatever reads or adds to them."""
    out = dict(tensors)
    stage = block.rpartition(".")[0]
    for name, tensor in tensors.items():
        if not name.startswith((f"visual.{stage}.", "visual.attnpool.")) or not tensor.ndim:
            continue
        if any(part in name for part in WRITERS):
            out[name] = tensor[order]
        elif name == f"visual.{block}.conv1.weight" or name.endswith(READERS):
            out[name] = tensor[:, order]
    return out


def pictures(n):
    rng = np.random.default_rng(4)
    small = rng.integers(0, 255, (n, 8, 8, 3), dtype=np.uint8)
    return [Image.fromarray(pixels).resize((64, 64)) for pixels in small]


# A model without the link, and one without anything


def test_a_link_that_the_other_model_lacks_is_told_among_what_speaks_against(world):
    other = Coloured(planted=False, noise=0.1, name="toy/other")
    record = ask(world, other)
    finding, one = in_photos(world, record)
    told = {f.id: f for f in tell_replications(world[1], record)}[finding.id]

    photo = next(effect for effect in one.effects if effect.arm == "photo")
    assert photo.answer == "not there"
    assert photo.low <= 0 < photo.here
    assert photo.high < photo.here
    assert any("Another model, toy/other, does not show this link" in line
               for line in told.counter_evidence)  # fmt: skip
    assert not any("toy/other" in line and "photos" in line for line in told.evidence)


def test_a_model_that_answers_at_random_has_partners_no_more_than_by_chance(world):
    records = [ask(world, Unrelated(seed)) for seed in range(1, 6)]
    shares = [record.matched for record in records]

    # Five models of 12 units; the units of both models share their chances.
    assert np.mean(shares) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / (5 * FILTERS / 2))
    assert not any(in_photos(world, record)[1].carries for record in records)


def test_weights_of_the_audited_model_are_no_second_witness(world):
    with pytest.raises(PlanError, match="no model is its own witness; toy/again has those of"):
        ask(world, Coloured(name="toy/again"))


# What is shown, and when


def test_without_a_finding_the_second_model_is_shown_nothing(world):
    gathered, _ = world
    other, said = Coloured(order=shuffled()), []

    record = replications(replace(gathered, other=other), (), (), said.append)

    assert record is None
    assert other.asked == 0
    assert said == ["No finding to look for in toy/coloured"]
    (line,) = not_looked_for(other, record)
    assert "Replication in a second model" in line.what


def test_a_second_model_encodes_what_the_first_encoded_and_no_more(world):
    responses, other = world[0].responses, Coloured(order=shuffled())
    shown = (responses.texts, *responses.pictures)

    ask(world, other)

    assert len(shown) == 3
    assert other.asked == sum(one.extraction.encoded for one in shown)


def test_monosemanticity_rests_on_what_the_second_model_was_shown_anyway(world):
    gathered, findings = replace(world[0], other=Coloured(order=shuffled())), world[1]

    units = unit_evidence(gathered, findings, (), (), lambda line: None)

    shown = (gathered.responses.texts, *gathered.responses.pictures)
    assert gathered.other.asked == sum(one.extraction.encoded for one in shown)
    assert units.other_model == replications(gathered, findings)
    rows = [f for f in units.frames if set(f["measure"]) == {"monosemanticity"}]
    assert [set(frame["arm"]) for frame in rows] == [{"rendered"}, {"photo"}]
    assert all(len(frame) == FILTERS for frame in rows)
    assert not any("Monosemanticity" in line.what for line in units.not_tested)


def test_without_a_finding_monosemanticity_is_not_tested(world):
    gathered = replace(world[0], other=Coloured(order=shuffled()))

    units = unit_evidence(gathered, (), (), (), lambda line: None)

    assert "Monosemanticity of units" in [line.what for line in units.not_tested]
    assert gathered.other.asked == 0


def test_without_a_second_model_there_is_nothing_to_say(world):
    gathered, findings = world

    assert replications(gathered, findings) is None
    assert tell_replications(findings, None) == findings
    assert not_looked_for(None, None) == ()


def test_a_run_that_was_cut_goes_on_where_the_second_model_stopped(world, tmp_path):
    class Cut(Coloured):
        limit = 120

        def encode_pictures(self, pictures, readings=()):
            if self.asked > 250 + self.limit:
                raise KeyboardInterrupt
            return super().encode_pictures(pictures, readings)

    gathered, findings = world
    tools = replace(gathered.tools, cache=ActivationCache(tmp_path))
    cut, whole = Cut(order=shuffled()), Coloured(order=shuffled())
    with pytest.raises(KeyboardInterrupt):
        replications(replace(gathered, other=cut, tools=tools), findings)
    said = []
    resumed = replications(replace(gathered, other=whole, tools=tools), findings, (), said.append)
    afresh = Coloured(order=shuffled())

    assert resumed == replications(replace(gathered, other=afresh), findings)
    assert cut.asked + whole.asked == afresh.asked
    assert f"{whole.asked} stimuli encoded now, {cut.asked} from the cache" in said[-1]


def test_sexualising_harms_meet_adults_alone_in_the_second_model(world, monkeypatch):
    gathered, _ = world
    finding, _ = in_photos(world, ask(world, Coloured(order=shuffled())))
    tables = []

    real = run_replication.shares_of

    def noting(finding, reading, table, carriers):
        tables.append(table)
        return real(finding, reading, table, carriers)

    def young(shown, selection, *, unknown_are_adults):
        return np.array([s.cluster.endswith(("1", "3")) for s in shown.stimuli])

    monkeypatch.setattr(run_replication, "shares_of", noting)
    monkeypatch.setattr("audit.run_replication_shown.minor_stimuli", young)
    harms = tuple(replace(harm, sexual=True) for harm in gathered.selection.harms)
    selection = replace(gathered.selection, harms=harms)
    assert finding.harm in selection.sexual

    open_, shielded = (ask(world, Coloured(order=shuffled()), **change)
                       for change in ({}, {"selection": selection}))  # fmt: skip

    half = len(tables) // 2
    assert half
    assert all(table.is_minor.any() for table in tables[:half])
    assert not any(table.is_minor.any() for table in tables[half:])
    assert in_photos(world, open_)[1].effect != in_photos(world, shielded)[1].effect


def test_a_picture_that_is_not_a_number_there_stops_the_audit(world):
    class Broken(Coloured):
        def encode_texts(self, texts):
            return super().encode_texts(texts) * np.nan

    with pytest.raises(ExtractionError, match="must be finite numbers"):
        ask(world, Broken(order=shuffled()))


# What cannot be told is said


def test_a_link_of_prompts_alone_has_an_effect_and_a_reason_instead_of_units(world):
    gathered, findings = world
    told = tuple(finding.model_copy(update={"arms": ("text",)}) for finding in findings)

    record = replications(replace(gathered, other=Coloured(order=shuffled())), told)

    for one in record.findings:
        assert one.arm == "text"
        assert one.reason == TEXT_ALONE
        assert isinstance(one.p, Undefined)
        assert isinstance(one.effect, float)


def test_a_second_model_without_layers_has_effects_and_no_partners(world):
    class Blind(Coloured):
        layers = ()

    record = ask(world, Blind(order=shuffled()))

    assert record.matched == Undefined(undefined="no layer of the second model is read")
    assert all(one.reason == "no layer of the second model is read" for one in record.findings)
    assert all(isinstance(one.effect, float) for one in record.findings)


def test_a_second_model_without_a_closed_form_has_partners_and_no_contributions(world):
    class Opaque(Coloured):
        def readout(self, layer):
            return None

    record = ask(world, Opaque(order=shuffled()))
    _, one = in_photos(world, record)

    assert record.matched == 1.0
    assert "no closed form from units of toy.colours" in one.reason
    assert isinstance(one.carried, Undefined)


@pytest.mark.parametrize(
    ("low", "high", "here", "answer"),
    [
        (1.2, 9.0, 5.0, "there"),
        (-2.0, 3.0, 5.0, "not there"),
        (-2.0, 5.5, 5.0, "open"),
        (0.5, 3.0, 5.0, "open"),
        (-9.0, 7.0, 12.0, "open"),
        (-2.0, 6.0, Undefined(undefined="none"), "not there"),
        (Undefined(undefined="none"), Undefined(undefined="none"), 5.0, "open"),
    ],
)
def test_an_answer_needs_limits_on_one_side(low, high, here, answer, world):
    assert run_replication._answer(low, high, here, world[0].plan.limits) == answer


# Where the second model is read


def reading_of(world, layer, like=READING):
    plan = world[0].plan
    section = plan.replication.model_copy(update={"layer": layer})
    return other_reading(plan.model_copy(update={"replication": section}), ToyEncoder(), like)


def test_the_second_model_is_read_at_its_default_layer_with_the_pooling_of_the_audited(world):
    like = Reading(layer="far.away", pooling=Pooling.RELU_MEAN)
    strange = Reading(layer="far.away", pooling=Pooling.CLS)

    assert reading_of(world, "", like) == Reading(layer=LAYER.name, pooling=Pooling.RELU_MEAN)
    assert reading_of(world, "", strange).pooling is LAYER.poolings[0]
    assert reading_of(world, "toy.colours:preact-max", like).pooling is Pooling.PREACT_MAX


def test_a_layer_that_the_second_model_lacks_is_refused_with_the_nearest(world):
    with pytest.raises(ModelNameError, match=r"no layer 'toy\.colors'; did you mean"):
        reading_of(world, "toy.colors")


def test_the_deepest_layer_that_is_read_is_the_one_that_is_matched(world):
    tools = replace(world[0].tools, readings=())

    assert audited_reading(world[0].tools) == READING
    assert audited_reading(tools) is None


# What is said


def told_of(world, *effects, **changes):
    """Evidence and counter-evidence that the second model adds to a finding."""
    finding = world[1][0].model_copy(update={"evidence": (), "counter_evidence": ()})
    given = {
        "finding": finding.id, "layer": "a", "other_layer": "b", "arm": "photo",
        "units": (1, 2), "partners": (3, 4), "without_partner": (5,), "carried": 0.4,
        "elsewhere": 0.1, "p": 0.004, "effect": 3.0, "low": 2.0, "high": 4.0, "reason": "",
        "carries": True,
        "effects": tuple(
            OtherEffectRecord(arm=arm, effect=3.0, low=2.0, high=4.0, here=5.0, answer=answer)
            for arm, answer in effects
        ),
    }  # fmt: skip
    record = OtherModelRecord(
        name="other", weights_digest="sha256:0", matched=0.5, correlation=0.5, by_chance=0.1,
        findings=(ReplicationRecord(**{**given, **changes}),),
    )  # fmt: skip
    (told,) = tell_replications([finding], record)
    return told.evidence, told.counter_evidence


def test_a_link_that_is_there_is_told_with_its_units(world):
    ((line,), against) = told_of(world, ("photo", "there"))

    assert line.startswith("Another model, other, shows this link too: 3 control SD in photos")
    assert "2 of the 3 units that were asked about have a partner in it" in line
    assert "carry it there more than sets" in line
    assert "one more witness and no more" in line
    assert against == ()


def test_partners_that_do_not_carry_a_link_are_told_so(world):
    (line,), _ = told_of(world, ("photo", "there"), carries=False, p=0.7)

    assert "the partners do not carry it there" in line


def test_a_link_that_is_there_in_one_arm_and_not_in_another_is_told_on_both_sides(world):
    (for_it,), (against,) = told_of(world, ("photo", "there"), ("text", "not there"))

    assert "in photos" in for_it
    assert "in prompts" in against
    assert "prompts" not in for_it


def test_what_is_open_is_told_on_neither_side(world):
    assert told_of(world, ("photo", "open")) == ((), ())


def test_why_units_cannot_be_told_of_is_said(world):
    missing = Undefined(undefined="none")
    (line,), _ = told_of(
        world, ("photo", "there"), p=missing, carried=missing, reason="no unit has a partner"
    )

    assert "Whether the same units carry it cannot be told: no unit has a partner." in line
