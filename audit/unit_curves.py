"""Curves, spreads and histograms of one unit, as a page shows them."""

from collections.abc import Sequence

import numpy as np

from audit.numbers import number, rounded
from audit.unit_pages_record import CurveRecord, HistogramRecord, SpreadRecord
from audit.unit_views import Floats, View
from probes.activation_curves import activation_curve, from_zero
from probes.activation_spread import activation_histogram, group_spread

WIDTH = 0.5
MOST_BINS = 40

EMPTY_BAND = "no picture is in this band"
NOT_SHOWN = "no picture of this group was shown"
FEW = "too few clusters for an interval"


def deviations_of(view: View, unit: int) -> Floats | None:
    """Return activations in standard deviations from zero; None for a unit that does not vary."""
    found = from_zero(view.values[:, unit], view.clusters)
    return None if np.isnan(found).any() else found


def curves(
    view: View, deviations: Floats, concepts: Sequence[str], sexual: frozenset[str]
) -> tuple[CurveRecord, ...]:
    """Return the share of each concept by band of activation; those not shown are left out.

    Parameters
    ----------
    view : View
    deviations : ndarray of shape (n_stimuli,)
        Of `deviations_of`.
    concepts : sequence of str
    sexual : frozenset of str
        Packs that sexualise: pictures of minors are left out of their curves.
    """
    return tuple(
        _curve(view, deviations, concept, adults_only=concept in sexual)
        for concept in dict.fromkeys(concepts)
        if view.shows(concept).any()
    )


def _curve(view: View, deviations: Floats, concept: str, *, adults_only: bool) -> CurveRecord:
    kept = ~view.is_minor if adults_only else np.ones(len(deviations), dtype=bool)
    labels = view.shows(concept)[kept]
    found = activation_curve(deviations[kept], labels[:, None], view.clusters[kept])
    return CurveRecord(
        arm=view.arm,
        concept=concept,
        edges=found.edges,
        shares=tuple(number(float(v), EMPTY_BAND) for v in found.share[:, 0]),
        low=tuple(number(float(v), EMPTY_BAND) for v in found.low[:, 0]),
        high=tuple(number(float(v), EMPTY_BAND) for v in found.high[:, 0]),
        clusters=tuple(int(n) for n in found.clusters),
        overall=number(float(found.overall[0]), EMPTY_BAND),
    )


def spreads(
    view: View, deviations: Floats, family: str, members: Sequence[str]
) -> tuple[SpreadRecord, ...]:
    """Return the distribution of activation in each group of a family that was shown."""
    labels = np.stack([view.shows(member) for member in members], axis=1)
    found = group_spread(deviations, labels, view.clusters)
    return tuple(
        SpreadRecord(
            arm=view.arm,
            family=family,
            concept=member,
            quantiles=found.quantiles,
            values=tuple(number(float(v), NOT_SHOWN) for v in found.values[i]),
            median=number(float(found.median[i]), NOT_SHOWN),
            low=number(float(found.low[i]), FEW),
            high=number(float(found.high[i]), FEW),
            clusters=int(found.clusters[i]),
        )
        for i, member in enumerate(members)
        if labels[:, i].any()
    )


def histogram(view: View, deviations: Floats) -> HistogramRecord:
    """Return the histogram of activation; bins are twice as wide until they are few enough."""
    width = WIDTH
    while np.ptp(deviations) / width > MOST_BINS:
        width *= 2
    found = activation_histogram(deviations, view.clusters, width=width)
    return HistogramRecord(
        arm=view.arm,
        edges=tuple(rounded(float(edge)) for edge in found.edges),
        shares=tuple(rounded(float(share)) for share in found.shares),
    )
