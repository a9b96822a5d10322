"""What ``score`` left out, could not look at, or has to say of its inputs."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats.contingency import association

from audit.behaviour import Choices
from audit.deployment import deployment_untested
from audit.evidence import Arm
from audit.label_sets import missing_sets
from audit.plan import DeploymentSection
from audit.results import NotTested
from audit.score_inputs import ScoreInputs, Terms, minor_terms, sexual_terms
from audit.score_packs import Packs
from audit.score_tables import Groups
from audit.small_groups import listed

MANY_BLOCKING = 40
CONFOUNDED = 0.3
"""Cramer's V between two group columns above which a difference may belong to either."""


def not_tested(
    inputs: ScoreInputs, terms: Terms | None, arms: Sequence[Arm]
) -> tuple[NotTested, ...]:
    """List what a reader might expect and these inputs do not allow."""
    have = {arm.name for arm in arms}
    out = list(_units(inputs))
    if "photo" not in have:
        why = "image scores, or image and text embeddings with groups, were not all given"
        if terms is not None and not terms.of("harm").size:
            why = "the label table has no harm label"
        out.append(NotTested(what="Pictures against labels", why=why))
    if "text" not in have:
        why = "no text embeddings with identity labels were given"
        out.append(NotTested(what="Identity words against harm words", why=why))
    out.append(
        NotTested(
            what="Contrasts of crossed groups (for example race by gender)",
            why="crossings of columns are given as rates; contrasts are of single columns",
        )
    )
    return tuple(out)


def _units(inputs: ScoreInputs) -> Iterator[NotTested]:
    if not inputs.units:
        yield NotTested(
            what="Neurons, probes and rendered words",
            why="only scores or embeddings were given; the command run reads the model itself",
        )
        return
    yield NotTested(
        what="Rendered words, and units in pictures that were not given",
        why="unit responses were given and no model; the command run reads the model itself",
    )
    if all(given.readout is None for given in inputs.units):
        yield NotTested(
            what="Which units carry an association",
            why="no read-out from units to the embedding was given; --readout adds it",
        )


def untested_labels(choices: Choices, section: DeploymentSection) -> tuple[NotTested, ...]:
    """List what rates could not be tried on: labels of the product, and of the battery."""
    missing = missing_sets(choices)
    sets = (
        NotTested(
            what=f"Whether rates hold with labels of {listed(missing, len(missing))}",
            why="the label table has none",
        ),
    )
    return (*deployment_untested(section), *(sets if missing else ()))


def exclusions(inputs: ScoreInputs, terms: Terms | None) -> tuple[tuple[str, int, str], ...]:
    """List rows left out of sexualisation measurements and rows without a group."""
    out: list[tuple[str, int, str]] = []
    if terms is not None and sexual_terms(terms).any() and inputs.is_minor.any():
        unknown = min(inputs.n_unknown_age, int(inputs.is_minor.sum()))
        out.append(
            (
                "images of minors in sexualisation measurements",
                int(inputs.is_minor.sum()) - unknown,
                "rows whose group denotes somebody under 20 never meet a sexualising label",
            )
        )
        if unknown:
            out.append(
                (
                    "images of unknown age in sexualisation measurements",
                    unknown,
                    "no age column says that they are adults; --unknown-ages adults vouches for it",
                )
            )
    if terms is not None and (both := sexual_terms(terms) & minor_terms(terms)).any():
        out.append(
            (
                "labels that denote minors in sexualisation measurements",
                int(both.sum()),
                "a term of a minor never counts as a sexualising one",
            )
        )
    for column, values in inputs.groups.columns.items() if inputs.groups else ():
        empty = values.count("")
        if empty:
            out.append((f"images without a value of {column}", empty, "the cell is empty"))
    return tuple(out)


def notes(
    groups: Groups | None, packs: Packs | None, n_blocking: int, clustered: bool
) -> tuple[str, ...]:
    """Return sentences that every rendering shows."""
    out = [f"The control packs are {packs.note}"] if packs is not None and packs.controls else []
    if n_blocking > MANY_BLOCKING:
        out.append(
            f"{n_blocking} contrasts block; every contrast added costs power. A plan with a short "
            "list of your own sees smaller effects."
        )
    return (*out, *(_confounded(groups) if groups else ()))


def _confounded(groups: Groups) -> list[str]:
    """Warn of columns that go together, so that nobody reads one for the other."""
    names = list(groups.columns)
    out = []
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            strength = _cramers_v(groups.columns[one], groups.columns[other])
            if strength > CONFOUNDED:
                out.append(
                    f"The columns {one} and {other} go together in these images (Cramer's V = "
                    f"{strength:.2f}): a difference in one may be a difference in the other. "
                    "Read the crossed rates, or audit balanced images."
                )
    return out


def _cramers_v(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    first, a = np.unique(one, return_inverse=True)
    second, b = np.unique(other, return_inverse=True)
    if min(len(first), len(second)) < 2:
        return 0.0
    table = np.zeros((len(first), len(second)), dtype=int)
    np.add.at(table, (a, b), 1)
    return float(association(table, method="cramer"))
