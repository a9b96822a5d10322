"""What stands beside a sparse probe: few units, all units, stable units, shuffled labels."""

from types import SimpleNamespace

import numpy as np
import pytest

from audit.concept_probes import SHOWN_UNITS, add_probes, concept_probes
from audit.gather import Shown
from audit.plan import ProbesSection
from audit.results import ProbeRecord, Undefined
from concept_sets.concept import Role
from concept_sets.stimulus import Modality, Stimulus
from probes.activations import Activations, Extraction
from probes.encoder import Pooling, Reading
from probes.progress import SilentProgress
from probes.stability_selection import error_bound

READING = Reading(layer="deep", pooling=Pooling.PREACT_MAX)
N_UNITS = 40
SECTION = ProbesSection(lambdas=6, folds=3, pairs=10)
WANTED = [SimpleNamespace(ref="isles/a", role=Role.IDENTITY)]


def shown(values, concepts, repeats=2) -> Shown:
    stimuli = tuple(
        Stimulus(
            modality=Modality.PHOTO, content=f"{i}.png", concept=concept,
            cluster=f"p{i // repeats}", template="", digest=f"{i}",
        )
        for i, concept in enumerate(concepts)
    )  # fmt: skip

    def table(array):
        return Activations(
            values=np.asarray(array, np.float32), stimuli=tuple(s.id for s in stimuli),
            layer="deep", pooling="", encoder="x",
        )  # fmt: skip

    extraction = Extraction(
        embeddings=table(np.ones((len(stimuli), 2))), units={READING: table(values)},
        kept=tuple(range(len(stimuli))), bad=(), encoded=0, reused=0,
    )  # fmt: skip
    return Shown(stimuli=stimuli, extraction=extraction)


def pictures(strength=3.0, with_it=12, without=24, seed=0) -> Shown:
    """Units 2 (for) and 5 (against) know the group; two pictures of everybody."""
    concepts = ["isles/a"] * 2 * with_it + ["isles/b"] * 2 * without
    values = np.random.default_rng(seed).normal(size=(len(concepts), N_UNITS))
    values[: 2 * with_it, 2] += strength
    values[: 2 * with_it, 5] -= strength
    return shown(values, concepts)


def probe_of(given: Shown, section=SECTION, seed=0, **options) -> ProbeRecord:
    (record,) = concept_probes(
        given, WANTED, section, np.random.default_rng(seed), SilentProgress(), **options
    )
    return record


@pytest.fixture(scope="module")
def planted() -> ProbeRecord:
    return probe_of(pictures())


def test_the_planted_units_are_stable_with_their_signs_and_the_bound_is_told(planted):
    stable = planted.stable

    assert {unit for unit, _, _ in stable.units} >= {2, 5}
    signs = {unit: sign for unit, _, sign in stable.units}
    assert (signs[2], signs[5]) == (1, -1)
    assert all(frequency >= stable.threshold > 0.5 for _, frequency, _ in stable.units)
    assert stable.n_units == len(stable.units) < SHOWN_UNITS
    assert stable.expected_false == pytest.approx(
        error_bound(stable.per_half, stable.threshold, N_UNITS)
    )
    assert stable.pairs == SECTION.pairs


def test_every_probe_says_how_near_its_fits_are_to_their_optimum(planted):
    for gap in (planted.duality_gap, planted.stable.duality_gap):
        assert 0 <= gap <= 1e-2


def test_few_units_and_all_units_are_scored_too(planted):
    assert planted.fixed.wanted == SECTION.fixed_units == 3
    assert {2, 5} <= {unit for unit, _ in planted.fixed.units}
    assert len(planted.fixed.units) <= 3
    for value, low, high in (
        (planted.fixed.auroc, planted.fixed.low, planted.fixed.high),
        (planted.dense_auroc, planted.dense_low, planted.dense_high),
    ):
        assert 0.5 < low <= value <= high
    assert planted.control_auroc < planted.auroc


def test_a_concept_that_no_unit_knows_shows_no_units_of_any_probe():
    record = probe_of(pictures(strength=0, seed=1))

    assert record.units == record.fixed.units == ()
    assert "does not clear chance" in record.reason
    assert "does not clear chance" in record.fixed.reason


def test_what_stands_beside_a_probe_does_not_change_it(planted):
    """Verdicts and probes must not move when a line is added to a plan."""
    plain = probe_of(pictures(), SECTION.model_copy(update={"stability": False, "fixed_units": 1}))

    beside = {"stable", "fixed"}
    assert plain.stable is None
    assert plain.fixed.wanted == 1
    assert plain.model_dump(exclude=beside) == planted.model_dump(exclude=beside)


def test_too_few_clusters_to_halve_have_a_reason_and_the_rest_stands():
    record = probe_of(pictures(with_it=8))

    assert "at least 10 clusters on each side; got 8" in record.stable.reason
    assert record.stable.units == ()
    assert isinstance(record.stable.expected_false, Undefined)
    assert record.auroc > 0.9
    assert record.fixed.auroc > 0.9


def test_too_few_clusters_for_any_probe_leave_it_undefined_with_the_reason():
    record = probe_of(pictures(with_it=4))

    assert "got 4 with the concept" in record.reason
    assert record.stable is None
    assert record.fixed is None
    assert isinstance(record.dense_auroc, Undefined)
    assert isinstance(record.duality_gap, Undefined)


def test_a_sexualising_concept_is_probed_when_whole_clusters_are_minors():
    """Clusters that are left out leave no gaps behind."""
    given = pictures()
    young = np.zeros(len(given.stimuli), dtype=bool)
    young[-8:] = young[10:12] = True

    record = probe_of(given, sexual={"isles/a"}, is_minor=young)

    assert record.reason == ""
    assert record.auroc > 0.9


def test_equal_seeds_give_equal_records(planted):
    assert probe_of(pictures()) == planted


def test_a_probe_of_an_older_result_has_none_of_this(planted):
    new = {"stable", "fixed", "dense_auroc", "dense_low", "dense_high", "duality_gap"}

    old = ProbeRecord.model_validate(planted.model_dump(exclude=new))

    assert old.stable is None
    assert old.fixed is None
    assert old.dense_auroc == Undefined(undefined="not fitted")
    assert old.duality_gap == Undefined(undefined="not computed")


def test_findings_get_the_probes_of_their_group_and_their_harm(planted):
    other = planted.model_copy(update={"concept": "isles/b"})
    finding = SimpleNamespace(
        identity="isles/a", harm="menace", model_copy=lambda update: SimpleNamespace(**update)
    )

    (told,) = add_probes([finding], [planted, other])

    assert told.probes == (planted,)
