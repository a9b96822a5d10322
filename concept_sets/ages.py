"""Age values of tables: which of them denote minors."""

import math
import re
import unicodedata

from concept_sets.lemmas import words
from concept_sets.minors import ADULT_AGE, LEGAL_AGE, denotes_minor

OLDEST = 130
AGE_COLUMN_WORDS = {"age", "ages", "years", "agegroup", "agebin", "agerange"}

ADULT_WORDS = frozenset(
    words(
        "adult adults aged centenarian elder elderly elders grown middle nonagenarian octogenarian "
        "old older pensioner retired retiree senior seniors septuagenarian sexagenarian twenties "
        "thirties forties fifties sixties seventies eighties nineties"
    )
)

OVER = re.compile(r"\+|>|≥|\b(over|above|older|more|least|plus|up|onwards|from|beyond|min)\b")
UNDER = re.compile(r"<|≤|\b(under|below|younger|less|most|until|up to|to|max)\b")


def is_age_column(name: str) -> bool:
    """Tell whether a column holds ages, by its name.

    Examples
    --------
    >>> [is_age_column(name) for name in ("age", "Age_Group", "ageBin", "language", "image")]
    [True, True, True, False, False]
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ")
    return not AGE_COLUMN_WORDS.isdisjoint(words(spaced))


def minor_group(column: str, value: str) -> bool | None:
    """Tell whether a group value of a photo or table denotes a minor.

    Parameters
    ----------
    column : str
        Name of the group column; numbers are ages only in an age column.
    value : str
        The group.

    Returns
    -------
    bool or None
        None where the column holds ages and this value does not say which.
    """
    if is_age_column(column):
        return minor_age_group(value)
    return denotes_minor(value)


def minor_age_group(value: str) -> bool | None:
    """Tell whether an age, an age bin or an age word denotes minors.

    A bin counts as minors unless it starts at 18 or later and reaches 20.

    Returns
    -------
    bool or None
        None for values that name no age.

    Examples
    --------
    >>> [minor_age_group(value) for value in ("10-19", "more than 70", "17", "young adult", "?")]
    [True, False, True, False, None]
    """
    text = unicodedata.normalize("NFKC", value).casefold().strip()
    text = re.sub(r"[‐‑‒–—−_]", "-", text)
    if denotes_minor(text) or re.search(r"\d\s*-?\s*(month|mo|week|wk|day)s?\b", text):
        return True
    ages = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]
    if not ages:
        return None if ADULT_WORDS.isdisjoint(words(text)) else False
    if max(ages) > OLDEST or re.fullmatch(r"-\s*\d.*", text):
        return None
    low, high = _span(text, ages)
    return not (low >= LEGAL_AGE and high >= ADULT_AGE)


def _span(text: str, ages: list[float]) -> tuple[float, float]:
    """Return the lowest and highest age that a bin holds."""
    if len(ages) > 1:
        return min(ages) + text.startswith("("), max(ages)
    if re.search(r"\d0\s*'?s\b", text):
        return ages[0], ages[0] + 9
    if OVER.search(text) and not re.search(r"\bup to\b", text):
        return ages[0], math.inf
    if UNDER.search(text):
        return 0.0, ages[0]
    return ages[0], ages[0]
