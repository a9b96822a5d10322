"""Transfer of probes: whether what tells a harm from its controls tells a group from its family.

A probe learns the harm on stimuli that show nobody in particular, and is read out on stimuli that
show people, and the other way round. A line of evidence beside the contrast, never a decision: it
says that one direction serves both, not that the model uses it. A sparse probe that tells the harm
by one unit leaves out a second that would have told it too: no transfer is not absence of a link.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError
from probes.fixed_units import (
    FixedProbe,
    LabelledClusters,
    balanced,
    by_cluster,
    few_units,
    fit_fixed_units,
)
from probes.held_out import area
from probes.measurement import Estimate, undefined
from probes.sparse_path import standardised
from probes.sparse_solvers import NotConverged

Floats = NDArray[np.float64]

TRANSFER_UNITS = 10
"""Units of the probe and of each of its controls."""

SHUFFLES = 99

CHANCE = 0.5

NOTHING = (
    "the probe does not tell its own side on held-out clusters, so there is nothing to transfer"
)


class Side(NamedTuple):
    """Stimuli of one question: a harm and its controls, or a group and the rest of its family."""

    values: NDArray[np.floating[Any]]
    """Shape (n_stimuli, n_units), in the units the layer emits."""

    labels: NDArray[np.bool_]
    """True for the harm, or for the group; one label per cluster."""

    clusters: NDArray[np.integer[Any]]
    """Cluster of each stimulus, 0 to n_clusters - 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What a probe of one side says of the other."""

    auroc: Estimate
    """Of the probe's score for the other side's labels; above 1/2 the group is scored as the harm
    is (or the harm as the group is). ``p`` is the share of shuffles that reach it, one-sided."""

    probe: FixedProbe
    """The probe, with the held-out score on its own side: where that is near 1/2 there was nothing
    to transfer."""

    control: Floats
    """Areas of probes learned from shuffled labels, shape (n_shuffles,); fewer than were allowed
    where ``enough`` of them reached the probe's own."""

    selectivity: float
    """``auroc`` minus the mean of ``control``; 0 is neutral."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BothWays:
    """Transfer in both directions."""

    harm_to_group: Transfer
    group_to_harm: Transfer


def transfer_both_ways(
    harm: Side,
    group: Side,
    *,
    rng: np.random.Generator,
    n_units: int = TRANSFER_UNITS,
    shuffles: int = SHUFFLES,
    enough: int | None = None,
    must_tell: bool = False,
    solver: str | None = None,
) -> BothWays:
    """Read a probe of the harm on the group, and a probe of the group on the harm.

    Parameters
    ----------
    harm, group : Side
        No stimulus may be on both sides.
    rng : numpy.random.Generator
        Deals folds and shuffles labels.
    n_units, shuffles, enough, must_tell, solver
        As in `transfer`.
    """
    ways = [
        transfer(
            source,
            target,
            rng=rng,
            n_units=n_units,
            shuffles=shuffles,
            enough=enough,
            must_tell=must_tell,
            solver=solver,
        )
        for source, target in ((harm, group), (group, harm))
    ]
    return BothWays(harm_to_group=ways[0], group_to_harm=ways[1])


def transfer(
    source: Side,
    target: Side,
    *,
    rng: np.random.Generator,
    n_units: int = TRANSFER_UNITS,
    shuffles: int = SHUFFLES,
    enough: int | None = None,
    must_tell: bool = False,
    solver: str | None = None,
) -> Transfer:
    """Learn a probe on one side and read it on the other, by cluster.

    The control learns from the same stimuli with labels shuffled over clusters, as many units, and
    is read on the same other side. It tells how far apart the group and its family are for *any*
    probe of that size; shuffling the labels of the group would answer another question, and calls
    every group special that differs from its family in anything.

    Parameters
    ----------
    source : Side
        Learned from.
    target : Side
        Read on; the same units, other stimuli.
    rng : numpy.random.Generator
        Deals folds and shuffles labels.
    n_units : int
        Units of the probe and of each control.
    shuffles : int
        Controls, at most.
    enough : int, optional
        Stop when so many controls reach the probe's own area: ``p`` is then their share, and as
        valid as after all shuffles.
    must_tell : bool
        Whether to read nothing where the probe does not tell its own side on held-out clusters
        (interval above 1/2): there is nothing to transfer.
    solver : str, optional
        Name in ``probes.sparse_solvers.SOLVERS``.

    Returns
    -------
    Transfer
        DeLong's interval takes the probe as given. NaN with a reason where either side has too few
        clusters, no unit varies, the solver gives no answer or there was nothing to transfer.

    Raises
    ------
    MeasureError
        If the sides have different units, there is no shuffle or none is enough, a cluster has both
        labels, shapes disagree or a response is not finite.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845; Hewitt & Liang (2019), EMNLP,
    for control tasks; Besag & Clifford (1991), Biometrika 78, 301-304, for stopping early.
    """
    learned, read = by_cluster(*source), by_cluster(*target)
    _check(learned, read, shuffles, enough)
    probe = fit_fixed_units(*source, rng=rng, n_units=n_units, solver=solver)
    lack = read.lack()
    reason = probe.reason or (f"reading a probe {lack}" if lack else "")
    if not reason and must_tell and not probe.auroc.low > CHANCE:
        reason = NOTHING
    if reason:
        return _nothing(reason, probe, read)
    found = area(probe.scores(read.means), read.labels)
    stop = _Stop(reached=found.value - 1e-12, times=enough or shuffles + 1)
    try:
        control = _shuffled_areas(learned, read, n_units, shuffles, stop, solver, rng)
    except NotConverged as error:
        return _nothing(str(error), probe, read)
    as_large = int((control >= stop.reached).sum())
    return Transfer(
        auroc=Estimate(
            value=found.value,
            low=found.low,
            high=found.high,
            p=as_large / len(control)
            if as_large >= stop.times
            else (1 + as_large) / (1 + shuffles),
            certainty="sampled",
            n=len(target.labels),
            clusters=len(read.labels),
            neutral=0.5,
        ),
        probe=probe,
        control=control,
        selectivity=found.value - float(control.mean()),
    )


class _Stop(NamedTuple):
    """When further shuffles are not needed."""

    reached: float
    """Area that counts."""

    times: int


def _shuffled_areas(
    learned: LabelledClusters,
    read: LabelledClusters,
    n_units: int,
    shuffles: int,
    stop: _Stop,
    solver: str | None,
    rng: np.random.Generator,
) -> Floats:
    rows = standardised(learned.means)
    every = np.ones_like(learned.labels)
    areas: list[float] = []
    as_large = 0
    while len(areas) < shuffles and as_large < stop.times:
        labels = rng.permutation(learned.labels)
        weights = balanced(labels, every)
        fit = few_units(rows.design, labels, weights, n_units, solver=solver)
        areas.append(area(read.means @ (fit.coefficients / rows.scale), read.labels).value)
        as_large += areas[-1] >= stop.reached
    return np.array(areas)


def _check(
    learned: LabelledClusters, read: LabelledClusters, shuffles: int, enough: int | None
) -> None:
    here, there = learned.means.shape[1], read.means.shape[1]
    if here != there:
        raise MeasureError(
            "Both sides must be answered by the same units; "
            f"got {here} on the side learned from and {there} on the side read."
        )
    if shuffles < 1:
        raise MeasureError(f"A transfer needs at least 1 shuffle as its control; got {shuffles}.")
    if enough is not None and enough < 1:
        raise MeasureError(f"At least 1 control must be enough to stop; got {enough}.")


def _nothing(reason: str, probe: FixedProbe, read: LabelledClusters) -> Transfer:
    return Transfer(
        auroc=undefined(reason, clusters=len(read.labels)),
        probe=probe,
        control=np.empty(0),
        selectivity=float("nan"),
    )
