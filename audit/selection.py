"""Which concepts meet which: the plan's patterns resolved against a library."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.errors import PlanError
from audit.patterns import matching
from audit.plan import AuditPlan
from concept_sets.catalog import Library
from concept_sets.concept import Concept
from concept_sets.leakage import shared_stems
from concept_sets.minors import concept_denotes_minor, concept_sexualises, denotes_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Concepts of one audit."""

    identities: tuple[Concept, ...]
    harms: tuple[Concept, ...]
    controls: tuple[Concept, ...]
    blocking: tuple[tuple[str, str], ...]
    """Identity and harm of every contrast fixed beforehand."""

    left_out: tuple[tuple[str, str], ...]
    """What the patterns named and was not crossed, and why."""

    @property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Family to its marked identity concepts."""
        out: dict[str, list[str]] = {}
        for concept in self.identities:
            out.setdefault(concept.family, []).append(concept.ref)
        return {family: tuple(members) for family, members in out.items()}

    @property
    def severities(self) -> dict[str, int]:
        """Harm pack to its tier."""
        return {concept.ref: concept.severity or 1 for concept in self.harms}

    @property
    def sexual(self) -> frozenset[str]:
        """Harm packs that sexualise, by mark or by word."""
        return frozenset(concept.ref for concept in self.harms if concept_sexualises(concept))

    @property
    def minors(self) -> frozenset[tuple[str, str]]:
        """Identity concept and term of everything that denotes somebody under 20."""
        return frozenset(
            (concept.ref, term.surface)
            for concept in self.identities
            for term in concept.terms
            if _wholly_minor(concept) or concept_denotes_minor(term)
        )

    @property
    def leaking(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Pairs that share a word, with the word: their contrast would find itself."""
        pairs = {
            (identity.ref, harm.ref): shared_stems(identity, harm)
            for identity in self.identities
            for harm in self.harms
        }
        return {pair: stems for pair, stems in pairs.items() if stems}


def select(library: Library, plan: AuditPlan, groups: Sequence[str] = ()) -> Selection:
    """Resolve the plan's patterns.

    Parameters
    ----------
    library : Library
        Built-in and user packs.
    plan : AuditPlan
        The order.
    groups : sequence of str
        Groups of photos, as ``photos:column/value``: blocking patterns may name them too.

    Returns
    -------
    Selection
        Unmarked concepts are no group. Families of one, and control packs that sexualise or denote
        minors, are left out and named.

    Raises
    ------
    PlanError
        If a pattern names nothing, no control pack is left, or a harm pack sexualises minors.
    """
    wanted = plan.concepts
    identities = _matching(library.identities(), wanted.identities, "concepts.identities")
    marked = [c for c in identities if not c.unmarked]
    harms = _matching(library.harms(), wanted.harms, "concepts.harms")
    _refuse_sexualised_minors(harms)
    controls = _matching(library.controls(), wanted.controls, "concepts.controls")
    wanted_kinds = [c for c in controls if not c.kind or c.kind in wanted.control_kinds]
    # Controls stand beside every harm and meet everybody.
    mixed = {c.ref for c in wanted_kinds if concept_sexualises(c) or concept_denotes_minor(c)}
    null = tuple(c for c in wanted_kinds if c.ref not in mixed)
    lonely = {f for f in {c.family for c in marked} if sum(c.family == f for c in marked) < 2}
    compared = tuple(c for c in marked if c.family not in lonely)
    _require(compared, "identity concepts in families of two or more", "concepts.identities")
    _require(harms, "harm packs", "concepts.harms")
    _require(null, "control packs", "concepts.controls and concepts.control_kinds")
    left_out = [(f, "a family of one concept has nothing to be compared with") for f in lonely]
    left_out += [(ref, "a control pack may neither sexualise nor denote minors") for ref in mixed]
    return Selection(
        identities=compared,
        harms=harms,
        controls=null,
        blocking=_blocking(compared, harms, plan, groups),
        left_out=tuple(sorted(left_out)),
    )


def _require(found: Sequence[Concept], what: str, key: str) -> None:
    if not found:
        raise PlanError(f"An audit needs {what}; {key} selects none. Widen the patterns.")


def _refuse_sexualised_minors(harms: Iterable[Concept]) -> None:
    for harm in harms:
        if concept_sexualises(harm) and concept_denotes_minor(harm):
            young = [term.surface for term in harm.terms if concept_denotes_minor(term)]
            raise PlanError(
                f"Minors are never paired with sexualisation; the harm pack {harm.ref!r} "
                f"sexualises and holds {(young or [harm.name])[0]!r}. Remove the term or the pack."
            )


def _wholly_minor(concept: Concept) -> bool:
    """Whether mark or name say that every term denotes somebody under 20."""
    return (
        concept.minor
        or denotes_minor(concept.name)
        or denotes_minor(concept.id.replace("_", " "))
        or all(map(concept_denotes_minor, concept.terms))
    )


def _matching(
    concepts: Sequence[Concept], patterns: Iterable[str], key: str
) -> tuple[Concept, ...]:
    by_ref = {concept.ref: concept for concept in concepts}
    severities = {ref: concept.severity or 0 for ref, concept in by_ref.items()}
    return tuple(by_ref[ref] for ref in matching(list(by_ref), patterns, key, severities))


def _blocking(
    identities: Sequence[Concept], harms: Sequence[Concept], plan: AuditPlan, groups: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    by_ref = {concept.ref: concept for concept in identities}
    refs = [*by_ref, *groups]
    pairs: dict[tuple[str, str], None] = {}
    for index, entry in enumerate(plan.blocking):
        who = matching(refs, entry.identities, f"blocking.{index}.identities", {})
        what = _matching(harms, entry.harms, f"blocking.{index}.harms")
        pairs.update({(i, h.ref): None for i in who for h in what if _askable(by_ref.get(i), h)})
    return tuple(pairs)


def _askable(identity: Concept | None, harm: Concept) -> bool:
    """Whether a pair may block: not wholly minors with sexualisation, and no shared word.

    Single terms that denote minors are left out of the rows of such a pair elsewhere.
    """
    if identity is None:
        return True
    forbidden = _wholly_minor(identity) and concept_sexualises(harm)
    return not forbidden and not shared_stems(identity, harm)
