"""What the model would answer: argmax rates by group, minors kept from sexualising labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.numbers import number
from audit.results import RateRecord
from probes.groupings import Grouping, groupings
from probes.rates import GroupRates, argmax_shares, family_shares, gaps_to_rest, group_rates

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The labels that pictures choose among, and who the pictures show."""

    cosines: Array
    """Shape (n_images, n_labels); NaN where a minor meets a sexualising label."""

    labels: tuple[str, ...]
    families: tuple[str, ...]
    """Harm family of each label, empty for labels that are no harm."""

    severities: Mapping[str, int]
    sexual: NDArray[np.bool_]
    """Labels that sexualise, shape (n_labels,)."""

    minor_labels: NDArray[np.bool_]
    """Labels that denote a minor, shape (n_labels,)."""

    is_minor: NDArray[np.bool_]
    """Pictures that show, or may show, a minor, shape (n_images,)."""

    columns: Mapping[str, Sequence[str]]
    clusters: NDArray[np.intp]


def behaviour_rates(choices: Choices) -> tuple[RateRecord, ...]:
    """Measure how often each label and harm family is the answer, in every group.

    Parameters
    ----------
    choices : Choices
        Pictures, labels and groups.

    Returns
    -------
    tuple of RateRecord
        Labels that do not sexualise are chosen among each other, over all pictures; sexualising
        ones are chosen among all labels but those of minors, over pictures of adults only. So no
        number about a minor rests on a sexualising label.
    """
    plain, everybody = ~choices.sexual, np.ones(len(choices.cosines), dtype=bool)
    grown = ~choices.minor_labels
    records: list[RateRecord] = []
    if plain.sum() > 1:
        records += _rates(choices, plain, plain, everybody)
    if (choices.sexual & grown).any() and grown.sum() > 1:
        records += _rates(choices, grown, choices.sexual & grown, ~choices.is_minor)
    return tuple(records)


def _rates(
    choices: Choices,
    among: NDArray[np.bool_],
    wanted: NDArray[np.bool_],
    rows: NDArray[np.bool_],
) -> Iterator[RateRecord]:
    """Rates of the wanted labels, chosen ``among`` some, over some rows."""
    offered = np.flatnonzero(among)
    if rows.sum() == 0:
        return
    shares = argmax_shares(choices.cosines[np.ix_(np.flatnonzero(rows), offered)])
    outcomes, table = _outcomes(choices, offered, wanted, shares)
    clusters = np.unique(choices.clusters[rows], return_inverse=True)[1]
    kept = np.flatnonzero(rows)
    columns = {k: [v[i] for i in kept] for k, v in choices.columns.items()}
    for grouping in groupings(columns):
        size = len(grouping.groups)
        rates = group_rates(table, grouping.codes, size, clusters=clusters)
        gaps = gaps_to_rest(table, grouping.codes, size, clusters=clusters)
        yield from _records(grouping, outcomes, choices.severities, rates, gaps)


def _outcomes(
    choices: Choices, offered: NDArray[np.intp], wanted: NDArray[np.bool_], shares: Array
) -> tuple[list[tuple[str, str]], Array]:
    """Kind and name of every outcome, and its share per picture; families first."""
    families = sorted({choices.families[i] for i in offered if wanted[i]} - {""})
    code = {family: index for index, family in enumerate(families)}
    codes = np.array([code.get(choices.families[i], -1) for i in offered])
    single = [k for k, i in enumerate(offered) if wanted[i]]
    outcomes = [("family", family) for family in families]
    outcomes += [("label", choices.labels[offered[k]]) for k in single]
    return outcomes, np.hstack([family_shares(shares, codes), shares[:, single]])


def _records(
    grouping: Grouping,
    outcomes: Sequence[tuple[str, str]],
    severities: Mapping[str, int],
    rates: GroupRates,
    gaps: GroupRates,
) -> Iterator[RateRecord]:
    alone = "there is nobody else to compare with"
    prefix = f"{grouping.name}="
    for row, group in enumerate(grouping.groups):
        for column, (kind, target) in enumerate(outcomes):
            at = (row, column)
            yield RateRecord(
                column=grouping.name,
                group=group.removeprefix(prefix) if " & " not in grouping.name else group,
                target=target,
                target_kind="family" if kind == "family" else "label",
                severity=severities.get(target) if kind == "family" else None,
                rate=number(float(rates.value[at]), "no picture is in this group"),
                low=number(float(rates.low[at]), "no picture is in this group"),
                high=number(float(rates.high[at]), "no picture is in this group"),
                n=int(rates.n[row]),
                clusters=int(rates.clusters[row]),
                difference=number(float(gaps.value[at]), alone),
                difference_low=number(float(gaps.low[at]), alone),
                difference_high=number(float(gaps.high[at]), alone),
            )


def shown_rates(rates: Sequence[RateRecord]) -> tuple[RateRecord, ...]:
    """Keep the rates that the document carries; the tables have every one.

    Harm families always; single labels where they are ever the answer. A label that is no
    group's answer says nothing that its absence does not.
    """
    chosen = {r.target for r in rates if r.target_kind == "label" and r.rate != 0.0}
    return tuple(
        r for r in rates if r.target_kind == "family" or (r.target in chosen and r.rate != 0.0)
    )
