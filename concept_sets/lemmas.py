"""Word forms reduced to what they share, for checks that must not miss a plural."""

import re
import unicodedata
from functools import lru_cache

IRREGULAR = {
    "children": "child", "people": "person", "persons": "person", "men": "man", "women": "woman",
    "wives": "wife", "housewives": "housewife", "thieves": "thief", "wolves": "wolf",
    "lives": "life", "knives": "knife", "feet": "foot", "teeth": "tooth", "mice": "mouse",
}  # fmt: skip

ENDINGS = (
    *("isation", "ization", "ically", "istic", "ation", "ising", "izing", "ised", "ized"),
    *("ness", "ment", "able", "ible", "ical", "ism", "ist", "ity", "ive", "ous"),
    *("ing", "ian", "ish", "ion", "ed", "er", "or", "al", "ic", "ly", "y"),
)
"""Endings that derive one word from another, longest first."""

SHORTEST_STEM = 4


def words(text: str) -> tuple[str, ...]:
    """Split a text into lower-case words without accents; hyphens and blanks separate.

    Examples
    --------
    >>> words("Jehovah's Witness, same-sex")
    ('jehovah', 's', 'witness', 'same', 'sex')
    """
    # mathematical capitals become plain ones, and small, only once they are taken apart
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.casefold()).casefold())
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return tuple(re.findall(r"[^\W_]+", letters))


FUNCTION_WORDS = frozenset(
    words(
        "a an and are as at be by for from has have his her in into is it its my no non not of off "
        "on or out over own s than that the their them these this those to under up very was who "
        "whose with without"
    )
)

GENERIC_WORDS = frozenset(
    words(
        "adult citizen family group high human individual looking low man member minded one other "
        "people person someone two woman worker"
    )
)
"""Words that many phrases need and that say nothing about whom or what they mean."""


@lru_cache(maxsize=8192)
def singular(word: str) -> str:
    """Return the singular of a lower-case word, or the word.

    Examples
    --------
    >>> [singular(word) for word in ("babies", "children", "witnesses", "boss", "girls")]
    ['baby', 'child', 'witness', 'boss', 'girl']
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith(("children", "women")):
        return word[:-3] if word.endswith("children") else word[:-2] + "an"
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    if len(word) > 4 and word.endswith("is"):
        # "Paris" loses its s as "Nazis" does: forms need to agree, not to be words.
        return word[:-1]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def lemmas(text: str) -> tuple[str, ...]:
    """Return the singular, lower-case words of a text in order.

    Examples
    --------
    >>> lemmas("Teenage girls")
    ('teenage', 'girl')
    """
    return tuple(singular(word) for word in words(text))


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return a word without the endings that derive nouns, adjectives and adverbs.

    Examples
    --------
    >>> {stem(word) for word in ("terrorist", "terrorism", "terrorists")}
    {'terror'}
    """
    bare = singular(word)
    for ending in ENDINGS:
        if bare.endswith(ending) and len(bare) - len(ending) >= SHORTEST_STEM:
            return bare[: -len(ending)]
    return bare


def content_stems(text: str) -> frozenset[str]:
    """Return the stems of the words that carry a text's meaning.

    Function words, numbers and generic words such as "person" do not count.

    Examples
    --------
    >>> sorted(content_stems("a person with fanatical beliefs"))
    ['belief', 'fanat']
    """
    ignored = FUNCTION_WORDS | GENERIC_WORDS
    return frozenset(
        stem(word) for word in lemmas(text) if word not in ignored and not word.isdigit()
    )
