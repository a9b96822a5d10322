"""What the strongest concepts of a unit have in common: over modalities, and within a set."""

from audit.results import AgreementRecord, FamilyRecord, UnitPageRecord
from reports.messages import _, ngettext
from reports.names import Names
from reports.quantities import listed, p_equals, percent
from reports.sections.unit_words import arm_in_text


def kinship(page: UnitPageRecord, names: Names) -> list[str]:
    """Say whether modalities agree on a unit, and which set its concepts come from."""
    told = [_agreement(page.agreement, names)] if page.agreement else []
    return [*told, *(_family(family, names) for family in page.families)]


def _agreement(agreement: AgreementRecord, names: Names) -> str:
    arms = listed([arm_in_text(arm) for arm in agreement.arms])
    if not agreement.shared:
        return _("No concept is among the strongest three in each of {arms}.", arms=arms)
    return ngettext(
        "{shared} is among the strongest three in each of {arms}; arms that order concepts "
        "independently share at least so many in {chance} of cases.",
        "{shared} are among the strongest three in each of {arms}; arms that order concepts "
        "independently share at least so many in {chance} of cases.",
        len(agreement.shared),
        shared=listed([f"“{names.concept(ref)}”" for ref in agreement.shared]),
        arms=arms,
        chance=percent(agreement.chance, 2),
    )


def _family(family: FamilyRecord, names: Names) -> str:
    arm, p = arm_in_text(family.arm), p_equals(family.p)
    if family.set:
        return _(
            "In {arm} its strongest concepts come from “{family}” more often than by chance "
            "(p\N{NO-BREAK SPACE}{p}).",
            arm=arm,
            family=names.family(family.set),
            p=p,
        )
    if family.nearest:
        return _(
            "In {arm} its strongest concepts share no set more often than by chance, nearest "
            "“{family}” (p\N{NO-BREAK SPACE}{p}).",
            arm=arm,
            family=names.family(family.nearest),
            p=p,
        )
    return _(
        "In {arm} its strongest concepts share no set more often than by chance "
        "(p\N{NO-BREAK SPACE}{p}).",
        arm=arm,
        p=p,
    )
