"""Association tests across pictures and texts, raw and with each modality centred.

Pictures and texts lie in two narrow cones, and a raw cosine between them says mostly how far the
cones are apart. What all targets share cancels out of the effect size, so that both versions
mostly agree; where they part, lengths along the axis of a cone carry the raw one.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError
from probes.measurement import Estimate
from probes.permutation import Alternative
from probes.similarity.vectors import unit_rows, unit_sets
from probes.similarity.weat import weat_estimate

Floats = NDArray[np.float64]
Sample = NDArray[np.floating[Any]]
Mode = Literal["TT", "II", "IT", "TI"]

MODES: tuple[Mode, ...] = ("TT", "II", "IT", "TI")
"""Modality of the targets, then of the attributes: T texts, I pictures."""


class CrossModal(NamedTuple):
    """The same test on raw and on centred embeddings."""

    raw: Estimate
    centred: Estimate


def centre(values: Sample, mean: Sample, name: str = "The set") -> Floats:
    """Take the mean of a modality off each embedding, and renormalise.

    Parameters
    ----------
    values : ndarray of shape (n, dim)
        Embeddings of any length but 0.
    mean : ndarray of shape (dim,)
        Mean of unit-length embeddings of the modality, e.g. `modality_mean`.
    name : str
        What the embeddings are, for the message of a refusal.

    Returns
    -------
    ndarray of shape (n, dim)
        Of unit length.

    Raises
    ------
    MeasureError
        If an embedding is zero, not finite, or the mean itself.

    Examples
    --------
    >>> centre(np.array([[0.0, 2.0], [1.0, 0.0]]), np.array([0.0, 0.5]))
    array([[ 0.        ,  1.        ],
           [ 0.89442719, -0.4472136 ]])
    """
    unit = unit_rows(values, name)
    if np.shape(mean) != unit.shape[1:] or not np.isfinite(mean).all():
        raise MeasureError(
            f"The mean of {name} must be one finite embedding of {unit.shape[1]} numbers; "
            f"got shape {np.shape(mean)}."
        )
    off = unit - np.asarray(mean, dtype=np.float64)
    # what rounding leaves of the mean itself has no direction worth naming
    off[np.linalg.norm(off, axis=1) < 1e-6] = 0
    return unit_rows(off, f"{name} without the mean of its modality")


def modality_mean(**sets: Sample) -> Floats:
    """Return the mean of unit-length embeddings of one modality, all rows of all sets alike.

    Examples
    --------
    >>> modality_mean(X=np.array([[2.0, 0.0]]), Y=np.array([[0.0, 3.0]]))
    array([0.5, 0.5])
    """
    mean: Floats = np.concatenate(unit_sets(**sets)).mean(axis=0)
    return mean


def centred_sets(
    x: Sample,
    y: Sample,
    a: Sample,
    b: Sample,
    *,
    mode: Mode,
    means: tuple[Sample, Sample] | None = None,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Centre targets and attributes, each on the mean of its modality.

    Parameters
    ----------
    x, y, a, b : ndarray of shape (n, dim)
        Targets and attributes.
    mode : {"TT", "II", "IT", "TI"}
        Modality of the targets, then of the attributes.
    means : pair of ndarray of shape (dim,), optional
        Means of the targets' and of the attributes' modality over a reference set; without them
        those of the given embeddings (where the modality is one, of all four sets).

    Raises
    ------
    MeasureError
        If the mode is unknown, an embedding is zero or not finite, or dimensions differ.
    """
    if mode not in MODES:
        raise MeasureError(f"A mode must be one of {', '.join(MODES)}; got {mode!r}.")
    unit_sets(X=x, Y=y, A=a, B=b)
    if means is None and mode[0] == mode[1]:
        means = (modality_mean(X=x, Y=y, A=a, B=b),) * 2
    elif means is None:
        means = modality_mean(X=x, Y=y), modality_mean(A=a, B=b)
    targets, attributes = means
    return (
        centre(x, targets, "X"),
        centre(y, targets, "Y"),
        centre(a, attributes, "A"),
        centre(b, attributes, "B"),
    )


def cross_modal_eat(
    x: Sample,
    y: Sample,
    a: Sample,
    b: Sample,
    *,
    mode: Mode,
    rng: np.random.Generator,
    means: tuple[Sample, Sample] | None = None,
    alternative: Alternative = "greater",
    max_exact: int = 20_000,
    draws: int | None = None,
) -> CrossModal:
    """Test the association of two groups with two attribute sets, raw and centred.

    Parameters
    ----------
    x, y, a, b : ndarray of shape (n, dim)
        Targets and attributes, pictures or texts, of any length but 0; no member in two sets.
    mode : {"TT", "II", "IT", "TI"}
        Modality of the targets, then of the attributes: II is iEAT.
    rng : numpy.random.Generator
    means : pair of ndarray of shape (dim,), optional
        As in `centred_sets`.
    alternative, max_exact, draws
        As in `probes.similarity.weat.weat_estimate`.

    Returns
    -------
    CrossModal
        Effect sizes d; 0 is neutral, positive: X lies closer to A.

    Raises
    ------
    MeasureError
        If the mode is unknown, an embedding is zero, not finite or the mean of its modality,
        dimensions differ, or a member stands in two sets.

    References
    ----------
    Steed & Caliskan (2021), FAccT, section 3; Ghate et al. (2025), NAACL.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> pictures, texts = rng.normal(size=(8, 5)) + 1, rng.normal(size=(6, 5)) - 1
    >>> both = cross_modal_eat(
    ...     pictures[:4], pictures[4:], texts[:3], texts[3:], mode="IT", rng=rng)
    >>> both.raw.clusters, both.centred.certainty
    (8, 'exact')
    """
    settled = centred_sets(x, y, a, b, mode=mode, means=means)
    raw, centred = (
        weat_estimate(*sets, rng=rng, alternative=alternative, max_exact=max_exact, draws=draws)
        for sets in ((x, y, a, b), settled)
    )
    return CrossModal(raw, centred)
