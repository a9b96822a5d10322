"""No term or picture group that denotes a minor ever meets sexualisation.

The rule does not rest on how a pack is marked: words decide as well, on both sides, and in
doubt a word counts as a minor. The words are English; packs in other languages must carry the
marks ``minor: true`` and ``sexual: true``.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from concept_sets.concept import Concept, Term
from concept_sets.errors import ConceptSetError
from concept_sets.lemmas import lemmas, words

ADULT_AGE = 20
"""Ages below are left out; the age bins of face data sets end at 19."""

LEGAL_AGE = 18
"""A bin that starts here and reaches `ADULT_AGE` holds adults."""

MINOR_WORDS = frozenset(
    lemmas(
        "adolescence adolescent babe baby babyhood boy boyhood child childhood childlike girl "
        "girlhood grandchild infancy infant jailbait juvenile kid kiddie kiddies kindergartener "
        "kindergartner lad lass lassie lassies loli lolita minor neonate newborn nymphet orphan "
        "prepubescent preschooler preteen preteenager pubescent pupil schoolboy schoolchild "
        "schooler schoolgirl schoolkid shota stepchild teen teenage teenaged teenager toddler tot "
        "tween tweenager underage underaged youngster youth"
    )
)

MINOR_PHRASES = (
    r"\byoung (person|people|one)s?\b",
    r"\bpre teen",
    r"\bunder age",
    r"\b(high|middle|elementary|primary|secondary|grade|grammar) school (student|freshman)",
    r"\b(month|week|day)s? old\b",
)

NOT_MINOR = re.compile(
    r"\bchild(ren)? (free|less)\b"
    r"|\b(child|youth|baby|infant) (care|minder|sitter|worker|psychologist|psychiatrist|protection)"
    r"|\b(without|no) (child|kid|baby)\b"
    r"|\basia minor\b|\bminor (injur|offen|league|crime)"
)
"""Compounds that name an adult or no person at all."""

SEXUAL_WORDS = frozenset(
    lemmas(
        "arousal aroused arousing bikini brothel busty concubine erotic erotica eroticism escort "
        "fetish fetishised fetishized genital genitalia horny kinky lascivious lewd libido "
        "lingerie lust lustful naked nakedness nipple nsfw nude nudist nudity orgasm panties porn "
        "porno pornographic pornography promiscuity promiscuous prostitute prostitution "
        "provocative seduce seducer seduction seductive seductress sensual sensuality sex sexed "
        "sexier sexiness sexual sexualisation sexualise sexualised sexuality sexualization "
        "sexualize sexualized sexually sexy strip stripper striptease thong topless underwear "
        "undressed voluptuous xxx lewdness"
    )
)

NOT_SEXUAL = re.compile(
    r"\b(same|opposite|different|single|both|either|biological) sex\b"
    r"|\bsexual (orientation|minority|minorities|health|identity)\b|\bsex (at birth|assigned)\b"
    r"|\b(comic|gaza|film|drag) strip\b"
)

NUMBERS = {
    word: number
    for number, word in enumerate(
        words(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen sixteen seventeen eighteen nineteen twenty"
        )
    )
}

SPELLED = "|".join(sorted(NUMBERS, key=len, reverse=True))
AGES = (
    re.compile(rf"(?<!ty )(?<!and )\b(\d{{1,3}}|{SPELLED})\s?(?:year|yr|y)\s?(?:old|o)\b"),
    re.compile(rf"\b(?:age|aged|age of)\s(\d{{1,3}}|{SPELLED})\b"),
)
AGE_LIMITS = re.compile(rf"\b(?:under|below)\s(\d{{1,3}}|{SPELLED})\b")
HIGHEST_LIMIT = 21
"""A phrase such as "under 21" still means the young."""


@lru_cache(maxsize=8192)
def denotes_minor(text: str) -> bool:
    """Tell whether a term, label or caption denotes a person under 20.

    Examples
    --------
    >>> [denotes_minor(text) for text in ("schoolgirls", "a 12-year-old", "childless person")]
    [True, True, False]
    """
    plain = NOT_MINOR.sub(" ", " ".join(lemmas(text)))
    if not MINOR_WORDS.isdisjoint(plain.split()):
        return True
    if any(re.search(pattern, plain) for pattern in MINOR_PHRASES):
        return True
    if any(_number(limit) <= HIGHEST_LIMIT for limit in AGE_LIMITS.findall(plain)):
        return True
    ages = [found for pattern in AGES for found in pattern.findall(plain)]
    return any(_number(age) < ADULT_AGE for age in ages)


@lru_cache(maxsize=8192)
def sexualises(text: str) -> bool:
    """Tell whether a term, label or caption sexualises people.

    Examples
    --------
    >>> [sexualises(text) for text in ("seductive", "same-sex couple", "nude photos")]
    [True, False, True]
    """
    plain = NOT_SEXUAL.sub(" ", " ".join(lemmas(text)))
    return not SEXUAL_WORDS.isdisjoint(plain.split())


def concept_denotes_minor(identity: Concept | Term) -> bool:
    """Tell whether a concept or one of its terms denotes a minor, by mark or by word."""
    if isinstance(identity, Term):
        return identity.minor or denotes_minor(identity.surface)
    named = denotes_minor(identity.name) or denotes_minor(identity.id.replace("_", " "))
    return identity.minor or named or any(map(concept_denotes_minor, identity.terms))


def concept_sexualises(harm: Concept | Term) -> bool:
    """Tell whether a concept or one of its terms sexualises, by mark or by word."""
    if isinstance(harm, Term):
        return sexualises(harm.surface)
    named = sexualises(harm.name) or sexualises(harm.id.replace("_", " "))
    return harm.sexual or named or any(map(concept_sexualises, harm.terms))


def is_allowed_pair(identity: Concept | Term, harm: Concept | Term) -> bool:
    """Tell whether two concepts or terms may be crossed.

    Returns
    -------
    bool
        False where one side denotes a minor and the other, or the same, sexualises people.
    """
    sides = (identity, harm)
    return not (any(map(concept_denotes_minor, sides)) and any(map(concept_sexualises, sides)))


def refuse_minors_with_sexualisation(
    identities: Iterable[Concept], harms: Iterable[Concept]
) -> None:
    """Refuse any crossing of minors with sexualisation.

    Raises
    ------
    ConceptSetError
        Naming the first pair that is not allowed.
    """
    asked = tuple(harms)
    for identity in identities:
        for harm in asked:
            if not is_allowed_pair(identity, harm):
                raise ConceptSetError(
                    f"Minors are never paired with sexualisation; {identity.ref!r} with "
                    f"{harm.ref!r} would be. Leave one of them out."
                )


def _number(text: str) -> int:
    return NUMBERS[text] if text in NUMBERS else int(text)
