"""How wide a pack lies from everybody, beside how wide a group lies from every pack.

The control null knows how far harmless packs lie from one group. It does not know that some packs
lie far from *every* group: a pack of unusual words has large family differences with all of them,
tied to none. Judged by the groups' spread alone such a pack rejects too often. Here every pack
gets a width of its own, learnt from the other groups, and harm packs as a whole get one where
they are plainly wider than control packs. A width says nothing of the group that is being judged:
its own row is always left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from probes.contrast import control_null
from probes.errors import MeasureError

Array = NDArray[np.float64]

MIN_FREEDOM = 3.0
"""Degrees of freedom that the other groups must leave before a pack gets a width."""

SLACK = 1.0
"""Log-likelihood that a larger weight must gain: widths are believed where controls show them."""

BOUND = 0.5
"""Standard errors by which the harm packs' common width is taken down before it counts: so much
costs little power where harm packs are like controls, and holds the error near nominal where they
are 1.3 times as wide (docs/calibration.md)."""

CUT = 1.5
"""Deviations beyond this count as this, so that true links do not widen the packs they are in."""

MIN_ROWS = 4
"""Groups of a family from which on the highest one does not count for the common width."""

_WEIGHTS = np.linspace(0, 1, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Factors on the standard errors of contrasts; 1 is neutral."""

    harms: Mapping[str, Array]
    """Family to shape (n_concepts, n_harms)."""

    controls: Mapping[str, Array]
    """Family to shape (n_concepts, n_controls): the same for control packs as pseudo-harms."""

    weight: float
    """How much a pack's own width counts, from 0 (all packs alike) to 1."""

    common: float
    """Width of harm packs in general against control packs, its lower bound; at least 1."""

    freedom: float
    """Degrees of freedom of a pack's own width."""

    def df(self, null_df: float) -> float:
        """Return the degrees of freedom of a contrast, the pack's width being estimated too.

        References
        ----------
        Satterthwaite (1946), Biometrics Bulletin 2, 110-114.
        """
        return _df(null_df, self.weight, self.freedom)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Family differences of every identity concept, less its mean over control packs."""

    harms: Array
    """Shape (n_rows, n_harms)."""

    controls: Array
    """Shape (n_rows, n_controls)."""

    sd: Array
    """Control standard deviation of each row, shape (n_rows, 1)."""

    families: tuple[NDArray[np.intp], ...]
    """Rows of each family."""

    @property
    def freedom(self) -> int:
        return sum(len(rows) - 1 for rows in self.families)


def pack_widths(
    harms: Mapping[str, Array], controls: Mapping[str, Array], *, pack_size: int = 1
) -> Widths:
    """Estimate how wide each pack lies from everybody.

    Parameters
    ----------
    harms, controls : mapping of str to ndarray
        Family to family differences, of shapes (n_concepts, n_harms) and (n_concepts, n_controls).
    pack_size : int
        More than 1 where controls are single labels that make up packs of this size: then a
        pack's own width is not known from them and only the common one is estimated.

    Returns
    -------
    Widths
        The squared factor is ``(1 - weight) common^2 + weight s^2``, s^2 being the pack's mean
        squared difference, in control variances, over all groups but the one judged. The weight is
        the smallest one whose likelihood on the control packs is within `SLACK` of the best; the
        common width is Huber's scale of the harm packs over that of the control packs, the highest
        group of each pack left out, `BOUND` standard errors below its estimate. All factors are 1
        where fewer than `MIN_FREEDOM` degrees of freedom are left, or where controls do not vary.

    Raises
    ------
    MeasureError
        If the two sides do not hold the same families.

    References
    ----------
    Smyth (2004), Statistical Applications in Genetics and Molecular Biology 3(1), article 3, for
    variances that borrow from each other; Huber (1964), Annals of Mathematical Statistics 35,
    73-101, for the scale. docs/decisions/0017 and 0024.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> plain = rng.normal(size=(6, 40)); plain -= plain.mean(axis=0)
    >>> wide = 3 * rng.normal(size=(6, 5)); wide -= wide.mean(axis=0)
    >>> bool(pack_widths({"isles": wide}, {"isles": plain}).common > 1.5)
    True
    """
    if list(harms) != list(controls):
        raise MeasureError(
            "Harm and control packs must meet the same families in the same order; "
            f"got {list(harms)} and {list(controls)}."
        )
    rows = _rows(harms, controls, pack_size)
    freedom = _effective_freedom(rows)
    if freedom is None:
        return _alike(harms, controls)
    of_controls = _others(rows, rows.controls)
    typical = of_controls.mean()
    of_controls, of_harms = of_controls / typical, _others(rows, rows.harms) / typical
    deviations = rows.controls / rows.sd
    weight = _weight(of_controls, deviations, freedom) if pack_size == 1 else 0.0
    common = np.array([_common(rows, row) for row in range(len(rows.harms))])
    squared = (1 - weight) * common[:, None] ** 2 + weight * of_harms
    return Widths(
        harms=_by_family(harms, np.sqrt(squared)),
        controls=_by_family(controls, np.sqrt(1 - weight + weight * of_controls)),
        weight=weight,
        common=float(np.median(common)),
        freedom=freedom,
    )


def _alike(harms: Mapping[str, Array], controls: Mapping[str, Array]) -> Widths:
    return Widths(
        harms={family: np.ones(x.shape) for family, x in harms.items()},
        controls={family: np.ones(x.shape) for family, x in controls.items()},
        weight=0.0,
        common=1.0,
        freedom=np.inf,
    )


def _by_family(like: Mapping[str, Array], values: Array) -> dict[str, Array]:
    ends = np.cumsum([len(x) for x in like.values()])[:-1]
    return dict(zip(like, np.split(values, ends), strict=True))


def _rows(harms: Mapping[str, Array], controls: Mapping[str, Array], pack_size: int) -> _Rows:
    parts, families, start = [], [], 0
    for family, differences in controls.items():
        null = control_null(differences)
        centre = null.mean[:, None]
        # Packs of several labels spread less than the single labels that they are compared with.
        scaled = (harms[family] - centre) * np.sqrt(pack_size)
        parts.append((scaled, differences - centre, null.sd[:, None]))
        families.append(np.arange(start, start + len(differences)))
        start += len(differences)
    return _Rows(
        harms=np.concatenate([part[0] for part in parts]),
        controls=np.concatenate([part[1] for part in parts]),
        sd=np.concatenate([part[2] for part in parts]),
        families=tuple(families),
    )


def _effective_freedom(rows: _Rows) -> float | None:
    """Degrees of freedom that the groups but one leave, less what their likeness takes away."""
    left = rows.freedom - 1
    if left < MIN_FREEDOM or np.isnan(rows.sd).any() or rows.controls.shape[1] < 4:
        return None
    deviations = rows.controls / rows.sd
    length = np.linalg.norm(deviations, axis=0)
    directions = deviations / np.where(length > 0, length, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = np.corrcoef(directions) ** 2
    n, k = rows.controls.shape
    # The squared correlation of k columns is 1/(k - 1) by chance.
    squared = np.clip((squared * (k - 1) - 1) / (k - 2), 0, 1)
    np.fill_diagonal(squared, 1)
    share = min(n**2 / np.nansum(squared), rows.freedom) / rows.freedom
    freedom = share * left
    return float(freedom) if freedom >= MIN_FREEDOM else None


def _others(rows: _Rows, values: Array) -> Array:
    """Mean square of every column over all rows but each one, shape (n_rows, n_columns).

    The row's own family is centred anew without it: its differences were taken from a mean that
    held the row.
    """
    whole = [_squares(values[family], rows.sd[family]) for family in rows.families]
    total = np.sum(whole, axis=0)
    out = np.empty_like(values)
    for family, own in zip(rows.families, whole, strict=True):
        for row in family:
            rest = family[family != row]
            squares = _squares(values[rest], rows.sd[rest]) * _undo(len(family))
            out[row] = (total - own + squares) / (rows.freedom - 1)
    return out


def _squares(values: Array, sd: Array) -> Array:
    """Sum of squares about the mean, scaled so that each degree of freedom adds 1."""
    n = len(values)
    centred = (values - values.mean(axis=0)) / sd
    scale = (n - 1) / n if n else 0.0
    return np.asarray((centred**2).sum(axis=0) * scale)


def _undo(n: int) -> float:
    """Scale of a family without one of its ``n`` members against the scale of `_squares`."""
    return ((n - 1) / n) / ((n - 2) / (n - 1)) if n > 2 else 0.0


def _weight(widths: Array, deviations: Array, freedom: float) -> float:
    """Return the smallest weight that explains the control packs about as well as any."""
    null_df = deviations.shape[1] - 1
    gains = []
    for weight in _WEIGHTS:
        variance = 1 - weight + weight * widths
        df = _df(null_df, weight, freedom)
        density = stats.t.logpdf(deviations / np.sqrt(variance), df) - np.log(variance) / 2
        gains.append(density.sum())
    return float(_WEIGHTS[np.argmax(np.array(gains) >= max(gains) - SLACK)])


def _df(null_df: float, weight: float, freedom: float) -> float:
    return 1 / (1 / null_df + weight**2 / freedom)


def _common(rows: _Rows, left_out: int) -> float:
    """Return the width of harm packs against control packs without one row, a lower bound."""
    if not rows.harms.shape[1]:
        return 1.0
    harms, controls = (_without(rows, v, left_out) for v in (rows.harms, rows.controls))
    # Half of normal deviates lie within 0.6745.
    middle = np.median(np.abs(controls)) / 0.6745
    if not middle > 0:
        return 1.0
    by_pack = _cut(controls / middle).mean(axis=0)
    wanted = by_pack.mean()
    ratio = _huber_scale(harms / middle, wanted)
    step = 1.05
    slope = np.log(_cut(controls / middle * step).mean() / wanted) / np.log(step**2)
    fewer = 1 / harms.shape[1] + 1 / controls.shape[1]
    error = by_pack.std(ddof=1) / wanted * np.sqrt(fewer) / slope
    return float(np.sqrt(max(1.0, ratio**2 * np.exp(-BOUND * error))))


def _without(rows: _Rows, values: Array, left_out: int) -> Array:
    """Return all rows but one and but the highest of each family, from the middle of the rest.

    A link lifts its group and thereby lowers all the others, which a middle by the mean would
    take for width. Harm packs with one link each are so as wide as without it.
    """
    parts = []
    for family in rows.families:
        kept = family[family != left_out]
        scaled = np.sort(values[kept] / rows.sd[kept], axis=0)
        rest = scaled[:-1] if len(kept) >= MIN_ROWS else scaled
        if len(rest) >= 2:
            parts.append(rest - np.median(rest, axis=0))
    return np.concatenate(parts)


def _cut(values: Array) -> Array:
    return np.asarray(np.minimum(values**2, CUT**2))


def _huber_scale(values: Array, wanted: float) -> float:
    """Return what values must be divided by to have the wanted mean cut square; by halving."""
    low, high = 0.05, 20.0
    for _ in range(40):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if _cut(values / middle).mean() > wanted else (low, middle)
    return float(np.sqrt(low * high))
